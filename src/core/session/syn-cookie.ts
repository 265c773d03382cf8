/**
 * SYN cookies (RFC 4987 §3.6): the initial sequence number of a SYN ACK says all that is needed to go on when its
 * acknowledgement comes, so that nothing is kept until then.
 *
 *   cookie = H(tuple) + client's ISN + head << 24 + (H(H(tuple), ISN, head) mod 2^24)
 *   head   = slot of 64 s, modulo 32 << 3 | MSS index
 *
 * As in Linux it rises with the client's ISN. A cookie is good for its own four-tuple and ISN, in its slot and the next.
 */
import { SipHash } from '../memory/siphash.js';

const SLOT_MS = 64_000;
/** Slots in which a cookie is good: its own and the next. */
const GOOD_SLOTS = 2;
const SLOTS = 32;
const HEAD_SHIFT = 24;
const REST = (1 << HEAD_SHIFT) - 1;

/** What a client's MSS is rounded down to, three bits; the first for all below. Values that are common, as in FreeBSD. */
const MSS = [216, 536, 1200, 1360, 1400, 1440, 1452, 1460];

export class SynCookies {
  readonly #hash: SipHash;

  /** @param key four words that nobody else knows */
  constructor(key: Int32Array) {
    this.#hash = new SipHash(key);
  }

  /**
   * The cookie that answers a SYN.
   * @param seq the client's ISN; `mss`: what it announces, bytes; `now`: ms
   */
  make(src: number, srcPort: number, dst: number, dstPort: number, seq: number, mss: number, now: number): number {
    let index = MSS.length - 1;
    while (index > 0 && MSS[index]! > mss) index--;
    const head = (slotOf(now) << 3) | index;
    const tuple = this.#tuple(src, srcPort, dst, dstPort);
    return (tuple + seq + (head << HEAD_SHIFT) + this.#proof(seq, head)) | 0;
  }

  /**
   * The MSS that a cookie tells, or 0 where it is none for this four-tuple and ISN, or too old.
   * @param seq the client's ISN; `cookie`: what it acknowledges, less one
   */
  check(src: number, srcPort: number, dst: number, dstPort: number, seq: number, cookie: number, now: number): number {
    const rest = (cookie - this.#tuple(src, srcPort, dst, dstPort) - seq) | 0;
    const head = rest >>> HEAD_SHIFT;
    const age = (slotOf(now) - (head >>> 3)) & (SLOTS - 1);
    return age < GOOD_SLOTS && this.#proof(seq, head) === (rest & REST) ? MSS[head & 7]! : 0;
  }

  #tuple(src: number, srcPort: number, dst: number, dstPort: number): number {
    // No head is 256: a message of the other kind is never the same.
    this.#hash.hash(src, dst, (srcPort << 16) | dstPort, 256);
    return this.#hash.low;
  }

  /** Directly after `#tuple`, whose hash it goes on with. */
  #proof(seq: number, head: number): number {
    const { low, high } = this.#hash;
    this.#hash.hash(low, high, seq, head);
    return this.#hash.low & REST;
  }
}

const slotOf = (now: number): number => Math.floor(now / SLOT_MS) & (SLOTS - 1);
