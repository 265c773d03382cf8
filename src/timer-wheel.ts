/**
 * One timer wheel for all sessions (synwait, finwait, idle). A packet only notes when it was heard; a session whose
 * turn comes up too early is filed again for the rest of its time. So a packet costs no list operation.
 */
import { Session, SESSION_WORDS } from './session.js';

/** ms per slot: the precision of a timeout. IOS timeouts are whole seconds. */
const TICK_MS = 125;
/** Slots: a round of 68 minutes, longer than the default tcp idle-time; longer timeouts go round again. */
const SLOTS = 32768;
const NONE = -1;

export class TimerWheel {
  readonly #heads = new Int32Array(SLOTS).fill(NONE);
  readonly #cursor: Session;
  readonly #link: Session;
  /** Tick up to which everything has been looked at. */
  #done: number;

  /** `cursor` and `link`: two cursors over the table's memory that nobody else moves meanwhile. */
  constructor(cursor: Session, link: Session, now: number) {
    this.#cursor = cursor;
    this.#link = link;
    this.#done = Math.floor(now / TICK_MS);
  }

  /** Files `s` (not in the wheel) for the end of its timeout. */
  schedule(s: Session, now: number): void {
    const leftMs = s.timeoutMs - ((now - s.since) | 0);
    const ticks = Math.min(Math.max(Math.ceil(leftMs / TICK_MS), 1), SLOTS - 1);
    const slot = (Math.max(Math.floor(now / TICK_MS), this.#done) + ticks) % SLOTS;
    const head = this.#heads[slot]!;
    s.wheelSlot = slot;
    s.wheelNext = head;
    s.wheelPrevious = NONE;
    if (head !== NONE) {
      this.#link.at = head * SESSION_WORDS;
      this.#link.wheelPrevious = s.slot;
    }
    this.#heads[slot] = s.slot;
  }

  /** Takes `s` out of the wheel. */
  cancel(s: Session): void {
    const slot = s.wheelSlot;
    if (slot === NONE) return;
    const next = s.wheelNext;
    const previous = s.wheelPrevious;
    const link = this.#link;
    if (previous === NONE) this.#heads[slot] = next;
    else {
      link.at = previous * SESSION_WORDS;
      link.wheelNext = next;
    }
    if (next !== NONE) {
      link.at = next * SESSION_WORDS;
      link.wheelPrevious = previous;
    }
    s.wheelSlot = NONE;
  }

  /** Gives `s` a new timeout that starts at `now`. */
  restart(s: Session, timeoutMs: number, now: number): void {
    this.cancel(s);
    s.timeoutMs = timeoutMs;
    s.since = now;
    this.schedule(s, now);
  }

  /**
   * Ends sessions whose time is up: calls `end` with each, already out of the wheel.
   * @param budget most sessions looked at in this call; the rest waits for the next one
   */
  expire(now: number, budget: number, end: (s: Session) => void): void {
    const target = Math.floor(now / TICK_MS);
    const s = this.#cursor;
    let left = budget;
    while (this.#done < target) {
      const slot = (this.#done + 1) % SLOTS;
      let next = this.#heads[slot]!;
      while (next !== NONE) {
        if (left-- === 0) return;
        s.at = next * SESSION_WORDS;
        this.cancel(s);
        if (s.timeoutMs - ((now - s.since) | 0) > 0) this.schedule(s, now);
        else end(s);
        next = this.#heads[slot]!;
      }
      this.#done++;
    }
  }
}
