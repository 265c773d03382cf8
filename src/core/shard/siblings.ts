/**
 * What the shards of one router know of each other, in memory that all of them have mapped. Each has a section, which it
 * alone writes: how many sessions it has, when its oldest half-open one began, how many began in each of the last sixty
 * seconds. Who wants to know of all adds up. So nothing is locked, nobody waits, and what a shard that has died wrote
 * there is still true of its sessions, which do not die with it.
 *
 * What one shard wants done by another it writes into its own list of notices, which the others read behind each batch of
 * packets. Only a few words in front of all sections have several writers: whether the router is aggressive, and when it
 * last said that something is unreachable. They are exchanged at once (Atomics).
 *
 * Where there is one shard none of this is there.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { mix } from '../memory/hash.js';
import { SECONDS } from '../session/minute-count.js';
import { MOST_SHARDS } from './steering.js';

/** What is counted in each shard, and matters only in all. */
export const COUNT = {
  sessions: 0,
  uninspected: 1,
  /** Translations that `max-entries` limits. */
  translations: 2,
  opening: 3,
  open: 4,
  closing: 5,
  /** As `ip inspect max-incomplete` counts them. */
  halfOpen: 6,
  /** As `ip tcp intercept max-incomplete` does. */
  incomplete: 7,
} as const;
export type Count = (typeof COUNT)[keyof typeof COUNT];

/** Two sets of marks: `ip inspect`, `ip tcp intercept`. */
export const MARKS = { inspect: 0, intercept: 1 } as const;
export type Marks = (typeof MARKS)[keyof typeof MARKS];

/** What a shard tells another one, or all. */
export const NOTICE = {
  /** Reset your oldest half-open session. `detail`: for which cause. */
  resetOldest: 1,
  /** Reset your oldest half-open session to host `address`. */
  resetOldestTo: 2,
  /** Reset all your half-open sessions to host `address`, and let nobody open one until `until`. */
  block: 3,
  /** Reset an incomplete connection of `ip tcp intercept`. `detail`: how many to leave out. */
  resetIncomplete: 4,
  /** Count a session that was reset. `detail`: for which cause, and whether alerts are wanted. */
  noteReset: 5,
} as const;

export interface Notice {
  kind: number;
  detail: number;
  address: number;
  /** ms of the engine's clock, int32. */
  until: number;
}

// Words in front of all sections.
const MODE = 0; // one for each set of marks
const LAST_SAID = 4;
const HEADER = 16;

// Words of a section.
const COUNTS = 0;
const OLDEST = 8; // of each set of marks: is there one, when it began
const WRITTEN = 12; // notices so far
const READ = 16; // of each other shard's notices, how many
const RINGS = 32;
const RING = 64; // a second and sixty counts, as MinuteCount has them
const NOTICES = RINGS + 2 * RING;
const NOTICE_WORDS = 4;
/** Notices that wait, most: a reader that has lost more goes on behind them. */
const MOST_NOTICES = 1024;
const HOSTS = NOTICES + NOTICE_WORDS * MOST_NOTICES;
/** By host: address, half-open sessions, when the oldest began, alerted. A host that finds no place is counted by each shard alone. */
const HOST_WORDS = 4;
const WAYS = 4;
const BUCKETS = 2048;
const SECTION = HOSTS + BUCKETS * WAYS * HOST_WORDS;
const ALL = -1;

/** Words that the siblings' memory has. */
export const siblingsWords = (shards: number): number => HEADER + shards * SECTION;

/** Text that tells one layout from another. */
export const SIBLINGS_LAYOUT = JSON.stringify([HEADER, SECTION, NOTICES, HOSTS, MOST_NOTICES, COUNT, NOTICE]);

/** Whether a session that a notice of this kind asks to be reset is counted under `count`. */
function isOf(kind: number, count: Count): boolean {
  if (kind === NOTICE.resetIncomplete) return count === COUNT.incomplete || count === COUNT.sessions;
  return count === COUNT.halfOpen || count === COUNT.opening || count === COUNT.sessions;
}

const AGGRESSIVE = 1;
const TOLD = 2;

export class Siblings {
  readonly #words: Int32Array;
  readonly #own: number;
  /** Sections of the others. */
  readonly #others: readonly number[];
  /** Resets that others have not done yet: where, which of our notices, and what it says. */
  #asked: { section: number; number: number; kind: number }[] = [];
  /** Notices that were overwritten before they were read. */
  missed = 0;

  /**
   * @param shard of `shards`, from 0
   * @param memory siblingsWords(shards) words; what this shard had written there is forgotten
   */
  constructor(
    readonly shard: number,
    readonly shards: number,
    memory: FlatMemory,
  ) {
    if (shards > MOST_SHARDS) throw new Error(`${shards} shards`);
    this.#words = memory.words;
    this.#own = this.#at(shard);
    this.#others = Array.from({ length: shards }, (_, i) => this.#at(i)).filter((at) => at !== this.#own);
    this.#begin();
  }

