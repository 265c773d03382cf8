/**
 * The records of the session in hand as they were before its packet. Should the process die while it changes them, the
 * one that follows has them as if that packet had never come: no verdict on it has left, so its sender repeats it.
 * Blocks of the arena that the packet has given up are not used again before it is done, and none is written twice, so
 * that what these records name still lies there.
 */
import type { FlatMemory, MemorySource } from '../memory/flat-memory.js';
import { SESSION_WORDS, type Session } from '../session/session.js';
import type { SessionTable } from '../session/session-table.js';
import { RECORD_WORDS } from './streams.js';

/** Of which session: its slot + 1; negative: the packet has made it; NOTHING. */
const MARK = 0;
const NOTHING = 0;
const SESSION = 2;
const STREAM = SESSION + SESSION_WORDS;
const WORDS = STREAM + RECORD_WORDS;

export class Undo {
  readonly #words: Int32Array;
  readonly #sessions: Int32Array;
  readonly #streams: Int32Array;
  readonly #cursor: Session;

  /** @param streams their records */
  constructor(
    private readonly table: SessionTable,
    streams: FlatMemory,
    source: MemorySource,
  ) {
    this.#words = source('undo', WORDS + (WORDS & 1), WORDS).words;
    this.#cursor = table.cursor();
    this.#sessions = this.#cursor.words;
    this.#streams = streams.words;
  }

  /** Keeps what there is of session `slot`, before the packet in hand changes it. */
  keep(slot: number): void {
    const u = this.#words;
    u[MARK] = NOTHING;
    copy(this.#sessions, slot * SESSION_WORDS, u, SESSION, SESSION_WORDS);
    copy(this.#streams, slot * RECORD_WORDS, u, STREAM, RECORD_WORDS);
    // Last: then it is whole.
    u[MARK] = slot + 1;
  }

  /** The packet in hand has made session `slot`, perhaps in the place of the one that is kept. */
  made(slot: number): void {
    const u = this.#words;
    if (u[MARK] === NOTHING) u[MARK] = -(slot + 1);
  }

  /** The packet is judged, or the session cannot be brought back. */
  forget(): void {
    this.#words[MARK] = NOTHING;
  }

  /** Brings back what was there before the packet that another process has died with. @returns false where nothing was kept */
  bringBack(): boolean {
    const u = this.#words;
    const slot = this.table.inHand;
    if (slot < 0 || slot >= this.table.records) return false;
    if (u[MARK] === slot + 1) {
      copy(u, SESSION, this.#sessions, slot * SESSION_WORDS, SESSION_WORDS);
      copy(u, STREAM, this.#streams, slot * RECORD_WORDS, RECORD_WORDS);
      return true;
    }
    if (u[MARK] !== -(slot + 1)) return false;
    this.#cursor.at = slot * SESSION_WORDS;
    this.#cursor.clear();
    return true;
  }
}

function copy(from: Int32Array, at: number, to: Int32Array, toAt: number, words: number): void {
  for (let i = 0; i < words; i++) to[toAt + i] = from[at + i]!;
}
