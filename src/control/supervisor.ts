/**
 * Starts the data plane, or takes over the one that is at work; speaks with it, and starts another one should it end or
 * hang. While there is none the kernel drops what comes: nobody reads the queue.
 */
import type { Event } from '../core/events.js';
import { NO_TAP, type TapBatch, type TapSettings } from '../core/capture/tap.js';
import type { FromDataPlane, Links, Status, ToDataPlane } from '../core/plane.js';
import { changesOf } from '../core/policy-changes.js';
import { changesInPieces } from '../core/policy-pieces.js';
import type { Policy } from '../core/policy.js';
import type { DebugFlags } from '../core/observe/debug.js';
import type { ViewName } from '../core/state/snapshot.js';
import { CollectedViews } from '../core/state/view.js';
import { endLeftShard } from '../host/end-process.js';
import type { ShardFiles } from '../host/shard-files.js';
import { packetsQueued } from '../io/queue/kernel-queue.js';
import { DataPlaneProcess, type PlaneProcess, RefusedError } from './data-plane-process.js';
import { ASK_EVERY_MS, Heartbeat } from './heartbeat.js';
import { Spare } from './spare.js';
import { type AtWork, findAtWork, type Found, type Wanted } from './takeover.js';

/** Wait before the first new start after an end, and at most: it doubles with each one that fails. */
const FIRST_WAIT_MS = 50;
const MOST_WAIT_MS = 5000;
/** One that has lived so long was no failed start. */
const HEALTHY_MS = 10_000;
/** Ends of its own making, not somebody's `kill`. */
const FAILED = /^exit code [^0]|^SIG(?:SEGV|BUS|ABRT|ILL|FPE|TRAP)/;
const MOST_FAILURES = 3;

export interface SupervisorOptions extends Wanted {
  policy: Policy;
  links: Links;
  /** Names of the interfaces that a Linux interface is bound to. */
  mapped: ReadonlySet<string>;
  events: (events: readonly Event[]) => void;
  /** What capture points have seen. */
  captured: (batch: TapBatch) => void;
  answer: (answer: Extract<FromDataPlane, { type: 'answer' }>) => void;
  /** A line that it wrote to standard error, as Node does when a program fails. */
  complaint: (line: string) => void;
  /** It has ended by itself. `why`: a signal or an exit code. */
  ended: (why: string) => void;
  /** Another one has begun. */
  restarted: () => void;
  /** One that was at work was taken over. `unheard`: events that nobody has written so far; they follow. */
  takenOver: (status: Status, unheard: number) => void;
  /** Says in a phrase what is done with a data plane, and why. */
  note: (text: string) => void;
}

interface Question {
  views: CollectedViews;
  resolve: (views: CollectedViews) => void;
}

const NO_STATUS: Status = { losses: {}, cpuMs: 0, memory: 0, leftOut: 0 };

/** What a supervisor has of the system. */
export interface Processes {
  /** @param spare see DataPlaneProcess.start */
  start(wanted: Wanted, spare?: boolean): Promise<PlaneProcess>;
  findAtWork(wanted: Wanted, say: (why: string) => void): Promise<Found>;
  /** Ends what was left at work, and removes its files. */
  endLeft(files: ShardFiles): Promise<unknown>;
  /** As `packetsQueued`. */
  queued(queue: number): number | undefined;
}

export const linux: Processes = {
  start: ({ files, build, user }, spare) => DataPlaneProcess.start(files, build, user, spare),
  findAtWork,
  endLeft: endLeftShard,
  queued: packetsQueued,
};

export class Supervisor {
  status = NO_STATUS;
  #process: PlaneProcess | undefined;
  #policy: Policy;
  #links: Links;
  #debug: DebugFlags;
  #tap = NO_TAP;
  readonly #questions = new Map<number, Question>();
  #nextQuestion = 1;
  #stopping = false;
  /** The start that is under way. */
  #starting: Promise<void> = Promise.resolve();
  #began = 0;
  #waitMs = FIRST_WAIT_MS;
  /** How often it has failed by itself, one time soon after the other. */
  #failures = 0;
  /** Of those that have ended. */
  #earlier = { cpuMs: 0, leftOut: 0 };
  readonly #heartbeat: Heartbeat;
  readonly #spare: Spare;
  readonly #timer: NodeJS.Timeout;

