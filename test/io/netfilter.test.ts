import { expect, test } from 'vitest';
import {
  conntrackSigns,
  errorChain,
  ipv6Chain,
  isolationChain,
  queueChain,
  removeChain,
} from '../../src/io/netfilter.js';

const raw = (existing: string) => ({ name: 'raw', hook: 'PREROUTING', existing }) as const;
const filter = (existing: string) => ({ name: 'filter', hook: 'FORWARD', existing }) as const;
const body = (text: string) => text.trim().split('\n').slice(1, -1);

test('the queue chain takes every packet of our interfaces, untracked, before any other rule', () => {
  expect(queueChain(raw('-P PREROUTING ACCEPT\n'), { devices: ['outside', 'inside'], queue: 3, failOpen: false })).toBe(
    `*raw
:FW3640 - [0:0]
-I PREROUTING 1 -i outside -j FW3640
-I PREROUTING 2 -i inside -j FW3640
-A FW3640 -j CT --notrack
-A FW3640 -j NFQUEUE --queue-num 3
COMMIT
`,
  );
});

test('the errors that the kernel sends about translated packets are queued, those to loopback addresses are not', () => {
  const table = { name: 'mangle', hook: 'OUTPUT', existing: '' } as const;
  expect(body(errorChain(table, { devices: ['outside'], queue: 3, failOpen: false })).slice(1)).toEqual([
    '-I OUTPUT 1 -o outside -p icmp -j FW3640',
    '-I OUTPUT 2 ! -d 127.0.0.0/8 -o lo -p icmp -j FW3640',
    ...[3, 11, 12].map((type) => `-A FW3640 -p icmp -m icmp --icmp-type ${type} -j NFQUEUE --queue-num 3`),
  ]);
});

test('only fail-open bypasses the queue', () => {
  const bypass = (failOpen: boolean) => queueChain(raw(''), { devices: ['a'], queue: 0, failOpen }).includes('bypass');
  expect([bypass(false), bypass(true)]).toEqual([false, true]);
});

test('jumps left by an earlier run are replaced, the rules of others are not touched', () => {
  const left = ['-P PREROUTING ACCEPT', '-N FW3640', '-A PREROUTING -i old -j FW3640', '-A PREROUTING -i eth9 -j DROP'];
  const lines = body(queueChain(raw(left.join('\n')), { devices: ['new'], queue: 0, failOpen: false }));
  expect(lines.slice(0, 3)).toEqual([
    ':FW3640 - [0:0]',
    '-D PREROUTING -i old -j FW3640',
    '-I PREROUTING 1 -i new -j FW3640',
  ]);
  expect(lines.join()).not.toContain('eth9');
});

test('removal takes the jumps, then the chain; without a chain there is nothing to remove', () => {
  expect(body(removeChain(raw('-N FW3640\n-A PREROUTING -i a -j FW3640\n')) ?? '')).toEqual([
    '-D PREROUTING -i a -j FW3640',
    '-F FW3640',
    '-X FW3640',
  ]);
  expect(removeChain(raw('-P PREROUTING ACCEPT'))).toBeUndefined();
});

test('the router exchanges packets between its own interfaces only', () => {
  expect(body(isolationChain(filter(''), ['a', 'b'])).slice(1)).toEqual([
    '-I FORWARD 1 -j FW3640',
    '-A FW3640 -i a -o a -j RETURN',
    '-A FW3640 -i a -o b -j RETURN',
    '-A FW3640 -i b -o a -j RETURN',
    '-A FW3640 -i b -o b -j RETURN',
    '-A FW3640 -i a -j DROP',
    '-A FW3640 -o a -j DROP',
    '-A FW3640 -i b -j DROP',
    '-A FW3640 -o b -j DROP',
  ]);
  expect(body(ipv6Chain(filter(''), ['a'])).slice(2)).toEqual(['-A FW3640 -i a -j DROP', '-A FW3640 -o a -j DROP']);
});

test.each([
  {
    name: 'a rule with -m conntrack',
    rules: '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    tracked: 0,
    n: 1,
  },
  { name: 'masquerading', rules: '-A POSTROUTING -o eth0 -j MASQUERADE', tracked: 0, n: 1 },
  { name: 'tracked connections', rules: '', tracked: 4, n: 1 },
  { name: 'our own notrack', rules: '-A FW3640 -j CT --notrack', tracked: 0, n: 0 },
])('conntrack at work: $name', ({ rules, tracked, n }) => {
  expect(conntrackSigns(`*raw\n${rules}\nCOMMIT`, tracked)).toHaveLength(n);
});
