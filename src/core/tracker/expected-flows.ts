/**
 * Data connections that a control connection has announced and that have not come yet (IOS: pre-generated sessions).
 * The source port is not known. A control connection expects one at a time, or a few where its client does not wait for
 * replies; who does not come in time is forgotten.
 */
import type { RuleEntry } from '../inspect/rules.js';
import type { Flow } from '../session/flow.js';

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

/** Connections that one control connection may expect at a time. Where there are more, the first one is forgotten. */
export const MOST_EXPECTED = 4;

export class ExpectedFlows {
  /** By destination; several where more than one control connection expects something there. */
  readonly #byDestination = new Map<number, ExpectedFlow[]>();
  /** In the order in which they were announced. */
  readonly #byControl = new Map<number, ExpectedFlow[]>();

  /** All that is expected, those too late included. */
  *all(): Iterable<ExpectedFlow> {
    for (const flows of this.#byControl.values()) yield* flows;
  }

  /** Expects `e`, besides what its control connection expects already. The same connection is expected once. */
  add(e: ExpectedFlow): void {
    const same = this.#byControl
      .get(e.control)
      ?.find((o) => o.src === e.src && o.dst === e.dst && o.dstPort === e.dstPort);
    if (same !== undefined) this.fulfil(same);
    const own = this.#byControl.get(e.control);
    if (own === undefined) this.#byControl.set(e.control, [e]);
    else {
      if (own.length >= MOST_EXPECTED) this.#remove(own.shift()!);
      own.push(e);
    }
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

  /** The control connection in record `control` expects nothing more. @returns how many it expected */
  forget(control: number): number {
    const own = this.#byControl.get(control);
    if (own === undefined) return 0;
    this.#byControl.delete(control);
    for (const e of own) this.#remove(e);
    return own.length;
  }

  /** `e`, which is expected, has come, or is announced again. */
  fulfil(e: ExpectedFlow): void {
    const own = this.#byControl.get(e.control)!;
    if (own.length === 1) this.#byControl.delete(e.control);
    else own.splice(own.indexOf(e), 1);
    this.#remove(e);
  }

  #remove(e: ExpectedFlow): void {
    const key = keyOf(e.dst, e.dstPort);
    const there = this.#byDestination.get(key)!;
    if (there.length === 1) this.#byDestination.delete(key);
    else there.splice(there.indexOf(e), 1);
  }
}

/** Small enough for a Map of numbers to be quick; equal keys are told apart by the fields. */
const keyOf = (dst: number, dstPort: number): number => ((dst ^ (dst >>> 16)) & 0x3fff) * 65_536 + dstPort;
