/** TCP options of inspected sessions: what the ends may have, from the SYN on. */
import { describe, expect, test } from 'vitest';
import { checksumsOk, tcpPacket } from '../support/packets.js';
import { DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const MAIL = '10.10.10.2';
const MSS = [2, 4, 5, 180];
const SACK_PERMITTED = [4, 2];
const TIMESTAMPS = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
const WINDOW_SCALE = [1, 3, 3, 7];
const LINUX = [...MSS, ...SACK_PERMITTED, ...TIMESTAMPS, ...WINDOW_SCALE];
const MP_CAPABLE = [30, 12, 1, 129, 1, 2, 3, 4, 5, 6, 7, 8];
const MP_JOIN = [30, 12, 16, 1, 1, 2, 3, 4, 5, 6, 7, 8];
/** A data sequence mapping. */
const DSS = [30, 20, 32, 5, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 10, 0, 0];
const FAST_OPEN = [34, 4, 1, 2];
const MD5 = [19, 18, ...new Array<number>(16).fill(7), 1, 1];
const nops = (n: number): number[] => new Array<number>(n).fill(1);

const client = (r: Router3640, flags: string, options: number[], seq = 100, payload = ''): Outcome =>
  r.fromOutside(
    tcpPacket({
      src: CLIENT,
      srcPort: 4000,
      dst: GLOBAL,
      dstPort: 25,
      flags,
      seq,
      ack: flags === 'S' ? 0 : 501,
      options,
      payload,
    }),
  );
const server = (r: Router3640, flags: string, options: number[], seq = 500, payload = ''): Outcome =>
  r.fromInside(
    tcpPacket({ src: MAIL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags, seq, ack: 101, options, payload }),
  );
function optionsOf(o: Outcome): number[] {
  expect([o.verdict, checksumsOk(o.bytes)]).toEqual([PASS, true]);
  return Array.from(o.bytes.subarray(40, 20 + (o.bytes[32]! >> 4) * 4));
}

describe('SYN and SYN ACK', () => {
  test("Linux's pass as they are", () => {
    const r = new Router3640();
    expect(optionsOf(client(r, 'S', LINUX))).toEqual(LINUX);
    expect(optionsOf(server(r, 'SA', LINUX))).toEqual(LINUX);
  });

  test.each([
    ['Multipath TCP', MP_CAPABLE],
    ['a join of Multipath TCP', MP_JOIN],
    ['Fast Open', FAST_OPEN],
    ['a signature', MD5],
    ['an experiment', [253, 4, 0xf9, 0x89]],
    ['User Timeout', [28, 4, 0, 9]],
    ['a second MSS', [...MSS]],
  ])('%s is overwritten in both', (_, option) => {
    const r = new Router3640();
    expect(optionsOf(client(r, 'S', [...MSS, ...option]))).toEqual([...MSS, ...nops(option.length)]);
    expect(optionsOf(server(r, 'SA', [...MSS, ...option]))).toEqual([...MSS, ...nops(option.length)]);
  });

  test('a SYN ACK takes nothing that was not offered', () => {
    const r = new Router3640();
    client(r, 'S', MSS);
    expect(optionsOf(server(r, 'SA', LINUX))).toEqual([...MSS, ...nops(13 + 3)]);
  });

  test('a list that cannot be read: no session, and later no segment', () => {
    const r = new Router3640();
    expect(client(r, 'S', [2, 4, 5, 180, 3, 9, 1, 1]).verdict).toBe(DROP.invalidSegment);
    expect(r.sessionCount).toBe(0);
    client(r, 'S', MSS);
    expect(server(r, 'SA', [2, 1, 1, 1]).verdict).toBe(DROP.invalidSegment);
    server(r, 'SA', MSS);
    expect(client(r, 'A', [8, 0, 0, 0], 101).verdict).toBe(DROP.invalidSegment);
  });
});

describe('later segments', () => {
  const opened = (offer: number[], answer: number[]): Router3640 => {
    const r = new Router3640();
    client(r, 'S', offer);
    server(r, 'SA', answer);
    return r;
  };
  const stamped = [1, 1, ...TIMESTAMPS];

  test('timestamps and SACK that both have agreed on pass, in both directions', () => {
    const r = opened(LINUX, LINUX);
    const both = [...stamped, 1, 1, 5, 10, 0, 0, 2, 0, 0, 0, 3, 0];
    for (const o of [client(r, 'A', both, 101), server(r, 'A', stamped, 501)]) expect(o.packet.modified).toBe(true); // NAT
    expect(optionsOf(client(r, 'A', both, 101))).toEqual(both);
    expect(optionsOf(server(r, 'A', stamped, 501))).toEqual(stamped);
  });

  test.each([
    ['the client has not offered', MSS, LINUX],
    ['the server has not taken', LINUX, MSS],
  ])('those that %s are overwritten', (_, offer, answer) => {
    const r = opened(offer, answer);
    expect(optionsOf(client(r, 'A', stamped, 101))).toEqual(nops(12));
    expect(optionsOf(server(r, 'A', [...SACK_PERMITTED, 1, 1], 501))).toEqual(nops(4));
  });

  test('a mapping that would reorder what was inspected is overwritten, and the line is what was inspected', () => {
    const r = opened([...MSS, ...MP_CAPABLE], [...MSS, ...MP_CAPABLE]);
    server(r, 'PA', [], 501, '220 ready\r\n');
    const o = client(r, 'PA', DSS, 101, 'NOOP\r\n');
    expect(optionsOf(o)).toEqual(nops(20));
    expect(Buffer.from(o.bytes.subarray(60)).toString('latin1')).toBe('NOOP\r\n');
  });

  test('a connection that begins anew under the session agrees anew', () => {
    const r = opened(LINUX, LINUX);
    client(r, 'A', stamped, 101);
    expect(client(r, 'S', MSS, 900_000_000).verdict).toBe(PASS);
    const answer = { src: MAIL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'SA', seq: 700_000, ack: 900_000_001 };
    expect(r.fromInside(tcpPacket({ ...answer, options: MSS })).verdict).toBe(PASS);
    const ack = { src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags: 'A', seq: 900_000_001, ack: 700_001 };
    expect(optionsOf(r.fromOutside(tcpPacket({ ...ack, options: stamped })))).toEqual(nops(12));
  });

  test('options of a SYN are none in another segment', () => {
    const r = opened(LINUX, LINUX);
    expect(optionsOf(client(r, 'A', [...MSS, ...WINDOW_SCALE], 101))).toEqual(nops(8));
  });
});

describe('sessions that no inspector reads', () => {
  test.each([
    ['generic tcp', 'no ip inspect name OUT-IN smtp\nip inspect name OUT-IN tcp'],
    ['monitor-only', 'ip inspect name OUT-IN smtp monitor-only'],
    ['no rule at all', 'interface Ethernet2/0\n no ip inspect OUT-IN in'],
  ])('%s: options stay', (_, extra) => {
    const r = new Router3640(extra);
    expect(optionsOf(client(r, 'S', [...MSS, ...MP_CAPABLE]))).toEqual([...MSS, ...MP_CAPABLE]);
    expect(optionsOf(server(r, 'SA', [...MSS, ...MP_CAPABLE]))).toEqual([...MSS, ...MP_CAPABLE]);
  });
});
