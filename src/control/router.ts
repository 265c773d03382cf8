/**
 * The live router: the engine between the queue, the host, the log and the console. Everything that is decided is
 * decided in the engine; this file only carries packets and words.
 */
import { randomInt } from 'node:crypto';
import { Engine } from '../core/engine.js';
import type { Event } from '../core/events.js';
import { PolicyCompiler } from '../ios/compile/policy.js';
import type { RouterConfig } from '../ios/config/model.js';
import type { Message } from '../ios/messages.js';
import { lockPath } from '../host/host-journal.js';
import { HostKeeper } from '../host/host-keeper.js';
import { HostSetup } from '../host/host-setup.js';
import { announce, HostLock, HostWatch } from '../host/host-watch.js';
import type { Log } from '../io/log.js';
import type { HostNote } from '../host/host-plan.js';
import { QueueWatch } from '../io/queue-watch.js';
import { PacketProber } from '../io/prober.js';
import { PacketQueue } from '../io/queue/packet-queue.js';
import { RouterState } from '../core/state/router-state.js';
import { DROP } from '../core/verdict.js';
import { Packet } from '../core/wire/packet.js';

export interface RouterOptions {
  config: RouterConfig;
  /** Canonical IOS interface name → Linux interface. */
  bindings: ReadonlyMap<string, string>;
  queue: number;
  failOpen: boolean;
  maxSessions: number;
  log: Log;
}

/** Timers are looked at this often: half a timer wheel slot would be wasted effort, a second too coarse. */
const TICK_MS = 125;
const UNKNOWN = -1;

/** A key of SYN cookies, of this run alone. */
function randomKey(): Int32Array {
  return crypto.getRandomValues(new Int32Array(4));
}

export class Router {
  readonly engine: Engine;
  /** The configuration in force. Not to be changed: another one takes its place. */
  config: RouterConfig;
  readonly state: RouterState;
  readonly log: Log;
  readonly prober: PacketProber;
  readonly #compiler: PolicyCompiler;
  readonly #lock: HostLock;
  readonly #host: HostSetup;
  #keeper: HostKeeper | undefined;
  readonly #hostWatch: HostWatch;
  readonly #queue: PacketQueue;
  readonly #packet = new Packet();
  /** Interface index of the configuration by ifindex of Linux. */
  readonly #ingress = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #watch: QueueWatch;
  /** Clock of the batch or tick in hand, ms. */
  #clock = 0;
  /** Packets that came in by an interface we do not know; dropped. */
  unknownInterface = 0;

