/**
 * The management process, as the control plane has it: started without capabilities as a user of its own, told by Node's
 * channel, started again when it ends. It ends with us: it is of no use alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type DataPlaneUser, startWithout } from '../host/data-plane-user.js';
import type { FromManagement, ToManagement } from '../ios/management-plane.js';

const WORKER = fileURLToPath(new URL('../management/worker.js', import.meta.url));
/** What it has to read. */
const PAGE = fileURLToPath(new URL('../management/page/app.js', import.meta.url));
export const MANAGEMENT_FILES = [WORKER, PAGE, process.execPath];

/** Megabytes of its heap: who fills it has it started again. */
const HEAP_MB = 192;
/** Wait before another start, and at most: it doubles with each end that comes soon after its start. */
const FIRST_WAIT_MS = 100;
const MOST_WAIT_MS = 5000;
const HEALTHY_MS = 10_000;
/** Messages that wait to be taken by it; with more, what can be left out is. */
const MOST_UNSENT = 64;
/** Lines of its standard error that are written in the log, for each process. */
const MOST_COMPLAINTS = 20;
const LONGEST_COMPLAINT = 300;

export interface ManagementEvents {
  /** It listens to us, and knows nothing yet. */
  started: () => void;
  receive: (message: FromManagement) => void;
  /** It has ended; another one follows. */
  ended: (why: string) => void;
  complaint: (line: string) => void;
}

export class ManagementProcess {
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = FIRST_WAIT_MS;
  #unsent = 0;
  #stopped = false;

  /** @param start replaced in tests */
  constructor(
    private readonly user: DataPlaneUser,
    private readonly events: ManagementEvents,
    private readonly start = startWorker,
  ) {}

  /** Process id; undefined: it does not run at this moment. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it where it is not there yet. */
  run(): void {
    if (this.#child !== undefined || this.#timer !== undefined || this.#stopped) return;
    const began = performance.now();
    let child: ChildProcess;
    try {
      child = this.start(this.user);
    } catch (error) {
      this.#again((error as Error).message, began);
      return;
    }
    this.#child = child;
    this.#unsent = 0;
    let isOver = false;
    const over = (why: string): void => {
      if (isOver) return;
      isOver = true;
      this.#child = undefined;
      if (!this.#stopped) this.#again(why, began);
    };
    child.on('error', (error) => over(error.message));
    child.on('exit', (code, signal) => over(signal ?? `exit code ${code}`));
    child.on('message', (message, handle) => {
      // It has no socket to give us.
      if (handle !== undefined) (handle as { close?: () => void }).close?.();
      if (!isMessage(message)) return;
      if (message.type === 'ready') this.events.started();
      else this.events.receive(message);
    });
    this.#hearComplaints(child);
  }

  /** Tells it something. Lost where it does not run: whoever is new is told all. */
  send(message: ToManagement, socket?: Server): Promise<boolean> {
    const child = this.#child;
    if (child?.connected !== true) return Promise.resolve(false);
    this.#unsent++;
    return new Promise((resolve) => {
      child.send(message, socket, {}, (error) => {
        if (child === this.#child) this.#unsent--;
        resolve(error === null);
      });
    });
  }

  /** Whether it takes what it is told. */
  get hasRoom(): boolean {
    return this.#child?.connected === true && this.#unsent < MOST_UNSENT;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL'); // it holds nothing that is worth a farewell
  }

  #again(why: string, began: number): void {
    if (performance.now() - began > HEALTHY_MS) this.#waitMs = FIRST_WAIT_MS;
    this.events.ended(why);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run();
    }, this.#waitMs);
    this.#timer.unref();
    this.#waitMs = Math.min(this.#waitMs * 2, MOST_WAIT_MS);
  }

  #hearComplaints(child: ChildProcess): void {
    let left = MOST_COMPLAINTS;
    child.stderr?.on('data', (bytes: Buffer) => {
      for (const line of bytes.toString('utf8').split('\n'))
        if (line.trim() !== '' && left-- > 0) this.events.complaint(line.slice(0, LONGEST_COMPLAINT));
    });
    child.stderr?.on('error', () => undefined);
  }
}

function startWorker(user: DataPlaneUser): ChildProcess {
  const program = [process.execPath, ...process.execArgv, `--max-old-space-size=${HEAP_MB}`, WORKER];
  const [command, ...args] = [...user.command, ...program];
  // What systemd tells the control plane, and whatever else is in our environment, is not for others.
  const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' };
  return startWithout(user.keptBack ?? [], () =>
    spawn(command!, args, { env, cwd: '/', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
  );
}

const isMessage = (m: unknown): m is FromManagement =>
  typeof m === 'object' && m !== null && 'type' in m && typeof m.type === 'string';
