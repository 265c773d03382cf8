/**
 * All translations of the router: flat records in two hash chains each, one found by a packet as it is inside, the
 * other by a packet as it is outside. O(1) per packet, no allocation after construction.
 */
import { mix } from '../memory/hash.js';
import { KIND_OF, Translation, TRANSLATION_WORDS } from './translation.js';

/** No record. Links are record numbers plus one, so that memory that was never touched is an empty table. */
const NONE = 0;

export class TranslationTable {
  /** Records in use. */
  size = 0;
  readonly #words: Int32Array;
  readonly #insideHeads: Int32Array;
  readonly #outsideHeads: Int32Array;
  readonly #bucketMask: number;
  readonly #seed: number;
  readonly #link: Translation;
  #freeHead = NONE;
  /** Records from here on were never used. */
  #fresh = 0;

  /**
   * @param capacity most records at a time; memory (64 bytes each) is touched only as it is used
   * @param seed     of the hash: a sender must not be able to choose our chains
   */
  constructor(
    readonly capacity: number,
    seed: number,
  ) {
    this.#words = new Int32Array(capacity * TRANSLATION_WORDS);
    const buckets = 1 << (32 - Math.clz32(Math.max(capacity, 2) - 1));
    this.#insideHeads = new Int32Array(buckets);
    this.#outsideHeads = new Int32Array(buckets);
    this.#bucketMask = buckets - 1;
    this.#seed = seed | 0;
    this.#link = this.cursor();
  }

  cursor(): Translation {
    return new Translation(this.#words);
  }

  /**
   * Moves `t` to the translation of an inside local end. Of several bindings of one end, the newest is found.
   * @param kind KIND_OF.flow, or KIND_OF.binding with no outside end (0, 0)
   */
  findInside(
    t: Translation,
    kind: number,
    protocol: number,
    local: number,
    port: number,
    outside: number,
    outsidePort: number,
  ): boolean {
    let link = this.#insideHeads[this.#bucket(protocol, local, port, outside, outsidePort)]!;
    while (link !== NONE) {
      t.at = (link - 1) * TRANSLATION_WORDS;
      if (t.isInside(kind, protocol, local, port, outside, outsidePort)) return true;
      link = t.insideNext;
    }
    return false;
  }

  /** Moves `t` to the translation of an inside global end. */
  findOutside(
    t: Translation,
    kind: number,
    protocol: number,
    global: number,
    port: number,
    outside: number,
    outsidePort: number,
  ): boolean {
    let link = this.#outsideHeads[this.#bucket(protocol, global, port, outside, outsidePort)]!;
    while (link !== NONE) {
      t.at = (link - 1) * TRANSLATION_WORDS;
      if (t.isOutside(kind, protocol, global, port, outside, outsidePort)) return true;
      link = t.outsideNext;
    }
    return false;
  }

  /** Makes a record and moves `t` to it; false when the table is full. `kind` and the rest as in `Translation`. */
  create(
    t: Translation,
    flags: number,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    now: number,
  ): boolean {
    let link = this.#freeHead;
    if (link !== NONE) {
      t.at = (link - 1) * TRANSLATION_WORDS;
      this.#freeHead = t.insideNext;
    } else if (this.#fresh < this.capacity) {
      link = ++this.#fresh;
      t.at = (link - 1) * TRANSLATION_WORDS;
    } else {
      return false;
    }
    t.begin(flags, protocol, local, localPort, global, globalPort, outside, outsidePort, now);
    const inside = this.#bucket(protocol, local, localPort, outside, outsidePort);
    t.insideNext = this.#insideHeads[inside]!;
    this.#insideHeads[inside] = link;
    const beyond = this.#bucket(protocol, global, globalPort, outside, outsidePort);
    t.outsideNext = this.#outsideHeads[beyond]!;
    this.#outsideHeads[beyond] = link;
    this.size++;
    return true;
  }

  /** Takes the translation under `t` out of the table; its record may be used again at once. */
  remove(t: Translation): void {
    const own = t.slot + 1;
    const { protocol, outside, outsidePort } = t;
    const inside = this.#bucket(protocol, t.insideLocal, t.insideLocalPort, outside, outsidePort);
    const l = this.#link;
    if (this.#insideHeads[inside] === own) {
      this.#insideHeads[inside] = t.insideNext;
    } else {
      l.at = (this.#insideHeads[inside]! - 1) * TRANSLATION_WORDS;
      while (l.insideNext !== own) l.at = (l.insideNext - 1) * TRANSLATION_WORDS;
      l.insideNext = t.insideNext;
    }
    const beyond = this.#bucket(protocol, t.insideGlobal, t.insideGlobalPort, outside, outsidePort);
    if (this.#outsideHeads[beyond] === own) {
      this.#outsideHeads[beyond] = t.outsideNext;
    } else {
      l.at = (this.#outsideHeads[beyond]! - 1) * TRANSLATION_WORDS;
      while (l.outsideNext !== own) l.at = (l.outsideNext - 1) * TRANSLATION_WORDS;
      l.outsideNext = t.outsideNext;
    }
    t.begin(0, 0, 0, 0, 0, 0, 0, 0, 0); // no kind: not in use
    t.insideNext = this.#freeHead;
    this.#freeHead = own;
    this.size--;
  }

  /** Records that have ever been in use: those before this number. */
  get records(): number {
    return this.#fresh;
  }

  /**
   * Calls `visit` for each one in the records from `from` up to `to`, in order of record.
   * The visitor may remove any of them.
   */
  forEach(visit: (t: Translation) => void, from = 0, to = this.records): void {
    const t = this.cursor();
    const end = Math.min(to, this.#fresh);
    for (let slot = from; slot < end; slot++) {
      t.at = slot * TRANSLATION_WORDS;
      if (t.has(KIND_OF.flow | KIND_OF.binding)) visit(t);
    }
  }

  #bucket(protocol: number, inside: number, port: number, outside: number, outsidePort: number): number {
    const h = mix(mix(inside ^ this.#seed, (port << 16) | outsidePort) ^ outside, protocol ^ this.#seed);
    return h & this.#bucketMask;
  }
}
