/** `traceroute` as IOS prints it, and what it sends. */
import { describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { formatAddress } from '../../../src/ios/ipv4-text.js';
import type { ProbeOutcome } from '../../../src/core/probe/probe.js';
import { icmpError, routerUp, RunningCommand, TIMEOUT } from '../support/job.js';

const start = (...lines: string[]): RunningCommand => new RunningCommand(routerUp(), lines);
const hop = (from: string, ms: number): ProbeOutcome => icmpError(11, 0, from, ms);
const there = (from: string, ms: number): ProbeOutcome => icmpError(3, 3, from, ms);
const HEAD = '\nType escape sequence to abort.\nTracing the route to 10.9.0.1\n\n';

test('three datagrams for each TTL, until the host answers', () => {
  const run = start('traceroute 10.9.0.1').outcomes(
    hop('172.22.1.1', 4.2),
    hop('172.22.1.1', 0.3),
    TIMEOUT,
    TIMEOUT,
    TIMEOUT,
    TIMEOUT,
    there('10.9.0.1', 12),
    TIMEOUT,
    there('10.9.0.1', 16),
  );
  expect(run.screen).toBe(`${HEAD}  1 172.22.1.1 4 msec 0 msec * \n  2  *  *  * \n  3 10.9.0.1 12 msec *  16 msec\n`);
  expect(run.failed).toBe(false);
  expect(run.sent.map((p) => [p.kind, p.ttl, p.port, p.size])).toEqual(
    Array.from({ length: 9 }, (_, i) => ['udp', 1 + Math.floor(i / 3), 33_434 + i, 28]),
  );
  expect(run.sent[0]).toMatchObject({ timeoutMs: 3000 });
  expect(formatAddress(run.sent[0]!.source)).toBe('172.22.1.16');
});

test('another router at the same distance stands on a line of its own', () => {
  const run = start('traceroute 10.9.0.1 ttl 1 1').outcomes(
    hop('172.22.1.1', 24),
    hop('172.22.1.2', 32),
    hop('172.22.1.1', 16),
  );
  expect(run.screen).toBe(`${HEAD}  1 172.22.1.1 24 msec\n    172.22.1.2 32 msec\n    172.22.1.1 16 msec\n`);
});

test('who answers late stands under what timed out', () => {
  const run = start('traceroute 10.9.0.1 ttl 9 10').outcomes(TIMEOUT, hop('172.22.1.1', 4), hop('172.22.1.1', 4));
  expect(run.screen).toBe(`${HEAD}  9  * \n    172.22.1.1 4 msec 4 msec\n 10 `);
});

test.each<[string, number, number]>([
  ['!N', 3, 0],
  ['!H', 3, 1],
  ['!P', 3, 2],
  ['!A', 3, 13],
  ['!A', 3, 9],
  ['!Q', 4, 0],
  ['?', 3, 4],
  ['?', 12, 0],
])('%s is ICMP %d %d', (text, type, code) => {
  const outcome = icmpError(type, code, '172.22.1.1');
  const run = start('traceroute 10.9.0.1 ttl 2 3').outcomes(outcome, TIMEOUT, outcome);
  expect(run.screen.split('\n')[4]).toBe(`  2 172.22.1.1 ${text}  *  ${text} `);
  // Unreachable is the end of the way.
  expect(run.failed).toBe(type === 3 ? false : undefined);
});

test('thirty hops are the most', () => {
  const run = start('traceroute 10.9.0.1 probe 1').outcomes(...Array.from({ length: 30 }, () => TIMEOUT));
  expect([run.failed, run.sent.at(-1)!.ttl]).toEqual([false, 30]);
});

test('options', () => {
  const run = start('traceroute ip 10.9.0.1 timeout 1 probe 2 port 40000 ttl 5 6 source 10.10.10.1 numeric');
  run.outcomes(TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT);
  expect(run.sent.map((p) => [p.ttl, p.port, p.timeoutMs, formatAddress(p.source)])).toEqual(
    [5, 5, 6, 6].map((ttl, i) => [ttl, 40_000 + i, 1000, '10.10.10.1']),
  );
  expect(run.failed).toBe(false);
});

test('the escape sequence ends it', () => {
  const run = start('traceroute 10.9.0.1').outcomes(TIMEOUT);
  run.session.interrupt();
  expect([run.screen, run.failed, run.router.probes.length]).toEqual([`${HEAD}  1  * \n`, false, 0]);
});

describe('names', () => {
  const NAMES = 'ip host gateway 172.22.1.1\nip host far.example.net 10.9.0.1';

  test('of ip host stand before their addresses', () => {
    const run = new RunningCommand(routerUp(NAMES), ['traceroute far.example.net']);
    run.outcomes(hop('172.22.1.1', 4), hop('172.22.1.1', 4), hop('172.22.1.9', 4));
    expect(run.screen).toBe(
      '\nType escape sequence to abort.\nTracing the route to far.example.net (10.9.0.1)\n\n' +
        '  1 gateway (172.22.1.1) 4 msec 4 msec\n    172.22.1.9 4 msec\n  2 ',
    );
  });

  test('are not looked for where addresses are wanted', () => {
    const run = new RunningCommand(routerUp(NAMES), ['traceroute 10.9.0.1 numeric']).outcomes(hop('172.22.1.1', 4));
    expect(run.screen).toBe(`${HEAD}  1 172.22.1.1 4 msec`);
  });

  test('are asked of the name server, each once', async () => {
    const router = routerUp('ip name-server 10.10.10.9');
    router.known.set('gw.example.net', 0xac160101 | 0);
    let questions = 0;
    const { names } = router;
    const known = { ...names };
    names.name = (...args) => {
      questions++;
      return known.name(...args);
    };
    const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    const run = new RunningCommand(router, ['traceroute 10.9.0.1']);
    await settled();
    for (let i = 0; i < 3; i++) {
      run.outcomes(hop('172.22.1.1', 4));
      await settled();
    }
    expect(run.screen).toBe(`${HEAD}  1 gw.example.net (172.22.1.1) 4 msec 4 msec 4 msec\n  2 `);
    expect(questions).toBe(2); // the host and the gateway
  });

  test('that nobody knows are refused', () => {
    expect(start('traceroute nowhere')).toMatchObject({
      screen:
        'Translating "nowhere"...domain server (255.255.255.255)\n' +
        '% Unrecognized host or address, or protocol not running.\n\n',
      failed: true,
    });
  });
});

test('the dialogue of privileged EXEC', () => {
  const run = start('traceroute', '', '10.9.0.1', '', '', '1', '1', '3', '4', '', '');
  expect(run.screen).toBe(
    `Protocol [ip]: 
Target IP address: 10.9.0.1
Source address: 
Numeric display [n]: 
Timeout in seconds [3]: 1
Probe count [3]: 1
Minimum Time to Live [1]: 3
Maximum Time to Live [30]: 4
Port Number [33434]: 
Loose, Strict, Record, Timestamp, Verbose[none]: 
Type escape sequence to abort.
Tracing the route to 10.9.0.1

  3 `,
  );
  run.outcomes(TIMEOUT, TIMEOUT);
  expect(run.sent.map((p) => [p.ttl, p.timeoutMs])).toEqual([
    [3, 1000],
    [4, 1000],
  ]);
});

test('user EXEC has the short form, privileged EXEC the options', () => {
  const user = new ConsoleSession(routerUp(), 'console', 1);
  expect(user.help('traceroute 10.9.0.1 ')).toBe('  <cr>\n\n');
  const session = new ConsoleSession(routerUp(), 'console', 15);
  expect(session.help('traceroute ')).toBe(
    '  WORD  Trace route to destination address or hostname\n  ip    IP Trace\n  <cr>\n\n',
  );
  expect(session.help('traceroute 10.9.0.1 ')).toBe(
    '  numeric  display numeric address\n' +
      '  port     specify port number\n' +
      '  probe    specify number of probes per hop\n' +
      '  source   specify source address or name\n' +
      '  timeout  specify timeout interval\n' +
      '  ttl      specify minimum and maximum ttl\n' +
      '  <cr>\n\n',
  );
});
