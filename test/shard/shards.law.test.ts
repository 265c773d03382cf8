/** Any traffic over one shard and over several has the same verdicts, packets, counters and log lines, but for order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import type { ViewName } from '../../src/core/state/snapshot.js';
import { put16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { icmpPacket, tcpPacket, udpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';
import { SeveralEngines } from './several-engines.js';

const OUTSIDE = Array.from({ length: 12 }, (_, i) => (i < 6 ? `172.22.1.${20 + i}` : `198.51.${i}.7`));
const INSIDE = ['10.10.10.2', '10.10.10.5', '10.10.10.40', '10.10.10.41', '10.10.10.42'];
const GLOBAL: Readonly<Record<string, string>> = { '10.10.10.2': '172.22.1.110', '10.10.10.5': '172.22.1.111' };
const VIEWS: ViewName[] = ['sessions', 'translations', 'aclMatches', 'counters', 'inspection', 'intercept', 'expected'];

/** What happens in one step. Flows are few, so that packets meet sessions. */
const step = fc.record({
  out: fc.nat(OUTSIDE.length - 1),
  host: fc.nat(INSIDE.length - 1),
  port: fc.nat(2),
  what: fc.constantFrom(
    'SYN', 'SYN', 'SYN', 'SYN', 'SYN', 'SYN ACK', 'ACK', 'RST', 'FIN', 'EXPN',
    'out SYN', 'out SYN', 'out SYN ACK', 'out ACK', 'query', 'answer', 'ping', 'pong', 'error out', 'error in',
    'hairpin', 'denied', 'wait', 'long wait',
  ), // prettier-ignore
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Sent {
  bytes: Uint8Array;
  fromOutside: boolean;
}

/** The packet of a step. What answers goes to the address that the outside host sees. */
function packetOf({ out, host, port, what }: Step): Sent | number {
  const o = OUTSIDE[out]!;
  const local = INSIDE[host]!;
  const server = INSIDE[host % 2]!;
  const global = GLOBAL[server]!;
  const client = 1024 + port;
  const seen = GLOBAL[local] ?? '172.22.1.16';
  // Each inside host has ports of its own: PAT leaves them as they are, whatever the shards.
  const own = 2000 + 10 * host + port;
  const from = (fields: Partial<Parameters<typeof tcpPacket>[0]> & { flags: string }): Sent => ({
    bytes: tcpPacket({ src: o, srcPort: client, dst: global, dstPort: 25, seq: 1000, ...fields }),
    fromOutside: true,
  });
  const to = (fields: Partial<Parameters<typeof tcpPacket>[0]> & { flags: string }): Sent => ({
    bytes: tcpPacket({ src: server, srcPort: 25, dst: o, dstPort: client, seq: 5000, ...fields }),
    fromOutside: false,
  });
  const outbound = { src: local, srcPort: own, dst: o, dstPort: 80 };
  const back = { src: o, srcPort: 80, dst: seen, dstPort: own };
  const quoted = (b: Uint8Array): number[] => [0, 0, 0, 0, ...b.subarray(0, 28)];
  switch (what) {
    case 'SYN': return from({ flags: 'S' });
    case 'SYN ACK': return to({ flags: 'SA', ack: 1001 });
    case 'ACK': return from({ flags: 'A', seq: 1001, ack: 5001 });
    case 'RST': return from({ flags: 'R', seq: 1001 });
    case 'FIN': return to({ flags: 'FA', seq: 5001, ack: 1001 });
    case 'EXPN': return from({ flags: 'PA', seq: 1001, ack: 5001, payload: 'EXPN root\r\n' });
    case 'out SYN': return { bytes: tcpPacket({ ...outbound, flags: 'S', seq: 300 }), fromOutside: false };
    case 'out SYN ACK': return { bytes: tcpPacket({ ...back, flags: 'SA', seq: 700, ack: 301 }), fromOutside: true };
    case 'out ACK': return { bytes: tcpPacket({ ...outbound, flags: 'A', seq: 301, ack: 701 }), fromOutside: false };
    case 'query': return { bytes: udpPacket(local, own, o, 5000, 'q'.repeat(90)), fromOutside: false };
    case 'answer': return { bytes: udpPacket(o, 5000, seen, own, 'a'.repeat(90)), fromOutside: true };
    case 'ping': return { bytes: icmpPacket(local, o, 8, 0, [own >> 8, own & 255, 0, 1]), fromOutside: false };
    case 'pong': return { bytes: icmpPacket(o, seen, 0, 0, [own >> 8, own & 255, 0, 1]), fromOutside: true };
    case 'error out':
      return {
        bytes: icmpPacket('192.0.2.1', seen, 11, 0, quoted(tcpPacket({ ...outbound, src: seen, flags: 'S', seq: 300 }))),
        fromOutside: true,
      };
    case 'error in': {
      const b = tcpPacket({ src: o, srcPort: client, dst: server, dstPort: 25, flags: 'S', seq: 1000 });
      return { bytes: icmpPacket(server, o, 3, 3, quoted(b)), fromOutside: false };
    }
    case 'hairpin':
      return {
        bytes: tcpPacket({ src: local, srcPort: own, dst: global, dstPort: 25, flags: 'S', seq: 9 }),
        fromOutside: false,
      };
    case 'denied': return from({ flags: 'S', dstPort: 23 });
    case 'wait': return 400;
    case 'long wait': return 9000;
  } // prettier-ignore
  throw new Error(what);
}

/** As the wire has it, but for the identification, of which each shard has its own. */
function comparable(b: Uint8Array): string {
  const copy = b.slice();
  put16(copy, 4, 0);
  writeIpv4Checksum(copy, 0, 20);
  return Buffer.from(copy).toString('hex');
}

/** An event without the number of its session. */
function withoutId(e: Event): string {
  // Whose tick finds that it is calm has not heard yet what ends elsewhere in the same eighth of a second.
  const quiet = e.type === 'aggressive-off' || e.type === 'intercept-off' ? { ...e, count: 0, rate: 0 } : e;
  return JSON.stringify(quiet, (key, value: unknown) => (key === 'sessionId' || key === 'sis' ? undefined : value));
}

const noOrder = (all: string[]): string[] => [...all].sort();

/** What was said, in no order. That translations run out each shard says once in half a minute: here that it was said. */
function said(r: SeveralEngines): string[] {
  const shortage = r.events.some((e) => e.type === 'nat-exhausted') ? ['nat-exhausted'] : [];
  return noOrder([...shortage, ...r.events.filter((e) => e.type !== 'nat-exhausted').map(withoutId)]);
}

function stateOf(r: SeveralEngines, maxima: boolean): unknown {
  const v = r.views(VIEWS);
  const inspection = { ...v.inspection(), packets: noOrder([...v.inspection().packets].map(String)) };
  return {
    sessions: noOrder(v.sessions().map((s) => JSON.stringify({ ...s, id: 0 }))),
    translations: noOrder(v.translations().map((t) => JSON.stringify(t))),
    acl: v.aclMatches('101'),
    counters: noOrder(v.counters().map(({ family, name, value }) => `${family} ${name} ${value}`)),
    inspection: { ...inspection, ...(!maxima && { maximum: undefined }) },
    intercept: { ...v.intercept(), connections: noOrder(v.intercept().connections.map((c) => JSON.stringify(c))) },
    sum: r.engines.reduce((n, e) => n + e.sessions.table.size, 0),
  };
}

/** Has both do the same, and compares after each step. */
function compare(extra: string, steps: readonly Step[], shards: number, capacity: number, maxima: boolean): void {
  const policy = compilePolicy(config3640(extra));
  const one = new SeveralEngines(policy, 1, capacity);
  const several = new SeveralEngines(policy, shards, capacity);
  const both = [one, several];
  const outside = policy.interfaces.findIndex((i) => i.nat === 'outside');
  const inside = policy.interfaces.findIndex((i) => i.nat === 'inside');
  steps.forEach((s, i) => {
    const p = packetOf(s);
    if (typeof p === 'number') for (const r of both) r.wait(p);
    else {
      const [a, b] = both.map((r) => {
        r.now += 3; // no two begin in one millisecond
        return r.handle(p.bytes, p.fromOutside ? outside : inside);
      });
      expect([i, s.what, b!.verdict, comparable(b!.bytes)]).toEqual([i, s.what, a!.verdict, comparable(a!.bytes)]);
    }
    expect([i, said(several)]).toEqual([i, said(one)]);
    expect([i, noOrder(several.injected.map(comparable))]).toEqual([i, noOrder(one.injected.map(comparable))]);
    if (i % 8 === 0) expect([i, stateOf(several, maxima)]).toEqual([i, stateOf(one, maxima)]);
  });
  for (const r of both) r.wait(61_000);
  expect(said(several)).toEqual(said(one));
  expect(stateOf(several, maxima)).toEqual(stateOf(one, maxima));
  const ids = several
    .views(['sessions'])
    .sessions()
    .map((s) => s.id);
  expect(new Set(ids).size).toBe(ids.length);
}

const PAT = `access-list 7 permit 10.10.10.0 0.0.0.255
ip nat inside source list 7 interface Ethernet2/0 overload
ip inspect audit-trail
access-list 101 permit icmp any any echo-reply
access-list 101 deny tcp any any log`;
const LIMITS = `${PAT}
ip inspect max-incomplete high 6
ip inspect max-incomplete low 4
ip inspect one-minute high 25
ip inspect one-minute low 15`;

describe('one shard and several', () => {
  test.each([
    { name: 'a quiet network', extra: PAT, capacity: 1024 },
    { name: 'max-incomplete and one-minute', extra: LIMITS, capacity: 1024 },
    { name: 'max-incomplete host', extra: `${PAT}\nip inspect tcp max-incomplete host 3 block-time 0`, capacity: 1024 },
    {
      name: 'hosts that are blocked',
      extra: `${PAT}\nip inspect tcp max-incomplete host 3 block-time 1`,
      capacity: 1024,
    },
    { name: 'all limits', extra: `${LIMITS}\nip inspect tcp max-incomplete host 2 block-time 1`, capacity: 1024 },
    { name: 'max-entries', extra: `${PAT}\nip nat translation max-entries 4`, capacity: 1024 },
    {
      name: 'ip tcp intercept, watching',
      extra: `${PAT}\nip tcp intercept list 102\naccess-list 102 permit tcp any any\nip tcp intercept mode watch\nip tcp intercept max-incomplete high 4\nip tcp intercept max-incomplete low 2`,
      capacity: 1024,
    },
  ])('$name: the same is done and said', ({ extra, capacity }) => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 120 }),
        fc.integer({ min: 2, max: 5 }),
        (steps, shards) => {
          // A victim of `ip tcp intercept` in another shard goes when the newcomer is there.
          compare(extra, steps, shards, capacity, !extra.includes('intercept'));
        },
      ),
      { numRuns: 40 },
    );
  });
});

