/**
 * One user at one terminal: modes, prompts, passwords, and the answer to each line. Pure but for what it asks of the
 * ConsoleRouter; the edges bring lines and keys, and print what comes back.
 */
import { configGrammar } from '../commands/index.js';
import { applyLine, ambiguous, INCOMPLETE, INVALID_INPUT, percent } from '../config/parse.js';
import { ConfigEditor, GLOBAL_MODE } from '../config/editor.js';
import type { Complaint, Mode } from '../config/editor.js';
import { lineDefaults } from '../config/defaults.js';
import type { LineConfig, Password, User } from '../config/model.js';
import { forkConfig, sameConfig } from '../config/fork.js';
import { verifyPassword } from '../config/password.js';
import { joinLines } from '../config/terminal-lines.js';
import { matchLine } from '../grammar/match.js';
import type { Handler } from '../grammar/command.js';
import type { Exec, Terminal } from './context.js';
import { compilePattern, FILTER_GRAMMAR, filterOutput, splitFilter } from './filter.js';
import { completeLine, helpText } from './help.js';
import type { Vocabulary } from './help.js';
import type { Job } from './job.js';
import { loginWatch } from './login-watch.js';
import type { ConsoleRouter } from './router.js';
import { formatAddress } from '../ipv4-text.js';
import { missingInterfaceAt } from './own-interface.js';
import { enterLine, leaveLine } from './users.js';
import { configWords, execVocabulary, filterVocabulary } from './vocabulary.js';

/** Where a session comes from: the console, or a numbered terminal line and the caller's int32 address. */
export type Origin = 'console' | { vty: number; from: number };

/** What a line came to. */
export interface Reply {
  output: string;
  /** The line was refused: IOS answered with a `%`. */
  failed: boolean;
}

const HISTORY = 20; // lines, as on the router
const ENABLE_ATTEMPTS = 3;
const LOGIN_ATTEMPTS = 3;
const NO_PASSWORD: Password = { type: 5, text: '$1$none$......................' };
const SHOW = /^\s*(?:do\s+)?(?:sh|sho|show|more|wr\w*\s+t\w*)\s/i; // commands whose output can be filtered

