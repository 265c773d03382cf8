/**
 * `ip tcp intercept` (TCP Intercept, 11.2F). In mode intercept the router answers a SYN itself, with a SYN cookie, and
 * keeps nothing of it. Only an acknowledgement that fits the cookie opens a session: the router sends the SYN that the
 * client had sent on to the server, completes that handshake too, and opens the window that it has kept shut until then.
 * From there on it adds the difference of the two initial sequence numbers, in `session/splice`.
 *
 * Neither side gets TCP options but MSS, since nobody remembers what the client had offered: no window scale, no SACK.
 *
 * Unlike on a 3640, on which CBAC comes first in Cisco's order of operation, the SYN is answered before inspection: the
 * marks of CBAC then count who has proved that he is there. A connection counts from there for the marks here, too.
 *
 * Mode watch lets SYNs pass, and resets the server where the handshake is not complete within the watch-timeout.
 */
import type { EndReason } from '../events.js';
import type { InterceptPolicy } from '../policy.js';
import type { StateIo } from '../memory/state-io.js';
import type { Outbox } from '../outbox.js';
import { NO_MSS, becomeSegment, ownSegment } from '../wire/own-segment.js';
import { resetPacket } from '../wire/reset.js';
import { seqAdd } from '../wire/seq.js';
import { clientSeq } from '../session/splice.js';
import * as tcp from '../session/tcp-state.js';
import { SynCookies } from '../session/syn-cookie.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { ACK, RST, SYN, tcpMss } from '../wire/tcp.js';
import { MinuteCount } from '../session/minute-count.js';
import { COUNT, MARKS, NOTICE, type Siblings } from '../shard/siblings.js';
import { FLAG, INTERCEPT, type Session } from '../session/session.js';
import { SessionList } from '../session/session-list.js';

/** What the client is told, whatever the server takes: the MSS of Ethernet. */
const SERVER_MSS = 1460;
/** The first wait for the server's answer to a SYN; each further one is twice as long. Half of it in aggressive mode. */
const RETRANSMISSION_MS = 1000;
/** `drop-mode random`: one of so many oldest. */
const RANDOM_OF = 64;

/** What `Intercept` asks of the sessions. */
export interface InterceptHost {
  /** The server's end as the client in it is known there, and where its SYN goes out: an injected segment's source. */
  toServer(s: Session, flags: number, seq: number, ack: number, window: number, mss: number): void;
  toClient(s: Session, flags: number, seq: number, ack: number): void;
  /** Gives the session another timeout from now on. */
  restart(s: Session, timeoutMs: number, now: number): void;
  end(s: Session, why: EndReason): void;
}

export class Intercept {
  #aggressive = false;
  /** The other shards of the router. Undefined: there are none. */
  #siblings: Siblings | undefined;
  /** Connections whose handshake is not complete, in the order in which they began. */
  readonly incomplete = new SessionList(FLAG.incomplete, INTERCEPT.next, INTERCEPT.previous);
  /** Connection requests: in mode intercept those that have proved to come from where they say. */
  readonly requests = new MinuteCount();
  // Counters since the start: SYNs answered with a cookie, and acknowledgements that fitted one.
  answered = 0;
  proven = 0;

  /** The packet in hand was an acknowledgement that fits its cookie; it is the client's SYN now. */
  inHand = false;
  /** Its cookie, and what it said. */
  #cookie = 0;
  #src = 0;
  #srcPort = 0;
  #dst = 0;
  #dstPort = 0;
  #seq = 0;
  #mss = NO_MSS;
  #random = 1;
  readonly #cookies: SynCookies;

  /**
   * @param key    of the cookies, four words
   * @param victim a cursor of our own
   */
  constructor(
    public config: InterceptPolicy,
    key: Int32Array,
    private readonly outbox: Outbox,
    private readonly victim: Session,
    private readonly host: InterceptHost,
  ) {
    this.#cookies = new SynCookies(key);
  }

  /** There are other shards. Before the first connection. */
  join(siblings: Siblings): void {
    this.#siblings = siblings;
    this.requests.moveTo(siblings.ring(MARKS.intercept));
  }

