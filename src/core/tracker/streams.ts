/**
 * Joins a session to its application inspector: hands the inspector its byte stream, and passes segments that were
 * held on to the engine. Which inspector, and what it may ask of the session: `smtpStream`, `ownStream`.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { FtpInspector } from '../inspect/ftp/inspector.js';
import { HttpInspector } from '../inspect/http.js';
import type { StreamInspector } from '../inspect/inspector.js';
import { registered, type RegisteredFinding, type RegisteredService } from '../inspect/registry.js';
import { type RuleEntry, SERVICES } from '../inspect/rules.js';
import { SMTP_WORDS, SmtpInspector } from '../inspect/smtp/inspector.js';
import type { SmtpOptions } from '../policy.js';
import type { Outbox } from '../outbox.js';
import { RING_WORDS, type SegmentOutlet, STREAM_WORDS, TcpStream } from '../stream/reassembler.js';
import { SequenceShift } from '../stream/sequence-shift.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { TCP_OPTION } from '../wire/tcp-options.js';
import { endpointsOf } from '../session/endpoints.js';
import { FtpSession } from './ftp-session.js';
import { HttpSession } from './http-session.js';
import type { Session } from '../session/session.js';
import type { StreamHost } from './stream-host.js';
import { SmtpSession } from './smtp-session.js';

/** Takes a segment that was held, with its late verdict. */
export type ReleasedSegment = (p: Packet, v: Verdict) => void;

/** What all streams of a router know. */
export interface StreamContext {
  readonly sessions: StreamHost;
  readonly outbox: Outbox;
  readonly released: ReleasedSegment;
  /** RECORD_WORDS words for each session of the table. */
  readonly records: FlatMemory;
}

/** A stream's record: the two directions, who has it in hand (the stream table's), the inspector, a small ring. */
export const OWNER = STREAM_WORDS;
export const INSPECTOR = STREAM_WORDS + 2;
const RING = INSPECTOR + SMTP_WORDS;
export const RECORD_WORDS = RING + RING_WORDS;

/** What belongs to a stream besides its inspector. */
interface StreamParts {
  /** Set where the inspector replaces text by text of another length. */
  shift?: SequenceShift;
  http?: HttpSession;
  /** A connection that the inspector ends gets no RST: its packets are dropped, and neither end is told. */
  silent?: boolean;
  /** Set where sessions can wait in their records, so that one object carries one after the other. */
  smtp?: { inspector: SmtpInspector; host: SmtpSession };
}

export class SessionStream implements SegmentOutlet {
  readonly segments: TcpStream;
  readonly shift: SequenceShift | undefined;
  readonly silent: boolean;
  /** Number of the session's record; -1: no session. */
  slot = -1;
  /** Number of the pool it comes from; 0: of none. */
  pool = 0;
  /** Clock of the packet in hand, ms. */
  now = 0;
  readonly #http: HttpSession | undefined;
  readonly #smtp: StreamParts['smtp'];

  /** @param monitorOnly the inspector may look, not touch */
  constructor(
    private readonly context: StreamContext,
    inspector: StreamInspector,
    monitorOnly: boolean,
    parts: StreamParts,
  ) {
    this.segments = new TcpStream(inspector, context.sessions.memory, this, monitorOnly);
    this.shift = parts.shift;
    this.silent = parts.silent === true;
    this.#http = parts.http;
    this.#smtp = parts.smtp;
  }

  /** The record can hold all there is of the session. FTP and HTTP sessions never are. */
  get atRest(): boolean {
    const smtp = this.#smtp;
    return smtp !== undefined && this.segments.atRest && (this.segments.finished || smtp.inspector.atRest);
  }

  /** Completes the record of the session, which is at rest. */
  layDown(): void {
    const { records } = this.context;
    const at = this.slot * RECORD_WORDS;
    this.segments.save(records, at);
    if (this.segments.finished) this.#smtp!.inspector.finish();
    else this.#smtp!.inspector.save(records, at + INSPECTOR);
    this.slot = -1;
  }

