/**
 * All shards as one data plane: each has a process, a queue, files and a supervisor of its own. What is told is told to
 * all; what is asked is asked of all, and put together. Where one ends, its flows alone wait until it is back.
 */
import type { TapBatch, TapSettings } from '../core/capture/tap.js';
import type { Event } from '../core/events.js';
import type { DebugFlags } from '../core/observe/debug.js';
import { type Reading, readRows } from '../core/observe/row.js';
import type { Clearing, FromDataPlane, Links, ProbeKey } from '../core/plane.js';
import type { Policy } from '../core/policy.js';
import type { ViewName } from '../core/state/snapshot.js';
import { CollectedViews } from '../core/state/view.js';
import { QueueWatch } from '../io/queue-watch.js';
import type { ShardMetrics } from '../ios/metrics/snapshot.js';
import type { Message } from '../ios/messages.js';
import { type Processes, Supervisor } from './supervisor.js';
import type { Found, Wanted } from './takeover.js';

export interface ShardsOptions {
  /** Of each shard, shard 0 first. */
  wanted: readonly Wanted[];
  policy: Policy;
  links: Links;
  /** Names of the interfaces that a Linux interface is bound to. */
  mapped: ReadonlySet<string>;
  events: (events: readonly Event[]) => void;
  /** What capture points have seen in a shard. */
  captured: (batch: TapBatch, shard: number) => void;
  answer: (answer: Extract<FromDataPlane, { type: 'answer' }>) => void;
  write: (message: Message) => void;
  /** Logs a line about the data plane. */
  say: (severity: number, text: string) => void;
}

/** What is said of one of the shards, with its number where there are several. */
export const ofShard = (shard: number, shards: number, text: string): string =>
  shards === 1 ? text : `shard ${shard}: ${text}`;

interface Shard {
  supervisor: Supervisor;
  watch: QueueWatch;
  /** How often another one was begun. */
  restarts: number;
}

export class Shards {
  readonly #all: readonly Shard[];

  /** @param debug flags at the start */
  constructor(
    private readonly options: ShardsOptions,
    debug: DebugFlags,
    private readonly processes?: Processes,
  ) {
    this.#all = options.wanted.map((wanted, shard) => this.#make(wanted, shard, debug));
  }

