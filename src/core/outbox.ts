/**
 * What the core asks of its edges besides the verdict it returns. The live router sends packets and writes logs, the
 * pcap runner collects, tests compare.
 */
import type { Event } from './events.js';
import type { Verdict } from './verdict.js';
import type { Packet } from './wire/packet.js';

export interface Outbox {
  /** Something to log, alert or trace. */
  event(e: Event): void;
  /**
   * The late verdict of a packet that was held.
   * @param token the packet's handle, from `Packet.token`
   * @param bytes the whole IPv4 packet if it must go out changed, else undefined. Owned by the core; copy to keep.
   * @param checksumPartial as in `Packet`: the edge completes the transport checksum
   */
  release(token: number, verdict: Verdict, bytes: Uint8Array | undefined, checksumPartial: boolean): void;
  /**
   * A packet that was held leaves, or is dropped: told before its `release` to who captures packets.
   * @param p as it leaves, with its headers read; not to be kept
   */
  released?(p: Packet, verdict: Verdict): void;
  /** Sends an IPv4 packet of the router's own (RST, ICMP error), checksums complete. Copy to keep. */
  inject(packet: Uint8Array): void;
}
