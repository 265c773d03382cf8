/** Laws of dynamic translation, against a slow and obvious twin: a list of the flows that were seen outside. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/ios/config/parse.js';
import { PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, icmpPacket, tcpPacket, udpPacket } from '../support/packets.js';
import { CONFIG_TEXT, type Outcome, Router3640 } from '../support/router-3640.js';

const UDP_TIMEOUT_MS = 300_000;

/** PAT on few addresses, so that flows meet; uninspected, so that only the translation decides what comes back. */
const CONFIG = `no access-list 101
access-list 101 permit ip any any
interface Ethernet2/0
 no ip inspect OUT-IN in
interface Ethernet2/1
 no ip inspect IN-OUT in
access-list 1 permit 10.10.10.0 0.0.0.255
ip nat pool P 172.22.1.120 172.22.1.121 netmask 255.255.255.0
ip nat inside source list 1 pool P overload`;

interface Flow {
  protocol: 'udp' | 'tcp' | 'icmp';
  host: number;
  port: number;
  server: number;
  serverPort: number;
}

const flow = fc.record<Flow>({
  protocol: fc.constantFrom('udp', 'tcp', 'icmp'),
  host: fc.integer({ min: 6, max: 9 }),
  port: fc.constantFrom(7, 600, 4000, 4001),
  server: fc.integer({ min: 10, max: 11 }),
  serverPort: fc.constantFrom(53, 80),
});

const inside = (f: Flow): string => `10.10.10.${f.host}`;
const server = (f: Flow): string => `172.22.1.${f.server}`;

function packetOf(f: Flow): Uint8Array {
  const { protocol, port, serverPort } = f;
  if (protocol === 'udp') return udpPacket(inside(f), port, server(f), serverPort, 'query');
  if (protocol === 'icmp') return icmpPacket(inside(f), server(f), 8, 0, [port >> 8, port & 255, 0, 1, 7]);
  return tcpPacket({ src: inside(f), srcPort: port, dst: server(f), dstPort: serverPort, flags: 'A', payload: 'x' });
}

/** The inside global end of a packet that went out, or the inside local end of one that came in. */
const sourceOf = (o: Outcome): string => `${dotted(i32(o.bytes, 12))}:${u16(o.bytes, o.bytes[9] === 1 ? 24 : 20)}`;
const destinationOf = (o: Outcome): string => `${dotted(i32(o.bytes, 16))}:${u16(o.bytes, o.bytes[9] === 1 ? 24 : 22)}`;

function answerTo(f: Flow, o: Outcome): Uint8Array {
  const dst = dotted(i32(o.bytes, 12));
  const port = u16(o.bytes, f.protocol === 'icmp' ? 24 : 20);
  if (f.protocol === 'udp') return udpPacket(server(f), f.serverPort, dst, port, 'answer');
  if (f.protocol === 'icmp') return icmpPacket(server(f), dst, 0, 0, [port >> 8, port & 255, 0, 1, 7]);
  return tcpPacket({ src: server(f), srcPort: f.serverPort, dst, dstPort: port, flags: 'A', payload: 'y' });
}

test('there and back gives the end that sent, with right checksums, and no two flows are one outside', () => {
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 40 }), (flows) => {
      const r = new Router3640(CONFIG);
      const owners = new Map<string, string>();
      for (const f of flows) {
        const out = r.fromInside(packetOf(f));
        expect(out.verdict).toBe(PASS);
        const end = `${inside(f)}:${f.port}`;
        const global = sourceOf(out);
        // A port outside belongs to one inside end.
        const owner = owners.get(`${f.protocol} ${global}`) ?? end;
        expect(owner).toBe(end);
        owners.set(`${f.protocol} ${global}`, end);
        const back = r.fromOutside(answerTo(f, out));
        expect([back.verdict, destinationOf(back)]).toEqual([PASS, end]);
        expect([checksumsOk(out.bytes), checksumsOk(back.bytes)]).toEqual([true, true]);
        expect(dotted(i32(out.bytes, 12))).toMatch(/^172\.22\.1\.12[01]$/);
      }
    }),
    { numRuns: 60 },
  );
});

