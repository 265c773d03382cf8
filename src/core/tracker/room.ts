/**
 * Where a table is full a new session takes the place of another one: of the oldest half-open one, else of that which
 * both sides have closed first. One that is established never goes for it. Inferred: what a 3640 does when its memory
 * is used up is not known; half-open sessions it deletes as its thresholds do.
 */
import type { FullTable } from '../events.js';
import type { StateIo } from '../memory/state-io.js';
import type { Row } from '../observe/row.js';
import { PLACE, type Place } from '../session/expendable.js';
import { responderNumber } from '../session/endpoints.js';
import { FLAG, type Session } from '../session/session.js';
import type { TrackerContext } from './context.js';
import type { Lifetimes } from './lifetimes.js';
import type { OwnSegments } from './own-segments.js';

/** The log says so much about a table at most, ms. */
const INTERVAL_MS = 60_000;

/** Sessions that may end for one translation: that of the first may have ended before. */
const MOST_FOR_A_TRANSLATION = 4;

/** By PLACE. */
const TABLES: readonly FullTable[] = ['sessions', 'uninspected', 'translations'];

/** What is to be said of a table. */
interface Shortage {
  halfOpen: number;
  ended: number;
  refused: number;
  /** Clock of the first one that has not been told of, ms. */
  since: number;
  /** Clock of the next message, ms. */
  next: number;
}

export class Room {
  /** Sessions that had to go. */
  #gone = 0;
  readonly #victim: Session;
  readonly #shortages: readonly Shortage[] = TABLES.map(() => ({
    halfOpen: 0,
    ended: 0,
    refused: 0,
    since: 0,
    next: 0,
  }));

  constructor(
    private readonly context: TrackerContext,
    private readonly lifetimes: Lifetimes,
    private readonly own: OwnSegments,
  ) {
    this.#victim = context.table.cursor();
  }

  /** Ends a session, so that another one can begin; false: there is none that may go. */
  make(place: Place, now: number): boolean {
    const s = this.#victim;
    const found = this.lifetimes.expendable.find(s, place);
    this.#note(place, !found ? 'refused' : s.has(FLAG.ended) ? 'ended' : 'halfOpen', now);
    if (found) this.#end(s);
    return found;
  }

  /** Ends sessions until there is room for a translation, as far as it goes. The NAT says what it refuses. */
  makeTranslation(now: number): void {
    const { translations } = this.context.nat;
    for (let n = 0; n < MOST_FOR_A_TRANSLATION && translations.tableFull; n++) {
      if (!this.lifetimes.expendable.find(this.#victim, PLACE.translated)) return;
      this.make(PLACE.translated, now);
    }
  }

  /** Says what has not been said yet. To be called now and then. */
  tick(now: number): void {
    for (const place of Object.values(PLACE)) {
      const { halfOpen, ended, refused } = this.#shortages[place]!;
      if (halfOpen + ended + refused > 0) this.#tell(place, now);
    }
  }

  rows(): Row[] {
    const help = 'Sessions, half-open or closed by both sides, that had to go where a table was full';
    return [{ family: 'reset', name: 'table-full', help, kind: 'counter', read: () => this.#gone }];
  }

  sync(io: StateIo): void {
    this.#gone = io.double(this.#gone);
  }

  /** A half-open connection is reset, as by the thresholds. Both ends of a closed one have said all they had to say. */
  #end(s: Session): void {
    const { nat } = this.context;
    const { protocol, initiator, initiatorPort, responder, seenResponder } = s;
    const number = responderNumber(s);
    const seenPort = this.own.seenPort(s);
    this.#gone++;
    if (s.has(FLAG.ended)) this.lifetimes.end(s, 'table-full');
    else this.lifetimes.reset(s, 'table-full');
    nat.forget(protocol, initiator, initiatorPort, responder, number, seenResponder, seenPort);
  }

  #note(place: Place, what: 'halfOpen' | 'ended' | 'refused', now: number): void {
    const shortage = this.#shortages[place]!;
    if (shortage.halfOpen + shortage.ended + shortage.refused === 0) shortage.since = now;
    shortage[what]++;
    this.#tell(place, now);
  }

  #tell(place: Place, now: number): void {
    const shortage = this.#shortages[place]!;
    if (now < shortage.next) return;
    const { halfOpen, ended, refused, since } = shortage;
    const seconds = Math.max(Math.ceil((now - since) / 1000), 1);
    shortage.halfOpen = 0;
    shortage.ended = 0;
    shortage.refused = 0;
    shortage.next = now + INTERVAL_MS;
    if (this.context.globals.alertOff) return;
    this.context.outbox.event({ type: 'table-full', table: TABLES[place]!, halfOpen, ended, refused, seconds });
  }
}
