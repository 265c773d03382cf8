import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { covers, entryAdmitsPort } from '../../src/ios/acl-cover.js';
import { firstCovers, OpenDestinations } from '../../src/ios/acl-index.js';
import { checkConfig } from '../../src/ios/check.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { lint } from '../../src/ios/lint.js';
import type { AclEntry } from '../../src/core/acl/entry.js';

const warnings = (text: string): string[] => lint(parseConfig(text, 'x').config).map((w) => `${w.line}: ${w.reason}`);

test.each([
  {
    name: 'an entry behind a wider one',
    text: 'access-list 101 permit tcp any any\naccess-list 101 permit tcp any host 10.0.0.1 eq smtp',
    want: ['2: access list 101: this entry is never reached: "permit tcp any any" of line 1 already covers it'],
  },
  {
    name: 'a deny that comes too late',
    text: 'access-list 101 permit ip any any\naccess-list 101 deny tcp any any eq telnet',
    want: [
      '2: access list 101: this entry is never reached: "permit ip any any" of line 1 decides before it, and otherwise',
    ],
  },
  {
    name: 'a list that nothing defines',
    text: 'interface Ethernet2/0\n ip access-group 102 in\nline vty 0 4\n access-class 9 in',
    want: [
      '2: access list 102 is not defined: all packets are permitted in on Ethernet2/0',
      '4: access list 9 is not defined: every address may connect',
    ],
  },
  {
    name: 'a rule that nothing defines, and one that nothing uses',
    text: 'ip inspect name USED tcp\nip inspect name OTHER tcp\ninterface Ethernet2/0\n ip inspect USED in\n ip inspect NONE out',
    want: [
      '2: inspection rule OTHER is applied to no interface',
      '5: inspection rule NONE is not defined: nothing is inspected',
    ],
  },
  {
    name: 'a static translation that no list lets in',
    text:
      'access-list 101 permit tcp any host 1.1.1.1 eq 25\ninterface Ethernet2/0\n ip nat outside\n ip access-group 101 in\n' +
      'interface Ethernet2/1\n ip nat inside\nip nat inside source static tcp 10.0.0.1 25 1.1.1.1 25\n' +
      'ip nat inside source static tcp 10.0.0.1 80 1.1.1.1 80\nip nat inside source static 10.0.0.2 1.1.1.2',
    want: [
      '8: access list 101 lets nothing in to 1.1.1.1 tcp port 80 by Ethernet2/0',
      '9: access list 101 lets nothing in to 1.1.1.2 by Ethernet2/0',
    ],
  },
  {
    name: 'translation without its two sides, list or pool',
    text: 'ip nat inside source list 7 pool P overload',
    want: [
      '1: access list 7 is not defined: every inside address is translated',
      '1: NAT pool P is not defined: nothing is translated',
      '1: no interface is "ip nat inside": nothing is translated',
      '1: no interface is "ip nat outside": nothing is translated',
    ],
  },
  {
    name: 'a limit of half-open sessions that anybody can use up, but for mode intercept',
    text:
      'access-list 101 permit tcp any host 1.1.1.1 eq 25\naccess-list 102 permit tcp 10.0.0.0 0.0.0.255 any\n' +
      'ip inspect name R tcp\ninterface Ethernet2/0\n ip access-group 101 in\n ip inspect R in\n' +
      'interface Ethernet2/1\n ip access-group 102 in\n ip inspect R in\nip tcp intercept mode watch\nip tcp intercept list 150',
    want: [
      '6: 50 half-open sessions to a host are the most ("ip inspect tcp max-incomplete host"), as on a 3640: a flood of ' +
        'SYNs shuts its clients out, unless "ip tcp intercept list" answers them',
      '11: access list 150 is not defined: every connection is intercepted',
    ],
  },
  { name: 'nothing where all is in order', text: 'access-list 1 permit 10.0.0.1\naccess-list 1 permit any', want: [] },
])('warns of $name', ({ text, want }) => expect(warnings(text)).toEqual(want));

