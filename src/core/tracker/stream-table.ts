/**
 * The streams of sessions whose application protocol is inspected, by number of the session's record. All there is of a
 * session is in its record, and in a block of the arena where that is too small; objects carry one session of a rule
 * after the other. Only where a segment is held does a session keep its carrier.
 */
import type { FlatMemory, MemorySource } from '../memory/flat-memory.js';
import { heapMemory } from '../memory/flat-memory.js';
import { StateReader, StateWriter } from '../memory/state-io.js';
import type { EndReason } from '../events.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { SmtpOptions } from '../policy.js';
import { FLAG, type Session } from '../session/session.js';
import { NO_BLOCK } from '../memory/arena.js';
import { isSoundSmtpSession } from '../inspect/smtp/inspector.js';
import type { Names } from '../state/saved-names.js';
import type { MemoryOwner } from '../stream/memory-shares.js';
import { isSoundStream } from '../stream/reassembler.js';
import { BLOCK, INSPECTOR, POOL, RECORD_WORDS, type SessionStream, type StreamContext, streamFor } from './streams.js';

/** Carriers kept for the next session, most. */
const MOST_SPARE = 1024;

/** In POOL: the session has its carrier for itself, in `#resident`. */
const RESIDENT = 1 << 30;

/** The sessions that began under the same options: what carries one of them can carry another. */
export interface Pool {
  readonly number: number;
  readonly rule: RuleEntry;
  readonly smtp: SmtpOptions | undefined;
  readonly options: unknown;
  readonly beginning: Uint8Array;
  readonly spare: SessionStream[];
  sessions: number;
}

export class StreamTable {
  readonly #context: StreamContext;
  readonly records: FlatMemory;
  readonly #words: Int32Array;
  /** Carriers whose session cannot be laid down, by number of its record. */
  readonly #resident = new Map<number, SessionStream>();
  /** By number, from 1. */
  readonly #pools: (Pool | undefined)[] = [undefined];
  /** Pools of new sessions, by number of their rule. */
  readonly #current = new Map<number, Pool>();
  /** Found last; it carries its session on until another one is asked for. */
  #latest: SessionStream | undefined = undefined;
  /** Blocks of streams that could not be taken up. */
  readonly #orphans: { block: number; owner: MemoryOwner }[] = [];
  /** It was asked for since it was written. */
  #asked = false;

  /**
   * @param capacity most sessions of the router; 192 bytes each, touched only as they are used
   * @param renamed  there is another pool: `names` says something else
   */
  constructor(
    capacity: number,
    private readonly renamed: () => void,
    context: Omit<StreamContext, 'records' | 'reader' | 'writer'>,
    source: MemorySource = heapMemory,
  ) {
    const records = source('streams', capacity * RECORD_WORDS, 0);
    this.#context = { ...context, records, reader: new StateReader(), writer: new StateWriter() };
    this.records = records;
    this.#words = records.words;
  }

  /** The stream of session `slot`, which has one. Valid until another one is asked for. */
  find(slot: number): SessionStream {
    const latest = this.#latest;
    this.#asked = true;
    if (latest !== undefined) {
      if (latest.slot === slot) return latest;
      this.#putDown(latest);
    }
    const pool = this.#words[slot * RECORD_WORDS + POOL]!;
    const stream = (pool & RESIDENT) === 0 ? this.#takeUp(slot, this.#pools[pool]!) : this.#unfile(slot, pool);
    this.#latest = stream;
    return stream;
  }

  /** The stream of session `s`, if it has one; likewise. */
  of(s: Session): SessionStream | undefined {
    return s.has(FLAG.streamed) ? this.find(s.slot) : undefined;
  }

