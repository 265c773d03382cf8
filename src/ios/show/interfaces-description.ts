/** `show interfaces [NAME] description` (reference later §6). */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { linkState } from './link-state.js';

/** Types whose short name is not their first two letters. */
const SHORT: Readonly<Record<string, string>> = { 'Virtual-Template': 'Vt', 'Virtual-Access': 'Vi' };

/** Et2/0 for Ethernet2/0. */
export function shortName(name: string): string {
  const [, type = '', number = ''] = /^(.*?)(\d.*)$/.exec(name) ?? [];
  return `${SHORT[type] ?? type.slice(0, 2)}${number}`;
}

export function showInterfacesDescription(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  only?: string,
): string {
  let text = 'Interface                      Status         Protocol Description\n';
  for (const i of config.interfaces) {
    if (only !== undefined && i.name !== only) continue;
    const { link, protocol } = linkState(i, live);
    const status = link === 'administratively down' ? 'admin down' : link;
    const row = `${shortName(i.name).padEnd(30)} ${status.padEnd(14)} ${protocol.padEnd(8)} ${i.description ?? ''}`;
    text += `${row.trimEnd()}\n`;
  }
  return text;
}
