/**
 * The two byte streams of an inspected TCP session. Law: the receiver can only assemble the bytes that were inspected,
 * as the inspector left them, whatever the sender does with boundaries, order, overlaps, repetition and timing.
 *
 *   s < una          acknowledged: the receiver has these bytes and ignores what comes (RFC 9293 §3.10.7.4)
 *   una <= s < nxt   forwarded, kept: a retransmission is overwritten with them
 *   s = nxt          new, in order: inspected, kept, forwarded
 *   s > nxt          out of order: held until the gap closes, `ip inspect tcp reassembly` (12.4(11)T); its sender hears
 *                    what the receiver would say (duplicate-ack.ts)
 *
 * Under `monitor-only` every segment goes on at once and as it came: what would be held is copied and inspected later,
 * what would be dropped or rewritten is only counted. Where the stream can then no longer be followed, inspection ends.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { StreamAction, type StreamInspector } from '../inspect/inspector.js';
import { DROP, HOLD, PASS, type Verdict } from '../verdict.js';
import { put16 } from '../wire/bytes.js';
import { completeToPartial } from '../wire/checksum.js';
import type { Packet } from '../wire/packet.js';
import { ACK, FIN, RST, SYN, TCP_FLAGS, TCP_URGENT, URG } from '../wire/tcp.js';
import { Direction, DIRECTION_WORDS, isSoundDirection, NO_GAP, ringOf } from './direction.js';
import type { DuplicateAck } from './duplicate-ack.js';
import { OF_RECORD, RECORD_RING, RecordRing } from './forwarded-bytes.js';
import type { HeldSegment } from './held-segments.js';
import type { MemoryOwner } from './memory-shares.js';
import type { ReassemblyMemory } from './reassembly-memory.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

/** Where the late verdicts of held segments go. */
export interface SegmentOutlet {
  /**
   * The verdict of a held segment, decoded as `p`: PASS or a drop. Called within `admit`, `expire` and `close`, in
   * sequence order. `p` is the stream's: it may be changed (NAT), its bytes are gone after the call.
   */
  release(p: Packet, fromInitiator: boolean, v: Verdict): void;
  /**
   * The segment with sequence number `expectedSeq` has not come for `waitedMs`, five times the timeout, while later
   * ones kept coming; those held were dropped. IOS deletes the session (TCP_OoO_SEG); that is up to the caller.
   */
  gapPersists(fromInitiator: boolean, expectedSeq: number, waitedMs: number): void;
  /**
   * The sender is to hear that segments have come behind a gap: one duplicate acknowledgement for each. May be called
   * within `admit`, `noteSent`; who does it asks `fillDuplicateAck`.
   * @param count so many segments
   */
  answerGap(fromInitiator: boolean, count: number): void;
  /** Both ends use SACK: the sender has been told what we hold, and does not repeat it. */
  readonly selective: boolean;
}

/**
 * Stands for acknowledged bytes that come again: they are no longer known here and must not go on unseen, should the
 * acknowledgment have been forged. Lower case x, as IOS masks.
 */
const STALE = 0x78;

/**
 * IOS starts a retry timer of four timeouts after the first one; "even after 25 seconds" in TCP_OoO_SEG is both.
 * Unlike IOS we drop the queue at the first: its packets wait in the kernel's queue, and their sender repeats them.
 */
const TIMEOUTS_TO_GIVE_UP = 5;

/** Stands in for an inspector that has seen all. Never asked, since nothing comes behind a FIN. */
const NOTHING_LEFT: StreamInspector = {
  modified: false,
  fromInitiator: () => StreamAction.reset,
  fromResponder: () => StreamAction.reset,
};

/** Words of a stream's record, and of the ring that belongs to it. */
export const STREAM_WORDS = 2 * DIRECTION_WORDS;
export const RING_WORDS = RECORD_RING / 4;

/** Writes the record of a stream that nobody has opened at word `at`. */
export function newStream(m: FlatMemory, at: number): void {
  for (let i = at; i < at + STREAM_WORDS; i++) m.words[i] = 0;
}

