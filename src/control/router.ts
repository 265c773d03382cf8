/**
 * The control plane's router: it keeps the host as the configuration says, has the data plane judge packets, and is all
 * that console and log know of both. It may wait and it may fail: no packet waits for it.
 */
import { noDebug, type DebugFlags } from '../core/observe/debug.js';
import type { Clearing, Links } from '../core/plane.js';
import type { RouterSnapshot, ViewName } from '../core/state/snapshot.js';
import { PolicyCompiler } from '../ios/compile/policy.js';
import type { RouterConfig } from '../ios/config/model.js';
import { type Message, messagesOf } from '../ios/messages.js';
import { lockPath } from '../host/host-journal.js';
import { chooseUser, starterHere } from '../host/data-plane-user.js';
import { ShardFiles } from '../host/shard-files.js';
import { buildName } from '../io/build.js';
import { HostKeeper } from '../host/host-keeper.js';
import { HostSetup } from '../host/host-setup.js';
import { announce, HostLock, HostWatch } from '../host/host-watch.js';
import type { HostNote } from '../host/host-plan.js';
import type { Log } from '../io/log.js';
import { machineNow } from '../io/machine-clock.js';
import { PacketProber } from '../io/prober.js';
import { QueueWatch } from '../io/queue-watch.js';
import { copyState, layoutOf } from '../io/state-files.js';
import type { RouterMemory } from '../ios/trace/dry-run.js';
import { DataPlaneProcess, PROGRAM_FILES } from './data-plane-process.js';
import { Supervisor } from './supervisor.js';
import { findAtWork, type Found, type Wanted } from './takeover.js';
import { readRows } from '../core/observe/row.js';

export interface RouterOptions {
  config: RouterConfig;
  /** Canonical IOS interface name → Linux interface. */
  bindings: ReadonlyMap<string, string>;
  queue: number;
  failOpen: boolean;
  maxSessions: number;
  log: Log;
}

/** How often it is looked whether there is more to say of what was lost. */
const TICK_MS = 125;

export class Router {
  /** The configuration in force. Not to be changed: another one takes its place. */
  config: RouterConfig;
  /** What `debug` traces. Not to be changed: `setDebug`. */
  debug = noDebug();
  /** Names of the interfaces that a Linux interface is bound to. */
  readonly mapped: ReadonlySet<string>;
  readonly log: Log;
  readonly prober: PacketProber;
  readonly #supervisor: Supervisor;
  readonly #compiler: PolicyCompiler;
  readonly #host: HostSetup;
  #notes: readonly HostNote[] = [];
  readonly #hostWatch: HostWatch;
  readonly #watch: QueueWatch;
  readonly #files: ShardFiles;
  #keeper: HostKeeper | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Sets up the host and starts the data plane. Rules come first: from then on nothing passes that the engine has not
   * judged. Where a control plane was killed they are there: then packets go on, or soon, and the host is set right
   * beside them.
   * @throws HostError, RefusedError when the system refuses; what was set up is undone, what was taken over stays
   */
  static async start(options: RouterOptions): Promise<Router> {
    const lock = HostLock.take(lockPath());
    const wanted = {
      files: new ShardFiles(),
      build: buildName(),
      user: chooseUser(starterHere(), PROGRAM_FILES),
      queue: options.queue,
      capacity: options.maxSessions,
    };
    let found: Found = {};
    let router: Router | undefined;
    try {
      const notes: string[] = [];
      found = await findAtWork(wanted, (why) => notes.push(why));
      if (found.atWork === undefined) {
        if (wanted.user.note !== undefined) notes.push(wanted.user.note);
        found.born = DataPlaneProcess.start(wanted.files, wanted.build, wanted.user);
        found.born.catch(() => undefined); // the supervisor hears it
      }
      router = new Router(options, lock, wanted, found);
      for (const note of notes) router.say(4, '%FW3640', note, 'DATA_PLANE');
      const soon = found.atWork === undefined && router.#host.takeOver(options.bindings);
      if (soon) await router.#startDataPlane(found);
      router.#notes = router.#host.apply(options.config, options.bindings, router.#rules);
      if (soon) router.#supervisor.bind(router.#links());
      else await router.#startDataPlane(found);
    } catch (error) {
      // What was there before us stays: what is at work, and rules that keep packets out.
      if (router !== undefined) router.#abandon();
      for (const old of [found.atWork?.process, found.outdated]) old?.disconnect();
      await found.born?.then((process) => process.kill()).catch(() => undefined);
      if (router?.isFirst === true) router.#host.undo();
      lock.release();
      throw error;
    }
    router.#begin();
    return router;
  }

