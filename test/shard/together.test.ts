/** What counts over all shards, and what one has another one do: the same as if there were one, step by step. */
import { describe, expect, test } from 'vitest';
import { NOTICE } from '../../src/core/shard/siblings.js';
import { shardOf } from '../../src/core/shard/steering.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { dotted, ip, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';
import { SeveralEngines } from './several-engines.js';

const SHARDS = 3;
const OUTSIDE = 0;
const INSIDE = 2;
const MAIL = '172.22.1.110';
const SERVER = '10.10.10.2';

/** Outside host number `n` of a shard. */
function hostOf(shard: number, n: number): string {
  for (let i = 0, found = 0; ; i++) {
    const address = `198.51.${i >> 8}.${i & 255}`;
    if (shardOf(ip(address), SHARDS) === shard && found++ === n) return address;
  }
}

class Router extends SeveralEngines {
  constructor(extra = '', capacity = 1024) {
    super(compilePolicy(config3640(extra)), SHARDS, capacity);
  }

  send(bytes: Uint8Array, ingress = OUTSIDE): number {
    this.now += 3;
    return this.handle(bytes, ingress).verdict;
  }

  client(shard: number, n: number, flags: string, more: Partial<TcpFields> = {}): number {
    return this.send(tcpPacket({ src: hostOf(shard, n), srcPort: 1024, dst: MAIL, dstPort: 25, flags, seq: 1000, ...more })); // prettier-ignore
  }

  syn(shard: number, n: number): number {
    return this.client(shard, n, 'S');
  }

  open(shard: number, n: number): void {
    this.syn(shard, n);
    const ends = { src: SERVER, srcPort: 25, dst: hostOf(shard, n), dstPort: 1024 };
    this.send(tcpPacket({ ...ends, flags: 'SA', seq: 5000, ack: 1001 }), INSIDE);
    this.client(shard, n, 'A', { seq: 1001, ack: 5001 });
  }

  /** Clients of the sessions that there are, of each shard. */
  get clients(): string[][] {
    return this.engines.map(({ sessions }) => {
      const all: string[] = [];
      sessions.table.forEach((s) => all.push(dotted(s.initiator)));
      return all;
    });
  }

  get sessions(): number[] {
    return this.clients.map((all) => all.length);
  }

  told(type: string): unknown[] {
    return this.events.filter((e) => e.type === type);
  }

  counter(family: string, name: string): number | undefined {
    return this.views(['counters'])
      .counters()
      .find((c) => c.family === family && c.name === name)?.value;
  }
}

test('the table is full when all shards together have as many sessions as it may', () => {
  const r = new Router('', 4);
  for (const [shard, n] of [[0, 0], [1, 0], [1, 1]] as const) r.open(shard, n); // prettier-ignore
  expect(r.syn(2, 0)).toBe(PASS);
  r.client(2, 0, 'R', { seq: 1001 });
  r.open(2, 1);
  expect([r.syn(0, 1), r.syn(2, 2)]).toEqual([DROP.sessionLimit, DROP.sessionLimit]);
  expect(r.sessions).toEqual([1, 2, 1]);
});

test('sessions are numbered such that no two shards give one number', () => {
  const r = new Router();
  for (let shard = 0; shard < SHARDS; shard++) r.open(shard, 0);
  const ids = r.views(['sessions']).sessions().map((s) => s.id); // prettier-ignore
  expect(new Set(ids).size).toBe(SHARDS);
});

describe('the maxima of show ip inspect statistics', () => {
  test('are those of all shards at a time', () => {
    const r = new Router();
    for (let shard = 0; shard < SHARDS; shard++) r.open(shard, 0);
    r.syn(0, 1);
    r.syn(1, 1);
    expect(r.views(['inspection']).inspection()).toMatchObject({ current: [3, 2, 0], maximum: [3, 2, 0] });
    r.client(2, 0, 'FA', { seq: 1001, ack: 5001 });
    r.client(1, 0, 'FA', { seq: 1001, ack: 5001 });
    expect(r.views(['inspection']).inspection()).toMatchObject({ current: [1, 2, 2], maximum: [3, 2, 2] });
  });
});

