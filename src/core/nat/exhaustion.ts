/** Tells that translations are refused for want of addresses, ports or room: at once, then summed up. */
import type { Event } from '../events.js';

/** ms in which a shortage is reported once. */
const INTERVAL_MS = 30_000;

/** What ran out: addresses or ports of a pool or interface, or entries (`max-entries`, or our own limit). */
export type Shortage = 'addresses' | 'entries';

interface Reported {
  next: number;
  refused: number;
}

export class ExhaustionLog {
  readonly #reported = new Map<string, Reported>();

  constructor(private readonly emit: (e: Event) => void) {}

  /** A packet of `insideLocal` was refused. @param pool name of the pool or interface */
  note(shortage: Shortage, pool: string, insideLocal: number, now: number): void {
    const key = shortage === 'entries' ? shortage : pool;
    let r = this.#reported.get(key);
    if (r === undefined) this.#reported.set(key, (r = { next: now, refused: 0 }));
    r.refused++;
    if (now < r.next) return;
    this.emit({ type: 'nat-exhausted', shortage, pool, insideLocal, refused: r.refused });
    r.refused = 0;
    r.next = now + INTERVAL_MS;
  }
}
