/** `ip port-map`: the service of a port, by the engine, by `trace` and by the configuration's own rules. */
import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../src/core/inspect/rules.js';
import { explain } from '../../src/ios/trace/explain.js';
import { lint } from '../../src/ios/lint.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { runningConfig } from '../../src/ios/config/running-config.js';
import { parseAddress } from '../../src/ios/ipv4-text.js';
import { tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const OPEN = 'access-list 101 permit tcp any any';
const INSPECTS = 'ip inspect name OUT-IN http\nip inspect name OUT-IN ftp\nip inspect name OUT-IN tcp';

/** The service that a connection to `server` gets in the running router, once by the engine and once by `trace`. */
function serviceAt(lines: string, server: string, port: number): { engine: string; trace: string } {
  const r = new Router3640(`${OPEN}\n${lines}`);
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: server, dstPort: port, flags: 'S', seq: 1 }));
  const services: string[] = [];
  r.engine.sessions.forEach((s) => services.push(SERVICES[s.service]!));
  const { config } = r;
  const probe = {
    protocol: 6,
    src: parseAddress(CLIENT)!,
    srcPort: 4000,
    dst: parseAddress(server)!,
    dstPort: port,
  };
  const step = explain({ config }, { ingress: 'Ethernet2/0', ...probe }).steps.find((s) => s.stage === 'Inspection');
  return { engine: services[0] ?? 'none', trace: /\): (\S+),/.exec(step?.text ?? '')?.[1] ?? 'none' };
}

const MAIL = '172.22.1.110'; // 10.10.10.2 inside
const OTHER = '172.22.1.111'; // 10.10.10.5 inside

describe('a service on another port is inspected there', () => {
  test.each([
    { name: 'its own port without a line', map: '', server: MAIL, port: 25, want: 'smtp' },
    { name: 'another port without a line', map: '', server: MAIL, port: 2525, want: 'tcp' },
    { name: 'smtp', map: 'ip port-map smtp port 2525', server: MAIL, port: 2525, want: 'smtp' },
    { name: 'smtp where its own port stays', map: 'ip port-map smtp port 2525', server: MAIL, port: 25, want: 'smtp' },
    { name: 'http', map: 'ip port-map http port 8080', server: OTHER, port: 8080, want: 'http' },
    { name: 'ftp', map: 'ip port-map ftp port tcp 2121', server: OTHER, port: 2121, want: 'ftp' },
    { name: 'a range', map: 'ip port-map http port from 8000 to 8002', server: OTHER, port: 8002, want: 'http' },
    { name: 'behind a range', map: 'ip port-map http port from 8000 to 8002', server: OTHER, port: 8003, want: 'tcp' },
    { name: 'udp is no tcp', map: 'ip port-map http port udp 8080', server: OTHER, port: 8080, want: 'tcp' },
    {
      name: 'the later line about a port',
      map: 'ip port-map http port 8080\nip port-map ftp port 8080',
      server: OTHER,
      port: 8080,
      want: 'ftp',
    },
    {
      name: 'the server that the list permits, by its inside local address',
      map: 'access-list 15 permit 10.10.10.2\nip port-map smtp port 2525 list 15',
      server: MAIL,
      port: 2525,
      want: 'smtp',
    },
    {
      name: 'the server that the list permits, by its inside global address',
      map: `access-list 15 permit ${MAIL}\nip port-map smtp port 2525 list 15`,
      server: MAIL,
      port: 2525,
      want: 'smtp',
    },
    {
      name: 'a server that the list does not permit',
      map: 'access-list 15 permit 10.10.10.2\nip port-map smtp port 2525 list 15',
      server: OTHER,
      port: 2525,
      want: 'tcp',
    },
    {
      name: 'a list that is not defined means no server',
      map: 'ip port-map smtp port 2525 list 15',
      server: MAIL,
      port: 2525,
      want: 'tcp',
    },
    {
      name: "for single hosts, even a port of the system's",
      map: 'access-list 15 permit 10.10.10.5\nip port-map http port 25 list 15',
      server: OTHER,
      port: 25,
      want: 'http',
    },
    {
      name: 'which leaves it to the others',
      map: 'access-list 15 permit 10.10.10.5\nip port-map http port 25 list 15',
      server: MAIL,
      port: 25,
      want: 'smtp',
    },
    {
      name: 'a line for hosts before one for all',
      map: 'access-list 20 permit 10.10.10.5\nip port-map ftp port 8000 list 20\nip port-map http port 8000',
      server: OTHER,
      port: 8000,
      want: 'ftp',
    },
  ])('$name', ({ map, server, port, want }) =>
    expect(serviceAt(`${INSPECTS}\n${map}`, server, port)).toEqual({ engine: want, trace: want }),
  );

  test('esmtp goes where smtp goes', () => {
    const lines = 'no ip inspect name OUT-IN smtp\nip inspect name OUT-IN esmtp\nip port-map smtp port 587';
    expect(serviceAt(lines, MAIL, 587)).toEqual({ engine: 'esmtp', trace: 'esmtp' });
  });

  test('a mapping that is taken away is gone for the next connection', () => {
    const lines = 'ip port-map smtp port 2525\nip port-map smtp port 2525 list 9\nno ip port-map smtp port 2525';
    expect(serviceAt(`${INSPECTS}\n${lines}`, MAIL, 2525)).toEqual({ engine: 'tcp', trace: 'tcp' });
  });

  test('commands on a mapped port are masked as on port 25', () => {
    const r = new Router3640(`${OPEN}\nip port-map smtp port 2525`);
    const from = { src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: 2525 };
    const back = { src: '10.10.10.2', srcPort: 2525, dst: CLIENT, dstPort: 4000 };
    r.fromOutside(tcpPacket({ ...from, flags: 'S', seq: 100 }));
    r.fromInside(tcpPacket({ ...back, flags: 'SA', seq: 500, ack: 101 }));
    r.fromOutside(tcpPacket({ ...from, flags: 'A', seq: 101, ack: 501 }));
    r.fromInside(tcpPacket({ ...back, flags: 'PA', seq: 501, ack: 101, payload: '220 x\r\n' }));
    const { bytes } = r.fromOutside(tcpPacket({ ...from, flags: 'PA', seq: 101, ack: 508, payload: 'EXPN root\r\n' }));
    expect(Buffer.from(bytes).toString('latin1')).toContain('xxxxxxxxx\r\n');
  });
});

