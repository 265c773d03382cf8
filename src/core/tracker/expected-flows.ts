/**
 * Data connections that a control connection has announced and that have not come yet (IOS: pre-generated sessions).
 * The source port is not known. A control connection expects one at a time, or a few where its client does not wait for
 * replies; who does not come in time is forgotten. Each has a record, so that another process can go on expecting it.
 */
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import { low16, record, word } from '../memory/record.js';
import { TableMemory } from '../memory/table-memory.js';
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

/** Connections that all control connections may expect. */
export const MOST_EXPECTED_IN_ALL = 4096;

export const EXPECTED_WORDS = 8;
export const EXPECTED_FIELDS = {
  next: word(0),
  src: word(1),
  dst: word(2),
  dstPort: low16(3),
  /** Number of the control connection's record + 1; 0: the record is not in use. */
  control: word(4),
  /** ms, int32. */
  until: word(5),
} as const;
const ExpectedRecord = record(EXPECTED_WORDS, EXPECTED_FIELDS);

export class ExpectedFlows {
  /** Announced and not expected, since there were too many. */
  refused = 0;
  /** By destination; several where more than one control connection expects something there. */
  readonly #byDestination = new Map<number, ExpectedFlow[]>();
  /** In the order in which they were announced. */
  readonly #byControl = new Map<number, ExpectedFlow[]>();
  readonly #slots = new Map<ExpectedFlow, number>();
  readonly #table: TableMemory;
  readonly #record: InstanceType<typeof ExpectedRecord>;

  constructor(source: MemorySource = heapMemory) {
    const links = [EXPECTED_FIELDS.next.word];
    this.#table = new TableMemory(
      { name: 'expected', capacity: MOST_EXPECTED_IN_ALL, recordWords: EXPECTED_WORDS, links, timed: false },
      source,
    );
    this.#record = new ExpectedRecord(this.#table.memory);
  }

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
    const own = this.#byControl.get(e.control) ?? [];
    if (own.length >= MOST_EXPECTED) this.fulfil(own[0]!);
    const slot = this.#table.slots.take();
    if (slot < 0) {
      this.refused++;
      return;
    }
    this.#write(slot, e);
    this.#enter(e, slot);
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
    const count = own.length;
    for (const e of [...own]) this.fulfil(e);
    return count;
  }

  /** `e`, which is expected, has come, or is announced again. */
  fulfil(e: ExpectedFlow): void {
    const own = this.#byControl.get(e.control)!;
    if (own.length === 1) this.#byControl.delete(e.control);
    else own.splice(own.indexOf(e), 1);
    this.#remove(e);
  }

  /**
   * Takes over what another process has left, as far as `ruleOf` knows the control connection's rule.
   * @param now the clock, ms
   */
  adopt(now: number, ruleOf: (control: number) => RuleEntry | undefined): void {
    const { slots } = this.#table;
    const r = this.#record;
    this.#table.restart();
    for (let slot = 0; slot < slots.records; slot++) {
      r.at = slot * EXPECTED_WORDS;
      const control = r.control - 1;
      const rule = control < 0 ? undefined : ruleOf(control);
      const until = now + ((r.until - now) | 0);
      if (rule === undefined || until <= now) {
        r.control = 0;
        slots.give(slot);
      } else this.#enter({ src: r.src, dst: r.dst, dstPort: r.dstPort, rule, control, until }, slot);
    }
  }

  #enter(e: ExpectedFlow, slot: number): void {
    this.#slots.set(e, slot);
    const own = this.#byControl.get(e.control);
    if (own === undefined) this.#byControl.set(e.control, [e]);
    else own.push(e);
    const key = keyOf(e.dst, e.dstPort);
    const others = this.#byDestination.get(key);
    if (others === undefined) this.#byDestination.set(key, [e]);
    else others.push(e);
  }

  #write(slot: number, e: ExpectedFlow): void {
    const r = this.#record;
    r.at = slot * EXPECTED_WORDS;
    r.src = e.src;
    r.dst = e.dst;
    r.dstPort = e.dstPort;
    r.until = e.until;
    r.control = e.control + 1; // last: now it is in use
  }

  #remove(e: ExpectedFlow): void {
    const key = keyOf(e.dst, e.dstPort);
    const there = this.#byDestination.get(key)!;
    if (there.length === 1) this.#byDestination.delete(key);
    else there.splice(there.indexOf(e), 1);
    const slot = this.#slots.get(e)!;
    this.#slots.delete(e);
    this.#record.at = slot * EXPECTED_WORDS;
    this.#record.control = 0;
    this.#table.slots.give(slot);
  }
}

/** An int32, with which a Map is quick; equal keys are told apart by the fields. */
const keyOf = (dst: number, dstPort: number): number => dst ^ (dstPort << 16);
