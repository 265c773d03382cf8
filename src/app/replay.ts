/**
 * `fw3640 replay`: the same engine over captures instead of a queue. Tells what the router would have said and done
 * with packets that were captured on its interfaces, in their own time.
 */
import { once } from 'node:events';
import { Engine } from '../core/engine.js';
import { EXIT } from './exit.js';
import { compilePolicy } from '../ios/compile/policy.js';
import type { RouterConfig } from '../ios/config/model.js';
import { DROP_REASONS } from '../ios/drop-reasons.js';
import { type Message, messagesOf } from '../ios/messages.js';
import { formatTimestamp } from '../ios/timestamp.js';
import { Capture } from '../io/capture/capture.js';
import { CaptureError, type CapturedPacket } from '../io/capture/captured-packet.js';
import { mergeCaptures } from '../io/capture/merge.js';
import { Progress } from '../io/progress.js';
import { RoutingTable } from '../core/route/routing-table.js';
import { readBindings, readConfig } from './run.js';
import { factsOf, type PacketFacts, ReplayOutput } from './replay-output.js';
import { CaptureFileError } from '../io/capture/pcapng-file.js';
import { ABSORBED, DROP, HOLD, isDrop, PASS, type Verdict } from '../core/verdict.js';
import { i32 } from '../core/wire/bytes.js';
import { copyBytes } from '../core/wire/copy.js';
import { decodeIpv4, decodeTransport } from '../core/wire/decode.js';
import { IPV4_DST } from '../core/wire/ipv4.js';
import { Packet } from '../core/wire/packet.js';

export interface ReplayOptions {
  config: string;
  /** `Ethernet2/0=FILE`, as given. */
  capture: string[];
  /** Folder for what leaves and for verdicts. */
  out?: string;
}

const CAPACITY = 262_144;
/** Steps in which time passes: the running router's, then a part of the wait so far, at most a day. */
const LEAST_STEP_MS = 125;
const STEP_GROWTH = 1 / 16;
const MOST_STEP_MS = 86_400_000;
/** A fixed seed: the same captures give the same output. */
const SEED = 1;

/** A packet of a capture, and the index of the interface that it was captured on. */
export interface Arrival extends CapturedPacket {
  ingress: number;
}

/** Prints the router's messages as they come, then a count of verdicts. Exit code 1: a capture could not be read whole. */
export async function replay(options: ReplayOptions): Promise<void> {
  const parsed = readConfig(options.config);
  if (parsed === undefined) return;
  const { config } = parsed;
  const files = readBindings(options.capture, '--capture', 'outside.pcap');
  if (typeof files === 'string') {
    refuse(files);
    return;
  }
  try {
    const ingress = [...files.keys()].map((name) => indexOf(name, config));
    const captures = [...files.values()].map((file) => new Capture(file));
    for (const name of missing(config, files)) {
      console.error(`fw3640: no capture of ${name}: what came in there is unknown, so sessions may look half-open`);
    }
    const out = options.out === undefined ? undefined : new ReplayOutput(options.out, carriers(config));
    await print(config, captures, ingress, out);
    for (const c of captures) {
      if (c.fault === undefined) continue;
      console.error(`fw3640: ${c.file}: ${c.fault}; the packets before it were taken`);
      process.exitCode = EXIT.runtime;
    }
  } catch (error) {
    if (error instanceof CaptureFileError) {
      console.error(`fw3640: ${error.message}`);
      process.exitCode = EXIT.runtime;
      return;
    }
    if (!(error instanceof CaptureError)) throw error;
    refuse(error.message);
  }
}

async function print(
  config: RouterConfig,
  captures: readonly Capture[],
  ingress: readonly number[],
  out: ReplayOutput | undefined,
): Promise<void> {
  const progress = new Progress(process.stderr, sum(captures, 'size'));
  const run = new Replay(config, out);
  for await (const a of mergeCaptures(captures)) {
    const lines = run.take({ timeMs: a.timeMs, bytes: a.bytes, truncated: a.truncated, ingress: ingress[a.capture]! });
    progress.show(sum(captures, 'bytesRead'), lines.length > 0);
    await write(lines);
  }
  progress.end();
  out?.close(run.summary());
  await write(run.summary());
}

