/** What `show` prints, against the layouts of the reference (§6 to §10), and as programs read them. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { NO_TRAFFIC } from '../../../src/ios/show/interfaces.js';
import { age, hoursMinutesSeconds, uptimeWords } from '../../../src/ios/show/duration.js';
import type { InterfaceSnapshot } from '../../../src/core/state/snapshot.js';
import { fakeRouter, reading } from '../support/fake-router.js';
import type { FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const at = (text: string): number => parseAddress(text)!;
let router: FakeRouter;

const show = (command: string): string => new ConsoleSession(router, 'console', 15).execute(`show ${command}`).output;

/** 3640.cfg with lines before its end. */
function start(extra = ''): void {
  router = fakeRouter(seed.replace(/\nend\n/, `\n${extra}\nend\n`));
}

const ethernet = (name: string, mac: string): InterfaceSnapshot => ({
  ...NO_TRAFFIC,
  name,
  lineUp: true,
  hardwareAddress: mac,
  mtu: 1500,
  kbits: 10_000,
  halfDuplex: false,
  packetsIn: 274,
  bytesIn: 17822,
  broadcastsIn: 229,
  packetsOut: 59,
  bytesOut: 6064,
  lastInputAgo: 31_000,
  lastOutputAgo: 9_000,
});

beforeEach(() => {
  start();
  router.system.interfaces = () => [
    ethernet('Ethernet2/0', '0050.0f0b.8181'),
    ethernet('Ethernet2/1', '0050.0f0b.8191'),
  ];
});

describe('show ip inspect', () => {
  const session = {
    id: 0x66f96eb0,
    protocol: 6,
    service: 'tcp',
    initiator: at('13.13.2.2'),
    initiatorPort: 19719,
    responder: at('13.13.4.4'),
    responderLocal: at('13.13.4.4'),
    responderPort: 23,
    createdAgo: 8_000,
    heardAgo: 4_000,
    initiatorBytes: 140,
    responderBytes: 298,
  };

  test('sessions: established, half-open and terminating under their headings', () => {
    router.sessions.push(
      { ...session, id: 0x63938d28, state: 'SIS_OPENING', initiatorPort: 11000 },
      { ...session, state: 'SIS_OPEN' },
      { ...session, id: 7, state: 'SIS_CLOSING' },
    );
    expect(show('ip inspect session')).toBe(
      'Established Sessions\n' +
        ' Session 66F96EB0 (13.13.2.2:19719)=>(13.13.4.4:23) tcp SIS_OPEN\n' +
        'Half-open Sessions\n' +
        ' Session 63938D28 (13.13.2.2:11000)=>(13.13.4.4:23) tcp SIS_OPENING\n' +
        'Terminating Sessions\n' +
        ' Session 00000007 (13.13.2.2:19719)=>(13.13.4.4:23) tcp SIS_CLOSING\n',
    );
    expect(show('ip inspect all')).toMatch(/Outgoing access list is not set\nEstablished Sessions\n/);
  });

  test('sessions detail: times, bytes, and the list that the session passes by', () => {
    router.sessions.push({ ...session, state: 'SIS_OPEN', bypassIn: '101' });
    expect(show('ip inspect sessions detail')).toBe(
      'Established Sessions\n' +
        ' Session 66F96EB0 (13.13.2.2:19719)=>(13.13.4.4:23) tcp SIS_OPEN\n' +
        '  Created 00:00:08, Last heard 00:00:04\n' +
        '  Bytes sent (initiator:responder) [140:298]\n' +
        '  In  SID 13.13.4.4[23:23]=>13.13.2.2[19719:19719] on ACL 101\n',
    );
  });

  test('nothing where there is no session', () => expect(show('ip inspect sessions')).toBe(''));

  test('name', () => {
    expect(show('ip inspect name OUT-IN')).toBe(
      'Inspection name OUT-IN\n smtp max-data 20000000 alert is on audit-trail is off timeout 3600\n',
    );
    expect(show('ip inspect name NONE')).toBe('');
  });

  test('config shows what is set, globally and per protocol', () => {
    start(
      'ip inspect audit-trail\nip inspect one-minute high 900\nip inspect udp idle-time 60\n' +
        'ip inspect name X udp alert off audit-trail off\nip inspect name X ftp timeout 90\nip inspect name X esmtp allow STARTTLS',
    );
    const text = show('ip inspect config');
    expect(text).toContain('Session audit trail is enabled\n');
    expect(text).toContain('thresholds are [400:900] connections\n');
    expect(text).toContain('    udp alert is off audit-trail is off timeout 60\n');
    expect(text).toContain('    ftp alert is on audit-trail is on timeout 90\n');
    expect(text).toContain('    esmtp max-data 20000000 allow STARTTLS alert is on audit-trail is on timeout 3600\n');
  });

  test('statistics', () => {
    expect(show('ip inspect statistics')).toBe(
      'Packet inspection statistics [process switch:fast switch]\n' +
        '  tcp packets: [616668:0]\n' +
        '  http packets: [178912:0]\n' +
        'Interfaces configured for inspection 2\n' +
        'Session creations since subsystem startup or last reset 42940\n' +
        'Current session counts (estab/half-open/terminating) [0:0:0]\n' +
        'Maxever session counts (estab/half-open/terminating) [98:68:50]\n' +
        'Last session created 5d21h\n' +
        'Last statistic reset never\n' +
        'Last session creation rate 0\n' +
        'Last half-open session total 0\n' +
        'Interventions and drops\n' +
        '  smtp masked: 3\n',
    );
  });
});

