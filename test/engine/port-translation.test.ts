/** Which application a connection is, where NAT gives its port another number. */
import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../src/core/inspect/rules.js';
import { explain } from '../../src/ios/trace/explain.js';
import { ip, tcpPacket } from '../support/packets.js';
import { PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const OUTSIDE = '172.22.1.16';
const HOST = '10.10.10.7';
const ANY = 'access-list 101 permit ip any any';
const GENERIC = 'ip inspect name OUT-IN tcp\nip inspect name OUT-IN http';
const entry = (local: number, global: number): string =>
  `ip nat inside source static tcp ${HOST} ${local} interface Ethernet2/0 ${global}`;

const syn = (src: string, dstPort: number, dst = OUTSIDE): Uint8Array =>
  tcpPacket({ src, srcPort: 4000, dst, dstPort, flags: 'S', seq: 100 });

function services(r: Router3640): string[] {
  const all: string[] = [];
  r.engine.sessions.forEach((s) => all.push(SERVICES[s.service]!));
  return all;
}

describe('a rule is asked by the port that comes in, and by the port that NAT makes of it', () => {
  test.each([
    { name: 'another outside port leads to 25', local: 25, global: 2525, want: 'smtp' },
    { name: '25 leads to another inside port', local: 2525, global: 25, want: 'smtp' },
    { name: 'the server is known by its own port where both name an application', local: 25, global: 80, want: 'smtp' },
    { name: 'neither port is an application', local: 2525, global: 2526, want: 'tcp' },
  ])('ip inspect … in: $name', ({ local, global, want }) => {
    const r = new Router3640([ANY, GENERIC, entry(local, global)].join('\n'));
    expect(r.fromOutside(syn(CLIENT, global)).verdict).toBe(PASS);
    expect(services(r)).toEqual([want]);
    expect(told(r, CLIENT, global)).toContain(`OUT-IN (in on Ethernet2/0): ${want},`);
  });

  test.each([
    { local: 25, global: 2525, want: 'smtp' },
    { local: 2525, global: 25, want: 'smtp' },
    { local: 2525, global: 2526, want: 'tcp' },
  ])('ip inspect … out: $global leads to $local', ({ local, global, want }) => {
    const out = 'interface Ethernet2/0\n no ip inspect OUT-IN in\ninterface Ethernet2/1\n ip inspect OUT-IN out';
    const r = new Router3640([ANY, GENERIC, entry(local, global), out].join('\n'));
    r.fromOutside(syn(CLIENT, global));
    expect(services(r)).toEqual([want]);
    expect(told(r, CLIENT, global)).toContain(`OUT-IN (out on Ethernet2/1): ${want},`);
  });

  test('an inside client that calls the server by its outside port (hairpin) is inspected, too', () => {
    const r = new Router3640([entry(25, 2525), 'ip inspect name IN-OUT smtp'].join('\n'));
    expect(r.fromInside(syn('10.10.10.8', 2525)).verdict).toBe(PASS);
    expect(services(r)).toEqual(['smtp']);
  });
});

/** What `packet-tracer` says of the same packet. */
const told = (r: Router3640, src: string, dstPort: number): string =>
  explain(
    { config: r.config },
    {
      ingress: 'Ethernet2/0',
      protocol: 6,
      src: ip(src),
      srcPort: 4000,
      dst: ip(OUTSIDE),
      dstPort,
    },
  ).steps.find((s) => s.stage === 'Inspection')!.text;
