/**
 * Links, addresses and routes of the host as `ip` tells and sets them. They are read all at once and set in one batch:
 * a program for each of a thousand addresses would keep packets waiting for seconds.
 */
import { type HostChange, type HostRoute, type Hop, LOCK_PRIORITIES } from './host-plan.js';
import type { HostSystem } from './host-system.js';

/** A change that `ip` makes. */
export type IpChange = Extract<HostChange, { kind: 'address' | 'link' | 'lock' | 'route' }>;

export interface Link {
  index: number;
  /** Hardware address. */
  address: string;
  state: 'up' | 'down';
  /** The line works: cable, other end. */
  carrier: boolean;
  /** Bytes. */
  mtu: number;
}

/** What `ip` is asked. */
const LINKS = ['-j', 'link', 'show'];
const ADDRESSES = ['-j', '-4', 'address', 'show'];
const ROUTES = ['-j', '-4', 'route', 'show'];
const RULES = ['-j', '-4', 'rule', 'show'];

/** What there is at one moment; each part is read when it is first asked for. */
export class IpState {
  #links: Map<string, Link> | undefined;
  #addresses: Set<string> | undefined;
  #routes: HostRoute[] | undefined;
  #routeWords: Set<string> | undefined;
  #locks: Set<string> | undefined;

  private constructor(private readonly read: (question: readonly string[]) => string) {}

  static of(system: HostSystem): IpState {
    return new IpState((question) => system.run('ip', question));
  }

  /** All parts, read while packets go on. */
  static async readBeside(system: HostSystem): Promise<IpState> {
    const questions = [LINKS, ADDRESSES, ROUTES, RULES];
    const texts = await Promise.all(questions.map((question) => system.start('ip', question)));
    return new IpState((question) => texts[questions.indexOf(question as string[])]!);
  }

  link(device: string): Link | undefined {
    this.#links ??= new Map(
      this.#rows<IpLink>(LINKS).map((l) => [
        l.ifname,
        {
          index: l.ifindex,
          address: l.address ?? '',
          state: l.flags.includes('UP') ? 'up' : 'down',
          carrier: l.flags.includes('LOWER_UP'),
          mtu: l.mtu ?? 1500,
        },
      ]),
    );
    return this.#links.get(device);
  }

  get routes(): readonly HostRoute[] {
    this.#routes ??= this.#rows<IpRoute>(ROUTES).map((r) => ({
      destination: r.dst === 'default' ? '0.0.0.0/0' : r.dst.includes('/') ? r.dst : `${r.dst}/32`,
      metric: r.metric ?? 0,
      ...hopsOf(r),
    }));
    return this.#routes;
  }

  /** Our routing rules, in the words of `ip rule`. */
  get locks(): ReadonlySet<string> {
    this.#locks ??= new Set(this.#rows<IpRule>(RULES).flatMap((r) => lockWords(r) ?? []));
    return this.#locks;
  }

  /** `up`, `down`, `present`; undefined: not there. */
  observe(change: IpChange): string | undefined {
    switch (change.kind) {
      case 'link':
        return this.link(change.device)?.state;
      case 'address':
        return this.#addressSet().has(addressWords(change)) ? 'present' : undefined;
      case 'lock':
        return this.locks.has(change.rule) ? 'present' : undefined;
      case 'route':
        this.#routeWords ??= new Set(this.routes.map((r) => routeWords(r).join(' ')));
        return this.#routeWords.has(routeWords(change.route).join(' ')) ? 'present' : undefined;
    }
  }

  #addressSet(): ReadonlySet<string> {
    this.#addresses ??= new Set(
      this.#rows<IpAddress>(ADDRESSES).flatMap(({ ifname, addr_info }) =>
        (addr_info ?? []).map((a) => addressWords({ address: a.local, length: a.prefixlen, device: ifname })),
      ),
    );
    return this.#addresses;
  }

  #rows<T>(question: readonly string[]): T[] {
    const text = this.read(question).trim();
    // A selector without result prints [{}] for each line left out, or nothing at all.
    return text === '' ? [] : (JSON.parse(text) as T[]).filter((row) => Object.keys(row as object).length > 0);
  }
}