  /** Carries the session of record `slot` from now on. */
  takeUp(slot: number): void {
    const { records } = this.context;
    const at = slot * RECORD_WORDS;
    this.slot = slot;
    const s = this.context.sessions.at(slot);
    const { owner } = this.segments;
    owner.initiator = s.initiator;
    owner.responder = s.responder;
    owner.side = s.origin;
    this.segments.load(records, at, at + RING, this.#smtp?.inspector);
    if (this.#smtp === undefined) return;
    this.#smtp.host.slot = slot;
    this.#smtp.inspector.load(records, at + INSPECTOR);
  }

  /** The session ends: its inspector says what it has not said yet. */
  finish(): void {
    this.#smtp?.inspector.finish();
  }

  /** What the audit trail says more about the session at its end. */
  audit(): { requests: number; request: string } | undefined {
    return this.#http?.audit();
  }

  release(p: Packet, fromInitiator: boolean, v: Verdict): void {
    const { sessions, released } = this.context;
    if (v === PASS) sessions.noteReleased(this.slot, p, fromInitiator, this.now);
    let late = v;
    if (v === PASS && !this.translate(p, fromInitiator)) late = DROP.inspection;
    if (late === PASS) {
      this.segments.noteSent(p, fromInitiator, this.now);
      sessions.spliceReleased(this.slot, p, fromInitiator);
    }
    released(p, late);
  }

  answerGap(fromInitiator: boolean, count: number): void {
    this.context.sessions.answerGap(this, fromInitiator, count);
  }

  get selective(): boolean {
    return (this.context.sessions.at(this.slot).agreed & TCP_OPTION.sack) !== 0;
  }

  /** Numbers a segment that goes out as its receiver counts. False: it must not go out. */
  translate(p: Packet, fromInitiator: boolean): boolean {
    if (this.shift === undefined || this.shift.translateOutgoing(p, fromInitiator)) return true;
    this.context.sessions.memory.unreplaceable++;
    return false;
  }

  gapPersists(fromInitiator: boolean, expectedSeq: number, waitedMs: number): void {
    const { sessions, outbox } = this.context;
    const s = sessions.at(this.slot);
    if (sessions.alertsOf(s) && sessions.globals.reassemblyAlarm)
      outbox.event({ type: 'tcp-gap', endpoints: endpointsOf(s), fromInitiator, seq: expectedSeq, waitedMs });
    sessions.reset(s, 'gap');
  }
}

/** A stream that carries one SMTP session of this rule after the other. @param options as they were when they began */
export function smtpStream(context: StreamContext, rule: RuleEntry, options: SmtpOptions): SessionStream {
  const { sessions, outbox } = context;
  const host = new SmtpSession(sessions, rule, outbox, sessions.trace.flags);
  const inspector = new SmtpInspector(rule.service as 'smtp' | 'esmtp', options, host, sessions.smtpCounters);
  return new SessionStream(context, inspector, options.monitorOnly, { smtp: { inspector, host } });
}

/** The stream of one session, FTP, HTTP or a protocol of the registry; undefined where no inspector reads its bytes. */
export function ownStream(context: StreamContext, s: Session, rule: RuleEntry): SessionStream | undefined {
  const { sessions, outbox } = context;
  switch (SERVICES[s.service]!) {
    case 'ftp': {
      const shift = new SequenceShift();
      const inspector = new FtpInspector(new FtpSession(sessions, s.slot, rule, outbox, shift));
      return new SessionStream(context, inspector, false, { shift });
    }
    case 'http': {
      const http = new HttpSession(sessions, s.slot, rule, outbox);
      return new SessionStream(context, new HttpInspector(http), false, { http });
    }
    default:
      return registeredStream(context, s, rule);
  }
}

/** The stream of a protocol of inspect/registry.ts. Inferred: without `reset` nobody is told, as with dropped packets. */
function registeredStream(context: StreamContext, s: Session, rule: RuleEntry): SessionStream | undefined {
  const { sessions, outbox } = context;
  const { slot } = s;
  const protocol = registered(rule.service);
  if (protocol === undefined || rule.options === undefined) return undefined;
  const reset = rule.options['reset'] === true;
  const inspector = protocol.make(rule.options, {
    report: (finding) => {
      if (!rule.alert) return;
      outbox.event({
        type: 'finding',
        protocol: rule.service as RegisteredService,
        endpoints: endpointsOf(sessions.at(slot)),
        finding: finding as RegisteredFinding,
        reset,
      });
    },
  });
  return new SessionStream(context, inspector, false, { silent: !reset });
}