describe('ip inspect max-incomplete', () => {
  const MARKS = 'ip inspect max-incomplete high 3\nip inspect max-incomplete low 2';

  test('counts all, and the oldest of all goes, in whichever shard it is', () => {
    const r = new Router(MARKS);
    r.syn(1, 0);
    r.syn(2, 0);
    r.syn(2, 1);
    expect(r.syn(0, 0)).toBe(PASS);
    expect([r.told('aggressive-on'), r.sessions]).toEqual([[], [1, 1, 2]]);
    r.syn(2, 2);
    expect(r.told('aggressive-on')).toMatchObject([{ count: 4, limit: 3 }]);
    expect(r.sessions).toEqual([1, 0, 3]);
    expect(r.engines.map(({ sessions }) => sessions.thresholds.aggressive)).toEqual([true, true, true]);
    r.syn(0, 1); // the oldest is of shard 2 now
    expect(r.clients[2]).toEqual([1, 2].map((n) => hostOf(2, n)));
    r.syn(2, 3); // its own
    expect(r.clients[2]).toEqual([2, 3].map((n) => hostOf(2, n)).reverse());
    expect(r.counter('reset', 'max-incomplete')).toBe(3);
    r.wait(6000);
    expect(r.told('sessions-reset')).toMatchObject([{ cause: 'max-incomplete', sessions: 3 }]);
  });

  test('is calm again when all together are below low, and that is said once', () => {
    const r = new Router(MARKS);
    for (const [shard, n] of [[1, 0], [2, 0], [2, 1], [0, 0], [0, 1]] as const) r.syn(shard, n); // prettier-ignore
    expect(r.told('aggressive-on')).toHaveLength(1);
    r.wait(29_000);
    expect(r.told('aggressive-off')).toEqual([]);
    r.wait(2000);
    r.wait(60_000);
    expect(r.told('aggressive-off')).toHaveLength(1);
    expect(r.engines.some(({ sessions }) => sessions.thresholds.aggressive)).toBe(false);
  });

  test('a notice that finds nobody is passed on to who has the oldest then', () => {
    const r = new Router();
    r.syn(2, 0);
    const [first, second] = r.engines as [(typeof r.engines)[0], (typeof r.engines)[0]];
    second.sessions.take({ kind: NOTICE.resetOldest, detail: 0, address: 0, until: 0 }, r.now);
    r.wait(1);
    expect(r.sessions).toEqual([0, 0, 0]);
    first.sessions.take({ kind: NOTICE.resetOldest, detail: 0, address: 0, until: 0 }, r.now);
    r.wait(1);
    expect(r.sessions).toEqual([0, 0, 0]);
  });
});

test('ip inspect one-minute counts the sessions that began in all shards', () => {
  const r = new Router('ip inspect one-minute high 4\nip inspect one-minute low 2');
  for (let n = 0; n < 2; n++) for (let shard = 0; shard < SHARDS; shard++) r.open(shard, n);
  expect(r.told('aggressive-on')).toMatchObject([{ rate: 5 }]);
  r.wait(61_000);
  expect(r.told('aggressive-off')).toMatchObject([{ rate: 0 }]);
});

describe('ip inspect tcp max-incomplete host', () => {
  test('block-time 0: the oldest to that host goes, in whichever shard, and the alert is given once', () => {
    const r = new Router('ip inspect tcp max-incomplete host 3 block-time 0');
    r.syn(1, 0);
    r.syn(0, 0);
    r.syn(0, 1);
    expect(r.told('host-alert')).toEqual([]);
    r.syn(2, 0);
    expect([r.told('host-alert'), r.sessions]).toEqual([[expect.objectContaining({ limit: 3 })], [2, 0, 1]]);
    r.syn(1, 1);
    expect([r.told('host-alert').length, r.sessions]).toEqual([1, [1, 1, 1]]);
    r.syn(0, 2); // its own is the oldest
    expect(r.clients).toEqual([[hostOf(0, 2)], [hostOf(1, 1)], [hostOf(2, 0)]]);
    expect(r.counter('reset', 'max-incomplete-host')).toBe(3);
  });

  test('is alerted about again when all shards together were below the limit', () => {
    const r = new Router('ip inspect tcp max-incomplete host 3 block-time 0');
    [0, 1, 2, 0].forEach((shard, n) => r.syn(shard, n));
    expect(r.told('host-alert')).toHaveLength(1);
    r.wait(31_000);
    [0, 1, 2, 0].forEach((shard, n) => r.syn(shard, n + 4));
    expect(r.told('host-alert')).toHaveLength(2);
  });

  test('block-time 1: all shards refuse it until its time is up, and one says so', () => {
    const r = new Router('ip inspect tcp max-incomplete host 3 block-time 1');
    for (const [shard, n] of [[1, 0], [0, 0], [2, 0]] as const) r.syn(shard, n); // prettier-ignore
    expect(r.syn(0, 1)).toBe(DROP.sessionLimit);
    expect([r.sessions, r.told('host-blocked').length]).toEqual([[0, 0, 0], 1]);
    expect(r.counter('reset', 'host-blocked')).toBe(3);
    const at = r.now;
    expect([0, 1, 2].map((shard) => r.syn(shard, 2))).toEqual(Array(3).fill(DROP.sessionLimit));
    r.wait(60_000 - (r.now - at) - 10);
    expect([0, 1, 2].map((shard) => r.syn(shard, 3))).toEqual(Array(3).fill(DROP.sessionLimit));
    r.wait(100);
    expect([0, 1].map((shard) => r.syn(shard, 4))).toEqual([PASS, PASS]);
    expect([r.told('host-blocked').length, r.told('host-unblocked').length]).toEqual([1, 1]);
  });
});

