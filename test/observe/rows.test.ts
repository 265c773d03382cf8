/** Counters as rows: each is told apart, explained, and printed as it always was. */
import { expect, test } from 'vitest';
import { EventLimiter } from '../../src/core/limit/event-limiter.js';
import { readRows } from '../../src/core/observe/row.js';
import { DROP, VERDICTS } from '../../src/core/verdict.js';
import { QueueWatch } from '../../src/io/queue-watch.js';
import { DROP_REASONS } from '../../src/ios/drop-reasons.js';
import { counterName } from '../../src/ios/show/counter-name.js';
import { showInspectStatistics } from '../../src/ios/show/ip-inspect-statistics.js';
import { RouterState } from '../../src/core/state/router-state.js';
import { fragmentOf } from '../fragment/fragments.js';
import { icmpPacket, tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const losses = new QueueWatch(
  () => ({ kernelQueueDropped: 1, kernelUserDropped: 2, badVerdicts: 3, verdictErrors: 4, injectErrors: 5, unknownInterface: 6 }), // prettier-ignore
  () => undefined,
);
const allRows = (r: Router3640) => [...r.engine.rows(), ...losses.rows(), ...new EventLimiter(1).rows()];

test('every row has a name of its own, a help text of one line, and a name that is printed', () => {
  const rows = allRows(new Router3640());
  const names = rows.map((r) => `${r.family} ${r.name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(rows.map(counterName)).size).toBe(rows.length);
  for (const r of rows) {
    expect(r.help).toMatch(/^[A-Z][^\n]{8,}[^.\n]$/);
    expect(counterName(r)).not.toMatch(/undefined|^\w+ $/);
  }
});

test('every reason to drop has a row, and words', () => {
  const codes = new Router3640().engine.rows().flatMap((r) => (r.family === 'drop' ? [r.name] : []));
  expect(codes).toEqual(Object.keys(DROP));
  expect([Math.max(...Object.values(DROP)) + 1, DROP_REASONS.length]).toEqual([VERDICTS, VERDICTS]);
});

test('a reading is plain data that another process can have', () => {
  const readings = readRows(allRows(new Router3640()));
  expect(structuredClone(readings)).toEqual(readings);
});

test('a row shows what its owner counts, and a gauge goes back', () => {
  const r = new Router3640();
  const value = (name: string): number => readRows(r.engine.rows()).find((row) => counterName(row) === name)!.value;
  r.engine.sessions.memory.heldSegments = 7;
  r.engine.sessions.smtpCounters.signature = 3;
  r.engine.sessions.thresholds.resets['one-minute'].note(0, 5);
  expect([value('reassembly heldSegments'), value('smtp signature'), value('reset for one-minute')]).toEqual([7, 3, 5]);
  r.engine.sessions.memory.heldSegments = 0;
  expect(value('reassembly heldSegments')).toBe(0);
});

test('NAT, fragments and the log are counted in rows of their own, which show ip inspect statistics leaves out', () => {
  const r = new Router3640('access-list 101 permit icmp any any\nip inspect log drop-pkt');
  const value = (family: string, name: string) =>
    readRows(r.engine.rows()).find((row) => row.family === family && row.name === name)!.value;
  const ping = icmpPacket('172.22.1.10', '172.22.1.110', 8, 0, [0, 7, 0, 1, ...new Array<number>(24).fill(5)]);
  r.fromOutside(ping);
  expect(value('nat', 'hits')).toBe(1);
  r.fromOutside(fragmentOf(ping, 0, 16, true));
  expect([value('fragment', 'fragments'), value('fragment', 'currentReassemblies')]).toEqual([1, 1]);
  for (let port = 1; port <= 25; port++)
    r.fromOutside(tcpPacket({ src: '172.22.1.10', srcPort: port, dst: '172.22.1.110', dstPort: 25, flags: 'A' }));
  expect(value('log', 'dropped-packet')).toBe(5);
  expect(showInspectStatistics(r.config, new RouterState(r.engine, () => r.now))).not.toMatch(
    /^ {2}(nat|fragment|log) /m,
  );
});

test('show ip inspect statistics prints interventions and drops by their words', () => {
  const r = new Router3640();
  r.fromOutside(tcpPacket({ src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 81, flags: 'S', seq: 7 }));
  const counted = readRows(losses.rows()).slice(0, 1);
  const state = new RouterState(r.engine, () => r.now);
  const before = state.counters();
  state.counters = () => [...before, ...counted];
  expect(showInspectStatistics(r.config, state).split('Interventions and drops\n')[1]).toBe(
    "  drop Access list: 1\n  lost, as the kernel's queue was full: 1\n",
  );
});
