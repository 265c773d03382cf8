/**
 * A TCP client made of frames: it sends whatever segments a test wants, in any order, again, overlapping or in
 * fragments. Its address belongs to no kernel, so nobody resets what it does; it answers ARP for itself.
 */
import { randomInt } from 'node:crypto';
import { dotted, ip, latin1, tcpPacket } from '../../support/packets.js';
import { put16 } from '../../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../../src/core/wire/checksum.js';
import type { Lab } from './lab.js';
import { until } from './until.js';
import { frameOf, ipv4In, macBytes, macOf, Wire } from './wire.js';

const MAC = '02:00:00:00:00:19';
const ETHERTYPE_ARP = 0x0806;
const ARP_REPLY = 2;

interface Segment {
  /** Letters of FSRPAU. */
  flags?: string;
  payload?: string;
  /** Bytes from the next new byte: negative to send again, positive to leave a gap. */
  at?: number;
  id?: number;
}

export class RawTcp {
  readonly address: string;
  readonly port = randomInt(20_000, 60_000);
  /** Sequence number of the next new byte. */
  sndNxt = randomInt(2 ** 31) | 0;
  rcvNxt = 0;
  /** What the server has sent, in order, without gaps. */
  text = '';
  /** Highest acknowledgement seen. */
  acknowledged: number;
  wasReset = false;
  #open = false;
  #wire!: Wire;
  readonly #routerMac: string;

  private constructor(
    lab: Lab,
    address: string,
    readonly server: string,
    readonly serverPort: number,
    readonly delayMs: number,
  ) {
    this.address = address;
    this.acknowledged = this.sndNxt;
    this.#routerMac = macOf(lab, 'router', 'outside');
  }

  /**
   * Opens a connection from the outside segment.
   * @param from    an address of 172.22.1.0/24 that nobody has
   * @param delayMs how much later the client hears of the SYN ACK, as if it were so far away
   */
  static async open(lab: Lab, server: string, serverPort: number, from = '172.22.1.25', delayMs = 0): Promise<RawTcp> {
    const client = new RawTcp(lab, from, server, serverPort, delayMs);
    const filter = `arp or (dst host ${from} and (tcp or icmp))`;
    client.#wire = await Wire.tap(lab, 'outside', 'eth0', filter, (frame) => client.#receive(frame));
    client.send({ flags: 'S' });
    await until('the handshake', () => client.#open);
    return client;
  }

  /** Everything that came for this address, ICMP included. */
  get received(): Uint8Array[] {
    return this.#wire.packets;
  }

  /** Sends a segment, and moves on behind it. */
  send({ flags = 'PA', payload = '', at = 0 }: Segment): void {
    this.inject(this.segment({ flags, payload, at }));
    const length = payload.length + (/[SF]/.test(flags) ? 1 : 0);
    if (at + length > 0) this.sndNxt = (this.sndNxt + at + length) | 0;
  }

  /**
   * Builds a segment without sending it, and without moving on.
   * @param id identification of the datagram
   */
  segment({ flags = 'PA', payload = '', at = 0, id = randomInt(0x1_0000) }: Segment): Uint8Array {
    const packet = tcpPacket({
      src: this.address,
      srcPort: this.port,
      dst: this.server,
      dstPort: this.serverPort,
      flags,
      seq: (this.sndNxt + at) | 0,
      ack: flags.includes('A') ? this.rcvNxt : 0,
      payload: latin1(payload),
    });
    put16(packet, 4, id);
    writeIpv4Checksum(packet, 0, 20);
    return packet;
  }

  /** Sends an IPv4 packet as it is. */
  inject(packet: Uint8Array): void {
    this.#wire.inject(frameOf(packet, this.#routerMac, MAC));
  }

  /** Waits until the server's text matches. */
  receive(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => `${String(pattern)} in ${JSON.stringify(this.text)}`,
      () => pattern.exec(this.text) ?? undefined,
    );
  }

  /** Waits until everything sent so far is acknowledged. */
  async settled(): Promise<void> {
    await until('all to be acknowledged', () => this.acknowledged === this.sndNxt);
  }

  async close(): Promise<void> {
    if (!this.wasReset) this.send({ flags: 'RA' });
    await this.#wire.close();
  }

  #receive(frame: Uint8Array): void {
    if (((frame[12]! << 8) | frame[13]!) === ETHERTYPE_ARP) this.#answerArp(frame);
    const packet = ipv4In(frame);
    if (packet?.[9] !== 6) return;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const tcp = (packet[0]! & 15) * 4;
    if (view.getUint16(tcp + 2) !== this.port) return;
    const flags = packet[tcp + 13]!;
    const [fin, syn, rst, ack] = [1, 2, 4, 16].map((bit) => (flags & bit) !== 0);
    const seq = view.getInt32(tcp + 4);
    if (rst) this.wasReset = true;
    if (syn && this.#open) return;
    if (ack) this.acknowledged = view.getInt32(tcp + 8);
    if (syn) {
      this.rcvNxt = (seq + 1) | 0;
      setTimeout(() => {
        this.#open = true;
        this.send({ flags: 'A' });
      }, this.delayMs);
      return;
    }
    const payload = packet.subarray(tcp + (packet[tcp + 12]! >> 4) * 4);
    if (payload.length > 0 && seq === this.rcvNxt) {
      this.text += Buffer.from(payload).toString('latin1');
      this.rcvNxt = (this.rcvNxt + payload.length) | 0;
    }
    if (fin && ((seq + payload.length) | 0) === this.rcvNxt) this.rcvNxt = (this.rcvNxt + 1) | 0;
    if (fin || payload.length > 0) this.send({ flags: 'A' });
  }

  #answerArp(frame: Uint8Array): void {
    const asked = new DataView(frame.buffer, frame.byteOffset).getInt32(38);
    if (frame[21] === ARP_REPLY || dotted(asked) !== this.address) return;
    const reply = Uint8Array.from(frame);
    reply.set(frame.subarray(6, 12), 0);
    reply.set(macBytes(MAC), 6);
    reply[21] = ARP_REPLY;
    reply.set(frame.subarray(22, 32), 32); // the asker becomes the target
    reply.set(macBytes(MAC), 22);
    new DataView(reply.buffer).setInt32(28, ip(this.address));
    this.#wire.inject(reply);
  }
}
