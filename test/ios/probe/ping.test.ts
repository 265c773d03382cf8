/** `ping` as IOS prints it, and what it sends. */
import { describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { formatAddress } from '../../../src/ios/ipv4-text.js';
import type { ProbeOutcome } from '../../../src/core/probe/probe.js';
import { icmpError, REPLY, routerUp, RunningCommand, TIMEOUT } from '../support/job.js';

const start = (...lines: string[]): RunningCommand => new RunningCommand(routerUp(), lines);
const head = (text: string): string => `\nType escape sequence to abort.\n${text}`;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('five echos of a hundred bytes, one after the other', () => {
  const run = start('ping 10.10.10.2');
  expect(run.screen).toBe(head('Sending 5, 100-byte ICMP Echos to 10.10.10.2, timeout is 2 seconds:\n'));
  run.outcomes(REPLY(0.4), REPLY(3));
  expect(run.screen).toMatch(/:\n!!$/);
  expect([run.router.probes.length, run.failed]).toEqual([1, undefined]);
  run.outcomes(TIMEOUT, REPLY(4), REPLY(2));
  expect(run.screen).toBe(
    head(
      'Sending 5, 100-byte ICMP Echos to 10.10.10.2, timeout is 2 seconds:\n' +
        '!!.!!\n' +
        'Success rate is 80 percent (4/5), round-trip min/avg/max = 1/2/4 ms\n',
    ),
  );
  expect([run.failed, run.router.probes.length, run.session.isBusy()]).toEqual([false, 0, false]);
  const { source, destination, ...rest } = run.sent[0]!;
  expect([source, destination].map(formatAddress)).toEqual(['10.10.10.1', '10.10.10.2']);
  expect(rest).toMatchObject({ kind: 'echo', via: 'wire', size: 100, mtu: 1500, ttl: 255, timeoutMs: 2000 });
});

test('no reply at all has no times', () => {
  const run = start('ping ip 172.22.1.99').outcomes(TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT);
  expect(run.screen).toMatch(/\n\.\.\.\.\.\nSuccess rate is 0 percent \(0\/5\)\n$/);
  expect(formatAddress(run.sent[0]!.source)).toBe('172.22.1.16');
});

test.each<[string, string, ProbeOutcome]>([
  ['U', 'host unreachable', icmpError(3, 1, '10.10.10.254')],
  ['U', 'administratively prohibited', icmpError(3, 13, '10.10.10.254')],
  ['M', 'fragmentation needed', icmpError(3, 4, '10.10.10.254')],
  ['Q', 'source quench', icmpError(4, 0, '10.10.10.254')],
  ['&', 'time exceeded', icmpError(11, 0, '10.10.10.254')],
  ['?', 'parameter problem', icmpError(12, 0, '10.10.10.254')],
])('%s is %s', (character, _, outcome) => {
  expect(start('ping 10.10.10.2 repeat 1').outcomes(outcome).screen).toContain(`:\n${character}\nSuccess rate is 0`);
});

test('options of privileged EXEC, in any order', () => {
  const run = start('ping 172.22.1.10 df-bit size 1400 source e2/1 timeout 1 repeat 1');
  expect(run.screen).toBe(
    head(
      'Sending 1, 1400-byte ICMP Echos to 172.22.1.10, timeout is 1 seconds:\n' +
        'Packet sent with a source address of 10.10.10.1 \n' +
        'Packet sent with the DF bit set\n',
    ),
  );
  run.outcomes(REPLY());
  expect(run.sent[0]).toMatchObject({ size: 1400, dontFragment: true, timeoutMs: 1000 });
  expect(formatAddress(run.sent[0]!.source)).toBe('10.10.10.1');
});

test('seventy characters stand on a line', () => {
  const run = start('ping 10.10.10.2 repeat 141').outcomes(...Array.from({ length: 141 }, () => REPLY(1)));
  const lines = run.screen.split('\n').slice(3);
  expect(lines.map((l) => l.length)).toEqual([70, 70, 1, expect.any(Number), 0]);
  expect(lines[3]).toBe('Success rate is 100 percent (141/141), round-trip min/avg/max = 1/1/1 ms');
  expect(start('ping 10.10.10.2 repeat 70').outcomes(...Array.from({ length: 70 }, () => REPLY(1))).screen).toMatch(
    /:\n!{70}\nSuccess/,
  );
});

test('the escape sequence ends it with what there is so far', () => {
  const run = start('ping 10.10.10.2').outcomes(REPLY(2), TIMEOUT);
  run.session.interrupt();
  expect(run.screen).toMatch(/:\n!\.\nSuccess rate is 50 percent \(1\/2\), round-trip min\/avg\/max = 2\/2\/2 ms\n$/);
  expect([run.failed, run.router.probes.length]).toEqual([false, 0]);
});

test('the end of the session ends it, without a word', () => {
  const run = start('ping 10.10.10.2').outcomes(REPLY(2));
  const before = run.screen;
  run.session.close();
  expect([run.router.probes.length, run.screen]).toEqual([0, before]);
});

describe('where a probe goes', () => {
  const via = (line: string, lines = '', down?: string): string => {
    const router = routerUp(lines);
    const all = router.system.interfaces();
    router.system.interfaces = () => all.map((i) => ({ ...i, lineUp: i.name !== down }));
    const run = new RunningCommand(router, [line]);
    return run.router.probes[0]!.probe.via;
  };

  test.each([
    ['an address of an interface that is up', 'ping 10.10.10.1', 'loopback'],
    ['behind the default route', 'ping 8.8.8.8', 'wire'],
    ['a broadcast', 'ping 10.10.10.255', 'nowhere'],
    ['a multicast', 'ping 224.0.0.1', 'nowhere'],
  ])('%s', (_, line, want) => expect(via(line)).toBe(want));

  test('nowhere without a route', () =>
    expect(via('ping 8.8.8.8', 'no ip route 0.0.0.0 0.0.0.0 172.22.1.1')).toBe('nowhere'));
  test('nowhere to an address of an interface that is down', () =>
    expect(via('ping 10.10.10.1', '', 'Ethernet2/1')).toBe('nowhere'));
  test('to a loopback interface, which is never down', () =>
    expect(via('ping 10.99.0.1', 'interface Loopback0\n ip address 10.99.0.1 255.255.255.255')).toBe('loopback'));
});

test.each([
  ['ping 10.10.10.2 source 10.10.10.9', '% Invalid source address- IP address not on any of our up interfaces\n'],
  ['ping 10.10.10.2 source Serial2/0', '% Invalid source interface - IP not enabled or interface is down\n'],
])('%s is refused', (line, answer) => {
  const run = start(line);
  expect([run.screen, run.failed, run.router.probes.length]).toEqual([answer, true, 0]);
});

describe('names', () => {
  const UNRECOGNIZED = '% Unrecognized host or address, or protocol not running.\n\n';

  test('without a name server none is found', () => {
    const run = start('ping mail');
    expect([run.screen, run.failed]).toEqual([
      `Translating "mail"...domain server (255.255.255.255)\n${UNRECOGNIZED}`,
      true,
    ]);
  });

  test('without lookup nobody is asked', () => {
    const run = new RunningCommand(routerUp('no ip domain-lookup\nip name-server 10.10.10.9'), ['ping mail']);
    expect(run.screen).toBe(`Translating "mail"\n${UNRECOGNIZED}`);
  });

  test('ip host needs no server', () => {
    const run = new RunningCommand(routerUp('ip host mail 10.10.10.2'), ['ping MAIL repeat 1']).outcomes(REPLY());
    expect(run.screen).toContain('ICMP Echos to 10.10.10.2,');
  });

  test('servers are asked in turn, for the full name', async () => {
    const router = routerUp('ip domain-name example.net\nip name-server 10.10.10.8 10.10.10.9');
    const asked: string[] = [];
    router.names.address = (name, server, done) => {
      asked.push(`${name} of ${formatAddress(server)}`);
      setTimeout(() => done(asked.length === 1 ? undefined : 0x0a0a0a02));
      return () => undefined;
    };
    const run = new RunningCommand(router, ['ping mail repeat 1']);
    await settled();
    await settled();
    expect(asked).toEqual(['mail.example.net of 10.10.10.8', 'mail.example.net of 10.10.10.9']);
    expect(run.screen).toMatch(
      /^Translating "mail"\.\.\.domain server \(10\.10\.10\.8\) \(10\.10\.10\.9\) \[OK\]\n\nType escape sequence to abort\.\n/,
    );
  });

  test('the escape sequence ends the search', async () => {
    const router = routerUp('ip name-server 10.10.10.8');
    router.known.set('mail', 1);
    const run = new RunningCommand(router, ['ping mail']);
    run.session.interrupt();
    await settled();
    expect([run.screen, run.failed]).toEqual(['Translating "mail"...domain server (10.10.10.8)\n', false]);
  });
});

describe('the dialogue of privileged EXEC', () => {
  test('Enter takes every default', () => {
    expect(start('ping', '', '10.10.10.2', '', '', '', '', '').screen).toBe(
      `Protocol [ip]: 
Target IP address: 10.10.10.2
Repeat count [5]: 
Datagram size [100]: 
Timeout in seconds [2]: 
Extended commands [n]: 
Sweep range of sizes [n]: 
Type escape sequence to abort.
Sending 5, 100-byte ICMP Echos to 10.10.10.2, timeout is 2 seconds:
`,
    );
  });

  test('extended commands', () => {
    const run = start(
      'ping ip', '172.22.1.10', '1', '200', '3', 'y', 'Ethernet2/1', '184', 'yes', 'no', '0x1a2B', '', 'n',
    ); // prettier-ignore
    expect(run.screen).toContain(`Extended commands [n]: y
Source address or interface: Ethernet2/1
Type of service [0]: 184
Set DF bit in IP header? [no]: yes
Validate reply data? [no]: no
Data pattern [0xABCD]: 0x1a2B
Loose, Strict, Record, Timestamp, Verbose[none]: 
Sweep range of sizes [n]: n
Type escape sequence to abort.
Sending 1, 200-byte ICMP Echos to 172.22.1.10, timeout is 3 seconds:
Packet sent with a source address of 10.10.10.1 
Packet sent with the DF bit set
Packet has data pattern 0x1A2B
`);
    run.outcomes(REPLY());
    expect(run.sent[0]).toMatchObject({ size: 200, tos: 184, dontFragment: true, pattern: 0x1a2b, timeoutMs: 3000 });
  });

  test('a sweep, each size in its turn, told in words', () => {
    const run = start(
      'ping ip', '10.10.10.2', '2', '', '', 'y', '', '', '', '', '', 'v', '', 'y', '1499', '1501', '2',
    ); // prettier-ignore
    expect(run.screen).toContain(`Loose, Strict, Record, Timestamp, Verbose[none]: v
Loose, Strict, Record, Timestamp, Verbose[V]: 
Sweep range of sizes [n]: y
Sweep min size [36]: 1499
Sweep max size [18024]: 1501
Sweep interval [1]: 2
Type escape sequence to abort.
Sending 4, [1499..1501]-byte ICMP Echos to 10.10.10.2, timeout is 2 seconds:
`);
    run.outcomes(REPLY(1), TIMEOUT, REPLY(2), icmpError(3, 4, '10.10.10.254', 1, 1400));
    expect(run.sent.map((p) => p.size)).toEqual([1499, 1501, 1499, 1501]);
    expect(run.screen.split('\n').slice(-6)).toEqual([
      'Reply to request 0 (1 ms) (size 1499)',
      'Request 1 timed out (size 1501)',
      'Reply to request 2 (2 ms) (size 1499)',
      'Unreachable from 10.10.10.254, maximum MTU 1400 (size 1501)',
      'Success rate is 50 percent (2/4), round-trip min/avg/max = 1/1/2 ms',
      '',
    ]);
  });

  const answers = (...lines: string[]): string => {
    const session = new ConsoleSession(routerUp(), 'console', 15);
    return lines.map((l) => session.execute(l).output).at(-1)! + session.prompt;
  };

  test.each([
    ['a protocol that is not there', ['ping', 'ipx'], '% Unknown protocol - "ipx", type "ping ?" for help\n3640-123#'],
    ['no target', ['ping', '', ''], '% Bad IP address\n3640-123#'],
    [
      'a number out of range',
      ['ping ip', '10.0.0.1', '', '35'],
      '% A decimal number between 36 and 18024.\nDatagram size [100]: ',
    ],
    [
      'no source of the router',
      ['ping ip', '10.0.0.1', '', '', '', 'y', 'nonsense'],
      '% Invalid source. Must use IP address or full interface name without spaces (e.g. Serial0/1)\n3640-123#',
    ],
    [
      'an IP option',
      ['ping ip', '10.0.0.1', '', '', '', 'y', '', '', '', '', '', 'r'],
      '% No such option - "r"\nLoose, Strict, Record, Timestamp, Verbose[none]: ',
    ],
    [
      'neither yes nor no',
      ['ping ip', '10.0.0.1', '', '', '', 'perhaps'],
      '% Please answer "yes" or "no".\nExtended commands [n]: ',
    ],
  ])('%s', (_, lines, answer) => expect(answers(...lines)).toBe(answer));

  test('may be left', () => {
    const session = new ConsoleSession(routerUp(), 'console', 15);
    session.greet();
    session.execute('ping');
    session.dropQuestion();
    expect(session.prompt).toBe('3640-123#');
  });
});

describe('the grammar', () => {
  test('user EXEC has the short form', () => {
    const session = new ConsoleSession(routerUp(), 'console', 1);
    expect(session.help('ping 10.10.10.2 ')).toBe('  <cr>\n\n');
    expect(session.execute('ping').output).toBe('% Incomplete command.\n\n');
    expect(session.execute('ping 10.10.10.2 repeat 3').failed).toBe(true);
    expect(new RunningCommand(routerUp(), ['ping 10.10.10.2'], session).screen).toContain('Sending 5, 100-byte');
  });

  test('? lists the options of privileged EXEC', () => {
    const session = new ConsoleSession(routerUp(), 'console', 15);
    expect(session.help('ping ')).toBe('  WORD  Ping destination address or hostname\n  ip    IP echo\n  <cr>\n\n');
    expect(session.help('ping 10.10.10.2 ')).toBe(
      '  df-bit   enable do not fragment bit in IP header\n' +
        '  repeat   specify repeat count\n' +
        '  size     specify datagram size\n' +
        '  source   specify source address or name\n' +
        '  timeout  specify timeout interval\n' +
        '  <cr>\n\n',
    );
    expect(session.help('ping 10.10.10.2 size ')).toBe('  <36-18024>  datagram size\n\n');
  });

  test('do ping works in configuration mode', () => {
    const run = start('configure terminal', 'do ping 10.10.10.2 repeat 1').outcomes(REPLY(1));
    expect(run.screen).toContain('Success rate is 100 percent (1/1)');
    expect(run.session.prompt).toBe('3640-123(config)#');
  });
});
