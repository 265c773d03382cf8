/** Where capture points look: packets as they came and as they leave, through the whole engine. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { HEAD_BYTES, NO_TAP, PacketTap, STAGE, TAP, type TapBatch, type TapPoint } from '../../src/core/capture/tap.js';
import { Engine } from '../../src/core/engine.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { dotted, icmpPacket, ip, received, sent, tcpPacket, udpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const client = { src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const server = { src: '10.10.10.2', srcPort: 25, dst: CLIENT, dstPort: 4000 };
const OUTSIDE = 0;
const INSIDE = 2;

interface Seen {
  bits: number;
  stage: string;
  ingress: string | undefined;
  egress: string | undefined;
  length: number;
  bytes: Uint8Array;
  verdict: Verdict;
  changed: [number, number];
}

let engine: Engine;
let tap: PacketTap;
let seen: Seen[];
let batches: TapBatch[];
let room: boolean;

const names = Object.keys(STAGE) as (keyof typeof STAGE)[];

function read({ records: r, bytes, interfaces }: TapBatch): Seen[] {
  return Array.from({ length: r.length / TAP.ints }, (_, i) => {
    const at = i * TAP.ints;
    const offset = r[at + TAP.offset]!;
    return {
      bits: r[at + TAP.points]!,
      stage: names.find((n) => STAGE[n] === r[at + TAP.stage])!,
      ingress: interfaces[r[at + TAP.ingress]!],
      egress: interfaces[r[at + TAP.egress]!],
      length: r[at + TAP.length]!,
      bytes: bytes.slice(offset, offset + r[at + TAP.captured]!),
      verdict: r[at + TAP.verdict]!,
      changed: [r[at + TAP.changedFrom]!, r[at + TAP.changedTo]!],
    };
  });
}

beforeEach(() => {
  seen = [];
  batches = [];
  room = true;
  tap = new PacketTap((batch) => {
    if (!room) return false;
    batches.push(batch);
    seen.push(...read(batch));
    return true;
  });
  const policy = compilePolicy(config3640('access-list 150 permit icmp any any\naccess-list 150 deny ip any any'));
  engine = new Engine(
    policy,
    { capacity: 64, seed: 1, now: 1000 },
    {
      event: () => undefined,
      release: () => undefined,
      released: (p, v) => tap.released(p, v, engine.egressOf(p.dst)),
      inject: (packet) => tap.own(packet, 0, packet.length, engine.egressOf(ip('10.10.10.2'))),
    },
  );
  tap.bind(
    policy.interfaces.map((i) => i.name),
    engine.accessLists,
  );
});

const point = (more: Partial<TapPoint> = {}): TapPoint => ({
  bit: 0,
  path: 'cef',
  interface: undefined,
  direction: 'both',
  list: undefined,
  most: 65_535,
  ...more,
});
const watch = (...points: TapPoint[]): void => tap.set({ points, verdicts: false });

let token = 0;
function comes(bytes: Uint8Array, ingress: number): { verdict: Verdict; out: Uint8Array } {
  const p = received(bytes, ingress, ++token);
  tap.came(p);
  const verdict = engine.handle(p, 1000);
  tap.judged(p, verdict, verdict === PASS ? engine.egressOf(p.dst) : -1);
  const out = sent(p);
  tap.flush(1000);
  return { verdict, out };
}

const flow = [
  [tcpPacket({ ...client, flags: 'S', seq: 100 }), OUTSIDE],
  [tcpPacket({ ...server, flags: 'SA', seq: 200, ack: 101 }), INSIDE],
  [tcpPacket({ ...client, flags: 'A', seq: 101, ack: 201 }), OUTSIDE],
  [tcpPacket({ ...server, flags: 'PA', seq: 201, ack: 101, payload: '220 mail ready\r\n' }), INSIDE],
  [tcpPacket({ ...client, flags: 'PA', seq: 101, ack: 217, payload: 'EXPN root\r\n' }), OUTSIDE],
] as const;

test('both: each packet as it came and, behind it, as it leaves, byte for byte', () => {
  watch(point());
  for (const [bytes, ingress] of flow) {
    const came = bytes.slice();
    seen = [];
    const { verdict, out } = comes(bytes, ingress);
    expect(verdict).toBe(PASS);
    const [from, to] = ingress === OUTSIDE ? ['Ethernet2/0', 'Ethernet2/1'] : ['Ethernet2/1', 'Ethernet2/0'];
    expect(seen).toMatchObject([
      { stage: 'came', bits: 1, ingress: from, egress: undefined, length: came.length, bytes: came },
      { stage: 'left', bits: 1, ingress: from, egress: to, length: out.length, bytes: out },
    ]);
  }
  const [before, after] = seen.map((s) => Buffer.from(s.bytes).toString('latin1', 40));
  expect([before, after]).toEqual(['EXPN root\r\n', 'xxxxxxxxx\r\n']);
});

test('what is denied is seen as it came, and not as it leaves', () => {
  watch(point());
  expect(comes(icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 1, 0, 1]), OUTSIDE).verdict).toBe(DROP.acl);
  expect(seen.map((s) => s.stage)).toEqual(['came']);
});

test.each([
  { name: 'in', p: point({ direction: 'in' }), stages: ['came', 'came'] },
  { name: 'out', p: point({ direction: 'out' }), stages: ['left', 'left'] },
  { name: 'in by one interface', p: point({ direction: 'in', interface: 'Ethernet2/1' }), stages: ['came'] },
  { name: 'both of one interface', p: point({ interface: 'Ethernet2/1' }), stages: ['left', 'came'] },
  { name: 'of an interface where nothing passes', p: point({ interface: 'Serial0/0' }), stages: [] },
  { name: 'what the filter denies', p: point({ list: '150' }), stages: [] },
  { name: 'a filter that is not defined', p: point({ list: '151', direction: 'in' }), stages: ['came', 'came'] },
  { name: 'process-switched, of what crosses', p: point({ path: 'process' }), stages: [] },
])('$name', ({ p, stages }) => {
  watch(p);
  for (const [bytes, ingress] of flow.slice(0, 2)) comes(bytes, ingress);
  expect(seen.map((s) => s.stage)).toEqual(stages);
});

describe('process-switched', () => {
  const echo = icmpPacket('10.10.10.2', '10.10.10.1', 8, 0, [0, 1, 0, 1]);

  test('sees what comes for the router itself, once it is let in', () => {
    watch(point({ path: 'process', direction: 'in' }));
    expect(comes(echo, INSIDE).verdict).toBe(PASS);
    comes(udpPacket(CLIENT, 5, '172.22.1.16', 53, 'x'), OUTSIDE); // denied
    comes(flow[0][0], OUTSIDE); // crosses
    expect(seen).toMatchObject([{ stage: 'came', ingress: 'Ethernet2/1', bytes: echo }]);
  });

  test.each(['out', 'from-us', 'both'] as const)('%s: what the router sends', (direction) => {
    watch(point({ path: 'process', direction }));
    const own = icmpPacket('10.10.10.1', '10.10.10.2', 8, 0, [0, 1, 0, 1]);
    tap.own(own, 0, own.length, INSIDE);
    tap.flush(1000);
    expect(seen).toMatchObject([{ stage: 'own', egress: 'Ethernet2/1', ingress: undefined, bytes: own }]);
  });

  test('does not take from a CEF point what it does not want itself', () => {
    watch(point({ path: 'process' }), point({ bit: 3, direction: 'in' }));
    comes(flow[0][0], OUTSIDE);
    expect(seen).toMatchObject([{ bits: 8, stage: 'came' }]);
  });
});

test('a packet is copied once for all points, as much of it as the one that wants most', () => {
  watch(point({ most: 20 }), point({ bit: 1, most: 44 }), point({ bit: 2, direction: 'out' }));
  comes(tcpPacket({ ...client, flags: 'S', seq: 100 }), OUTSIDE);
  expect(seen.map((s) => [s.bits, s.bytes.length, s.length])).toEqual([
    [3, 40, 40],
    [7, 40, 40],
  ]);
  watch(point({ most: 20 }));
  comes(flow[0][0].slice(), OUTSIDE);
  expect(seen.at(-1)!.bytes.length).toBe(20);
});

describe('verdicts', () => {
  test('tell the first bytes as a packet came and as it leaves, and what of its payload was changed', () => {
    tap.set({ points: [], verdicts: true });
    const last = flow.map(([bytes, ingress]) => ({ came: bytes.slice(), ...comes(bytes.slice(), ingress) })).at(-1)!;
    expect(seen.map((s) => s.changed)).toEqual([[0, 0], [0, 0], [0, 0], [0, 0], [0, 9]]); // prettier-ignore
    const { stage, bytes, verdict, ingress, egress } = seen.at(-1)!;
    expect([stage, verdict, ingress, egress]).toEqual(['judged', PASS, 'Ethernet2/0', 'Ethernet2/1']);
    // Their checksums are not complete yet.
    const ends = (all: Uint8Array): string => Buffer.from(all).toString('latin1', all.length - 11);
    expect(bytes.length).toBe(2 * last.came.length);
    expect([ends(bytes.subarray(0, last.came.length)), ends(bytes)]).toEqual(['EXPN root\r\n', 'xxxxxxxxx\r\n']);
    expect(last.came.length).toBeLessThan(HEAD_BYTES);
  });

  test('tell why a packet is dropped', () => {
    tap.set({ points: [], verdicts: true });
    comes(icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 1, 0, 1]), OUTSIDE);
    expect(seen).toMatchObject([{ stage: 'judged', verdict: DROP.acl, egress: undefined }]);
  });

  test('tell of a held segment when it is held and when it goes on', () => {
    for (const [bytes, ingress] of flow.slice(0, 4)) comes(bytes.slice(), ingress);
    tap.set({ points: [point({ direction: 'out' })], verdicts: true });
    const part = (seq: number, payload: string): Uint8Array =>
      tcpPacket({ ...client, flags: 'PA', seq, ack: 217, payload });
    comes(part(105, ' root\r\n'), OUTSIDE);
    expect(seen.map((s) => s.stage)).toEqual(['judged']);
    comes(part(101, 'EXPN'), OUTSIDE);
    const stages = seen.map((s) => `${s.stage} ${s.egress ?? ''}`.trim());
    expect(stages.filter((s) => s.startsWith('released'))).toEqual(['released Ethernet2/1']);
    expect(stages.filter((s) => s.startsWith('left'))).toHaveLength(2);
  });
});

test('whatever comes, memory is bounded, and what does not fit is counted', () => {
  watch(point({ direction: 'in' }));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 20, max: 60_000 }), { maxLength: 40 }), (lengths) => {
      const lostBefore = tap.lost;
      const before = seen.length;
      for (const length of lengths) {
        const p = received(new Uint8Array(length), OUTSIDE);
        tap.came(p);
      }
      tap.flush(1000);
      expect(seen.length - before + tap.lost - lostBefore).toBe(lengths.length);
      for (const batch of batches.splice(0)) expect(batch.bytes.length).toBeLessThanOrEqual(512 * 1024);
    }),
  );
});

test('what nobody takes is counted as lost, and told with what is taken next', () => {
  watch(point({ direction: 'in' }));
  room = false;
  for (const [bytes, ingress] of flow.slice(0, 3)) comes(bytes.slice(), ingress);
  room = true;
  comes(flow[3][0].slice(), INSIDE);
  expect([seen.length, batches.at(-1)!.lost]).toEqual([1, 3]);
  tap.set(NO_TAP);
  expect([tap.isActive, tap.lost]).toEqual([false, 0]);
});

test('an address that NAT has changed is seen before and behind it', () => {
  watch(point());
  comes(flow[0][0].slice(), OUTSIDE);
  expect(seen.map((s) => dotted(new DataView(s.bytes.buffer, s.bytes.byteOffset).getInt32(16)))).toEqual([
    '172.22.1.110',
    '10.10.10.2',
  ]);
});
