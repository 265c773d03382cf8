import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../../src/core/engine.js';
import { compilePolicy } from '../../../src/ios/compile/policy.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import { explain, type Trace } from '../../../src/ios/trace/explain.js';
import { traceConfig } from '../../../src/ios/trace/index.js';
import type { TracedPacket } from '../../../src/ios/trace/probe.js';
import { PASS } from '../../../src/core/verdict.js';
import { ControlConnection, INSIDE, OUTSIDE } from '../../inspect/ftp/control-connection.js';
import { LeftMemory } from '../../support/left-memory.js';
import { Router3640 } from '../../support/router-3640.js';
import { dotted, icmpPacket, ip, received, sent, tcpPacket, udpPacket } from '../../support/packets.js';
import { fakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const ask = (ingress: string, words: string): string => traceConfig(seed, '3640.cfg', ingress, words.split(' ')).report;

test('mail to the server: each step, and the line that decided it', () => {
  expect(ask('e2/0', 'tcp 198.51.100.7 40000 172.22.1.110 25')).toBe(
    ` 1  Interface              Ethernet2/0, NAT outside
 2  Input access list      101, entry 10: permitted
                           access-list 101 permit tcp any host 172.22.1.110 eq smtp   (3640.cfg:94)
 3  NAT outside to inside  172.22.1.110 becomes 10.10.10.2
                           ip nat inside source static 10.10.10.2 172.22.1.110   (3640.cfg:89)
 4  Route                  10.10.10.0/24 is directly connected, Ethernet2/1
 5  Output access list     none on Ethernet2/1
 6  Inspection             OUT-IN (in on Ethernet2/0): smtp, a session of 3600 s opens
                           ip inspect name OUT-IN smtp   (3640.cfg:39)
Result: forwarded by Ethernet2/1; replies pass because of the session
`,
  );
});

test.each([
  ['e2/0', 'tcp 198.51.100.7 40000 172.22.1.110 80', 'Result: dropped: denied by access list\n'],
  ['e2/0', 'icmp 198.51.100.7 172.22.1.110 echo', '101: no entry matches: denied'],
  ['e2/1', 'udp 10.10.10.5 1025 192.0.2.1 domain', 'IN-OUT (in on Ethernet2/1): udp, a session of 30 s opens'],
  ['e2/1', 'udp 10.10.10.5 1025 192.0.2.1 domain', '10.10.10.5 becomes 172.22.1.111'],
  ['e2/1', 'tcp 10.10.10.9 1025 192.0.2.1 www', '10.10.10.9 has no translation and stays'],
  ['e2/1', 'tcp 10.10.10.9 1025 192.0.2.1 www', 'ip route 0.0.0.0 0.0.0.0 172.22.1.1   (3640.cfg:85)'],
  ['e2/1', 'icmp 10.10.10.2 192.0.2.1 echo-reply', 'only requests open a session'],
  ['e2/1', 'ip gre 10.10.10.2 192.0.2.1', 'no rule names this protocol'],
  ['e2/1', 'tcp 10.10.10.2 1025 172.22.1.16 23', 'delivered to the router itself'],
  ['e2/0', 'tcp 10.10.10.9 1025 172.22.1.110 25', 'Result: dropped: a spoofed source address\n'],
  ['e2/0', 'tcp 172.22.1.16 1025 172.22.1.110 25', '172.22.1.16 is inside, or the router'],
  ['s2/0', 'tcp 1.1.1.1 1 2.2.2.2 2', 'dropped: the interface is shut down'],
  ['e9/9', 'tcp 1.1.1.1 1 2.2.2.2 2', 'there is no interface Ethernet9/9: the configuration has Ethernet2/0'],
])('%s %s: %s', (ingress, words, want) => expect(ask(ingress, words)).toContain(want));

test.each([
  [
    'static tcp 10.10.10.9 80 172.22.1.112 2000',
    'e2/0',
    'tcp 192.0.2.7 1 172.22.1.112 2000',
    '172.22.1.112:2000 becomes 10.10.10.9:80',
  ],
  [
    'static tcp 10.10.10.9 80 172.22.1.112 2000',
    'e2/0',
    'tcp 192.0.2.7 1 172.22.1.112 80',
    'dropped: nothing is translated there',
  ],
  ['static network 10.10.10.0 172.22.9.0 /24', 'e2/0', 'udp 192.0.2.7 1 172.22.9.9 2', '172.22.9.9 becomes 10.10.10.9'],
  [
    'list 1 interface Ethernet2/0 overload',
    'e2/1',
    'udp 10.10.10.9 1 192.0.2.7 2',
    '10.10.10.9:1 becomes 172.22.1.16:1',
  ],
  ['list 1 pool P', 'e2/1', 'udp 10.10.10.9 1 192.0.2.7 2', '10.10.10.9 becomes 172.22.1.112'],
  ['list 1 pool P', 'e2/1', 'udp 10.10.10.9 1 192.0.2.7 2', 'ip nat inside source list 1 pool P   (x.cfg:'],
  ['list 1 pool P', 'e2/0', 'udp 192.0.2.7 1 172.22.1.112 2', 'dropped: nothing is translated there'],
])('ip nat inside source %s: %s %s: %s', (source, ingress, words, want) => {
  const lines = `access-list 1 permit any\nip nat pool P 172.22.1.110 172.22.1.113 netmask 255.255.255.0
access-list 101 permit ip any any\nip nat inside source ${source}`;
  const { report } = traceConfig(seed.replace(/\nend\n/, `\n${lines}\nend\n`), 'x.cfg', ingress, words.split(' '));
  expect(report).toContain(want);
});

test('what is no packet is shown where it goes wrong', () => {
  expect(traceConfig(seed, '3640.cfg', 'e2/0', ['tcp', '1.1.1.1', 'x'])).toEqual({
    report: `tcp 1.1.1.1 x\n            ^\nExpected: tcp|udp SOURCE PORT DESTINATION PORT, icmp SOURCE DESTINATION TYPE, or ip PROTOCOL SOURCE DESTINATION\n`,
    exitCode: 2,
  });
  expect(traceConfig('bogus', 'x.cfg', 'e2/0', ['tcp']).exitCode).toBe(2);
});

describe('on the running router', () => {
  const router = fakeRouter(seed);
  const session = new ConsoleSession(router, 'console', 15);

  test('packet-tracer asks the configuration in force', () => {
    const { output } = session.execute('packet-tracer input e2/0 tcp 198.51.100.7 40000 172.22.1.110 smtp');
    expect(output).toContain('Session                none: this is the first packet of a flow');
    expect(output).toContain('permit tcp any host 172.22.1.110 eq smtp   (line 94)');
  });

  test('a packet of a known session passes by the lists, in both directions', () => {
    const r = new Router3640();
    const segment = { src: '198.51.100.7', srcPort: 40000, dst: '172.22.1.110', dstPort: 25 };
    expect(r.fromOutside(tcpPacket({ ...segment, flags: 'S' })).verdict).toBe(PASS);
    const running = new ConsoleSession({ ...router, memory: () => r.memory }, 'console', 15);
    const known = '63000000 (198.51.100.7:40000)=>(172.22.1.110:25) smtp SIS_OPENING: access lists are bypassed';
    for (const probe of ['e2/0 tcp 198.51.100.7 40000 172.22.1.110 25', 'e2/1 tcp 10.10.10.2 25 198.51.100.7 40000']) {
      const { output } = running.execute(`packet-tracer input ${probe}`);
      expect(output).toContain(known);
      expect(output).toContain('Result: forwarded by ');
    }
    const { output } = running.execute('packet-tracer input e2/0 tcp 198.51.100.7 40001 172.22.1.110 25');
    expect(output).not.toContain(known);
  });

  test('tables that cannot be read are said to be so', () => {
    const blind = new ConsoleSession({ ...router, memory: () => 'unreadable' }, 'console', 15);
    const { output } = blind.execute('packet-tracer input e2/0 tcp 198.51.100.7 40000 172.22.1.110 25');
    expect(output).toContain('Session                not known: the tables of the data plane cannot be read');
  });
});

// --- the law: it says what the engine does ---

const hosts = ['10.10.10.2', '10.10.10.5', '10.10.10.9', '172.22.1.110', '172.22.1.111', '172.22.1.1', '192.0.2.7'];
const host = fc.constantFrom(...hosts);
const port = fc.constantFrom(25, 80, 1024, 2000);
const endpoint = fc.oneof(
  fc.constant('any'),
  host.map((h) => `host ${h}`),
  host.map((h) => `${h} 0.0.0.255`),
);
const test4 = fc.oneof(
  fc.constant(''),
  port.map((p) => ` eq ${p}`),
  port.map((p) => ` gt ${p}`),
  port.map((p) => ` neq ${p}`),
  fc.constant(' range 26 1500'),
);
const entry = fc.oneof(
  fc
    .tuple(fc.constantFrom('tcp', 'udp'), endpoint, test4, endpoint, test4)
    .map((t) => `${t[0]} ${t[1]}${t[2]} ${t[3]}${t[4]}`),
  fc.tuple(fc.constantFrom('ip', 'icmp', 'gre'), endpoint, endpoint).map((t) => t.join(' ')),
  fc
    .tuple(endpoint, endpoint, fc.constantFrom(' echo', ' 3 1', ' established'))
    .map(([a, b, what]) => (what === ' established' ? `tcp ${a} ${b}${what}` : `icmp ${a} ${b}${what}`)),
);
const list = (number: number): fc.Arbitrary<string[]> =>
  fc.array(
    fc.tuple(fc.constantFrom('permit', 'deny'), entry).map(([a, e]) => `access-list ${number} ${a} ${e}`),
    { minLength: 1, maxLength: 5 },
  );
const applied = fc.subarray([
  'interface Ethernet2/0\n ip access-group 102 in',
  'interface Ethernet2/0\n ip access-group 103 out',
  'interface Ethernet2/1\n ip access-group 104 in',
  'interface Ethernet2/1\n ip access-group 103 out',
  'interface Ethernet2/0\n ip inspect IN-OUT out',
  'interface Ethernet2/0\n no ip inspect in',
  'interface Ethernet2/1\n no ip inspect in',
  'no ip inspect name IN-OUT tcp',
  'no ip nat inside source static 10.10.10.5 172.22.1.111',
]);
const config = fc.tuple(list(102), list(103), list(104), applied).map((parts) => configOf(parts.flat().join('\n')));

/** 3640.cfg with these lines before its end. */
function configOf(lines: string): RouterConfig {
  const { config: made, errors } = parseConfig(seed.replace(/\nend\n/, `\n${lines}\nend\n`), 'random.cfg');
  const wrong = errors.filter((e) => e.severity === 'error');
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong[0]));
  return made;
}