test('show access-lists: sequence numbers, counts in singular and plural, wildcard bits', () => {
  start('access-list 7 permit 10.0.0.0 0.255.255.255\naccess-list 7 deny any log\naccess-list 7 permit 1.1.1.1');
  router.matches.set('101', [12]);
  router.matches.set('7', [1, 3]);
  const text =
    'Standard IP access list 7\n' +
    '    10 permit 10.0.0.0, wildcard bits 0.255.255.255 (1 match)\n' +
    '    20 deny   any log (3 matches)\n' +
    '    30 permit 1.1.1.1\n' +
    'Extended IP access list 101\n' +
    '    10 permit tcp any host 172.22.1.110 eq smtp (12 matches)\n';
  expect(show('access-lists')).toBe(text);
  expect(show('ip access-lists')).toBe(text);
  expect(show('ip access-lists 7')).toBe(text.slice(0, text.indexOf('Extended')));
  expect(show('access-lists 8')).toBe('');
});

test('lists are shown in the order of the router, not of the configuration', () => {
  const names = [
    'standard MAIL',
    'extended WEB',
    'extended 2000',
    'standard 1300',
    'extended ALL',
    'standard 12',
    'standard 2',
  ];
  start(names.map((n) => `ip access-list ${n}\n permit ${n.startsWith('s') ? 'any' : 'ip any any'}`).join('\n'));
  const listed = (text: string, line: RegExp): string[] => [...text.matchAll(line)].map((m) => m[1]!);
  const order = ['2', '12', '1300', 'MAIL', '101', '2000', 'ALL', 'WEB'];
  for (const command of ['access-lists', 'ip access-lists'])
    expect(listed(show(command), /IP access list (\S+)/g)).toEqual(order);
  const running = show('running-config');
  expect(listed(running, /^ip access-list \w+ (\S+)/gm)).toEqual(['MAIL', 'ALL', 'WEB']);
  expect(listed(running, /^access-list (\d+)/gm)).toEqual(['2', '12', '1300', '101', '2000']);
});

