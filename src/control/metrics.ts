/** Gathers what metrics are made of. It asks the data planes as a `show` does: packets go on meanwhile. */
import type { ViewName } from '../core/state/snapshot.js';
import { accessListMetrics, thresholdsOf } from '../ios/metrics/of-config.js';
import type { MetricsSnapshot } from '../ios/metrics/snapshot.js';
import { residentBytes } from '../io/proc.js';
import type { System } from '../host/system.js';
import type { Router } from './router.js';

const READS: readonly ViewName[] = ['counters', 'inspection', 'aclMatches'];
/** A data plane that does not answer in this time is left out of a scrape: Prometheus waits ten seconds. */
const PATIENCE_MS = 3000;

/** The router as it is now. A data plane that does not answer has its last state, and no counters. */
export async function metricsOf(router: Router, system: System): Promise<MetricsSnapshot> {
  const { config, log } = router;
  const shards = await router.shardMetrics(READS, PATIENCE_MS);
  const { user, system: kernel } = process.cpuUsage();
  return {
    release: system.release,
    node: process.version,
    startedAt: (Date.now() - system.uptimeMs()) / 1000,
    maxSessions: router.maxSessions,
    shards: shards.map(({ metrics }) => metrics),
    processes: [{ name: 'control', cpuSeconds: (user + kernel) / 1e6, memoryBytes: residentBytes() }],
    thresholds: thresholdsOf(config),
    accessLists: accessListMetrics(config, shards.map(({ views }) => views)), // prettier-ignore
    interfaces: system.interfaces(),
    log: log.counts(),
  };
}
