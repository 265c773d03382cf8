/** The engine with the configuration of 3640.cfg, a clock that stands still, and all it says collected. */
import { readFileSync } from 'node:fs';
import { Engine } from '../../src/core/engine.js';
import type { Event } from '../../src/core/events.js';
import type { MemorySource } from '../../src/core/memory/flat-memory.js';
import { PolicyCompiler } from '../../src/ios/compile/policy.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import type { Packet } from '../../src/core/wire/packet.js';
import type { RouterMemory } from '../../src/ios/trace/dry-run.js';
import { LeftMemory } from './left-memory.js';
import { received, sent } from './packets.js';

export interface Outcome {
  verdict: Verdict;
  /** The packet as it goes out. */
  bytes: Uint8Array;
  packet: Packet;
}

export const CONFIG_FILE = new URL('../../config/3640.cfg', import.meta.url).pathname;
export const CONFIG_TEXT = readFileSync(CONFIG_FILE, 'utf8');

/** By the lines added: to parse takes as long as many a test. */
const parsed = new Map<string, RouterConfig>();

/** 3640.cfg, with lines added at its end. */
export function config3640(extra = ''): RouterConfig {
  let config = parsed.get(extra);
  if (config === undefined) {
    const read = parseConfig(CONFIG_TEXT.replace(/\nend\n/, `\n${extra}\nend\n`), '3640.cfg');
    if (read.errors.length > 0) throw new Error(read.errors.map(String).join('\n'));
    config = read.config;
    parsed.set(extra, config);
  }
  return structuredClone(config);
}

export class Router3640 {
  readonly engine: Engine;
  readonly events: Event[] = [];
  readonly injected: Uint8Array[] = [];
  readonly released: { token: number; verdict: Verdict; bytes: Uint8Array | undefined }[] = [];
  now: number;
  config: RouterConfig;
  readonly #compiler = new PolicyCompiler();
  readonly #left = new LeftMemory();
  #outside: number;
  #inside: number;

  /** @param memory of the tables, if it is not to end with this router */
  constructor(
    extra = '',
    private readonly capacity = 1024,
    memory?: MemorySource,
    now = 1000,
  ) {
    this.now = now;
    const config = config3640(extra);
    this.config = config;
    this.#outside = config.interfaces.findIndex((i) => i.name === 'Ethernet2/0');
    this.#inside = config.interfaces.findIndex((i) => i.name === 'Ethernet2/1');
    this.engine = new Engine(
      this.#compiler.compile(config),
      { capacity, seed: 7, now: this.now, memory: memory ?? this.#left.source, cookieKey: new Int32Array(4) },
      {
        event: (e) => this.events.push(e),
        inject: (packet) => this.injected.push(packet.slice()),
        release: (token, verdict, bytes) => this.released.push({ token, verdict, bytes: bytes?.slice() }),
      },
    );
  }

  /** @param partial the checksum is that of the pseudo header (CHECKSUM_PARTIAL) */
  fromOutside(bytes: Uint8Array, token = 0, partial = false): Outcome {
    return this.#handle(bytes, this.#outside, token, partial);
  }

  fromInside(bytes: Uint8Array, token = 0): Outcome {
    return this.#handle(bytes, this.#inside, token);
  }

  /** What `packet-tracer` sees of it. */
  get memory(): RouterMemory {
    return { source: this.#left.copy(), now: this.now, capacity: this.capacity, cookieKey: new Int32Array(4) };
  }

  /** Makes another configuration the one in force. */
  configure(config: RouterConfig): void {
    this.config = config;
    this.engine.configure(this.#compiler.compile(config), this.now);
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.now += ms;
    this.engine.tick(this.now);
  }

  get sessionCount(): number {
    return this.engine.sessions.table.size;
  }

  #handle(bytes: Uint8Array, ingress: number, token: number, partial = false): Outcome {
    const packet = received(bytes, ingress, token);
    packet.checksumPartial = partial;
    const verdict = this.engine.handle(packet, this.now);
    return { verdict, bytes: sent(packet), packet };
  }
}

export { DROP, PASS };
