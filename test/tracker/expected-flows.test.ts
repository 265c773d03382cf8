/** Data connections that FTP has announced: which packet fulfils which, how many there may be, and who inherits them. */
import { describe, expect, test } from 'vitest';
import type { RuleEntry } from '../../src/core/inspect/rules.js';
import { Flow } from '../../src/core/session/flow.js';
import {
  type ExpectedFlow,
  ExpectedFlows,
  MOST_EXPECTED,
  MOST_EXPECTED_IN_ALL,
} from '../../src/core/tracker/expected-flows.js';
import { LeftMemory } from '../support/left-memory.js';

const rule = { ruleName: 'IN-OUT' } as RuleEntry;
const SERVER = 0x0a000001;
const CLIENT = 0x0a000002;

const announced = (control: number, dstPort: number, more: Partial<ExpectedFlow> = {}): ExpectedFlow => ({
  src: SERVER,
  dst: CLIENT,
  dstPort,
  rule,
  control,
  until: 30_000,
  ...more,
});
const packet = (dstPort: number, src = SERVER, dst = CLIENT): Flow => {
  const f = new Flow();
  f.src = src;
  f.dst = dst;
  f.dstPort = dstPort;
  f.srcPort = 20;
  return f;
};
const ports = (flows: ExpectedFlows): number[] => [...flows.all()].map((e) => e.dstPort);

describe('a packet fulfils an announcement', () => {
  test('of its source, destination and port, until its time is up', () => {
    const flows = new ExpectedFlows();
    expect(flows.find(packet(5001), 0)).toBeUndefined();
    flows.add(announced(1, 5001));
    expect(flows.find(packet(5001), 29_999)?.control).toBe(1);
    expect(flows.find(packet(5001), 30_000)).toBeUndefined();
    expect(flows.find(packet(5002), 0)).toBeUndefined();
    expect(flows.find(packet(5001, CLIENT), 0)).toBeUndefined();
    expect(flows.find(packet(5001, SERVER, SERVER), 0)).toBeUndefined();
  });

  test('also where the key of another destination is the same', () => {
    const flows = new ExpectedFlows();
    const twin = CLIENT ^ (1 << 16); // its port 5000 has the key of 5001
    flows.add(announced(1, 5001));
    expect(flows.find(packet(5000, SERVER, twin), 0)).toBeUndefined();
    flows.add(announced(2, 5000, { dst: twin }));
    expect(flows.find(packet(5000, SERVER, twin), 0)?.control).toBe(2);
    expect(flows.find(packet(5001), 0)?.control).toBe(1);
    flows.forget(1);
    expect(flows.find(packet(5000, SERVER, twin), 0)?.control).toBe(2);
    expect(flows.find(packet(5001), 0)).toBeUndefined();
  });

  test('of several of one destination, that of its source', () => {
    const flows = new ExpectedFlows();
    flows.add(announced(1, 5001));
    flows.add(announced(2, 5001, { src: 7 }));
    expect([flows.find(packet(5001), 0)?.control, flows.find(packet(5001, 7), 0)?.control]).toEqual([1, 2]);
    flows.fulfil(flows.find(packet(5001, 7), 0)!);
    expect([flows.find(packet(5001), 0)?.control, flows.find(packet(5001, 7), 0)]).toEqual([1, undefined]);
  });

  test('once', () => {
    const flows = new ExpectedFlows();
    flows.add(announced(1, 5001));
    flows.add(announced(1, 5002));
    flows.fulfil(flows.find(packet(5001), 0)!);
    expect([flows.find(packet(5001), 0), ports(flows)]).toEqual([undefined, [5002]]);
    flows.fulfil(flows.find(packet(5002), 0)!);
    expect([ports(flows), flows.forget(1)]).toEqual([[], 0]);
  });
});

