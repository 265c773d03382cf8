/** What the streams of sessions, and what inspectors say about them, ask of the tracker that has them. */
import type { EndReason } from '../events.js';
import type { StateIo } from '../memory/state-io.js';
import type { SmtpCounters } from '../inspect/smtp/finding.js';
import type { SmtpTraffic } from '../inspect/smtp/traffic.js';
import type { Translator } from '../nat/translator.js';
import type { InspectGlobals } from '../policy.js';
import type { Session } from '../session/session.js';
import type { TcpStream } from '../stream/reassembler.js';
import type { ReassemblyMemory } from '../stream/reassembly-memory.js';
import type { SequenceShift } from '../stream/sequence-shift.js';
import type { Packet } from '../wire/packet.js';
import type { SessionTrace } from '../observe/session-trace.js';

export interface StreamHost {
  readonly nat: Translator;
  readonly memory: ReassemblyMemory;
  readonly trace: SessionTrace;
  readonly smtpCounters: SmtpCounters;
  readonly smtpTraffic: SmtpTraffic;
  readonly globals: InspectGlobals;
  /** Clock of the packet in hand, ms. */
  readonly now: number;
  /** A cursor on the session in this record, valid until the next call. */
  at(slot: number): Session;
  /** Whether an access list permits an address; undefined where the list is not defined. */
  permits(list: string, address: number): boolean | undefined;
  /** Whether the rule of `s` wants alerts. */
  alertsOf(s: Session): boolean;
  /** A segment that was held goes on: the session follows it. */
  noteReleased(slot: number, p: Packet, fromInitiator: boolean, now: number): void;
  /** An intercepted connection's segment is numbered as its receiver counts. */
  spliceReleased(slot: number, p: Packet, fromInitiator: boolean): void;
  /** The sender is to hear of segments behind a gap, as `SegmentOutlet` has it. */
  answerGap(stream: HostedStream, toInitiator: boolean, count: number): void;
  /** Lets one data connection of the session in record `control` in. */
  expectData(control: number, toClient: boolean, port: number, besides: boolean): void;
  /** The session in hand cannot be brought back to what it was before its packet. */
  forgetUndo(): void;
  /** Ends the session and resets both ends. */
  reset(s: Session, why: EndReason): void;
}

/** A stream, as far as the tracker acknowledges in its receiver's name. */
export interface HostedStream {
  readonly slot: number;
  readonly segments: TcpStream;
  readonly shift: SequenceShift | undefined;
}

/** Whom an inspector speaks to. It serves one session after the other, too. */
export interface StreamSession {
  /** There are transcripts of its dialogues. */
  readonly hasTranscript?: boolean;
  /** Speaks for the session in this record from now on. */
  carry(slot: number): void;
  /** That session is a new one. */
  begin?(): void;
  /** Saves or loads what it keeps of the session. */
  sync?(io: StateIo): void;
  /** What the audit trail says more about the session at its end. */
  audit?(): { requests: number; request: string };
}
