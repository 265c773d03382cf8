/**
 * The control plane's router: it keeps the host as the configuration says, has the data plane judge packets, and is all
 * that console and log know of both. It may wait and it may fail: no packet waits for it.
 */
import { noDebug, type DebugFlags } from '../core/observe/debug.js';
import type { CaptureChange } from '../core/capture/capture.js';
import type { VerdictBatch } from '../core/capture/verdict.js';
import type { Clearing, Links } from '../core/plane.js';
import type { RouterSnapshot, ViewName } from '../core/state/snapshot.js';
import { compilePolicy, lastRevision, PolicyCompiler } from '../ios/compile/policy.js';
import type { RouterConfig } from '../ios/config/model.js';
import { captureMessage } from '../ios/capture/messages.js';
import { RecentLines } from '../ios/live/recent-lines.js';
import { type Message, messagesOf } from '../ios/messages.js';
import type { Policy } from '../core/policy.js';
import { shardBetween, steeringOf } from '../core/shard/steering.js';
import type { ShardFiles } from '../host/shard-files.js';
import { announce } from '../host/host-watch.js';
import type { HostNote, HostOptions } from '../host/host-plan.js';
import type { Log } from '../io/log.js';
import { machineNow } from '../io/machine-clock.js';
import { PacketProber } from '../io/prober.js';
import { layoutOf } from '../io/state-files.js';
import type { RouterMemory } from '../ios/trace/dry-run.js';
import type { TracedPacket } from '../ios/trace/probe.js';
import { TranscriptStore } from '../ios/transcript/store.js';
import { Captures } from './captures.js';
import { whyOneShard } from './one-shard.js';
import { linux, type RouterHost, type RouterSystem } from './router-system.js';
import { ofShard, Shards } from './shards.js';
import type { Found, Wanted } from './takeover.js';

export interface RouterOptions {
  config: RouterConfig;
  /** Canonical IOS interface name → Linux interface. */
  bindings: ReadonlyMap<string, string>;
  queue: number;
  /** How many data planes, with a queue each from `queue` on. */
  shards: number;
  failOpen: boolean;
  maxSessions: number;
  log: Log;
}

/** Of those in force, the one that the last control plane has told last: its revisions go on. */
function newestPolicy(found: readonly Found[]): Policy | undefined {
  let newest: Policy | undefined;
  for (const { atWork } of found) {
    const policy = atWork?.policy;
    if (policy !== undefined && (newest === undefined || lastRevision(policy) > lastRevision(newest))) newest = policy;
  }
  return newest;
}