type Packet = TracedPacket & { from: string; to: string };

/** A first packet from either side. `outside`: what senders there call themselves. */
function probeTo(to: fc.Arbitrary<string>, outside = ['172.22.1.1', '192.0.2.7']): fc.Arbitrary<Packet> {
  return (
    fc
      .record({
        ingress: fc.constantFrom('Ethernet2/0', 'Ethernet2/1'),
        kind: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const),
        inside: fc.constantFrom('10.10.10.2', '10.10.10.5', '10.10.10.9'),
        outside: fc.constantFrom(...outside),
        to,
        srcPort: port,
        dstPort: port,
      })
      // A sender stands on the side that its packet comes from, and sends to another.
      .map(({ inside, outside, ...p }) => ({ ...p, from: p.ingress === 'Ethernet2/1' ? inside : outside }))
      .filter((p) => p.from !== p.to)
      .map(({ kind, ...p }) => ({
        ...p,
        src: ip(p.from),
        dst: ip(p.to),
        protocol: { tcp: 6, udp: 17, icmp: 1 }[kind],
        ...(kind === 'icmp' ? { icmp: { type: 8, code: 0 }, srcPort: 0, dstPort: 0 } : {}),
      }))
  );
}
const probe = probeTo(host, ['172.22.1.1', '192.0.2.7', '10.10.10.9', '172.22.1.16']);