const sum = (captures: readonly Capture[], field: 'size' | 'bytesRead'): number =>
  captures.reduce((total, c) => total + c[field], 0);

/** Waits for a slow reader: lines do not pile up. */
async function write(lines: readonly string[]): Promise<void> {
  if (lines.length > 0 && !process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain');
}

function indexOf(name: string, config: RouterConfig): number {
  const index = config.interfaces.findIndex((i) => i.name === name);
  if (index < 0) throw new CaptureError('--capture', `the configuration has no interface ${name}`);
  return index;
}

/** Interfaces that packets cross and of which there is no capture: one side alone is half the truth. */
const missing = (config: RouterConfig, files: ReadonlyMap<string, string>): string[] =>
  carriers(config).filter((name) => !files.has(name));

/** Interfaces that packets may cross. */
const carriers = (config: RouterConfig): string[] =>
  config.interfaces.filter((i) => !i.shutdown && i.addresses.length > 0).map((i) => i.name);

/** The engine at work on packets of captures, which are given to it in order of time. */
export class Replay {
  readonly #config: RouterConfig;
  readonly #engine: Engine;
  readonly #routes: RoutingTable;
  readonly #packet = new Packet();
  /** The packet in hand, with room behind it: text of another length may take its place. */
  readonly #bytes = new Uint8Array(2 * 65_536);
  readonly #counts = new Map<string, number>();
  #lines: string[] = [];
  #start: number | undefined;
  #timeMs = 0;
  #token = 0;
  /** Of the held packet that was told of last. */
  #releasedToken = -1;

  /** @param out where it writes what leaves, and verdicts */
  constructor(
    config: RouterConfig,
    private readonly out?: ReplayOutput,
  ) {
    this.#config = config;
    const policy = compilePolicy(config);
    this.#routes = new RoutingTable(policy.routing);
    this.#engine = new Engine(
      policy,
      { capacity: CAPACITY, seed: SEED, now: 0 },
      {
        event: (e) => messagesOf(e).forEach((m) => this.#say(m)),
        release: (token, v) => {
          this.#count(v === PASS ? 'forwarded after a wait' : nameOf(v));
          // A fragment: nobody else tells of it.
          if (token !== this.#releasedToken) this.out?.verdict(this.#late(token), v, false, undefined, true);
        },
        released: (p, v) => this.#released(p, v),
        inject: (packet) => {
          this.#count('sent by the router itself');
          const egress = this.#nameAt(this.#routes.lookup(i32(packet, IPV4_DST)));
          if (egress !== undefined) this.out?.sends(egress, this.#timeMs, packet);
        },
      },
    );
  }

  /** Takes the next packet. @returns what the router says of it, with time stamps */
  take(a: Arrival): string[] {
    this.#lines = [];
    this.#start ??= a.timeMs;
    this.#passTime(Math.max(this.#timeMs, a.timeMs)); // the router's clock does not go back
    const now = this.#timeMs - this.#start;
    const p = this.#packet;
    if (!this.#load(p, a)) {
      this.#count(DROP_REASONS[DROP.malformed]!);
      const unread = { packet: this.#token, time: new Date(a.timeMs).toISOString() };
      this.out?.line({ ...unread, verdict: 'dropped', reason: DROP_REASONS[DROP.malformed] });
    } else if (!cameIn(p, a.ingress, this.#config, this.#routes)) {
      this.#count('left the router, not judged');
      this.out?.line({ ...this.#facts(p, a), verdict: 'not judged', reason: 'left the router' });
    } else {
      const facts = this.out && this.#facts(p, a);
      const v = this.#engine.handle(p, now);
      this.#count(v === PASS && p.modified ? 'forwarded, changed' : nameOf(v));
      if (facts !== undefined) this.#note(facts, p, v, false);
    }
    return this.#lines;
  }

  #facts(p: Packet, a: Arrival): PacketFacts {
    if (!p.truncated) decodeTransport(p); // a fault in it is the engine's to find
    return factsOf(p, this.#token, a.timeMs, this.#nameAt(a.ingress)!);
  }

  /** A packet that was held goes on, or is dropped. */
  #released(p: Packet, v: Verdict): void {
    this.#releasedToken = p.token;
    if (this.out !== undefined) this.#note(this.#late(p.token), p, v, true);
  }

  #late(token: number): { packet: number; time: string } {
    return { packet: token + 1, time: new Date(this.#timeMs).toISOString() };
  }

  #note(facts: Parameters<ReplayOutput['verdict']>[0], p: Packet, v: Verdict, late: boolean): void {
    const egress = v === PASS ? this.#nameAt(this.#engine.egressOf(p.dst)) : undefined;
    this.out!.verdict(facts, v, p.modified, egress, late);
    if (egress !== undefined) this.out!.leaves(egress, this.#timeMs, p);
  }

  #nameAt(index: number): string | undefined {
    return index < 0 ? undefined : this.#config.interfaces[index]?.name;
  }

  /**
   * Lets the time until the next packet pass in steps, so that what times out meanwhile does so in its own time. Steps
   * grow with the wait: a year is some hundreds of them.
   */
  #passTime(untilMs: number): void {
    if (this.#timeMs === 0) this.#timeMs = untilMs;
    const from = this.#timeMs;
    do {
      const stepMs = Math.min(Math.max(LEAST_STEP_MS, (this.#timeMs - from) * STEP_GROWTH), MOST_STEP_MS);
      this.#timeMs = Math.min(this.#timeMs + stepMs, untilMs);
      this.#engine.tick(this.#timeMs - this.#start!);
    } while (this.#timeMs < untilMs);
  }

  /** A line for each verdict with its number of packets. */
  summary(): string[] {
    const counts = [...this.#counts].sort((a, b) => b[1] - a[1]);
    return counts.map(([what, n]) => `${String(n).padStart(8)}  ${what}`);
  }

  /** @returns false for what has no IPv4 header that could be read */
  #load(p: Packet, a: Arrival): boolean {
    const length = Math.min(a.bytes.length, this.#bytes.length);
    copyBytes(a.bytes, 0, this.#bytes, 0, length);
    p.bytes = this.#bytes;
    p.at = 0;
    p.end = length;
    p.ingress = a.ingress;
    p.token = this.#token++;
    p.gso = false;
    p.checksumPartial = false;
    // A capture on the sending host shows checksums that its NIC has yet to compute.
    p.checksumVerified = true;
    p.truncated = a.truncated;
    p.modified = false;
    return a.truncated || decodeIpv4(p) === PASS;
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  #say(m: Message): void {
    const stamp = formatTimestamp(this.#config.timestamps.log, new Date(this.#timeMs), this.#timeMs - this.#start!);
    this.#lines.push(`${stamp}${m.mnemonic === '' ? '' : `${m.mnemonic}: `}${m.text}`);
  }
}

function nameOf(v: number): string {
  if (v === ABSORBED) return 'forwarded as part of its datagram';
  return isDrop(v) ? `dropped: ${DROP_REASONS[v]!}` : v === HOLD ? 'held' : 'forwarded';
}

/** True for a packet that arrived: a capture on an interface also has those that left by it. */
function cameIn(p: Packet, ingress: number, config: RouterConfig, routes: RoutingTable): boolean {
  if (p.truncated) return true;
  if (config.nat.staticEntries.some((e) => e.insideGlobal === p.src)) return false;
  return routes.lookup(p.src) === ingress;
}

function refuse(message: string): void {
  console.error(`fw3640: ${message}`);
  process.exitCode = EXIT.usage;
}