  #make(wanted: Wanted, shard: number, debug: DebugFlags): Shard {
    const { policy, links, mapped, events, write, say } = this.options;
    // Where there is only one, it is not spoken of.
    const name = this.options.wanted.length === 1 ? 'the data plane' : `shard ${shard}`;
    const watch = new QueueWatch(() => supervisor.status.losses, write);
    const supervisor: Supervisor = new Supervisor(
      {
        ...wanted,
        policy,
        links,
        mapped,
        events,
        captured: (batch) => this.options.captured(batch, shard),
        answer: (answer) => {
          this.options.answer(answer);
          this.forgetProbe(answer.key);
        },
        complaint: (line) => say(3, `${name.replace(/^the /, '')}: ${line}`),
        ended: (why) => {
          watch.restart();
          say(2, `${name} ended (${why})`);
        },
        restarted: () => {
          made.restarts++;
          say(5, `${name} has been started again`);
        },
        takenOver: (status, unheard) => {
          watch.resume(status.losses);
          const more = unheard === 0 ? '' : `; ${unheard} messages of the time before follow`;
          say(5, `${name} was at work and is taken over${more}`);
        },
        note: (text) => say(4, ofShard(shard, this.options.wanted.length, text)),
      },
      debug,
      this.processes,
    );
    const made = { supervisor, watch, restarts: 0 };
    return made;
  }

  /**
   * Starts all, or takes over those that are at work.
   * @returns when their queues are open
   * @throws RefusedError where one cannot begin
   */
  async start(found: readonly Found[]): Promise<void> {
    const begun = await Promise.allSettled(this.#all.map(({ supervisor }, shard) => supervisor.start(found[shard]!)));
    for (const { status, ...rest } of begun) if (status === 'rejected') throw (rest as PromiseRejectedResult).reason;
  }

  /** Puts a policy in force. It must come from the same compiler as the one before. */
  configure(policy: Policy, links: Links): void {
    for (const { supervisor } of this.#all) supervisor.configure(policy, links);
  }

  /** Links have come, gone or changed. */
  bind(links: Links): void {
    for (const { supervisor } of this.#all) supervisor.bind(links);
  }

  setDebug(flags: DebugFlags): void {
    for (const { supervisor } of this.#all) supervisor.setDebug(flags);
  }

  setTap(settings: TapSettings): void {
    for (const { supervisor } of this.#all) supervisor.setTap(settings);
  }

  clear(clearing: Clearing): void {
    for (const { supervisor } of this.#all) supervisor.tell({ type: 'clear', clearing });
  }

  /** The first one sends; the answer comes in by the shard of its sender, whichever that is. */
  probe(key: ProbeKey, packets: readonly Uint8Array[]): void {
    // The one that sends is told last: then all look for the answer.
    for (const [shard, { supervisor }] of [...this.#all.entries()].reverse())
      supervisor.tell({ type: 'probe', key, packets: shard === 0 ? packets : [] });
  }

  forgetProbe(key: ProbeKey): void {
    for (const { supervisor } of this.#all) supervisor.tell({ type: 'forget-probe', key });
  }

  /** Asks all for views. Where one ends meanwhile, its part of them is what was there. */
  async views(names: readonly ViewName[]): Promise<CollectedViews> {
    const views = new CollectedViews(this.options.mapped, this.#all.length);
    await Promise.all(this.#all.map(({ supervisor }) => supervisor.views(names, views)));
    if (names.includes('counters')) views.add({ name: 'counters', items: this.#losses() });
    return views;
  }

  /**
   * What each counts, for metrics, and its views.
   * @param patienceMs what is not here by then is left out
   */
  metrics(names: readonly ViewName[], patienceMs: number): Promise<{ metrics: ShardMetrics; views: CollectedViews }[]> {
    return Promise.all(
      this.#all.map(async ({ supervisor, watch, restarts }) => {
        const views = new CollectedViews(this.options.mapped);
        await withPatience(supervisor.views(names, views), patienceMs);
        const { memory } = supervisor.status;
        const metrics = {
          up: supervisor.isWell,
          restarts,
          cpuSeconds: supervisor.cpuMs / 1000,
          memoryBytes: memory,
          readings: [...views.counters(), ...readRows(watch.rows())],
          inspection: views.inspection(),
        };
        return { metrics, views };
      }),
    );
  }

  #losses(): Reading[] {
    return this.#all.flatMap(({ watch }) => readRows(watch.rows()));
  }

  /** Looks whether there is more to say of what was lost. `now`: ms, monotonic. */
  tick(now: number): void {
    for (const { watch } of this.#all) watch.tick(now);
  }

  /** Processor time of all data planes so far, ms, and bytes of those that are at work. */
  get load(): { cpuMs: number; memory: number } {
    let cpuMs = 0;
    let memory = 0;
    for (const { supervisor } of this.#all) {
      cpuMs += supervisor.cpuMs;
      memory += supervisor.status.memory;
    }
    return { cpuMs, memory };
  }

  /** Messages left out, as too many, so far. */
  get leftOut(): number {
    return this.#all.reduce((sum, { supervisor }) => sum + supervisor.leftOut, 0);
  }

  /** All answer, and judge packets. */
  get isWell(): boolean {
    return this.#all.every(({ supervisor }) => supervisor.isWell);
  }

  /** Leaves them at work, for another control plane. */
  leave(): void {
    for (const { supervisor } of this.#all) supervisor.leave();
  }

  /** Has them close their queues and end. @returns when they have */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ supervisor }) => supervisor.stop()));
  }
}

/** @returns when `done` is kept, or time is up */
async function withPatience(done: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([done, late]);
  clearTimeout(timer);
}
