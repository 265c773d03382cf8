/**
 * One user at one terminal: a stack of modes, and what belongs to the terminal whatever the mode. Pure but for what it
 * asks of the ConsoleRouter; the edges bring lines and keys, and print what comes back.
 */
import { lineDefaults } from '../config/defaults.js';
import type { LineConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { escape } from '../printable.js';
import type { Terminal } from './context.js';
import type { Job } from './job.js';
import { loginWatch } from './login-watch.js';
import { ConfigurationMode } from './modes/configuration.js';
import { enable } from './modes/enable.js';
import { ExecMode } from './modes/exec.js';
import { LoginMode } from './modes/login.js';
import type { LoginSession } from './modes/login.js';
import { reply } from './modes/mode.js';
import type { ConsoleMode, ModeStack, Reply } from './modes/mode.js';
import { QuestionMode } from './modes/question.js';
import type { ConsoleRouter } from './router.js';
import { enterLine, leaveLine } from './terminal-users.js';

export type { Reply } from './modes/mode.js';

/**
 * Where a session comes from: the console; a numbered terminal line and the caller's int32 address; or the web page,
 * by which somebody who has logged in there, or not, has commands carried out.
 */
export type Origin = 'console' | { vty: number; from: number } | { web: number; name: string };

const NO_LINE = -1;
const HISTORY = 20; // lines, as on the router

export class ConsoleSession implements Terminal, LoginSession, ModeStack {
  privilege: number;
  length: number;
  width = 80;
  json = false;
  monitor: boolean;
  readonly line: 'con' | 'vty';
  readonly number: number;
  readonly location: string;
  name = '';
  readonly sinceMs: number;
  /** Until the edge that serves the session puts its own ways in. */
  hangUp = (): void => this.close();
  tell: (text: string) => void = () => undefined;
  lastInputMs: number;
  historySize = HISTORY;
  /** Lines typed at the EXEC prompt, the latest last. */
  readonly history: string[] = [];
  readonly #configHistory: string[] = [];
  /** False until the line's login is done. */
  loggedIn = false;
  /** Wrong passwords so far; the edge answers each a second later. */
  failedLogins = 0;
  readonly #exec: ExecMode;
  /** EXEC first; the last one has the prompt. */
  #modes: ConsoleMode[];
  #closed = false;
  #job: Job | undefined; // what a command has left to be run
  #running = false; // the job has begun

  /**
   * @param origin the console, or a terminal line and the address of the caller (int32)
   * @param privilege 15: no `enable` is needed
   */
  constructor(
    private readonly router: ConsoleRouter,
    origin: Origin,
    privilege = 1,
  ) {
    this.privilege = privilege;
    this.line = origin === 'console' ? 'con' : 'vty';
    this.number = origin === 'console' ? 0 : 'web' in origin ? NO_LINE : origin.vty;
    this.monitor = origin === 'console';
    this.location = origin === 'console' ? '' : formatAddress('web' in origin ? origin.web : origin.from);
    if (typeof origin === 'object' && 'web' in origin) this.name = origin.name;
    this.sinceMs = router.system.uptimeMs();
    this.lastInputMs = this.sinceMs;
    this.length = this.settings.length;
    this.#exec = new ExecMode(router, this, this.history);
    this.#modes = [this.#exec];
    if (this.number !== NO_LINE) enterLine(router, this);
  }

  /** What the configuration says about this terminal line. */
  get settings(): LineConfig {
    const { line, number } = this;
    const found = this.router.config().lines.find((l) => l.kind === line && l.first <= number && number <= l.last);
    return found ?? lineDefaults(line, number, number);
  }

  /** ms since anybody failed to log in. */
  get sinceFailureMs(): number {
    return loginWatch(this.router).sinceFailureMs;
  }

  /**
   * What is printed when the terminal connects: banner, and the question for a password where the line asks one.
   * Where nobody can log in, the session is closed at once.
   */
  greet(): string {
    const { banners, users } = this.router.config();
    const { login, password } = this.settings;
    const motd = banners.motd === undefined ? '' : `${banners.motd}\n`;
    if (login === 'none') return motd + this.logIn();
    if (login === 'line' && password === undefined) {
      this.close();
      return `${motd}\n\nPassword required, but none set\n`;
    }
    const banner = banners.login === undefined ? '' : `${banners.login}\n`;
    const credentials =
      login === 'line' ? { kind: 'password' as const, password: password! } : { kind: 'users' as const, users };
    this.enter(new LoginMode(this.router, this, credentials));
    return `${motd}${banner}\n\nUser Access Verification\n\n`;
  }

  get #mode(): ConsoleMode {
    return this.#modes.at(-1)!;
  }

  /** What stands before the cursor. */
  get prompt(): string {
    return this.#mode.prompt;
  }

  /** True while a password is typed: not to be echoed, not to be remembered. */
  get secret(): boolean {
    return this.#mode.secret;
  }

  /**
   * What the cursor keys bring back: lines of the mode in hand, the latest last. Inferred: a line that was typed again
   * and again comes once.
   */
  get recallable(): readonly string[] {
    return (this.#mode.history ?? []).filter((line, i, all) => line !== all[i + 1]);
  }

  /** True while the session waits for the answer to a question of its own. */
  get asking(): boolean {
    return this.#mode.kind === 'answer';
  }

  /** True while a command is not done: `runJob` is to be called once its reply is printed. */
  isBusy(): boolean {
    return this.#job !== undefined;
  }

  /**
   * Runs the job that the last command left.
   * @param print adds to the screen; not called after the session has closed
   * @param done called once, perhaps at once
   */
  runJob(print: (text: string) => void, done: (failed: boolean, output: string) => void): void {
    this.#running = true;
    const job = this.#job;
    job?.start(
      (text) => {
        if (!this.#closed) print(text);
      },
      (failed, output = '') => {
        // It may have left another one, of the same command.
        if (this.#job === job) this.#job = undefined;
        this.#running = false;
        done(failed, this.#closed ? '' : output);
      },
    );
  }

  /** What the command prints that is not done is to be sent as it comes. */
  isStreaming(): boolean {
    return this.#job?.streams === true;
  }

  /** The escape sequence while a job runs. */
  interrupt(): void {
    if (this.#running) this.#job?.stop();
  }

  /** True while a job takes what is typed. */
  takesKeys(): boolean {
    return this.#running && this.#job?.key !== undefined;
  }

  /** A byte that was typed while a job takes them. */
  key(byte: number): void {
    this.lastInputMs = this.router.system.uptimeMs();
    this.#job?.key?.(byte);
  }

  /** Ctrl-^ x while a job takes keys. */
  suspend(): void {
    this.#job?.suspend?.();
  }

  /** True after the user has left. */
  isClosed(): boolean {
    return this.#closed;
  }

  /** Carries out one line. */
  execute(line: string): Reply {
    this.lastInputMs = this.router.system.uptimeMs();
    const mode = this.#mode;
    if (mode.kind === 'commands') {
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('!')) return reply('');
      this.#remember(mode.history ?? [], trimmed);
    }
    return mode.execute(line);
  }

  /** Answers `?` at the end of `line`. */
  help(line: string): string {
    return this.#mode.help(line);
  }

  /** Spells out the last word of `line` where only one fits (Tab). */
  complete(line: string): string {
    return this.#mode.complete(line);
  }

  /** Drops the question of a command, which then does nothing. One of the login stays. */
  dropQuestion(): void {
    if (this.#mode instanceof QuestionMode) this.leave(this.#mode);
  }

  /**
   * Out of configuration: `end`, Ctrl-C, Ctrl-Z.
   * @param line what stood before Ctrl-Z, which is Enter and `end` in one
   */
  endConfiguration(line = ''): Reply {
    const at = this.#modes.findIndex((m) => m instanceof ConfigurationMode);
    if (at < 0) return reply('');
    const last = line.trim() === '' ? reply('') : this.execute(line);
    // What the last line asks is still to be answered. A banner that is not whole is dropped.
    if (this.#modes[at] instanceof ConfigurationMode) this.#leaveConfiguration();
    return last;
  }

  // --- what commands may do (Terminal) ---

  ask(prompt: string, secret: boolean, answer: (text: string) => string): void {
    this.dropQuestion();
    this.enter(new QuestionMode(this, prompt, secret, answer));
  }

  enable(): string {
    return enable(this.router, this, () => this.failedLogins++);
  }

  run(job: Job): void {
    this.#job = job;
  }

  configure(): void {
    this.enter(
      new ConfigurationMode(this.router, this, this.#exec, () => this.endConfiguration(), this.#configHistory),
    );
  }

  close(): void {
    this.#closed = true;
    leaveLine(this.router, this);
    this.interrupt();
  }

  // --- what modes may do (ModeStack, LoginSession) ---

  enter(mode: ConsoleMode): void {
    this.#modes.push(mode);
  }

  leave(mode: ConsoleMode): void {
    this.#modes = this.#modes.filter((m) => m !== mode);
  }

  logIn(privilege = this.settings.privilege): string {
    this.#modes = [this.#exec];
    this.loggedIn = true;
    this.privilege = Math.max(this.privilege, privilege === 15 ? 15 : 1);
    const { exec } = this.router.config().banners;
    return exec === undefined ? '' : `${exec}\n`;
  }

  #remember(history: string[], line: string): void {
    history.push(line);
    history.splice(0, Math.max(0, history.length - this.historySize));
  }

  #leaveConfiguration(): void {
    this.#modes = this.#modes.filter((m) => m === this.#exec || m instanceof QuestionMode);
    const { line, number, location, name } = this;
    // Inferred: the words for http.
    const by =
      number === NO_LINE
        ? `http by ${name === '' ? '' : `${escape(name)} `}(${location})`
        : `console by ${line === 'con' ? 'console' : `vty${number} (${location})`}`;
    this.router.actions.log(5, 'SYS-5-CONFIG_I', `Configured from ${by}`);
  }
}
