/** Fragments and the inbound access list: what it denies is not held, and sessions bypass it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { DROP, HOLD, PASS } from '../../src/core/verdict.js';
import { received, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { fragmentsAt } from './fragments.js';

/** No NAT, so that a session from inside has the same addresses outside. */
const OPEN = '10.10.10.9';
const STRANGER = '172.22.1.77';
const LIST = [
  'interface Ethernet2/0',
  ' ip access-group 150 in',
  'access-list 150 deny udp host 172.22.1.66 any',
  'access-list 150 permit udp any host 10.10.10.9 eq 53',
  'access-list 150 deny udp any any eq 69',
  'access-list 150 permit udp host 172.22.1.88 any',
].join('\n');

const parts = (src: string, srcPort: number, dst: string, dstPort: number): Uint8Array[] =>
  fragmentsAt(udpPacket(src, srcPort, dst, dstPort, 'u'.repeat(200)), [4, 12]);

let r: Router3640;
const places = (): number => r.engine.reassembly('Ethernet2/0').reassemblies;

beforeEach(() => {
  r = new Router3640(LIST);
});

describe('a fragment that the list denies takes no place', () => {
  test.each([
    { name: 'a first one, by its port', bytes: parts(STRANGER, 9, OPEN, 54)[0]! },
    { name: 'another one, by its addresses', bytes: parts(STRANGER, 9, '10.10.10.5', 53)[1]! },
    { name: 'a first one of a host that is denied altogether', bytes: parts('172.22.1.66', 9, OPEN, 53)[0]! },
    { name: 'another one of a host that is denied altogether', bytes: parts('172.22.1.66', 9, OPEN, 53)[1]! },
  ])('$name', ({ bytes }) => {
    expect(r.fromOutside(bytes).verdict).toBe(DROP.acl);
    expect(places()).toBe(0);
    expect(r.engine.drops[DROP.acl]).toBe(1);
  });

  test('so that a flood of a denied host leaves the table to others', () => {
    for (let i = 0; i < 100; i++) {
      for (const f of parts('172.22.1.66', 1000 + i, OPEN, 53)) r.fromOutside(f);
    }
    expect(places()).toBe(0);
    expect(parts(STRANGER, 9, OPEN, 53).map((f, i) => r.fromOutside(f, i).verdict)).toEqual([HOLD, HOLD, PASS]);
  });
});

describe('a fragment that the list may permit is held', () => {
  test.each([
    { name: 'the first last', order: [2, 1, 0] },
    { name: 'the first in the middle', order: [1, 0, 2] },
  ])('$name: an entry with a port permits the others by their addresses', ({ order }) => {
    const all = parts(STRANGER, 9, OPEN, 53);
    expect(order.map((i) => r.fromOutside(all[i]!, i).verdict)).toEqual([HOLD, HOLD, PASS]);
  });

  test('and counts as one match, when the datagram is whole', () => {
    for (const f of parts(STRANGER, 9, OPEN, 53)) r.fromOutside(f);
    expect([...r.engine.accessLists.get('150')!.matches]).toEqual([0, 1, 0, 0]);
  });

  test('until its first fragment shows a port that is denied: then its set goes', () => {
    const [first, second, third] = parts('172.22.1.88', 9, '10.10.10.5', 69) as [Uint8Array, Uint8Array, Uint8Array];
    expect(r.fromOutside(second, 1).verdict).toBe(HOLD);
    expect(r.fromOutside(third, 2).verdict).toBe(HOLD);
    expect(r.fromOutside(first, 3).verdict).toBe(DROP.acl);
    expect(r.released.map((x) => [x.token, x.verdict])).toEqual([
      [1, DROP.acl],
      [2, DROP.acl],
    ]);
    expect(places()).toBe(0);
  });
});

describe('an answer in fragments to a session from inside', () => {
  beforeEach(() => {
    expect(r.fromInside(udpPacket('10.10.10.5', 4000, STRANGER, 5300, 'question')).verdict).toBe(PASS);
  });
  // 10.10.10.5 is 172.22.1.111 outside.
  const answer = parts(STRANGER, 5300, '172.22.1.111', 4000);

  test('passes the list that denies it', () => {
    expect(answer.map((f, i) => r.fromOutside(f, i).verdict)).toEqual([HOLD, HOLD, PASS]);
  });

  test('a fragment that overtakes the first is lost: only the first one shows the session', () => {
    expect(r.fromOutside(answer[1]!).verdict).toBe(DROP.acl);
    expect(r.fromOutside(answer[0]!).verdict).toBe(HOLD);
  });

  test('of another port is denied', () => {
    expect(r.fromOutside(parts(STRANGER, 5300, '172.22.1.111', 4001)[0]!).verdict).toBe(DROP.acl);
  });
});

test('fragments are put together on all interfaces as soon as one translates or inspects', () => {
  const bare = new Router3640(
    'interface Ethernet2/0\n no ip nat outside\n no ip inspect OUT-IN in\n no ip access-group 101 in\n no ip virtual-reassembly',
  );
  const outside = bare.config.interfaces.findIndex((i) => i.name === 'Ethernet2/0');
  const [first] = parts(STRANGER, 9, OPEN, 53);
  expect(bare.engine.handle(received(first!, outside), bare.now)).toBe(HOLD);
});
