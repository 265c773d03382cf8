/** `show aliases [MODE]`: short names by the mode in which they hold. */
import { ALIAS_MODES, aliasesOf } from '../config/aliases.js';
import type { AliasMode, RouterConfig } from '../config/model.js';

/** What IOS calls the modes here. Inferred but for exec: `show aliases` of a router lists that one and ATM's. */
const HEADINGS: Readonly<Record<AliasMode, string>> = {
  exec: 'Exec mode',
  configure: 'Global configuration mode',
  interface: 'Interface configuration mode',
  ipenacl: 'IP named extended access-list configuration mode',
  ipsnacl: 'IP named simple access-list configuration mode',
  line: 'Line configuration mode',
};

const MODES = Object.keys(ALIAS_MODES) as AliasMode[];

/** Exec aliases first, as on the router; modes without any are left out. */
export function showAliases(config: RouterConfig, only?: string): string {
  const order = ['exec' as const, ...MODES.filter((m) => m !== 'exec')];
  return order
    .filter((mode) => only === undefined || mode === only)
    .map((mode) => {
      const rows = aliasesOf(config, mode).map(({ name, text }) => `  ${name.padEnd(21)} ${text}\n`);
      return rows.length === 0 ? '' : `${HEADINGS[mode]} aliases:\n${rows.join('')}\n`;
    })
    .join('');
}