describe('a control connection', () => {
  test('expects the same connection once, with the time of the last announcement', () => {
    const flows = new ExpectedFlows();
    flows.add(announced(1, 5001));
    flows.add(announced(1, 5002));
    flows.add(announced(1, 5001, { until: 40_000 }));
    expect(ports(flows)).toEqual([5002, 5001]);
    expect(flows.find(packet(5001), 35_000)?.until).toBe(40_000);
    expect(flows.forget(1)).toBe(2);
  });

  test.each([
    ['another port', { dstPort: 5002 }],
    ['another source', { src: 7 }],
    ['another destination', { dst: 8 }],
  ])('expects %s besides', (_, more) => {
    const flows = new ExpectedFlows();
    flows.add(announced(1, 5001));
    flows.add(announced(1, 5001, more));
    expect(flows.forget(1)).toBe(2);
  });

  test('expects so many at a time; with one more the first one is forgotten', () => {
    const flows = new ExpectedFlows();
    for (let n = 0; n <= MOST_EXPECTED; n++) flows.add(announced(1, 5000 + n));
    expect(ports(flows)).toEqual([5001, 5002, 5003, 5004]);
    expect([flows.find(packet(5000), 0), flows.refused]).toEqual([undefined, 0]);
  });

  test('forgets its own, and no other', () => {
    const flows = new ExpectedFlows();
    flows.add(announced(1, 5001));
    flows.add(announced(1, 5002));
    flows.add(announced(2, 5001, { src: 7 }));
    expect([flows.forget(1), flows.forget(1), flows.forget(3)]).toEqual([2, 0, 0]);
    expect([...flows.all()].map((e) => e.control)).toEqual([2]);
    expect(flows.find(packet(5001, 7), 0)?.control).toBe(2);
  });
});

test('where all of them expect too many, a further one is refused and counted, until one has come', () => {
  const flows = new ExpectedFlows();
  for (let n = 0; n < MOST_EXPECTED_IN_ALL; n++) flows.add(announced(n, 5001, { dst: n }));
  flows.add(announced(9000, 5001));
  expect([flows.refused, flows.find(packet(5001), 0)]).toEqual([1, undefined]);
  flows.forget(17);
  flows.add(announced(9000, 5001));
  expect([flows.refused, flows.find(packet(5001), 0)?.control]).toEqual([1, 9000]);
});

describe('who inherits the memory', () => {
  test('expects the same, where the control connection is there and time is left', () => {
    const { source } = new LeftMemory();
    const before = new ExpectedFlows(source);
    before.add(announced(0, 5000));
    before.add(announced(1, 5001));
    before.add(announced(2, 5002, { until: 10_000 }));
    before.add(announced(3, 5003, { until: 10_001 }));
    before.add(announced(4, 5004));
    before.forget(4);
    const flows = new ExpectedFlows(source);
    flows.adopt(10_000, (control) => (control === 1 ? undefined : rule));
    expect([...flows.all()]).toEqual([announced(0, 5000), announced(3, 5003, { until: 10_001 })]);
    expect(flows.find(packet(5000), 10_000)).toEqual(announced(0, 5000));
    // What it gave up its own heir does not find again.
    const next = new ExpectedFlows(source);
    next.adopt(0, () => rule);
    expect(ports(next)).toEqual([5000, 5003]);
  });

  test('has the places of the others for new ones, and the next heir has those', () => {
    const { source } = new LeftMemory();
    const before = new ExpectedFlows(source);
    for (let n = 0; n < MOST_EXPECTED_IN_ALL; n++) before.add(announced(n, 5001, { dst: n }));
    for (let n = 1; n < 100; n += 2) before.forget(n);
    const flows = new ExpectedFlows(source);
    flows.adopt(0, (control) => (control % 2 === 0 ? rule : undefined));
    for (let n = 0; n < MOST_EXPECTED_IN_ALL / 2; n++) flows.add(announced(10_000 + n, 5002, { dst: n }));
    expect([flows.refused, ports(flows).length]).toEqual([0, MOST_EXPECTED_IN_ALL]);
    flows.add(announced(20_000, 5003));
    expect(flows.refused).toBe(1);
    const next = new ExpectedFlows(source);
    next.adopt(0, () => rule);
    expect(ports(next).filter((port) => port === 5002).length).toBe(MOST_EXPECTED_IN_ALL / 2);
    next.fulfil(next.find(packet(5002, SERVER, 3), 0)!);
    const last = new ExpectedFlows(source);
    last.adopt(0, () => rule);
    expect([ports(last).length, last.find(packet(5002, SERVER, 3), 0)]).toEqual([MOST_EXPECTED_IN_ALL - 1, undefined]);
  });

  test('knows times over the turn of the clock of 32 bits', () => {
    const { source } = new LeftMemory();
    const now = 2 ** 31 - 1000;
    new ExpectedFlows(source).add(announced(1, 5001, { until: now + 5000 }));
    const flows = new ExpectedFlows(source);
    flows.adopt(now + 1, () => rule);
    expect([...flows.all()].map((e) => e.until)).toEqual([now + 5000]);
  });
});
