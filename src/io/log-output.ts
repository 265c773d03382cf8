/**
 * Where the lines of the log go: a pipe, a socket, a file, a terminal. Nothing here waits or throws: what the other end
 * does not take stays in memory up to a limit, and beyond it a line is refused. Our own, since pino's destinations wait
 * for a blocked pipe in a thread that the end of the process then waits for, and retry a full disk for ever at the end.
 */
import { close, closeSync, constants, fstatSync, openSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';

/** Characters that wait for a slow reader; the log is ASCII. */
const MAX_WAITING = 1 << 20;
/** After a refusal there is room again when this much is left. */
const ROOM_AGAIN = MAX_WAITING / 2;
/** ms until a write that the system refused is tried again. */
const RETRY_MS = 1000;
/** The same, where the reader of a terminal is slow. */
const POLL_MS = 50;

export interface LogOutput {
  /** False: a line would be lost. */
  readonly hasRoom: boolean;
  /** Queues `text`, which `hasRoom` has said there is room for. */
  write(text: string): void;
  /** Waits until everything is written, at most `ms`. Nothing is to be written behind it. */
  end(ms: number): Promise<void>;
}

/** @param fd as the process has it: standard output */
export function openOutput(fd: number): LogOutput {
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket()) return new PipeOutput(fd);
  return new FileOutput(isatty(fd) ? ownTerminal(fd) : fd);
}

/** Whether there is room: once refused, not before a good part is free. */
class Room {
  #refused = false;

  for(waiting: number): boolean {
    this.#refused = waiting >= (this.#refused ? ROOM_AGAIN : MAX_WAITING);
    return !this.#refused;
  }
}

/** Does not close its descriptor: the next file that is opened must not become standard output. */
class StandardSocket extends Socket {
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
  }
}

/** A pipe or a socket (of systemd's journal), which the system tells us when it takes more. */
class PipeOutput implements LogOutput {
  readonly #socket: Socket;
  readonly #room = new Room();
  #open = true;
  #corked = false;

  constructor(fd: number) {
    this.#socket = new StandardSocket({ fd, readable: false, writable: true });
    // EPIPE: nobody will read this any more. Packets go on.
    this.#socket.on('error', () => (this.#open = false));
    this.#socket.on('close', () => (this.#open = false));
    this.#socket.unref();
  }

  get hasRoom(): boolean {
    return this.#open && this.#room.for(this.#socket.writableLength);
  }

  write(text: string): void {
    if (!this.#corked) {
      // All lines of a batch of packets in one call of the system.
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => this.#uncork());
    }
    this.#socket.write(text);
  }

  async end(ms: number): Promise<void> {
    if (!this.#open) return;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
      this.#socket.once('close', resolve);
      this.#socket.write('', () => resolve());
    });
  }

  #uncork(): void {
    this.#corked = false;
    this.#socket.uncork();
  }
}

/**
 * A file by its name, which somebody else may move away: `reopen` goes on in a new one of that name. Each line is in one
 * of both, whole.
 */
export class LogFile implements LogOutput {
  readonly #output: FileOutput;

  /** @throws Error where it cannot be opened */
  constructor(readonly path: string) {
    this.#output = new FileOutput(openForLines(path));
  }

  get hasRoom(): boolean {
    return this.#output.hasRoom;
  }

  write(text: string): void {
    this.#output.write(text);
  }

  end(ms: number): Promise<void> {
    return this.#output.end(ms);
  }

  /** @returns undefined, or why the old file goes on */
  reopen(): string | undefined {
    try {
      this.#output.use(openForLines(this.path));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** What others must not read is in it: addresses, and lines of mail dialogues. */
const FILE_MODE = 0o640;
const openForLines = (path: string): number => openSync(path, 'a', FILE_MODE);

/** A file, or what else takes a write without waiting. */
class FileOutput implements LogOutput {
  readonly #room = new Room();
  #lines: string[] = [];
  /** Characters in `#lines`. */
  #waiting = 0;
  #busy = false;
  #whenEmpty: (() => void) | undefined;

  /** The last one, while some of what was written is on its way there. */
  #old: number | undefined;

  constructor(private fd: number) {}

  get hasRoom(): boolean {
    return this.#room.for(this.#waiting);
  }

  write(text: string): void {
    this.#lines.push(text);
    this.#waiting += text.length;
    if (!this.#busy) this.#next();
  }

  async end(ms: number): Promise<void> {
    if (!this.#busy) return;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, ms);
      this.#whenEmpty = resolve;
    });
  }

  /** Goes on in another file; the one before is closed when what is on its way there has arrived. */
  use(fd: number): void {
    // Nothing is on its way to one that was not yet turned to.
    if (!this.#busy || this.#old !== undefined) close(this.fd);
    else this.#old = this.fd;
    this.fd = fd;
  }

  #next(): void {
    if (this.#old !== undefined) close(this.#old);
    this.#old = undefined;
    this.#busy = this.#lines.length > 0;
    if (!this.#busy) {
      this.#whenEmpty?.();
      return;
    }
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#put(this.fd, bytes, 0);
  }

  #put(fd: number, bytes: Buffer, from: number): void {
    write(fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error !== null) {
        // A full disk may have room again, and a slow terminal reads on. What waits counts as long as it does.
        setTimeout(() => this.#put(fd, bytes, from), error.code === 'EAGAIN' ? POLL_MS : RETRY_MS).unref();
        return;
      }
      this.#waiting = Math.max(0, this.#waiting - written);
      if (from + written < bytes.length) this.#put(fd, bytes, from + written);
      else this.#next();
    });
  }
}

/** The terminal opened anew, so that a stopped one (Ctrl-S) refuses to write instead of keeping us waiting. */
function ownTerminal(fd: number): number {
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (isatty(own)) return own;
    closeSync(own);
  } catch {
    // /proc is not there, or the terminal is another user's: then as it is.
  }
  return fd;
}