/** Ends the shards of a run that had more. Their flows are others' now. @returns what is to be said of it */
async function endSurplus(shards: number, system: RouterSystem): Promise<string[]> {
  const notes: string[] = [];
  for (const shard of system.filesOf(shards).furtherShards()) {
    const files = system.filesOf(shard);
    await system.processes.endLeft(files);
    files.removeOwnState();
    notes.push(`there is no shard ${shard} any more: its sessions do not go on`);
  }
  return notes;
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
  /** Of the log, for the live page. */
  readonly recent = new RecentLines();
  /** Called when another configuration is in force. */
  configured: () => void = () => undefined;
  /** Of inspected dialogues. */
  readonly transcripts = new TranscriptStore();
  readonly #shards: Shards;
  readonly #captures: Captures;
  readonly #compiler: PolicyCompiler;
  readonly #host: RouterHost;
  #notes: readonly HostNote[] = [];
  readonly #hostWatch: { close(): void };
  /** Of each shard. */
  readonly #files: readonly ShardFiles[];
  #keeper: ReturnType<RouterSystem['keepHost']> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Sets up the host and starts the data plane. Rules come first: from then on nothing passes that the engine has not
   * judged. Where a control plane was killed they are there: then packets go on, or soon, and the host is set right
   * beside them.
   * @throws HostError, RefusedError when the system refuses; what was set up is undone, what was taken over stays
   */
  static async start(options: RouterOptions, system = linux): Promise<Router> {
    const lock = system.takeLock();
    const { shards } = options;
    const common = { build: system.buildName(), user: system.chooseUser(), shards };
    const wanted = Array.from({ length: shards }, (_, shard) => ({
      ...common,
      files: system.filesOf(shard),
      queue: options.queue + shard,
      capacity: options.maxSessions,
    }));
    let found: Found[] = [];
    let router: Router | undefined;
    try {
      const notes: string[] = [];
      found = await Promise.all(
        wanted.map((one, shard) => system.processes.findAtWork(one, (why) => notes.push(ofShard(shard, shards, why)))),
      );
      if (common.user.note !== undefined && found.some(({ atWork }) => atWork === undefined))
        notes.push(common.user.note);
      notes.push(...(await endSurplus(shards, system)));
      wanted.forEach((one, shard) => {
        if (found[shard]!.atWork !== undefined) return;
        const born = system.processes.start(one);
        born.catch(() => undefined); // the supervisor hears it
        found[shard]!.born = born;
      });
      router = new Router(options, system, lock, wanted, found);
      for (const note of notes) router.say(4, '%FW3640', note, 'DATA_PLANE');
      // Where there are several, the rules that are there may be those of another number: then the right ones come first.
      const none = found.every(({ atWork }) => atWork === undefined);
      const soon = shards === 1 && none && router.#host.takeOver(options.bindings);
      if (soon) await router.#startDataPlane(found);
      router.#notes = router.#host.apply(options.config, options.bindings, router.#rules);
      if (soon) router.#shards.bind(router.#links());
      else await router.#startDataPlane(found);
    } catch (error) {
      // What was there before us stays: what is at work, and rules that keep packets out.
      if (router !== undefined) router.#abandon();
      for (const { atWork, outdated, born } of found) {
        for (const old of [atWork?.process, outdated]) old?.disconnect();
        await born?.then((process) => process.kill()).catch(() => undefined);
      }
      if (router?.isFirst === true) router.#host.undo();
      lock.release();
      throw error;
    }
    router.#begin();
    return router;
  }

  private constructor(
    private readonly options: RouterOptions,
    private readonly system: RouterSystem,
    private readonly lock: { release(): void },
    wanted: readonly Wanted[],
    found: readonly Found[],
  ) {
    const { config, bindings } = options;
    this.log = options.log;
    this.config = config;
    this.transcripts.most = config.inspect.transcripts;
    this.#files = wanted.map(({ files }) => files);
    this.mapped = new Set(bindings.keys());
    this.#compiler = new PolicyCompiler(this.mapped, newestPolicy(found));
    const policy = this.#compiler.compile(config);
    this.#host = system.openHost();
    // Before anything is set up, so that no change goes unheard.
    this.#hostWatch = system.watchHost(() => this.#keeper?.changed());
    this.prober = new PacketProber({
      send: (key, packets) => this.#shards.probe(key, packets),
      forget: (key) => this.#shards.forgetProbe(key),
    });
    this.#captures = new Captures({
      tap: (settings) => this.#shards.setTap(settings),
      say: (event, point) => this.write(captureMessage(event, point)),
      timeOf: (clockMs) => Date.now() - (this.system.now() - clockMs),
      now: () => this.system.now(),
    });
    this.#shards = new Shards(
      {
        wanted,
        policy,
        links: this.#links(),
        mapped: this.mapped,
        events: (events) => {
          for (const e of events) {
            if (e.type === 'transcript') this.transcripts.take(e, Date.now() - machineNow() + e.at);
            else for (const m of messagesOf(e)) this.write(m);
          }
        },
        captured: (batch, shard) => this.#captures.take(batch, shard),
        answer: (answer) => this.prober.answer(answer),
        write: (m) => this.write(m),
        say: (severity, text) => this.say(severity, '%FW3640', text, 'DATA_PLANE'),
      },
      this.debug,
      system.processes,
    );
  }

  /** No other run has left anything here. */
  get isFirst(): boolean {
    return !this.#host.isInherited;
  }

  #abandon(): void {
    this.#hostWatch.close();
    this.#shards.leave();
  }

  #startDataPlane(found: readonly Found[]): Promise<void> {
    this.#shards.bind(this.#links());
    return this.#shards.start(found);
  }

  /** The data plane judges packets: now the host is kept as it has been set up. */
  #begin(): void {
    const { bindings } = this.options;
    this.#keeper = this.system.keepHost({
      look: () => this.#host.look(),
      repair: () => {
        this.#host.apply(this.config, bindings, this.#rules);
        this.#shards.bind(this.#links());
      },
      takeMtus: (look) => {
        const changed = this.#host.takeMtus(look);
        if (changed.length > 0) this.#shards.bind(this.#links());
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

  get #rules(): HostOptions {
    const { queue, failOpen, shards } = this.options;
    return { queue, failOpen, shards };
  }

  /** Processor time and memory of the data plane. */
  get load(): { cpuMs: number; memory: number } {
    return this.#shards.load;
  }

  /** What each data plane counts. @param patienceMs what is not here by then is left out */
  shardMetrics(names: readonly ViewName[], patienceMs: number): ReturnType<Shards['metrics']> {
    return this.#shards.metrics(names, patienceMs);
  }

  /** Most sessions at a time. */
  get maxSessions(): number {
    return this.options.maxSessions;
  }

  /** Messages that the data plane left out, as too many. */
  get leftOut(): number {
    return this.#shards.leftOut;
  }

  /** The state of the data plane, as far as it is asked for. */
  async views(names: readonly ViewName[]): Promise<RouterSnapshot> {
    const views = await this.#shards.views(names);
    if (names.includes('captures')) views.add({ name: 'captures', value: this.#captures.snapshot() });
    if (names.includes('captured')) views.add({ name: 'captured', items: this.#captures.packets() });
    return views;
  }

  /** Copies of the tables of the data plane, of the shard that a packet is for. Packets go on meanwhile. */
  memory(packet: TracedPacket): RouterMemory | 'unreadable' {
    const { maxSessions: capacity, shards } = this.options;
    const files = this.#files[this.#shardOf(packet)]!;
    const state = this.system.copyState(files.state, layoutOf(capacity, shards));
    if (state === undefined) return 'unreadable';
    return { source: state.source, cookieKey: state.secret, now: this.system.now(), capacity };
  }

  #shardOf({ ingress, src, dst }: TracedPacket): number {
    const { shards } = this.options;
    if (shards === 1) return 0;
    const policy = compilePolicy(this.config, this.mapped);
    const fromOutside = policy.interfaces.some(({ name, nat }) => name === ingress && nat === 'outside');
    return shardBetween(steeringOf(policy, shards), src, dst, fromOutside);
  }

  /** Turns what `debug` traces. */
  setDebug(flags: DebugFlags): void {
    this.debug = flags;
    this.#shards.setDebug(flags);
  }

  /** Makes, changes, starts or stops capture points and buffers. */
  capture(change: CaptureChange): void {
    this.#captures.change(change);
  }

  /** What became of packets, from record `from` on; 0: from now on. */
  verdicts(from: number): VerdictBatch {
    return { ...this.#captures.verdicts.ask(from), devices: Object.fromEntries(this.options.bindings) };
  }

  /** Ends sessions or translations, or sets counters to nothing. */
  clear(clearing: Clearing): void {
    if (clearing.what === 'everything') this.#captures.reset();
    this.#shards.clear(clearing);
  }

  /** Logs a line of the router's own. */
  say(severity: number, facility: string, text: string, mnemonic = 'NOTE'): void {
    this.write({ severity, mnemonic: `${facility}-${severity}-${mnemonic}`, text, fields: {} });
  }

  /** Logs a message. */
  write(m: Message): void {
    this.log.write(m);
    this.recent.note(m, Date.now());
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
    this.transcripts.most = config.inspect.transcripts;
    this.#shards.configure(this.#compiler.compile(config), this.#links());
    this.#keeper?.changed();
    this.configured();
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
    await this.#shards.stop();
    this.#host.undo();
    this.lock.release();
  }

  /** Why this configuration asks for one shard, and there are several; undefined: it does not. */
  refusal(config: RouterConfig): string | undefined {
    return this.options.shards === 1 ? undefined : whyOneShard(config, this.mapped);
  }

  /** Whether the data plane answers, and judges packets. */
  get isWell(): boolean {
    return this.#shards.isWell;
  }

  /** Leaves host and data plane as they are, for a control plane that follows: packets go on. */
  leave(): void {
    clearInterval(this.#timer);
    this.#keeper?.stop();
    this.#hostWatch.close();
    this.prober.stop();
    this.#shards.leave();
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
    this.#shards.tick(now);
    this.#captures.tick();
    this.log.report(now);
  }
}