  /** Writes the session in hand to its record, if it may have changed. To be called behind each packet. */
  store(): void {
    if (!this.#asked) return;
    this.#asked = false;
    this.#latest?.store();
  }

  /** There is memory for the stream of session `slot`, should it have one. */
  hasRoom(slot: number): boolean {
    return this.records.grow((slot + 1) * RECORD_WORDS);
  }

  /** Makes the stream of session `s`; false where no inspector reads its bytes. */
  create(s: Session, rule: RuleEntry): boolean {
    if (s.service !== rule.serviceIndex) return false; // a data connection of FTP
    const pool = this.#poolOf(rule);
    if (pool === undefined) return false;
    this.#asked = true;
    if (this.#latest !== undefined) this.#putDown(this.#latest);
    const stream = this.#carrier(pool);
    stream.begin(s.slot, pool.beginning);
    this.#words[s.slot * RECORD_WORDS + POOL] = pool.number;
    pool.sessions++;
    this.#latest = stream;
    return true;
  }

  /** The pools that there are, for who adopts the records. */
  names(): Names['pools'] {
    return this.#pools.flatMap((p) =>
      p === undefined ? [] : [{ number: p.number, rule: p.rule.index, options: optionsText(p.options) }],
    );
  }

  /**
   * Takes up the stream of session `s`, which another process has left.
   * @param pools what the numbers of its pools stood for
   * @returns false where it cannot go on: garbled, not saved, or its rule has other options now. To be followed by `adopted`
   */
  adopt(s: Session, rule: RuleEntry, pools: ReadonlyMap<number, Names['pools'][number]>): boolean {
    const { memory } = this.#context.sessions;
    const w = this.#words;
    const at = s.slot * RECORD_WORDS;
    const owner: MemoryOwner = { initiator: s.initiator, responder: s.responder, side: s.origin };
    const claimed: number[] = [];
    const claim = (block: number): boolean => memory.adoptBlock(block, owner) && claimed.push(block) > 0;
    const was = pools.get(w[at + POOL]! & ~RESIDENT);
    const pool = s.service === rule.serviceIndex ? this.#poolOf(rule) : undefined;
    const block = w[at + BLOCK]!;
    let sound = isSoundStream(w, at, claim);
    sound = (block === NO_BLOCK || claim(block)) && sound;
    sound &&= pool !== undefined && was?.rule === rule.index && was.options === optionsText(pool.options);
    if (sound && block === NO_BLOCK)
      sound = pool!.smtp !== undefined && isSoundSmtpSession(this.records, at + INSPECTOR);
    if (sound) {
      const carrier = this.#carrier(pool!);
      sound = carrier.takeUp(s.slot);
      carrier.layDown();
      keep(pool!, carrier);
    }
    if (!sound) {
      for (const b of claimed) this.#orphans.push({ block: b, owner });
      return false;
    }
    w[at + POOL] = pool!.number;
    pool!.sessions++;
    return true;
  }

  /** All streams have been taken up that can go on. */
  adopted(): void {
    const { memory } = this.#context.sessions;
    memory.arena.adopted();
    for (const { block, owner } of this.#orphans.splice(0)) memory.giveBlock(block, owner);
  }

  /** Ends the stream of session `slot`: all that is held is dropped and all memory goes back. */
  end(slot: number, why: EndReason): void {
    const stream = this.find(slot);
    this.#latest = undefined;
    stream.finish(why);
    const pool = this.#pools[stream.pool]!;
    keep(pool, stream);
    pool.sessions--;
    this.#forgetUnused(pool);
  }

  #takeUp(slot: number, pool: Pool): SessionStream {
    const stream = this.#carrier(pool);
    stream.takeUp(slot);
    return stream;
  }

  #carrier(pool: Pool): SessionStream {
    const spare = pool.spare.pop();
    if (spare !== undefined) return spare;
    const stream = streamFor(this.#context, pool.rule, pool.smtp)!;
    stream.pool = pool.number;
    return stream;
  }

  /** The carrier is wanted for nobody now. */
  #putDown(stream: SessionStream): void {
    if (stream.atRest) {
      stream.layDown();
      keep(this.#pools[stream.pool]!, stream);
      return;
    }
    this.#resident.set(stream.slot, stream);
    this.#words[stream.slot * RECORD_WORDS + POOL]! |= RESIDENT;
  }

  #unfile(slot: number, pool: number): SessionStream {
    const stream = this.#resident.get(slot)!;
    this.#resident.delete(slot);
    this.#words[slot * RECORD_WORDS + POOL] = pool & ~RESIDENT;
    return stream;
  }

  /** The pool of a session that begins now. A changed configuration brings new options, also where they are equal. */
  #poolOf(rule: RuleEntry): Pool | undefined {
    const options = rule.smtp ?? rule.options;
    const known = this.#current.get(rule.index);
    if (known !== undefined && known.options === options) return known;
    const carrier = streamFor(this.#context, rule, rule.smtp);
    if (carrier === undefined) return undefined;
    const free = this.#pools.indexOf(undefined, 1);
    const number = free < 0 ? this.#pools.length : free;
    const pool: Pool = {
      number,
      rule,
      smtp: rule.smtp,
      options,
      beginning: carrier.beginning(),
      spare: [carrier],
      sessions: 0,
    };
    carrier.pool = number;
    this.#pools[number] = pool;
    this.#current.set(rule.index, pool);
    this.renamed();
    if (known !== undefined) this.#forgetUnused(known);
    return pool;
  }

  /** Gives up a pool that no session is of and none will be. */
  #forgetUnused(pool: Pool): void {
    if (pool.sessions === 0 && this.#current.get(pool.rule.index) !== pool) this.#pools[pool.number] = undefined;
  }
}

const optionsText = (options: unknown): string => (options === undefined ? '' : JSON.stringify(options));

function keep(pool: Pool, stream: SessionStream): void {
  if (pool.spare.length < MOST_SPARE) pool.spare.push(stream);
}
