/**
 * Says that sessions of one address use up their share of the reassembly memory: once a minute at most, with the
 * number of segments that were refused or given up for it meanwhile (`ip inspect tcp reassembly alarm`).
 */
import type { Outbox } from '../outbox.js';

const QUIET_MS = 60_000;

export class MemoryAlert {
  enabled = true;
  #segments = 0;
  /** When the last message was given, ms; undefined: none was. */
  #since: number | undefined = undefined;

  constructor(private readonly outbox: Outbox) {}

  /** A segment was dropped because sessions of `address` use so much memory. */
  note(address: number, now: number): void {
    this.#segments++;
    if (this.#since !== undefined && now - this.#since < QUIET_MS) return;
    this.#since = now;
    if (this.enabled) this.outbox.event({ type: 'tcp-memory', address, segments: this.#segments });
    this.#segments = 0;
  }
}
