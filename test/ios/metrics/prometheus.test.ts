/** Metrics: each counter row is there once, by a name and a type as Prometheus asks for, and nothing breaks the text. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventLimiter } from '../../../src/core/limit/event-limiter.js';
import { Histogram } from '../../../src/core/observe/histogram.js';
import { type Reading, readRows, rowsOf } from '../../../src/core/observe/row.js';
import { QueueWatch } from '../../../src/io/queue-watch.js';
import { RouterState } from '../../../src/core/state/router-state.js';
import { Exposition } from '../../../src/ios/metrics/exposition.js';
import { accessListMetrics, thresholdsOf } from '../../../src/ios/metrics/of-config.js';
import { prometheusText } from '../../../src/ios/metrics/prometheus.js';
import { addReadings } from '../../../src/ios/metrics/readings.js';
import type { MetricsSnapshot, ShardMetrics } from '../../../src/ios/metrics/snapshot.js';
import { tcpPacket } from '../../support/packets.js';
import { Router3640 } from '../../support/router-3640.js';
import { readExposition, type Sample } from './exposition-reader.js';

const COUNTS = { console: 5, monitor: 0, buffer: 2, trap: 1, dropped: 3, rateLimited: 0 };

/** All rows that a running router has. */
function allReadings(r: Router3640): Reading[] {
  const losses = new QueueWatch(() => ({ kernelQueueDropped: 7 }), () => undefined); // prettier-ignore
  return readRows([
    ...r.engine.rows(),
    ...losses.rows(),
    ...new EventLimiter(1).rows(),
    ...rowsOf('plane', { packets: { kind: 'counter', help: 'Packets judged' } }, () => 9),
    ...new Histogram().rows('batch', 'Time that a batch took'),
  ]);
}

function shardOf(r: Router3640, more: Partial<ShardMetrics> = {}): ShardMetrics {
  return {
    up: true,
    restarts: 2,
    cpuSeconds: 1.5,
    memoryBytes: 1000,
    readings: allReadings(r),
    inspection: new RouterState(r.engine, () => r.now).inspection(),
    ...more,
  };
}

function snapshotOf(r: Router3640, shards: ShardMetrics[] = [shardOf(r)]): MetricsSnapshot {
  const state = new RouterState(r.engine, () => r.now);
  return {
    release: '1.2.3',
    node: 'v22.0.0',
    startedAt: 1_700_000_000.5,
    maxSessions: 64,
    shards,
    processes: [{ name: 'control', cpuSeconds: 0.25, memoryBytes: 500 }],
    thresholds: thresholdsOf(r.config),
    accessLists: accessListMetrics(r.config, [state]),
    interfaces: [],
    log: COUNTS,
  };
}

/** The values of a metric by its labels, as `a=1,b=2`. */
const valuesOf = (samples: readonly Sample[], name: string): Record<string, number> =>
  Object.fromEntries(
    samples
      .filter((s) => s.name === name)
      .map((s) => [Object.entries(s.labels).map(([k, v]) => `${k}=${v}`).join(','), s.value]), // prettier-ignore
  );

test('each row of the router is one sample, and each family has help and a type', () => {
  const r = new Router3640();
  const readings = allReadings(r).map((reading, i) => ({ ...reading, value: i + 1 }));
  const out = new Exposition();
  addReadings(out, readings, {});
  const { samples, types, help } = readExposition(out.text());
  const single = readings.filter((row) => row.family !== 'batch');
  const plain = samples.filter((s) => !s.name.startsWith('fw3640_batch_seconds'));
  // Each value is a row's alone, so that one that is missing or there twice is seen.
  expect(plain.map((s) => s.value).sort((a, b) => a - b)).toEqual(single.map((row) => row.value));
  expect([...types.keys()]).toEqual([...help.keys()]);
  for (const [name, type] of types) expect(name.endsWith('_total')).toBe(type === 'counter');
});

test('names are lower case, begin with fw3640_, and no sample is there twice', () => {
  const r = new Router3640();
  const { samples } = readExposition(prometheusText(snapshotOf(r, [shardOf(r), shardOf(r)])));
  for (const { name } of samples) expect(name).toMatch(/^fw3640_[a-z0-9]+(_[a-z0-9]+)*$/);
  const keys = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(keys).size).toBe(keys.length);
});

