/**
 * Joins a session to its application inspector: hands the inspector its byte stream, and passes segments that were
 * held on to the engine. Which inspector, and what it may ask of the session: `inspectorOf`.
 */
import type { StreamInspector } from '../inspect/inspector.js';
import { FtpInspector } from '../inspect/ftp/inspector.js';
import { HttpInspector } from '../inspect/http.js';
import { type RuleEntry, SERVICES } from '../inspect/rules.js';
import { SmtpInspector } from '../inspect/smtp/inspector.js';
import type { Outbox } from '../outbox.js';
import { type SegmentOutlet, TcpStream } from '../tcp/reassembler.js';
import { SequenceShift } from '../tcp/sequence-shift.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { endpointsOf } from './endpoints.js';
import { FtpSession } from './ftp-session.js';
import { HttpSession } from './http-session.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { SmtpSession } from './smtp-session.js';

/** Takes a segment that was held, with its late verdict. */
export type ReleasedSegment = (p: Packet, v: Verdict) => void;

export class SessionStream implements SegmentOutlet {
  readonly segments: TcpStream;
  /** Clock of the packet in hand, ms. */
  now = 0;

  /**
   * @param shift set where the inspector replaces text by text of another length
   * @param monitorOnly the inspector may look, not touch
   */
  constructor(
    private readonly sessions: Sessions,
    private readonly slot: number,
    inspector: StreamInspector,
    monitorOnly: boolean,
    readonly shift: SequenceShift | undefined,
    private readonly outbox: Outbox,
    private readonly released: ReleasedSegment,
    private readonly http?: HttpSession,
  ) {
    this.segments = new TcpStream(inspector, sessions.memory, this, monitorOnly);
  }

  /** What the audit trail says more about the session at its end. */
  audit(): { requests: number; request: string } | undefined {
    return this.http?.audit();
  }

  release(p: Packet, fromInitiator: boolean, v: Verdict): void {
    if (v === PASS) this.sessions.noteReleased(this.slot, p, fromInitiator, this.now);
    this.released(p, v === PASS && !this.translate(p, fromInitiator) ? DROP.inspection : v);
  }

  /** Numbers a segment that goes out as its receiver counts. False: it must not go out. */
  translate(p: Packet, fromInitiator: boolean): boolean {
    if (this.shift === undefined || this.shift.translateOutgoing(p, fromInitiator)) return true;
    this.sessions.memory.unreplaceable++;
    return false;
  }

  gapPersists(fromInitiator: boolean, expectedSeq: number, waitedMs: number): void {
    const s = this.sessions.at(this.slot);
    this.outbox.event({ type: 'tcp-gap', endpoints: endpointsOf(s), fromInitiator, seq: expectedSeq, waitedMs });
    this.sessions.reset(s, 'out-of-order segment missing');
  }
}

/** The stream of a session whose application protocol is inspected byte by byte, else undefined. */
export function createStream(
  sessions: Sessions,
  s: Session,
  rule: RuleEntry,
  outbox: Outbox,
  released: ReleasedSegment,
): SessionStream | undefined {
  const { slot } = s;
  const service = SERVICES[s.service]!;
  switch (service) {
    case 'smtp':
    case 'esmtp': {
      const host = new SmtpSession(sessions, slot, rule, outbox, sessions.trace.flags);
      const inspector = new SmtpInspector(service, rule.smtp!, host, sessions.smtpCounters);
      return new SessionStream(sessions, slot, inspector, rule.smtp!.monitorOnly, undefined, outbox, released);
    }
    case 'ftp': {
      const shift = new SequenceShift();
      const inspector = new FtpInspector(new FtpSession(sessions, slot, rule, outbox, shift));
      return new SessionStream(sessions, slot, inspector, false, shift, outbox, released);
    }
    case 'http': {
      const host = new HttpSession(sessions, slot, rule, outbox);
      return new SessionStream(sessions, slot, new HttpInspector(host), false, undefined, outbox, released, host);
    }
    default:
      return undefined;
  }
}
