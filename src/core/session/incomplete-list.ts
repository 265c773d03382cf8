/** The connections of `ip tcp intercept` that are not complete, in the order in which they began: a list through the records. */
import { FLAG, INTERCEPT, SESSION_WORDS, type Session } from './session.js';

const NONE = -1;

export class IncompleteList {
  count = 0;
  #oldest = NONE;
  #newest = NONE;

  /** Adds `s` as the youngest. */
  add(s: Session): void {
    const w = s.words;
    s.set(FLAG.incomplete);
    w[s.at + INTERCEPT.next] = NONE;
    w[s.at + INTERCEPT.previous] = this.#newest;
    if (this.#newest === NONE) this.#oldest = s.slot;
    else w[this.#newest * SESSION_WORDS + INTERCEPT.next] = s.slot;
    this.#newest = s.slot;
    this.count++;
  }

  /** Takes `s` out, if it is in. */
  remove(s: Session): void {
    if (!s.has(FLAG.incomplete)) return;
    s.unset(FLAG.incomplete);
    const w = s.words;
    const next = w[s.at + INTERCEPT.next]!;
    const previous = w[s.at + INTERCEPT.previous]!;
    if (previous === NONE) this.#oldest = next;
    else w[previous * SESSION_WORDS + INTERCEPT.next] = next;
    if (next === NONE) this.#newest = previous;
    else w[next * SESSION_WORDS + INTERCEPT.previous] = previous;
    this.count--;
  }

  /**
   * Moves `cursor` to the oldest, or one that is `steps` younger, if there are so many.
   * @returns false where there is none
   */
  find(cursor: Session, steps = 0): boolean {
    if (this.#oldest === NONE) return false;
    cursor.at = this.#oldest * SESSION_WORDS;
    for (let i = 0; i < steps; i++) {
      const next = cursor.words[cursor.at + INTERCEPT.next]!;
      if (next === NONE) break;
      cursor.at = next * SESSION_WORDS;
    }
    return true;
  }
}
