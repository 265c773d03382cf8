/**
 * A process of the data plane, as the control plane has it: one that it has started, or one that it has found at work.
 * The process has a session of its own, and lives on when we die.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FromDataPlane, ToDataPlane } from '../core/plane.js';
import { type DataPlaneUser, handOver, keepBack, showQueueCounts } from '../host/data-plane-user.js';
import { endProcess, isGone } from '../host/end-process.js';
import { isAlive, type ProcessName, type ShardFiles } from '../host/shard-files.js';
import { MessageLink } from '../io/message-link.js';
import { listenPrivately } from '../io/private-socket.js';
import { startTime } from '../io/proc.js';

const WORKER = fileURLToPath(new URL('../data/worker.js', import.meta.url));
/** How long one that we start may take until it listens, and one at work until it says a word. */
const BIRTH_MS = 20_000;
const FIRST_WORD_MS = 5000;
/** How long it may take to close the queue and go. */
const STOP_MS = 2000;
/** Between the end of a connection and that of its process. */
const LEAVE_MS = 200;
/** What is read of its standard error. */
const MOST_COMPLAINT = 64 << 10;

/** What the data plane has to read. */
export const PROGRAM_FILES = [
  WORKER,
  process.execPath,
  fileURLToPath(new URL('../../native/build/libfwq.so', import.meta.url)),
];

/** The data plane cannot begin, for a reason that the operator can do something about. */
export class RefusedError extends Error {}

type Hello = Extract<FromDataPlane, { type: 'hello' }>;

/** What others have of it; tests have processes that are none. */
export type PlaneProcess = Pick<
  DataPlaneProcess,
  'receive' | 'closed' | 'hello' | 'name' | 'send' | 'claim' | 'disconnect' | 'stop' | 'kill' | 'complaints'
>;

export class DataPlaneProcess {
  /** Called with each message but the first. */
  receive: (message: FromDataPlane) => void = () => undefined;
  /** Called once the connection is closed. `why`: what is known of its end; undefined: the process goes on. */
  closed: (why: string | undefined) => void = () => undefined;
  hello!: Hello;
  readonly #link: MessageLink<FromDataPlane, ToDataPlane>;
  #isClosed = false;
  /** Where it is ours. */
  #user: DataPlaneUser | undefined;

