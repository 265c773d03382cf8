/** The half-open sessions in the order in which they began: a list through the records of the table. */
import { FLAG, type Session, SESSION_WORDS } from './session.js';

const NONE = -1;

export class HalfOpenList {
  count = 0;
  #oldest = NONE;
  #newest = NONE;

  /** @param link a cursor over the table's memory that nobody else moves */
  constructor(private readonly link: Session) {}

  /** Adds `s` as the youngest. */
  add(s: Session): void {
    s.set(FLAG.halfOpen);
    s.halfOpenNext = NONE;
    s.halfOpenPrevious = this.#newest;
    if (this.#newest === NONE) this.#oldest = s.slot;
    else this.#at(this.#newest).halfOpenNext = s.slot;
    this.#newest = s.slot;
    this.count++;
  }

  /** Takes `s` out, if it is in. */
  remove(s: Session): void {
    if (!s.has(FLAG.halfOpen)) return;
    s.unset(FLAG.halfOpen);
    const next = s.halfOpenNext;
    const previous = s.halfOpenPrevious;
    if (previous === NONE) this.#oldest = next;
    else this.#at(previous).halfOpenNext = next;
    if (next === NONE) this.#newest = previous;
    else this.#at(next).halfOpenPrevious = previous;
    this.count--;
  }

  /**
   * Moves `cursor` to the oldest half-open session, or the oldest TCP one to `responder`.
   * @returns false where there is none
   */
  oldest(cursor: Session, protocol?: number, responder?: number): boolean {
    for (let slot = this.#oldest; slot !== NONE; slot = cursor.halfOpenNext) {
      cursor.at = slot * SESSION_WORDS;
      if (responder === undefined || (cursor.protocol === protocol && cursor.responder === responder)) return true;
    }
    return false;
  }

  #at(slot: number): Session {
    this.link.at = slot * SESSION_WORDS;
    return this.link;
  }
}