/** @param id identifier of an ICMP query */
function bytesOf(p: Packet, id = 7): Uint8Array {
  if (p.protocol === 1) return icmpPacket(p.from, p.to, 8, 0, [0, id, 0, 1, 1, 2, 3, 4]);
  if (p.protocol === 17) return udpPacket(p.from, p.srcPort, p.to, p.dstPort, 'x');
  return tcpPacket({ src: p.from, srcPort: p.srcPort, dst: p.to, dstPort: p.dstPort, flags: 'S' });
}

const NOBODY = { event: () => undefined, inject: () => undefined, release: () => undefined };
const engineOf = (c: RouterConfig, { source } = new LeftMemory()): Engine =>
  new Engine(compilePolicy(c), { capacity: 64, seed: 1, now: 0, memory: source }, NOBODY);

test('what it says of a first packet is what the engine does', () => {
  fc.assert(
    fc.property(config, fc.array(probe, { minLength: 1, maxLength: 6 }), (c, probes) => {
      for (const p of probes)
        expect(explain({ config: c }, p).forwarded).toBe(pass(engineOf(c), c, p, bytesOf(p)).forwarded);
    }),
    { numRuns: 60 },
  );
}, 60_000);

interface Passed {
  forwarded: boolean;
  /** As the packet goes on. */
  ends?: { src: number; srcPort: number; dst: number; dstPort: number };
}

