/**
 * Joins a session to its application inspector: hands the inspector its byte stream, turns its findings into events
 * with addresses and sequence number, and passes segments that were held on to the engine.
 */
import type { DebugFlags } from '../debug.js';
import type { InspectorHost } from '../inspect/inspector.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { SmtpFinding } from '../inspect/smtp/finding.js';
import { SmtpInspector } from '../inspect/smtp/inspector.js';
import type { Outbox } from '../outbox.js';
import { type SegmentOutlet, TcpStream } from '../tcp/reassembler.js';
import { seqAdd } from '../tcp/seq.js';
import { firstDataSeq } from '../tcp/state.js';
import { PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { endpointsOf, type Sessions } from './sessions.js';

/** Takes a segment that was held, with its late verdict. */
export type ReleasedSegment = (p: Packet, v: Verdict) => void;

export class SessionStream implements SegmentOutlet, InspectorHost<SmtpFinding> {
  readonly segments: TcpStream;
  /** Clock of the packet in hand, ms. */
  now = 0;

  constructor(
    private readonly sessions: Sessions,
    private readonly slot: number,
    private readonly rule: RuleEntry,
    protocol: 'smtp' | 'esmtp',
    private readonly outbox: Outbox,
    private readonly released: ReleasedSegment,
    private readonly debugFlags: DebugFlags,
  ) {
    const inspector = new SmtpInspector(protocol, rule.smtp!, this, sessions.smtpCounters);
    this.segments = new TcpStream(inspector, sessions.memory, this, rule.smtp!.monitorOnly);
  }

  get debug(): boolean {
    return this.debugFlags.smtp;
  }

  trace(text: string): void {
    this.outbox.event({ type: 'debug', facility: 'smtp', text });
  }

  report(finding: SmtpFinding, fromInitiator: boolean, offset: number): void {
    if (!this.rule.alert) return;
    const s = this.sessions.at(this.slot);
    this.outbox.event({
      type: 'smtp',
      endpoints: endpointsOf(s),
      finding,
      fromInitiator,
      seq: seqAdd(firstDataSeq(s, fromInitiator), offset),
    });
  }

  release(p: Packet, fromInitiator: boolean, v: Verdict): void {
    if (v === PASS) this.sessions.noteReleased(this.slot, p, fromInitiator, this.now);
    this.released(p, v);
  }

  gapPersists(fromInitiator: boolean, expectedSeq: number, waitedMs: number): void {
    const s = this.sessions.at(this.slot);
    this.outbox.event({ type: 'tcp-gap', endpoints: endpointsOf(s), fromInitiator, seq: expectedSeq, waitedMs });
    this.sessions.reset(s, 'out-of-order segment missing');
  }
}

/** The stream of a session whose rule names an application protocol that is inspected byte by byte, else undefined. */
export function createStream(
  sessions: Sessions,
  slot: number,
  rule: RuleEntry,
  outbox: Outbox,
  released: ReleasedSegment,
  debug: DebugFlags,
): SessionStream | undefined {
  if (rule.service !== 'smtp' && rule.service !== 'esmtp') return undefined;
  return new SessionStream(sessions, slot, rule, rule.service, outbox, released, debug);
}
