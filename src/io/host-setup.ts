/**
 * Makes the Linux host the router of the configuration, and undoes exactly that. Changes are made in the plan's
 * order, rules first and forwarding last, and undone backwards: at no moment does the kernel forward without the
 * queue. A crash leaves all as it is: with nobody at the queue the rules drop everything, and the next start takes
 * over from the journal.
 */
import type { RouterConfig } from '../ios/config/model.js';
import { changeId, Journal, journalPath, type JournalEntry } from './host-journal.js';
import { checkBindings, planHost } from './host-plan.js';
import type { HostChange, HostNote, HostOptions, HostRoute, Hop } from './host-plan.js';
import { HostError, linux, type HostSystem } from './host-system.js';
import {
  conntrackSigns,
  dropsByDefault,
  errorChain,
  hasChain,
  ipv6Chain,
  isolationChain,
  queueChain,
  removeChain,
} from './netfilter.js';
import type { Table } from './netfilter.js';

type Family = 'ipv4' | 'ipv6';
const IPTABLES: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' };

/** Tables with a chain of ours. The queue comes first and goes last. */
const TABLES: Readonly<Record<Family, readonly Pick<Table, 'name' | 'hook'>[]>> = {
  ipv4: [
    { name: 'raw', hook: 'PREROUTING' },
    { name: 'filter', hook: 'FORWARD' },
    { name: 'mangle', hook: 'OUTPUT' },
  ],
  ipv6: [{ name: 'filter', hook: 'FORWARD' }],
};

export class HostSetup {
  readonly #system: HostSystem;
  readonly #journal: Journal;
  /** There are rules that keep packets out, of this run or of one that crashed: no failure may remove them. */
  #inForce: boolean;

  /** @throws HostError if the journal of an earlier run cannot be read */
  constructor(system: HostSystem = linux, path = journalPath()) {
    this.#system = system;
    this.#journal = new Journal(path, (device) => this.#link(device)?.address);
    this.#inForce = this.#journal.inherited;
  }

  /**
   * Sets addresses, routes, sysctls and rules, whatever part of them is there already: from an earlier call with
   * another configuration, or from a run that crashed.
   * @param bindings canonical IOS interface name → Linux interface
   * @returns what the operator should know
   * @throws HostError if the host refuses. What was changed is undone then, unless there was an earlier call or a
   *   crashed run: its rules stay.
   */
  apply(config: RouterConfig, bindings: ReadonlyMap<string, string>, options: HostOptions): HostNote[] {
    const faults = checkBindings(config, bindings);
    const missing = [...bindings.values()].filter((device) => this.#link(device) === undefined);
    faults.push(...missing.map((device) => `there is no interface '${device}' (ip link lists them)`));
    if (faults.length > 0) throw new HostError(faults.join('; '));
    this.#refuseIfRunning();

    const notes = this.#survey(bindings, options);
    const plan = planHost(config, bindings, options, {
      devices: this.#system.devices(),
      // As it was before us: what has to be saved of a setting that we have changed already is its first value.
      sysctl: (key) => this.#journal.find(`sysctl ${key}`)?.was ?? this.#system.readSysctl(key),
      hasIpv6: this.#system.hasIpv6(),
    });
    try {
      this.#journal.own(this.#hardware(bindings.values()));
      const wanted = new Set(plan.changes.map(changeId));
      // Before the new rules: what is no longer ours must not forward once they let go of it.
      this.#undoWhere((entry) => !wanted.has(changeId(entry.change)));
      for (const change of plan.changes) this.#ensure(change);
    } catch (error) {
      if (!this.#inForce) this.undo();
      throw error;
    }
    this.#inForce = true;
    return [...notes, ...plan.notes, ...this.#shadowedRoutes(plan.changes)];
  }

  /**
   * Undoes what the journal says was changed, and nothing else: a value that somebody else has changed since stays.
   * @throws HostError at the first change that cannot be undone; it and all before it, the rules among them, stay
   */
  undo(): void {
    this.#undoWhere(() => true);
    this.#journal.remove();
  }

  /**
   * Removes what a crashed run left in this network namespace.
   * @returns what was removed, one phrase each
   * @throws HostError if fw3640 is running here
   */
  static cleanup(system: HostSystem = linux, path = journalPath()): string[] {
    const setup = new HostSetup(system, path);
    setup.#refuseIfRunning();
    const removed = setup.#journal.entries.map((entry) => changeId(entry.change)).reverse();
    setup.undo();
    // Rules without a journal: /run was emptied, or another version was here.
    const families: Family[] = system.hasIpv6() ? ['ipv6', 'ipv4'] : ['ipv4'];
    for (const family of families) if (setup.#removeRules(family)) removed.push(`rules ${family}`);
    return removed;
  }

  #refuseIfRunning(): void {
    const owner = this.#journal.runningOwner();
    if (owner !== undefined)
      throw new HostError(`fw3640 is running here already as process ${owner} (stop it first: kill ${owner})`);
  }

  #ensure(change: HostChange): void {
    const now = this.#observe(change);
    if (change.kind !== 'rules' && now === wantedState(change)) return;
    this.#journal.record({ change, ...(now === undefined ? {} : { was: now }) });
    this.#make(change);
  }

  #undoWhere(chosen: (entry: JournalEntry) => boolean): void {
    for (const entry of this.#journal.entries.filter(chosen).reverse()) {
      this.#revert(entry);
      this.#journal.forget(entry);
    }
  }

  /** The present state in the terms of {@link wantedState}; undefined: not there. */
  #observe(change: HostChange): string | undefined {
    switch (change.kind) {
      case 'rules':
        return undefined;
      case 'sysctl':
        return this.#system.readSysctl(change.key);
      case 'address':
        return this.#addresses(change.device).includes(`${change.address}/${change.length}`) ? 'present' : undefined;
      case 'link':
        return this.#link(change.device)?.state;
      case 'route':
        return this.#routes().some((route) => sameRoute(route, change.route)) ? 'present' : undefined;
    }
  }

