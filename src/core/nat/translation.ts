/**
 * One NAT translation: a record of 16 words in the translation table's memory, and the cursor that reads and writes
 * it. Two kinds, as `show ip nat translations` has them:
 *
 *   binding  inside local ↔ inside global, whoever the other end is. A whole host (protocol 0), or one port of it.
 *   flow     the extended entry: one conversation with one outside end. It belongs to a binding.
 *
 * An ICMP query has its identifier where others have the inside port, and outside port 0.
 */
import type { TimedRecord } from '../memory/timer-wheel.js';

export const TRANSLATION_WORDS = 16;

// Words of a record.
const INSIDE_NEXT = 0;
const OUTSIDE_NEXT = 1;
const WHEEL_NEXT = 2;
const WHEEL_PREVIOUS = 3;
const WHEEL_SLOT = 4;
const LOCAL = 5;
const GLOBAL = 6;
const PORTS = 7; // inside local << 16 | inside global
const OUTSIDE = 8;
const KIND = 9; // protocol | flags << 8 | outside port << 16
const CREATED = 10;
const SINCE = 11;
const TIMEOUT = 12;
const BINDING = 13;
const MAPPING = 14;
const FLOWS = 15;

/** Bits of `flags`. A record in use is a flow or a binding. */
export const KIND_OF = {
  binding: 1,
  flow: 2,
  /** From the configuration; never times out. */
  static: 4,
  /** Takes a flow from any outside end that calls: `reserve`. */
  reserved: 8,
  /** Of a flow: its port is a static entry's (`port-timeout`). */
  staticPort: 64,
  /** A flow of TCP: more than its SYN was seen; FIN or RST was seen. */
  established: 16,
  finished: 32,
} as const;

/** `mapping` of what no `ip nat inside source list` made: static entries, and sources of hairpins. */
export const NO_MAPPING = -1;

export class Translation implements TimedRecord {
  /** Word offset of the record in the table. */
  at = 0;

  constructor(private readonly m: Int32Array) {}

  get slot(): number {
    return this.at / TRANSLATION_WORDS;
  }
  get insideNext(): number {
    return this.m[this.at + INSIDE_NEXT]!;
  }
  set insideNext(v: number) {
    this.m[this.at + INSIDE_NEXT] = v;
  }
  get outsideNext(): number {
    return this.m[this.at + OUTSIDE_NEXT]!;
  }
  set outsideNext(v: number) {
    this.m[this.at + OUTSIDE_NEXT] = v;
  }
  get wheelNext(): number {
    return this.m[this.at + WHEEL_NEXT]!;
  }
  set wheelNext(v: number) {
    this.m[this.at + WHEEL_NEXT] = v;
  }
  get wheelPrevious(): number {
    return this.m[this.at + WHEEL_PREVIOUS]!;
  }
  set wheelPrevious(v: number) {
    this.m[this.at + WHEEL_PREVIOUS] = v;
  }
  get wheelSlot(): number {
    return this.m[this.at + WHEEL_SLOT]!;
  }
  set wheelSlot(v: number) {
    this.m[this.at + WHEEL_SLOT] = v;
  }
  get insideLocal(): number {
    return this.m[this.at + LOCAL]!;
  }
  get insideGlobal(): number {
    return this.m[this.at + GLOBAL]!;
  }
  get insideLocalPort(): number {
    return this.m[this.at + PORTS]! >>> 16;
  }
  get insideGlobalPort(): number {
    return this.m[this.at + PORTS]! & 0xffff;
  }
  get outside(): number {
    return this.m[this.at + OUTSIDE]!;
  }
  get outsidePort(): number {
    return this.m[this.at + KIND]! >>> 16;
  }
  /** 0: every protocol. */
  get protocol(): number {
    return this.m[this.at + KIND]! & 255;
  }
  /** KIND_OF bits. */
  get flags(): number {
    return (this.m[this.at + KIND]! >>> 8) & 255;
  }
  has(flag: number): boolean {
    return (this.m[this.at + KIND]! & (flag << 8)) !== 0;
  }
  set(flag: number): void {
    this.m[this.at + KIND]! |= flag << 8;
  }
  unset(flag: number): void {
    this.m[this.at + KIND]! &= ~(flag << 8);
  }
  /** ms of the engine's clock, int32; compare by difference only. */
  get created(): number {
    return this.m[this.at + CREATED]!;
  }
  /** Last use. */
  get since(): number {
    return this.m[this.at + SINCE]!;
  }
  set since(v: number) {
    this.m[this.at + SINCE] = v;
  }
  /** 0: never. */
  get timeoutMs(): number {
    return this.m[this.at + TIMEOUT]!;
  }
  set timeoutMs(v: number) {
    this.m[this.at + TIMEOUT] = v;
  }
  /** Of a flow: record number of its binding. */
  get binding(): number {
    return this.m[this.at + BINDING]!;
  }
  set binding(v: number) {
    this.m[this.at + BINDING] = v;
  }
  /** Index of the `ip nat inside source list` that made it, or NO_MAPPING. */
  get mapping(): number {
    return this.m[this.at + MAPPING]!;
  }
  set mapping(v: number) {
    this.m[this.at + MAPPING] = v;
  }
  /** Of a binding: how many flows belong to it. */
  get flows(): number {
    return this.m[this.at + FLOWS]!;
  }
  set flows(v: number) {
    this.m[this.at + FLOWS] = v;
  }

  /** True for the record that a packet of the inside end, as it is inside, finds. `kind`: one of binding, flow. */
  isInside(kind: number, protocol: number, local: number, port: number, outside: number, outsidePort: number): boolean {
    const m = this.m;
    const at = this.at;
    return (
      m[at + LOCAL] === local &&
      m[at + OUTSIDE] === outside &&
      m[at + PORTS]! >>> 16 === port &&
      this.#is(kind, protocol, outsidePort)
    );
  }
  /** True for the record that a packet to the inside end, as it is outside, finds. */
  isOutside(
    kind: number,
    protocol: number,
    global: number,
    port: number,
    outside: number,
    outsidePort: number,
  ): boolean {
    const m = this.m;
    const at = this.at;
    return (
      m[at + GLOBAL] === global &&
      m[at + OUTSIDE] === outside &&
      (m[at + PORTS]! & 0xffff) === port &&
      this.#is(kind, protocol, outsidePort)
    );
  }

  /** Clears the record and writes what identifies the translation. Link words are the table's. */
  begin(
    flags: number,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    now: number,
  ): void {
    const m = this.m;
    const at = this.at;
    m.fill(0, at, at + TRANSLATION_WORDS);
    m[at + LOCAL] = local;
    m[at + GLOBAL] = global;
    m[at + PORTS] = (localPort << 16) | globalPort;
    m[at + OUTSIDE] = outside;
    m[at + KIND] = protocol | (flags << 8) | (outsidePort << 16);
    m[at + WHEEL_SLOT] = -1;
    m[at + CREATED] = now;
    m[at + SINCE] = now;
    m[at + MAPPING] = NO_MAPPING;
  }

  #is(kind: number, protocol: number, outsidePort: number): boolean {
    const word = this.m[this.at + KIND]!;
    return (word & (kind << 8)) !== 0 && (word & 255) === protocol && word >>> 16 === outsidePort;
  }
}
