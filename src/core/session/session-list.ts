/** A list through the records of the table: sessions in the order in which they were added. */
import { SESSION_WORDS, type Session } from './session.js';

const NONE = -1;

export class SessionList {
  count = 0;
  #oldest = NONE;
  #newest = NONE;

  /**
   * @param flag of a session that is in the list, or in one of several with the same words
   * @param next, previous words of a record that are this list's
   */
  constructor(
    private readonly flag: number,
    private readonly next: number,
    private readonly previous: number,
  ) {}

  /** Adds `s` as the youngest. It must not be in the list. */
  add(s: Session): void {
    const w = s.words;
    s.set(this.flag);
    w[s.at + this.next] = NONE;
    w[s.at + this.previous] = this.#newest;
    if (this.#newest === NONE) this.#oldest = s.slot;
    else w[this.#newest * SESSION_WORDS + this.next] = s.slot;
    this.#newest = s.slot;
    this.count++;
  }

  /** Takes `s` out, if it is in. */
  remove(s: Session): void {
    if (!s.has(this.flag)) return;
    s.unset(this.flag);
    const w = s.words;
    const next = w[s.at + this.next]!;
    const previous = w[s.at + this.previous]!;
    if (previous === NONE) this.#oldest = next;
    else w[previous * SESSION_WORDS + this.next] = next;
    if (next === NONE) this.#newest = previous;
    else w[next * SESSION_WORDS + this.previous] = previous;
    this.count--;
  }

  /** Moves `cursor` to the oldest; false where there is none. */
  oldest(cursor: Session): boolean {
    return move(cursor, this.#oldest);
  }

  /** Moves `cursor` from one session of the list to the next younger one; false, and nowhere, where there is none. */
  younger(cursor: Session): boolean {
    return move(cursor, cursor.words[cursor.at + this.next]!);
  }
}

function move(cursor: Session, slot: number): boolean {
  if (slot === NONE) return false;
  cursor.at = slot * SESSION_WORDS;
  return true;
}
