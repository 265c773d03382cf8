/**
 * Where capture points look: copies of packets as they came and as they leave, into memory of a fixed size that is handed
 * over behind each batch. What does not fit, or nobody takes, is counted and lost; no packet waits for it. While there
 * is no active point, nobody calls.
 */
import type { CompiledAccessList } from '../acl/access-list.js';
import { TO_ROUTER } from '../route/routing-table.js';
import { HOLD, PASS, type Verdict } from '../verdict.js';
import { put16, u16 } from '../wire/bytes.js';
import { addWords, checksumOffset, fold } from '../wire/checksum.js';
import { copyBytes } from '../wire/copy.js';
import { decodeIpv4, decodeTransport } from '../wire/decode.js';
import { FRAGMENT_OFFSET, IPPROTO_UDP, IPV4_FRAGMENT, MORE_FRAGMENTS } from '../wire/ipv4.js';
import { Packet } from '../wire/packet.js';
import type { PointSettings } from './capture.js';

/** An active point, as the data plane is told of it. */
export interface TapPoint extends PointSettings {
  /** Its bit in a record's `points`. */
  bit: number;
  /** The filter of its buffer. One that is not defined permits all, as everywhere on IOS. */
  list: string | undefined;
  /** Most of a packet, bytes from the IPv4 header on. */
  most: number;
}

export interface TapSettings {
  points: readonly TapPoint[];
  /** Somebody wants to know what becomes of each packet: its first bytes and its verdict are told. */
  verdicts: boolean;
}

export const NO_TAP: TapSettings = { points: [], verdicts: false };

/** Of a packet that is only to be known again: IPv4 header without options, and what tells transport headers apart. */
export const HEAD_BYTES = 64;

/** Where in its way a packet was when it was copied. */
export const STAGE = { came: 0, left: 1, own: 2, judged: 3, released: 4 } as const;

/**
 * Fields of a record, int32 each. `came` and `left` are for the points of their bits; `own`: the router has sent it;
 * `judged` and `released` tell verdicts: the bytes of `judged` are the first of the packet as it came, and behind them
 * those as it leaves, where it does.
 */
export const TAP = {
  points: 0,
  stage: 1,
  /** The queue's number of a packet: the same in `judged` and `released`. */
  token: 2,
  /** Index of the interface in `interfaces`; below 0: none. */
  ingress: 3,
  egress: 4,
  /** Of the packet: as it came for `came` and `judged`, as it leaves for others. */
  length: 5,
  offset: 6,
  captured: 7,
  verdict: 8,
  /** Bytes that it has as it came, of `judged`; the others are as it leaves. */
  head: 9,
  /** Offsets in the payload between which bytes were changed, `to` not included; equal: none. */
  changedFrom: 10,
  changedTo: 11,
  ints: 12,
} as const;

const RECORDS = 1024;
const BYTES = 512 * 1024;
const NONE = -1;
const MOST_PACKET = 65_536;

export interface TapBatch {
  /** Names of the interfaces, by index. */
  interfaces: readonly string[];
  /** Clock of the batch, ms. */
  now: number;
  /** `TAP.ints` each. */
  records: Int32Array;
  bytes: Uint8Array;
  /** Packets that were lost since the tap was set, in all. */
  lost: number;
}

export class PacketTap {
  /** There is something to look for. */
  isActive = false;
  /** Packets that were to be copied, and were not. */
  lost = 0;
  #settings = NO_TAP;
  #interfaces: readonly string[] = [];
  #records = new Int32Array(0);
  #bytes = new Uint8Array(0);
  #count = 0;
  #used = 0;
  #saidLost = 0;
  /** The packet in hand as it came, for who compares; and its length. */
  #before = new Uint8Array(0);
  #beforeLength = 0;
  /** The record of its arrival, which may have been for nothing; NONE: there is none. */
  #arrival = NONE;
  readonly #scratch = new Packet();

  #lists: ReadonlyMap<string, CompiledAccessList> = new Map();

  /** @param hand takes a batch, whose memory is the tap's again behind the call. It returns false: it was not taken */
  constructor(private readonly hand: (batch: TapBatch) => boolean) {}

