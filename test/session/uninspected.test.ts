import { describe, expect, test } from 'vitest';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, tcpPacket, type TcpFields } from '../support/packets.js';
import { DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const LOCAL = '10.10.10.2';
/** The server may be asked on port 80, and OUT-IN inspects smtp only. */
const WEB = 'access-list 101 permit tcp any host 172.22.1.110 eq www';

const client = (r: Router3640, flags: string, more: Partial<TcpFields> = {}): Outcome =>
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 80, flags, ...more }));
const server = (r: Router3640, flags: string, more: Partial<TcpFields> = {}): Outcome =>
  r.fromInside(tcpPacket({ src: LOCAL, srcPort: 80, dst: CLIENT, dstPort: 4000, flags, ...more }));

function open(r: Router3640): void {
  expect(client(r, 'S', { seq: 100 }).verdict).toBe(PASS);
  const answer = server(r, 'SA', { seq: 500, ack: 101 });
  expect([answer.verdict, dotted(i32(answer.bytes, 12))]).toEqual([PASS, GLOBAL]);
  expect(client(r, 'A', { seq: 101, ack: 501 }).verdict).toBe(PASS);
}

describe('a permitted connection that no rule inspects', () => {
  test('works in both directions, to its end', () => {
    const r = new Router3640(WEB);
    open(r);
    expect(client(r, 'PA', { seq: 101, ack: 501, payload: 'GET /\r\n' }).verdict).toBe(PASS);
    expect(server(r, 'PA', { seq: 501, ack: 108, payload: 'hello' }).verdict).toBe(PASS);
    expect(server(r, 'FA', { seq: 506, ack: 108 }).verdict).toBe(PASS);
    expect(client(r, 'FA', { seq: 108, ack: 507 }).verdict).toBe(PASS);
    expect(server(r, 'A', { seq: 507, ack: 109 }).verdict).toBe(PASS);
    r.wait(6000);
    expect(r.sessionCount).toBe(0);
  });

  test('is no session to anybody: not listed, not counted, not cleared, not audited', () => {
    const r = new Router3640(`ip inspect audit-trail\n${WEB}`);
    open(r);
    let seen = 0;
    r.engine.sessions.forEach(() => seen++);
    expect(seen).toBe(0);
    expect(r.engine.sessions.clear()).toBe(0);
    const { statistics } = r.engine.sessions;
    expect([statistics.created, statistics.established, statistics.halfOpen]).toEqual([0, 0, 0]);
    expect(r.events).toEqual([]);
    expect(server(r, 'PA', { seq: 501, ack: 101, payload: 'x' }).verdict).toBe(PASS);
  });

  test('does not bypass the access list: each of its packets is a match', () => {
    const r = new Router3640(WEB);
    open(r);
    expect(Array.from(r.engine.accessLists.get('101')!.matches)).toEqual([0, 2]);
    r.configure(new Router3640().config);
    expect(client(r, 'PA', { seq: 101, ack: 501, payload: 'x' }).verdict).toBe(DROP.acl);
  });

  test.each([
    ['a SYN ACK that answers no SYN', 'SA'],
    ['data in the middle of nothing', 'PA'],
    ['a FIN', 'FA'],
    ['a RST', 'R'],
  ])('%s from the server is dropped', (_, flags) => {
    expect(server(new Router3640(WEB), flags, { seq: 500, ack: 101 }).verdict).toBe(DROP.noSession);
  });

  test('an answer outside the connection is dropped', () => {
    const r = new Router3640(WEB);
    client(r, 'S', { seq: 100 });
    expect(server(r, 'SA', { seq: 500, ack: 999 }).verdict).toBe(DROP.invalidAck);
  });

  test('an error about it passes from inside, and from outside only where the access list permits it', () => {
    const r = new Router3640(WEB);
    const syn = tcpPacket({ src: CLIENT, srcPort: 4000, dst: LOCAL, dstPort: 80, flags: 'S', seq: 100 });
    client(r, 'S', { seq: 100 });
    const unreachable = icmpPacket(LOCAL, CLIENT, 3, 3, [0, 0, 0, 0, ...syn.subarray(0, 28)]);
    expect(r.fromInside(unreachable).verdict).toBe(PASS);
    const back = server(r, 'SA', { seq: 500, ack: 101 }).bytes;
    const fromOutside = icmpPacket(CLIENT, GLOBAL, 3, 1, [0, 0, 0, 0, ...back.subarray(0, 28)]);
    expect(r.fromOutside(fromOutside).verdict).toBe(DROP.acl);
  });

  test('a flood of them leaves most of the table to inspected sessions', () => {
    const r = new Router3640(WEB, 16);
    const verdicts = [1, 2, 3, 4, 5].map((n) => client(r, 'S', { srcPort: 5000 + n }).verdict);
    expect(verdicts).toEqual([PASS, PASS, PASS, PASS, PASS]);
    expect(r.sessionCount).toBe(4); // the fifth has taken the place of the first
    const mail = tcpPacket({ src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags: 'S' });
    expect(r.fromOutside(mail).verdict).toBe(PASS);
    r.wait(31_000);
    expect(client(r, 'S').verdict).toBe(PASS);
  });
});