  get aggressive(): boolean {
    return this.#siblings === undefined ? this.#aggressive : this.#siblings.isAggressive(MARKS.intercept);
  }

  /** Saves or loads the counts, but for the connections that are there. */
  sync(io: StateIo): void {
    this.#aggressive = io.flag(this.aggressive);
    this.requests.sync(io);
    this.answered = io.double(this.answered);
    this.proven = io.double(this.proven);
  }

  /**
   * Makes of a segment that acknowledges a cookie the SYN that this cookie had answered. Its data is lost: the client
   * repeats it. @returns false where it is none, with nothing changed
   */
  takeAcknowledgement(p: Packet, now: number): boolean {
    if ((p.flags & (SYN | ACK | RST)) !== ACK || p.moreFragments || p.fragmentOffset !== 0 || p.truncated) return false;
    const cookie = seqAdd(p.ack, -1);
    // A probe of the window that is shut has the number before the first one (Linux), or the first one.
    let seq = seqAdd(p.seq, -1);
    let mss = this.#cookies.check(p.src, p.srcPort, p.dst, p.dstPort, seq, cookie, now);
    if (mss === 0) {
      seq = p.seq;
      mss = this.#cookies.check(p.src, p.srcPort, p.dst, p.dstPort, seq, cookie, now);
      if (mss === 0) return false;
    }
    this.proven++;
    this.inHand = true;
    this.#cookie = cookie;
    this.#src = p.src;
    this.#srcPort = p.srcPort;
    this.#dst = p.dst;
    this.#dstPort = p.dstPort;
    this.#seq = seq;
    this.#mss = mss;
    becomeSegment(p, SYN, seq, 0, p.window, mss);
    return true;
  }

  /** The segment that `takeAcknowledgement` took does not go on: its client believes that it is connected. */
  refuse(): void {
    const { outbox } = this;
    this.inHand = false;
    outbox.inject(
      resetPacket(this.#dst, this.#dstPort, this.#src, this.#srcPort, seqAdd(this.#cookie, 1), seqAdd(this.#seq, 1)),
    );
  }

  /**
   * Takes a SYN that `ip tcp intercept` is for. In mode intercept it is answered, unless it is one that
   * `takeAcknowledgement` has made. In aggressive mode, an incomplete connection goes for one that begins.
   * @param dst the server as the client knows it
   * @returns PASS: it may open a session, for `begin`
   */
  admit(p: Packet, dst: number, dstPort: number, now: number): Verdict {
    if (!this.inHand && this.config.mode === 'intercept') return this.#answer(p, dst, dstPort, now);
    this.requests.add(now);
    this.review(now);
    if (this.aggressive) this.#makeRoom();
    return PASS;
  }

  /** An incomplete connection goes. `drop-mode random` takes one of the oldest of the shard that has the oldest. */
  #makeRoom(): void {
    const steps = this.#steps();
    const siblings = this.#siblings;
    const shard = siblings?.oldest(MARKS.intercept, this.oldestCreated);
    if (siblings === undefined || shard === undefined || shard === siblings.shard) this.resetOne(steps);
    else siblings.tell(shard, NOTICE.resetIncomplete, steps);
  }

  /** Resets the oldest incomplete connection, or one that is `steps` younger. */
  resetOne(steps: number): void {
    const { incomplete, victim } = this;
    if (!incomplete.oldest(victim)) return;
    for (let left = steps; left > 0 && incomplete.younger(victim); left--);
    this.#reset(this.victim);
    this.host.end(this.victim, 'intercept');
  }

  /** When the oldest incomplete connection began, ms; undefined where there is none. */
  get oldestCreated(): number | undefined {
    return this.incomplete.oldest(this.victim) ? this.victim.created : undefined;
  }

  /** The session `s` has begun with the SYN in hand. `synwaitMs`: how long it may take without us. */
  begin(s: Session, synwaitMs: number, now: number): void {
    this.incomplete.add(s);
    if (!this.inHand) {
      s.set(FLAG.watched);
      const watchMs = this.config.watchTimeout * 1000;
      this.host.restart(s, Math.min(this.aggressive ? watchMs / 2 : watchMs, synwaitMs), now);
      return;
    }
    this.inHand = false;
    s.set(FLAG.intercepted);
    s.words[s.at + INTERCEPT.splice] = this.#cookie;
    s.words[s.at + INTERCEPT.mss] = this.#mss;
    this.host.restart(s, this.aggressive ? RETRANSMISSION_MS / 2 : RETRANSMISSION_MS, now);
  }

