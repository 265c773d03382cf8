/**
 * The identification (RFC 791 §3.2) of what may be cut up behind us. Whoever does so, our kernel or another router, gives its number to all pieces, and the receiver joins pieces of one number: were it the
 * sender's, he could have [first of 1 | second of 2] put together behind us, which nobody has inspected. So it is ours.
 *
 * Each pair of source and destination counts on by itself, as far as 4,096 counters go: a receiver sees a number again
 * after 65,536 packets, and no packet tells how many go elsewhere (idle scan).
 */
import { mix } from '../memory/hash.js';
import { put16, u16 } from '../wire/bytes.js';
import { adjustChecksum } from '../wire/checksum.js';
import { dontFragment, IPPROTO_AH, IPV4_CHECKSUM, IPV4_IDENTIFICATION } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

const COUNTERS = 4096; // a power of two
/**
 * Numbers of a super-packet: the kernel cuts it into segments and counts up from ours. On a path for 576 bytes (RFC
 * 791's least) only segments of more than 536 bytes are cut again, and 64 KB have 123 of those.
 */
const OF_SUPER_PACKET = 128;

/** Every link carries so much in one piece (RFC 791 §3.2), bytes. */
const NEVER_CUT = 68;

/** True for a packet that another router may cut up. Not for an acknowledgement, a SYN, a probe of traceroute. */
export const mayBeCut = (p: Packet): boolean => p.end - p.at > NEVER_CUT && !dontFragment(p.bytes, p.at);

export class Identifications {
  readonly #next = new Uint16Array(COUNTERS);

  /** The numbers that are given: those that begin with the bits of the shard. */
  readonly #mask: number;
  readonly #first: number;

  /**
   * @param seed  of the hash; not that of a table: what is sent may tell about it
   * @param shard,shards each has numbers of its own: an error may come to a host by another shard than what else its
   *   sender sends
   */
  constructor(
    private readonly seed: number,
    shard = 0,
    shards = 1,
  ) {
    const bits = 32 - Math.clz32(shards - 1);
    this.#mask = 0xffff >> bits;
    this.#first = shard << (16 - bits);
  }

  /**
   * Gives `p`, on its way out with its final addresses, an identification. Not to AH, whose sum is over it (RFC 4302
   * §3.3.3.1): its pieces join no other protocol's, and its receiver knows it from a forgery.
   */
  give(p: Packet): void {
    if (p.protocol === IPPROTO_AH) return;
    const hash = mix(mix(p.src ^ this.seed, p.dst), this.seed);
    const counter = hash & (COUNTERS - 1);
    const mask = this.#mask;
    let number = (this.#next[counter]! + (hash >>> 16)) & mask;
    if (p.gso && mask !== 0xffff && number + OF_SUPER_PACKET > mask) {
      // The kernel would count up into the numbers of the next shard.
      this.#next[counter]! += mask + 1 - number;
      number = 0;
    }
    const id = this.#first | number;
    this.#next[counter]! += p.gso ? OF_SUPER_PACKET : 1;
    const b = p.bytes;
    const sumAt = p.at + IPV4_CHECKSUM;
    const idAt = p.at + IPV4_IDENTIFICATION;
    put16(b, sumAt, adjustChecksum(u16(b, sumAt), u16(b, idAt), id));
    put16(b, idAt, id);
    p.modified = true;
  }
}
