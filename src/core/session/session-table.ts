/**
 * The CBAC state table: flat records, found by a seeded hash of both endpoints that is the same in both directions.
 * O(1) per packet, no allocation after construction.
 */
import { mix } from '../memory/hash.js';
import { Session, SESSION_WORDS } from './session.js';

const NONE = -1;

export class SessionTable {
  readonly capacity: number;
  /** Records in use. */
  size = 0;
  /** Cursor of `find` and `create`. */
  readonly session: Session;
  /** After `find`: the packet's source is the session's initiator. */
  fromInitiator = false;

  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #heads: Int32Array;
  readonly #bucketMask: number;
  readonly #seed: number;
  #freeHead = NONE;
  /** Records from here on were never used. */
  #fresh = 0;

  /**
   * @param capacity most sessions at a time; memory (192 bytes each) is touched only as it is used
   * @param seed     of the hash: a sender must not be able to choose our chains
   */
  constructor(capacity: number, seed: number) {
    this.capacity = capacity;
    const memory = new ArrayBuffer(capacity * SESSION_WORDS * 4);
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
    this.session = this.cursor();
    const buckets = 1 << (32 - Math.clz32(Math.max(capacity, 2) - 1));
    this.#heads = new Int32Array(buckets).fill(NONE);
    this.#bucketMask = buckets - 1;
    this.#seed = seed | 0;
  }

  /** A cursor of the caller's own, so that one walk does not move another's session. */
  cursor(): Session {
    return new Session(this.#words, this.#floats);
  }

  /**
   * Finds the session of a packet, whichever side sent it. Moves `session` to it and sets `fromInitiator`.
   * Addresses in inside local terms, int32.
   */
  find(src: number, srcPort: number, dst: number, dstPort: number, protocol: number): boolean {
    const s = this.session;
    const forward = (srcPort << 16) | dstPort;
    const backward = (dstPort << 16) | srcPort;
    let slot = this.#heads[this.#bucket(src, srcPort, dst, dstPort, protocol)]!;
    while (slot !== NONE) {
      s.at = slot * SESSION_WORDS;
      if (s.protocol === protocol) {
        const ports = (s.initiatorPort << 16) | s.responderPort;
        if (s.initiator === src && s.responder === dst && ports === forward) {
          this.fromInitiator = true;
          return true;
        }
        if (s.initiator === dst && s.responder === src && ports === backward) {
          this.fromInitiator = false;
          return true;
        }
      }
      slot = s.hashNext;
    }
    return false;
  }

  /** Creates the session of a flow that `find` did not find and moves `session` to it; false when the table is full. */
  create(
    src: number,
    srcPort: number,
    dst: number,
    dstPort: number,
    protocol: number,
    service: number,
    now: number,
  ): boolean {
    const s = this.session;
    let slot = this.#freeHead;
    if (slot !== NONE) {
      s.at = slot * SESSION_WORDS;
      this.#freeHead = s.hashNext;
    } else if (this.#fresh < this.capacity) {
      slot = this.#fresh++;
      s.at = slot * SESSION_WORDS;
    } else {
      return false;
    }
    s.begin(src, srcPort, dst, dstPort, protocol, service, now);
    const bucket = this.#bucket(src, srcPort, dst, dstPort, protocol);
    s.hashNext = this.#heads[bucket]!;
    this.#heads[bucket] = slot;
    this.fromInitiator = true;
    this.size++;
    return true;
  }

  /** Takes the session under cursor `s` out of the table; its record may be used again at once. */
  remove(s: Session): void {
    const slot = s.slot;
    const bucket = this.#bucket(s.initiator, s.initiatorPort, s.responder, s.responderPort, s.protocol);
    const after = s.hashNext;
    if (this.#heads[bucket] === slot) {
      this.#heads[bucket] = after;
    } else {
      const words = this.#words;
      let at = this.#heads[bucket]! * SESSION_WORDS;
      while (words[at] !== slot) at = words[at]! * SESSION_WORDS; // word 0 of a record is its hash link
      words[at] = after;
    }
    s.begin(0, 0, 0, 0, 0, 0, 0); // protocol 0: not in use
    s.hashNext = this.#freeHead;
    this.#freeHead = slot;
    this.size--;
  }

  /** Records that have ever been in use: those before this number. */
  get records(): number {
    return this.#fresh;
  }

  /**
   * Calls `visit` for each one in the records from `from` up to `to`, in order of record.
   * The visitor may end the session it is shown.
   */
  forEach(visit: (s: Session) => void, from = 0, to = this.records): void {
    const s = this.cursor();
    const end = Math.min(to, this.#fresh);
    for (let slot = from; slot < end; slot++) {
      s.at = slot * SESSION_WORDS;
      if (s.protocol !== 0) visit(s);
    }
  }

  /** Commutative in the two endpoints, so that both directions meet in one bucket. */
  #bucket(a: number, aPort: number, b: number, bPort: number, protocol: number): number {
    const h = mix(a ^ this.#seed, aPort) + mix(b ^ this.#seed, bPort);
    return mix(h ^ this.#seed, protocol) & this.#bucketMask;
  }
}
