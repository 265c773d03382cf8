/** `show ip nat translations …` and `show ip nat statistics` (reference §8). */
import type { RouterSnapshot, TranslationSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { hoursMinutesSeconds } from './duration.js';

const HEADER = ['Pro', 'Inside global', 'Inside local', 'Outside local', 'Outside global'] as const;
const WIDTH = 18;

/**
 * @param only which of them; all if left out. Inferred: with none left nothing is printed, not even the heading
 */
export function showTranslations(
  snapshot: RouterSnapshot,
  verbose: boolean,
  only: (t: TranslationSnapshot) => boolean = () => true,
): string {
  const translations = snapshot.translations().filter(only);
  if (translations.length === 0) return '';
  const rows = translations.map(columns);
  // A longer value widens its column for all rows.
  const widths = [0, 1, 2].map((c) => Math.max(WIDTH, ...rows.map((r) => r[c + 1]!.length)));
  const line = ([pro, a, b, c, d]: readonly string[]): string =>
    `${pro} ${a!.padEnd(widths[0]!)} ${b!.padEnd(widths[1]!)} ${c!.padEnd(widths[2]!)} ${d}\n`;
  return line(HEADER) + rows.map((r, i) => line(r) + (verbose ? details(translations[i]!) : '')).join('');
}

function columns(t: TranslationSnapshot): string[] {
  const at = (address: number, port: number | undefined): string =>
    port === undefined ? formatAddress(address) : `${formatAddress(address)}:${port}`;
  const outside = t.outside === undefined ? '---' : at(t.outside, t.outsidePort);
  return [
    t.protocol.padEnd(3),
    at(t.insideGlobal, t.insideGlobalPort),
    at(t.insideLocal, t.insideLocalPort),
    outside,
    outside,
  ];
}

function details(t: TranslationSnapshot): string {
  const times = `    create ${hoursMinutesSeconds(t.createdAgo)}, use ${hoursMinutesSeconds(t.usedAgo)}`;
  const extended = t.outside !== undefined || t.insideGlobalPort !== undefined;
  const timeout = t.timeoutMs ?? 0;
  const left = timeout === 0 ? '' : ` left ${hoursMinutesSeconds(timeout - t.usedAgo)},`;
  const flags = [...(extended ? ['extended'] : []), ...(t.static ? ['static'] : [])];
  return `${times} timeout:${timeout},${left}\n    flags:\n${[...flags, `use_count: ${t.useCount ?? 0}`].join(', ')}\n`;
}

export function showNatStatistics(config: RouterConfig, snapshot: RouterSnapshot): string {
  const translations = snapshot.translations();
  const statics = translations.filter((t) => t.static).length;
  const extended = translations.filter((t) => t.outside !== undefined || t.insideGlobalPort !== undefined).length;
  const side = (name: 'inside' | 'outside'): string[] =>
    config.interfaces.filter((i) => i.nat === name).map((i) => `  ${i.name}`);
  const lines = [
    `Total active translations: ${translations.length} (${statics} static, ${translations.length - statics} dynamic; ${extended} extended)`,
    'Outside interfaces:',
    ...side('outside'),
    'Inside interfaces:',
    ...side('inside'),
    `Hits: ${counted(snapshot, 'hits')}  Misses: ${counted(snapshot, 'misses')}`,
    `Expired translations: ${counted(snapshot, 'expired')}`,
    'Dynamic mappings:',
    ...dynamicMappings(config, snapshot),
  ];
  return `${lines.join('\n')}\n`;
}

const counted = (snapshot: RouterSnapshot, name: string): number =>
  snapshot.counters().find((r) => r.family === 'nat' && r.name === name)?.value ?? 0;

function dynamicMappings(config: RouterConfig, snapshot: RouterSnapshot): string[] {
  if (config.nat.dynamic.length === 0) return [];
  const lines = ['-- Inside Source'];
  for (const [i, d] of config.nat.dynamic.entries()) {
    const inUse = snapshot.translations().filter((t) => t.mapping === i);
    const to = d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;
    lines.push(`[Id: ${i + 1}] access-list ${d.list} ${to} refcount ${inUse.length}`);
    const pool = d.pool === undefined ? undefined : config.nat.pools.get(d.pool);
    if (pool === undefined) continue;
    const total = (pool.end >>> 0) - (pool.start >>> 0) + 1;
    const used = new Set(inUse.map((t) => t.insideGlobal)).size;
    lines.push(
      ` pool ${pool.name}: netmask ${formatAddress(pool.mask)}`,
      `\tstart ${formatAddress(pool.start)} end ${formatAddress(pool.end)}`,
      `\ttype generic, total addresses ${total}, allocated ${used} (${Math.floor((100 * used) / total)}%), misses ${counted(snapshot, 'poolMisses')}`,
    );
  }
  return lines;
}
