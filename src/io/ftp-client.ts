/** An FTP client (RFC 959) for one file, passive and in binary, as IOS's `copy` is one. */
import { connect, type Socket } from 'node:net';
import { FileError, inWords, MOST_BYTES } from './file-error.js';

const PORT = 21;
const PATIENCE_MS = 30_000; // for each reply, and for data that does not move
/** Of a reply that is not asked for; characters of a line. */
const MOST_LINES = 1000;
const MOST_LINE = 4096;
const CHUNK = 10 * 1024; // bytes for a mark
/** What IOS says to a negative reply. */
const REFUSALS: Readonly<Record<string, string>> = {
  '530': 'Permission denied',
  '550': 'No such file or directory',
  '552': 'No space left on device',
  '553': 'Permission denied',
};

export interface FtpOptions {
  host: string;
  path: string;
  user: string;
  password: string;
  /** `!` for each 10 KB. */
  progress: (mark: string) => void;
  signal: AbortSignal;
  port?: number;
}

/** @throws FileError, as rejection */
export async function ftpGet(options: FtpOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  await session(options, async (control) => {
    const data = await control.openData();
    data.on('data', (chunk: Buffer) => {
      const marks = Math.floor((length + chunk.length) / CHUNK) - Math.floor(length / CHUNK);
      length += chunk.length;
      if (length > MOST_BYTES) data.destroy(new FileError('File too large'));
      chunks.push(chunk);
      options.progress('!'.repeat(marks));
    });
    const ended = untilEnd(data);
    await control.ask(`RETR ${options.path}`, '1');
    await ended;
    await control.reply('2');
  });
  options.progress('!');
  return Buffer.concat(chunks);
}

/** @throws FileError, as rejection */
export async function ftpPut(options: FtpOptions, bytes: Uint8Array): Promise<void> {
  await session(options, async (control) => {
    const data = await control.openData();
    const ended = untilEnd(data);
    await control.ask(`STOR ${options.path}`, '1');
    data.end(bytes);
    data.resume();
    await ended;
    await control.reply('2');
  });
  options.progress('!');
}

async function session(options: FtpOptions, work: (control: Control) => Promise<void>): Promise<void> {
  const control = new Control(options);
  try {
    await control.login();
    await work(control);
    control.quit();
  } catch (error) {
    throw options.signal.aborted ? new FileError('Interrupted') : inWords(error);
  } finally {
    control.close();
  }
}

function untilEnd(data: Socket): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    data.once('error', reject);
    data.once('close', (failed: boolean) => (failed ? undefined : resolve()));
  });
  ended.catch(() => undefined); // the reply to the command may come first, and says more
  return ended;
}

/** The control connection. */
class Control {
  readonly #sockets: Socket[] = [];
  readonly #control: Socket;
  /** Lines that nobody has asked for yet, and the beginning of one. */
  readonly #lines: string[] = [];
  #rest = '';
  #ended: Error | undefined;
  /** Wakes who waits for a line. */
  #wake: () => void = () => undefined;
  readonly #abort = (): void => this.close();

  constructor(private readonly options: FtpOptions) {
    const { signal, port = PORT } = options;
    this.#control = this.#open(port);
    this.#control.on('data', (bytes: Buffer) => this.#receive(bytes.toString('latin1')));
    this.#control.on('error', (error) => this.#end(error));
    this.#control.on('close', () => this.#end(new FileError('Connection closed by remote host')));
    signal.addEventListener('abort', this.#abort);
    if (signal.aborted) this.close();
  }

  async login(): Promise<void> {
    const { user, password } = this.options;
    await this.reply('2');
    if ((await this.ask(`USER ${user}`, '2', '3')).startsWith('3')) await this.ask(`PASS ${password}`, '2');
    await this.ask('TYPE I', '2');
  }

  /** Passive mode. The data connection goes to the server itself, whatever address it names. */
  async openData(): Promise<Socket> {
    const reply = await this.ask('PASV', '2');
    const [, high, low] = /(?:\d{1,3},){4}(\d{1,3}),(\d{1,3})/.exec(reply) ?? [];
    if (high === undefined) throw new FileError('Undefined error');
    return this.#open(Number(high) * 256 + Number(low));
  }

  /** @param classes first digits of the replies that are good */
  async ask(command: string, ...classes: string[]): Promise<string> {
    if (/[\r\n]/.test(command)) throw new FileError('Bad file name');
    this.#control.write(`${command}\r\n`);
    return this.reply(...classes);
  }

  /** The last line of a reply; the others have no blank behind their code, or no code. */
  async reply(...classes: string[]): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line === undefined) {
        if (this.#ended !== undefined) throw this.#ended;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (/^\d{3} /.test(line)) {
        if (classes.some((c) => line.startsWith(c))) return line;
        throw new FileError(REFUSALS[line.slice(0, 3)] ?? line.slice(4));
      }
    }
  }

  quit(): void {
    this.#control.write('QUIT\r\n');
  }

  close(): void {
    this.options.signal.removeEventListener('abort', this.#abort);
    for (const socket of this.#sockets) socket.destroy();
    this.#end(new FileError('Interrupted'));
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = lines.pop()!;
    this.#lines.push(...lines);
    if (this.#lines.length > MOST_LINES || this.#rest.length > MOST_LINE) this.close();
    this.#wake();
  }

  #end(why: Error): void {
    this.#ended ??= why;
    this.#wake();
  }

  #open(port: number): Socket {
    const socket = connect({ host: this.options.host, port });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new FileError('Timed out')));
    socket.on('error', () => undefined); // who waits for it hears of it
    this.#sockets.push(socket);
    return socket;
  }
}