  /** Its counts begin anew; what it has told the others stays told. What they told it before is no longer asked. */
  #begin(): void {
    const w = this.#words;
    const written = w[this.#own + WRITTEN]!;
    w.fill(0, this.#own, this.#own + NOTICES);
    w.fill(0, this.#own + HOSTS, this.#own + SECTION);
    w[this.#own + WRITTEN] = written;
    for (const at of this.#others) w[this.#own + READ + this.#shardAt(at)] = w[at + WRITTEN]!;
  }

  #at(shard: number): number {
    return HEADER + shard * SECTION;
  }

  #shardAt(section: number): number {
    return (section - HEADER) / SECTION;
  }

  /** Says how many of something there are here. */
  publish(count: Count, n: number): void {
    this.#words[this.#own + COUNTS + count] = n;
  }

  /** How many of something all others have, without those that we have asked them to reset. */
  elsewhere(count: Count): number {
    let sum = 0;
    for (const at of this.#others) sum += this.#words[at + COUNTS + count]!;
    return this.#asked.length === 0 ? sum : Math.max(0, sum - this.#outstanding(count));
  }

  #outstanding(count: Count): number {
    const readAt = READ + this.shard;
    this.#asked = this.#asked.filter(({ section, number }) => ((this.#words[section + readAt]! - number) | 0) <= 0);
    return this.#asked.reduce((n, { kind }) => n + (isOf(kind, count) ? 1 : 0), 0);
  }

  /** Memory for a MinuteCount of this shard, which the others read. */
  ring(marks: Marks): Int32Array {
    const at = this.#own + RINGS + marks * RING;
    return this.#words.subarray(at, at + RING);
  }

  /** What the others have counted in the sixty seconds before `now`, ms. */
  rateElsewhere(marks: Marks, now: number): number {
    const w = this.#words;
    const second = Math.floor(now / 1000);
    let sum = 0;
    for (const section of this.#others) {
      const at = section + RINGS + marks * RING;
      // The second that it counted last; the sixty up to there are in its words.
      const last = w[at]!;
      for (let s = Math.min(last, second); s > Math.max(last, second) - SECONDS && s >= 0; s--)
        sum += w[at + 1 + (s % SECONDS)]!;
    }
    return sum;
  }

  /** Says when the oldest one of this shard began, ms; undefined: there is none. */
  publishOldest(marks: Marks, created: number | undefined): void {
    const at = this.#own + OLDEST + 2 * marks;
    this.#words[at] = created === undefined ? 0 : 1;
    this.#words[at + 1] = created ?? 0;
  }

  /**
   * The shard that has the oldest one of all.
   * @param own when our oldest began, undefined where there is none
   * @returns our own number where that is it, or nobody has one
   */
  oldest(marks: Marks, own: number | undefined): number {
    let best = own;
    let shard = this.shard;
    for (const section of this.#others) {
      const at = section + OLDEST + 2 * marks;
      if (this.#words[at] === 0) continue;
      const created = this.#words[at + 1]!;
      if (best !== undefined && ((created - best) | 0) >= 0) continue;
      best = created;
      shard = this.#shardAt(section);
    }
    return shard;
  }

  /** The router is aggressive, for one of the sets of marks. */
  isAggressive(marks: Marks): boolean {
    return this.#words[MODE + marks] !== 0;
  }

  /** It becomes so. @param told somebody was told @returns false where another shard was quicker */
  beAggressive(marks: Marks, told: boolean): boolean {
    const mode = AGGRESSIVE | (told ? TOLD : 0);
    return Atomics.compareExchange(this.#words, MODE + marks, 0, mode) === 0;
  }

  /** It is so no longer. @returns whether that is to be told: the beginning was, and no other shard was quicker */
  calmDown(marks: Marks): boolean {
    return (Atomics.exchange(this.#words, MODE + marks, 0) & TOLD) !== 0;
  }

  /**
   * Whether this is the first shard to say something in `intervalMs`.
   * @param now ms
   */
  maySay(intervalMs: number, now: number): boolean {
    const w = this.#words;
    const last = w[LAST_SAID]!;
    if (last !== 0 && ((now - last) | 0) < intervalMs && ((now - last) | 0) >= 0) return false;
    return Atomics.compareExchange(w, LAST_SAID, last, now | 0 || 1) === last;
  }

  /** Tells a shard, or all others. What is told is plain numbers. */
  tell(to: number | 'all', kind: number, detail: number, address = 0, until = 0): void {
    const w = this.#words;
    const written = w[this.#own + WRITTEN]!;
    if (to !== 'all' && kind !== NOTICE.noteReset && this.#asked.length < MOST_NOTICES)
      this.#asked.push({ section: this.#at(to), number: written, kind });
    const at = this.#own + NOTICES + (written & (MOST_NOTICES - 1)) * NOTICE_WORDS;
    w[at] = ((to === 'all' ? ALL : to) & 0xff) | (kind << 8);
    w[at + 1] = detail;
    w[at + 2] = address;
    w[at + 3] = until | 0;
    // Last: then it is whole.
    Atomics.store(w, this.#own + WRITTEN, (written + 1) | 0);
  }

  /** Whether somebody has told something since the last `hear`. */
  get hasNews(): boolean {
    const w = this.#words;
    for (const at of this.#others) if (w[at + WRITTEN] !== w[this.#own + READ + this.#shardAt(at)]) return true;
    return false;
  }

  /** Hands over what others have told us. */
  hear(take: (notice: Notice) => void): void {
    const w = this.#words;
    for (const section of this.#others) {
      const readAt = this.#own + READ + this.#shardAt(section);
      const written = Atomics.load(w, section + WRITTEN);
      let read = w[readAt]!;
      const behind = (written - read) | 0;
      if (behind < 0 || behind > MOST_NOTICES) {
        this.missed += Math.max(0, behind);
        read = written;
      }
      for (; read !== written; read = (read + 1) | 0) {
        const at = section + NOTICES + (read & (MOST_NOTICES - 1)) * NOTICE_WORDS;
        const head = w[at]!;
        w[readAt] = (read + 1) | 0;
        const to = head & 0xff;
        if (to !== (ALL & 0xff) && to !== this.shard) continue;
        take({ kind: head >> 8, detail: w[at + 1]!, address: w[at + 2]!, until: w[at + 3]! });
      }
      w[readAt] = written;
    }
  }

  /** Host `address` has so many half-open TCP sessions here, of which the oldest began at `oldest`, ms. */
  publishHost(address: number, halfOpen: number, oldest: number): void {
    const w = this.#words;
    let at = this.#find(this.#own, address);
    if (at < 0) {
      if (halfOpen === 0) return;
      at = this.#place(address);
      if (at < 0) return;
      w[at + 3] = 0;
      w[at] = address;
    }
    w[at + 1] = halfOpen;
    w[at + 2] = oldest;
  }

  /** The half-open TCP sessions that a host has in all other shards. */
  hostElsewhere(address: number): number {
    let sum = 0;
    for (const section of this.#others) {
      const at = this.#find(section, address);
      if (at >= 0) sum += this.#words[at + 1]!;
    }
    return sum;
  }

  /** The shard that has the oldest half-open session to a host. @param own as for `oldest` */
  oldestTo(address: number, own: number | undefined): number {
    const w = this.#words;
    let best = own;
    let shard = this.shard;
    for (const section of this.#others) {
      const at = this.#find(section, address);
      if (at < 0 || w[at + 1] === 0) continue;
      const created = w[at + 2]!;
      if (best !== undefined && ((created - best) | 0) >= 0) continue;
      best = created;
      shard = this.#shardAt(section);
    }
    return shard;
  }

  /** Somebody was alerted about the host, and it has not been below the limit since. */
  isAlerted(address: number): boolean {
    for (let shard = 0; shard < this.shards; shard++) {
      const at = this.#find(this.#at(shard), address);
      if (at >= 0 && this.#words[at + 3] !== 0) return true;
    }
    return false;
  }

  /** In whichever section it is: the only word of one that others write, too. */
  setAlerted(address: number, alerted: boolean): void {
    for (let shard = 0; shard < this.shards; shard++) {
      const at = this.#find(this.#at(shard), address);
      if (at >= 0) this.#words[at + 3] = alerted ? 1 : 0;
    }
  }

  #bucket(section: number, address: number): number {
    return section + HOSTS + (mix(address, 0) & (BUCKETS - 1)) * WAYS * HOST_WORDS;
  }

  /** A host's place in a section; -1: it has none. */
  #find(section: number, address: number): number {
    const w = this.#words;
    const bucket = this.#bucket(section, address);
    for (let at = bucket; at < bucket + WAYS * HOST_WORDS; at += HOST_WORDS)
      if (w[at] === address && (w[at + 1] !== 0 || w[at + 3] !== 0)) return at;
    return -1;
  }

  /** A free place for a host in our section; -1: there is none. */
  #place(address: number): number {
    const w = this.#words;
    const bucket = this.#bucket(this.#own, address);
    for (let at = bucket; at < bucket + WAYS * HOST_WORDS; at += HOST_WORDS)
      if (w[at + 1] === 0 && w[at + 3] === 0) return at;
    return -1;
  }
}
