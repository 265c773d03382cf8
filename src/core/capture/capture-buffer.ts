/**
 * `monitor capture buffer`: a ring of packets that never takes more than its size. A circular one drops the oldest
 * packets for the newest; a linear one is full at some time, and that ends the capture.
 */
import { BUFFER_DEFAULTS, type BufferedPacket, type BufferSettings, ETHERNET_HEADER } from './capture.js';

/** What a packet takes of the buffer besides its bytes. Inferred: about what IOS notes with each. */
export const PACKET_OVERHEAD = 32;

/** What became of a packet. `end`: it was not kept, and no further one will be: the capture has come to its end. */
export type Buffering = 'kept' | 'left-out' | 'end';

const SECOND_MS = 1000;

export class CaptureBuffer {
  settings: BufferSettings = { ...BUFFER_DEFAULTS };
  /** Packets that did not reach it. */
  lost = 0;
  #packets: BufferedPacket[] = [];
  /** Of `#packets`: those before it are gone. */
  #first = 0;
  #used = 0;
  /** Packets of this capture so far, kept and left out; and kept. */
  #seen = 0;
  #kept = 0;
  #secondFrom = 0;
  #inSecond = 0;

  /** Changes settings. What no longer fits goes, the oldest first. */
  configure(settings: Partial<BufferSettings>): void {
    Object.assign(this.settings, settings);
    while (this.#used > this.sizeBytes) this.#dropOldest();
  }

  get sizeBytes(): number {
    return this.settings.sizeKb * 1024;
  }

  /** Bytes that its packets take. */
  get used(): number {
    return this.#used;
  }

  /** The oldest first. */
  get packets(): readonly BufferedPacket[] {
    return this.#packets.slice(this.#first);
  }

  get count(): number {
    return this.#packets.length - this.#first;
  }

  /** A capture begins: its limits count from here. */
  begin(): void {
    this.#seen = 0;
    this.#kept = 0;
    this.#inSecond = 0;
  }

  /** Takes a packet, as much of it as the buffer keeps, as far as its limits allow. Owns `packet` from now on. */
  add(packet: BufferedPacket): Buffering {
    const { circular, maxSize, nth, packets, packetsPerSecond } = this.settings;
    if (packets > 0 && this.#kept >= packets) return 'end';
    // Inferred: the first one that is kept is the nth.
    if (nth > 1 && ++this.#seen % nth !== 0) return 'left-out';
    if (packetsPerSecond > 0 && !this.#fitsSecond(packet.timeMs, packetsPerSecond)) return 'left-out';
    const most = maxSize - ETHERNET_HEADER;
    if (packet.bytes.length > most) packet.bytes = packet.bytes.slice(0, most);
    const room = roomOf(packet);
    if (!circular && this.#used + room > this.sizeBytes) return 'end';
    while (this.#used + room > this.sizeBytes) {
      if (this.count === 0) return 'left-out';
      this.#dropOldest();
    }
    this.#packets.push(packet);
    this.#used += room;
    this.#kept++;
    return 'kept';
  }

  /** It has kept as many packets as `limit packet-count` allows. */
  get isComplete(): boolean {
    return this.settings.packets > 0 && this.#kept >= this.settings.packets;
  }

  clear(): void {
    this.#packets = [];
    this.#first = 0;
    this.#used = 0;
    this.lost = 0;
    this.begin();
  }

  #fitsSecond(timeMs: number, most: number): boolean {
    if (this.#inSecond === 0 || timeMs - this.#secondFrom >= SECOND_MS || timeMs < this.#secondFrom) {
      this.#secondFrom = timeMs;
      this.#inSecond = 0;
    }
    if (this.#inSecond >= most) return false;
    this.#inSecond++;
    return true;
  }

  #dropOldest(): void {
    this.#used -= roomOf(this.#packets[this.#first++]!);
    // Half of the list is gone: now it is worth the copy.
    if (this.#first * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#first);
      this.#first = 0;
    }
  }
}

const roomOf = (p: BufferedPacket): number => PACKET_OVERHEAD + ETHERNET_HEADER + p.bytes.length;
