/**
 * Makes the Linux host the router of the configuration, and undoes exactly that. Changes are made in the plan's
 * order, rules first and forwarding last, and undone backwards: at no moment does the kernel forward without the
 * queue. A crash leaves all as it is: with nobody at the queue the rules drop everything, and the next start takes
 * over from the journal.
 */
import { dirname } from 'node:path';
import { sameParts } from '../ios/config/fork.js';
import type { RouterConfig } from '../ios/config/model.js';
import { changeId, Journal, journalPath, lockPath, type JournalEntry } from './host-journal.js';
import { checkBindings, planHost } from './host-plan.js';
import type { HostChange, HostNote, HostOptions, HostPlan, HostRoute } from './host-plan.js';
import { HostError, linux, type HostSystem } from './host-system.js';
import { endLeftShards } from './end-process.js';
import { HostLock } from './host-watch.js';
import { ShardFiles } from './shard-files.js';
import { parseAddress } from '../ios/ipv4-text.js';
import {
  type IpChange,
  IpState,
  type Link,
  makeLine,
  unlockLine,
  runBatch,
  undoLine,
  wantedState as wantedIpState,
} from './ip-state.js';
import {
  conntrackSigns,
  countRules,
  deliveryChain,
  dropsByDefault,
  errorChain,
  hasChain,
  ipv6Chain,
  ownRules,
  isolationChain,
  queueChain,
  removeChain,
} from './netfilter.js';
import type { Table } from './netfilter.js';

type Family = 'ipv4' | 'ipv6';
const IPTABLES: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };

/** Tables with a chain of ours. The queue comes first and goes last. */
const TABLES: Readonly<Record<Family, readonly Omit<Table, 'existing'>[]>> = {
  ipv4: [
    { name: 'raw', hook: 'PREROUTING' },
    { name: 'filter', hook: 'FORWARD' },
    { name: 'mangle', hook: 'OUTPUT' },
    { name: 'filter', hook: 'INPUT', chain: 'FW3640-INPUT' },
  ],
  ipv6: [{ name: 'filter', hook: 'FORWARD' }],
};

/** The host at one moment. */
export interface HostLook {
  /** What is not as it was made, a phrase each. */
  differences: string[];
  /** The mapped Linux interfaces; undefined: it is gone. */
  links: ReadonlyMap<string, Link | undefined>;
}

export class HostSetup {
  readonly #system: HostSystem;
  readonly #journal: Journal;
  /** There are rules that keep packets out, of this run or of one that crashed: no failure may remove them. */
  #inForce: boolean;
  /** What the last call has made, and of which configuration; undefined where it failed. */
  #made: { config: RouterConfig; changes: readonly HostChange[] } | undefined;
  #links: ReadonlyMap<string, Link> = new Map();
  /** What `ownRules` says when they are as they should be, for which plan; how many the last call has made. */
  #rules = '';
  #rulesPlan = '';
  #madeRules = 0;

  /** @throws HostError if the journal of an earlier run cannot be read */
  constructor(system: HostSystem = linux, path = journalPath()) {
    this.#system = system;
    const state = IpState.of(system);
    this.#journal = new Journal(path, (device) => state.link(device)?.address);
    this.#inForce = this.#journal.inherited;
  }

  /** A run that did not end in order has left its journal here. */
  get isInherited(): boolean {
    return this.#journal.inherited;
  }

