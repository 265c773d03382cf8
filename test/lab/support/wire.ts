/** Frames on a device of the lab, sniffed and injected with `cap` in that namespace. */
import type { Host, Lab } from './lab.js';
import { Agent } from './process.js';
import { until } from './until.js';

const ETHERNET_LEN = 14;
const ETHERTYPE_IPV4 = 0x0800;

export class Wire {
  /** Frames seen so far, whole, in order. */
  readonly frames: Uint8Array[] = [];
  #agent!: Agent<{ frame: string }>;

  /**
   * @param filter  of pcap (`tcp port 25`, `inbound and icmp`); both directions unless it says otherwise
   * @param onFrame called with each frame as it comes, to answer it
   */
  static async tap(
    lab: Lab,
    host: Host,
    device: string,
    filter = '',
    onFrame?: (frame: Uint8Array) => void,
  ): Promise<Wire> {
    const wire = new Wire();
    wire.#agent = await Agent.start<{ frame: string }>(lab, host, ['frames.mjs', device, filter], (message) => {
      const frame = Uint8Array.from(Buffer.from(message.frame, 'base64'));
      wire.frames.push(frame);
      onFrame?.(frame);
    });
    return wire;
  }

  /** IPv4 packets seen so far, without Ethernet header and padding. */
  get packets(): Uint8Array[] {
    return this.frames.flatMap((f) => ipv4In(f) ?? []);
  }

  /** Sends a whole frame, as if a host of the segment had. */
  inject(frame: Uint8Array): void {
    this.#agent.send(Buffer.from(frame).toString('base64'));
  }

  /** Waits for a packet that satisfies `wanted`, among those seen already too. */
  packet(what: string, wanted: (packet: Uint8Array) => boolean): Promise<Uint8Array> {
    return until(what, () => this.packets.find(wanted));
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

/** @returns the IPv4 packet of a frame, without padding; undefined if it carries none */
export function ipv4In(frame: Uint8Array): Uint8Array | undefined {
  if (((frame[12]! << 8) | frame[13]!) !== ETHERTYPE_IPV4) return undefined;
  return frame.subarray(ETHERNET_LEN, ETHERNET_LEN + ((frame[16]! << 8) | frame[17]!));
}

/** @returns an Ethernet frame with an IPv4 packet. @param mac as text, aa:bb:cc:dd:ee:ff */
export function frameOf(packet: Uint8Array, toMac: string, fromMac: string): Uint8Array {
  const frame = new Uint8Array(ETHERNET_LEN + packet.length);
  frame.set(macBytes(toMac), 0);
  frame.set(macBytes(fromMac), 6);
  frame[12] = ETHERTYPE_IPV4 >> 8;
  frame.set(packet, ETHERNET_LEN);
  return frame;
}

export const macBytes = (mac: string): number[] => mac.split(':').map((octet) => parseInt(octet, 16));

/** @returns the hardware address of a device */
export function macOf(lab: Lab, host: Host, device: string): string {
  const links = JSON.parse(lab.run(host, 'ip', ['-j', 'link', 'show', 'dev', device])) as { address: string }[];
  return links[0]!.address;
}
