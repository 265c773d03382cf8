/** `enable`: the way up to privileged EXEC. */
import { verifyPassword } from '../../config/password.js';
import type { ConsoleRouter } from '../router.js';
import type { Terminal } from '../context.js';

const ATTEMPTS = 3;

/**
 * Asks for the password where one is set.
 * @param failed called with each wrong one
 * @returns what is printed
 */
export function enable(router: ConsoleRouter, terminal: Terminal, failed: () => void): string {
  if (terminal.privilege === 15) return '';
  const { secret, password } = router.config().enable;
  const stored = secret ?? password;
  if (stored === undefined) {
    // As on the router: from the console anyone may, from elsewhere nobody.
    if (terminal.line !== 'con') return '% No password set\n';
    terminal.privilege = 15;
    return '';
  }
  let attempts = 0;
  const check = (typed: string): string => {
    if (verifyPassword(stored, typed)) {
      terminal.privilege = 15;
      return '';
    }
    failed();
    if (++attempts === ATTEMPTS) return secret === undefined ? '% Bad passwords\n' : '% Bad secrets\n';
    terminal.ask('Password: ', true, check);
    return '';
  };
  terminal.ask('Password: ', true, check);
  return '';
}
