/** What became of packets, for who captures their frames outside of the router: `fw3640 capture`. */

export interface VerdictRecord {
  /** Counted from 1. */
  number: number;
  /** ms since 1970. */
  timeMs: number;
  /** Canonical names; undefined: it leaves by none. */
  ingress: string | undefined;
  egress: string | undefined;
  verdict: number;
  /** It was held, and this is its late verdict. */
  late: boolean;
  /** Number of the record that told it was held, where it is late and known. */
  held: number | undefined;
  /** ms that it was held. */
  heldMs: number;
  /** The first bytes as it came (none where it is late), and as it leaves. */
  came: Uint8Array;
  leaves: Uint8Array;
  /** Length as it came, bytes. */
  length: number;
  /** Bytes of the payload that were changed, up to `changedTo`, not included; equal: none. */
  changedFrom: number;
  changedTo: number;
}

export interface VerdictBatch {
  /** Number to ask for next. */
  next: number;
  /** Records that were asked for and are gone; and packets of which nothing is known. */
  lost: number;
  records: VerdictRecord[];
  /** Linux interfaces by canonical names. */
  devices?: Readonly<Record<string, string>>;
}
