/**
 * One timer wheel for all records of a table (sessions, translations). A packet only notes when it was heard; a record
 * whose turn comes up too early is filed again for the rest of its time. So a packet costs no list operation.
 */

/** A cursor over flat records of which each has a timeout. */
export interface TimedRecord {
  /** Offset of the record in the table, in words. */
  at: number;
  /** Number of the record. */
  readonly slot: number;
  wheelNext: number;
  wheelPrevious: number;
  /** -1: not in the wheel. */
  wheelSlot: number;
  /** Start of the running timeout, ms of the engine's clock, int32. */
  since: number;
  timeoutMs: number;
}

/** ms per slot: the precision of a timeout. IOS timeouts are whole seconds. */
const TICK_MS = 125;
/** Slots: a round of 68 minutes, longer than the default tcp idle-time; longer timeouts go round again. */
const SLOTS = 32768;
/** Words of the heads. */
export const WHEEL_WORDS = SLOTS;
const DAY_TICKS = 86_400_000 / TICK_MS;
const NONE = -1;

export class TimerWheel<R extends TimedRecord> {
  readonly #heads: Int32Array;
  readonly #cursor: R;
  readonly #link: R;
  /** Tick up to which everything has been looked at. */
  #done: number;

  /**
   * An empty wheel: who adopts a table files its records again.
   * @param words of the table
   * @param headsAt offset of WHEEL_WORDS of them
   * @param recordWords length of a record
   * @param cursor, link two cursors over the table's memory that nobody else moves meanwhile
   */
  constructor(
    words: Int32Array,
    headsAt: number,
    private readonly recordWords: number,
    cursor: R,
    link: R,
    now: number,
  ) {
    this.#heads = words.subarray(headsAt, headsAt + WHEEL_WORDS).fill(NONE);
    this.#cursor = cursor;
    this.#link = link;
    this.#done = Math.floor(now / TICK_MS);
  }

  /** Files `s` (not in the wheel) for the end of its timeout. */
  schedule(s: R, now: number): void {
    const leftMs = s.timeoutMs - ((now - s.since) | 0);
    const tick = Math.max(Math.floor(now / TICK_MS), this.#done) + Math.max(Math.ceil(leftMs / TICK_MS), 1);
    // Within a round of what has been looked at: beyond it, `expire` behind its time would meet the record again and again.
    const slot = Math.min(tick, this.#done + SLOTS - 1) % SLOTS;
    const head = this.#heads[slot]!;
    s.wheelSlot = slot;
    s.wheelNext = head;
    s.wheelPrevious = NONE;
    if (head !== NONE) {
      this.#link.at = head * this.recordWords;
      this.#link.wheelPrevious = s.slot;
    }
    this.#heads[slot] = s.slot;
  }

  /** Takes `s` out of the wheel. */
  cancel(s: R): void {
    const slot = s.wheelSlot;
    if (slot === NONE) return;
    const next = s.wheelNext;
    const previous = s.wheelPrevious;
    const link = this.#link;
    if (previous === NONE) this.#heads[slot] = next;
    else {
      link.at = previous * this.recordWords;
      link.wheelNext = next;
    }
    if (next !== NONE) {
      link.at = next * this.recordWords;
      link.wheelPrevious = previous;
    }
    s.wheelSlot = NONE;
  }

  /** Gives `s` a new timeout that starts at `now`. */
  restart(s: R, timeoutMs: number, now: number): void {
    this.cancel(s);
    s.timeoutMs = timeoutMs;
    s.since = now;
    this.schedule(s, now);
  }

  /**
   * Ends records whose time is up: calls `end` with each, already out of the wheel.
   * @param budget most records looked at in this call; the rest waits for the next one
   */
  expire(now: number, budget: number, end: (s: R) => void): void {
    const target = Math.floor(now / TICK_MS);
    let left = budget;
    while (this.#done < target && left >= 0) {
      // A day at a time: over a longer jump of the clock the int32 times of records would say nothing.
      const until = Math.min(target, this.#done + DAY_TICKS);
      left = this.#expireUntil(until, until === target ? now : until * TICK_MS, left, end);
    }
  }

  /** `expire` as of tick `until`, where the clock is `now`. @returns what is left of the budget; -1: it was too small */
  #expireUntil(until: number, now: number, budget: number, end: (s: R) => void): number {
    const s = this.#cursor;
    let left = budget;
    // One round sees every record.
    this.#done = Math.max(this.#done, until - SLOTS);
    while (this.#done < until) {
      const slot = (this.#done + 1) % SLOTS;
      let next = this.#heads[slot]!;
      while (next !== NONE) {
        if (left-- === 0) return -1;
        s.at = next * this.recordWords;
        this.cancel(s);
        if (s.timeoutMs - ((now - s.since) | 0) > 0) this.schedule(s, now);
        else end(s);
        next = this.#heads[slot]!;
      }
      this.#done++;
    }
    return left;
  }
}
