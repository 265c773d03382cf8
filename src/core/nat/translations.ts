/**
 * The life of translations: bindings and flows made, timed out, cleared, and kept over a change of the configuration
 * where they are still valid. A port is free again when the last flow of its binding is gone.
 */
import { MAX_STATIC_NAT, type NatTimeouts, type StaticBinding } from '../policy.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { TimerWheel } from '../memory/timer-wheel.js';
import { AddressPool, type AddressRules } from './address-rules.js';
import { hasPorts, PortAllocator } from './port-allocator.js';
import { flowTimeoutMs, noteSegment } from './timeouts.js';
import { KIND_OF, NO_BINDING, NO_MAPPING, type Translation, TRANSLATION_WORDS } from './translation.js';
import { TranslationTable } from './translation-table.js';

/** Which translations: those that have all of these ends. */
export interface TranslationChoice {
  protocol?: number;
  insideGlobal?: number;
  insideGlobalPort?: number;
  insideLocal?: number;
  insideLocalPort?: number;
  outside?: number;
  outsidePort?: number;
}

const { binding: BINDING, flow: FLOW, static: STATIC, reserved: RESERVED } = KIND_OF;

/** Translations looked at in one call of `expire`, so that a burst of timeouts cannot stop the packets. */
const EXPIRE_BUDGET = 2000;
/** ms that a reserved port waits for its flow. */
const RESERVATION_MS = 60_000;

export class Translations {
  readonly table: TranslationTable;
  readonly ports = new PortAllocator();
  rules: AddressRules = { bindings: [], networks: [], mappings: [], own: new Set(), lists: new Map() };
  /** Records of each kind: a lookup leaves out a kind of which there are none. */
  flows = 0;
  portBindings = 0;
  hostBindings = 0;
  /** Translations that `max-entries` limits: flows, hosts with an address of a pool, reserved ports. */
  dynamic = 0;
  expired = 0;
  /** Dynamic translations that other shards have. Undefined: there are none. */
  elsewhere: (() => number) | undefined = undefined;

  readonly #timers: TimerWheel<Translation>;
  /** Cursor for the binding of a flow in hand, and for a walk. */
  readonly #binding: Translation;
  readonly #new: Translation;
  readonly #timeOut: (t: Translation) => void;

  /**
   * @param capacity most dynamic translations
   * @param seed     of the table's hash
   */
  constructor(
    private readonly capacity: number,
    seed: number,
    public timeouts: NatTimeouts,
    now: number,
    source: MemorySource = heapMemory,
  ) {
    // A flow of PAT has a binding, shared or not.
    this.table = new TranslationTable(2 * capacity + MAX_STATIC_NAT, seed, source);
    this.#timers = this.table.timers(now);
    this.#binding = this.table.cursor();
    this.#new = this.table.cursor();
    this.#timeOut = (t) => this.#end(t);
  }

  /** No more dynamic translations: the table or `max-entries` is full. */
  get full(): boolean {
    const { maxEntries } = this.timeouts;
    return this.tableFull || (maxEntries > 0 && this.#all >= maxEntries);
  }

  /** There are as many as may be, or no memory for another one. */
  get tableFull(): boolean {
    return this.#all >= this.capacity || !this.table.hasRoom;
  }

  /** Dynamic translations of all shards. */
  get #all(): number {
    return this.dynamic + (this.elsewhere?.() ?? 0);
  }

  /** Gives an inside host an address of a pool for itself. `t` moves to the binding. Not when `full`. */
  bindHost(t: Translation, local: number, global: number, mapping: number, now: number): void {
    this.#create(t, BINDING, 0, local, 0, global, 0, 0, 0, now);
    t.mapping = mapping;
    this.#start(t, this.timeouts.timeout * 1000, now);
  }

  /** Gives a port of an inside host a port of `global`, which `ports` has taken. `t` moves to the binding. */
  bindPort(
    t: Translation,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    mapping: number,
    now: number,
  ): void {
    this.#create(t, BINDING, protocol, local, localPort, global, globalPort, 0, 0, now);
    t.mapping = mapping;
  }

  /** Keeps a port binding for a flow that is to come, from whatever outside end. */
  reserve(t: Translation, now: number): void {
    if (!t.has(RESERVED)) {
      t.set(RESERVED);
      this.dynamic++;
    }
    this.#timers.restart(t, RESERVATION_MS, now);
  }

