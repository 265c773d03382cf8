/**
 * SYN cookies (RFC 4987 §3.6): the initial sequence number of a SYN ACK says all that is needed to go on when its
 * acknowledgement comes, so that nothing is kept until then. Layout as in Linux, but that the second hash knows the ISN
 * too, so that a neighbour of it with a neighbour of the MSS does not fit:
 *
 *   cookie = H(tuple) + client's ISN + (slot << 24) + ((H(H(tuple), ISN, slot) + MSS index) mod 2^24)
 *
 * A cookie is good for its own four-tuple and client's ISN, in its slot of 64 s and the next one.
 */
import { SipHash } from '../siphash.js';

const SLOT_MS = 64_000;
/** Slots in which a cookie is good: its own and the next. */
const GOOD_SLOTS = 2;
const SLOT_SHIFT = 24;
const LOW = (1 << SLOT_SHIFT) - 1;

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
    const slot = slotOf(now);
    const tuple = this.#tuple(src, srcPort, dst, dstPort);
    return (tuple + seq + (slot << SLOT_SHIFT) + ((this.#inSlot(seq, slot) + index) & LOW)) | 0;
  }

  /**
   * The MSS that a cookie tells, or 0 where it is none for this four-tuple and ISN, or too old.
   * @param seq the client's ISN; `cookie`: what it acknowledges, less one
   */
  check(src: number, srcPort: number, dst: number, dstPort: number, seq: number, cookie: number, now: number): number {
    const rest = (cookie - this.#tuple(src, srcPort, dst, dstPort) - seq) | 0;
    const slot = slotOf(now);
    const age = (slot - (rest >>> SLOT_SHIFT)) & 0xff;
    if (age >= GOOD_SLOTS) return 0;
    const index = (rest - this.#inSlot(seq, (slot - age) & 0xff)) & LOW;
    return index < MSS.length ? MSS[index]! : 0;
  }

  #tuple(src: number, srcPort: number, dst: number, dstPort: number): number {
    // No slot is 256: a message of the other kind is never the same.
    this.#hash.hash(src, dst, (srcPort << 16) | dstPort, 256);
    return this.#hash.low;
  }

  /** Directly after `#tuple`, whose hash it goes on with. */
  #inSlot(seq: number, slot: number): number {
    const { low, high } = this.#hash;
    this.#hash.hash(low, high, seq, slot);
    return this.#hash.low;
  }
}

const slotOf = (now: number): number => Math.floor(now / SLOT_MS) & 0xff;
