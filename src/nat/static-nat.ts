/**
 * `ip nat inside source static`: inside local ↔ inside global, one to one, for every protocol and in both directions.
 * Words as in RFC 3022 and IOS.
 */
import type { StaticNat } from '../ios/config/model.js';

export class StaticTranslations {
  /** Packets that found an entry, and packets from inside that found none. */
  hits = 0;
  misses = 0;
  readonly #toGlobal = new Map<number, number>();
  readonly #toLocal = new Map<number, number>();

  constructor(readonly entries: readonly StaticNat[]) {
    for (const e of entries) {
      this.#toGlobal.set(e.insideLocal, e.insideGlobal);
      this.#toLocal.set(e.insideGlobal, e.insideLocal);
    }
  }

  /** The inside local address behind an inside global one; any other address as it is. int32, host order. */
  toLocal(address: number): number {
    return this.#toLocal.get(address) ?? address;
  }

  /** The inside global address of an inside local one; any other address as it is. int32, host order. */
  toGlobal(address: number): number {
    return this.#toGlobal.get(address) ?? address;
  }
}
