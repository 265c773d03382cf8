/**
 * A console session on a stream of terminal bytes: line editing and history by node:readline, `?` and Tab as soon
 * as they are typed, `--More--`, Ctrl-Z, and passwords that are not echoed. Serves the UNIX socket and `--vty` alike.
 */
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { ConsoleSession } from '../ios/exec/session.js';
import { lostMessage, unstamped } from '../ios/messages.js';

export interface OpenTerminal {
  /** Shows a log line where the session monitors; what is being typed stays. */
  monitor(line: string): void;
}

const MORE = ' --More-- ';
const MAX_LINE = 512; // characters; IOS takes 254
const MAX_HISTORY = 256; // lines, of `terminal history size`
const MAX_UNSENT = 1 << 20; // bytes that wait for a slow terminal before log lines are left out
const MAX_TIMER = 2 ** 31 - 1; // ms that a timer takes
const LOGIN_SECONDS = 30; // to answer each question of the login
/** Pasted lines are carried out for so long in one go, ms. */
const PASTE_MS = 2;
const CTRL_C = 0x03;
const TAB = 0x09;
const CTRL_V = 0x16;
const CTRL_Z = 0x1a;
const ESCAPE = 0x1e; // Ctrl-^, IOS's escape sequence, perhaps with an x behind it
const LF = 0x0a;
const CR = 0x0d;
const QUESTION_MARK = 0x3f;
/** Keys that readline does not get. */
const KEYS = new Set([TAB, CTRL_V, QUESTION_MARK, CTRL_Z, CTRL_C, ESCAPE]);

/**
 * Runs the session until the user leaves, the stream ends, or `exec-timeout` is over.
 * @param loginDelayMs how long a wrong password is left unanswered
 */
export function serveTerminal(socket: Duplex, session: ConsoleSession, loginDelayMs = 0): OpenTerminal {
  const terminal = new Terminal(socket, session, loginDelayMs);
  terminal.start();
  return terminal;
}

class Terminal implements OpenTerminal {
  readonly #keys = new PassThrough(); // what readline gets: the socket's bytes less the keys we take
  readonly #screen: Writable;
  readonly #readline: Interface;
  #muted = false;
  #idle: NodeJS.Timeout | undefined;
  #quoted = false; // Ctrl-V: the next byte stands for itself
  #escaped = false; // Ctrl-^ was typed: an x belongs to it
  /** Lines that wait behind `--More--`. */
  #pending: string[] = [];
  /** What was typed while a job ran, for the prompt behind it. */
  #ahead: number[] = [];
  #midLine = false; // of what a job prints
  /** Log lines that were left out, as nobody read. */
  #lost = 0;
  /** Why nothing is read: a wrong password, pasted lines that wait. */
  #reasonsToWait = 0;

