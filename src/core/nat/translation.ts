/**
 * One NAT translation: a record of 16 words in the translation table's memory, and the cursor that reads and writes
 * it. Two kinds, as `show ip nat translations` has them:
 *
 *   binding  inside local ↔ inside global, whoever the other end is. A whole host (protocol 0), or one port of it.
 *   flow     the extended entry: one conversation with one outside end. It belongs to a binding.
 *
 * An ICMP query has its identifier where others have the inside port, and outside port 0.
 */
import { bits, high16, low16, record, word } from '../memory/record.js';

export const TRANSLATION_WORDS = 16;

export const TRANSLATION_FIELDS = {
  insideNext: word(0),
  outsideNext: word(1),
  wheelNext: word(2),
  wheelPrevious: word(3),
  wheelSlot: word(4),
  insideLocal: word(5),
  insideGlobal: word(6),
  insideLocalPort: high16(7),
  insideGlobalPort: low16(7),
  outside: word(8),
  /** 0: every protocol. */
  protocol: bits(9, 0, 8),
  /** KIND_OF bits; 0: the record is not in use. */
  flags: bits(9, 8, 8),
  outsidePort: high16(9),
  /** ms of the engine's clock, int32; compare by difference only. */
  created: word(10),
  /** Last use. */
  since: word(11),
  /** 0: never. */
  timeoutMs: word(12),
  /** Of a flow: record number of its binding. */
  binding: word(13),
  /** Index of the `ip nat inside source list` that made it, or NO_MAPPING. */
  mapping: word(14),
  /** Of a binding: how many flows belong to it. */
  flows: word(15),
} as const;

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

/** `binding` of a flow whose translation is static. */
export const NO_BINDING = -1;

const TranslationRecord = record(TRANSLATION_WORDS, TRANSLATION_FIELDS);

export class Translation extends TranslationRecord {
  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
  set(flag: number): void {
    this.flags |= flag;
  }
  unset(flag: number): void {
    this.flags &= ~flag;
  }

  /** True for the record that a packet of the inside end, as it is inside, finds. `kind`: one of binding, flow. */
  isInside(kind: number, protocol: number, local: number, port: number, outside: number, outsidePort: number): boolean {
    return (
      this.insideLocal === local &&
      this.outside === outside &&
      this.insideLocalPort === port &&
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
    return (
      this.insideGlobal === global &&
      this.outside === outside &&
      this.insideGlobalPort === port &&
      this.#is(kind, protocol, outsidePort)
    );
  }

  /** Clears the record: it is not in use. */
  clear(): void {
    this.flags = 0; // first, for who adopts a table amid this
    this.words.fill(0, this.at, this.at + TRANSLATION_WORDS);
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
    this.clear();
    this.insideLocal = local;
    this.insideGlobal = global;
    this.insideLocalPort = localPort;
    this.insideGlobalPort = globalPort;
    this.outside = outside;
    this.outsidePort = outsidePort;
    this.protocol = protocol;
    this.wheelSlot = -1;
    this.created = now;
    this.since = now;
    this.mapping = NO_MAPPING;
    this.binding = NO_BINDING;
    this.flags = flags; // last, likewise
  }

  #is(kind: number, protocol: number, outsidePort: number): boolean {
    return this.has(kind) && this.protocol === protocol && this.outsidePort === outsidePort;
  }
}