/** Whether a stream that another process has saved at word `at` can be. `claim`: as in `isSoundDirection`. */
export function isSoundStream(w: Int32Array, at: number, claim: (block: number) => boolean): boolean {
  const other = at + DIRECTION_WORDS;
  if (ringOf(w, at) === OF_RECORD && ringOf(w, other) === OF_RECORD) return false;
  // Both are asked, so that what is theirs is known also where one of them cannot be.
  const sound = isSoundDirection(w, at, claim);
  return isSoundDirection(w, other, claim) && sound;
}

export class TcpStream {
  /** The inspector asked to reset the connection. Nothing passes any more. */
  resetRequested = false;
  /** Whose memory the stream uses. Written before the first byte of a session, and when another one is loaded. */
  readonly owner: MemoryOwner = { initiator: 0, responder: 0, side: 0 };
  #closed = false;
  /** Replaced once both sides have sent FIN: then all is inspected, and the session waits for seconds without need of it. */
  #inspector: StreamInspector;
  readonly #memory: ReassemblyMemory;
  readonly #outlet: SegmentOutlet;
  readonly #monitorOnly: boolean;
  readonly #ring = new RecordRing();
  readonly #initiator: Direction;
  readonly #responder: Direction;

  /**
   * @param memory shared by all streams of the router
   * @param monitorOnly nothing is altered, held, dropped or reset; the outlet is never called
   */
  constructor(inspector: StreamInspector, memory: ReassemblyMemory, outlet: SegmentOutlet, monitorOnly = false) {
    this.#inspector = inspector;
    this.#memory = memory;
    this.#outlet = outlet;
    this.#monitorOnly = monitorOnly;
    this.#initiator = new Direction(memory, this.#ring, this, true);
    this.#responder = new Direction(memory, this.#ring, this, false);
  }

  /** Both sides have sent FIN: nothing is inspected any more. */
  get finished(): boolean {
    return this.#initiator.finished && this.#responder.finished;
  }

  /** `save` can write all there is of the stream: nothing is held nor missed. */
  get atRest(): boolean {
    return this.#initiator.missingSince === NO_GAP && this.#responder.missingSince === NO_GAP;
  }

  /** Writes the stream, which is at rest, to STREAM_WORDS words from word `at`. */
  save(m: FlatMemory, at: number): void {
    this.#initiator.save(m, at);
    this.#responder.save(m, at + DIRECTION_WORDS);
  }