describe('show ip nat', () => {
  beforeEach(() => {
    const pair = { insideGlobal: at('172.22.1.110'), insideLocal: at('10.10.10.2') };
    router.translations.push(
      {
        ...pair,
        protocol: 'tcp',
        outside: at('172.22.1.50'),
        insideGlobalPort: 25,
        insideLocalPort: 25,
        outsidePort: 1025,
        static: false,
        createdAgo: 83_000,
        usedAgo: 5_000,
        timeoutMs: 86_400_000,
      },
      { ...pair, protocol: '---', static: true, createdAgo: 602_000, usedAgo: 2_000, useCount: 1 },
    );
  });

  test('translations', () => {
    expect(show('ip nat translations')).toBe(
      'Pro Inside global      Inside local       Outside local      Outside global\n' +
        'tcp 172.22.1.110:25    10.10.10.2:25      172.22.1.50:1025   172.22.1.50:1025\n' +
        '--- 172.22.1.110       10.10.10.2         ---                ---\n',
    );
  });

  test('translations verbose', () => {
    expect(show('ip nat translations verbose').split('\n').slice(2, 8)).toEqual([
      '    create 00:01:23, use 00:00:05 timeout:86400000, left 23:59:55,',
      '    flags:',
      'extended, use_count: 0',
      '--- 172.22.1.110       10.10.10.2         ---                ---',
      '    create 00:10:02, use 00:00:02 timeout:0,',
      '    flags:',
    ]);
  });

  test('a value that is too long widens its column', () => {
    router.translations[0]!.insideGlobalPort = 65535;
    router.translations[0]!.insideGlobal = at('172.222.111.110');
    expect(show('ip nat translations').split('\n').slice(0, 2)).toEqual([
      'Pro Inside global         Inside local       Outside local      Outside global',
      'tcp 172.222.111.110:65535 10.10.10.2:25      172.22.1.50:1025   172.22.1.50:1025',
    ]);
  });

  test('statistics, with the pools', () => {
    start(
      'ip nat pool P 192.0.2.1 192.0.2.4 netmask 255.255.255.248\naccess-list 1 permit any\nip nat inside source list 1 pool P',
    );
    router.translations.push({
      protocol: '---',
      insideGlobal: at('192.0.2.1'),
      insideLocal: at('10.10.10.9'),
      static: false,
      createdAgo: 0,
      usedAgo: 0,
      mapping: 0,
    });
    expect(show('ip nat statistics')).toBe(
      'Total active translations: 1 (0 static, 1 dynamic; 0 extended)\n' +
        'Outside interfaces:\n  Ethernet2/0\nInside interfaces:\n  Ethernet2/1\n' +
        'Hits: 7  Misses: 1\nExpired translations: 2\nDynamic mappings:\n-- Inside Source\n' +
        '[Id: 1] access-list 1 pool P refcount 1\n pool P: netmask 255.255.255.248\n' +
        '\tstart 192.0.2.1 end 192.0.2.4\n\ttype generic, total addresses 4, allocated 1 (25%), misses 0\n',
    );
  });
});

describe('show interfaces', () => {
  test('an Ethernet that is up', () => {
    expect(show('interfaces Ethernet2/0')).toBe(
      `Ethernet2/0 is up, line protocol is up
  Hardware is AmdP2, address is 0050.0f0b.8181 (bia 0050.0f0b.8181)
  Internet address is 172.22.1.16/24
  MTU 1500 bytes, BW 10000 Kbit, DLY 1000 usec,
     reliability 255/255, txload 1/255, rxload 1/255
  Encapsulation ARPA, loopback not set
  Keepalive set (10 sec)
  ARP type: ARPA, ARP Timeout 04:00:00
  Last input 00:00:31, output 00:00:09, output hang never
  Last clearing of "show interface" counters never
  Input queue: 0/75/0/0 (size/max/drops/flushes); Total output drops: 0
  Queueing strategy: fifo
  Output queue: 0/40 (size/max)
  5 minute input rate 0 bits/sec, 0 packets/sec
  5 minute output rate 0 bits/sec, 0 packets/sec
     274 packets input, 17822 bytes, 0 no buffer
     Received 229 broadcasts, 0 runts, 0 giants, 0 throttles
     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored
     0 input packets with dribble condition detected
     59 packets output, 6064 bytes, 0 underruns
     0 output errors, 0 collisions, 1 interface resets
     0 babbles, 0 late collision, 0 deferred
     0 lost carrier, 0 no carrier
     0 output buffer failures, 0 output buffers swapped out
`,
    );
  });

  test('one that is shut down, and one without carrier', () => {
    expect(show('interfaces s2/0')).toMatch(/^Serial2\/0 is administratively down, line protocol is down\n/);
    router.system.interfaces = () => [{ ...ethernet('Ethernet2/0', '0050.0f0b.8181'), lineUp: false }];
    expect(show('interfaces e2/0')).toMatch(/^Ethernet2\/0 is down, line protocol is down\n/);
  });

  test('a FastEthernet tells duplex and speed, a Loopback has neither', () => {
    start('interface FastEthernet0/0\n!\ninterface Loopback0');
    router.system.interfaces = () => [{ ...ethernet('FastEthernet0/0', '0050.0f0b.8181'), kbits: 100_000 }];
    expect(show('interfaces f0/0')).toContain(
      '  Keepalive set (10 sec)\n  Full-duplex, 100Mb/s, 100BaseTX/FX\n  ARP type: ARPA, ARP Timeout 04:00:00\n',
    );
    expect(show('interfaces lo0')).toContain(
      '  MTU 1514 bytes, BW 8000000 Kbit, DLY 5000 usec,\n     reliability 255/255, txload 1/255, rxload 1/255\n' +
        '  Encapsulation LOOPBACK, loopback not set\n  Last input never,',
    );
  });

  test('show ip interface brief', () => {
    expect(show('ip interface brief')).toBe(
      'Interface                  IP-Address      OK? Method Status                Protocol\n' +
        'Ethernet2/0                172.22.1.16     YES NVRAM  up                    up\n' +
        'Serial2/0                  unassigned      YES NVRAM  administratively down down\n' +
        'Ethernet2/1                10.10.10.1      YES NVRAM  up                    up\n',
    );
  });

  test('show ip interface tells of lists, translation and inspection', () => {
    const lines = show('ip interface e2/0').split('\n');
    expect(lines[1]).toBe('  Internet address is 172.22.1.16/24');
    expect(lines).toContain('  Inbound  access list is 101');
    expect(lines).toContain('  Network address translation is enabled, interface in domain outside');
    expect(lines.at(-2)).toBe('  Inbound inspection rule is OUT-IN');
    expect(show('ip interface s2/0')).toBe(
      'Serial2/0 is administratively down, line protocol is down\n  Internet protocol processing disabled\n',
    );
  });
});