  /**
   * Makes the flow of a conversation. `t` moves to it. Not when `full`.
   * @param binding record number of the port binding it uses, NO_BINDING where the translation is static
   * @param flags   of its first TCP segment
   */
  openFlow(
    t: Translation,
    binding: number,
    staticPort: boolean,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    flags: number,
    now: number,
  ): void {
    this.#create(t, FLOW, protocol, local, localPort, global, globalPort, outside, outsidePort, now);
    if (staticPort) t.set(KIND_OF.staticPort);
    t.binding = binding;
    if (binding !== NO_BINDING) {
      const b = this.#at(binding);
      b.flows++;
      t.mapping = b.mapping;
    }
    noteSegment(t, flags);
    this.#start(t, flowTimeoutMs(t, this.timeouts), now);
  }

  /** Notes a packet of `t`. `flags`: of a TCP segment, which may change the timeout. */
  touch(t: Translation, isTcp: boolean, flags: number, now: number): void {
    t.since = now;
    if (isTcp && t.has(FLOW) && noteSegment(t, flags)) {
      this.#timers.cancel(t);
      this.#start(t, flowTimeoutMs(t, this.timeouts), now);
    }
  }

  /** Ends flow or dynamic binding `t`, and with the last flow of a port its binding. */
  end(t: Translation): void {
    this.#timers.cancel(t);
    if (t.has(BINDING)) {
      this.#release(t);
      return;
    }
    const { binding } = t;
    this.#remove(t);
    if (binding === NO_BINDING) return;
    const b = this.#at(binding);
    b.flows--;
    if (b.flows === 0 && !b.has(RESERVED)) this.#release(b);
  }

  /** Ends what has timed out. */
  expire(now: number): void {
    this.#timers.expire(now, EXPIRE_BUDGET, this.#timeOut);
  }

  /**
   * Takes over what another process has left in the table's memory. Before the first `configure`, which gives up what its
   * rules no longer allow.
   * @param mappings keys of `ip nat inside source list` by the number that records have
   * @returns how many could not be
   */
  adopt(mappings: readonly string[], now: number): number {
    const { table } = this;
    this.rules = {
      ...this.rules,
      mappings: mappings.map((key) => ({ key, name: '', list: '', overload: false, pool: NO_POOL })),
    };
    table.forEach((t) => {
      if (t.has(STATIC)) t.clear(); // the configuration brings them
    });
    let lost = table.adopt((t) => isSound(t, mappings.length));
    table.forEach((t) => {
      if (t.has(BINDING)) t.flows = 0;
    });
    table.forEach((t) => {
      if (!t.has(FLOW) || t.binding === NO_BINDING) return;
      const b = this.#at(t.binding);
      if (t.binding < table.records && b.has(BINDING)) b.flows++;
      else {
        lost++;
        table.remove(t);
      }
    });
    table.forEach((t) => {
      this.#count(t, 1);
      if (t.timeoutMs > 0) this.#timers.schedule(t, now);
    });
    table.forEach((t) => {
      const unused = t.has(BINDING) && t.protocol !== 0 && !t.has(STATIC | RESERVED) && t.flows === 0;
      if (unused) this.#release(t);
    });
    return lost;
  }

  /**
   * `clear ip nat translation`: ends dynamic translations, all or those chosen.
   * @returns how many there were
   */
  clear(which: TranslationChoice = {}): number {
    const before = this.dynamic;
    const chosen: number[] = [];
    this.table.forEach((t) => {
      if (isChosen(t, which)) chosen.push(t.slot);
    });
    this.#endWhere(chosen, () => true);
    return before - this.dynamic;
  }

