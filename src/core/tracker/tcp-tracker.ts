/**
 * Segments of TCP sessions behind the first one: checked against what both ends believe, given to the stream of an
 * inspected session, and noted as they go on. A SYN or RST that is not of the connection is contradicted.
 */
import { sessionId } from '../session/endpoints.js';
import { FLAG, type Session, SIS } from '../session/session.js';
import { clientSeq, noteServerIsn, spliceIncoming } from '../session/splice.js';
import * as tcp from '../session/tcp-state.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { putSeq } from '../wire/own-segment.js';
import type { Packet } from '../wire/packet.js';
import { seqAdd } from '../wire/seq.js';
import { ACK, RST, SYN } from '../wire/tcp.js';
import type { TrackerContext } from './context.js';
import type { Lifetimes } from './lifetimes.js';
import { isUnclear, normalise } from './normalise.js';
import type { OwnSegments } from './own-segments.js';
import type { StreamTable } from './stream-table.js';
import type { SessionStream } from './streams.js';

export class TcpTracker {
  constructor(
    private readonly context: TrackerContext,
    private readonly streams: StreamTable,
    private readonly lifetimes: Lifetimes,
    private readonly own: OwnSegments,
  ) {}

  /** Follows a segment of session `s`. */
  track(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    return s.has(FLAG.intercepted)
      ? this.#trackIntercepted(s, p, fromInitiator, now)
      : this.#trackSegment(s, p, fromInitiator, now);
  }

  /** A segment of session `s` goes on to its receiver, at once or after it was held. */
  noteForwarded(s: Session, p: Packet, fromInitiator: boolean, now: number): void {
    const { lifetimes } = this;
    const { debug, trace } = this.context;
    s.addBytes(fromInitiator, tcp.newBytes(s, p, fromInitiator));
    const before = s.state;
    const transition = tcp.noteForwarded(s, p, fromInitiator);
    if (s.state !== before) {
      lifetimes.moved(s, before);
      if (before === SIS.opening) lifetimes.established(s, now);
    }
    if (debug.detailed && !s.has(FLAG.uninspected)) trace.forwarded(s, p);
    if (transition === tcp.TRANSITION.closed) lifetimes.closed(s, now);
    else if (transition === tcp.TRANSITION.reset) lifetimes.end(s, 'reset');
  }