  private constructor(
    private readonly options: RouterOptions,
    private readonly lock: HostLock,
    wanted: Wanted,
    found: Found,
  ) {
    const { config, bindings } = options;
    this.log = options.log;
    this.config = config;
    this.#files = wanted.files;
    this.mapped = new Set(bindings.keys());
    this.#compiler = new PolicyCompiler(this.mapped, found.atWork?.policy);
    const policy = this.#compiler.compile(config);
    this.#watch = new QueueWatch(
      () => this.#supervisor.status.losses,
      (m) => this.write(m),
    );
    this.#host = new HostSetup();
    // Before anything is set up, so that no change goes unheard.
    this.#hostWatch = new HostWatch(() => this.#keeper?.changed());
    this.prober = new PacketProber({
      send: (key, packets) => this.#supervisor.tell({ type: 'probe', key, packets }),
      forget: (key) => this.#supervisor.tell({ type: 'forget-probe', key }),
    });
    this.#supervisor = new Supervisor(
      {
        ...wanted,
        policy,
        links: this.#links(),
        mapped: this.mapped,
        events: (events) => {
          for (const e of events) for (const m of messagesOf(e)) this.write(m);
        },
        answer: (answer) => this.prober.answer(answer),
        complaint: (line) => this.say(3, '%FW3640', `data plane: ${line}`, 'DATA_PLANE'),
        ended: (why) => {
          this.#watch.restart();
          this.say(2, '%FW3640', `the data plane ended (${why})`, 'DATA_PLANE');
        },
        restarted: () => this.say(5, '%FW3640', 'the data plane has been started again', 'DATA_PLANE'),
        takenOver: (status, unheard) => {
          this.#watch.resume(status.losses);
          const more = unheard === 0 ? '' : `; ${unheard} messages of the time before follow`;
          this.say(5, '%FW3640', `the data plane was at work and is taken over${more}`, 'DATA_PLANE');
        },
        note: (text) => this.say(4, '%FW3640', text, 'DATA_PLANE'),
      },
      this.debug,
    );
  }

  /** No other run has left anything here. */
  get isFirst(): boolean {
    return !this.#host.isInherited;
  }

  #abandon(): void {
    this.#hostWatch.close();
    this.#supervisor.leave();
  }

  #startDataPlane(found: Found): Promise<void> {
    this.#supervisor.bind(this.#links());
    return this.#supervisor.start(found);
  }

  /** The data plane judges packets: now the host is kept as it has been set up. */
  #begin(): void {
    const { bindings } = this.options;
    this.#keeper = new HostKeeper({
      look: () => this.#host.look(),
      repair: () => {
        this.#host.apply(this.config, bindings, this.#rules);
        this.#supervisor.bind(this.#links());
      },
      takeMtus: (look) => {
        const changed = this.#host.takeMtus(look);
        if (changed.length > 0) this.#supervisor.bind(this.#links());
        return changed;
      },
      bindings,
      isShutdown: (name) => this.config.interfaces.some((i) => i.name === name && i.shutdown),
      addressesOf: (device) => this.#host.addressesOf(device),
      announce,
      say: (severity, facility, text, mnemonic) => this.say(severity, facility, text, mnemonic),
    });
    this.#keeper.changed(); // says which links are down, and announces the addresses
    for (const note of this.#notes) this.say(note.level === 'warn' ? 4 : 6, '%HOST', note.text);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get #rules(): { queue: number; failOpen: boolean } {
    const { queue, failOpen } = this.options;
    return { queue, failOpen };
  }

  /** Processor time and memory of the data plane. */
  get load(): { cpuMs: number; memory: number } {
    const { cpuMs, status } = this.#supervisor;
    return { cpuMs, memory: status.memory };
  }

  /** Messages that the data plane left out, as too many. */
  get leftOut(): number {
    return this.#supervisor.leftOut;
  }

  /** The state of the data plane, as far as it is asked for. */
  async views(names: readonly ViewName[]): Promise<RouterSnapshot> {
    const views = await this.#supervisor.views(names);
    if (names.includes('counters')) views.add({ name: 'counters', items: readRows(this.#watch.rows()) });
    return views;
  }

  /** Copies of the tables of the data plane. Packets go on meanwhile. */
  memory(): RouterMemory | 'unreadable' {
    const { maxSessions: capacity } = this.options;
    const state = copyState(this.#files.state, layoutOf(capacity));
    if (state === undefined) return 'unreadable';
    return { source: state.source, cookieKey: state.secret, now: machineNow(), capacity };
  }

  /** Turns what `debug` traces. */
  setDebug(flags: DebugFlags): void {
    this.debug = flags;
    this.#supervisor.setDebug(flags);
  }

  /** Ends sessions or translations, or sets counters to nothing. */
  clear(clearing: Clearing): void {
    this.#supervisor.tell({ type: 'clear', clearing });
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
    const { bindings } = this.options;
    try {
      if (thorough) this.#host.apply(config, bindings, this.#rules);
      else this.#host.change(config, bindings, this.#rules);
    } catch (error) {
      this.#host.apply(before, bindings, this.#rules);
      throw error;
    }
    this.config = config;
    this.#supervisor.configure(this.#compiler.compile(config), this.#links());
    this.#keeper?.changed();
  }

  /** Whether the host still is as the configuration in force made it. Packets go on meanwhile. */
  hostHolds(): Promise<boolean> {
    return this.#host.holds().catch(() => false);
  }

  /** Stops: nothing passes while the host is put back as it was. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#keeper?.stop();
    this.#hostWatch.close();
    this.prober.stop();
    await this.#supervisor.stop();
    this.#host.undo();
    this.lock.release();
  }

  /** Whether the data plane answers, and judges packets. */
  get isWell(): boolean {
    return this.#supervisor.isWell;
  }

  /** Leaves host and data plane as they are, for a control plane that follows: packets go on. */
  leave(): void {
    clearInterval(this.#timer);
    this.#keeper?.stop();
    this.#hostWatch.close();
    this.prober.stop();
    this.#supervisor.leave();
    this.lock.release();
  }

  #links(): Links {
    const ingress = new Map<number, number>();
    const mtus = new Map<string, number>();
    this.config.interfaces.forEach((itf, index) => {
      const device = this.options.bindings.get(itf.name);
      const link = device === undefined ? undefined : this.#host.link(device);
      if (link === undefined) return;
      ingress.set(link.index, index);
      mtus.set(itf.name, link.mtu);
    });
    return { ingress, mtus };
  }

  #tick(): void {
    const now = performance.now();
    this.#watch.tick(now);
    this.log.report(now);
  }
}
