/**
 * `fw3640 replay`: the same engine over captures instead of a queue. Tells what the router would have said and done
 * with packets that were captured on its interfaces, in their own time.
 */
import { Engine } from './engine.js';
import { EXIT } from './exit.js';
import type { RouterConfig } from './ios/config/model.js';
import { type Message, messageOf } from './ios/messages.js';
import { formatTimestamp } from './ios/timestamp.js';
import { CaptureError, type CapturedPacket, readCapture } from './io/pcap.js';
import { RoutingTable } from './route.js';
import { readBindings, readConfig } from './run.js';
import { DROP, DROP_REASONS, HOLD, isDrop, PASS } from './verdict.js';
import { decodeIpv4 } from './wire/decode.js';
import { Packet } from './wire/packet.js';

export interface ReplayOptions {
  config: string;
  /** `Ethernet2/0=FILE`, as given. */
  capture: string[];
}

const CAPACITY = 262_144;
/** A fixed seed: the same captures give the same output. */
const SEED = 1;

interface Arrival extends CapturedPacket {
  ingress: number;
}

/** Prints the router's messages and a count of verdicts. */
export async function replay(options: ReplayOptions): Promise<void> {
  const parsed = readConfig(options.config);
  if (parsed === undefined) return;
  const files = readBindings(options.capture, '--capture', 'outside.pcap');
  if (typeof files === 'string') {
    refuse(files);
    return;
  }
  const { config } = parsed;
  const arrivals: Arrival[] = [];
  try {
    for (const [name, file] of files) {
      const ingress = config.interfaces.findIndex((i) => i.name === name);
      if (ingress < 0) throw new CaptureError(file, `the configuration has no interface ${name}`);
      for (const p of await readCapture(file)) arrivals.push({ ...p, ingress });
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    refuse(error.message);
    return;
  }
  arrivals.sort((a, b) => a.timeMs - b.timeMs);
  for (const line of replayArrivals(config, arrivals)) console.log(line);
}

/** @returns the log with time stamps, then a line for each verdict with its number of packets */
export function replayArrivals(config: RouterConfig, arrivals: readonly Arrival[]): string[] {
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const start = arrivals[0]?.timeMs ?? 0;
  let timeMs = start;
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const say = (m: Message): void => {
    const stamp = formatTimestamp(config.timestamps.log, new Date(timeMs), timeMs - start);
    lines.push(`${stamp}${m.mnemonic === '' ? '' : `${m.mnemonic}: `}${m.text}`);
  };
  const engine = new Engine(
    config,
    { capacity: CAPACITY, seed: SEED, now: 0 },
    {
      event: (e) => say(messageOf(e)),
      release: (_token, v) => count(v === PASS ? 'forwarded after a wait' : nameOf(v)),
      inject: () => count('sent by the router itself'),
    },
  );
  const routes = new RoutingTable(config);
  const p = new Packet();
  arrivals.forEach((a, token) => {
    timeMs = a.timeMs;
    engine.tick(timeMs - start);
    if (!load(p, a, token)) count(DROP_REASONS[DROP.malformed]!);
    else if (!cameIn(p, a.ingress, config, routes)) count('left the router, not judged');
    else {
      const v = engine.handle(p, timeMs - start);
      count(v === PASS && p.modified ? 'forwarded, changed' : nameOf(v));
    }
  });
  for (const [what, n] of [...counts].sort((a, b) => b[1] - a[1])) lines.push(`${String(n).padStart(8)}  ${what}`);
  return lines;
}

const nameOf = (v: number): string => (isDrop(v) ? `dropped: ${DROP_REASONS[v]!}` : v === HOLD ? 'held' : 'forwarded');

/** @returns false for what has no IPv4 header that could be read */
function load(p: Packet, a: Arrival, token: number): boolean {
  p.bytes = a.bytes;
  p.at = 0;
  p.end = a.bytes.length;
  p.ingress = a.ingress;
  p.token = token;
  p.gso = false;
  p.checksumPartial = false;
  // A capture on the sending host shows checksums that its NIC has yet to compute.
  p.checksumVerified = true;
  p.truncated = a.truncated;
  p.modified = false;
  return a.truncated || decodeIpv4(p) === PASS;
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
