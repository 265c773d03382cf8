/**
 * Read-only views of the running router, for `show`, the console and tests. Edges and `ios/` read these; no stage
 * does. Taken on demand: building one costs nothing while nobody asks.
 */
export type SisState = 'SIS_OPENING' | 'SIS_OPEN' | 'SIS_CLOSING' | 'SIS_CLOSED';

export interface SessionSnapshot {
  /** Printed as eight hex digits. */
  id: number;
  protocol: number;
  /** The rule's protocol: tcp, udp, icmp, smtp, … */
  service: string;
  state: SisState;
  initiator: number;
  initiatorPort: number;
  /** As the inspection point saw it (outside → inside: the inside global address). */
  responder: number;
  responderPort: number;
  /** ms ago. */
  createdAgo: number;
  heardAgo: number;
  initiatorBytes: number;
  responderBytes: number;
}

export interface TranslationSnapshot {
  /** 'tcp' | 'udp' | 'icmp' | number as text | '---'. */
  protocol: string;
  insideGlobal: number;
  insideLocal: number;
  /** Undefined in a simple entry. Ports only in extended entries. */
  outside?: number;
  insideGlobalPort?: number;
  insideLocalPort?: number;
  outsidePort?: number;
  static: boolean;
  createdAgo: number;
  usedAgo: number;
}

export interface RouterSnapshot {
  sessions(): SessionSnapshot[];
  translations(): TranslationSnapshot[];
  /** Matches of each entry of a list, in entry order. */
  aclMatches(list: string): readonly number[];
  counters(): Readonly<Record<string, number>>;
}
