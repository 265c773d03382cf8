import { expect, test } from 'vitest';
import { udpPacket } from '../support/packets.js';
import { DROP, PASS, Router3640 } from '../support/router-3640.js';

const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const SERVER = '172.22.1.10';

/** A DNS message: id, QR bit, and a question or two of nothing. */
const message = (id: number, answer: boolean): string =>
  String.fromCharCode(id >>> 8, id & 255, answer ? 0x81 : 1, 0, 0, 1, 0, 0, 0, 0, 0, 0) + '\x01x\x00\x00\x01\x00\x01';

const query = (r: Router3640, id: number, port = 5353): number =>
  r.fromInside(udpPacket(HOST, port, SERVER, 53, message(id, false))).verdict;
const answer = (r: Router3640, id: number, port = 5353): number =>
  r.fromOutside(udpPacket(SERVER, 53, HOST_GLOBAL, port, message(id, true))).verdict;

test('one answer per query id passes, in any order', () => {
  const r = new Router3640();
  for (const id of [7, 0xffff, 0]) query(r, id);
  expect([0, 7, 7, 0xffff, 0].map((id) => answer(r, id))).toEqual([PASS, PASS, DROP.inspection, PASS, DROP.inspection]);
});

test('an answer to no query is dropped, and the real one still passes', () => {
  const r = new Router3640();
  query(r, 7);
  expect(answer(r, 8)).toBe(DROP.inspection);
  expect(r.fromOutside(udpPacket(SERVER, 53, HOST_GLOBAL, 5353, message(7, false))).verdict).toBe(DROP.inspection);
  expect(r.fromOutside(udpPacket(SERVER, 53, HOST_GLOBAL, 5353, '\x00\x07')).verdict).toBe(DROP.inspection);
  expect(answer(r, 7)).toBe(PASS);
});

test('a query that is asked again still has one answer', () => {
  const r = new Router3640();
  query(r, 7);
  query(r, 7);
  expect([answer(r, 7), answer(r, 7)]).toEqual([PASS, DROP.inspection]);
});

test('50 questions of one socket have 50 answers, in any order, and no more', () => {
  for (const order of [(i: number) => i, (i: number) => 49 - i, (i: number) => (i * 7) % 50]) {
    const r = new Router3640();
    for (let i = 0; i < 50; i++) query(r, 1000 + i);
    for (let i = 0; i < 50; i++) expect(answer(r, 1000 + order(i))).toBe(PASS);
    expect(answer(r, 1000)).toBe(DROP.inspection);
    r.wait(1500);
    expect(r.sessionCount).toBe(0);
  }
});

test('the memory for ids is bounded: of 23 the oldest id is forgotten, and any answer passes in its place', () => {
  const r = new Router3640();
  for (let id = 100; id < 123; id++) query(r, id);
  for (let id = 101; id < 123; id++) expect(answer(r, id)).toBe(PASS);
  expect([answer(r, 7), answer(r, 100)]).toEqual([PASS, DROP.inspection]);
});

test('what passes beyond the memory still comes from the server that was asked, from port 53, and is an answer', () => {
  const r = new Router3640();
  for (let id = 100; id < 150; id++) query(r, id);
  const from = (src: string, srcPort: number, dstPort: number, response = true): number =>
    r.fromOutside(udpPacket(src, srcPort, HOST_GLOBAL, dstPort, message(100, response))).verdict;
  expect([from('172.22.1.11', 53, 5353), from(SERVER, 54, 5353), from(SERVER, 53, 5354)]).toEqual(
    Array(3).fill(DROP.acl),
  );
  expect(from(SERVER, 53, 5353, false)).toBe(DROP.inspection);
  expect(from(SERVER, 53, 5353)).toBe(PASS);
});

test('forgotten questions end with dns-timeout', () => {
  const r = new Router3640('ip inspect dns-timeout 3');
  for (let id = 100; id < 150; id++) query(r, id);
  r.wait(4000);
  expect(answer(r, 100)).toBe(DROP.acl);
});

test('more questions than can be counted leave nothing closed', () => {
  const r = new Router3640();
  for (let i = 0; i < 70_000; i++) query(r, i & 0xffff);
  for (let i = 0; i < 70_000; i++) if (answer(r, i & 0xffff) !== PASS) expect.fail(`answer ${i}`);
});

test('a session without answer ends after dns-timeout, not udp idle-time', () => {
  const r = new Router3640('ip inspect dns-timeout 3');
  query(r, 7);
  r.wait(2500);
  expect(r.sessionCount).toBe(1);
  r.wait(1000);
  expect(r.sessionCount).toBe(0);
});

test('the session ends a second after its last answer, unless another query comes', () => {
  const r = new Router3640();
  query(r, 7);
  query(r, 8);
  answer(r, 7);
  r.wait(2000);
  expect(r.sessionCount).toBe(1);
  answer(r, 8);
  r.wait(500);
  query(r, 9);
  r.wait(2000);
  expect(answer(r, 9)).toBe(PASS);
  r.wait(1500);
  expect(r.sessionCount).toBe(0);
});
