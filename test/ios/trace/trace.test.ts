import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../../src/engine.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { explain } from '../../../src/ios/trace/explain.js';
import { traceConfig } from '../../../src/ios/trace/index.js';
import type { Probe } from '../../../src/ios/trace/probe.js';
import { PASS } from '../../../src/verdict.js';
import { icmpPacket, ip, received, tcpPacket, udpPacket } from '../../support/packets.js';
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
  ['s2/0', 'tcp 1.1.1.1 1 2.2.2.2 2', 'dropped: the interface is shut down'],
  ['e9/9', 'tcp 1.1.1.1 1 2.2.2.2 2', 'dropped: there is no interface Ethernet9/9'],
])('%s %s: %s', (ingress, words, want) => expect(ask(ingress, words)).toContain(want));

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
    router.sessions.push({
      id: 0x66f96eb0,
      protocol: 6,
      service: 'smtp',
      state: 'SIS_OPEN',
      initiator: ip('198.51.100.7'),
      initiatorPort: 40000,
      responder: ip('172.22.1.110'),
      responderPort: 25,
      createdAgo: 0,
      heardAgo: 0,
      initiatorBytes: 0,
      responderBytes: 0,
    });
    const known = '66F96EB0 (198.51.100.7:40000)=>(172.22.1.110:25) smtp SIS_OPEN: access lists are bypassed';
    for (const probe of ['e2/0 tcp 198.51.100.7 40000 172.22.1.110 25', 'e2/1 tcp 10.10.10.2 25 198.51.100.7 40000'])
      expect(session.execute(`packet-tracer input ${probe}`).output).toContain(known);
    expect(session.execute('packet-tracer input e2/0 tcp 198.51.100.7 40001 172.22.1.110 25').output).not.toContain(
      known,
    );
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
const config = fc.tuple(list(102), list(103), list(104), applied).map((parts) => {
  const { config: made, errors } = parseConfig(
    seed.replace(/\nend\n/, `\n${parts.flat().join('\n')}\nend\n`),
    'random.cfg',
  );
  if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
  return made;
});
const probe: fc.Arbitrary<Probe & { from: string; to: string }> = fc
  .record({
    ingress: fc.constantFrom('Ethernet2/0', 'Ethernet2/1'),
    kind: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const),
    inside: fc.constantFrom('10.10.10.2', '10.10.10.5', '10.10.10.9'),
    outside: fc.constantFrom('172.22.1.1', '192.0.2.7'),
    to: host,
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
  }));

function bytesOf(p: Probe & { from: string; to: string }): Uint8Array {
  if (p.protocol === 1) return icmpPacket(p.from, p.to, 8, 0, [0, 7, 0, 1, 1, 2, 3, 4]);
  if (p.protocol === 17) return udpPacket(p.from, p.srcPort, p.to, p.dstPort, 'x');
  return tcpPacket({ src: p.from, srcPort: p.srcPort, dst: p.to, dstPort: p.dstPort, flags: 'S' });
}

test('what it says of a first packet is what the engine does', () => {
  const nobody = { event: () => undefined, inject: () => undefined, release: () => undefined };
  fc.assert(
    fc.property(config, fc.array(probe, { minLength: 1, maxLength: 6 }), (c, probes) => {
      for (const p of probes) {
        const engine = new Engine(c, { capacity: 64, seed: 1, now: 0 }, nobody);
        const packet = received(
          bytesOf(p),
          c.interfaces.findIndex((i) => i.name === p.ingress),
        );
        expect(explain(c, p).forwarded).toBe(engine.handle(packet, 1) === PASS);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);