describe('fw3640 check', () => {
  const seed = readFileSync('config/3640.cfg', 'utf8');

  test('accepts 3640.cfg, lists what has no effect, and sees that no list lets mail to the second host', () => {
    const { report, exitCode } = checkConfig(seed, '3640.cfg');
    expect(exitCode).toBe(0);
    expect(report).toContain(
      '3640.cfg:90:1: warning: % access list 101 lets nothing in to 172.22.1.111 by Ethernet2/0\n',
    );
    expect(report).toContain('3640.cfg: 22 lines accepted without effect:\n');
    expect(report).toContain('    49   framing sf\n');
    expect(report).toMatch(/3640\.cfg: 0 errors, 2 warnings\n$/);
  });

  test('--strict takes warnings for errors', () => {
    expect(checkConfig(seed, '3640.cfg', { strict: true }).exitCode).toBe(2);
  });

  test('refuses a file with an error, and shows it', () => {
    const { report, exitCode } = checkConfig('ip inspect name A bogus\n', 'x.cfg');
    expect(exitCode).toBe(2);
    expect(report).toContain("x.cfg:1:21: % Invalid input detected at '^' marker.\n  ip inspect name A bogus\n");
  });
});

const address = fc
  .record({ address: fc.nat(7), wildcard: fc.nat(7) })
  .map((a) => ({ ...a, address: a.address & ~a.wildcard }));
const port = fc.record({
  op: fc.constantFrom('eq', 'neq', 'lt', 'gt', 'range'),
  from: fc.nat(3),
  to: fc.integer({ min: 3, max: 5 }),
});
const entry: fc.Arbitrary<AclEntry> = fc
  .record(
    {
      protocol: fc.constantFrom(6, 17),
      src: address,
      dst: address,
      srcPort: port,
      dstPort: port,
      established: fc.boolean(),
    },
    { requiredKeys: ['src', 'dst', 'established'] },
  )
  .map((e) => ({ sequence: 10, action: 'permit', fragments: false, log: 'none', ...e }));

test('an entry that covers another matches every packet that the other matches', () => {
  interface Packet {
    protocol: number;
    src: number;
    dst: number;
    srcPort: number;
    dstPort: number;
    established: boolean;
  }
  const packet: fc.Arbitrary<Packet> = fc.record({
    protocol: fc.constantFrom(6, 17),
    src: fc.nat(7),
    dst: fc.nat(7),
    srcPort: fc.nat(6),
    dstPort: fc.nat(6),
    established: fc.boolean(),
  });
  const inPort = (p: AclEntry['srcPort'], n: number): boolean => {
    if (p === undefined) return true;
    const tests = {
      eq: n === p.from,
      neq: n !== p.from,
      lt: n < p.from,
      gt: n > p.from,
      range: p.from <= n && n <= p.to,
    };
    return tests[p.op];
  };
  const matches = (e: AclEntry, p: Packet): boolean =>
    (e.protocol === undefined || e.protocol === p.protocol) &&
    ((p.src ^ e.src.address) & ~e.src.wildcard & 7) === 0 &&
    ((p.dst ^ e.dst.address) & ~e.dst.wildcard & 7) === 0 &&
    inPort(e.srcPort, p.srcPort) &&
    inPort(e.dstPort, p.dstPort) &&
    (!e.established || p.established);
  fc.assert(
    fc.property(
      entry,
      entry,
      fc.boolean(),
      fc.array(packet, { minLength: 5, maxLength: 20 }),
      (a, other, alike, packets) => {
        const b = alike ? { ...other, ...a, dst: other.dst } : other; // alike: covered more often
        if (!covers(a, b)) return;
        for (const p of packets) if (matches(b, p)) expect(matches(a, p)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
}, 60_000);

describe('what is said of a whole list is what holding each entry against every other says', () => {
  const list = fc.array(entry, { maxLength: 25 });

  test('the first entry that covers another', () => {
    fc.assert(
      fc.property(list, (entries) => {
        const one = entries.map((e, i) => entries.slice(0, i).findIndex((earlier) => covers(earlier, e)));
        expect(firstCovers(entries).map((e) => entries.findIndex((other) => other === e))).toEqual(one);
      }),
      { numRuns: 1000 },
    );
  });

  test('whether any permits something to an address', () => {
    const action = fc.constantFrom('permit' as const, 'deny' as const);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(entry, action)),
        fc.nat(7),
        fc.option(fc.nat(6), { nil: undefined }),
        (made, to, n) => {
          const entries = made.map(([e, a]) => ({ ...e, action: a }));
          const leads = (e: AclEntry): boolean =>
            e.action === 'permit' &&
            ((to ^ e.dst.address) & ~e.dst.wildcard) === 0 &&
            (n === undefined || entryAdmitsPort(e.dstPort, n));
          expect(new OpenDestinations(entries).has(to, n)).toBe(entries.some(leads));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
