import { SERVICES } from '../inspect/rules.js';
import type { StateIo } from '../memory/state-io.js';
import type { Row } from '../observe/row.js';
import { MinuteCount } from './minute-count.js';

/** What is counted by service: SIS_OPENING, SIS_OPEN, and all behind it. */
const STATES = ['opening', 'open', 'closing'] as const;

/** Counts of sessions, as `show ip inspect statistics` prints them. */
export class SessionStatistics {
  /** Inspected packets by service, index into SERVICES. */
  readonly packets = new Float64Array(SERVICES.length);
  readonly creations = new MinuteCount();
  /** Current sessions of other shards, by SIS. Undefined: there are none. */
  elsewhere: ((state: number) => number) | undefined = undefined;

  /** Current sessions by service and state. */
  readonly #current = new Int32Array(SERVICES.length * STATES.length);
  established = 0;
  halfOpen = 0;
  terminating = 0;
  maxEstablished = 0;
  maxHalfOpen = 0;
  maxTerminating = 0;
  created = 0;
  /** Clock of the last creation, ms; undefined: never. */
  lastCreated: number | undefined = undefined;

  /** Clock of the last `clear`, ms; undefined: never. */
  lastCleared: number | undefined = undefined;

  /** Starts the counts again. Current sessions are no count, and become the maximum. */
  clear(now: number): void {
    this.packets.fill(0);
    this.creations.clear();
    this.created = 0;
    this.lastCreated = undefined;
    this.maxEstablished = this.established + (this.elsewhere?.(1) ?? 0);
    this.maxHalfOpen = this.halfOpen + (this.elsewhere?.(0) ?? 0);
    this.maxTerminating = this.terminating + (this.elsewhere?.(2) ?? 0);
    this.lastCleared = now;
  }

  /** Saves or loads the counts; of the sessions that there are, each is to `enter` again. */
  sync(io: StateIo): void {
    for (let i = 0; i < this.packets.length; i++) this.packets[i] = io.double(this.packets[i]!);
    this.creations.sync(io);
    this.maxEstablished = io.int(this.maxEstablished);
    this.maxHalfOpen = io.int(this.maxHalfOpen);
    this.maxTerminating = io.int(this.maxTerminating);
    this.created = io.double(this.created);
    this.lastCreated = syncOptional(io, this.lastCreated);
    this.lastCleared = syncOptional(io, this.lastCleared);
  }

  /** A session was created. */
  noteCreated(now: number): void {
    this.created++;
    this.lastCreated = now;
    this.creations.add(now);
  }

  /** Sessions created in the last sixty seconds. */
  creationRate(now: number): number {
    return this.creations.count(now);
  }

  /** A session of `service` (index) has entered `state` (SIS). */
  enter(state: number, service: number): void {
    this.#current[placeOf(state, service)]!++;
    const elsewhere = this.elsewhere?.(state) ?? 0;
    if (state === 0) this.maxHalfOpen = Math.max(this.maxHalfOpen, ++this.halfOpen + elsewhere);
    else if (state === 1) this.maxEstablished = Math.max(this.maxEstablished, ++this.established + elsewhere);
    else this.maxTerminating = Math.max(this.maxTerminating, ++this.terminating + elsewhere);
  }

  /** A session of `service` has left `state`. */
  leave(state: number, service: number): void {
    this.#current[placeOf(state, service)]!--;
    if (state === 0) this.halfOpen--;
    else if (state === 1) this.established--;
    else this.terminating--;
  }

  /** Sessions there are, by service and state. */
  rows(): Row[] {
    return SERVICES.flatMap((service, i) =>
      STATES.map((state, j): Row => ({
        family: 'session',
        name: `${service}/${state}`,
        help: 'Inspected sessions there are, by service and state',
        kind: 'gauge',
        read: () => this.#current[placeOf(j, i)]!,
      })),
    );
  }
}

const placeOf = (state: number, service: number): number =>
  service * STATES.length + Math.min(state, STATES.length - 1);

function syncOptional(io: StateIo, v: number | undefined): number | undefined {
  const known = io.flag(v !== undefined);
  const value = io.double(v ?? 0);
  return known ? value : undefined;
}
