/** What metrics tell of the configuration in force. */
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import type { AccessListMetrics, Threshold } from './snapshot.js';

/** Matches of each access list, added up by what its entries do. @param views of each shard */
export function accessListMetrics(config: RouterConfig, views: readonly RouterSnapshot[]): AccessListMetrics[] {
  return [...config.accessLists.values()].map(({ name, entries }) => {
    const sums = { permit: 0, deny: 0 };
    for (const view of views) {
      const matches = view.aclMatches(name);
      entries.forEach((e, i) => (sums[e.action] += matches[i] ?? 0));
    }
    return { name, permitted: sums.permit, denied: sums.deny };
  });
}

/** `ip inspect max-incomplete`, `ip inspect one-minute`. */
export const thresholdsOf = ({ inspect: g }: RouterConfig): Threshold[] => [
  { name: 'max-incomplete', low: g.maxIncompleteLow, high: g.maxIncompleteHigh },
  { name: 'one-minute', low: g.oneMinuteLow, high: g.oneMinuteHigh },
];