  /**
   * Takes over a configuration; of the dynamic translations those stay that are still valid. Where only static entries
   * have come or gone, all that has nothing to do with their addresses stays as it is.
   */
  configure(rules: AddressRules, now: number): void {
    const mappingNow = new Map(rules.mappings.map((m, i) => [m.key, i]));
    const renumbered = this.rules.mappings.map((m) => mappingNow.get(m.key) ?? NO_MAPPING);
    const touched = touchedAddresses(this.rules, rules);
    const isTouched = (local: number, global: number): boolean =>
      touched === undefined || touched.has(local) || touched.has(global);
    const doubtful: number[] = [];
    this.table.forEach((t) => {
      if (!isTouched(t.insideLocal, t.insideGlobal)) return;
      if (t.has(STATIC)) this.#release(t);
      else doubtful.push(t.slot);
    });
    const bindings = rules.bindings.filter((b) => isTouched(b.local, b.global));
    // The newest binding of a host is found first: that shall be the first one configured.
    for (const e of [...bindings].reverse()) {
      this.#create(this.#new, BINDING | STATIC, e.protocol, e.local, e.localPort, e.global, e.globalPort, 0, 0, now);
    }
    const ofPorts = new Set(rules.bindings.filter((b) => b.protocol !== 0).map((b) => b.global));
    this.#endWhere(doubtful, (t) => !this.#isValid(t, rules, ofPorts, renumbered));
    if (touched === undefined) this.#renumber(rules, renumbered);
    else {
      this.rules = { ...rules, mappings: this.rules.mappings }; // the same, with what is taken of their pools
      for (const b of bindings) if (hasPorts(b.protocol)) this.ports.claim(b.protocol, b.global, b.globalPort);
    }
  }

  /** Puts other rules in force, and finds out anew which ports and addresses are taken. */
  #renumber(rules: AddressRules, renumbered: readonly number[]): void {
    this.rules = rules;
    this.ports.clear();
    this.table.forEach((t) => {
      if (t.mapping !== NO_MAPPING) t.mapping = renumbered[t.mapping]!;
      if (!t.has(BINDING)) return;
      const pool = rules.mappings[t.mapping]?.pool;
      if (t.protocol === 0) pool?.taken.take(pool.indexOf(t.insideGlobal));
      else if (hasPorts(t.protocol)) this.ports.claim(t.protocol, t.insideGlobal, t.insideGlobalPort);
    });
  }

  /** @param ofPorts addresses of which static entries have ports */
  #isValid(t: Translation, rules: AddressRules, ofPorts: ReadonlySet<number>, renumbered: readonly number[]): boolean {
    if (t.has(FLOW) && t.binding === NO_BINDING) return this.#isStatic(t, rules);
    if (t.protocol === 0 && ofPorts.has(t.insideGlobal)) return false;
    const found = this.#new;
    const { protocol, insideLocal, insideGlobal } = t;
    // A static entry takes precedence over the pool for its host, and has its inside global end for itself.
    if (this.table.findInside(found, BINDING, 0, insideLocal, 0, 0, 0) && found.has(STATIC)) return false;
    if (this.table.findOutside(found, BINDING, 0, insideGlobal, 0, 0, 0) && found.has(STATIC)) return false;
    if (
      protocol !== 0 &&
      ((this.table.findInside(found, BINDING, protocol, insideLocal, t.insideLocalPort, 0, 0) && found.has(STATIC)) ||
        (this.table.findOutside(found, BINDING, protocol, insideGlobal, t.insideGlobalPort, 0, 0) && found.has(STATIC)))
    )
      return false;
    if (t.mapping === NO_MAPPING) return rules.own.has(insideGlobal);
    return rules.mappings[renumbered[t.mapping]!]?.pool.has(insideGlobal) === true;
  }

  /** The static entry of flow `t` is still there. */
  #isStatic(t: Translation, rules: AddressRules): boolean {
    const found = this.#new;
    if (this.table.findOutside(found, BINDING, t.protocol, t.insideGlobal, t.insideGlobalPort, 0, 0))
      return found.insideLocal === t.insideLocal && found.insideLocalPort === t.insideLocalPort;
    if (this.table.findOutside(found, BINDING, 0, t.insideGlobal, 0, 0, 0)) return found.insideLocal === t.insideLocal;
    return rules.networks.some(
      (n) => (t.insideGlobal & n.mask) === n.global && (n.local | (t.insideGlobal & ~n.mask)) === t.insideLocal,
    );
  }

  /**
   * Ends dynamic translations. Flows first: a port binding goes with its last flow, a host's binding by itself.
   * @param slots record numbers of those in question, static ones perhaps among them
   */
  #endWhere(slots: readonly number[], chosen: (t: Translation) => boolean): void {
    const t = this.table.cursor();
    for (const kind of [FLOW, BINDING]) {
      for (const slot of slots) {
        t.at = slot * TRANSLATION_WORDS;
        if (t.has(kind) && !t.has(STATIC) && chosen(t)) this.end(t);
      }
    }
  }

  /** The time of `t` is up. */
  #end(t: Translation): void {
    this.expired++;
    if (t.has(RESERVED) && t.flows > 0) {
      t.unset(RESERVED); // its flows keep it
      this.dynamic--;
    } else {
      this.end(t);
    }
  }

  /** Takes a binding away, and gives its address or port back. */
  #release(b: Translation): void {
    this.#timers.cancel(b);
    if (hasPorts(b.protocol)) this.ports.free(b.protocol, b.insideGlobal, b.insideGlobalPort);
    if (!this.ports.inUse(b.insideGlobal)) this.#freeAddress(b.insideGlobal);
    this.#remove(b);
  }

  /** Gives an address back to every pool that it was kept from. */
  #freeAddress(global: number): void {
    for (const { pool } of this.rules.mappings) if (pool.has(global)) pool.taken.free(pool.indexOf(global));
  }

  #create(
    t: Translation,
    flags: number,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    now: number,
  ): void {
    const { table } = this;
    if (!table.create(t, flags, protocol, local, localPort, global, globalPort, outside, outsidePort, now))
      throw new Error('the translation table is smaller than its limits');
    this.#count(t, 1);
  }

  #remove(t: Translation): void {
    this.#count(t, -1);
    this.table.remove(t);
  }

  #count(t: Translation, change: 1 | -1): void {
    if (t.has(FLOW)) this.flows += change;
    else if (t.protocol === 0) this.hostBindings += change;
    else this.portBindings += change;
    if (!t.has(STATIC) && (t.has(FLOW | RESERVED) || t.protocol === 0)) this.dynamic += change;
  }

  /** Starts the timeout of `t`; 0: none. */
  #start(t: Translation, timeoutMs: number, now: number): void {
    t.timeoutMs = timeoutMs;
    t.since = now;
    if (timeoutMs > 0) this.#timers.schedule(t, now);
  }

  #at(slot: number): Translation {
    this.#binding.at = slot * TRANSLATION_WORDS;
    return this.#binding;
  }
}

