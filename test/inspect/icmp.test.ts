import { describe, expect, test } from 'vitest';
import { icmpPacket } from '../support/packets.js';
import { DROP, PASS, Router3640 } from '../support/router-3640.js';

const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const PEER = '172.22.1.10';

const rest = (identifier: number, sequence: number): number[] => [
  identifier >>> 8,
  identifier & 255,
  sequence >>> 8,
  sequence & 255,
  ...Array<number>(12).fill(9),
];
const request = (r: Router3640, type: number, identifier: number, sequence: number): number =>
  r.fromInside(icmpPacket(HOST, PEER, type, 0, rest(identifier, sequence))).verdict;
const reply = (r: Router3640, type: number, identifier: number, sequence: number): number =>
  r.fromOutside(icmpPacket(PEER, HOST_GLOBAL, type, 0, rest(identifier, sequence))).verdict;

describe.each([
  ['echo', 8, 0],
  ['timestamp', 13, 14],
  ['information', 15, 16],
  ['address mask', 17, 18],
])('%s', (_, ask, answer) => {
  test('its reply returns once, by identifier and sequence number', () => {
    const r = new Router3640();
    expect(request(r, ask, 7, 1)).toBe(PASS);
    expect(reply(r, answer, 7, 2)).toBe(DROP.inspection);
    expect(reply(r, answer, 8, 1)).toBe(DROP.acl);
    expect(reply(r, answer, 7, 1)).toBe(PASS);
    expect(reply(r, answer, 7, 1)).toBe(DROP.inspection);
  });

  test('the reply to another kind of request does not return', () => {
    const r = new Router3640();
    request(r, ask, 7, 1);
    for (const other of [0, 14, 16, 18].filter((t) => t !== answer)) expect(reply(r, other, 7, 1)).toBe(DROP.acl);
  });
});

test('a request from outside is no reply, even where identifier and type look like a session', () => {
  const r = new Router3640();
  request(r, 8, 8, 1);
  expect(reply(r, 8, 8, 1)).toBe(DROP.inspection);
});

test('many requests under way, and replies in any order', () => {
  const r = new Router3640();
  for (let n = 0; n < 256; n++) request(r, 8, 7, (65_500 + n) & 0xffff);
  for (let n = 255; n >= 0; n--) expect(reply(r, 0, 7, (65_500 + n) & 0xffff)).toBe(PASS);
});

test('a thousand requests under way have a thousand replies, and no more', () => {
  const r = new Router3640();
  for (let n = 0; n < 1000; n++) request(r, 8, 7, n);
  for (let n = 0; n < 1000; n++) expect(reply(r, 0, 7, n)).toBe(PASS);
  for (const n of [0, 999, 5000]) expect(reply(r, 0, 7, n)).toBe(DROP.inspection);
});

test('a request more than 256 numbers old still has one reply', () => {
  const r = new Router3640();
  request(r, 8, 7, 1);
  request(r, 8, 7, 257);
  expect([1, 1, 257, 257].map((n) => reply(r, 0, 7, n))).toEqual([PASS, DROP.inspection, PASS, DROP.inspection]);
});

test('a sender that starts anew still gets the replies to what it asked before', () => {
  const r = new Router3640();
  for (const n of [40_000, 40_001, 1]) request(r, 8, 7, n);
  expect([40_000, 40_001, 40_001, 1].map((n) => reply(r, 0, 7, n))).toEqual([PASS, PASS, DROP.inspection, PASS]);
});

test('a sender that starts anew with a lower number gets its replies', () => {
  const r = new Router3640();
  request(r, 8, 7, 40_000);
  request(r, 8, 7, 1);
  expect(reply(r, 0, 7, 1)).toBe(PASS);
});