  /**
   * The time of an incomplete connection is up. @param synwaitMs how long it may take from its beginning
   * @returns true where it gets more: the SYN was sent again
   */
  timedOut(s: Session, synwaitMs: number, now: number): boolean {
    const age = (now - s.created) | 0;
    if (s.has(FLAG.watched) || age >= synwaitMs) {
      this.#reset(s);
      return false;
    }
    this.host.toServer(s, SYN, tcp.isn(s, true), 0, tcp.rcvWnd(s, true), s.words[s.at + INTERCEPT.mss]!);
    this.host.restart(s, Math.min(2 * s.timeoutMs, synwaitMs - age), now);
    return true;
  }

  /**
   * The server's SYN ACK is in hand, and the client's SYN is acknowledged by it: the router acknowledges in the
   * client's place, and the client learns that the window is open now.
   */
  complete(s: Session, p: Packet): void {
    this.host.toServer(s, ACK, p.ack, seqAdd(p.seq, 1), tcp.rcvWnd(s, true), NO_MSS);
    becomeSegment(p, ACK, clientSeq(s, seqAdd(p.seq, 1)), p.ack, p.window);
  }

  /**
   * The server has answered the SYN with an ACK of another connection, which nobody has any more: a client in SYN-SENT
   * would reset it (RFC 9293 §3.10.7.3), ours thinks that it is past that. The SYN goes out again later.
   */
  endStranger(s: Session, p: Packet): void {
    this.host.toServer(s, RST, p.ack, 0, 0, NO_MSS);
  }

  /** Compares count and rate with the marks. */
  review(now: number): void {
    const { maxIncompleteHigh, maxIncompleteLow, oneMinuteHigh, oneMinuteLow } = this.config;
    const siblings = this.#siblings;
    const count = this.incomplete.count + (siblings?.elsewhere(COUNT.incomplete) ?? 0);
    const rate = this.requests.count(now) + (siblings?.rateElsewhere(MARKS.intercept, now) ?? 0);
    if (!this.aggressive && (count > maxIncompleteHigh || rate > oneMinuteHigh)) {
      if (siblings?.beAggressive(MARKS.intercept, true) === false) return;
      this.#aggressive = true;
      this.outbox.event({ type: 'intercept-on', count, limit: maxIncompleteHigh, rate });
    } else if (this.aggressive && count < maxIncompleteLow && rate < oneMinuteLow) {
      if (siblings?.calmDown(MARKS.intercept) === false) return;
      this.#aggressive = false;
      this.outbox.event({ type: 'intercept-off', count, limit: maxIncompleteLow, rate });
    }
  }

  #answer(p: Packet, dst: number, dstPort: number, now: number): Verdict {
    const fault = tcp.checkOpening(p);
    if (fault !== PASS) return fault;
    this.answered++;
    const cookie = this.#cookies.make(p.src, p.srcPort, dst, dstPort, p.seq, tcpMss(p.bytes, p.l4), now);
    const ack = seqAdd(p.seq, 1);
    // Window 0: the client waits with its data until the server is there.
    this.outbox.inject(ownSegment(dst, dstPort, p.src, p.srcPort, SYN | ACK, cookie, ack, 0, SERVER_MSS));
    return DROP.intercepted;
  }

  /** Resets whom the incomplete connection `s` waits for: the server that is watched; else the client, which is there. */
  #reset(s: Session): void {
    if (s.has(FLAG.watched)) this.host.toServer(s, RST, tcp.sndNxt(s, true), 0, 0, NO_MSS);
    else this.host.toClient(s, RST | ACK, clientSeq(s, 0), tcp.sndNxt(s, true));
  }

  #steps(): number {
    if (this.config.dropMode === 'oldest') return 0;
    // xorshift32 (G. Marsaglia, 2003). Nothing depends on it that somebody could want to foretell.
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x & (RANDOM_OF - 1);
  }
}