describe('show ip route', () => {
  const routes = (): string[] => show('ip route').split('\n').slice(8, -1);

  test('of 3640.cfg', () => {
    expect(routes()).toEqual([
      'Gateway of last resort is 172.22.1.1 to network 0.0.0.0',
      '',
      '     172.22.0.0/24 is subnetted, 1 subnets',
      'C       172.22.1.0 is directly connected, Ethernet2/0',
      '     10.0.0.0/24 is subnetted, 1 subnets',
      'C       10.10.10.0 is directly connected, Ethernet2/1',
      'S*   0.0.0.0/0 [1/0] via 172.22.1.1',
    ]);
  });

  test('different masks, whole networks, supernets, distances and several next hops', () => {
    start(
      'ip route 10.20.0.0 255.255.0.0 10.10.10.9\nip route 192.168.0.0 255.255.0.0 10.10.10.9\n' +
        'ip route 192.168.6.0 255.255.255.0 10.10.10.9 5\nip route 192.168.6.0 255.255.255.0 10.10.10.8 5\n' +
        'ip route 192.168.6.0 255.255.255.0 10.10.10.7 9\nip route 192.168.7.0 255.255.255.0 9.9.9.9\n' +
        'ip route 10.99.0.0 255.255.0.0 Null0',
    );
    router.system.interfaces = () => [ethernet('Ethernet2/1', '0050.0f0b.8191')];
    expect(routes()).toEqual([
      'Gateway of last resort is not set',
      '',
      '     10.0.0.0/8 is variably subnetted, 3 subnets, 2 masks',
      'C       10.10.10.0/24 is directly connected, Ethernet2/1',
      'S       10.20.0.0/16 [1/0] via 10.10.10.9',
      'S       10.99.0.0/16 is directly connected, Null0',
      'S    192.168.0.0/16 [1/0] via 10.10.10.9',
      'S    192.168.6.0/24 [5/0] via 10.10.10.9',
      '                    [5/0] via 10.10.10.8',
    ]);
  });
});

test('show ip arp', () => {
  router.system.arp = () => [
    { address: at('172.22.1.16'), hardwareAddress: '0050.0f0b.8181', interfaceName: 'Ethernet2/0' },
    { address: at('172.22.1.1'), hardwareAddress: '0050.56c0.0001', interfaceName: 'Ethernet2/0', ageMinutes: 4 },
    { address: at('172.22.1.9'), interfaceName: 'Ethernet2/0', ageMinutes: 0 },
  ];
  expect(show('ip arp')).toBe(
    'Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n' +
      'Internet  172.22.1.16             -   0050.0f0b.8181  ARPA   Ethernet2/0\n' +
      'Internet  172.22.1.1              4   0050.56c0.0001  ARPA   Ethernet2/0\n' +
      'Internet  172.22.1.9              0   Incomplete      ARPA\n',
  );
});