export class ConsoleSession implements Terminal {
  privilege: number;
  length: number;
  width = 80;
  monitor = false;
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
  readonly history: string[] = [];
  #mode: Mode | undefined; // of configuration; undefined: EXEC
  #banner: ConfigEditor | undefined; // reads the lines of a banner
  #closed = false;
  #job: Job | undefined; // what a command has left to be run
  #running = false; // the job has begun
  #question: { prompt: string; secret: boolean; answer: (text: string) => string } | undefined;

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
    this.number = origin === 'console' ? 0 : origin.vty;
    this.location = origin === 'console' ? '' : formatAddress(origin.from);
    this.sinceMs = router.system.uptimeMs();
    this.lastInputMs = this.sinceMs;
    this.length = this.settings.length;
    enterLine(router, this);
  }

  /** What the configuration says about this terminal line. */
  get settings(): LineConfig {
    const { line, number } = this;
    const found = this.router.config().lines.find((l) => l.kind === line && l.first <= number && number <= l.last);
    return found ?? lineDefaults(line, number, number);
  }

  /**
   * What is printed when the terminal connects: banner, and the question for a password where the line asks one.
   * Where nobody can log in, the session is closed at once.
   */
  greet(): string {
    const { banners, users } = this.router.config();
    const { login, password } = this.settings;
    const motd = banners.motd === undefined ? '' : `${banners.motd}\n`;
    if (login === 'none') return motd + this.#enter();
    if (login === 'line' && password === undefined) {
      this.close();
      return `${motd}\n\nPassword required, but none set\n`;
    }
    const banner = banners.login === undefined ? '' : `${banners.login}\n`;
    if (login === 'line') this.#askLinePassword(password!);
    else this.#askUser(users);
    return `${motd}${banner}\n\nUser Access Verification\n\n`;
  }

  /** False until the line's login is done. */
  loggedIn = false;
  /** Wrong passwords so far; the edge answers each a second later. */
  failedLogins = 0;

  /** ms since anybody failed to log in. */
  get sinceFailureMs(): number {
    return loginWatch(this.router).sinceFailureMs;
  }

  /** What stands before the cursor. */
  get prompt(): string {
    if (this.#question !== undefined) return this.#question.prompt;
    if (this.#banner !== undefined) return '';
    const { hostname } = this.router.config();
    if (this.#mode !== undefined) return `${hostname}(config${this.#mode.prompt})#`;
    return `${hostname}${this.privilege === 15 ? '#' : '>'}`;
  }

  /** True while a password is typed: not to be echoed, not to be remembered. */
  get secret(): boolean {
    return this.#question?.secret ?? false;
  }

  /** True while the session waits for the answer to a question of its own. */
  get asking(): boolean {
    return this.#question !== undefined;
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
  runJob(print: (text: string) => void, done: (failed: boolean) => void): void {
    this.#running = true;
    this.#job?.start(
      (text) => {
        if (!this.#closed) print(text);
      },
      (failed) => {
        this.#job = undefined;
        this.#running = false;
        done(failed);
      },
    );
  }

  /** The escape sequence while a job runs. */
  interrupt(): void {
    if (this.#running) this.#job?.stop();
  }

  /** True after the user has left. */
  isClosed(): boolean {
    return this.#closed;
  }

  /** Carries out one line. */
  execute(line: string): Reply {
    this.lastInputMs = this.router.system.uptimeMs();
    if (this.#question !== undefined) {
      const { answer } = this.#question;
      this.#question = undefined;
      const output = answer(line);
      return { output, failed: output.startsWith('%') };
    }
    if (this.#banner !== undefined) return this.#readBanner(this.#banner, line);
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('!')) return reply('');
    this.history.push(trimmed);
    this.history.splice(0, Math.max(0, this.history.length - this.historySize));
    return this.#mode === undefined ? this.#exec(line, 0) : this.#configure(this.#mode, line);
  }

  /** Answers `?` at the end of `line`. */
  help(line: string): string {
    if (this.#question !== undefined || this.#banner !== undefined) return '';
    if (SHOW.test(line)) {
      const { filter } = splitFilter(line, true);
      if (filter !== undefined) return helpText([filterVocabulary()], filter.trimStart(), false);
    }
    return helpText(this.#vocabularies(line), this.#withoutDo(line), SHOW.test(`${line} `));
  }

  /** Spells out the last word of `line` where only one fits (Tab). */
  complete(line: string): string {
    if (this.#question !== undefined || this.#banner !== undefined) return line;
    const rest = this.#withoutDo(line);
    return line.slice(0, line.length - rest.length) + completeLine(this.#vocabularies(line), rest);
  }

  /** Drops the question of a command, which then does nothing. One of the login stays. */
  dropQuestion(): void {
    if (this.loggedIn) this.#question = undefined;
  }

  /**
   * Out of configuration: `end`, Ctrl-C, Ctrl-Z.
   * @param line what stood before Ctrl-Z, which is Enter and `end` in one
   */
  endConfiguration(line = ''): Reply {
    if (this.#mode === undefined) return reply('');
    const last = line.trim() === '' ? reply('') : this.execute(line);
    this.#banner = undefined;
    this.#leaveConfiguration();
    return last;
  }

  // --- what commands may do (Terminal) ---

  ask(prompt: string, secret: boolean, answer: (text: string) => string): void {
    this.#question = { prompt, secret, answer };
  }

  enable(): string {
    if (this.privilege === 15) return '';
    const { secret, password } = this.router.config().enable;
    const stored = secret ?? password;
    if (stored === undefined) {
      // As on the router: from the console anyone may, from elsewhere nobody.
      if (this.line !== 'con') return '% No password set\n';
      this.privilege = 15;
      return '';
    }
    let attempts = 0;
    const check = (typed: string): string => {
      if (verifyPassword(stored, typed)) {
        this.privilege = 15;
        return '';
      }
      this.failedLogins++;
      if (++attempts === ENABLE_ATTEMPTS) return '% Bad passwords\n';
      this.ask('Password: ', true, check);
      return '';
    };
    this.ask('Password: ', true, check);
    return '';
  }

  run(job: Job): void {
    this.#job = job;
  }

  configure(): void {
    this.#mode = GLOBAL_MODE;
  }

  close(): void {
    this.#closed = true;
    leaveLine(this.router, this);
    this.interrupt();
  }

  // --- login ---

  /** Login succeeded. */
  #enter(privilege = this.settings.privilege): string {
    this.loggedIn = true;
    this.privilege = Math.max(this.privilege, privilege === 15 ? 15 : 1);
    const { exec } = this.router.config().banners;
    return exec === undefined ? '' : `${exec}\n`;
  }

  /** Quiet mode has begun while this caller was asked for his password: the right one does not help him either. */
  #isShutOut(): boolean {
    if (!loginWatch(this.router).blocks(this.location)) return false;
    this.close();
    return true;
  }

  #askLinePassword(stored: Password): void {
    let attempts = 0;
    const watch = loginWatch(this.router);
    const check = (typed: string): string => {
      if (this.#isShutOut()) return '';
      if (verifyPassword(stored, typed)) {
        watch.noteSuccess(this);
        return this.#enter();
      }
      this.failedLogins++;
      watch.noteFailure(this);
      if (++attempts === LOGIN_ATTEMPTS) {
        this.close();
        return '% Bad passwords\n';
      }
      this.ask('Password: ', true, check);
      return '';
    };
    this.ask('Password: ', true, check);
  }

  #askUser(users: readonly User[]): void {
    let attempts = 0;
    const watch = loginWatch(this.router);
    const check = (name: string, typed: string): string => {
      if (this.#isShutOut()) return '';
      const user = users.find((u) => u.name === name);
      const stored = user?.secret ?? user?.password;
      // A name that is not there takes as long as one that is.
      const right = verifyPassword(stored ?? NO_PASSWORD, typed) && stored !== undefined;
      if (right) {
        this.name = name;
        watch.noteSuccess(this);
        return this.#enter(user?.privilege);
      }
      this.failedLogins++;
      watch.noteFailure({ name, location: this.location });
      if (++attempts < LOGIN_ATTEMPTS) askName();
      else this.close();
      return '% Login invalid\n\n';
    };
    const askName = (): void =>
      this.ask('Username: ', false, (name) => {
        this.ask('Password: ', true, (typed) => check(name.trim(), typed));
        return '';
      });
    askName();
  }

  // --- EXEC ---

  /** @param offset columns of the line that stand before `line`, as `do ` does */
  #exec(line: string, offset: number): Reply {
    const split = splitFilter(line, SHOW.test(line));
    const result = matchLine(execVocabulary(this.privilege).grammar, split.command);
    const at = this.prompt.length + offset;
    if (result.kind === 'invalid') {
      const [first, ...rest] = line.trim().split(/\s+/);
      if (rest.length === 0 && offset === 0) return refusal(this.#unknownWord(first ?? ''));
      return refusal(caret(at + result.column));
    }
    if (result.kind === 'ambiguous') return refusal(`% ${ambiguous(line)}\n`);
    if (result.kind === 'incomplete') return refusal(`% ${INCOMPLETE}\n\n`);
    const missing = missingInterfaceAt(split.command, result.match, this.router.config());
    if (missing !== undefined) return refusal(caret(at + missing));
    let output = '';
    const exec: Exec = { router: this.router, terminal: this, print: (text) => void (output += text) };
    if (split.filter !== undefined) {
      const filter = matchLine(FILTER_GRAMMAR, split.filter);
      if (filter.kind === 'invalid') return refusal(caret(at + split.filterAt + filter.column));
      if (filter.kind !== 'match') return refusal(`% ${INCOMPLETE}\n\n`);
      const pattern = compilePattern(filter.match.word('PATTERN'));
      if (pattern === undefined) return refusal('% Failed to compile regular expression\n');
      (result.action as Handler<Exec>)(exec, result.match);
      return reply(filterOutput(output, filter.match.word('FILTER'), pattern));
    }
    (result.action as Handler<Exec>)(exec, result.match);
    return { output, failed: output.startsWith('%') };
  }

  /** IOS takes an unknown word for the name of a host to connect to. */
  #unknownWord(word: string): string {
    const lookup = this.router.config().domainLookup ? '...domain server (255.255.255.255)' : '';
    return `Translating "${word}"${lookup}\n% Unknown command or computer name, or unable to find computer address\n`;
  }

  // --- configuration ---

  #configure(mode: Mode, line: string): Reply {
    const trimmed = line.trim();
    const inner = /^do\s+(.*)$/i.exec(trimmed)?.[1];
    if (inner !== undefined) return this.#exec(inner, line.length - inner.length);
    if (/^end$/i.test(trimmed)) return this.endConfiguration();
    if (mode.name === 'global' && /^exi?t?$/i.test(trimmed)) return this.endConfiguration();
    const editor = new ConfigEditor(forkConfig(this.router.config()));
    editor.mode = mode;
    const complaints = applyLine(editor, line);
    if (complaints.some((c) => c.severity === 'error')) {
      // An inert block has no words of its own: whatever global mode does not know belongs to it.
      if (mode.name !== 'inert' || complaints[0]?.reason !== INVALID_INPUT) return refusal(this.#complain(complaints));
      editor.keepInert(trimmed);
    }
    if (editor.textReader !== undefined) {
      this.#banner = editor;
      return reply(`Enter TEXT message.  End with the character '${trimmed.split(/\s+/)[2]?.slice(0, 1) ?? ''}'.\n`);
    }
    return this.#apply(editor, this.#complain(complaints.filter((c) => c.severity === 'warning')));
  }

  #readBanner(editor: ConfigEditor, line: string): Reply {
    if (editor.textReader?.(line) !== true) return reply('');
    this.#banner = undefined;
    return this.#apply(editor, '');
  }

  /** Puts the edited configuration in force, where it differs. */
  #apply(editor: ConfigEditor, warnings: string): Reply {
    const { config } = editor;
    config.lines = editor.mode.name === 'line' ? config.lines : joinLines(config.lines);
    const fault = sameConfig(config, this.router.config()) ? undefined : this.router.actions.apply(config);
    if (fault !== undefined) return refusal(`${percent(fault)}\n`);
    this.#mode = editor.mode;
    return reply(editor.notes.map((n) => `${n}\n`).join('') + warnings);
  }

  #complain(complaints: readonly Complaint[]): string {
    return complaints
      .map((c) => (c.reason === INVALID_INPUT ? caret(this.prompt.length + c.column) : `${percent(c.reason)}\n`))
      .join('');
  }

  #leaveConfiguration(): void {
    this.#mode = undefined;
    const by = this.line === 'con' ? 'console' : `vty${this.number} (${this.location})`;
    this.router.actions.log(5, 'SYS-5-CONFIG_I', `Configured from console by ${by}`);
  }

  // --- help ---

  #vocabularies(line: string): Vocabulary[] {
    if (this.#mode === undefined || /^\s*do\s/i.test(line)) return [execVocabulary(this.privilege)];
    const own = configGrammar(this.#mode.name);
    const words = configWords();
    return this.#mode.name === 'global' ? [merge(own, words)] : [merge(own, words), configGrammar('global')];
  }

  #withoutDo(line: string): string {
    return this.#mode === undefined ? line : line.replace(/^\s*do\s+/i, '');
  }
}

/** Two vocabularies as one. */
function merge(a: Vocabulary, b: Vocabulary): Vocabulary {
  return {
    grammar: { kind: 'choice', of: [a.grammar, b.grammar] },
    help: { find: (path) => a.help.find(path) ?? b.help.find(path) },
  };
}

const reply = (output: string): Reply => ({ output, failed: false });
const refusal = (output: string): Reply => ({ output, failed: true });

/** The caret under a column of the screen, from 1, and what it means. */
const caret = (column: number): string => `${' '.repeat(column - 1)}^\n% ${INVALID_INPUT}\n\n`;
