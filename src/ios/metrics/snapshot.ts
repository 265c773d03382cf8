/** What metrics are made of: plain data, which may go to another process. */
import type { Reading } from '../../core/observe/row.js';
import type { InspectionSnapshot, InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { LogCounts } from '../exec/router.js';

/** One data plane. */
export interface ShardMetrics {
  /** It answers, and packets are judged. */
  up: boolean;
  /** How often another one was begun since the control plane is there. */
  restarts: number;
  cpuSeconds: number;
  memoryBytes: number;
  readings: readonly Reading[];
  inspection: InspectionSnapshot;
}

/** A process beside the data planes. */
export interface ProcessMetrics {
  name: string;
  cpuSeconds: number;
  memoryBytes: number;
}

export interface AccessListMetrics {
  name: string;
  /** Matches of all entries of each action. */
  permitted: number;
  denied: number;
}

export interface Threshold {
  name: 'max-incomplete' | 'one-minute';
  low: number;
  high: number;
}

export interface MetricsSnapshot {
  release: string;
  /** Of Node. */
  node: string;
  /** Seconds since 1970. */
  startedAt: number;
  maxSessions: number;
  shards: readonly ShardMetrics[];
  processes: readonly ProcessMetrics[];
  thresholds: readonly Threshold[];
  accessLists: readonly AccessListMetrics[];
  interfaces: readonly InterfaceSnapshot[];
  log: LogCounts;
}