test('all shards together have no more sessions than one would have', () => {
  const policy = compilePolicy(config3640(PAT));
  const ingress = (nat: string): number => policy.interfaces.findIndex((i) => i.nat === nat);
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 200 }), fc.integer({ min: 2, max: 5 }), (steps, shards) => {
      const several = new SeveralEngines(policy, shards, 5);
      for (const s of steps) {
        const p = packetOf(s);
        if (typeof p === 'number') several.wait(p);
        else several.handle(p.bytes, ingress(p.fromOutside ? 'outside' : 'inside'));
        expect(several.engines.reduce((n, e) => n + e.sessions.table.size, 0)).toBeLessThanOrEqual(5);
      }
    }),
    { numRuns: 40 },
  );
});

test('the traffic of these laws meets in more than one shard', () => {
  const policy = compilePolicy(config3640(PAT));
  const several = new SeveralEngines(policy, 4);
  const outside = policy.interfaces.findIndex((i) => i.nat === 'outside');
  const shards = new Set<number>();
  OUTSIDE.forEach((_, out) => {
    const p = packetOf({ out, host: 0, port: 0, what: 'SYN' }) as Sent;
    shards.add(several.handle(p.bytes, outside).shard);
  });
  expect(shards.size).toBeGreaterThan(2);
});