  /**
   * Goes on with the stream that was saved there, or begins the one that `newStream` wrote. It was at rest, or is closed.
   * @param ringAt word offset of its RING_WORDS
   * @param inspector a stream that was finished has let its own go
   */
  load(m: FlatMemory, at: number, ringAt: number, inspector = this.#inspector): void {
    this.resetRequested = false;
    this.#closed = false;
    if (this.#inspector !== inspector) this.#inspector = inspector;
    const ring = this.#ring;
    if (ring.bytes !== m.bytes) ring.bytes = m.bytes;
    ring.at = ringAt * 4;
    ring.free = true;
    this.#initiator.load(m, at);
    this.#responder.load(m, at + DIRECTION_WORDS);
  }

  /**
   * Starts a direction, when its SYN was accepted. Again with another number until the first segment was taken
   * (a new SYN of the same connection attempt); without effect later.
   * @param firstSeq sequence number of the first data byte, ISN + 1
   */
  open(fromInitiator: boolean, firstSeq: number): void {
    const d = fromInitiator ? this.#initiator : this.#responder;
    if (d.opened && (d.nxt !== d.una || d.held.length > 0 || d.finished)) return;
    d.opened = true;
    d.nxt = firstSeq;
    d.una = firstSeq;
  }

  /**
   * Takes a segment that lies in the window. On PASS, `p` carries the bytes to forward: never fewer, never others than
   * were inspected. Segments without data and FIN, and resets, pass as they are, but for URG.
   * @param now ms, monotonic
   * @returns PASS; HOLD: copied, its verdict comes through the outlet; or a drop. Held segments that this one makes
   *   ready are released within the call.
   */
  admit(p: Packet, fromInitiator: boolean, now: number): Verdict {
    if (this.#closed) return DROP.noSession;
    if (this.resetRequested) return DROP.inspection;
    const length = p.end - p.payload;
    if ((p.flags & (SYN | RST)) !== 0) return (p.flags & SYN) !== 0 && length > 0 ? DROP.synWithData : PASS;
    if (p.truncated) return this.#monitorOnly ? this.#giveUp() : DROP.truncated;
    // A first fragment where nothing reassembles: the rest of the segment would go on unseen.
    if (p.moreFragments) return this.#monitorOnly ? this.#giveUp() : DROP.fragment;
    // A receiver takes the urgent byte out of the stream; which one differs (RFC 6093). Without URG all is data.
    if ((p.flags & URG) !== 0) this.#clearUrgent(p);
    if (length === 0 && (p.flags & FIN) === 0) return PASS;

    const d = fromInitiator ? this.#initiator : this.#responder;
    if (!d.opened) return DROP.invalidSegment;
    const end = seqAdd(p.seq, length);
    if (seqDiff(p.seq, d.nxt) > 0 && !d.opaque && !d.finished) return this.#hold(d, p, end, now);
    const v = this.#take(d, p, end, now);
    if (v === PASS && d.held.length > 0) {
      if (!this.#monitorOnly) d.noteStamps(p);
      this.#releaseReady(d, now);
    }
    return v;
  }

  /**
   * The receiver of a direction has acknowledged all before `ack`. Bytes never forwarded are not forgotten by it.
   * @param fromInitiator the direction of the data: that of the acknowledging segment, reversed
   */
  acknowledge(fromInitiator: boolean, ack: number): void {
    const d = fromInitiator ? this.#initiator : this.#responder;
    if (!d.opened) return;
    // Above nxt: the FIN, which is no byte; or a lie.
    const una = seqDiff(ack, d.nxt) > 0 ? d.nxt : ack;
    if (seqDiff(una, d.una) <= 0) return;
    d.una = una;
    d.forwarded.forget(una);
  }

  /** Segment `p`, which `admit` let pass, goes on. What it acknowledges was told before. */
  noteSent(p: Packet, fromInitiator: boolean, now: number): void {
    if ((p.flags & (SYN | ACK | RST)) !== ACK) return;
    const own = fromInitiator ? this.#initiator : this.#responder;
    const d = fromInitiator ? this.#responder : this.#initiator;
    own.noteStamps(p);
    if (d.unanswered.count > 0) this.#answerGap(d, now);
  }

  /** Fills in what the stream knows about a duplicate acknowledgement of what one side sends: timestamps and blocks. */
  fillDuplicateAck(a: DuplicateAck, toInitiator: boolean, stamped: boolean, selective: boolean): void {
    const d = toInitiator ? this.#initiator : this.#responder;
    const receiver = toInitiator ? this.#responder : this.#initiator;
    a.stamped = stamped;
    if (stamped && receiver.stamped) {
      a.stamp = receiver.stamp;
      a.echo = receiver.echo;
    } else if (stamped) {
      // The receiver has said nothing since its SYN. What the sender echoes is from there.
      a.stamp = d.unanswered.echo;
      a.echo = d.stamp;
    }
    a.blockCount = selective ? d.unanswered.blocks(d.held, a.mostBlocks, a.blocks) : 0;
  }

  /** Drops what has been held for longer than the timeout. `ReassemblyMemory.expire` calls this where it is due. */
  expire(now: number): void {
    this.#expire(this.#initiator, now);
    this.#expire(this.#responder, now);
  }

  /** Gives up the last segment that `d` holds, which has one: its memory is for another session. */
  giveWay(d: Direction): void {
    if (this.#monitorOnly) {
      this.#giveUp();
      return;
    }
    this.#release(d, d.held.pop(), DROP.outOfOrder);
    this.#watchGap(d, false, 0);
  }

  /** Ends the stream, its session is over: all that is held is dropped and all memory goes back. */
  close(): void {
    this.#closed = true;
    this.#dropAllHeld(DROP.noSession);
    this.#initiator.forwarded.clear();
    this.#responder.forwarded.clear();
  }

  /** Takes a segment that starts at or before `nxt` (or anywhere, in an opaque direction). */
  #take(d: Direction, p: Packet, end: number, now: number): Verdict {
    const fin = (p.flags & FIN) !== 0;
    if (d.contradictsFin(end, fin)) {
      this.#memory.afterFin++;
      return this.#monitorOnly ? PASS : DROP.invalidSegment;
    }
    const known = this.#rewriteKnown(d, p);
    const fresh = seqDiff(end, d.nxt);
    if (fresh > 0) {
      if (!d.opaque) {
        const v = this.#inspect(d, p, p.payload + known, now);
        if (v !== PASS) return v;
      }
      d.nxt = end;
      d.missingSince = NO_GAP;
    }
    if (fin) {
      d.finished = true;
      if (this.finished) this.#inspector = NOTHING_LEFT;
    }
    return PASS;
  }

  /** Inspects the new bytes of `p`, from offset `at`, and keeps the outcome. */
  #inspect(d: Direction, p: Packet, at: number, now: number): Verdict {
    if (!d.forwarded.reserve(p.end - at)) {
      this.#memory.unacknowledgedFull++;
      return this.#monitorOnly ? this.#giveUp() : DROP.sessionLimit;
    }
    const inspector = this.#inspector;
    const action = d.fromInitiator
      ? inspector.fromInitiator(p.bytes, at, p.end, now)
      : inspector.fromResponder(p.bytes, at, p.end, now, Math.max(seqDiff(this.#initiator.nxt, p.ack), 0));
    if (action === StreamAction.reset) {
      if (this.#monitorOnly) return this.#giveUp();
      this.resetRequested = true;
      this.#dropAllHeld(DROP.inspection);
      return DROP.inspection;
    }
    if (action === StreamAction.refuse) {
      this.#memory.refused++;
      return DROP.inspection;
    }
    if (inspector.modified) markChanged(p);
    d.forwarded.append(p.bytes, at, d.nxt, p.end - at);
    if (action === StreamAction.opaque) d.opaque = true;
    return PASS;
  }

  /**
   * Overwrites the bytes of `p` that went on before with what they were then.
   * @returns how many bytes of the payload that is
   */
  #rewriteKnown(d: Direction, p: Packet): number {
    const length = p.end - p.payload;
    const stale = Math.min(Math.max(seqDiff(d.una, p.seq), 0), length);
    const monitorOnly = this.#monitorOnly;
    let known = stale;
    let changed = false;
    if (!monitorOnly) {
      for (let i = p.payload; i < p.payload + stale; i++) {
        changed ||= p.bytes[i] !== STALE;
        p.bytes[i] = STALE;
      }
    }
    if (stale < length && d.forwarded.length > 0) {
      const seq = seqAdd(p.seq, stale);
      const skip = seqDiff(seq, d.forwarded.start);
      const kept = Math.min(d.forwarded.length - skip, length - stale);
      if (kept > 0) {
        if (monitorOnly) {
          if (d.forwarded.differ(p.bytes, p.payload + stale, seq, kept)) this.#memory.conflicting++;
        } else if (d.forwarded.restore(p.bytes, p.payload + stale, seq, kept)) {
          changed = true;
          this.#memory.conflicting++;
        }
        known += kept;
      }
    }
    if (known > 0) this.#memory.retransmitted++;
    if (changed) markChanged(p);
    return known;
  }

  /** Takes a segment that came behind a gap, and has its sender hear of that. */
  #hold(d: Direction, p: Packet, end: number, now: number): Verdict {
    const v = this.#keep(d, p, end, now);
    if (this.#monitorOnly) return v;
    d.unanswered.add(p, end, now);
    this.#answerGap(d, now);
    return v;
  }

  #answerGap(d: Direction, now: number): void {
    const { unanswered } = d;
    if (!unanswered.due(seqDiff(d.nxt, d.una), now)) return;
    const { count } = unanswered;
    unanswered.count = 0;
    this.#outlet.answerGap(d.fromInitiator, count);
  }

  #keep(d: Direction, p: Packet, end: number, now: number): Verdict {
    const memory = this.#memory;
    const monitorOnly = this.#monitorOnly;
    if (d.held.covers(p.seq, end, (p.flags & FIN) !== 0)) {
      memory.duplicateHeld++;
      return monitorOnly ? PASS : DROP.outOfOrder;
    }
    if (d.held.length >= memory.limits.queueLength) {
      memory.queueFull++;
      // Its sender would repeat what we drop, but not what we pass: only memory limits these copies.
      if (!monitorOnly) return DROP.outOfOrder;
    }
    let s = memory.hold(p, p.seq, end, this.owner);
    if (s === undefined && monitorOnly) {
      memory.memoryFull++;
      return this.#giveUp();
    }
    while (s === undefined) {
      // At the memory limit IOS gives up segments from the end of the queue. Not where we have said that we have them.
      const last = this.#outlet.selective ? undefined : d.held.popAfter(p.seq);
      if (last === undefined) {
        memory.memoryFull++;
        this.#watchGap(d, false, now);
        return DROP.outOfOrder;
      }
      memory.evicted++;
      this.#release(d, last, DROP.outOfOrder);
      s = memory.hold(p, p.seq, end, this.owner);
    }
    d.held.insert(s);
    if (d.missingSince === NO_GAP) d.missingSince = now;
    this.#watchGap(d, false, now);
    return monitorOnly ? PASS : HOLD;
  }

  /** Under `monitor-only`: bytes went on that were not seen, or not in order. What follows would be misread. */
  #giveUp(): Verdict {
    this.#initiator.opaque = true;
    this.#responder.opaque = true;
    this.#dropAllHeld(PASS);
    return PASS;
  }

  /** Takes and releases the held segments whose turn has come, or for which FIN leaves no place. */
  #releaseReady(d: Direction, now: number): void {
    const nxt = d.nxt;
    for (let s = d.held.first; s !== undefined; s = d.held.first) {
      if (seqDiff(s.seq, d.nxt) > 0 && !d.opaque && !d.finished) break;
      d.held.shift();
      const v = this.#take(d, s.packet, s.end, now);
      if (v === PASS && !this.#monitorOnly) d.renewStamp(s.packet);
      this.#memory.released++;
      this.#release(d, s, v);
    }
    if (d.held.length > 0 && d.missingSince === NO_GAP) d.missingSince = now;
    if (d.held.length === 0) d.unanswered.count = 0;
    this.#watchGap(d, d.nxt !== nxt, now);
  }

  #release(d: Direction, s: HeldSegment, v: Verdict): void {
    if (!this.#monitorOnly) this.#outlet.release(s.packet, d.fromInitiator, v);
    this.#memory.discard(s, this.owner);
  }

  /** Keeps `d` in the list of open gaps while it holds segments. The wait starts anew for another missing segment. */
  #watchGap(d: Direction, progress: boolean, now: number): void {
    const memory = this.#memory;
    if (d.watched && (progress || d.held.length === 0)) {
      memory.closeGap(d);
      d.watched = false;
    }
    if (!d.watched && d.held.length > 0) {
      memory.openGap(d, now);
      d.watched = true;
    }
  }