test('a port goes to another end only after every flow of the first has been silent for its timeout', () => {
  const step = fc.record({
    flow: flow.map((f) => ({ ...f, protocol: 'udp' as const, serverPort: 80 })),
    waitMs: fc.nat(400_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const r = new Router3640(CONFIG);
      /** By port outside: who has it, and when it was used last. */
      const used = new Map<string, { end: string; at: number }>();
      for (const { flow: f, waitMs } of steps) {
        r.wait(waitMs);
        const end = `${inside(f)}:${f.port}`;
        const global = sourceOf(r.fromInside(packetOf(f)));
        const before = used.get(global);
        if (before !== undefined && before.end !== end)
          expect(r.now - before.at).toBeGreaterThanOrEqual(UDP_TIMEOUT_MS);
        used.set(global, { end, at: r.now });
      }
    }),
    { numRuns: 60 },
  );
});

test('what ends leaves nothing: no record, no port', () => {
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 40 }), (flows) => {
      const r = new Router3640(CONFIG);
      const { translations } = r.engine.nat;
      const statics = translations.table.size;
      for (const f of flows) r.fromInside(packetOf(f));
      r.wait(86_500_000);
      expect([translations.table.size, translations.dynamic, translations.flows]).toEqual([statics, 0, 0]);
      for (const f of flows.slice(0, 1)) {
        const out = sourceOf(r.fromInside(packetOf(f)));
        expect(out).toBe(`172.22.1.120:${f.port}`);
      }
    }),
    { numRuns: 30 },
  );
});

test('a change of static entries in place leaves what a change of everything would leave', () => {
  const host = fc.integer({ min: 6, max: 8 });
  const outside = fc.integer({ min: 119, max: 122 });
  const entry = fc.oneof(
    fc.tuple(host, outside).map(([h, o]) => `10.10.10.${h} 172.22.1.${o} extendable`),
    fc
      .tuple(fc.constantFrom('tcp', 'udp'), host, outside, fc.constantFrom(600, 4000, 4001))
      .map(([p, h, o, global]) => `${p} 10.10.10.${h} 4000 172.22.1.${o} ${global} extendable`),
  );
  /** One entry more or less, then packets. */
  const step = fc.record({
    remove: fc.boolean(),
    at: fc.nat(9),
    entry,
    flows: fc.array(
      flow.map((f) => ({ ...f, host: Math.min(f.host, 8) })),
      { maxLength: 6 },
    ),
  });
  const base = CONFIG.replace(' overload', '');
  const configure = (r: Router3640, nat: string, overload: boolean, entries: readonly string[], more = ''): void => {
    const lines = entries.map((e) => `ip nat inside source static ${e}`).join('\n');
    const text = `${CONFIG_TEXT.replace(/\nend\n/, '\n')}${nat}${overload ? ' overload' : ''}\n${lines}\n${more}`;
    // Of entries that are in conflict the parser keeps the first.
    r.configure(parseConfig(text, 'x.cfg').config);
  };
  const counts = ({ engine }: Router3640): number[] => {
    const { table, dynamic, flows, portBindings, hostBindings } = engine.nat.translations;
    return [table.size, dynamic, flows, portBindings, hostBindings];
  };
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 3, maxLength: 8 }),
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (start, steps, overload) => {
        const entries = [...start];
        const one = new Router3640(base);
        const twin = new Router3640(base);
        configure(one, base, overload, entries);
        steps.forEach(({ remove, at, entry: more, flows }, i) => {
          entries.splice(at % (entries.length + 1), remove ? 1 : 0, ...(remove ? [] : [more]));
          configure(one, base, overload, entries);
          // An address of the router's own that is another each time: nothing is taken for unchanged.
          configure(twin, base, overload, entries, `interface Loopback0\n ip address 10.99.0.${i + 1} 255.255.255.255`);
          for (const f of flows) {
            const [a, b] = [one.fromInside(packetOf(f)), twin.fromInside(packetOf(f))];
            expect([a.verdict, sourceOf(a)]).toEqual([b.verdict, sourceOf(b)]);
            const answer = answerTo(f, a);
            const [c, d] = [one.fromOutside(answer), twin.fromOutside(answer)];
            expect([c.verdict, destinationOf(c)]).toEqual([d.verdict, destinationOf(d)]);
          }
          expect(counts(one)).toEqual(counts(twin));
        });
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