test('show ip virtual-reassembly', () => {
  expect(show('ip virtual-reassembly e2/0')).toBe(
    `Ethernet2/0:
   Virtual Fragment Reassembly (VFR) is ENABLED...
   Concurrent reassemblies (max-reassemblies): 16
   Fragments per reassembly (max-fragments): 32
   Reassembly timeout (timeout): 3 seconds
   Drop fragments: OFF

   Current reassembly count:0
   Current fragment count:0
   Total reassembly count:4
   Total reassembly failures:1

`,
  );
});

test('show version has the lines that programs read', () => {
  const text = show('version');
  expect(text).toMatch(/^IOS \(tm\) 3600 Software \(\S+\), Version 12\.3, RELEASE SOFTWARE \(\S+\)$/m);
  expect(text).toMatch(/^3640-123 uptime is 2 weeks, 1 day, 4 hours, 10 minutes$/m);
  expect(text).toMatch(/^System image file is "flash:fw3640-0\.1\.0"$/m);
  expect(text).toMatch(/^cisco 3640 \(\S+\) processor \(revision 0x00\) with \d+K\/\d+K bytes of memory\.$/m);
  expect(text).toContain('\n2 Ethernet/IEEE 802.3 interface(s)\n1 Serial network interface(s)\n');
  expect(text).toContain('not software of Cisco Systems');
});

test('show users: the console and the caller who asks', () => {
  new ConsoleSession(router, 'console', 1);
  const caller = new ConsoleSession(router, { vty: 1, from: at('172.22.1.10') }, 15);
  expect(caller.execute('show users').output).toBe(
    '    Line       User       Host(s)              Idle       Location\n' +
      '   0 con 0                idle                 00:00:00 \n' +
      '*131 vty 1                idle                 00:00:00 172.22.1.10\n' +
      '\n  Interface    User               Mode         Idle     Peer Address\n',
  );
});

test('show logging', () => {
  start('logging buffered 8192 warnings\nlogging host 10.9.9.9\nno logging console');
  router.log.lines = () => ['*Oct 18 21:51:35.886: %SYS-5-CONFIG_I: Configured from console by console'];
  expect(show('logging')).toBe(
    `Syslog logging: enabled (0 messages dropped, 0 messages rate-limited,
                0 flushes, 0 overruns, xml disabled, filtering disabled)
    Console logging: disabled, xml disabled,
                     filtering disabled
    Monitor logging: level debugging, 0 messages logged, xml disabled,
                     filtering disabled
    Buffer logging: level warnings, 0 messages logged, xml disabled,
                    filtering disabled
    Logging Exception size (4096 bytes)
    Count and timestamp logging messages: disabled
    Trap logging: level informational, 0 message lines logged
        Logging to 10.9.9.9, 0 message lines logged, xml disabled,
               filtering disabled

Log Buffer (8192 bytes):

*Oct 18 21:51:35.886: %SYS-5-CONFIG_I: Configured from console by console
`,
  );
});

test('show logging without a buffer ends there, whatever the buffer held before', () => {
  router.log.lines = () => ['*Oct 18 21:51:35.886: %SYS-5-CONFIG_I: Configured from console by console'];
  expect(show('logging')).toBe(
    `Syslog logging: enabled (0 messages dropped, 0 messages rate-limited,
                0 flushes, 0 overruns, xml disabled, filtering disabled)
    Console logging: level debugging, 0 messages logged, xml disabled,
                     filtering disabled
    Monitor logging: level debugging, 0 messages logged, xml disabled,
                     filtering disabled
    Buffer logging: disabled, xml disabled,
                    filtering disabled
    Logging Exception size (4096 bytes)
    Count and timestamp logging messages: disabled
    Trap logging: level informational, 0 message lines logged
`,
  );
});