describe('the lines', () => {
  const parsed = (text: string): ReturnType<typeof parseConfig> => parseConfig(`${text}\nend\n`, 'x');
  const errors = (text: string): string[] => parsed(text).errors.map((e) => `${e.line}: ${e.reason}`);

  test.each([
    'ip port-map smtp port 2525',
    'ip port-map http port 8080 list 15',
    'ip port-map user-x port tcp from 4000 to 4010 description two words',
    'ip port-map sip port udp 5062',
  ])('%s prints as it was typed', (line) => {
    expect(errors(line)).toEqual([]);
    expect(runningConfig(parsed(line).config)).toContain(`\n${line}\n`);
  });

  test.each([
    {
      line: 'ip port-map http port 21',
      want: '1: Command fail: the port 21 has already been defined for ftp by the system. No change can be made to the system defined port mappings.',
    },
    { line: 'ip port-map smpt port 2525', want: '1: smpt is no application that ip port-map knows' },
    {
      line: 'ip port-map ftp port from 30 to 20',
      want: '1: the last port of a range is not under its first',
    },
  ])('$line is refused', ({ line, want }) => expect(errors(line)).toEqual([want]));

  test('check says what a line does not do', () => {
    const text = 'ip port-map sip port 5062\nip port-map smtp port udp 2525\nip port-map http port 81 list 15';
    expect(lint(parsed(text).config).map((w) => `${w.line}: ${w.reason}`)).toEqual([
      '1: sip is inspected on no port here: the mapping does nothing',
      '2: smtp by udp is inspected on no port here: the mapping does nothing',
      '3: access list 15 is not defined: http is on port 81 of no server',
    ]);
  });
});