  /**
   * Whether a run that did not end in order has left its rules here: then nothing passes that is not judged, also before
   * `apply`. The links are taken as they are; it is not so where one is missing.
   */
  takeOver(bindings: ReadonlyMap<string, string>): boolean {
    if (!this.#journal.inherited || this.#journal.find('rules ipv4') === undefined) return false;
    const state = IpState.of(this.#system);
    const links = new Map<string, Link>();
    for (const device of bindings.values()) {
      const link = state.link(device);
      if (link === undefined) return false;
      links.set(device, link);
    }
    this.#links = links;
    return true;
  }

  /**
   * Sets addresses, routes, sysctls and rules, whatever part of them is there already: from an earlier call with
   * another configuration, or from a run that crashed.
   * @param bindings canonical IOS interface name → Linux interface
   * @returns what the operator should know; of the host itself once
   * @throws HostError if the host refuses. What was changed is undone then, unless there was an earlier call or a
   *   crashed run: its rules stay.
   */
  apply(config: RouterConfig, bindings: ReadonlyMap<string, string>, options: HostOptions): HostNote[] {
    const state = IpState.of(this.#system);
    const faults = checkBindings(config, bindings);
    const missing = [...bindings.values()].filter((device) => state.link(device) === undefined);
    faults.push(...missing.map((device) => `there is no interface '${device}' (ip link lists them)`));
    if (faults.length > 0) throw new HostError(faults.join('; '));
    this.#refuseIfRunning();

    const notes = this.#made === undefined ? this.#survey(bindings, options) : [];
    const plan = this.#plan(config, bindings, options);
    this.#links = new Map([...bindings.values()].map((device) => [device, state.link(device)!]));
    try {
      this.#journal.own(Object.fromEntries([...bindings.values()].map((d) => [d, state.link(d)!.address])));
      this.#made = undefined; // until all is done
      this.#madeRules = 0;
      this.#carryOut(plan.changes);
      this.#made = { config, changes: plan.changes };
    } catch (error) {
      if (!this.#inForce) this.undo();
      throw error;
    }
    this.#inForce = true;
    this.#noteRules(plan.changes);
    return [...notes, ...plan.notes, ...this.#shadowedRoutes(plan.changes)];
  }

  /**
   * Goes on to another configuration. What the last call has made is taken for granted where only sysctls, routes and
   * inside global addresses differ, on which nothing else depends: a line typed on the console keeps no packet waiting.
   * A device that was replaced meanwhile has lost its sysctls; then all is made anew.
   * @throws HostError as `apply`
   */
  change(config: RouterConfig, bindings: ReadonlyMap<string, string>, options: HostOptions): void {
    const made = this.#made;
    if (made === undefined || !this.#sysctlsHold(made.changes)) {
      this.apply(config, bindings, options);
      return;
    }
    if (sameParts(config, made.config, ['interfaces', 'nat', 'routes'])) return;
    const { changes } = this.#plan(config, bindings, options);
    const [gone, open] = differing(made.changes, changes);
    if ([...gone, ...open].every(standsAlone)) {
      try {
        this.#replace(gone, open);
        this.#made = { config, changes };
        return;
      } catch (error) {
        if (!(error instanceof HostError)) throw error; // else it is not as it was made
      }
    }
    this.apply(config, bindings, options);
  }

  /** Makes some changes in place of others, all of which are as they were made. */
  #replace(gone: readonly HostChange[], open: readonly HostChange[]): void {
    const stays = new Set(open.map(changeId)); // with another value
    const there = new Set(gone.map((change) => JSON.stringify(change)));
    const asMade: Observer = {
      observe: (change) => (there.has(JSON.stringify(change)) ? wantedIpState(change) : undefined),
    };
    const ended = gone.filter((change) => !stays.has(changeId(change)));
    this.#made = undefined; // until all is done
    this.#undo(
      ended.flatMap((change) => this.#journal.find(changeId(change)) ?? []),
      () => asMade,
    );
    this.#ensure(open, () => asMade);
  }

  #sysctlsHold(changes: Iterable<HostChange>): boolean {
    for (const c of changes) if (c.kind === 'sysctl' && this.#system.readSysctl(c.key) !== c.value) return false;
    return true;
  }

  /**
   * How the host differs from what the last call has made, rules and devices included. Packets go on meanwhile.
   * @throws HostError, as rejection
   */
  async look(): Promise<HostLook> {
    const made = this.#made;
    const [state, rules] = await Promise.all([IpState.readBeside(this.#system), this.#rulesBeside()]);
    const links = new Map([...this.#links.keys()].map((device) => [device, state.link(device)]));
    if (made === undefined || this.#made !== made) return { differences: ['it is being set up'], links };
    const differences: string[] = [];
    if (rules !== this.#rules) differences.push('rules');
    for (const [device, { index }] of this.#links)
      if (links.get(device)?.index !== index) differences.push(`device ${device}`);
    for (const change of made.changes) {
      if (change.kind !== 'rules' && this.#observe(change, state) !== wantedState(change))
        differences.push(changeId(change));
    }
    return { differences, links };
  }

  /**
   * Takes over what links carry now: how long a packet may be is the operator's to set, not the configuration's.
   * @returns the devices whose MTU is another one
   */
  takeMtus({ links }: HostLook): string[] {
    const changed = [...this.#links].filter(([device, { index, mtu }]) => {
      const now = links.get(device);
      return now?.index === index && now.mtu !== mtu;
    });
    if (changed.length > 0) {
      const taken = new Map(this.#links);
      for (const [device] of changed) taken.set(device, links.get(device)!);
      this.#links = taken;
    }
    return changed.map(([device]) => device);
  }

  /** Whether the host is as the last call has made it. @throws HostError, as rejection */
  async holds(): Promise<boolean> {
    return (await this.look()).differences.length === 0;
  }

  /** Addresses that a Linux interface was given, inside global ones among them, as int32. */
  addressesOf(device: string): number[] {
    const changes = this.#made?.changes ?? [];
    return changes.flatMap((c) => (c.kind === 'address' && c.device === device ? (parseAddress(c.address) ?? []) : []));
  }

  /**
   * Remembers the rules as they are now, for `look`: once for each plan of rules, since what somebody changes while
   * they are set right again must not be taken for right.
   */
  #noteRules(changes: readonly HostChange[]): void {
    const plan = JSON.stringify(changes.filter((c) => c.kind === 'rules'));
    if (plan === this.#rulesPlan && this.#rules !== '') return;
    this.#rulesPlan = plan;
    const saved = this.#families.map((family) => ownRules(this.#system.run(`${IPTABLES[family]}-save`, []))).join('\n');
    // Fewer than were made: somebody was quicker.
    this.#rules = countRules(saved) < this.#madeRules ? '' : saved;
  }

  async #rulesBeside(): Promise<string> {
    const saved = await Promise.all(this.#families.map((family) => this.#system.start(`${IPTABLES[family]}-save`, [])));
    return saved.map(ownRules).join('\n');
  }

  get #families(): readonly Family[] {
    return this.#system.hasIpv6() ? ['ipv4', 'ipv6'] : ['ipv4'];
  }

  /** A Linux interface, as it was at the last `apply`. */
  link(device: string): Link | undefined {
    return this.#links.get(device);
  }

  #plan(config: RouterConfig, bindings: ReadonlyMap<string, string>, options: HostOptions): HostPlan {
    return planHost(config, bindings, options, {
      devices: this.#system.devices(),
      // As it was before us: what has to be saved of a setting that we have changed already is its first value.
      sysctl: (key) => this.#journal.find(`sysctl ${key}`)?.was ?? this.#system.readSysctl(key),
      hasIpv6: this.#system.hasIpv6(),
    });
  }

  #carryOut(changes: readonly HostChange[]): void {
    const look = (): Observer => IpState.of(this.#system);
    const ids = new Set(changes.map(changeId));
    // Before the new rules: what is no longer ours must not forward once they let go of it.
    this.#undo(
      this.#journal.entries.filter((entry) => !ids.has(changeId(entry.change))),
      look,
    );
    this.#ensure(changes, look);
  }

  /**
   * Undoes what the journal says was changed, and nothing else: a value that somebody else has changed since stays.
   * @throws HostError at the first change that cannot be undone; it and all before it, the rules among them, stay
   */
  undo(): void {
    this.#made = undefined;
    this.#undo(this.#journal.entries, () => IpState.of(this.#system));
    this.#journal.remove();
  }

  /**
   * Removes what a crashed run left in this network namespace, a data plane that is at work among it. That comes first:
   * then nothing passes while the rest goes.
   * @returns what was removed, one phrase each
   * @throws HostError if fw3640 is running here
   */
  static async cleanup(system: HostSystem = linux, path = journalPath()): Promise<string[]> {
    const held = HostLock.take(lockPath(path));
    try {
      const files = new ShardFiles(dirname(path));
      const ended = await endLeftShards(files);
      files.removeState();
      return [...ended, ...HostSetup.#cleanUp(system, path)];
    } finally {
      held.release();
    }
  }

  static #cleanUp(system: HostSystem, path: string): string[] {
    const setup = new HostSetup(system, path);
    setup.#refuseIfRunning();
    const removed = setup.#journal.entries.map((entry) => changeId(entry.change)).reverse();
    setup.undo();
    // Rules without a journal: /run was emptied, or another version was here.
    const families: Family[] = system.hasIpv6() ? ['ipv6', 'ipv4'] : ['ipv4'];
    const locks = [...IpState.of(system).locks];
    runBatch(system, locks.map(unlockLine));
    removed.push(...locks.map((rule) => `lock ${rule}`));
    for (const family of families) if (setup.#removeRules(family)) removed.push(`rules ${family}`);
    return removed;
  }

  #refuseIfRunning(): void {
    const owner = this.#journal.runningOwner();
    if (owner !== undefined)
      throw new HostError(`fw3640 is running here already as process ${owner} (stop it first: kill ${owner})`);
  }

  /** Makes changes, in order, as far as they are not made already. */
  #ensure(changes: readonly HostChange[], look: () => Observer): void {
    for (const run of inRuns(changes, (change) => change)) {
      const state = look();
      const entries = run.flatMap((change): JournalEntry[] => {
        const was = this.#observe(change, state);
        if (change.kind !== 'rules' && was === wantedState(change)) return [];
        return [{ change, ...(was === undefined ? {} : { was }) }];
      });
      this.#journal.record(entries);
      for (const { change } of entries) {
        if (change.kind === 'rules') this.#installRules(change);
        else if (change.kind === 'sysctl') this.#system.writeSysctl(change.key, change.value);
      }
      runBatch(
        this.#system,
        entries
          .map((e) => e.change)
          .filter(isIpChange)
          .map(makeLine),
      );
    }
  }

  /** Undoes changes, the last one first. */
  #undo(chosen: readonly JournalEntry[], look: () => Observer): void {
    for (const run of inRuns([...chosen].reverse(), (entry) => entry.change)) {
      const state = look();
      const lines: string[] = [];
      for (const { change, was } of run) {
        if (change.kind === 'rules') this.#removeRules(change.family);
        else if (this.#observe(change, state) !== wantedState(change))
          continue; // gone with its interface, or not ours
        else if (change.kind !== 'sysctl') lines.push(undoLine(change, was));
        else if (was !== undefined) this.#system.writeSysctl(change.key, was);
      }
      runBatch(this.#system, lines);
      this.#journal.forget(run);
    }
  }

  /** The present state in the terms of {@link wantedState}; undefined: not there. */
  #observe(change: HostChange, state: Observer): string | undefined {
    if (change.kind === 'rules') return undefined;
    return change.kind === 'sysctl' ? this.#system.readSysctl(change.key) : state.observe(change);
  }

  #installRules(change: HostChange & { kind: 'rules' }): void {
    if (change.family === 'ipv6') {
      this.#restore('ipv6', ipv6Chain(this.#table('ipv6', 0), change.devices));
      return;
    }
    const errors = this.#table('ipv4', 2);
    const delivery = this.#table('ipv4', 3);
    const devices = change.natOutside;
    // One transaction a table, in this order.
    this.#restore(
      'ipv4',
      queueChain(this.#table('ipv4', 0), change, devices) +
        isolationChain(this.#table('ipv4', 1), change.devices, change.failOpen) +
        (change.failOpen ? (removeChain(delivery) ?? '') : deliveryChain(delivery, change.devices)) +
        (devices.length > 0 ? errorChain(errors, { ...change, devices }) : (removeChain(errors) ?? '')),
    );
  }

  /** @returns whether there was anything of ours. */
  #removeRules(family: Family): boolean {
    let removed = false;
    for (let i = TABLES[family].length - 1; i >= 0; i--) {
      const input = removeChain(this.#table(family, i));
      if (input === undefined) continue;
      this.#restore(family, input);
      removed = true;
    }
    return removed;
  }

  #table(family: Family, index: number): Table {
    const table = TABLES[family][index]!;
    return { ...table, existing: this.#system.run(IPTABLES[family], ['-w', '5', '-t', table.name, '-S']) };
  }

  #restore(family: Family, input: string): void {
    this.#madeRules += countRules(input);
    this.#system.run(`${IPTABLES[family]}-restore`, ['-w', '5', '--noflush'], input);
  }

  /** What stands in the way or may surprise, before anything is changed. */
  #survey(bindings: ReadonlyMap<string, string>, options: HostOptions): HostNote[] {
    const notes: HostNote[] = [];
    const warn = (text: string): void => void notes.push({ level: 'warn', text });
    if (this.#journal.inherited)
      notes.push({ level: 'info', text: 'taking over from a run that did not end in order' });
    if (options.failOpen) warn('fail-open: packets pass uninspected whenever fw3640 is not at the queue');
    const forwarded = [...bindings.values()].filter((device) => {
      const key = `net/ipv4/conf/${device}/forwarding`;
      return this.#system.readSysctl(key) === '1' && this.#journal.find(`sysctl ${key}`) === undefined;
    });
    if (forwarded.length > 0)
      warn(
        `the kernel forwarded from ${forwarded.join(', ')} before this start, and will again, uninspected, after the end`,
      );
    const forward = this.#table('ipv4', 1);
    if (dropsByDefault(forward) && !hasChain(forward))
      warn('the policy of iptables FORWARD is DROP: the router forwards only what a rule there accepts');
    const tracked = Number(this.#system.readSysctl('net/netfilter/nf_conntrack_count') ?? 0);
    for (const sign of conntrackSigns(this.#system.run('iptables-save', []), tracked))
      warn(`the kernel tracks connections here (${sign}): it joins fragments before ip virtual-reassembly sees them`);
    return notes;
  }

  #shadowedRoutes(changes: readonly HostChange[]): HostNote[] {
    const nearest = new Map<string, HostRoute>();
    for (const r of IpState.of(this.#system).routes) {
      const known = nearest.get(r.destination);
      if (known === undefined || r.metric < known.metric) nearest.set(r.destination, r);
    }
    return changes.flatMap((change): HostNote[] => {
      if (change.kind !== 'route') return [];
      const { destination, metric } = change.route;
      const better = nearest.get(destination);
      if (better === undefined || better.metric >= metric) return [];
      const by = `${better.destination} dev ${better.device ?? '?'} metric ${better.metric}`;
      return [{ level: 'warn', text: `the route to ${destination} is shadowed by this host's own: ${by}` }];
    });
  }
}

/** What only the first of two plans has, and what only the second; what both begin and end with alike is in neither. */
function differing(a: readonly HostChange[], b: readonly HostChange[]): [HostChange[], HostChange[]] {
  const shorter = Math.min(a.length, b.length);
  let first = 0;
  while (first < shorter && sameChange(a[first]!, b[first]!)) first++;
  let last = 0; // from the end
  while (last < shorter - first && sameChange(a.at(-1 - last)!, b.at(-1 - last)!)) last++;
  const [gone, open] = [a.slice(first, a.length - last), b.slice(first, b.length - last)];
  const only = (some: readonly HostChange[], others: readonly HostChange[]): HostChange[] => {
    const known = new Set(others.map((change) => JSON.stringify(change)));
    return some.filter((change) => !known.has(JSON.stringify(change)));
  };
  return [only(gone, open), only(open, gone)];
}

function sameChange(a: HostChange, b: HostChange): boolean {
  if (a.kind === 'address' && b.kind === 'address')
    return a.address === b.address && a.length === b.length && a.device === b.device && a.alias === b.alias;
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}

/** False for what has consequences: a device takes its routes along, its address those that go by it. */
const standsAlone = (change: HostChange): boolean =>
  change.kind === 'sysctl' || change.kind === 'route' || (change.kind === 'address' && change.alias);

/** What there is of changes that `ip` makes. */
type Observer = Pick<IpState, 'observe'>;

const isIpChange = (change: HostChange): change is IpChange => change.kind !== 'rules' && change.kind !== 'sysctl';

const wantedState = (change: IpChange | Extract<HostChange, { kind: 'sysctl' }>): string =>
  change.kind === 'sysctl' ? change.value : wantedIpState(change);

/** Items whose changes stand together and are made in the same way: by iptables, by writing a file, by `ip`. */
function inRuns<T>(items: readonly T[], changeOf: (item: T) => HostChange): T[][] {
  const runs: T[][] = [];
  const how = (item: T): string => (isIpChange(changeOf(item)) ? 'ip' : changeOf(item).kind);
  for (const item of items) {
    const run = runs.at(-1);
    if (run !== undefined && how(run[0]!) === how(item)) run.push(item);
    else runs.push([item]);
  }
  return runs;
}
