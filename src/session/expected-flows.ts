/**
 * Data connections that a control connection has announced and that have not come yet (IOS: pre-generated sessions).
 * The source port is not known. A control connection expects one at a time; who does not come in time is forgotten.
 */
import type { RuleEntry } from '../inspect/rules.js';
import type { Flow } from './flow.js';

/** Addresses in inside local terms, int32. */
export interface ExpectedFlow {
  readonly src: number;
  readonly dst: number;
  readonly dstPort: number;
  /** Rule of the control connection, whose settings hold for the data connection too. */
  readonly rule: RuleEntry;
  /** Record number of the control connection. */
  readonly control: number;
  /** Clock of its end, ms. */
  readonly until: number;
}

export class ExpectedFlows {
  /** By destination; several where more than one control connection expects something there. */
  readonly #byDestination = new Map<number, ExpectedFlow[]>();
  readonly #byControl = new Map<number, ExpectedFlow>();

  get size(): number {
    return this.#byControl.size;
  }

  /** All that is expected, those too late included. */
  all(): Iterable<ExpectedFlow> {
    return this.#byControl.values();
  }

  /** Expects `e`. The same control connection must expect nothing else: `forget` it before. */
  add(e: ExpectedFlow): void {
    this.#byControl.set(e.control, e);
    const key = keyOf(e.dst, e.dstPort);
    const others = this.#byDestination.get(key);
    if (others === undefined) this.#byDestination.set(key, [e]);
    else others.push(e);
  }

  /** The expectation that a packet of flow `f` fulfils, undefined where there is none. */
  find(f: Flow, now: number): ExpectedFlow | undefined {
    if (this.#byControl.size === 0) return undefined;
    const there = this.#byDestination.get(keyOf(f.dst, f.dstPort));
    if (there === undefined) return undefined;
    for (const e of there) {
      if (e.src === f.src && e.dst === f.dst && e.dstPort === f.dstPort && e.until > now) return e;
    }
    return undefined;
  }

  /** The control connection in record `control` expects nothing more. @returns false: it expected nothing */
  forget(control: number): boolean {
    const e = this.#byControl.get(control);
    if (e === undefined) return false;
    this.#byControl.delete(control);
    const key = keyOf(e.dst, e.dstPort);
    const there = this.#byDestination.get(key)!;
    if (there.length === 1) this.#byDestination.delete(key);
    else there.splice(there.indexOf(e), 1);
    return true;
  }
}

/** Small enough for a Map of numbers to be quick; equal keys are told apart by the fields. */
const keyOf = (dst: number, dstPort: number): number => ((dst ^ (dst >>> 16)) & 0x3fff) * 65_536 + dstPort;
