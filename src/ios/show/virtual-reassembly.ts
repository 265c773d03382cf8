/** `show ip virtual-reassembly [NAME]` (reference §7). */
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';

export function showVirtualReassembly(config: RouterConfig, snapshot: RouterSnapshot, only?: string): string {
  const blocks: string[] = [];
  for (const { name, virtualReassembly: v } of config.interfaces) {
    if (v === undefined || (only !== undefined && name !== only)) continue;
    const now = snapshot.reassembly(name);
    blocks.push(
      [
        `${name}:`,
        '   Virtual Fragment Reassembly (VFR) is ENABLED...',
        `   Concurrent reassemblies (max-reassemblies): ${v.maxReassemblies}`,
        `   Fragments per reassembly (max-fragments): ${v.maxFragments}`,
        `   Reassembly timeout (timeout): ${v.timeout} seconds`,
        `   Drop fragments: ${v.dropFragments ? 'ON' : 'OFF'}`,
        '',
        `   Current reassembly count:${now.reassemblies}`,
        `   Current fragment count:${now.fragments}`,
        `   Total reassembly count:${now.totalReassemblies}`,
        `   Total reassembly failures:${now.totalFailures}`,
        '',
      ].join('\n'),
    );
  }
  return blocks.map((b) => `${b}\n`).join('');
}