describe('ip tcp intercept', () => {
  const WATCH = `ip tcp intercept list 102
access-list 102 permit tcp any any
ip tcp intercept mode watch
ip tcp intercept max-incomplete high 3
ip tcp intercept max-incomplete low 2
no ip inspect name OUT-IN smtp`;

  test('counts the incomplete connections of all, and the oldest of all goes', () => {
    const r = new Router(WATCH);
    for (const [shard, n] of [[1, 0], [0, 0], [0, 1], [2, 0]] as const) r.syn(shard, n); // prettier-ignore
    expect([r.told('intercept-on'), r.sessions]).toEqual([[], [2, 1, 1]]);
    r.syn(2, 1);
    expect(r.told('intercept-on')).toMatchObject([{ count: 4, limit: 3 }]);
    expect(r.sessions).toEqual([2, 0, 2]);
    r.syn(0, 2); // its own
    expect([r.sessions, r.clients[0]]).toEqual([[2, 0, 2], [hostOf(0, 2), hostOf(0, 1)]]); // prettier-ignore
    r.wait(31_000);
    r.wait(60_000);
    expect([r.told('intercept-on').length, r.told('intercept-off').length]).toEqual([1, 1]);
  });

  test('and the requests of a minute', () => {
    const r = new Router(`${WATCH}\nip tcp intercept one-minute high 3\nip tcp intercept one-minute low 2`.replace(/max-incomplete/g, 'one-minute')); // prettier-ignore
    for (let n = 0; n < 2; n++) for (const shard of [0, 1]) r.open(shard, n);
    expect(r.told('intercept-on')).toMatchObject([{ rate: 4 }]);
  });
});

test('connections that no rule inspects have their share of the table in all shards together', () => {
  const r = new Router('access-list 101 permit tcp any any eq www\nno ip inspect name OUT-IN smtp', 16);
  const web = (shard: number, n: number): number => r.client(shard, n, 'S', { dstPort: 80, seq: 1 });
  const open = (shard: number, n: number): void => {
    web(shard, n);
    const ends = { src: SERVER, srcPort: 80, dst: hostOf(shard, n), dstPort: 1024 };
    r.send(tcpPacket({ ...ends, flags: 'SA', seq: 5000, ack: 2 }), INSIDE);
    r.client(shard, n, 'A', { dstPort: 80, seq: 2, ack: 5001 });
  };
  for (const [shard, n] of [[0, 0], [1, 0], [1, 1], [2, 0]] as const) open(shard, n); // prettier-ignore
  expect([web(0, 5), r.sessions]).toEqual([DROP.sessionLimit, [1, 2, 1]]);
});

test('ip nat translation max-entries is for the translations of all shards', () => {
  const r = new Router(
    'access-list 7 permit 10.10.10.0 0.0.0.255\nip nat inside source list 7 interface Ethernet2/0 overload\nip nat translation max-entries 2',
  );
  const query = (shard: number): number =>
    r.send(udpPacket('10.10.10.40', 4000 + shard, hostOf(shard, 0), 5000, 'x'), INSIDE);
  expect([query(0), query(1), query(2)]).toEqual([PASS, PASS, DROP.noTranslation]);
});

test('one unreachable in half a second is said by all shards together', () => {
  const r = new Router();
  for (const shard of [0, 1, 2]) r.client(shard, 0, 'S', { dstPort: 80 });
  expect(r.injected.map((b) => dotted(i32(b, 16)))).toEqual([hostOf(0, 0)]);
  r.wait(500);
  r.client(2, 0, 'S', { dstPort: 80 });
  expect(r.injected).toHaveLength(2);
});

test('each shard gives identifications of its own', () => {
  const r = new Router();
  const firstBits = (shard: number): number[] =>
    Array.from({ length: 5 }, (_, n) => {
      r.now += 3;
      const { bytes } = r.handle(udpPacket(SERVER, 4000 + n, hostOf(shard, n), 5000, 'x'.repeat(100)), INSIDE);
      return bytes[4]! >> 6;
    });
  expect([0, 1, 2].map(firstBits)).toEqual([0, 1, 2].map((shard) => Array<number>(5).fill(shard)));
});