test('show processes', () => {
  expect(show('processes cpu')).toMatch(
    /^CPU utilization for five seconds: 3%\/0%; one minute: 2%; five minutes: 1%\n PID Runtime\(ms\) .* TTY Process\n +1 +\d+ +1 +\d+ +3\.00% +2\.00% +1\.00% +0 IP Input\n$/,
  );
  expect(show('processes memory')).toMatch(
    /^Processor Pool Total: +130023424 Used: +30000000 Free: +100023424\n\n PID TTY +Allocated +Freed +Holding +Getbufs +Retbufs Process\n/,
  );
});

test('show clock counts in the configured time zone', () => {
  start('clock timezone IST 5 30');
  expect(show('clock')).toBe('*03:21:35.886 IST Sat Oct 19 2024\n');
  start('clock timezone EST -5');
  expect(show('clock')).toBe('*16:51:35.886 EST Fri Oct 18 2024\n');
});

test('show clock detail names the time source', () => {
  expect(show('clock detail')).toBe('*21:51:35.886 UTC Fri Oct 18 2024\nNo time source\n');
});

test('show ip protocols: static routes belong to none', () => expect(show('ip protocols')).toBe(''));

describe('show hosts', () => {
  const CODES = `
Codes: UN - unknown, EX - expired, OK - OK, ?? - revalidate
       temp - temporary, perm - permanent
       NA - Not Applicable None - Not defined

Host                      Port  Flags      Age Type   Address(es)
`;

  test('without names', () => {
    expect(show('hosts')).toBe(
      `Default domain is not set\nName/address lookup uses domain service\nName servers are 255.255.255.255\n${CODES}`,
    );
    start('no ip domain-lookup');
    expect(show('hosts')).toBe(`Default domain is not set\nName/address lookup uses static mappings\n${CODES}`);
  });

  test('with the host table', () => {
    start(
      'ip domain-name example.net\nip name-server 10.10.10.8 10.10.10.9\n' +
        'ip host mail 10.10.10.2\nip host console-server 2001 10.10.10.5 10.10.10.6',
    );
    expect(show('hosts')).toBe(
      'Default domain is example.net\nName/address lookup uses domain service\nName servers are 10.10.10.8, 10.10.10.9\n' +
        `${CODES}mail                      None  (perm, OK)  0   IP    10.10.10.2\n` +
        'console-server            2001  (perm, OK)  0   IP    10.10.10.5\n' +
        '                                                      10.10.10.6\n',
    );
  });
});

test('show line: each line, who is on it, and how often it was used', () => {
  start('access-list 23 permit 10.10.10.0 0.0.0.255\nline vty 0 2\n access-class 23 in\nline vty 3 5\n login');
  const caller = new ConsoleSession(router, { vty: 1, from: at('172.22.1.10') }, 15);
  new ConsoleSession(router, { vty: 0, from: at('172.22.1.10') }).close();
  new ConsoleSession(router, { vty: 0, from: at('172.22.1.10') }).close();
  expect(caller.execute('show line').output).toBe(
    `   Tty Typ     Tx/Rx    A Modem  Roty AccO AccI   Uses   Noise  Overruns   Int
      0 CTY              -    -      -    -    -      0       0     0/0       -
    129 AUX   9600/9600  -    -      -    -    -      0       0     0/0       -
    130 VTY              -    -      -    -   23      2       0     0/0       -
*   131 VTY              -    -      -    -   23      1       0     0/0       -
    132 VTY              -    -      -    -   23      0       0     0/0       -
    133 VTY              -    -      -    -    -      0       0     0/0       -
    134 VTY              -    -      -    -    -      0       0     0/0       -
    135 VTY              -    -      -    -    -      0       0     0/0       -

Line(s) not in async mode -or- with no hardware support:
1-128

`,
  );
});