  /** Has other points looked for. */
  set(settings: TapSettings): void {
    this.#settings = settings;
    this.isActive = settings.points.length > 0 || settings.verdicts;
    this.#arrival = NONE;
    this.#count = 0;
    this.#used = 0;
    if (this.isActive === this.#bytes.length > 0) return;
    this.#records = new Int32Array(this.isActive ? RECORDS * TAP.ints : 0);
    this.#bytes = new Uint8Array(this.isActive ? BYTES : 0);
    this.#before = new Uint8Array(this.isActive ? MOST_PACKET : 0);
    this.lost = 0;
    this.#saidLost = 0;
  }

  /**
   * @param names canonical names of the interfaces, by their index in a packet
   * @param lists access lists by name, as they are at each time
   */
  bind(names: readonly string[], lists: ReadonlyMap<string, CompiledAccessList>): void {
    this.#interfaces = names;
    this.#lists = lists;
  }

  /** A packet has come: it is as it came. */
  came(p: Packet): void {
    this.#arrival = NONE;
    const { points, verdicts } = this.#settings;
    if (verdicts) {
      this.#beforeLength = Math.min(p.end - p.at, MOST_PACKET);
      copyBytes(p.bytes, p.at, this.#before, 0, this.#beforeLength);
    }
    let bits = 0;
    let most = 0;
    for (const point of points) {
      if (point.direction !== 'in' && point.direction !== 'both') continue;
      if (!this.#isAt(point, p.ingress) || !this.#passesUnread(point, p)) continue;
      bits |= 1 << point.bit;
      most = Math.max(most, point.most);
    }
    if (bits === 0) return;
    const before = this.#count;
    this.#put(bits, STAGE.came, p, p.ingress, NONE, most);
    if (this.#count > before) this.#arrival = before;
  }

  /**
   * The packet that has come was judged.
   * @param p as the engine left it
   * @param egress where it goes, as the routing table says; asked only of what passes
   */
  judged(p: Packet, v: Verdict, egress: number): void {
    this.#settleArrival(v === PASS && egress === TO_ROUTER);
    if (v === PASS && egress >= 0) this.#leaves(p, egress);
    if (!this.#settings.verdicts) return;
    if (this.#count === RECORDS || this.#used + 2 * HEAD_BYTES > BYTES) {
      this.lost++;
      return;
    }
    const from = this.#used;
    const head = Math.min(this.#beforeLength, HEAD_BYTES);
    copyBytes(this.#before, 0, this.#bytes, from, head);
    const after = v === PASS ? Math.min(p.end - p.at, HEAD_BYTES) : 0;
    if (after > 0) copyBytes(p.bytes, p.at, this.#bytes, from + head, after);
    this.#used += head + after;
    this.#record(0, STAGE.judged, p, p.ingress, v === PASS ? egress : NONE, this.#beforeLength, from, head + after);
    const at = (this.#count - 1) * TAP.ints;
    this.#records[at + TAP.verdict] = v;
    this.#records[at + TAP.head] = head;
    if (v === PASS && p.modified) this.#noteChange(p, at);
  }

  /** A packet that was held gets its verdict. @param p as it leaves; @param egress of what passes */
  released(p: Packet, v: Verdict, egress: number): void {
    if (v === PASS && egress >= 0) this.#leaves(p, egress);
    if (!this.#settings.verdicts || v === HOLD) return;
    const before = this.#count;
    this.#put(0, STAGE.released, p, p.ingress, v === PASS ? egress : NONE, HEAD_BYTES);
    if (this.#count > before) this.#records[before * TAP.ints + TAP.verdict] = v;
  }

  /** The router has sent a packet itself. */
  own(bytes: Uint8Array, at: number, end: number, egress: number): void {
    const p = this.#scratch;
    p.bytes = bytes;
    p.at = at;
    p.end = end;
    p.truncated = false;
    p.checksumVerified = true;
    p.token = 0;
    p.ingress = NONE;
    let bits = 0;
    let most = 0;
    for (const point of this.#settings.points) {
      if (point.path !== 'process' || point.direction === 'in' || !this.#passesUnread(point, p)) continue;
      bits |= 1 << point.bit;
      most = Math.max(most, point.most);
    }
    if (bits !== 0) this.#put(bits, STAGE.own, p, NONE, egress, most);
  }

  /** Hands over what has come together. To be called behind each batch of packets, and where none come. */
  flush(now: number): void {
    if (this.#count === 0 && this.lost === this.#saidLost) return;
    const taken = this.hand({
      interfaces: this.#interfaces,
      now,
      records: this.#records.subarray(0, this.#count * TAP.ints),
      bytes: this.#bytes.subarray(0, this.#used),
      lost: this.lost,
    });
    if (taken) this.#saidLost = this.lost;
    else this.lost += this.#count;
    this.#count = 0;
    this.#used = 0;
    this.#arrival = NONE;
  }

  /** Whether it came in by the point's interface. Of a point of what the router gets itself, each may be one. */
  #isAt(point: TapPoint, index: number): boolean {
    return point.interface === undefined || this.#interfaces[index] === point.interface;
  }

  /** Points of what the router gets itself had to be asked before it was known where the packet goes. */
  #settleArrival(forRouter: boolean): void {
    const arrival = this.#arrival;
    this.#arrival = NONE;
    if (arrival === NONE || forRouter) return;
    const at = arrival * TAP.ints;
    let bits = this.#records[at + TAP.points]!;
    for (const { path, bit } of this.#settings.points) if (path === 'process') bits &= ~(1 << bit);
    this.#records[at + TAP.points] = bits;
    if (bits !== 0 || arrival !== this.#count - 1) return;
    this.#count--;
    this.#used = this.#records[at + TAP.offset]!;
  }

  #leaves(p: Packet, egress: number): void {
    let bits = 0;
    let most = 0;
    for (const point of this.#settings.points) {
      if (point.path !== 'cef' || point.direction === 'in' || !this.#isAt(point, egress)) continue;
      if (!this.#permits(point, p)) continue;
      bits |= 1 << point.bit;
      most = Math.max(most, point.most);
    }
    if (bits === 0) return;
    const before = this.#count;
    this.#put(bits, STAGE.left, p, p.ingress, egress, most);
    if (this.#count > before && p.checksumPartial) this.#completeChecksum(p, before * TAP.ints);
  }

  /** As its checksum will be on the wire. What is cut into segments later on has one for each: then nobody knows. */
  #completeChecksum(p: Packet, at: number): void {
    const field = p.l4 - p.at + checksumOffset(p.protocol);
    if (p.gso || field + 2 > this.#records[at + TAP.captured]!) return;
    const sum = ~fold(addWords(p.bytes, p.l4, p.end, 0)) & 0xffff;
    // RFC 768: 0 would mean that there is none.
    put16(this.#bytes, this.#records[at + TAP.offset]! + field, sum === 0 && p.protocol === IPPROTO_UDP ? 0xffff : sum);
  }

  /** The engine reads the same headers again, and comes to the same. */
  #passesUnread(point: TapPoint, p: Packet): boolean {
    if (point.list === undefined || !this.#lists.has(point.list)) return true;
    return decodeIpv4(p) === PASS && decodeTransport(p) === PASS && this.#permits(point, p);
  }

  #permits({ list }: TapPoint, p: Packet): boolean {
    return list === undefined || this.#lists.get(list)?.permitsPacket(p) !== false;
  }

  #put(bits: number, stage: number, p: Packet, ingress: number, egress: number, most: number): void {
    const length = p.end - p.at;
    const captured = Math.min(length, most);
    if (this.#count === RECORDS || this.#used + captured > BYTES) {
      this.lost++;
      return;
    }
    copyBytes(p.bytes, p.at, this.#bytes, this.#used, captured);
    this.#record(bits, stage, p, ingress, egress, length, this.#used, captured);
    this.#used += captured;
  }

  #record(
    bits: number,
    stage: number,
    p: Packet,
    ingress: number,
    egress: number,
    length: number,
    offset: number,
    captured: number,
  ): void {
    const r = this.#records;
    const at = this.#count++ * TAP.ints;
    r[at + TAP.points] = bits;
    r[at + TAP.stage] = stage;
    r[at + TAP.token] = p.token;
    r[at + TAP.ingress] = ingress;
    r[at + TAP.egress] = egress;
    r[at + TAP.length] = length;
    r[at + TAP.offset] = offset;
    r[at + TAP.captured] = captured;
    r[at + TAP.verdict] = PASS;
    r[at + TAP.head] = captured;
    r[at + TAP.changedFrom] = 0;
    r[at + TAP.changedTo] = 0;
  }

  /** What of the payload is other than it came. Where it has another length, all from the first difference on is. */
  #noteChange(p: Packet, at: number): void {
    const payload = p.payload - p.at;
    const before = this.#before;
    // What came was a fragment: what leaves is the whole datagram.
    if ((u16(before, IPV4_FRAGMENT) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) !== 0) return;
    const length = p.end - p.payload;
    const lengthBefore = this.#beforeLength - payload;
    const common = Math.min(length, lengthBefore);
    let from = 0;
    while (from < common && before[payload + from] === p.bytes[p.payload + from]) from++;
    if (from === length && length === lengthBefore) return;
    let to = length;
    if (length === lengthBefore) while (to > from && before[payload + to - 1] === p.bytes[p.payload + to - 1]) to--;
    this.#records[at + TAP.changedFrom] = from;
    this.#records[at + TAP.changedTo] = to;
  }
}
