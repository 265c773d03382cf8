/** `show login`, `show login failures`. */
import type { RouterConfig } from '../config/model.js';
import type { FailedLogin, LoginWatch } from '../exec/login-watch.js';

const INDENT = '     ';

/** What is done about failed logins, and what has happened so far. */
export function showLogin({ login }: RouterConfig, watch: LoginWatch): string {
  watch.review();
  const { blockFor, delay, quietModeList } = login;
  const lines = [
    delay !== undefined
      ? `A login delay of ${seconds(delay)} is applied.`
      : blockFor !== undefined
        ? 'A default login delay of 1 second is applied.'
        : 'No login delay has been applied.',
    quietModeList === undefined
      ? 'No Quiet-Mode access list has been configured.'
      : `Quiet-Mode access list ${quietModeList} is applied.`,
    '',
  ];
  if (blockFor === undefined) lines.push('Router NOT enabled to watch for login Attacks');
  else {
    lines.push(
      'Router enabled to watch for login Attacks.',
      `If more than ${blockFor.attempts} login failures occur in ${blockFor.within} seconds or less,`,
      `logins will be disabled for ${blockFor.seconds} seconds.`,
      '',
      ...(watch.quietMs > 0 ? quiet(watch, quietModeList) : normal(watch)),
    );
  }
  return lines.map((l) => `${l === '' ? '' : INDENT}${l}\n`).join('');
}

function quiet(watch: LoginWatch, list: string | undefined): string[] {
  return [
    'Router presently in Quiet-Mode.',
    `Will remain in Quiet-Mode for ${wholeSeconds(watch.quietMs)} seconds.`,
    // Inferred where a list is configured.
    list === undefined ? 'Denying logins from all sources.' : `Restricted logins filtered by applied ACL ${list}.`,
  ];
}

function normal(watch: LoginWatch): string[] {
  const { failures, leftMs } = watch.window;
  return [
    'Router presently in Normal-Mode.',
    'Current Watch Window',
    `    Time remaining: ${wholeSeconds(leftMs)} seconds.`,
    `    Login failures for current window: ${failures}.`,
    `Total login failures: ${watch.failed}.`,
  ];
}

/** `show login failures`: the last ones, by user name and address. */
export function showLoginFailures(watch: LoginWatch): string {
  if (watch.failures.length === 0) return '*** No logged failed login attempts with the device.***\n';
  const row = ({ name, source, port, count, at }: FailedLogin): string =>
    `${name.padEnd(11)} ${source.padEnd(15)} ${String(port).padEnd(5)} ${String(count).padEnd(5)} ${at}\n`;
  return (
    `Total failed logins: ${watch.failed}\nDetailed information about last 50 failures\n\n` +
    'Username    SourceIPAddr    lPort Count TimeStamp\n' +
    watch.failures.map(row).join('')
  );
}

const seconds = (n: number): string => `${n} second${n === 1 ? '' : 's'}`;
const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000);
