/** What the host tells about itself for `show`: interfaces, neighbours, processor, memory. Read when asked. */
import { networkInterfaces, totalmem } from 'node:os';
import { parseAddress } from '../ios/ipv4-text.js';
import type { ArpSnapshot, InterfaceSnapshot, SystemSnapshot } from '../core/state/snapshot.js';
import { HostError, linux } from './host-system.js';
import { countedSince, readIpCounters } from './ip-counters.js';
import { procText, residentBytes } from '../io/proc.js';
import { RateMeter } from './rate-meter.js';

/** Samples of the processor's and the interfaces' counters are taken this often. */
const SAMPLE_MS = 5000;
/** A 3640's Ethernet, where the host does not say better (veth, virtio). */
const DEFAULT_KBITS = 10_000;

/** Columns of /proc/net/dev behind the name. */
const COLUMNS = {
  bytesIn: 0,
  packetsIn: 1,
  errorsIn: 2,
  dropsIn: 3,
  broadcastsIn: 7, // multicast: all that Linux tells apart
  bytesOut: 8,
  packetsOut: 9,
  errorsOut: 10,
  dropsOut: 11,
  collisions: 13,
} as const;
type Counters = Record<keyof typeof COLUMNS, number>;

const NO_COUNTERS = Object.fromEntries(Object.keys(COLUMNS).map((k) => [k, 0])) as Counters;

interface Watched {
  name: string;
  device: string;
  base: Counters;
  last: Counters;
  lastInput: number | undefined;
  lastOutput: number | undefined;
  bitsIn: RateMeter;
  packetsIn: RateMeter;
  bitsOut: RateMeter;
  packetsOut: RateMeter;
}

export class System implements SystemSnapshot {
  #started = performance.now();
  #reloaded = false;
  readonly #watched: Watched[];
  readonly #timer: NodeJS.Timeout;
  #ipBefore = readIpCounters();
  #cpuBefore = process.cpuUsage();
  #dataPlaneBefore = 0;
  readonly #cpu = { fiveSeconds: 0, oneMinute: new RateMeter(60_000), fiveMinutes: new RateMeter(300_000) };

