/**
 * What a router answers to a packet that it does not forward: ICMP unreachable, communication administratively
 * prohibited where an access list denies it, host unreachable where there is no way (RFC 1812 §5.2.7.1), at most one in
 * 500 ms (IOS `ip icmp rate-limit unreachable`), unless `no ip unreachables`.
 */
import { UNREACHABLE } from '../wire/icmp.js';
import { deservesError, icmpError } from '../wire/icmp-error.js';
import type { Packet } from '../wire/packet.js';

export const HOST_UNREACHABLE = 1;
export const ADMINISTRATIVELY_PROHIBITED = 13;
const INTERVAL_MS = 500;

export class UnreachableReplies {
  #last = -INTERVAL_MS;
  /** Whether no other shard has said so in the last `intervalMs`. Undefined: there is none. */
  maySay: ((intervalMs: number, now: number) => boolean) | undefined = undefined;

  /**
   * The answer to `p`, a whole IPv4 packet, or undefined where none is due.
   * @param code of ICMP unreachable
   * @param from address of the interface that `p` came in by, int32
   */
  answer(p: Packet, code: number, from: number, now: number): Uint8Array | undefined {
    if (now - this.#last < INTERVAL_MS || !deservesError(p)) return undefined;
    if (this.maySay?.(INTERVAL_MS, now) === false) return undefined;
    this.#last = now;
    return icmpError(p, UNREACHABLE, code, from);
  }
}