test('show terminal: the settings of the session that asks', () => {
  start('line vty 0 4\n exec-timeout 0 0\n length 30');
  const caller = new ConsoleSession(router, { vty: 1, from: at('172.22.1.10') }, 15);
  const text = (): string => caller.execute('show terminal').output;
  expect(text()).toBe(
    `Line 131, Location: "", Type: ""
Length: 30 lines, Width: 80 columns
Status: Ready, Active, No Exit Banner
Capabilities: none
Modem state: Ready
Special Chars: Escape  Hold  Stop  Start  Disconnect  Activation
                ^^x    none   -     -       none
Timeouts:      Idle EXEC    Idle Session   Modem Answer  Session   Dispatch
               never           never                        none     not set
                            Idle Session Disconnect Warning
                              never
                            Login-sequence User Response
                             00:00:30
                            Autoselect Initial Wait
                              not set
Modem type is unknown.
Session limit is not set.
Time since activation: 00:00:00
Editing is enabled.
History is enabled, history size is 20.
Full user help is disabled
No output characters are padded
No special data dispatching characters
`,
  );
  for (const line of ['terminal length 0', 'terminal width 132', 'terminal monitor', 'terminal history size 2'])
    caller.execute(line);
  expect(text()).toMatch(
    /^Line 131.*\nLength: 0 lines, Width: 132 columns\n.*\nCapabilities: Receives Logging Output\n/,
  );
  expect(text()).toContain('history size is 2.\n');
  expect(caller.history).toEqual(['show terminal', 'show terminal']);
  expect(show('terminal')).toMatch(/^Line 0,.*\nLength: 24 lines.*\n[^]* {15}00:10:00 {8}never/);
});

test('show ip traffic prints what is counted, each figure at its place', () => {
  // Every counter has a number of its own.
  const icmp = (way: string): string[] =>
    [0, 3, 4, 5, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18].map((t) => `IcmpMsg${way}Type${t}`);
  const names = [
    ...'InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDelivers OutRequests OutNoRoutes ReasmTimeout ReasmOKs ReasmFails FragOKs FragFails'
      .split(' ')
      .map((n) => `Ip${n}`),
    ...'InNoRoutes InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InCsumErrors'.split(' ').map((n) => `IpExt${n}`),
    ...['IcmpInMsgs', 'IcmpInErrors', 'IcmpInCsumErrors', ...icmp('In'), ...icmp('Out')],
    ...['UdpInDatagrams', 'UdpNoPorts', 'UdpInErrors', 'UdpInCsumErrors', 'UdpOutDatagrams'],
    ...['TcpInSegs', 'TcpInCsumErrors', 'TcpOutSegs'],
  ];
  const counters: Record<string, number> = Object.fromEntries(names.map((n, i) => [n, 100 + i]));
  Object.assign(counters, { IpInHdrErrors: 1000, IcmpInErrors: 1000, IcmpInMsgs: 5000 });
  router.system.ipCounters = () => counters;
  const c = (name: string): number => counters[name]!;
  const inbound = [0, 3, 4, 5, 8, 9, 10, 12, 13, 15, 17, 18].reduce((sum, t) => sum + c(`IcmpMsgInType${t}`), 0);
  expect(show('ip traffic')).toBe(
    `IP statistics:
  Rcvd:  100 total, 105 local destination
         ${1000 - c('IpExtInCsumErrors')} format errors, 118 checksum errors
         104 unknown protocol, 102 not a gateway
  Frags: 109 reassembled, 108 timeouts, 110 couldn't reassemble
         111 fragmented, 112 couldn't fragment
  Bcast: 116 received, 117 sent
  Mcast: 114 received, 115 sent
  Sent:  106 generated, 103 forwarded
  Drop:  ${107 + 113} no route, 0 forced drop

ICMP statistics:
  Rcvd: ${1000 - 121} format errors, 121 checksum errors, 125 redirects, 123 unreachable
        126 echo, 122 echo reply, 134 mask requests, 135 mask replies, 124 quench
        130 parameter, 131 timestamp, 132 info request, ${5000 - inbound} other
        128 irdp solicitations, 127 irdp advertisements
  Sent: 139 redirects, 137 unreachable, 140 echo, 136 echo reply
        148 mask requests, 149 mask replies, 138 quench, 145 timestamp
        147 info reply, 143 time exceeded, 144 parameter problem
        142 irdp solicitations, 141 irdp advertisements

UDP statistics:
  Rcvd: ${150 + 151 + 152} total, 153 checksum errors, 151 no port
  Sent: 154 total, 0 forwarded broadcasts

TCP statistics:
  Rcvd: 155 total, 156 checksum errors
  Sent: 157 total
`,
  );
  router.snapshot.counters = () => [
    reading('drop', 'acl', 4),
    reading('drop', 'fragment', 3),
    reading('smtp', 'masked', 9),
  ];
  expect(show('ip traffic')).toContain(' no route, 7 forced drop\n');
});

