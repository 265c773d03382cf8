/**
 * The CBAC state table: flat records, found by a seeded hash of both endpoints that is the same in both directions.
 * O(1) per packet, no allocation after construction.
 */
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import { mix } from '../memory/hash.js';
import type { HashIndex } from '../memory/hash-index.js';
import type { Slots } from '../memory/slots.js';
import { TableMemory } from '../memory/table-memory.js';
import { TimerWheel } from '../memory/timer-wheel.js';
import { Session, SESSION_FIELDS, SESSION_WORDS } from './session.js';

export class SessionTable {
  readonly capacity: number;
  /** Cursor of `find` and `create`. */
  readonly session: Session;
  /** The shard that it belongs to. */
  shard = 0;
  /** Sessions that other shards have. Undefined: there are none. */
  elsewhere: (() => number) | undefined = undefined;
  /** After `find`: the packet's source is the session's initiator. */
  fromInitiator = false;

  readonly #table: TableMemory;
  readonly #slots: Slots;
  readonly #index: HashIndex;
  readonly #seed: number;

  /**
   * @param capacity most sessions at a time; memory (192 bytes each) is touched only as it is used
   * @param seed     of the hash: a sender must not be able to choose our chains
   * @param source   of the memory
   */
  constructor(capacity: number, seed: number, source: MemorySource = heapMemory) {
    this.capacity = capacity;
    const links = [SESSION_FIELDS.hashNext.word];
    this.#table = new TableMemory(
      { name: 'sessions', capacity, recordWords: SESSION_WORDS, links, timed: true },
      source,
    );
    this.#slots = this.#table.slots;
    this.#index = this.#table.indexes[0]!;
    this.session = this.cursor();
    this.#seed = seed | 0;
  }

  /** A cursor of the caller's own, so that one walk does not move another's session. */
  cursor(): Session {
    return new Session(this.#table.memory);
  }

  /** The timers of this table's sessions: there is one wheel in its memory. */
  timers(now: number): TimerWheel<Session> {
    const { memory, wheelAt } = this.#table;
    return new TimerWheel(memory.words, wheelAt, SESSION_WORDS, this.cursor(), this.cursor(), now);
  }

  /** Records in use. */
  get size(): number {
    return this.#slots.used;
  }

  /** The record that a packet or timer is changing, for who adopts the table when the process has died; -1: none. */
  get inHand(): number {
    return this.#slots.inHand;
  }
  set inHand(slot: number) {
    this.#slots.inHand = slot;
  }

  /**
   * Finds the session of a packet, whichever side sent it. Moves `session` to it and sets `fromInitiator`.
   * Addresses in inside local terms, int32.
   */
  find(src: number, srcPort: number, dst: number, dstPort: number, protocol: number): boolean {
    const s = this.session;
    const index = this.#index;
    for (let at = index.first(this.#hash(src, srcPort, dst, dstPort, protocol)); at >= 0; at = index.after(at)) {
      s.at = at;
      if (s.protocol !== protocol) continue;
      const { initiator, responder, initiatorPort, responderPort } = s;
      if (initiator === src && responder === dst && initiatorPort === srcPort && responderPort === dstPort) {
        this.fromInitiator = true;
        return true;
      }
      if (initiator === dst && responder === src && initiatorPort === dstPort && responderPort === srcPort) {
        this.fromInitiator = false;
        return true;
      }
    }
    return false;
  }

  /**
   * Creates the session of a flow that `find` did not find and moves `session` to it; false when the table is full. The
   * session is in hand from then on.
   */
  create(
    src: number,
    srcPort: number,
    dst: number,
    dstPort: number,
    protocol: number,
    service: number,
    now: number,
  ): boolean {
    if (this.elsewhere !== undefined && this.size + this.elsewhere() >= this.capacity) return false;
    const slot = this.#slots.take();
    if (slot < 0) return false;
    const s = this.session;
    s.at = slot * SESSION_WORDS;
    this.#slots.inHand = slot;
    s.begin(src, srcPort, dst, dstPort, protocol, service, now);
    s.shard = this.shard;
    this.#index.add(this.#hash(src, srcPort, dst, dstPort, protocol), s.at);
    this.fromInitiator = true;
    return true;
  }

  /** Takes the session under cursor `s` out of the table; its record may be used again at once. */
  remove(s: Session): void {
    this.#index.remove(this.#hashOf(s), s.at);
    s.clear();
    this.#slots.give(s.slot);
  }

  /** Records that have ever been in use: those before this number. */
  get records(): number {
    return this.#slots.records;
  }

  /**
   * Calls `visit` for each one in the records from `from` up to `to`, in order of record.
   * The visitor may end the session it is shown.
   */
  forEach(visit: (s: Session) => void, from = 0, to = this.records): void {
    const s = this.cursor();
    const end = Math.min(to, this.records);
    for (let slot = from; slot < end; slot++) {
      s.at = slot * SESSION_WORDS;
      if (s.protocol !== 0) visit(s);
    }
  }

  /**
   * Takes over what another process has left in this memory: from the records alone, chains, free list and timers are
   * made anew. A record that `sound` does not take, or whose flow another one has, is given up.
   * @returns how many were given up
   */
  adopt(sound: (s: Session) => boolean): number {
    let lost = 0;
    this.#table.restart();
    this.forEach((s) => {
      if (sound(s) && !this.find(s.initiator, s.initiatorPort, s.responder, s.responderPort, s.protocol)) {
        s.wheelSlot = -1;
        this.#index.add(this.#hashOf(s), s.at);
      } else {
        lost++;
        s.clear();
      }
    });
    const s = this.cursor();
    this.#slots.giveUnused((slot) => {
      s.at = slot * SESSION_WORDS;
      return s.protocol !== 0;
    });
    return lost;
  }

  #hashOf(s: Session): number {
    return this.#hash(s.initiator, s.initiatorPort, s.responder, s.responderPort, s.protocol);
  }

  /** Commutative in the two endpoints, so that both directions meet in one bucket. */
  #hash(a: number, aPort: number, b: number, bPort: number, protocol: number): number {
    const h = mix(a ^ this.#seed, aPort) + mix(b ^ this.#seed, bPort);
    return mix(h ^ this.#seed, protocol);
  }
}