  /** @param child where it is ours */
  private constructor(
    private readonly files: ShardFiles,
    readonly name: ProcessName,
    private readonly child: ChildProcess | undefined,
    greeted: (fault: Error | undefined) => void,
  ) {
    let greets: ((fault: Error | undefined) => void) | undefined = greeted;
    this.#link = new MessageLink<FromDataPlane, ToDataPlane>(
      connect(files.socket(name.pid)),
      (message) => {
        if (greets === undefined) this.#receive(message);
        else if (message.type !== 'hello') this.disconnect();
        else {
          this.hello = message;
          greets(undefined);
          greets = undefined;
        }
      },
      () => {
        this.#isClosed = true;
        greets?.(new RefusedError('the data plane does not answer'));
        void this.#end().then((why) => this.closed(why));
      },
    );
  }

  /**
   * Starts a process.
   * @param spare another one is at work: this one is not the data plane until it claims to be it
   * @returns when it has said its first word
   * @throws RefusedError
   */
  static async start(files: ShardFiles, build: string, user: DataPlaneUser, spare = false): Promise<DataPlaneProcess> {
    const child = await spawnWorker(files, build, user, spare);
    const listens = new Promise<void>((resolve, reject) => {
      child.on('error', (error) => reject(new RefusedError(`the data plane cannot be started: ${error.message}`)));
      child.on('exit', (code, signal) => {
        const said = complaints(files).find((line) => /^\w*Error\b/.test(line));
        const because = said === undefined ? '' : `: ${said}`;
        reject(new RefusedError(`the data plane ended (${signal ?? `exit code ${code}`})${because}`));
      });
      child.stdout?.once('data', () => resolve());
    });
    try {
      await within(BIRTH_MS, listens);
      child.stdout?.destroy();
      const { pid } = child;
      const process = await DataPlaneProcess.#connect(files, { pid: pid!, started: startTime(pid!) ?? '' }, child);
      process.#user = user;
      return process;
    } catch (error) {
      child.kill('SIGKILL');
      if (child.pid !== undefined) files.remove(child.pid);
      throw error;
    }
  }

  /**
   * Finds the process that is at work here already.
   * @returns undefined where there is none; its name alone where it does not answer
   */
  static async find(files: ShardFiles): Promise<DataPlaneProcess | ProcessName | undefined> {
    const name = files.running();
    if (name === undefined) return undefined;
    try {
      return await DataPlaneProcess.#connect(files, name, undefined);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return isAlive(name) ? name : undefined;
    }
  }

  static async #connect(
    files: ShardFiles,
    name: ProcessName,
    child: ChildProcess | undefined,
  ): Promise<DataPlaneProcess> {
    let made: DataPlaneProcess | undefined;
    const greeting = new Promise<void>((resolve, reject) => {
      made = new DataPlaneProcess(files, name, child, (fault) => (fault === undefined ? resolve() : reject(fault)));
    });
    try {
      await within(FIRST_WORD_MS, greeting);
    } catch (error) {
      made?.disconnect();
      throw error;
    }
    return made!;
  }

  #receive(message: FromDataPlane): void {
    // Its queue is open: from then on the kernel counts.
    if (message.type === 'ready' && this.#user?.other !== undefined) showQueueCounts(this.#user.other.gid);
    this.receive(message);
  }

  /** A spare one is the data plane from now on. @throws Error of the system */
  claim(): void {
    if (this.#user?.other !== undefined) handOver(this.files, this.#user.other);
    renameSync(this.files.spareErrors, this.files.errors);
    this.files.claim(this.name);
  }

  send(message: ToDataPlane): void {
    if (!this.#isClosed) this.#link.send(message);
  }

  /** Leaves it alone: it goes on. */
  disconnect(): void {
    this.#link.close();
  }

  /** Has it close its queue and go. @returns when it has */
  async stop(): Promise<void> {
    this.send({ type: 'stop' });
    if (!(await isGone(this.name, STOP_MS))) await this.kill();
    this.files.remove(this.name.pid);
  }

  async kill(): Promise<void> {
    await endProcess(this.name);
    this.files.remove(this.name.pid);
  }

  /** What it wrote to standard error, as Node does when a program fails. */
  complaints(): string[] {
    return complaints(this.files);
  }

  async #end(): Promise<string | undefined> {
    if (!(await isGone(this.name, LEAVE_MS))) return undefined;
    this.files.remove(this.name.pid);
    const { child } = this;
    if (child === undefined) return 'its connection closed';
    if (child.exitCode === null && child.signalCode === null)
      await new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return child.signalCode ?? `exit code ${child.exitCode}`;
  }
}

async function spawnWorker(
  files: ShardFiles,
  build: string,
  user: DataPlaneUser,
  spare: boolean,
): Promise<ChildProcess> {
  // What systemd tells the control plane is not for others.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)/.test(name)),
  );
  // Bound by us, and handed over: the run directory is not the data plane's to write, whoever it is.
  const socket = createServer();
  let errors: number | undefined;
  try {
    mkdirSync(files.folder, { recursive: true, mode: 0o755 });
    if (user.keptBack !== undefined) keepBack(user.keptBack);
    if (user.other !== undefined) handOver(files, user.other);
    const path = files.newSocket(spare);
    rmSync(path, { force: true });
    await listenPrivately(socket, path);
    errors = openSync(spare ? files.spareErrors : files.errors, 'w', 0o600);
    const program = [process.execPath, ...process.execArgv, WORKER, files.folder, String(files.shard), build];
    const [command, ...args] = [...user.command, ...program];
    // In our session: the kernel shares out processor time by session (autogroup), and in one of its own it would get less
    // than the programs it serves. It does not end with ours: it ignores SIGHUP, and SIGINT while we live.
    const child = spawn(command!, args, { env, stdio: ['ignore', 'pipe', errors, descriptorOf(socket)] });
    const { pid } = child;
    if (pid !== undefined) {
      renameSync(path, files.socket(pid));
      if (!spare) files.claim({ pid, started: startTime(pid) ?? '' });
    }
    child.unref();
    return child;
  } catch (error) {
    throw new RefusedError(`the data plane cannot be started: ${(error as Error).message}`);
  } finally {
    socket.close(); // Node removes the path that it has bound: the socket has another one by now
    if (errors !== undefined) closeSync(errors);
  }
}

/** Node does not publish it, but lets no other way of handing a bound socket to a program. */
const descriptorOf = (server: object): number => (server as { _handle: { fd: number } })._handle.fd;

function complaints(files: ShardFiles): string[] {
  try {
    return readFileSync(files.errors, 'utf8')
      .slice(-MOST_COMPLAINT)
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** @throws RefusedError where it takes longer */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RefusedError('the data plane does not answer')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
