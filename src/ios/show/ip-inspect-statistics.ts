/** `show ip inspect statistics` (reference §6). */
import type { RouterConfig } from '../config/model.js';
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import { age } from './duration.js';
import { counterName } from './counter-name.js';
import type { RowFamily } from '../../core/observe/row.js';

/** What has a line here. NAT and fragments have commands of their own. */
const INTERVENTIONS: readonly RowFamily[] = ['drop', 'reassembly', 'reset', 'smtp', 'lost', 'taken-over'];

export function showInspectStatistics(config: RouterConfig, snapshot: RouterSnapshot): string {
  const s = snapshot.inspection();
  const ago = (ms: number | undefined): string => (ms === undefined ? 'never' : age(ms));
  const lines = ['Packet inspection statistics [process switch:fast switch]'];
  // All packets take the path that IOS calls process switching.
  for (const [protocol, packets] of s.packets) lines.push(`  ${protocol} packets: [${packets}:0]`);
  lines.push(
    `Interfaces configured for inspection ${config.interfaces.filter((i) => i.inspectOrder > 0).length}`,
    `Session creations since subsystem startup or last reset ${s.created}`,
    `Current session counts (estab/half-open/terminating) [${s.current.join(':')}]`,
    `Maxever session counts (estab/half-open/terminating) [${s.maximum.join(':')}]`,
    `Last session created ${ago(s.lastCreatedAgo)}`,
    `Last statistic reset ${ago(s.lastResetAgo)}`,
    `Last session creation rate ${s.creationRate}`,
    `Last half-open session total ${s.current[1]}`,
  );
  // fw3640's own: each kind of intervention and each reason to drop.
  const counted = snapshot.counters().filter((r) => r.value > 0 && INTERVENTIONS.includes(r.family));
  if (counted.length > 0)
    lines.push('Interventions and drops', ...counted.map((r) => `  ${counterName(r)}: ${r.value}`));
  return `${lines.join('\n')}\n`;
}