/** What {@link IpState.observe} says of a change that is made. */
export function wantedState(change: IpChange): string {
  return change.kind === 'link' ? (change.up ? 'up' : 'down') : 'present';
}

/** The line of an `ip -batch` that makes the change. */
export function makeLine(change: IpChange): string {
  switch (change.kind) {
    case 'address':
      return `address add ${addressWords(change)}${change.alias ? ' noprefixroute' : ' broadcast +'}`;
    case 'link':
      return `link set ${change.device} ${change.up ? 'up' : 'down'}`;
    case 'lock':
      return `rule add ${change.rule}`;
    case 'route':
      return `route add ${routeWords(change.route).join(' ')}`;
  }
}

/** The line that takes a lock away. */
export const unlockLine = (rule: string): string => `rule del ${rule}`;

/** The line that undoes it. @param was state of a link before */
export function undoLine(change: IpChange, was: string | undefined): string {
  switch (change.kind) {
    case 'address':
      return `address del ${addressWords(change)}`;
    case 'link':
      return `link set ${change.device} ${was === 'up' ? 'up' : 'down'}`;
    case 'lock':
      return unlockLine(change.rule);
    case 'route':
      return `route del ${routeWords(change.route).join(' ')}`;
  }
}

/** Runs lines in order, to the first that fails. @throws HostError with that line */
export function runBatch(system: HostSystem, lines: readonly string[]): void {
  if (lines.length > 0) system.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
}

/** Parts of `ip -j` that we read. */
interface IpLink {
  ifindex: number;
  ifname: string;
  address?: string;
  flags: string[];
  mtu?: number;
}
interface IpAddress {
  ifname: string;
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

interface IpRule {
  priority: number;
  fwmark?: string;
  fwmask?: string;
  iif?: string;
  goto?: number;
  nop?: null;
  action?: string;
}

/** The words of a rule of ours, as `lockRules` has them; undefined for somebody else's. */
function lockWords(r: IpRule): string | undefined {
  const { priority } = r;
  switch (priority) {
    case LOCK_PRIORITIES.end:
      return r.nop === undefined ? undefined : `priority ${priority} nop`;
    case LOCK_PRIORITIES.passed:
      return `priority ${priority} fwmark ${r.fwmark ?? ''}/${r.fwmask ?? ''} goto ${r.goto ?? ''}`;
    case LOCK_PRIORITIES.device:
      return r.action === 'blackhole' ? `priority ${priority} iif ${r.iif ?? ''} blackhole` : undefined;
    default:
      return undefined;
  }
}

const addressWords = (a: { address: string; length: number; device: string }): string =>
  `${a.address}/${a.length} dev ${a.device}`;

function hopsOf(r: IpRoute): Hop & { also?: Hop[] } {
  const hop = ({ gateway, dev }: { gateway?: string; dev?: string }): Hop => ({
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(dev === undefined || r.type === 'unreachable' ? {} : { device: dev }),
  });
  const [first = r, ...others] = r.nexthops ?? [];
  return { ...hop(first), ...(others.length === 0 ? {} : { also: others.map(hop) }) };
}

function routeWords(route: HostRoute): string[] {
  const type = route.device === undefined ? ['unreachable'] : [];
  return [...type, route.destination, 'metric', String(route.metric), 'proto', 'static', ...hopWords(route)];
}

/** Hops in order: the kernel lists them as they were given. */
function hopWords(route: HostRoute): string[] {
  const words = ({ via, device }: Hop): string[] => [
    ...(via === undefined ? [] : ['via', via]),
    ...(device === undefined ? [] : ['dev', device]),
  ];
  if (route.also === undefined) return words(route);
  return [route, ...route.also].flatMap((hop) => ['nexthop', ...words(hop)]);
}
