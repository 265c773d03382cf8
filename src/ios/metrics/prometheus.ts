/**
 * The router's state as Prometheus reads it. How many lines there are is bounded by the program and the configuration;
 * what comes by the wire makes none.
 */
import { Exposition, type Labels } from './exposition.js';
import { addReadings } from './readings.js';
import type { MetricsSnapshot, ShardMetrics } from './snapshot.js';
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';

/** What a client is to be told that it gets. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @returns the text of one scrape */
export function prometheusText(s: MetricsSnapshot): string {
  const out = new Exposition();
  out.add('fw3640_build_info', 'gauge', 'Which program this is', 1, { version: s.release, node: s.node });
  out.add('fw3640_start_time_seconds', 'gauge', 'When the router began, since 1970', s.startedAt);
  out.add('fw3640_sessions_limit', 'gauge', 'Most sessions at a time', s.maxSessions);
  s.shards.forEach((shard, i) => addShard(out, shard, s.shards.length === 1 ? {} : { shard: String(i) }));
  for (const { name, cpuSeconds, memoryBytes } of s.processes)
    addProcess(out, cpuSeconds, memoryBytes, { process: name });
  for (const { name, low, high } of s.thresholds) {
    const help = 'Marks of the half-open sessions, and of the sessions made in a minute';
    out.add('fw3640_threshold_sessions', 'gauge', help, low, { threshold: name, mark: 'low' });
    out.add('fw3640_threshold_sessions', 'gauge', help, high, { threshold: name, mark: 'high' });
  }
  for (const { name, permitted, denied } of s.accessLists) {
    const help = 'Packets that matched an entry of an access list, by what it does';
    out.add('fw3640_access_list_matches_total', 'counter', help, permitted, { list: name, action: 'permit' });
    out.add('fw3640_access_list_matches_total', 'counter', help, denied, { list: name, action: 'deny' });
  }
  for (const i of s.interfaces) addInterface(out, i);
  for (const destination of ['console', 'monitor', 'buffer', 'trap'] as const)
    out.add('fw3640_log_messages_total', 'counter', 'Messages of the log, by where they went', s.log[destination], { destination }); // prettier-ignore
  out.add('fw3640_log_lost_messages_total', 'counter', 'Messages that a destination of the log did not take', s.log.dropped); // prettier-ignore
  return out.text();
}

function addShard(out: Exposition, shard: ShardMetrics, labels: Labels): void {
  const { inspection } = shard;
  const gauge = (name: string, help: string, value: number): void =>
    out.add(`fw3640_${name}`, 'gauge', help, value, labels);
  const counter = (name: string, help: string, value: number): void => out.add(`fw3640_${name}_total`, 'counter', help, value, labels); // prettier-ignore
  gauge('data_plane_up', 'Whether the data plane answers and judges packets', Number(shard.up));
  counter('data_plane_restarts', 'How often another data plane was begun', shard.restarts);
  counter('sessions_created', 'Inspected sessions made', inspection.created);
  gauge('sessions_created_last_minute', 'Inspected sessions made in the last sixty seconds', inspection.creationRate);
  for (const [service, packets] of inspection.packets)
    out.add('fw3640_inspected_packets_total', 'counter', 'Packets of inspected sessions', packets, { ...labels, service }); // prettier-ignore
  addProcess(out, shard.cpuSeconds, shard.memoryBytes, { ...labels, process: 'data' });
  addReadings(out, shard.readings, labels);
}

function addProcess(out: Exposition, cpuSeconds: number, memoryBytes: number, labels: Labels): void {
  out.add('fw3640_cpu_seconds_total', 'counter', 'Processor time, by process', cpuSeconds, labels);
  out.add('fw3640_resident_memory_bytes', 'gauge', 'Memory in use, by process', memoryBytes, labels);
}

function addInterface(out: Exposition, i: InterfaceSnapshot): void {
  const labels = { interface: i.name };
  const counter = (name: string, help: string, value: number): void =>
    out.add(`fw3640_interface_${name}_total`, 'counter', help, value, labels);
  out.add('fw3640_interface_up', 'gauge', 'Whether the line of an interface is up', Number(i.lineUp), labels);
  counter('receive_bytes', 'Bytes that came in by an interface', i.bytesIn);
  counter('receive_packets', 'Packets that came in by an interface', i.packetsIn);
  counter('receive_errors', 'Receive errors of an interface', i.errorsIn);
  counter('receive_drops', 'Packets that an interface has dropped as they came in', i.dropsIn);
  counter('transmit_bytes', 'Bytes that went out by an interface', i.bytesOut);
  counter('transmit_packets', 'Packets that went out by an interface', i.packetsOut);
  counter('transmit_errors', 'Transmit errors of an interface', i.errorsOut);
  counter('transmit_drops', 'Packets that an interface has dropped as they went out', i.dropsOut);
}
