/** Probes and their answers, as the router hands them over. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProbeFilter } from '../../src/data/probe-filter.js';
import { PacketProber } from '../../src/io/prober.js';
import type { Probe, ProbeOutcome } from '../../src/core/probe/probe.js';
import { DROP, HOLD, PASS, type Verdict } from '../../src/core/verdict.js';
import { decodeIpv4 } from '../../src/core/wire/decode.js';
import { icmpPacket, ip, received } from '../support/packets.js';
import { ECHO } from '../support/probes.js';

const ROUTER = '10.10.10.1';
const HOST = '10.10.10.2';
const UDP: Probe = { ...ECHO, kind: 'udp', size: 28, ttl: 1, port: 33_434 };

let sent: Uint8Array[];
let outcomes: ProbeOutcome[];
let prober: PacketProber;
/** The other end, in the data plane. */
let filter: ProbeFilter;

beforeEach(() => {
  sent = [];
  outcomes = [];
  filter = new ProbeFilter((answer) => prober.answer(answer));
  prober = new PacketProber({
    send: (key, packets) => {
      sent.push(...packets.map((p) => p.slice()));
      filter.expect(key, performance.now());
    },
    forget: (key) => filter.forget(key),
  });
});
afterEach(() => {
  prober.stop();
  vi.useRealTimers();
});

const send = (probe: Probe): (() => void) => prober.send(probe, (o) => outcomes.push(o));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Identifier and sequence number of an echo that was sent. */
const numbers = (echo: Uint8Array): number[] => Array.from(echo.subarray(24, 28));
const reply = (echo: Uint8Array, from = HOST, to = ROUTER): Uint8Array =>
  icmpPacket(from, to, 0, 0, [...numbers(echo), ...echo.subarray(28)]);
const error = (quoted: Uint8Array, type: number, code: number, from = '10.10.10.254'): Uint8Array =>
  icmpPacket(from, ROUTER, type, code, [0, 0, 0, 0, ...quoted.subarray(0, 28)]);

function come(packet: Uint8Array, v: Verdict = PASS, token = 0): void {
  const p = received(packet, 0, token);
  decodeIpv4(p);
  if (filter.isWaiting) filter.see(p, v, performance.now() + 5);
}

test('an echo reply ends the wait, with its time', async () => {
  send(ECHO);
  expect([sent.length, prober.waiting]).toEqual([1, 1]);
  come(reply(sent[0]!));
  expect(outcomes).toEqual([]); // never amid a batch of packets
  await settled();
  expect(prober.waiting).toBe(0);
  // On a busy machine the time between the two calls counts, too.
  expect(outcomes).toEqual([{ kind: 'reply', ms: expect.any(Number) as number }]);
  expect((outcomes[0] as { ms: number }).ms).toBeGreaterThanOrEqual(5);
  come(reply(sent[0]!)); // once more
  await settled();
  expect(outcomes).toHaveLength(1);
});

test('what the engine drops is no answer', async () => {
  send(ECHO);
  come(reply(sent[0]!), DROP.acl);
  await settled();
  expect([outcomes.length, prober.waiting]).toEqual([0, 1]);
});

test('another host, another address of ours, other numbers: no answer', async () => {
  send(ECHO);
  come(reply(sent[0]!, '10.10.10.3'));
  come(reply(sent[0]!, HOST, '172.22.1.16'));
  const other = sent[0]!.slice();
  other[27]! ^= 1;
  come(reply(other));
  await settled();
  expect(outcomes).toEqual([]);
});

test('an error tells who sent it, and its type and code', async () => {
  send(UDP);
  come(error(sent[0]!, 11, 0));
  await settled();
  expect(outcomes).toMatchObject([{ kind: 'error', type: 11, code: 0, from: ip('10.10.10.254') }]);
});

test('an error about a packet that somebody else sent to the same host is no answer', async () => {
  send(UDP);
  const forged = sent[0]!.slice();
  forged[15] = 77; // its source
  come(error(forged, 11, 0));
  await settled();
  expect(outcomes).toEqual([]);
});

test('a long echo goes out in fragments; its reply is one when it has passed whole', async () => {
  send({ ...ECHO, size: 4000 });
  expect(sent.map((f) => f.length)).toEqual([1500, 1500, 1040]);
  come(reply(sent[0]!), HOLD);
  await settled();
  expect(outcomes).toEqual([]);
  come(reply(sent[0]!));
  await settled();
  expect(outcomes).toMatchObject([{ kind: 'reply' }]);
});

test('without an answer the time runs out', () => {
  vi.useFakeTimers();
  send(ECHO);
  vi.advanceTimersByTime(1999);
  expect(outcomes).toEqual([]);
  vi.advanceTimersByTime(1);
  expect([outcomes, prober.waiting]).toEqual([[{ kind: 'timeout' }], 0]);
});

test('whoever gives up hears nothing more', async () => {
  const giveUp = send(ECHO);
  come(reply(sent[0]!));
  giveUp();
  await settled();
  expect([outcomes, prober.waiting]).toEqual([[], 0]);
});

test.each([
  ['an echo', ECHO, { kind: 'reply' }],
  ['a UDP datagram', UDP, { kind: 'error', type: 3, code: 3, from: ip(HOST) }],
])('%s to an address of its own the router answers itself', async (_, probe, want) => {
  send({ ...probe, via: 'loopback' });
  await settled();
  expect([sent.length, outcomes]).toMatchObject([0, [want]]);
});

test('where there is no route nothing is sent', () => {
  vi.useFakeTimers();
  send({ ...ECHO, via: 'nowhere' });
  vi.advanceTimersByTime(2000);
  expect([sent.length, outcomes]).toEqual([0, [{ kind: 'timeout' }]]);
});

test('probes that wait together have numbers of their own', () => {
  for (let i = 0; i < 300; i++) send(i % 2 === 0 ? ECHO : UDP);
  expect(new Set(sent.map((p) => Buffer.from(p.subarray(20)).toString('hex'))).size).toBe(300);
  expect(prober.waiting).toBe(300);
});