describe('show tech-support', () => {
  test('has its sections in their order, each as its command prints it', () => {
    const text = show('tech-support');
    const headings = [...text.matchAll(/^-{18} (.*) -{18}$/gm)].map((m) => m[1]);
    expect(headings.slice(0, 5)).toEqual([
      'show version',
      'show running-config',
      'show interfaces',
      'show process memory',
      'show process cpu',
    ]);
    for (const command of headings.filter((h) => h !== 'show running-config')) {
      const output = show((command ?? '').replace('show ', '').replace('process ', 'processes '));
      expect(text).toContain(`\n------------------ ${command ?? ''} ------------------\n\n${output}\n`);
    }
  });

  const SECRET = 'S3cr3t';
  test.each([
    `no service password-encryption\nenable password ${SECRET}`,
    'enable password 7 0822455D0A16',
    'enable secret 5 $1$abcd$2mQDqBIl1k7TLjiPHnxJe/',
    `no service password-encryption\nusername admin privilege 15 password 0 ${SECRET}`,
    'username admin secret 5 $1$abcd$2mQDqBIl1k7TLjiPHnxJe/',
    `no service password-encryption\nline vty 0 4\n password ${SECRET}`,
    `snmp-server community ${SECRET} RO 5`,
    `snmp-server host 10.0.0.1 ${SECRET}`,
    `radius-server host 10.0.0.1 key ${SECRET}`,
    `tacacs-server key ${SECRET}`,
    `crypto isakmp key ${SECRET} address 10.0.0.1`,
    `ntp authentication-key 1 md5 ${SECRET} 7`,
    `interface Ethernet2/0\n ip ospf message-digest-key 1 md5 ${SECRET}`,
    `interface Ethernet2/0\n ip ospf authentication-key ${SECRET}`,
    `interface Serial2/0\n ppp chap password 0 ${SECRET}`,
    `interface Serial2/0\n ppp pap sent-username me password 0 ${SECRET}`,
    `interface Serial2/0\n standby 1 authentication ${SECRET}`,
  ])('shows no secret of %s', (lines) => {
    start(lines);
    const secret = /\$1\$\S+|0822455D0A16|S3cr3t/;
    expect(show('running-config')).toMatch(secret);
    const text = show('tech-support');
    expect(text).not.toMatch(secret);
    expect(text).toContain('<removed>');
    expect(text).toContain('service password-encryption\n');
    expect(text).not.toMatch(/02050D4808095E731F|121A0C0411045D5679/); // of 3640.cfg itself
  });
});

test.each([
  [0, '00:00:00', '00:00:00', '0 minutes'],
  [86_399_000, '23:59:59', '23:59:59', '23 hours, 59 minutes'],
  [93_600_000, '26:00:00', '1d02h', '1 day, 2 hours, 0 minutes'],
  [8 * 86_400_000, '192:00:00', '1w1d', '1 week, 1 day, 0 minutes'],
  [400 * 86_400_000, '9600:00:00', '1y5w', '1 year, 5 weeks, 0 minutes'],
])('%d ms are %s, %s, %s', (ms, clock, short, words) => {
  expect([hoursMinutesSeconds(ms), age(ms), uptimeWords(ms)]).toEqual([clock, short, words]);
});

describe('show tcp intercept', () => {
  test('connections', () => {
    expect(show('tcp intercept connections')).toBe(
      [
        'Incomplete:',
        'Client                Server               State    Create   Timeout  Mode',
        '10.10.10.5:33772      172.22.1.30:80       SYNSENT  00:00:09 00:00:05 I',
        '',
        'Established:',
        'Client                Server               State    Create   Timeout  Mode',
        '10.10.10.6:33771      172.22.1.30:23       ESTAB    00:00:08 23:59:54 W',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['', 'no access-list is set: new connections are not intercepted'],
    ['ip tcp intercept list 150', 'intercepting new connections using access-list 150'],
    ['ip tcp intercept list 150\nip tcp intercept mode watch', 'watching new connections using access-list 150'],
  ])('statistics: %j', (extra, first) => {
    start(extra);
    expect(show('tcp intercept statistics')).toBe(
      `${first}\n1 incomplete, 1 established connections (total 2)\n1 minute connection request rate 2 requests/sec\n` +
        '7 SYNs answered with a cookie, 2 came back\n',
    );
  });
});