  #expire(d: Direction, now: number): void {
    const memory = this.#memory;
    const timeoutMs = memory.limits.timeoutMs;
    if (!d.watched || now - d.waitingSince < timeoutMs) return;
    memory.timedOut += d.held.length;
    this.#dropHeld(d, DROP.outOfOrder);
    if (this.#monitorOnly) {
      this.#giveUp();
      return;
    }
    const waitedMs = now - d.missingSince;
    if (waitedMs >= TIMEOUTS_TO_GIVE_UP * timeoutMs) this.#outlet.gapPersists(d.fromInitiator, d.nxt, waitedMs);
  }

  #dropAllHeld(v: Verdict): void {
    this.#memory.abandoned += this.#initiator.held.length + this.#responder.held.length;
    this.#dropHeld(this.#initiator, v);
    this.#dropHeld(this.#responder, v);
  }

  #dropHeld(d: Direction, v: Verdict): void {
    while (d.held.length > 0) this.#release(d, d.held.shift(), v);
    this.#watchGap(d, false, 0);
  }

  #clearUrgent(p: Packet): void {
    this.#memory.urgentCleared++;
    if (this.#monitorOnly) return;
    p.flags &= ~URG;
    p.bytes[p.l4 + TCP_FLAGS]! &= ~URG;
    put16(p.bytes, p.l4 + TCP_URGENT, 0);
    markChanged(p);
  }
}

/** The transport checksum no longer holds: the edge sums the segment when it goes out. */
function markChanged(p: Packet): void {
  completeToPartial(p);
  p.modified = true;
}