  constructor(
    private readonly socket: Duplex,
    private readonly session: ConsoleSession,
    private readonly loginDelayMs: number,
  ) {
    this.#screen = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#muted) socket.write(chunk);
        done();
      },
    });
    this.#readline = createInterface({
      input: this.#keys,
      output: this.#screen,
      terminal: true,
      historySize: MAX_HISTORY,
    });
  }

  start(): void {
    this.#readline.on('line', (line) => this.#line(line));
    this.#readline.on('SIGINT', () => undefined);
    // What was typed at a password prompt must not come back with the cursor keys.
    this.#readline.on('history', (history: string[]) => {
      if (this.#muted) history.shift();
      history.splice(this.session.historySize);
    });
    this.#readline.on('close', () => this.socket.end());
    this.socket.on('data', (bytes: Buffer) => {
      if (this.session.loggedIn) this.#restartIdleTimer();
      this.#data(bytes);
    });
    this.socket.on('close', () => {
      clearTimeout(this.#idle);
      this.session.close();
      this.#readline.close();
    });
    this.#write(this.session.greet());
    this.#next();
    this.socket.resume();
    this.#restartIdleTimer();
  }

  monitor(line: string): void {
    if (!this.session.monitor) return;
    if (this.#pending.length > 0 || this.socket.writableLength > MAX_UNSENT) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) this.#show(unstamped(lostMessage(this.#lost, 'monitor')));
    this.#lost = 0;
    this.#show(line);
  }

  #show(line: string): void {
    if (this.session.isBusy()) {
      this.#write(`${this.#midLine ? '\n' : ''}${line}\n`);
      this.#midLine = false;
      return;
    }
    this.#write(`\r\x1b[K${line}\n`);
    if (this.session.secret) this.#write(this.session.prompt);
    else this.#readline.prompt(true);
  }

  /** Takes the keys that mean something to IOS and nothing to readline. */
  #data(bytes: Buffer): void {
    const began = performance.now();
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const key = bytes[i]!;
      const escaped = this.#escaped;
      this.#escaped = key === ESCAPE;
      if (escaped && (key === 0x58 || key === 0x78)) from = i + 1;
      else if (this.session.isBusy()) {
        this.#whileBusy(key);
        from = i + 1;
      } else if (this.#pending.length > 0) {
        this.#more(key);
        from = i + 1;
      } else if (key === CR || key === LF) {
        // The line is carried out at once, so that it is known whether what follows has to wait.
        this.#quoted = false;
        this.#type(bytes.subarray(from, i + 1));
        from = i + 1;
        if (from < bytes.length && performance.now() - began > PASTE_MS) {
          this.#putOff(bytes.subarray(from));
          return;
        }
      } else if (this.#quoted) this.#quoted = false;
      else if (this.session.secret) continue;
      else if (KEYS.has(key)) {
        this.#type(bytes.subarray(from, i));
        from = i + 1;
        // readline handles what was written in this same turn, so its line is up to date.
        if (key === TAB) this.#complete();
        else if (key === CTRL_V) this.#quoted = true;
        else if (key === QUESTION_MARK) this.#help();
        else if (key !== ESCAPE || this.session.asking) this.#interrupt(key === CTRL_Z);
      }
    }
    if (from < bytes.length) this.#type(bytes.subarray(from));
  }

  /** Of lines that are pasted the rest waits for packets to go by: it is read again after them. */
  #putOff(rest: Buffer): void {
    this.#reasonsToWait++;
    this.socket.pause();
    this.socket.unshift(rest);
    setImmediate(() => this.#resume());
  }

  #resume(): void {
    if (--this.#reasonsToWait === 0) this.socket.resume();
  }

  /** A key while a job runs: it is stopped, or the key waits. */
  #whileBusy(key: number): void {
    if (key === CTRL_C || key === ESCAPE) this.session.interrupt();
    else if (this.#ahead.length < MAX_LINE) this.#ahead.push(key);
  }

  /** Gives bytes to readline; of a line that does not end, no more than fits. */
  #type(bytes: Buffer): void {
    let room = MAX_LINE - this.#readline.line.length;
    const fits = bytes.filter((b) => {
      if (b >= 0x20 && b !== 0x7f) return room-- > 0;
      if (b === 0x0d || b === 0x0a) room = MAX_LINE;
      return true;
    });
    this.#keys.write(fits);
  }

  /** `exec-timeout`: a session in which nobody types is closed. */
  #restartIdleTimer(): void {
    clearTimeout(this.#idle);
    const seconds = this.session.loggedIn ? this.session.settings.execTimeout : LOGIN_SECONDS;
    if (seconds > 0) this.#idle = setTimeout(() => this.#readline.close(), Math.min(seconds * 1000, MAX_TIMER)).unref();
  }

  #line(line: string): void {
    const { session } = this;
    if (this.#muted) this.#write('\n');
    this.#muted = false;
    const failed = session.failedLogins;
    const { output } = session.execute(line);
    this.#restartIdleTimer();
    if (session.failedLogins === failed || this.loginDelayMs === 0) {
      this.#print(output);
      return;
    }
    // Guessing is slow: nothing is read meanwhile.
    this.#reasonsToWait++;
    this.socket.pause();
    setTimeout(() => {
      this.#resume();
      this.#print(output);
    }, this.loginDelayMs).unref();
  }

  /** `?`: help for what stands before the cursor; the line stays as it was typed. */
  #help(): void {
    const { line, cursor } = this.#readline;
    const before = line.slice(0, cursor);
    this.#write(`?\n${this.session.help(before)}`);
    this.#readline.prompt(true);
  }

  /** Tab: on a new line, as IOS does it, with the last word spelled out where only one fits. */
  #complete(): void {
    const { line, cursor } = this.#readline;
    const before = line.slice(0, cursor);
    const after = this.session.complete(before);
    let same = 0;
    while (same < before.length && before[same] === after[same]) same++;
    this.#write('\n');
    this.#readline.prompt(true);
    this.#keys.write('\x7f'.repeat(before.length - same) + after.slice(same));
  }

  /**
   * Out of a command's questions, else out of configuration; Ctrl-Z carries out what stands on the line first, Ctrl-C
   * throws it away.
   */
  #interrupt(ctrlZ: boolean): void {
    const line = ctrlZ && !this.session.asking ? this.#readline.line : '';
    this.#keys.write('\x05\x15'); // to the end of the line, and erase it
    this.#write(ctrlZ ? `${line}^Z\n` : '\n');
    if (this.session.asking) {
      this.session.dropQuestion();
      this.#next();
    } else this.#print(this.session.endConfiguration(line).output);
  }

  #print(output: string): void {
    const lines = output === '' ? [] : output.replace(/\n$/, '').split('\n');
    this.#page(lines);
  }

  /** Prints a screen, and asks where more is left. */
  #page(lines: string[]): void {
    const { length } = this.session;
    const screen = length === 0 ? lines.length : length - 1;
    for (const line of lines.slice(0, screen)) this.#write(`${line}\n`);
    this.#pending = lines.slice(screen);
    if (this.#pending.length > 0) this.#write(MORE);
    else this.#next();
  }

  /** A key at `--More--`: blank a screen, Enter a line, anything else no more. */
  #more(key: number): void {
    this.#write(`\r${' '.repeat(MORE.length)}\r`);
    const lines = this.#pending;
    this.#pending = [];
    if (key === 0x20) this.#page(lines);
    else if (key === 0x0d || key === 0x0a) {
      this.#write(`${lines[0]!}\n`);
      this.#pending = lines.slice(1);
      if (this.#pending.length > 0) this.#write(MORE);
      else this.#next();
    } else this.#next();
  }

  #next(): void {
    if (this.session.isClosed()) this.#readline.close();
    else if (this.session.isBusy()) this.#runJob();
    else this.#prompt();
  }

  /** Nobody is timed out while the router has something to say. */
  #runJob(): void {
    clearTimeout(this.#idle);
    this.#midLine = false;
    this.session.runJob(
      (text) => {
        this.#midLine = !text.endsWith('\n');
        this.#write(text);
      },
      () => {
        if (this.session.isClosed()) return; // it was the end of the session that stopped the job
        this.#restartIdleTimer();
        this.#next();
        const ahead = Buffer.from(this.#ahead);
        this.#ahead = [];
        this.#data(ahead);
      },
    );
  }

  #prompt(): void {
    const { prompt, secret } = this.session;
    this.#readline.setPrompt(prompt);
    this.#readline.prompt();
    this.#muted = secret;
  }

  #write(text: string): void {
    this.socket.write(text.replaceAll('\n', '\r\n'));
  }
}
