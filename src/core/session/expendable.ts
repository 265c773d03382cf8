/**
 * Sessions that may have to go where a new one finds no room: half-open ones, and those that both sides have closed. They
 * stand in lists, by age and by what their end gives back, so that whose turn it is takes a look at the heads.
 */
import { FLAG, type Session, SESSION_FIELDS } from './session.js';
import { SessionList } from './session-list.js';

/** What is wanted: the place of any session, of one that no rule inspects, of one that has a translation for itself. */
export const PLACE = { any: 0, uninspected: 1, translated: 2 } as const;
export type Place = (typeof PLACE)[keyof typeof PLACE];

/** Bit of a list's number beside those of PLACE: both sides have closed its sessions. */
const ENDED = 4;

export class Expendable {
  readonly #lists = Array.from(
    { length: 2 * ENDED },
    () => new SessionList(FLAG.expendable, SESSION_FIELDS.expendableNext.word, SESSION_FIELDS.expendablePrevious.word),
  );

  /** @param head a cursor over the table's memory that nobody else moves */
  constructor(private readonly head: Session) {}

  /** Session `s` is half-open, or closed by both sides, from now on. */
  add(s: Session): void {
    this.#lists[listOf(s)]!.add(s);
  }

  /** It is so no longer, or gone. */
  remove(s: Session): void {
    this.#lists[listOf(s)]!.remove(s);
  }

  /**
   * Moves `cursor` to the session that goes first: the oldest half-open one, then that which was closed first.
   * @returns false where there is none
   */
  find(cursor: Session, place: Place): boolean {
    return this.#findFrom(0, cursor, place) || this.#findFrom(ENDED, cursor, place);
  }

  #findFrom(first: number, cursor: Session, place: Place): boolean {
    const { head } = this;
    let found = false;
    let oldest = 0;
    for (let list = first; list < first + ENDED; list++) {
      if ((list & place) !== place || !this.#lists[list]!.oldest(head)) continue;
      const began = first === ENDED ? head.since : head.created;
      if (found && ((began - oldest) | 0) >= 0) continue;
      found = true;
      oldest = began;
      cursor.at = head.at;
    }
    return found;
  }
}

const listOf = (s: Session): number =>
  (s.has(FLAG.ended) ? ENDED : 0) |
  (s.has(FLAG.translated) ? PLACE.translated : 0) |
  (s.has(FLAG.uninspected) ? PLACE.uninspected : 0);
