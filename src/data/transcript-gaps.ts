/**
 * Lines of transcripts that were too many, by session: the next line that goes through says how many are missing before
 * it. That a dialogue has ended is told in any case, if a little later.
 */
import type { Event } from '../core/events.js';

export type TranscriptEvent = Extract<Event, { type: 'transcript' }>;

/** Sessions that owe lines, most. Of more of them only the sum is told, by the log. */
const MOST_OWING = 4096;
/** Told in one call, most. */
const MOST_AT_ONCE = 32;

export class TranscriptGaps {
  /** The last event of a session that was left out, and how many there were, by number of the session. */
  readonly #owing = new Map<number, TranscriptEvent>();

  get isEmpty(): boolean {
    return this.#owing.size === 0;
  }

  /** `e` is left out. */
  note(e: TranscriptEvent): void {
    const { sessionId } = e.endpoints;
    const owed = this.#owing.get(sessionId);
    if (owed === undefined && this.#owing.size >= MOST_OWING) return;
    this.#owing.set(sessionId, { ...e, leftOut: (owed?.leftOut ?? 0) + lines(e) });
  }

  /** What is to be told before `e`, which goes through: the end of another session of the number; else `e` tells it. */
  settle(e: TranscriptEvent): TranscriptEvent | undefined {
    const { sessionId } = e.endpoints;
    const owed = this.#owing.get(sessionId);
    if (owed === undefined) return undefined;
    this.#owing.delete(sessionId);
    if (owed.entry.what === 'end') return owed;
    e.leftOut = owed.leftOut;
    return undefined;
  }

  /** What is owed and no line has told, some of it: now and then. */
  due(): TranscriptEvent[] {
    const some: TranscriptEvent[] = [];
    for (const [sessionId, owed] of this.#owing) {
      if (some.length === MOST_AT_ONCE) break;
      this.#owing.delete(sessionId);
      some.push(owed.entry.what === 'end' ? owed : { ...owed, entry: { what: 'gap' } });
    }
    return some;
  }
}

const lines = ({ entry: { what } }: TranscriptEvent): number => (what === 'begin' || what === 'end' ? 0 : 1);