  /**
   * @param bindings canonical IOS interface name → Linux interface
   * @param dataPlane processor time (ms) and memory (bytes) of the process that judges packets
   */
  constructor(
    readonly release: string,
    bindings: ReadonlyMap<string, string>,
    private readonly dataPlane: () => { cpuMs: number; memory: number } = () => ({ cpuMs: 0, memory: 0 }),
  ) {
    const counters = readCounters();
    this.#watched = [...bindings].map(([name, device]) => {
      const base = counters.get(device) ?? NO_COUNTERS;
      const meter = (): RateMeter => new RateMeter(300_000);
      return {
        name,
        device,
        base,
        last: base,
        lastInput: undefined,
        lastOutput: undefined,
        bitsIn: meter(),
        packetsIn: meter(),
        bitsOut: meter(),
        packetsOut: meter(),
      };
    });
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  now(): Date {
    return new Date();
  }

  uptimeMs(): number {
    return performance.now() - this.#started;
  }

  wasReloaded(): boolean {
    return this.#reloaded;
  }

  /** `reload`: uptime and counters begin again. */
  restart(): void {
    this.clearCounters();
    for (const w of this.#watched) w.lastInput = w.lastOutput = undefined;
    this.#ipBefore = readIpCounters();
    this.#started = performance.now();
    this.#reloaded = true;
  }

  interfaces(): InterfaceSnapshot[] {
    const now = this.uptimeMs();
    const counters = readCounters();
    return this.#watched.map((w) => {
      const c = counters.get(w.device) ?? w.last;
      this.#note(w, c, now);
      const link = linkOf(w.device);
      return {
        name: w.name,
        lineUp: link.up,
        ...(link.address !== undefined && { hardwareAddress: link.address }),
        mtu: link.mtu,
        kbits: link.kbits,
        halfDuplex: driverSays(w.device, 'duplex') === 'half',
        ...minus(c, w.base),
        ...(w.lastInput !== undefined && { lastInputAgo: now - w.lastInput }),
        ...(w.lastOutput !== undefined && { lastOutputAgo: now - w.lastOutput }),
        bitsPerSecondIn: Math.round(w.bitsIn.perSecond),
        packetsPerSecondIn: Math.round(w.packetsIn.perSecond),
        bitsPerSecondOut: Math.round(w.bitsOut.perSecond),
        packetsPerSecondOut: Math.round(w.packetsOut.perSecond),
      };
    });
  }

  /** What each interface has carried, and whether it has a carrier and an address. Costs little: runs no program. */
  lines(): (Pick<InterfaceSnapshot, 'name' | 'packetsIn' | 'bytesIn' | 'packetsOut' | 'bytesOut'> & { up: boolean })[] {
    const counters = readCounters();
    const running = networkInterfaces(); // those that are
    return this.#watched.map(({ name, device, last }) => {
      const { packetsIn, bytesIn, packetsOut, bytesOut } = counters.get(device) ?? last;
      return { name, up: running[device] !== undefined, packetsIn, bytesIn, packetsOut, bytesOut };
    });
  }

  arp(): ArpSnapshot[] {
    const own = this.#watched.flatMap(({ name, device }) => ownAddresses(name, device));
    const learned = this.#watched.flatMap(({ name, device }) => neighbours(name, device));
    return [...own, ...learned];
  }

  cpu(): { fiveSeconds: number; oneMinute: number; fiveMinutes: number; runtimeMs: number } {
    const { fiveSeconds, oneMinute, fiveMinutes } = this.#cpu;
    const { user, system } = process.cpuUsage();
    return {
      fiveSeconds: Math.round(fiveSeconds),
      oneMinute: Math.round(oneMinute.perSecond),
      fiveMinutes: Math.round(fiveMinutes.perSecond),
      runtimeMs: Math.round((user + system) / 1000 + this.dataPlane().cpuMs),
    };
  }

  ipCounters(): Readonly<Record<string, number>> {
    return countedSince(this.#ipBefore, readIpCounters());
  }

  memory(): { total: number; used: number } {
    return { total: totalmem(), used: residentBytes() + this.dataPlane().memory };
  }

  /** `clear arp-cache`: what the neighbours' addresses are is asked again. Packets go on meanwhile. */
  clearArp(): void {
    for (const { device } of this.#watched)
      linux.start('ip', ['-4', 'neigh', 'flush', 'dev', device]).catch(() => undefined); // no such device: nothing there
  }

  /** `clear counters`. */
  clearCounters(name?: string): void {
    const counters = readCounters();
    for (const w of this.#watched) {
      if (name === undefined || name === w.name) w.base = counters.get(w.device) ?? w.base;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = this.uptimeMs();
    const counters = readCounters();
    for (const w of this.#watched) {
      const c = counters.get(w.device);
      if (c === undefined) continue;
      const d = minus(c, w.last);
      this.#note(w, c, now);
      w.bitsIn.add(d.bytesIn * 8, SAMPLE_MS);
      w.packetsIn.add(d.packetsIn, SAMPLE_MS);
      w.bitsOut.add(d.bytesOut * 8, SAMPLE_MS);
      w.packetsOut.add(d.packetsOut, SAMPLE_MS);
      w.last = c;
    }
    const used = process.cpuUsage(this.#cpuBefore);
    this.#cpuBefore = process.cpuUsage();
    const { cpuMs } = this.dataPlane();
    const usedMs = (used.user + used.system) / 1000 + Math.max(0, cpuMs - this.#dataPlaneBefore);
    this.#dataPlaneBefore = cpuMs;
    const percent = (usedMs / SAMPLE_MS) * 100;
    this.#cpu.fiveSeconds = percent;
    this.#cpu.oneMinute.add((percent * SAMPLE_MS) / 1000, SAMPLE_MS);
    this.#cpu.fiveMinutes.add((percent * SAMPLE_MS) / 1000, SAMPLE_MS);
  }

  #note(w: Watched, c: Counters, now: number): void {
    if (c.packetsIn > w.last.packetsIn) w.lastInput = now;
    if (c.packetsOut > w.last.packetsOut) w.lastOutput = now;
  }
}

const minus = (a: Counters, b: Counters): Counters =>
  Object.fromEntries(
    (Object.keys(COLUMNS) as (keyof Counters)[]).map((k) => [k, Math.max(0, a[k] - b[k])]),
  ) as Counters;

/** /proc/net/dev shows the network namespace of this process. */
function readCounters(): Map<string, Counters> {
  const all = new Map<string, Counters>();
  for (const line of procText('/proc/net/dev').split('\n')) {
    const [, device, rest] = /^\s*([^:\s]+):(.*)$/.exec(line) ?? [];
    if (device === undefined || rest === undefined) continue;
    const columns = rest.trim().split(/\s+/).map(Number);
    all.set(device, Object.fromEntries(Object.entries(COLUMNS).map(([k, i]) => [k, columns[i] ?? 0])) as Counters);
  }
  return all;
}

interface Link {
  up: boolean;
  address: string | undefined;
  mtu: number;
  kbits: number;
}

function linkOf(device: string): Link {
  const [link] = ipJson<{ flags?: string[]; address?: string; mtu?: number }>(['link', 'show', 'dev', device]);
  return {
    up: link?.flags?.includes('LOWER_UP') ?? false,
    address: link?.address === undefined ? undefined : iosHardware(link.address),
    mtu: link?.mtu ?? 1500,
    kbits: speedOf(device),
  };
}

function speedOf(device: string): number {
  const mbits = Number(driverSays(device, 'speed'));
  return mbits > 0 ? mbits * 1000 : DEFAULT_KBITS;
}

/** Empty without an answer. /sys shows the namespace it was mounted in: a device that is not there says nothing. */
function driverSays(device: string, what: 'speed' | 'duplex'): string {
  return procText(`/sys/class/net/${device}/${what}`).trim();
}

function ownAddresses(name: string, device: string): ArpSnapshot[] {
  const { address: hardwareAddress } = linkOf(device);
  const [link] = ipJson<{ addr_info?: { local?: string }[] }>(['-4', 'addr', 'show', 'dev', device]);
  return (link?.addr_info ?? []).flatMap(({ local }) => {
    const address = parseAddress(local ?? '');
    if (address === undefined || hardwareAddress === undefined) return [];
    return [{ address, hardwareAddress, interfaceName: name }];
  });
}

function neighbours(name: string, device: string): ArpSnapshot[] {
  const entries = ipJson<{ dst?: string; lladdr?: string; confirmed?: number }>([
    '-s',
    '-4',
    'neigh',
    'show',
    'dev',
    device,
  ]);
  return entries.flatMap(({ dst, lladdr, confirmed }) => {
    const address = parseAddress(dst ?? '');
    if (address === undefined) return [];
    return [
      {
        address,
        ...(lladdr !== undefined && { hardwareAddress: iosHardware(lladdr) }),
        interfaceName: name,
        ageMinutes: Math.floor((confirmed ?? 0) / 60),
      },
    ];
  });
}

/** `ip -j …`; what it cannot show is not there. */
function ipJson<T>(args: string[]): T[] {
  try {
    const text = linux.run('ip', ['-j', ...args]).trim();
    return text === '' ? [] : (JSON.parse(text) as T[]);
  } catch (error) {
    if (error instanceof HostError || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** 00:50:0f:0b:81:81 as IOS has it: 0050.0f0b.8181. */
const iosHardware = (mac: string): string => mac.replaceAll(':', '').replace(/(.{4})(?=.)/g, '$1.');