  /** @param debug flags at the start */
  constructor(
    private readonly options: SupervisorOptions,
    debug: DebugFlags,
    private readonly processes = linux,
  ) {
    this.#policy = options.policy;
    this.#links = options.links;
    this.#debug = debug;
    this.#heartbeat = new Heartbeat(() => processes.queued(options.queue));
    this.#spare = new Spare(() => processes.start(options, true));
    this.#timer = setInterval(() => this.#ask(), ASK_EVERY_MS);
  }

  /**
   * Starts the data plane, or takes over the one that is at work.
   * @returns when its queue is open
   * @throws RefusedError where it cannot begin
   */
  start(found: Found): Promise<void> {
    this.#starting = found.atWork === undefined ? this.#begin(found) : this.#takeOver(found.atWork);
    return this.#starting;
  }

  async #begin({ outdated, born }: Found): Promise<void> {
    const { queue, capacity, shards } = this.options;
    this.#began = performance.now();
    const process = await (born ?? this.processes.start(this.options));
    // At work until now: the queue has one reader.
    await outdated?.stop();
    await new Promise<void>((resolve, reject) => {
      process.receive = (message) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'refused') reject(new RefusedError(message.reason));
        else this.#receive(message);
      };
      process.closed = (why) => {
        const said = process.complaints().find((line) => /^\w*Error\b/.test(line));
        const because = said === undefined ? '' : `: ${said}`;
        reject(new RefusedError(`the data plane ended (${why ?? 'it does not answer'})${because}`));
      };
      const changes = changesOf(undefined, this.#policy);
      process.send({ type: 'start', changes, links: this.#links, debug: this.#debug, queue, capacity, shards });
    });
    this.#use(process);
    if (this.#tap !== NO_TAP) this.#send({ type: 'tap', settings: this.#tap });
  }

  #takeOver({ process, policy, status, unheard, said }: AtWork): Promise<void> {
    this.#began = performance.now();
    this.#use(process);
    this.status = status;
    this.options.takenOver(status, unheard);
    this.#sendPolicy(policy);
    this.#send({ type: 'debug', flags: this.#debug });
    if (this.#tap !== NO_TAP) this.#send({ type: 'tap', settings: this.#tap });
    for (const message of said) this.#receive(message);
    return Promise.resolve();
  }

  #use(process: PlaneProcess): void {
    this.#process = process;
    this.#heartbeat.restart();
    process.receive = (message) => this.#receive(message);
    process.closed = (why) => this.#ended(process, why);
    this.#spare.prepare();
  }

  /** It answers, and packets are judged. */
  get isWell(): boolean {
    return this.#process !== undefined && this.#heartbeat.beats;
  }

  #ask(): void {
    if (this.#process === undefined) return;
    if (this.#heartbeat.hangs) {
      this.options.note(`the data plane (process ${this.#process.name.pid}) hangs; it is ended`);
      void this.#process.kill();
      this.#heartbeat.restart();
    }
    this.#send({ type: 'ping', number: this.#heartbeat.ask() });
  }

  /** Puts a policy in force. It must come from the same compiler as the one before. */
  configure(policy: Policy, links: Links): void {
    const before = this.#policy;
    this.#policy = policy;
    this.#links = links;
    this.#sendPolicy(before);
  }

