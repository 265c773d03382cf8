/**
 * Starts the data plane, speaks with it, and starts another one should it end by itself. While there is none the kernel
 * drops what comes: nobody reads the queue.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Event } from '../core/events.js';
import type { FromDataPlane, Links, Start, Status, ToDataPlane } from '../core/plane.js';
import { changesOf } from '../core/policy-changes.js';
import type { Policy } from '../core/policy.js';
import type { DebugFlags } from '../core/observe/debug.js';
import type { ViewName } from '../core/state/snapshot.js';
import { CollectedViews } from '../core/state/view.js';

const WORKER = fileURLToPath(new URL('../data/worker.js', import.meta.url));
/** Wait before the first new start after an end, and at most: it doubles with each one that fails. */
const FIRST_WAIT_MS = 50;
const MOST_WAIT_MS = 5000;
/** One that has lived so long was no failed start. */
const HEALTHY_MS = 10_000;
/** How long it may take to close the queue. */
const STOP_MS = 2000;

/** The data plane cannot begin, for a reason that the operator can do something about. */
export class RefusedError extends Error {}

export interface SupervisorOptions {
  queue: number;
  /** Most sessions. */
  capacity: number;
  policy: Policy;
  links: Links;
  /** Names of the interfaces that a Linux interface is bound to. */
  mapped: ReadonlySet<string>;
  events: (events: readonly Event[]) => void;
  answer: (answer: Extract<FromDataPlane, { type: 'answer' }>) => void;
  /** A line that it wrote to standard error, as Node does when a program fails. */
  complaint: (line: string) => void;
  /** It has ended by itself. `why`: a signal or an exit code. */
  ended: (why: string) => void;
  /** Another one has begun. */
  restarted: () => void;
}

interface Question {
  views: CollectedViews;
  resolve: (views: CollectedViews) => void;
}

export class Supervisor {
  status: Status = { losses: {}, cpuMs: 0, memory: 0, leftOut: 0 };
  #child: ChildProcess | undefined;
  #policy: Policy;
  #links: Links;
  #debug: DebugFlags;
  readonly #questions = new Map<number, Question>();
  #nextQuestion = 1;
  #stopping = false;
  #began = 0;
  #waitMs = FIRST_WAIT_MS;
  /** Of those that have ended. */
  #earlier = { cpuMs: 0, leftOut: 0 };

  /** @param debug flags at the start */
  constructor(
    private readonly options: SupervisorOptions,
    debug: DebugFlags,
  ) {
    this.#policy = options.policy;
    this.#links = options.links;
    this.#debug = debug;
  }

  /**
   * Starts the data plane.
   * @returns when its queue is open
   * @throws RefusedError where it cannot begin
   */
  async start(): Promise<void> {
    // Its own standard output and error: Node changes the mode of what it inherits, and ours must never wait.
    const child = fork(WORKER, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let complaint = '';
    // Without a descriptor to spare there is neither a process nor its standard error: `error` tells.
    const errors = child.stderr ?? Readable.from([]);
    createInterface({ input: errors }).on('line', (line) => {
      if (/^\w*Error\b/.test(line)) complaint = `: ${line}`;
      this.options.complaint(line);
    });
    this.#child = child;
    this.#began = performance.now();
    await new Promise<void>((resolve, reject) => {
      let ready = false;
      child.on('message', (message: FromDataPlane) => {
        if (message.type === 'ready') {
          ready = true;
          resolve();
        } else if (message.type === 'refused') reject(new RefusedError(message.reason));
        else this.#receive(message);
      });
      child.on('error', (error) => {
        if (child.pid === undefined) this.#child = undefined;
        reject(new RefusedError(`the data plane cannot be started: ${error.message}`));
      });
      // All of its standard error is here by then.
      child.on('close', (code, signal) => {
        const why = signal ?? `exit code ${code}`;
        this.#child = undefined;
        reject(new RefusedError(`the data plane ended (${why})${complaint}`));
        if (ready) this.#ended(why);
      });
      this.#send({
        type: 'start',
        changes: changesOf(undefined, this.#policy),
        links: this.#links,
        debug: this.#debug,
        queue: this.options.queue,
        capacity: this.options.capacity,
      } satisfies Start);
    });
  }

  /** Puts a policy in force. It must come from the same compiler as the one before. */
  configure(policy: Policy, links: Links): void {
    const changes = changesOf(this.#policy, policy);
    this.#policy = policy;
    this.#links = links;
    this.#send({ type: 'policy', changes, links });
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

  /** Tells the data plane to do something once. */
  tell(message: Extract<ToDataPlane, { type: 'clear' | 'probe' | 'forget-probe' }>): void {
    this.#send(message);
  }

  /** Asks for views. Where the data plane ends meanwhile, they are what was there of them. */
  views(names: readonly ViewName[]): Promise<CollectedViews> {
    const views = new CollectedViews(this.options.mapped);
    if (this.#child === undefined) return Promise.resolve(views);
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

  /** Has the data plane close its queue and end. @returns when it has */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }

  #send(message: ToDataPlane): void {
    // What cannot be sent is for a process that has ended: the next one is told everything.
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
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
      case 'ready':
      case 'refused': // heard by `start`
    }
  }

  #ended(why: string): void {
    for (const { views, resolve } of this.#questions.values()) resolve(views);
    this.#questions.clear();
    this.#earlier.cpuMs += this.status.cpuMs;
    this.#earlier.leftOut += this.status.leftOut;
    this.status = { losses: {}, cpuMs: 0, memory: 0, leftOut: 0 };
    if (this.#stopping) return;
    this.options.ended(why);
    this.#waitMs = performance.now() - this.#began > HEALTHY_MS ? FIRST_WAIT_MS : this.#waitMs;
    this.#startAgain();
  }

  #startAgain(): void {
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(waitMs * 2, MOST_WAIT_MS);
    setTimeout(() => {
      if (this.#stopping) return;
      this.start().then(this.options.restarted, () => this.#startAgain());
    }, waitMs);
  }
}