  #make(change: HostChange): void {
    switch (change.kind) {
      case 'rules':
        this.#installRules(change);
        return;
      case 'sysctl':
        this.#system.writeSysctl(change.key, change.value);
        return;
      case 'address': {
        const extra = change.alias ? ['noprefixroute'] : ['broadcast', '+'];
        this.#ip('address', 'add', `${change.address}/${change.length}`, ...extra, 'dev', change.device);
        return;
      }
      case 'link':
        this.#ip('link', 'set', change.device, change.up ? 'up' : 'down');
        return;
      case 'route':
        this.#ip('route', 'add', ...routeWords(change.route));
    }
  }

  #revert({ change, was }: JournalEntry): void {
    if (change.kind === 'rules') {
      this.#removeRules(change.family);
      return;
    }
    if (this.#observe(change) !== wantedState(change)) return; // gone with its interface, or not ours any more
    switch (change.kind) {
      case 'sysctl':
        if (was !== undefined) this.#system.writeSysctl(change.key, was);
        return;
      case 'address':
        this.#ip('address', 'del', `${change.address}/${change.length}`, 'dev', change.device);
        return;
      case 'link':
        this.#ip('link', 'set', change.device, was === 'up' ? 'up' : 'down');
        return;
      case 'route':
        this.#ip('route', 'del', ...routeWords(change.route));
    }
  }

  #installRules(change: HostChange & { kind: 'rules' }): void {
    if (change.family === 'ipv6') {
      this.#restore('ipv6', ipv6Chain(this.#table('ipv6', 0), change.devices));
      return;
    }
    this.#restore('ipv4', queueChain(this.#table('ipv4', 0), change));
    this.#restore('ipv4', isolationChain(this.#table('ipv4', 1), change.devices));
    const errors = this.#table('ipv4', 2);
    const devices = change.natOutside;
    const chain = devices.length > 0 ? errorChain(errors, { ...change, devices }) : removeChain(errors);
    if (chain !== undefined) this.#restore('ipv4', chain);
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
    const { name, hook } = TABLES[family][index]!;
    return { name, hook, existing: this.#system.run(IPTABLES[family], ['-w', '5', '-t', name, '-S']) };
  }

  #restore(family: Family, input: string): void {
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
    const present = this.#routes();
    return changes.flatMap((change): HostNote[] => {
      if (change.kind !== 'route') return [];
      const { destination, metric } = change.route;
      const better = present.find((r) => r.destination === destination && r.metric < metric);
      if (better === undefined) return [];
      const by = `${better.destination} dev ${better.device ?? '?'} metric ${better.metric}`;
      return [{ level: 'warn', text: `the route to ${destination} is shadowed by this host's own: ${by}` }];
    });
  }

  #hardware(devices: Iterable<string>): Record<string, string> {
    return Object.fromEntries([...devices].map((device) => [device, this.#link(device)?.address ?? '']));
  }

  #link(device: string): { address: string; state: 'up' | 'down' } | undefined {
    if (!this.#system.devices().includes(device)) return undefined;
    const [link] = this.#ipJson<IpLink>('link', 'show', 'dev', device);
    if (link === undefined) return undefined;
    return { address: link.address ?? '', state: link.flags.includes('UP') ? 'up' : 'down' };
  }

  #addresses(device: string): string[] {
    if (!this.#system.devices().includes(device)) return [];
    const shown = this.#ipJson<IpAddress>('-4', 'address', 'show', 'dev', device);
    return shown.flatMap((link) => (link.addr_info ?? []).map((a) => `${a.local}/${a.prefixlen}`));
  }

  #routes(): HostRoute[] {
    return this.#ipJson<IpRoute>('-4', 'route', 'show').map((r) => ({
      destination: r.dst === 'default' ? '0.0.0.0/0' : r.dst.includes('/') ? r.dst : `${r.dst}/32`,
      metric: r.metric ?? 0,
      ...hopsOf(r),
    }));
  }

  #ip(...args: string[]): string {
    return this.#system.run('ip', args);
  }

  #ipJson<T>(...args: string[]): T[] {
    const text = this.#ip('-j', ...args).trim();
    // A selector without result prints [{}] for each line left out, or nothing at all.
    return text === '' ? [] : (JSON.parse(text) as T[]).filter((row) => Object.keys(row as object).length > 0);
  }
}