  /** A segment of a session whose ends count the server's bytes differently (`ip tcp intercept`). */
  #trackIntercepted(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const { intercept } = this.lifetimes;
    const answered = s.has(FLAG.responderSyn);
    if (fromInitiator) {
      // The client waits for its window to open, and repeats what it says before.
      if (!answered && (p.flags & RST) === 0) return DROP.intercepted;
      spliceIncoming(s, p);
      return this.#trackSegment(s, p, true, now);
    }
    const syn = (p.flags & SYN) !== 0;
    if (!answered && (p.flags & RST) === 0) {
      const v = tcp.checkSegment(s, p, false);
      if (v !== PASS) return v;
      if (!syn) intercept.endStranger(s, p);
      if (!syn || (p.flags & ACK) === 0) return DROP.intercepted;
      s.set(FLAG.responderSynAcked);
    }
    // Before the session may end with this segment.
    const seq = clientSeq(s, p.seq);
    const v = this.#trackSegment(s, p, false, now);
    if (v !== PASS) return v;
    if (!syn) {
      putSeq(p, seq);
      return PASS;
    }
    // The client has begun anew, without the router's help.
    if (!s.has(FLAG.intercepted)) return PASS;
    if (!answered) noteServerIsn(s, p.seq);
    intercept.complete(s, p);
    return PASS;
  }

  #trackSegment(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const { debug, trace } = this.context;
    const opening = s.state === SIS.opening;
    const stream = this.streams.of(s);
    stream?.shift?.translateIncoming(p, fromInitiator);
    let v = tcp.checkSegment(s, p, fromInitiator);
    if (debug.detailed && !s.has(FLAG.uninspected)) trace.checked(s, p, v);
    if (v !== PASS) return (p.flags & (SYN | RST)) === 0 ? v : this.#contradicted(s, p, fromInitiator, v, now);
    if (s.isNormalised) {
      v = normalise(s, p, fromInitiator);
      if (v !== PASS) return v;
    }
    if (!tcp.saysNothing(s, p, fromInitiator)) {
      s.heard = now;
      if (s.isOpen) s.since = now;
    }
    tcp.noteAcknowledgement(s, p, fromInitiator);
    if (stream !== undefined) {
      const { service } = s;
      v = this.#admitToStream(stream, s, p, fromInitiator, now);
      if (debug.tcp && p.end > p.payload) trace.inspected(sessionId(s), service, v);
      if (v !== PASS) return v;
      stream.segments.noteSent(p, fromInitiator, now);
    }
    this.noteForwarded(s, p, fromInitiator, now);
    if (opening && (p.flags & SYN) !== 0 && s.has(FLAG.responderSyn)) this.#openStream(s);
    // As with a segment that is lost behind us: its sender will repeat what we drop now.
    return stream === undefined || stream.translate(p, fromInitiator) ? PASS : DROP.inspection;
  }

  /** A SYN or RST that is not of this connection. `v`: why it is to be dropped, if there is nothing more to it. */
  #contradicted(s: Session, p: Packet, fromInitiator: boolean, v: Verdict, now: number): Verdict {
    // Nothing ends with a segment of which nobody knows whether its receiver takes it.
    if (s.isNormalised && isUnclear(p)) return v;
    if (tcp.reopens(s, p, fromInitiator)) return this.#reopen(s, p, now);
    if (tcp.refusesPending(s, p, fromInitiator)) {
      this.lifetimes.end(s, 'reset');
      return PASS;
    }
    if (tcp.responderBeganAnew(s, p, fromInitiator)) this.lifetimes.reset(s, 'responder-began-anew');
    else if (tcp.callsForChallenge(s, p, fromInitiator) && tcp.mayAsk(s, now)) this.#askEnds(s, p, fromInitiator);
    return v;
  }

  /**
   * The responder has answered a SYN that came under session `s`: there is another connection now, and a new session for
   * it in the same place. The ends know that themselves: a RST for the old one could only hit the new one.
   */
  #reopen(s: Session, p: Packet, now: number): Verdict {
    const { lifetimes } = this;
    const { rules, table, globals, debug, trace } = this.context;
    const rule = rules.entries[s.rule]!;
    const inspected = !s.has(FLAG.uninspected);
    lifetimes.finish(s, 'replaced');
    tcp.noteReopening(s, now);
    s.timeoutMs = globals.tcpSynwait * 1000;
    if (inspected) {
      const v = lifetimes.thresholds.admit(s.protocol, s.responder, s.seenResponder, rule.alert, now);
      if (v !== PASS) {
        table.remove(s);
        return v;
      }
      lifetimes.begin(s, rule, now);
      if (debug.timers) trace.timerInit(s);
    } else lifetimes.beginUninspected(s, now);
    return this.track(s, p, false, now);
  }

  #askEnds(s: Session, p: Packet, fromInitiator: boolean): void {
    const { own } = this;
    const shift = this.streams.of(s)?.shift;
    // What the other end would answer. Who has lost the connection resets it; who has not takes it for a copy.
    own.ask(s, fromInitiator, tcp.sndNxt(s, !fromInitiator), shift);
    // The other end may be the one that has nothing any more, while the sender cannot reset: a number that was
    // acknowledged long ago makes a live end say what it expects, to the sender, and a dead one reset (a keep-alive,
    // RFC 9293 §3.8.4).
    if ((p.flags & SYN) !== 0) own.ask(s, !fromInitiator, seqAdd(tcp.rcvNxt(s, !fromInitiator), -1), shift);
  }

  /** Both SYNs are known: bytes may come. Not before, so that a flood of SYNs costs a record each and no more. */
  #openStream(s: Session): void {
    if (!s.has(FLAG.streamed)) {
      if (!this.streams.create(s, this.context.rules.entries[s.rule]!)) return;
      s.set(FLAG.streamed);
    }
    const stream = this.streams.find(s.slot);
    stream.segments.open(true, tcp.firstDataSeq(s, true));
    stream.segments.open(false, tcp.firstDataSeq(s, false));
  }

  #admitToStream(stream: SessionStream, s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const { segments } = stream;
    if ((p.flags & (ACK | RST)) === ACK) {
      segments.acknowledge(!fromInitiator, p.ack);
      stream.shift?.acknowledged(!fromInitiator, p.ack);
    }
    stream.now = now;
    const v = segments.admit(p, fromInitiator, now);
    if (!segments.resetRequested) return v;
    if (stream.silent) this.lifetimes.end(s, 'inspection');
    else this.lifetimes.reset(s, 'inspection');
    return DROP.inspection;
  }
}