/** One packet through the engine. */
function pass(engine: Engine, c: RouterConfig, p: TracedPacket, bytes: Uint8Array): Passed {
  const packet = received(
    bytes,
    c.interfaces.findIndex((i) => i.name === p.ingress),
  );
  if (engine.handle(packet, 1) !== PASS) return { forwarded: false };
  const b = sent(packet);
  const view = new DataView(b.buffer, b.byteOffset);
  const port = (offset: number): number => (p.protocol === 1 ? 0 : view.getUint16(20 + offset));
  return {
    forwarded: true,
    ends: { src: view.getInt32(12), srcPort: port(0), dst: view.getInt32(16), dstPort: port(2) },
  };
}

const toldOf = ({ forwarded, ends }: Trace): Passed => ({ forwarded, ...(ends !== undefined && { ends }) });

// --- NAT of every kind, in both directions ---

const natLines = fc
  .tuple(
    fc.subarray([
      'no ip nat inside source static 10.10.10.2 172.22.1.110',
      'no ip nat inside source static 10.10.10.5 172.22.1.111',
      'ip nat inside source static tcp 10.10.10.9 80 172.22.1.112 2000',
      'ip nat inside source static tcp 10.10.10.9 25 interface Ethernet2/0 25',
      'ip nat inside source static udp 10.10.10.5 1024 172.22.1.113 80',
      'ip nat inside source static tcp 10.10.10.2 25 172.22.1.114 25 extendable',
      'ip nat inside source static network 10.10.10.0 172.22.9.0 /24',
    ]),
    fc.constantFrom(
      'access-list 1 permit 10.10.10.9',
      'access-list 1 permit 10.10.10.0 0.0.0.255',
      'access-list 1 deny 10.10.10.5\naccess-list 1 permit any',
      '!',
    ),
    fc.constantFrom('172.22.1.120 172.22.1.121', '172.22.1.110 172.22.1.112', '172.22.1.111 172.22.1.111'),
    fc.constantFrom(
      '!',
      'ip nat inside source list 1 pool P',
      'ip nat inside source list 1 pool P overload',
      'ip nat inside source list 1 interface Ethernet2/0 overload',
      'access-list 105 permit tcp any any eq 80\nip nat inside source list 105 pool P\n' +
        'ip nat inside source list 1 interface Ethernet2/0 overload',
    ),
    fc.subarray([
      'interface Ethernet2/0\n no ip access-group 101 in',
      'interface Ethernet2/0\n no ip inspect OUT-IN in',
      'interface Ethernet2/0\n ip inspect IN-OUT in',
      'access-list 101 permit udp any any',
      'access-list 103 permit ip any 172.22.0.0 0.0.255.255\ninterface Ethernet2/0\n ip access-group 103 out',
    ]),
  )
  .map(([statics, list, pool, dynamic, other]) =>
    [...statics, list, `ip nat pool P ${pool} netmask 255.255.255.0`, dynamic, ...other].join('\n'),
  );
const natHost = fc.constantFrom(
  ...['172.22.1.110', '172.22.1.111', '172.22.1.112', '172.22.1.113', '172.22.1.114', '172.22.1.120', '172.22.1.121'],
  ...['172.22.1.16', '172.22.9.5', '172.22.9.9', '172.22.1.1', '192.0.2.7', '10.10.10.2'],
);
const natProbe = probeTo(natHost);

