/**
 * What the router says of a packet that it would forward and that our own kernel would drop on the way out: its TTL is
 * spent, or it is longer than the link takes and must not be cut up. The engine decides on it in front of the sessions,
 * so that a packet which the next hop never gets moves no state, and answers in the kernel's place.
 */
import { FRAGMENTATION_NEEDED, TIME_EXCEEDED, UNREACHABLE } from './wire/icmp.js';
import { deservesError, icmpError } from './wire/icmp-error.js';
import type { Packet } from './wire/packet.js';

/** IOS does not limit these two. Linux has 1000 a second of all errors; a traceroute at its hastiest sends 16 at once. */
const BURST = 50;
const MS_FOR_ONE = 10;
const IN_TRANSIT = 0;

export class UndeliveredReplies {
  /** Answers that may go now. */
  #left = BURST;
  #since = 0;

  /** Time exceeded in transit. @param from address of the interface that `p` came in by, int32 */
  timeExceeded(p: Packet, from: number, now: number): Uint8Array | undefined {
    return this.#mayAnswer(p, now) ? icmpError(p, TIME_EXCEEDED, IN_TRANSIT, from) : undefined;
  }

  /** Fragmentation needed. @param mtu of the link that `p` does not fit, bytes (RFC 1191 §4) */
  fragmentationNeeded(p: Packet, from: number, mtu: number, now: number): Uint8Array | undefined {
    return this.#mayAnswer(p, now) ? icmpError(p, UNREACHABLE, FRAGMENTATION_NEEDED, from, mtu) : undefined;
  }

  #mayAnswer(p: Packet, now: number): boolean {
    const earned = Math.floor((now - this.#since) / MS_FOR_ONE);
    if (earned > 0) {
      this.#left = Math.min(this.#left + earned, BURST);
      this.#since = now;
    }
    if (this.#left === 0 || !deservesError(p)) return false;
    this.#left--;
    return true;
  }
}
