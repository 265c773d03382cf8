/**
 * The streams of sessions whose application protocol is inspected, by number of the session's record. An SMTP session
 * at rest, between two lines and with nothing held, is a flat record. Objects carry it while a packet of it is in hand,
 * and as long as a line is cut or a segment held; then they carry another one.
 */
import { FlatMemory } from '../memory/flat-memory.js';
import type { RuleEntry } from '../inspect/rules.js';
import { newSmtpSession } from '../inspect/smtp/inspector.js';
import type { SmtpOptions } from '../policy.js';
import { newStream } from '../stream/reassembler.js';
import type { Session } from '../session/session.js';
import {
  INSPECTOR,
  OWNER,
  ownStream,
  RECORD_WORDS,
  type SessionStream,
  smtpStream,
  type StreamContext,
} from './streams.js';

/** Streams kept for the next session, most. */
const MOST_SPARE = 1024;

/** The SMTP sessions that began under the same options: what carries one of them can carry another. */
interface Pool {
  readonly number: number;
  readonly rule: RuleEntry;
  readonly options: SmtpOptions;
  readonly spare: SessionStream[];
  sessions: number;
}

export class StreamTable {
  readonly #context: StreamContext;
  readonly #words: Int32Array;
  /** Streams that cannot rest, but for the latest one, by a number; and the numbers that are free. */
  readonly #busy: (SessionStream | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  /** By number, from 1. */
  readonly #pools: (Pool | undefined)[] = [undefined];
  /** Pools of new sessions, by number of their rule. */
  readonly #current = new Map<number, Pool>();
  /** Found last; it carries its session on until another one is asked for. */
  #latest: SessionStream | undefined = undefined;

  /** @param capacity most sessions of the router; 192 bytes each, touched only as they are used */
  constructor(capacity: number, context: Omit<StreamContext, 'records'>) {
    const records = new FlatMemory(capacity * RECORD_WORDS);
    this.#context = { ...context, records };
    this.#words = records.words;
  }

  /** The stream of session `slot`, which has one. Valid until another one is asked for. */
  find(slot: number): SessionStream {
    const latest = this.#latest;
    if (latest !== undefined) {
      if (latest.slot === slot) return latest;
      this.#layDown(latest);
    }
    // 1 and more: at rest, the number of its pool. Below 0: busy, its number.
    const owner = this.#words[slot * RECORD_WORDS + OWNER]!;
    const stream = owner > 0 ? this.#takeUp(slot, this.#pools[owner]!) : this.#unfile(-1 - owner);
    this.#latest = stream;
    return stream;
  }

  /** Makes the stream of session `s`; false where none inspects its bytes. */
  create(s: Session, rule: RuleEntry): boolean {
    const { records } = this.#context;
    const at = s.slot * RECORD_WORDS;
    if (rule.smtp !== undefined) {
      const pool = this.#poolOf(rule);
      pool.sessions++;
      newStream(records, at);
      newSmtpSession(records, at + INSPECTOR);
      this.#words[at + OWNER] = pool.number;
      return true;
    }
    const stream = ownStream(this.#context, s, rule);
    if (stream === undefined) return false;
    newStream(records, at);
    stream.takeUp(s.slot);
    this.#file(stream);
    return true;
  }

  /** Ends the stream of session `slot`: all that is held is dropped and all memory goes back. */
  end(slot: number): void {
    const stream = this.find(slot);
    this.#latest = undefined;
    stream.finish();
    stream.segments.close();
    stream.slot = -1;
    const pool = this.#pools[stream.pool];
    if (pool === undefined) return;
    keep(pool, stream);
    pool.sessions--;
    this.#forgetUnused(pool);
  }

  /** Puts session `slot`, at rest, into the hands of a stream. */
  #takeUp(slot: number, pool: Pool): SessionStream {
    let stream = pool.spare.pop();
    if (stream === undefined) {
      stream = smtpStream(this.#context, pool.rule, pool.options);
      stream.pool = pool.number;
    }
    stream.takeUp(slot);
    return stream;
  }

  #layDown(stream: SessionStream): void {
    if (!stream.atRest) {
      this.#file(stream);
      return;
    }
    this.#words[stream.slot * RECORD_WORDS + OWNER] = stream.pool;
    stream.layDown();
    keep(this.#pools[stream.pool]!, stream);
  }

  #file(stream: SessionStream): void {
    const number = this.#freeNumbers.pop() ?? this.#busy.length;
    this.#busy[number] = stream;
    this.#words[stream.slot * RECORD_WORDS + OWNER] = -1 - number;
  }

  #unfile(number: number): SessionStream {
    const stream = this.#busy[number]!;
    this.#busy[number] = undefined;
    this.#freeNumbers.push(number);
    return stream;
  }

  /** The pool of a session that begins now. A changed configuration brings new options, also where they are equal. */
  #poolOf(rule: RuleEntry): Pool {
    const options = rule.smtp!;
    const known = this.#current.get(rule.index);
    if (known?.options === options) return known;
    const free = this.#pools.indexOf(undefined, 1);
    const number = free < 0 ? this.#pools.length : free;
    const pool: Pool = { number, rule, options, spare: [], sessions: 0 };
    this.#pools[number] = pool;
    this.#current.set(rule.index, pool);
    if (known !== undefined) this.#forgetUnused(known);
    return pool;
  }

  /** Gives up a pool that no session is of and none will be. */
  #forgetUnused(pool: Pool): void {
    if (pool.sessions === 0 && this.#current.get(pool.rule.index) !== pool) this.#pools[pool.number] = undefined;
  }
}

function keep(pool: Pool, stream: SessionStream): void {
  if (pool.spare.length < MOST_SPARE) pool.spare.push(stream);
}
