/** What is counted, and the state of the thresholds, goes on with another data plane: saved eight times a second. */
import { expect, test } from 'vitest';
import { DROP } from '../../src/core/verdict.js';
import { LeftMemory } from '../support/left-memory.js';
import { Router3640 } from '../support/router-3640.js';
import { tcpPacket } from '../support/packets.js';
import { CLIENT, MAIL, query, state, syn, Talk, told } from '../wiring/scene.js';

/** @param happens in the first data plane @returns it and the one that takes over */
function succession(extra: string, happens: (r: Router3640) => void, capacity = 1024): [Router3640, Router3640] {
  const memory = new LeftMemory().source;
  const before = new Router3640(extra, capacity, memory);
  happens(before);
  before.wait(125);
  return [before, new Router3640(extra, capacity, memory, before.now)];
}
const counters = (r: Router3640): unknown =>
  state(r).counters().filter((c) => c.value > 0 && c.family !== 'taken-over'); // prettier-ignore

test('counts of sessions, packets, commands and drops', () => {
  const [before, r] = succession('', (o) => {
    query(o, 4000);
    new Talk(o, true, 25).says(false, '220 mail\r\n').says(true, 'EXPN root\r\n');
    o.fromOutside(tcpPacket({ src: CLIENT, srcPort: 9, dst: MAIL, dstPort: 25, flags: 'A' }));
    o.wait(3000);
  });
  expect(state(r).inspection()).toEqual(state(before).inspection());
  expect(counters(r)).toEqual(counters(before));
  expect(r.engine.sessions.smtpCounters).toEqual(before.engine.sessions.smtpCounters);
  expect(Object.values(r.engine.sessions.smtpCounters).some((n) => n > 0)).toBe(true);
});

test('aggressive mode, which ends when it calms down, and how many were reset', () => {
  const MARKS = 'ip inspect max-incomplete high 3\nip inspect max-incomplete low 2';
  const [before, r] = succession(MARKS, (o) => {
    for (let n = 1; n <= 8; n++) syn(o, n);
  });
  expect(counters(before)).toContainEqual(
    expect.objectContaining({ family: 'reset', name: 'max-incomplete', value: 4 }),
  );
  expect(counters(r)).toEqual(counters(before));
  expect(r.engine.sessions.thresholds.aggressive).toBe(true);
  r.wait(31_000);
  r.wait(60_000);
  expect(told(r, 'aggressive-off').length).toBe(1);
});

test('and it is not said that it calms down where nobody was told of it', () => {
  const QUIET =
    'ip inspect max-incomplete high 3\nip inspect max-incomplete low 2\nip inspect name OUT-IN smtp alert off';
  const [, r] = succession(QUIET, (o) => {
    for (let n = 1; n <= 8; n++) syn(o, n);
  });
  r.wait(31_000);
  r.wait(60_000);
  expect([r.engine.sessions.thresholds.aggressive, told(r, 'aggressive-off')]).toEqual([false, []]);
});

test('hosts that are blocked, until their time is up, and it is said then', () => {
  const HOST_MARK = 'ip inspect tcp max-incomplete host 3 block-time 2';
  const [before, r] = succession(HOST_MARK, (o) => {
    for (let n = 1; n <= 4; n++) syn(o, n);
  });
  expect(told(before, 'host-blocked').length).toBe(1);
  expect(syn(r, 5)).toBe(DROP.sessionLimit);
  r.wait(119_800);
  expect([syn(r, 6), told(r, 'host-unblocked')]).toEqual([DROP.sessionLimit, []]);
  r.wait(200);
  expect([syn(r, 7), told(r, 'host-unblocked')]).toEqual([0, [{ type: 'host-unblocked', host: (172 << 24) | (22 << 16) | (1 << 8) | 110 }]]);
}); // prettier-ignore

test('a host that has had its alert does not get another one, before it has been below its mark', () => {
  const HOST_MARK = 'ip inspect tcp max-incomplete host 3 block-time 0';
  const [before, r] = succession(HOST_MARK, (o) => {
    for (let n = 1; n <= 4; n++) syn(o, n);
  });
  expect(told(before, 'host-alert').length).toBe(1);
  syn(r, 5);
  expect(told(r, 'host-alert')).toEqual([]);
  r.wait(31_000);
  for (let n = 11; n <= 14; n++) syn(r, n);
  expect(told(r, 'host-alert').length).toBe(1);
});

test('requests, answers and the mode of ip tcp intercept', () => {
  const ON = 'access-list 150 permit tcp any host 10.10.10.2 eq 25\nip tcp intercept list 150';
  const watch = `${ON}\nip tcp intercept mode watch\nip tcp intercept max-incomplete high 3\nip tcp intercept max-incomplete low 2`;
  const [, r] = succession(watch, (o) => {
    for (let n = 1; n <= 6; n++) syn(o, n);
  });
  const { intercept } = r.engine.sessions;
  expect([intercept.aggressive, intercept.requests.count(r.now)]).toEqual([true, 6]);
  const [, other] = succession(ON, (o) => {
    for (let n = 1; n <= 6; n++) syn(o, n);
    o.engine.sessions.intercept.proven = 2;
  });
  expect([other.engine.sessions.intercept.answered, other.engine.sessions.intercept.proven]).toEqual([6, 2]);
});

test('sessions that had to go where the table was full', () => {
  const [, r] = succession('', (o) => [1, 2, 3, 4, 5].forEach((n) => syn(o, n)), 3);
  expect(counters(r)).toContainEqual(expect.objectContaining({ family: 'reset', name: 'table-full', value: 2 }));
});
