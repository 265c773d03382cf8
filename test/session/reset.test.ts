/** What the router sends to both ends when it resets a connection: RSTs that their receivers take (RFC 5961 §3.2). */
import { expect, test } from 'vitest';
import { PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const CLIENT = { src: '172.22.1.10', srcPort: 40000, dst: '172.22.1.110', dstPort: 25 };
const SERVER = { src: '10.10.10.2', srcPort: 25, dst: '172.22.1.10', dstPort: 40000 };
const WIZ = 'WIZ\r\n';

/** Sends segments that pass; the client's next data byte is 1001, the server's 5001. */
function established(): Router3640 {
  const r = new Router3640();
  const pass = (o: { verdict: number }): void => expect(o.verdict).toBe(PASS);
  pass(r.fromOutside(tcpPacket({ ...CLIENT, flags: 'S', seq: 1000 })));
  pass(r.fromInside(tcpPacket({ ...SERVER, flags: 'SA', seq: 5000, ack: 1001 })));
  pass(r.fromOutside(tcpPacket({ ...CLIENT, flags: 'A', seq: 1001, ack: 5001 })));
  return r;
}

const resets = (r: Router3640): [dst: string, seq: number][] =>
  r.injected.map((b) => {
    expect(checksumsOk(b)).toBe(true);
    expect(b[33]! & 4).toBe(4);
    expect([u16(b, 20), u16(b, 22)].sort()).toEqual([25, 40000]);
    return [dotted(i32(b, 16)), i32(b, 24)];
  });

test('where nothing is under way, one RST goes to each end', () => {
  const r = established();
  r.fromOutside(tcpPacket({ ...CLIENT, flags: 'PA', seq: 1001, ack: 5001, payload: WIZ }));
  expect(resets(r)).toEqual([
    ['172.22.1.10', 5001],
    ['10.10.10.2', 1001],
  ]);
});

test('where segments are under way, a RST stands behind them, and one where they would be lost', () => {
  const r = established();
  r.fromInside(tcpPacket({ ...SERVER, flags: 'PA', seq: 5001, ack: 1001, payload: '220 hi\r\n' }));
  r.fromOutside(tcpPacket({ ...CLIENT, flags: 'PA', seq: 1001, ack: 5001, payload: 'NOOP\r\n' }));
  r.fromOutside(tcpPacket({ ...CLIENT, flags: 'PA', seq: 1007, ack: 5001, payload: WIZ }));
  expect(resets(r)).toEqual([
    ['172.22.1.10', 5009],
    ['172.22.1.10', 5001],
    ['10.10.10.2', 1007],
    ['10.10.10.2', 1001],
  ]);
});