test('where NAT sends a first packet is what the engine makes of it', () => {
  fc.assert(
    fc.property(natLines, fc.array(natProbe, { minLength: 1, maxLength: 8 }), (lines, probes) => {
      const c = configOf(lines);
      for (const p of probes) {
        const was = pass(engineOf(c), c, p, bytesOf(p));
        expect([describeProbe(p), toldOf(explain({ config: c }, p))]).toEqual([describeProbe(p), was]);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('on a router with sessions and translations, too: of further packets, and of answers', () => {
  const action = fc.oneof(natProbe, fc.nat({ max: 20 }));
  fc.assert(
    fc.property(natLines, fc.array(action, { minLength: 2, maxLength: 12 }), (lines, actions) => {
      const c = configOf(lines);
      const left = new LeftMemory();
      const engine = engineOf(c, left);
      const gone: { p: Packet; ends: NonNullable<Passed['ends']> }[] = [];
      const opened = new Set<string>();
      const called = new Map<string, string>();
      for (const [i, a] of actions.entries()) {
        const p = typeof a === 'number' ? answerTo(gone[a % Math.max(1, gone.length)]) : a;
        if (p === undefined) continue;
        const memory = { source: left.copy(), now: 1, capacity: 64, cookieKey: new Int32Array(4) };
        const said = explain({ config: c, memory }, p);
        // A probe of TCP is a SYN: the first one of its flow, or, of a known session, what stands for the answer.
        const flow = [`${p.src}:${p.srcPort}`, `${p.dst}:${p.dstPort}`].sort().join();
        const known = said.steps.some((s) => s.stage === 'Session' && s.text.includes('bypassed'));
        if (p.protocol === 6 && (typeof a === 'number' ? !known : opened.has(flow))) continue;
        if (p.protocol === 6) opened.add(flow);
        // A host that calls itself, and two conversations that are one for the host inside, which is called by two of
        // its addresses: anybody's guess.
        const { dst, dstPort } = said.ends ?? p;
        if (dst === p.src) continue;
        const inside = [p.protocol, p.src, p.srcPort, dst, dstPort].join();
        if ((called.get(inside) ?? p.to) !== p.to) continue;
        called.set(inside, p.to);
        const was = pass(engine, c, p, typeof a === 'number' ? answerBytes(p) : bytesOf(p, i));
        expect([describeProbe(p), toldOf(said)]).toEqual([describeProbe(p), was]);
        if (was.ends !== undefined && isAnswered(p, a)) gone.push({ p, ends: was.ends });
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

/** The packet that comes back, from whom this one went to. */
function answerTo(one: { p: Packet; ends: NonNullable<Passed['ends']> } | undefined): Packet | undefined {
  if (one === undefined) return undefined;
  const { src, srcPort, dst, dstPort } = one.ends;
  const ingress = dst >>> 8 === ip('10.10.10.0') >>> 8 ? 'Ethernet2/1' : 'Ethernet2/0';
  return {
    ingress,
    protocol: one.p.protocol,
    src: dst,
    srcPort: dstPort,
    dst: src,
    dstPort: srcPort,
    from: dotted(dst),
    to: dotted(src),
  };
}

/** Datagrams are answered, and answers to them; of TCP, a SYN is. */
const isAnswered = (p: Packet, action: Packet | number): boolean =>
  p.protocol === 17 || (p.protocol === 6 && typeof action !== 'number');

const answerBytes = (p: Packet): Uint8Array =>
  p.protocol === 6
    ? tcpPacket({ src: p.from, srcPort: p.srcPort, dst: p.to, dstPort: p.dstPort, flags: 'SA', seq: 500, ack: 1 })
    : bytesOf(p);

const describeProbe = (p: Packet): string => `${p.ingress} ${p.protocol} ${p.from}:${p.srcPort} > ${p.to}:${p.dstPort}`;

test('an FTP data connection that the control connection has announced is let in, any other is not', () => {
  const lines = 'ip inspect name OUT-IN ftp\naccess-list 101 permit tcp any host 172.22.1.111 eq ftp';
  const r = new Router3640(lines);
  const c = new ControlConnection(r, OUTSIDE, INSIDE).login();
  c.say('PASV');
  c.reply('227 Entering Passive Mode (10,10,10,5,200,10).');
  const port = 200 * 256 + 10;
  const ask = (dstPort: number): Trace => {
    const ends = { src: ip(OUTSIDE.address), srcPort: 4000, dst: ip(INSIDE.seen), dstPort };
    return explain({ config: r.config, memory: r.memory }, { ingress: 'Ethernet2/0', protocol: 6, ...ends });
  };
  expect([ask(port + 1).forwarded, ask(port).forwarded]).toEqual([false, true]);
  expect(ask(port).steps.find((s) => s.stage === 'Session')?.text).toContain('announced by a control session');
  expect(c.data(true, 4000, port).verdict).toBe(PASS); // and so it is
});