/** Parts of `ip -j` that we read. */
interface IpLink {
  address?: string;
  flags: string[];
}
interface IpAddress {
  addr_info?: { local: string; prefixlen: number }[];
}
interface IpRoute {
  dst: string;
  gateway?: string;
  dev?: string;
  metric?: number;
  type?: string;
  nexthops?: { gateway?: string; dev?: string }[];
}

function wantedState(change: Exclude<HostChange, { kind: 'rules' }>): string {
  switch (change.kind) {
    case 'sysctl':
      return change.value;
    case 'link':
      return change.up ? 'up' : 'down';
    case 'address':
    case 'route':
      return 'present';
  }
}

function hopsOf(r: IpRoute): Hop & { also?: Hop[] } {
  const hop = ({ gateway, dev }: { gateway?: string; dev?: string }): Hop => ({
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(dev === undefined || r.type === 'unreachable' ? {} : { device: dev }),
  });
  const [first = r, ...others] = r.nexthops ?? [];
  return { ...hop(first), ...(others.length === 0 ? {} : { also: others.map(hop) }) };
}

/** Hops in order: the kernel lists them as they were given. */
const hops = (route: HostRoute): Hop[] => [route, ...(route.also ?? [])];
const sameRoute = (a: HostRoute, b: HostRoute): boolean =>
  a.destination === b.destination && a.metric === b.metric && hopWords(a).join(' ') === hopWords(b).join(' ');

function routeWords(route: HostRoute): string[] {
  const type = route.device === undefined ? ['unreachable'] : [];
  return [...type, route.destination, 'metric', String(route.metric), 'proto', 'static', ...hopWords(route)];
}

function hopWords(route: HostRoute): string[] {
  const words = ({ via, device }: Hop): string[] => [
    ...(via === undefined ? [] : ['via', via]),
    ...(device === undefined ? [] : ['dev', device]),
  ];
  return route.also === undefined ? words(route) : hops(route).flatMap((hop) => ['nexthop', ...words(hop)]);
}