test('whatever rows there are, whatever they are called, the text is read back as it was', () => {
  const rows = fc.uniqueArray(
    fc.record({
      family: fc.constantFrom<Reading['family']>('drop', 'smtp', 'masked', 'lost'),
      name: fc.string({ minLength: 1, maxLength: 12 }).map((s) => s.toLowerCase()),
      help: fc.constant('A help text'),
      kind: fc.constant('counter' as const),
      value: fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true })),
    }),
    { selector: (row) => `${row.family} ${row.name}` },
  );
  fc.assert(
    fc.property(rows, (readings) => {
      const out = new Exposition();
      addReadings(out, readings, {});
      if (readings.length === 0) return;
      const { samples } = readExposition(out.text());
      const found = samples.map(({ labels, value }) => JSON.stringify([Object.values(labels)[0], value]));
      expect(found.sort()).toEqual(readings.map((row) => JSON.stringify([row.name, row.value])).sort());
    }),
  );
});

test('buckets add up, in seconds, and the count is that of all', () => {
  const histogram = new Histogram();
  for (const ms of [0.05, 0.04, 0.3, 3, 5000]) histogram.note(ms);
  const out = new Exposition();
  addReadings(out, readRows(histogram.rows('batch', 'Time that a batch took')), {});
  const { samples } = readExposition(out.text());
  const buckets = valuesOf(samples, 'fw3640_batch_seconds_bucket');
  expect(buckets).toMatchObject({
    'le=0.00005': 2,
    'le=0.0005': 3,
    'le=0.0025': 3,
    'le=0.005': 4,
    'le=0.1': 4,
    'le=+Inf': 5,
  });
  expect(Object.values(valuesOf(samples, 'fw3640_batch_seconds_count'))).toEqual([5]);
  expect(Object.values(valuesOf(samples, 'fw3640_batch_seconds_sum'))[0]).toBeCloseTo(5.00339);
});

test('sessions are counted by service and state as they come and go', () => {
  const r = new Router3640();
  const sessions = (): Record<string, number> => {
    const { samples } = readExposition(prometheusText(snapshotOf(r)));
    return Object.fromEntries(Object.entries(valuesOf(samples, 'fw3640_sessions')).filter(([, n]) => n !== 0));
  };
  expect(sessions()).toEqual({});
  r.fromOutside(tcpPacket({ src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25, flags: 'S', seq: 7 }));
  const opening = sessions();
  expect(Object.values(opening)).toEqual([1]);
  expect(Object.keys(opening)[0]).toMatch(/^service=e?smtp,state=opening$/);
  r.engine.sessions.clear();
  expect(sessions()).toEqual({});
});

test('access lists, thresholds and the log are there', () => {
  const r = new Router3640();
  for (const dstPort of [25, 81])
    r.fromOutside(tcpPacket({ src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort, flags: 'S', seq: 7 }));
  const { samples } = readExposition(prometheusText(snapshotOf(r)));
  const lists = valuesOf(samples, 'fw3640_access_list_matches_total');
  expect(Object.entries(lists).filter(([key]) => key.startsWith('list=101'))).toEqual([
    ['list=101,action=permit', 1],
    ['list=101,action=deny', 0], // port 81 meets the end of the list, which no entry is
  ]);
  expect(valuesOf(samples, 'fw3640_threshold_sessions')['threshold=max-incomplete,mark=high']).toBe(
    r.config.inspect.maxIncompleteHigh,
  );
  expect(valuesOf(samples, 'fw3640_log_lost_messages_total')).toEqual({ '': 3 });
  expect(valuesOf(samples, 'fw3640_dropped_packets_total')['reason=acl']).toBe(1);
  expect(valuesOf(samples, 'fw3640_lost_packets_total')['cause=kernel_queue_dropped']).toBe(7);
});

test('one shard has no label, several have one each, and a shard that is away is said to be down', () => {
  const r = new Router3640();
  const one = readExposition(prometheusText(snapshotOf(r))).samples;
  expect(one.filter((s) => 'shard' in s.labels)).toEqual([]);
  const gone = shardOf(r, { up: false, readings: [] });
  const two = readExposition(prometheusText(snapshotOf(r, [shardOf(r), gone]))).samples;
  expect(valuesOf(two, 'fw3640_data_plane_up')).toEqual({ 'shard=0': 1, 'shard=1': 0 });
  expect(valuesOf(two, 'fw3640_packets_total')).toEqual({ 'shard=0': 9 });
});

test('how many lines there are does not depend on what strangers send', () => {
  const r = new Router3640();
  const lines = (): number => prometheusText(snapshotOf(r)).split('\n').length;
  // A service of which packets were inspected has a line; the first one has HELP and TYPE in front of it.
  const before = lines();
  for (let port = 1; port < 200; port++)
    r.fromOutside(tcpPacket({ src: `172.22.1.${port}`, srcPort: port, dst: '172.22.1.110', dstPort: 25, flags: 'S' }));
  expect(lines() - before).toBeLessThanOrEqual(3);
  expect(before).toBeLessThan(400);
});
