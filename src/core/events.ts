/**
 * Everything the core can say besides its verdicts, as one union. The core says what happened; `ios/messages.ts` says
 * how a 3640 puts it. Events are plain data, copied out of the packet: they outlive the batch.
 */
import type { DebugEvent } from './observe/debug-event.js';
import type { FtpFinding } from './inspect/ftp/inspector.js';
import type { RegisteredFinding, RegisteredService } from './inspect/registry.js';
import type { SmtpFinding } from './inspect/smtp/finding.js';
import type { DialogueEntry } from './inspect/transcript.js';

/** Addresses int32, host order. `client`/`initiator` opened the connection. */
export interface Endpoints {
  sessionId: number;
  service: string;
  initiator: number;
  initiatorPort: number;
  responder: number;
  responderPort: number;
}

/**
 * Why `ip virtual-reassembly` refused fragments. IOS has no message for an oversize datagram (ping of death), and none
 * for a source that has its share of the table.
 */
export type FragmentFault = 'table-overflow' | 'source-overflow' | 'too-many' | 'tiny' | 'overlap' | 'oversize';

/** Which threshold a half-open session was reset for. */
export type ResetCause = 'max-incomplete' | 'one-minute' | 'max-incomplete-host' | 'host-blocked';

/** What had no room for a session more: the table, the share of it for what no rule inspects, that of translations. */
export type FullTable = 'sessions' | 'uninspected' | 'translations';

/** Why a session ended. */
export type EndReason =
  | 'timeout'
  /** A table was full, and another session began in its place. */
  | 'table-full'
  /** RST of one of its ends. */
  | 'reset'
  /** The data plane has died amid its packet, or another configuration has no place for it. */
  | 'adoption'
  /** A new connection of the same ends has taken its place. */
  | 'replaced'
  /** `clear ip inspect session`. */
  | 'cleared'
  /** The inspector of its application. */
  | 'inspection'
  /** A segment is missing for good. */
  | 'gap'
  | 'responder-began-anew'
  /** `ip tcp intercept` made room. */
  | 'intercept'
  | ResetCause;

/** What messages are about, as far as a flood of one kind must not hide the others. */
export type LogKind =
  | 'audit-trail'
  | 'inspection'
  | 'half-open-session'
  | 'fragment'
  | 'access-list'
  | 'dropped-packet'
  | 'translation'
  | 'transcript'
  | 'debug'
  /** Whatever it was: the log did not keep up with the data plane. */
  | 'any';

/** What a transcript tells: the dialogue, and what the session's surroundings say of it. */
export type TranscriptEntry =
  | DialogueEntry
  | { what: 'begin' }
  /** Texts of the dialogue in a finding are empty: its line is told by itself. */
  | { what: 'finding'; protocol: 'smtp'; fromInitiator: boolean; finding: SmtpFinding }
  /** Lines were left out; how many, the event says. */
  | { what: 'gap' }
  /** `closed`: both ends had closed it before. */
  | { what: 'end'; reason: EndReason; closed: boolean };

export type Event =
  | { type: 'session-start'; endpoints: Endpoints }
  | {
      type: 'session-stop';
      endpoints: Endpoints;
      sent: number;
      received: number;
      reason: EndReason;
      /** HTTP: how many requests there were, and the first request line as sent. */
      requests?: number;
      request?: string;
    }
  | {
      type: 'acl-denied' | 'acl-permitted';
      list: string;
      protocol: number;
      src: number;
      srcPort: number;
      dst: number;
      dstPort: number;
      icmpType: number;
      icmpCode: number;
      packets: number;
      /** Interface name, for `log-input`. */
      ingress?: string;
    }
  /** Matches that were neither logged nor counted: too many flows. */
  | { type: 'acl-log-missed'; packets: number }
  | {
      type: 'packet-dropped';
      reason: number;
      protocol: number;
      src: number;
      srcPort: number;
      dst: number;
      dstPort: number;
      icmpType: number;
      icmpCode: number;
      icmpIdentifier: number;
      identification: number;
      /** TCP data offset and flags, the 16 bits as they stand. */
      flags: number;
      seq: number;
      ack: number;
    }
  | { type: 'smtp'; endpoints: Endpoints; finding: SmtpFinding; fromInitiator: boolean; seq: number }
  | { type: 'ftp'; endpoints: Endpoints; finding: FtpFinding }
  /** From an inspector of inspect/registry.ts. `reset`: both ends were reset; else the connection was let die. */
  | { type: 'finding'; protocol: RegisteredService; endpoints: Endpoints; finding: RegisteredFinding; reset: boolean }
  /** A Java applet from a server that no java-list calls friendly; the connection was reset. */
  | { type: 'java-blocked'; endpoints: Endpoints }
  /** Translations were refused: `pool` (or interface) has no address or port left, or there are too many entries. */
  | { type: 'nat-exhausted'; shortage: 'addresses' | 'entries'; pool: string; insideLocal: number; refused: number }
  /** A segment is missing for good; the session was reset (TCP_OoO_SEG, 12.4(11)T). */
  | { type: 'tcp-gap'; endpoints: Endpoints; fromInitiator: boolean; seq: number; waitedMs: number }
  /** Sessions of `address` have used up their share of the reassembly memory; `segments` were dropped for it. */
  | { type: 'tcp-memory'; address: number; segments: number }
  /** Denial-of-service thresholds: count of half-open sessions, the mark it is compared with, sessions a minute. */
  | { type: 'aggressive-on' | 'aggressive-off'; count: number; limit: number; rate: number }
  /** The same of `ip tcp intercept`: incomplete connections, requests in the last minute. */
  | { type: 'intercept-on' | 'intercept-off'; count: number; limit: number; rate: number }
  /** Half-open sessions were reset to make room, in so many seconds. */
  | { type: 'sessions-reset'; cause: ResetCause; sessions: number; seconds: number }
  /** Sessions that have gone for new ones, half-open and ended by both sides, and new ones that were refused. */
  | { type: 'table-full'; table: FullTable; halfOpen: number; ended: number; refused: number; seconds: number }
  | { type: 'host-alert'; host: number; limit: number }
  | { type: 'host-blocked'; host: number; limit: number; minutes: number }
  | { type: 'host-unblocked'; host: number }
  /** IP_VFR alerts. `limit`: of the places for both overflows, else max-fragments. Addresses int32, as they came. */
  | { type: 'fragments'; fault: FragmentFault; interface: string; limit: number; src: number; dst: number }
  /** Messages that were too many for the log, in so many seconds. */
  /** The tables were taken over from an earlier data plane. `foreign`: they could not be read, and are empty. */
  | { type: 'taken-over'; foreign: boolean; adopted: number; reset: number; lost: number }
  | { type: 'left-out'; kind: LogKind; messages: number; seconds: number }
  /**
   * A line of a dialogue, or what happened in it (`ip inspect transcript`). `at`: clock of the engine, ms. `leftOut`: lines
   * of it before this one that were too many.
   */
  | { type: 'transcript'; endpoints: Endpoints; at: number; entry: TranscriptEntry; leftOut: number }
  | DebugEvent;
