/**
 * Who logs in, and who tries to: `login block-for`, `login quiet-mode access-class`, `login on-failure`, `login
 * on-success` (Login Enhancements, 12.3(4)T). Too many failures begin quiet mode, in which the terminal lines take no
 * login but from whom the quiet-mode access class permits. The console is not shut.
 *
 * Inferred: IOS logs failures only with `login on-failure log`; here each is logged unless that line says otherwise,
 * for nobody else would see that passwords are guessed. Successes are logged with `login on-success log`, as on IOS.
 */
import { escape } from '../printable.js';
import { parseAddress } from '../ipv4-text.js';
import { showClock } from '../show/clock.js';
import { mayConnect } from './access-class.js';
import type { ConsoleRouter } from './router.js';

const NAME_SHOWN = 64; // characters of a stranger's user name
const TELNET = 23;
/** What `show login failures` remembers. */
const MOST_FAILURES = 50;
/** The list that IOS makes for quiet mode where the configuration names none: it denies everybody. */
const DEFAULT_LIST = 'sl_def_acl';

/** Who tries: the name that was typed, and the address; empty on the console. */
export interface Caller {
  name: string;
  location: string;
  /** Where he called; absent: telnet's port. */
  port?: number;
}

/** Failures of one user name from one address. */
export interface FailedLogin {
  readonly name: string;
  readonly source: string;
  readonly port: number;
  count: number;
  /** Of the last one, as the log has it. */
  at: string;
}

export class LoginWatch {
  /** Since the start. */
  failed = 0;
  succeeded = 0;
  /** The last ones, oldest first. */
  readonly failures: FailedLogin[] = [];
  /** Called when quiet mode begins; `review` is to be called after so many ms. */
  onQuiet: (ms: number) => void = () => undefined;
  /** Uptime of the failures in the watch window, oldest first; never more than `attempts`. */
  #recent: number[] = [];
  #lastFailure = -Infinity;
  #quietUntil: number | undefined;

  constructor(private readonly router: ConsoleRouter) {}

  /** A wrong password, or a name that is not there. */
  noteFailure(caller: Caller): void {
    const { router } = this;
    const now = router.system.uptimeMs();
    this.failed++;
    this.#lastFailure = now;
    const at = this.#stamp();
    this.#remember(caller, at);
    const { log, every } = router.config().login.onFailure ?? { log: true, every: 1 };
    if (log && this.failed % every === 0)
      router.actions.log(4, 'SEC_LOGIN-4-LOGIN_FAILED', `Login failed ${parties(caller)} ${REASON} at ${at}`);
    if (caller.location !== '') this.#count(caller, now, at);
  }

  noteSuccess(caller: Caller): void {
    const { router } = this;
    this.succeeded++;
    const success = router.config().login.onSuccess;
    if (success?.log !== true || this.succeeded % success.every !== 0) return;
    router.actions.log(5, 'SEC_LOGIN-5-LOGIN_SUCCESS', `Login Success ${parties(caller)} at ${this.#stamp()}`);
  }

  /** True while quiet mode keeps logins from this address (text; empty: the console) out. */
  blocks(location: string): boolean {
    this.review();
    const from = parseAddress(location);
    if (this.#quietUntil === undefined || from === undefined) return false;
    const { login, accessLists } = this.router.config();
    return login.quietModeList === undefined || !mayConnect(accessLists.get(login.quietModeList), from);
  }

  /** ms that quiet mode still lasts; 0: it is off. */
  get quietMs(): number {
    return this.#quietUntil === undefined ? 0 : Math.max(0, this.#quietUntil - this.router.system.uptimeMs());
  }

  /** ms since the last failure of anybody; Infinity: there was none. */
  get sinceFailureMs(): number {
    return this.router.system.uptimeMs() - this.#lastFailure;
  }

  /** The watch window: it begins with the oldest failure that still counts. */
  get window(): { failures: number; leftMs: number } {
    const now = this.router.system.uptimeMs();
    const within = (this.router.config().login.blockFor?.within ?? 0) * 1000;
    const failures = this.#recent.filter((t) => now - t < within);
    return { failures: failures.length, leftMs: failures.length === 0 ? within : failures[0]! + within - now };
  }

  /** Ends quiet mode when its time is up, or nothing in the configuration asks for it any longer. */
  review(): void {
    if (this.#quietUntil === undefined) return;
    const { blockFor } = this.router.config().login;
    if (blockFor !== undefined && this.quietMs > 0) return;
    this.#quietUntil = undefined;
    const why = blockFor === undefined ? 'it is no longer configured' : 'block period timed out';
    this.router.actions.log(5, 'SEC_LOGIN-5-QUIET_MODE_OFF', `Quiet Mode is OFF, because ${why} at ${this.#stamp()}`);
  }

  /** Quiet mode begins with as many failures in the watch window as `login block-for` names. */
  #count(caller: Caller, now: number, at: string): void {
    const { blockFor, quietModeList } = this.router.config().login;
    this.review();
    if (blockFor === undefined || this.#quietUntil !== undefined) return;
    this.#recent = [...this.#recent, now].filter((t) => now - t < blockFor.within * 1000);
    if (this.#recent.length < blockFor.attempts) return;
    const left = Math.ceil(this.window.leftMs / 1000);
    this.#recent = [];
    this.#quietUntil = now + blockFor.seconds * 1000;
    this.router.actions.log(
      1,
      'SEC_LOGIN-1-QUIET_MODE_ON',
      `Still timeleft for watching failures is ${left} secs, ${parties(caller)} ${REASON} ` +
        `[ACL: ${quietModeList ?? DEFAULT_LIST}] at ${at}`,
    );
    this.onQuiet(blockFor.seconds * 1000);
  }

  #remember(caller: Caller, at: string): void {
    const name = shownName(caller.name);
    const { source, port } = end(caller);
    const known = this.failures.findIndex((f) => f.name === name && f.source === source && f.port === port);
    const [one = { name, source, port, count: 0, at }] = known < 0 ? [] : this.failures.splice(known, 1);
    one.count++;
    one.at = at;
    this.failures.push(one);
    if (this.failures.length > MOST_FAILURES) this.failures.shift();
  }

  /** As `show clock`, without its star and milliseconds. */
  #stamp(): string {
    return showClock(this.router.config(), this.router.system.now())
      .trim()
      .replace(/^\*?(\S+?)\.\d+/, '$1');
  }
}

const REASON = '[Reason: Login Authentication Failed]';

const watches = new WeakMap<ConsoleRouter, LoginWatch>();

/** The watch of a router's logins. */
export function loginWatch(router: ConsoleRouter): LoginWatch {
  let watch = watches.get(router);
  if (watch === undefined) watches.set(router, (watch = new LoginWatch(router)));
  return watch;
}

const shownName = (name: string): string => escape(name.slice(0, NAME_SHOWN));

const end = ({ location, port = TELNET }: Caller): { source: string; port: number } =>
  location === '' ? { source: '0.0.0.0', port: 0 } : { source: location, port };

function parties(caller: Caller): string {
  const { source, port } = end(caller);
  return `[user: ${shownName(caller.name)}] [Source: ${source}] [localport: ${port}]`;
}