const NO_POOL = new AddressPool(0, 0);

/** A record that another process has left can be one. @param mappings there were so many */
function isSound(t: Translation, mappings: number): boolean {
  const isOne = t.has(FLOW) !== t.has(BINDING);
  const dynamic = t.has(FLOW) ? t.binding >= NO_BINDING : true;
  return isOne && dynamic && t.timeoutMs >= 0 && t.mapping >= NO_MAPPING && t.mapping < mappings;
}

/** An end that `which` does not name may be any. A binding has no outside end. */
function isChosen(t: Translation, which: TranslationChoice): boolean {
  if (which.outside !== undefined && !t.has(FLOW)) return false;
  return (Object.keys(which) as (keyof TranslationChoice)[]).every((end) => which[end] === t[end]);
}

/**
 * Addresses whose translations another set of rules may change, so that an entry more or less does not concern a hundred
 * thousand flows; undefined: all. Of static entries, what both sets begin and end with alike is left out.
 */
function touchedAddresses(before: AddressRules, after: AddressRules): ReadonlySet<number> | undefined {
  const parts = ({ networks, mappings, own }: AddressRules): string =>
    JSON.stringify([networks, mappings.map((m) => [m.key, m.pool.first, m.pool.size]), [...own]]);
  if (parts(before) !== parts(after)) return undefined;
  const [a, b] = [before.bindings, after.bindings];
  const shorter = Math.min(a.length, b.length);
  let first = 0;
  while (first < shorter && sameBinding(a[first]!, b[first]!)) first++;
  let last = 0; // from the end
  while (last < shorter - first && sameBinding(a.at(-1 - last)!, b.at(-1 - last)!)) last++;
  const changed = [...a.slice(first, a.length - last), ...b.slice(first, b.length - last)];
  const touched = new Set(changed.flatMap(({ local, global }) => [local, global]));
  // Entries that share an address with one that is made anew are too: which comes first is their order.
  for (let size = -1; size !== touched.size;) {
    size = touched.size;
    for (const { local, global } of [...a, ...b])
      if (touched.has(local) || touched.has(global)) touched.add(local).add(global);
  }
  return touched;
}

const sameBinding = (a: StaticBinding, b: StaticBinding): boolean =>
  a.protocol === b.protocol &&
  a.local === b.local &&
  a.localPort === b.localPort &&
  a.global === b.global &&
  a.globalPort === b.globalPort;