  /** @param before what the data plane has */
  #sendPolicy(before: Policy): void {
    const { pieces, rest } = changesInPieces(changesOf(before, this.#policy));
    for (const piece of pieces) this.#send({ type: 'policy-items', piece });
    this.#send({ type: 'policy', changes: rest, links: this.#links });
  }

  /** Links have come, gone or changed. */
  bind(links: Links): void {
    this.#links = links;
    this.#send({ type: 'links', links });
  }

  setDebug(flags: DebugFlags): void {
    this.#debug = flags;
    this.#send({ type: 'debug', flags });
  }

  /** Turns what capture points look for. */
  setTap(settings: TapSettings): void {
    this.#tap = settings;
    this.#send({ type: 'tap', settings });
  }

  /** Tells the data plane to do something once. */
  tell(message: Extract<ToDataPlane, { type: 'clear' | 'probe' | 'forget-probe' }>): void {
    this.#send(message);
  }

  /**
   * Asks for views. Where the data plane ends meanwhile, they are what was there of them.
   * @param views to which they are added
   */
  views(names: readonly ViewName[], views = new CollectedViews(this.options.mapped)): Promise<CollectedViews> {
    if (this.#process === undefined) return Promise.resolve(views);
    const id = this.#nextQuestion++;
    this.#send({ type: 'view', id, names });
    return new Promise((resolve) => this.#questions.set(id, { views, resolve }));
  }

  /** Processor time of all data planes so far, ms. */
  get cpuMs(): number {
    return this.#earlier.cpuMs + this.status.cpuMs;
  }

  /** Messages left out, as too many, so far. */
  get leftOut(): number {
    return this.#earlier.leftOut + this.status.leftOut;
  }

  /** Leaves the data plane at work, for another control plane. */
  leave(): void {
    this.#stopping = true;
    clearInterval(this.#timer);
    this.#process?.disconnect();
    void this.#spare.end();
  }

  /** Has the data plane close its queue and end. @returns when it has */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    await this.#starting.catch(() => undefined);
    await this.#spare.end();
    await this.#process?.stop();
    // One that does not listen to us: its connection has ended, or it was found a moment ago.
    await this.processes.endLeft(this.options.files);
  }

  #send(message: ToDataPlane): void {
    // What cannot be sent is for a process that has ended: the next one is told everything.
    this.#process?.send(message);
  }

  #receive(message: FromDataPlane): void {
    switch (message.type) {
      case 'events':
        this.options.events(message.events);
        this.#send({ type: 'heard', events: message.number });
        return;
      case 'status':
        this.status = message.status;
        return;
      case 'captured':
        this.options.captured(message.batch);
        return;
      case 'answer':
        this.options.answer(message);
        return;
      case 'view': {
        const question = this.#questions.get(message.id);
        if (question === undefined) return;
        for (const piece of message.pieces) question.views.add(piece);
        if (!message.last) return;
        this.#questions.delete(message.id);
        question.resolve(question.views);
        return;
      }
      case 'pong':
        this.#heartbeat.answer(message.number, message.packets);
        return;
      case 'hello':
      case 'ready':
      case 'refused':
      case 'resumed':
      case 'policy': // heard by who starts it, or takes it over
    }
  }

  /** @param why undefined: only the connection has ended */
  #ended(process: PlaneProcess, why: string | undefined): void {
    if (process !== this.#process) return;
    this.#process = undefined;
    for (const { views, resolve } of this.#questions.values()) resolve(views);
    this.#questions.clear();
    if (this.#stopping) return;
    if (why !== undefined) {
      this.#earlier.cpuMs += this.status.cpuMs;
      this.#earlier.leftOut += this.status.leftOut;
      this.status = NO_STATUS;
      for (const line of process.complaints()) this.options.complaint(line);
      this.options.ended(why);
    }
    const healthy = performance.now() - this.#began > HEALTHY_MS;
    if (healthy) this.#waitMs = FIRST_WAIT_MS;
    this.#noteFailure(why, healthy);
    const spare = why === undefined ? undefined : this.#spare.take();
    if (spare === undefined) this.#startAgain();
    else this.#go(() => promote(spare));
  }

  /** What it has taken over may be what makes it fail: then the next one begins without. */
  #noteFailure(why: string | undefined, healthy: boolean): void {
    this.#failures = healthy ? 0 : this.#failures;
    if (why === undefined || !FAILED.test(why) || ++this.#failures < MOST_FAILURES) return;
    this.#failures = 0;
    this.options.files.removeOwnState();
    this.options.note('the data plane fails again and again: the next one begins with empty tables');
  }

  #startAgain(): void {
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(waitMs * 2, MOST_WAIT_MS);
    setTimeout(() => this.#go(() => this.processes.findAtWork(this.options, this.options.note)), waitMs);
  }

  /** Starts what is found. Where it is refused there is another try, later. */
  #go(find: () => Promise<Found>): void {
    if (this.#stopping) return;
    find()
      .then(async (found) => {
        if (this.#stopping) return;
        await this.start(found);
        if (found.atWork === undefined) this.options.restarted();
      })
      .catch((error: unknown) => {
        if (!(error instanceof RefusedError)) throw error;
        this.#startAgain();
      });
  }
}

/** A spare one goes to work. @throws RefusedError */
async function promote(spare: PlaneProcess): Promise<Found> {
  try {
    spare.claim();
  } catch (error) {
    await spare.kill();
    throw new RefusedError(`the data plane cannot be started: ${(error as Error).message}`);
  }
  return { born: Promise.resolve(spare) };
}