  /**
   * Sets up the host and starts. Rules come first: from then on nothing passes that the engine has not judged.
   * @throws HostError, QueueError when the system refuses; what was set up is undone
   */
  constructor(private readonly options: RouterOptions) {
    this.log = options.log;
    const mapped = new Set(options.bindings.keys());
    this.config = options.config;
    this.#compiler = new PolicyCompiler(mapped);
    this.engine = new Engine(
      this.#compiler.compile(options.config),
      {
        capacity: options.maxSessions,
        seed: randomInt(2 ** 31),
        cookieKey: randomKey(),
        now: this.now(),
        identificationSeed: randomInt(2 ** 31),
      },
      {
        event: (e) => this.#event(e),
        release: (token, v, bytes, partial) => this.#queue.release(token, v, bytes, partial),
        inject: (packet) => this.#queue.inject(packet),
      },
    );
    this.prober = new PacketProber((packets) => {
      for (const packet of packets) this.#queue.inject(packet);
      this.#queue.flush();
    });
    this.#watch = new QueueWatch(
      () => ({ ...this.#queue.stats(), unknownInterface: this.unknownInterface }),
      (m) => this.write(m),
    );
    this.state = new RouterState(
      this.engine,
      () => this.now(),
      mapped,
      () => this.#watch.counters(),
    );
    const { queue, failOpen, bindings } = options;
    this.#lock = HostLock.take(lockPath());
    let notes: HostNote[];
    try {
      this.#host = new HostSetup();
      // Before anything is set up, so that no change goes unheard.
      this.#hostWatch = new HostWatch(() => this.#keeper?.changed());
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    try {
      notes = this.#host.apply(options.config, bindings, { queue, failOpen });
    } catch (error) {
      this.#hostWatch.close();
      this.#lock.release();
      throw error;
    }
    try {
      this.#queue = PacketQueue.open({ queue });
      this.#mapInterfaces(options.config);
    } catch (error) {
      this.#hostWatch.close();
      this.#host.undo();
      this.#lock.release();
      throw error;
    }
    this.#keeper = new HostKeeper({
      look: () => this.#host.look(),
      repair: () => {
        this.#host.apply(this.config, bindings, { queue, failOpen });
        this.#mapInterfaces(this.config);
      },
      takeMtus: (look) => {
        const changed = this.#host.takeMtus(look);
        if (changed.length > 0) this.#mapInterfaces(this.config);
        return changed;
      },
      bindings,
      isShutdown: (name) => this.config.interfaces.some((i) => i.name === name && i.shutdown),
      addressesOf: (device) => this.#host.addressesOf(device),
      announce,
      say: (severity, facility, text, mnemonic) => this.say(severity, facility, text, mnemonic),
    });
    this.#keeper.changed(); // says which links are down, and announces the addresses
    for (const note of notes) this.say(note.level === 'warn' ? 4 : 6, '%HOST', note.text);
    this.#queue.start((q, count) => this.#batch(q, count));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Monotonic clock of the engine, ms. */
  now(): number {
    return performance.now();
  }

  /** Counters of the queue. */
  queueStats(): ReturnType<PacketQueue['stats']> {
    return this.#queue.stats();
  }

  /** Logs a line of the router's own. */
  say(severity: number, facility: string, text: string, mnemonic = 'NOTE'): void {
    this.write({ severity, mnemonic: `${facility}-${severity}-${mnemonic}`, text, fields: {} });
  }

  /** Logs a message. */
  write(m: Message): void {
    this.log.write(m);
  }

  /**
   * Makes another configuration the one in force; sessions stay.
   * @param thorough look at the whole host: what somebody has changed there is set right
   * @throws HostError where the host refuses: then the old one stays in force
   */
  configure(config: RouterConfig, thorough: boolean): void {
    const before = this.config;
    const { bindings, queue, failOpen } = this.options;
    try {
      if (thorough) this.#host.apply(config, bindings, { queue, failOpen });
      else this.#host.change(config, bindings, { queue, failOpen });
    } catch (error) {
      this.#host.apply(before, bindings, { queue, failOpen });
      throw error;
    }
    this.config = config;
    this.engine.configure(this.#compiler.compile(config), this.now());
    this.#mapInterfaces(config);
    this.#keeper?.changed();
  }

  /** Ends all sessions and translations, and counts from nothing. The ends of inspected TCP sessions are reset. */
  forget(): void {
    const { sessions, nat, accessLists } = this.engine;
    sessions.clear();
    sessions.table.forEach((s) => sessions.end(s, 'cleared'));
    nat.translations.clear();
    nat.clearStatistics();
    for (const list of accessLists.values()) list.clearMatches();
    sessions.clearStatistics(this.now());
    this.flush();
  }

  /** Whether the host still is as the configuration in force made it. Packets go on meanwhile. */
  hostHolds(): Promise<boolean> {
    return this.#host.holds().catch(() => false);
  }

  /** Sends what the engine has decided outside of a batch. */
  flush(): void {
    this.#queue.flush();
  }

  /** Stops: nothing passes while the host is put back as it was. */
  stop(): void {
    clearInterval(this.#timer);
    this.#keeper?.stop();
    this.#hostWatch.close();
    this.prober.stop();
    this.#queue.close();
    this.#host.undo();
    this.#lock.release();
  }

  #mapInterfaces(config: RouterConfig): void {
    this.#ingress.clear();
    const mtus = new Map<string, number>();
    config.interfaces.forEach((itf, index) => {
      const device = this.options.bindings.get(itf.name);
      const link = device === undefined ? undefined : this.#host.link(device);
      if (link === undefined) return;
      this.#ingress.set(link.index, index);
      mtus.set(itf.name, link.mtu);
    });
    this.engine.setMtus(mtus);
  }

  #batch(q: PacketQueue, count: number): void {
    const p = this.#packet;
    const now = this.now();
    this.#clock = now;
    for (let i = 0; i < count; i++) {
      const ingress = this.#ingress.get(q.load(i, p)) ?? UNKNOWN;
      if (q.isFromRouter(i)) {
        q.verdict(i, this.engine.handleOwn(p), p);
        continue;
      }
      if (ingress === UNKNOWN) {
        this.unknownInterface++;
        q.verdict(i, DROP.internal, p);
        continue;
      }
      p.ingress = ingress;
      const v = this.engine.handle(p, now);
      if (this.prober.waiting > 0) this.prober.see(p, v, now);
      q.verdict(i, v, p);
    }
  }

  #tick(): void {
    const now = this.now();
    this.#clock = now;
    this.engine.tick(now);
    this.#queue.flush();
    this.#watch.tick(now);
    this.log.report(now);
  }

  #event(e: Event): void {
    this.log.event(e, this.#clock);
  }
}
