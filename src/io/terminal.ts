/**
 * A console session on a stream of terminal bytes: line editing, `?` and Tab as soon as they are typed, `--More--`,
 * Ctrl-Z, and passwords that are not echoed. Serves the UNIX socket and `--vty` alike. Only characters, blanks,
 * backspaces and line ends go out, never an escape sequence.
 */
import type { Duplex } from 'node:stream';
import type { ConsoleSession } from '../ios/exec/session.js';
import { lostMessage, unstamped } from '../ios/messages.js';
import { LineEditor } from './line-editor.js';

export interface OpenTerminal {
  /** Shows a log line where the session monitors; what is being typed stays. */
  monitor(line: string): void;
}

const MORE = ' --More-- ';
const MAX_AHEAD = 512; // keys that wait while a command runs
const MAX_UNSENT = 1 << 20; // bytes that wait for a slow terminal before log lines are left out
const MAX_TIMER = 2 ** 31 - 1; // ms that a timer takes
const LOGIN_SECONDS = 30; // to answer each question of the login (`timeout login response`)
const MAX_UNREAD = 1 << 16; // bytes that a terminal has not taken before its keys have to wait
const END_MS = 2000; // that a terminal has to take the last words
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
/** Keys that the line does not get. */
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
  readonly #editor: LineEditor;
  #idle: NodeJS.Timeout | undefined;
  #ends: NodeJS.Timeout | undefined; // `absolute-timeout`
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
    this.#editor = new LineEditor(
      (text) => this.#write(text),
      (line) => this.#line(line),
      () => session.recallable,
    );
  }

  start(): void {
    this.session.hangUp = () => this.#hangUp();
    this.session.tell = (text) => this.#show(text.trimEnd());
    this.socket.on('data', (bytes: Buffer) => {
      if (this.session.loggedIn) this.#restartIdleTimer();
      this.#data(bytes);
    });
    this.socket.on('error', () => this.socket.destroy()); // it has gone: close follows
    this.socket.on('close', () => {
      clearTimeout(this.#idle);
      clearTimeout(this.#ends);
      this.session.close();
    });
    const minutes = this.session.settings.absoluteTimeout ?? 0;
    if (minutes > 0) this.#ends = setTimeout(() => this.#hangUp(), Math.min(minutes * 60_000, MAX_TIMER)).unref();
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
    this.#editor.hide();
    this.#write(`${line}\n`);
    this.#editor.redraw();
  }

  /** Takes the keys that mean something at once; the others are the line's. */
  #data(bytes: Buffer): void {
    const began = performance.now();
    let from = 0;
    for (let i = 0; i < bytes.length; i++) {
      const key = bytes[i]!;
      const escaped = this.#escaped;
      this.#escaped = key === ESCAPE;
      if (escaped && (key === 0x58 || key === 0x78)) {
        from = i + 1;
        if (this.session.takesKeys()) this.session.suspend();
      } else if (this.session.isBusy()) {
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
        if (from < bytes.length && this.#mustWait(began)) {
          this.#putOff(bytes.subarray(from));
          return;
        }
      } else if (this.#quoted) this.#quoted = false;
      else if (this.session.secret) continue;
      else if (KEYS.has(key)) {
        this.#type(bytes.subarray(from, i));
        from = i + 1;
        if (key === TAB) this.#complete();
        else if (key === CTRL_V) this.#quoted = true;
        else if (key === QUESTION_MARK) this.#help();
        else if (key !== ESCAPE || this.session.asking) this.#interrupt(key === CTRL_Z);
        if (from < bytes.length && this.#mustWait(began)) {
          this.#putOff(bytes.subarray(from));
          return;
        }
      }
    }
    if (from < bytes.length) this.#type(bytes.subarray(from));
    if (this.#isBehind()) this.#putOff(undefined);
  }

  /** True when what was typed is worth no more time in this turn, or its answers are not read. */
  #mustWait(began: number): boolean {
    return performance.now() - began > PASTE_MS || this.#isBehind();
  }

  #isBehind(): boolean {
    return this.socket.writableLength > MAX_UNREAD && this.socket.writableNeedDrain;
  }

  /**
   * The rest of what was typed waits for packets to go by, or for a terminal that does not read: whoever only sends
   * would fill our memory with answers. It is read again after them.
   */
  #putOff(rest: Buffer | undefined): void {
    this.#reasonsToWait++;
    this.socket.pause();
    if (rest !== undefined) this.socket.unshift(rest);
    if (this.#isBehind()) this.socket.once('drain', () => this.#resume());
    else setImmediate(() => this.#resume());
  }

  #resume(): void {
    if (--this.#reasonsToWait === 0) this.socket.resume();
  }

  /** A key while a job runs: it is stopped, or the key waits. */
  #whileBusy(key: number): void {
    if (this.session.takesKeys()) {
      if (key !== ESCAPE) this.session.key(key);
    } else if (key === CTRL_C || key === ESCAPE) this.session.interrupt();
    else if (this.#ahead.length < MAX_AHEAD) this.#ahead.push(key);
  }

  #type(bytes: Uint8Array): void {
    this.#editor.feed(bytes);
  }

  /** `exec-timeout`: a session in which nobody types is closed. */
  #restartIdleTimer(): void {
    clearTimeout(this.#idle);
    const { loggedIn, settings } = this.session;
    const seconds = loggedIn ? settings.execTimeout : (settings.loginTimeout ?? LOGIN_SECONDS);
    if (seconds <= 0) return;
    this.#idle = setTimeout(
      () => {
        // As IOS puts it, with the question's own blank: `% Password:  timeout expired!` Inferred: it is not asked again.
        if (!loggedIn) this.#write(`\n% ${this.session.prompt} timeout expired!\n`);
        this.#hangUp();
      },
      Math.min(seconds * 1000, MAX_TIMER),
    ).unref();
  }

  /** Ends the session. Its terminal line is free at once, whether the other end hears of it or not. */
  #hangUp(): void {
    this.session.close();
    this.socket.end();
    setTimeout(() => this.socket.destroy(), END_MS).unref();
  }

  #line(line: string): void {
    const { session } = this;
    const { failedLogins, loggedIn } = session;
    const { output } = session.execute(line);
    this.#restartIdleTimer();
    // Guessing is slow: nothing is read meanwhile. A right password waits too where another was wrong just now: who
    // hangs up instead of waiting learns nothing.
    const failed = session.failedLogins !== failedLogins;
    const waitMs = failed
      ? this.loginDelayMs
      : session.loggedIn && !loggedIn
        ? this.loginDelayMs - session.sinceFailureMs
        : 0;
    if (waitMs <= 0) {
      this.#print(output);
      return;
    }
    this.#reasonsToWait++;
    this.socket.pause();
    setTimeout(() => {
      this.#resume();
      this.#print(output);
    }, waitMs).unref();
  }

  /** `?`: help for what stands before the cursor; the line stays as it was typed. */
  #help(): void {
    this.#write(`?\n${this.session.help(this.#editor.beforeCursor)}`);
    this.#editor.redraw();
  }

  /** Tab: on a new line, as IOS does it, with the last word spelled out where only one fits. */
  #complete(): void {
    const before = this.#editor.beforeCursor;
    const after = this.session.complete(before);
    let same = 0;
    while (same < before.length && before[same] === after[same]) same++;
    this.#write('\n');
    this.#editor.redraw();
    this.#editor.type('\x7f'.repeat(before.length - same) + after.slice(same));
  }

  /**
   * Out of a command's questions, else out of configuration; Ctrl-Z carries out what stands on the line first, Ctrl-C
   * throws it away.
   */
  #interrupt(ctrlZ: boolean): void {
    const line = ctrlZ && !this.session.asking ? this.#editor.line : '';
    this.#editor.type('\x05'); // to the end of the line
    this.#write(ctrlZ ? '^Z\n' : '\n');
    this.#editor.clear();
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
    if (this.session.isClosed()) this.#hangUp();
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
      (_, output) => {
        if (this.session.isClosed() && output === '') return; // it was the end of the session that stopped the job
        this.#restartIdleTimer();
        this.#print(output);
        const ahead = Buffer.from(this.#ahead);
        this.#ahead = [];
        this.#data(ahead);
      },
    );
  }

  #prompt(): void {
    const { prompt, secret } = this.session;
    this.#editor.prompt = prompt;
    this.#editor.secret = secret;
    this.#editor.redraw();
  }

  #write(text: string): void {
    if (this.socket.writable) this.socket.write(text.replaceAll('\n', '\r\n'));
  }
}
