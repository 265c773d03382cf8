/**
 * Logins in the log, in the words of Login Enhancements (12.3(4)T): `%SEC_LOGIN-4-LOGIN_FAILED`, `-5-LOGIN_SUCCESS`.
 * Inferred: IOS logs failures only with `login on-failure log`; here each is logged unless that line says otherwise,
 * for nobody else would see that passwords are guessed. Successes are logged with `login on-success log`, as on IOS.
 */
import { escape } from '../messages.js';
import { showClock } from '../show/clock.js';
import type { ConsoleRouter } from './router.js';

const NAME_SHOWN = 64; // characters of a stranger's user name
const TELNET = 23;

/** Who tried: the name that was typed, and the address; empty on the console. */
export interface Caller {
  name: string;
  location: string;
}

interface Logins {
  failed: number;
  succeeded: number;
}

const routers = new WeakMap<ConsoleRouter, Logins>();

function loginsOf(router: ConsoleRouter): Logins {
  let logins = routers.get(router);
  if (logins === undefined) routers.set(router, (logins = { failed: 0, succeeded: 0 }));
  return logins;
}

/** A wrong password, or a name that is not there. */
export function loginFailed(router: ConsoleRouter, caller: Caller): void {
  const logins = loginsOf(router);
  logins.failed++;
  const { log, every } = router.config().login.onFailure ?? { log: true, every: 1 };
  if (!log || logins.failed % every !== 0) return;
  const text = `Login failed ${parties(caller)} [Reason: Login Authentication Failed] at ${stamp(router)}`;
  router.actions.log(4, 'SEC_LOGIN-4-LOGIN_FAILED', text);
}

export function loginSucceeded(router: ConsoleRouter, caller: Caller): void {
  const logins = loginsOf(router);
  logins.succeeded++;
  const success = router.config().login.onSuccess;
  if (success?.log !== true || logins.succeeded % success.every !== 0) return;
  router.actions.log(5, 'SEC_LOGIN-5-LOGIN_SUCCESS', `Login Success ${parties(caller)} at ${stamp(router)}`);
}

function parties({ name, location }: Caller): string {
  const [source, port] = location === '' ? ['0.0.0.0', 0] : [location, TELNET];
  return `[user: ${escape(name.slice(0, NAME_SHOWN))}] [Source: ${source}] [localport: ${port}]`;
}

/** As `show clock`, without its star and milliseconds. */
const stamp = (router: ConsoleRouter): string =>
  showClock(router.config(), router.system.now())
    .trim()
    .replace(/^\*(\S+)\.\d+/, '$1');
