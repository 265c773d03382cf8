import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../../src/core/inspect/rules.js';
import { messageOf } from '../../../src/ios/messages.js';
import { i32, u16 } from '../../../src/core/wire/bytes.js';
import { explain } from '../../../src/ios/trace/explain.js';
import type { Trace } from '../../../src/ios/trace/explain.js';
import { dotted, ip, tcpPacket, type TcpFields } from '../../support/packets.js';
import { DROP, PASS, Router3640 } from '../../support/router-3640.js';
import { ControlConnection, INSIDE, OUTSIDE, textOf } from './control-connection.js';

/** A server inside that the outside may use. */
const SERVER_INSIDE = ['ip inspect name OUT-IN ftp', 'access-list 101 permit tcp any host 172.22.1.111 eq ftp'].join(
  '\n',
);

const fromInside = (): ControlConnection => new ControlConnection(new Router3640(), INSIDE, OUTSIDE);
const fromOutside = (): ControlConnection => new ControlConnection(new Router3640(SERVER_INSIDE), OUTSIDE, INSIDE);

const services = (r: Router3640): string[] => {
  const all: string[] = [];
  r.engine.sessions.forEach((s) => all.push(SERVICES[s.service]!));
  return all.sort();
};
const said = (r: Router3640): string[] => r.events.map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);

describe('active mode from inside', () => {
  test.each([
    ['PORT 10,10,10,5,19,137', 'PORT 172,22,1,111,19,137\r\n', '200 PORT command successful.'],
    ['EPRT |1|10.10.10.5|5001|', 'EPRT |1|172.22.1.111|5001|\r\n', '200 EPRT command successful.'],
    ['port 10,10,10,5,19,137', 'port 172,22,1,111,19,137\r\n', '200 ok'],
  ])('%s names the inside global address, and both ends keep counting in step', (command, want, reply) => {
    const c = fromInside().login();
    expect(c.say(command)).toBe(want);
    expect(c.reply(reply)).toBe(`${reply}\r\n`);
    expect(c.say('LIST')).toBe('LIST\r\n');
    expect(c.reply('150 here it comes')).toBe('150 here it comes\r\n');
    expect(c.say('PORT 10,10,10,5,19,138')).toBe('PORT 172,22,1,111,19,138\r\n');
    expect(c.reply(reply)).toBe(`${reply}\r\n`);
    expect(c.server.rcvNxt - c.client.sndNxt).toBe(4); // two bytes more each time
  });

  test('the data connection of the server passes the access list, once, from whatever port', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    const o = c.data(false, 20, 5001);
    expect([o.verdict, dotted(i32(o.bytes, 16))]).toEqual([PASS, '10.10.10.5']);
    expect(services(c.r)).toEqual(['ftp', 'ftp-data']);
    expect(c.data(false, 21, 5001).verdict).toBe(DROP.acl);
  });

  test('trace tells that it passes, before it comes and once it has come', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    const probe = {
      ingress: 'Ethernet2/0',
      protocol: 6,
      src: ip(OUTSIDE.address),
      srcPort: 20,
      dst: ip('172.22.1.111'),
      dstPort: 5001,
    };
    const trace = (): Trace => explain({ config: c.r.config, memory: c.r.memory }, probe);
    expect(trace()).toMatchObject({ forwarded: true });
    expect(trace().steps.map((s) => s.text)).toContain(
      'announced by a control session: access lists are bypassed, a session opens',
    );
    expect(explain({ config: c.r.config, memory: c.r.memory }, { ...probe, dstPort: 5002 })).toMatchObject({
      forwarded: false,
    });
    c.data(false, 20, 5001);
    expect(trace()).toMatchObject({ forwarded: true });
  });

  test.each([
    ['another port', (c: ControlConnection) => c.data(false, 20, 5002)],
    [
      'another host',
      (c: ControlConnection) =>
        new ControlConnection(c.r, INSIDE, { ...OUTSIDE, address: '172.22.1.11' }).data(false, 20, 5001),
    ],
  ])('%s is not let in', (_, open) => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    expect(open(c).verdict).toBe(DROP.acl);
  });

  test('a data connection that does not come is forgotten', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    c.r.wait(31_000);
    expect(c.data(false, 20, 5001).verdict).toBe(DROP.acl);
  });

  test('a new PORT takes the place of the last one', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    c.say('PORT 10,10,10,5,19,138');
    expect(c.data(false, 20, 5001).verdict).toBe(DROP.acl);
    expect(c.data(false, 20, 5002).verdict).toBe(PASS);
  });

  test('with the control connection ends what it expects', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    c.segment(true, 'R');
    expect(services(c.r)).toEqual([]);
    expect(c.data(false, 20, 5001).verdict).toBe(DROP.acl);
  });

  test('PORT that comes again, whole or in other cuts, is replaced the same way', () => {
    const c = fromInside().login();
    const seq = c.client.sndNxt;
    const ack = c.client.rcvNxt;
    const first = c.segment(true, 'PA', { payload: 'PORT 10,10,10,5,19,137\r\nLIST\r\n' });
    expect(textOf(first)).toBe('PORT 172,22,1,111,19,137\r\nLIST\r\n');
    const again = c.segment(true, 'PA', { seq, ack, payload: 'PORT 10,10,10,5,19,137\r\n' });
    expect(textOf(again)).toBe('PORT 172,22,1,111,19,137\r\n');
    const rest = c.segment(true, 'PA', { seq: seq + 14, ack, payload: '5,19,137\r\nLIST\r\n' });
    expect(textOf(rest)).toBe('172,22,1,111,19,137\r\nLIST\r\n');
    expect(i32(rest.bytes, 24)).toBe(i32(first.bytes, 24) + 5);
    const other = c.segment(true, 'PA', { seq, ack, payload: 'PORT 10,99,99,9,1,1\r\n' });
    expect(textOf(other)).toBe('PORT '); // its bytes are those of the first one, and the address is not whole
  });

  test('PORT in two pieces waits until its sender repeats it whole', () => {
    const c = fromInside().login();
    const seq = c.client.sndNxt;
    expect(textOf(c.segment(true, 'PA', { payload: 'NOOP\r\nPORT ' }))).toBe('NOOP\r\nPORT ');
    expect(c.segment(true, 'PA', { seq: seq + 11, payload: '10,10,10' }).verdict).toBe(DROP.inspection);
    const whole = c.segment(true, 'PA', { seq: seq + 11, payload: '10,10,10,5,19,137\r\n' });
    expect(textOf(whole)).toBe('172,22,1,111,19,137\r\n');
    expect(c.r.engine.sessions.memory.refused).toBe(1);
    expect(c.data(false, 20, 5001).verdict).toBe(PASS);
  });

  test('a RST of the router to the server is numbered as the server counts', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137');
    c.reply('200 ok');
    c.deliver(c.segment(true, 'A'), false);
    c.deliver(c.segment(false, 'A'), true);
    expect(c.r.engine.sessions.clear()).toBe(1);
    const toServer = c.r.injected.find((b) => dotted(i32(b, 16)) === OUTSIDE.address)!;
    expect(i32(toServer, 24)).toBe(c.server.rcvNxt);
  });
});

describe('passive mode', () => {
  test.each([
    ['PASV', '227 Entering Passive Mode (172,22,1,10,19,137).'],
    ['EPSV', '229 Entering Extended Passive Mode (|||5001|)'],
  ])('%s from inside: the data connection is ftp-data', (command, reply) => {
    const c = fromInside().login();
    c.say(command);
    expect(c.reply(reply)).toBe(`${reply}\r\n`);
    expect(c.data(true, 41_000, 5001).verdict).toBe(PASS);
    expect(services(c.r)).toEqual(['ftp', 'ftp-data']);
  });

  test.each([
    ['PASV', '227 ok (10,10,10,5,19,137).', '227 ok (172,22,1,111,19,137).'],
    ['PASV', '227 ok (172,22,1,111,19,137).', '227 ok (172,22,1,111,19,137).'],
    ['EPSV', '229 ok (|||5001|)', '229 ok (|||5001|)'],
  ])('%s from outside, "%s": the client reads the inside global address and may connect', (command, reply, want) => {
    const c = fromOutside().login();
    c.say(command);
    expect(c.data(true, 41_000, 5001).verdict).toBe(DROP.acl);
    expect(c.reply(reply)).toBe(`${want}\r\n`);
    expect(c.say('LIST')).toBe('LIST\r\n');
    const o = c.data(true, 41_000, 5001);
    expect([o.verdict, dotted(i32(o.bytes, 16))]).toEqual([PASS, INSIDE.address]);
    expect(c.reply('150 here it comes')).toBe('150 here it comes\r\n');
  });

  test('active mode from outside works too', () => {
    const c = fromOutside().login();
    expect(c.say('PORT 172,22,1,10,19,137')).toBe('PORT 172,22,1,10,19,137\r\n');
    expect(c.data(false, 20, 5001).verdict).toBe(PASS);
    expect(services(c.r)).toEqual(['ftp', 'ftp-data']);
  });

  test.each([
    ['it stands in a reply of several lines', ['PASV'], ['200-look', ' 227 ok (10,10,10,5,19,137)', '200 done']],
    ['it stands in an error', ['PASV'], ["500 '227 ok (10,10,10,5,19,137)': command not understood"]],
  ])('a 227 opens nothing where %s', (_, commands, replies) => {
    const c = fromOutside().login();
    for (const command of commands) c.say(command);
    for (const reply of replies) expect(c.reply(reply)).toBe(`${reply}\r\n`);
    expect(c.data(true, 41_000, 5001).verdict).toBe(DROP.acl);
  });

  test.each([
    ['nobody asked', [], [], '227 ok (10,10,10,5,19,137)'],
    ['the answer was no', ['PASV'], ['500 no'], '227 ok (10,10,10,5,19,137)'],
    ['EPSV was asked', ['EPSV'], [], '227 ok (10,10,10,5,19,137)'],
    ['PASV was asked, and it is a 229', ['PASV'], [], '229 ok (|||5001|)'],
    ['EPSV ALL was said', ['EPSV ALL'], [], '229 ok (|||5001|)'],
    ['it is a line of another reply', ['PASV'], ['200-look'], '227 ok (10,10,10,5,19,137)'],
    ['its numbers are not as they should be', ['PASV'], [], '227 ok (10, 10, 10, 5, 19, 137)'],
    ['it names two endpoints', ['PASV'], ['227-ok (10,10,10,5,19,137)'], '227 ok (10,10,10,5,19,138)'],
    ['it names none', ['PASV'], [], '227 ok'],
    ['it names an address in a 229', ['EPSV'], [], '229 ok (|1|10.10.10.5|5001|)'],
    ['it is too long to be read', ['PASV'], [], `227 ${'o'.repeat(600)}k (10,10,10,5,19,137)`],
  ])('from a translated server no 227 or 229 goes out unread: %s', (_, commands, before, reply) => {
    const c = fromOutside().login();
    for (const command of commands) c.say(command);
    for (const line of before) c.reply(line);
    expect(c.segment(false, 'PA', { payload: `${reply}\r\n` }).verdict).toBe(DROP.inspection);
    expect(said(c.r).pop()).toBe(
      `%FW-4-FTP_UNREADABLE_REPLY: Passive reply "${reply.slice(0, 512)}" tells no data connection -- ` +
        'FTP client 172.22.1.10 FTP server 172.22.1.111',
    );
    expect(services(c.r)).toEqual([]);
  });

  test.each([
    ['SIZE f', '550 SIZE not allowed in ASCII'],
    ['NOOP', '200 ok'],
    ['', '500 what?'],
    ['RETR f', '150 here it comes\r\n226 done'],
    ['STAT', '211-status\r\n227 all is well\r\n211 end'],
    ['AUTH GSSAPI', '334 go on'],
    ['EPSV ALL', '200 ok'],
    ['EPSV', '522 no'],
    ['', ''], // some servers pass over an empty line
  ])('%s and PASV in one segment: the address in the 227 is translated', (command, first) => {
    const c = fromOutside().login();
    c.say(`${command}\r\nPASV\r\nNOOP`);
    const before = first === '' ? '' : `${first}\r\n`;
    expect(c.reply(`${before}227 ok (10,10,10,5,19,137)\r\n200 ok`)).toBe(
      `${before}227 ok (172,22,1,111,19,137)\r\n200 ok\r\n`,
    );
    expect(c.data(true, 41_000, 5001).verdict).toBe(PASS);
  });

  test('PASV and EPSV in one segment: both replies are read, and the client may choose', () => {
    const c = fromOutside().login();
    c.say('PASV\r\nEPSV');
    expect(c.reply('227 ok (10,10,10,5,19,137)\r\n229 ok (|||5002|)')).toBe(
      '227 ok (172,22,1,111,19,137)\r\n229 ok (|||5002|)\r\n',
    );
    expect([5002, 5001, 5001].map((port, i) => c.data(true, 41_000 + i, port).verdict)).toEqual([PASS, PASS, DROP.acl]);
  });

  test('PORT, LIST, PORT, LIST in one segment: both connections are let in', () => {
    const c = fromInside().login();
    c.say('PORT 10,10,10,5,19,137\r\nLIST\r\nPORT 10,10,10,5,19,138\r\nLIST');
    expect(c.data(false, 20, 5001).verdict).toBe(PASS);
    expect(c.data(false, 20, 5002).verdict).toBe(PASS);
  });

  test.each([
    ['227-ok (10,10,10,5,19,137)\r\n227 end', '227-ok (172,22,1,111,19,137)\r\n227 end'],
    ['227-ok\r\n 10,10,10,5,19,137\r\n227 end', '227-ok\r\n 172,22,1,111,19,137\r\n227 end'],
    ['227-(10,10,10,5,19,137)\r\n227 (10,10,10,5,19,137)', '227-(172,22,1,111,19,137)\r\n227 (172,22,1,111,19,137)'],
    ['227 10,10,10,5,19,137 10,10,10,5,19,137', '227 172,22,1,111,19,137 172,22,1,111,19,137'],
  ])('a 227 of several lines, or that says it twice: %j', (reply, want) => {
    const c = fromOutside().login();
    c.say('PASV');
    expect(c.reply(reply)).toBe(`${want}\r\n`);
    expect(c.data(true, 41_000, 5001).verdict).toBe(PASS);
    expect(c.data(true, 41_001, 5001).verdict).toBe(DROP.acl);
  });

  test.each(['227 ok (10,10,10,5,19,137)\r\n', '227-ok\r\n (10,10,10,5,19,137)\r\n227 end\r\n'])(
    'cut anywhere, %j shows no inside address',
    (reply) => {
      for (let cut = 1; cut < reply.length; cut++) {
        const c = fromOutside().login();
        c.say('PASV');
        const seq = c.server.sndNxt;
        const first = c.segment(false, 'PA', { seq, payload: reply.slice(0, cut) });
        const passed = first.verdict === PASS;
        const at = passed ? cut : 0;
        const rest = c.segment(false, 'PA', { seq: seq + at, payload: reply.slice(at) });
        expect(rest.verdict).toBe(PASS);
        expect((passed ? textOf(first) : '') + textOf(rest)).toBe(reply.replace('10,10,10,5', '172,22,1,111'));
      }
    },
  );

  test('more commands than are remembered wait, and go on when replies have come', () => {
    const c = fromOutside().login();
    c.say(Array<string>(16).fill('PASV').join('\r\n'));
    const seq = c.client.sndNxt;
    expect(c.segment(true, 'PA', { seq, payload: 'NOOP\r\nEPSV\r\n' }).verdict).toBe(DROP.inspection);
    expect(c.reply('227 ok (10,10,10,5,19,137)')).toBe('227 ok (172,22,1,111,19,137)\r\n');
    expect(c.segment(true, 'PA', { seq, payload: 'NOOP\r\nEPSV\r\n' }).verdict).toBe(PASS);
    expect(c.segment(true, 'PA', { seq: seq + 12, payload: 'NOOP\r\n'.repeat(200) }).verdict).toBe(PASS);
  });

  test('more of them in one segment than can ever be remembered end the connection', () => {
    const c = fromOutside().login();
    expect(c.segment(true, 'PA', { payload: 'PASV\r\n'.repeat(17) }).verdict).toBe(DROP.inspection);
    expect(services(c.r)).toEqual([]);
  });
});

describe("IOS's checks reset the connection with its message", () => {
  const parties = 'FTP client 10.10.10.5 FTP server 172.22.1.10';
  const cases: [string, boolean, string, string][] = [
    [
      'PORT before the login',
      false,
      'PORT 10,10,10,5,19,137',
      `%FW-3-FTP_SESSION_NOT_AUTHENTICATED: Command issued before the session is authenticated -- ${parties}`,
    ],
    [
      'PASV before the login',
      false,
      'PASV',
      `%FW-3-FTP_SESSION_NOT_AUTHENTICATED: Command issued before the session is authenticated -- ${parties}`,
    ],
    [
      'a privileged port',
      true,
      'PORT 10,10,10,5,3,232',
      `%FW-3-FTP_PRIV_PORT: Privileged port 1000 used in PORT command -- ${parties}`,
    ],
    [
      'an address that is not the client',
      true,
      'PORT 10,10,10,2,19,137',
      `%FW-3-FTP_NON_MATCHING_IP_ADDR: Non-matching address 10.10.10.2 used in PORT command -- ${parties}`,
    ],
    [
      'the same in EPRT',
      true,
      'EPRT |1|10.10.10.2|5001|',
      `%FW-3-FTP_NON_MATCHING_IP_ADDR: Non-matching address 10.10.10.2 used in EPRT command -- ${parties}`,
    ],
  ];
  test.each(cases)('%s', (_, loggedIn, command, want) => {
    const c = loggedIn ? fromInside().login() : fromInside().open();
    expect(c.segment(true, 'PA', { payload: `${command}\r\n` }).verdict).toBe(DROP.inspection);
    expect(said(c.r)).toEqual([want]);
    expect(services(c.r)).toEqual([]);
    expect(c.r.injected.map((b) => b[33]! & 4)).toEqual([4, 4]);
  });

  test('a 227 that names another host', () => {
    const c = fromInside().login();
    c.say('PASV');
    const o = c.segment(false, 'PA', { payload: '227 ok (172,22,1,99,19,137)\r\n' });
    expect(o.verdict).toBe(DROP.inspection);
    expect(said(c.r)).toEqual([
      `%FW-3-FTP_NON_MATCHING_IP_ADDR: Non-matching address 172.22.1.99 used in PASV reply -- ${parties}`,
    ]);
  });

  test('alert off keeps it quiet', () => {
    const r = new Router3640('ip inspect name IN-OUT ftp alert off');
    const c = new ControlConnection(r, INSIDE, OUTSIDE).open();
    expect(c.segment(true, 'PA', { payload: 'PASV\r\n' }).verdict).toBe(DROP.inspection);
    expect(r.events).toEqual([]);
  });
});

describe('behind port address translation', () => {
  const PAT = `access-list 1 permit 10.10.10.0 0.0.0.255
ip nat inside source list 1 interface Ethernet2/0 overload`;
  const hidden = (last: number) => ({ inside: true, address: `10.10.10.${last}`, seen: '172.22.1.16' });

  test('PORT names the inside global address and a port of its own, to which the server may connect once', () => {
    const r = new Router3640(PAT);
    const a = new ControlConnection(r, hidden(7), OUTSIDE, 40_000).login();
    const b = new ControlConnection(r, hidden(8), OUTSIDE, 41_000).login();
    expect(a.say('PORT 10,10,10,7,19,137')).toBe('PORT 172,22,1,16,19,137\r\n');
    const said = b.say('PORT 10,10,10,8,19,137');
    const [, high, low] = /^PORT 172,22,1,16,(\d+),(\d+)\r\n$/.exec(said)!;
    const announced = Number(high) * 256 + Number(low);
    expect(announced).not.toBe(5001);
    const toA = a.data(false, 20, 5001);
    const toB = b.data(false, 20, announced);
    expect([toA.verdict, dotted(i32(toA.bytes, 16)), u16(toA.bytes, 22)]).toEqual([PASS, '10.10.10.7', 5001]);
    expect([toB.verdict, dotted(i32(toB.bytes, 16)), u16(toB.bytes, 22)]).toEqual([PASS, '10.10.10.8', 5001]);
    expect(services(r)).toEqual(['ftp', 'ftp', 'ftp-data', 'ftp-data']);
    expect(b.data(false, 21, announced).verdict).not.toBe(PASS);
    expect(b.reply('200 ok')).toBe('200 ok\r\n');
  });

  test('a server behind a static port announces another port of the same address', () => {
    const r = new Router3640(
      [
        'ip inspect name OUT-IN ftp',
        'access-list 101 permit tcp any host 172.22.1.16 eq ftp',
        'ip nat inside source static tcp 10.10.10.7 21 172.22.1.16 21',
        'access-list 1 permit 10.10.10.0 0.0.0.255',
        'ip nat inside source list 1 interface Ethernet2/0 overload',
      ].join('\n'),
    );
    const c = new ControlConnection(r, OUTSIDE, hidden(7)).login();
    c.say('PASV');
    const [, high, low] = /^227 ok \(172,22,1,16,(\d+),(\d+)\)\r\n$/.exec(c.reply('227 ok (10,10,10,7,19,137)'))!;
    const o = c.data(true, 42_000, Number(high) * 256 + Number(low));
    expect([o.verdict, dotted(i32(o.bytes, 16)), u16(o.bytes, 22)]).toEqual([PASS, '10.10.10.7', 5001]);
  });
});

describe('a control connection lives as long as its data connection moves', () => {
  /** Each rests 30 s at most. The data connection has been opened. */
  const begin = (): ControlConnection => {
    const r = new Router3640('ip inspect name IN-OUT ftp timeout 30');
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    c.say('PASV');
    c.reply('227 ok (172,22,1,10,19,137)');
    expect(c.data(true, 41_000, 5001).verdict).toBe(PASS);
    server(c, 'SA', 500, 8);
    expect(r.fromInside(client({ flags: 'A', seq: 8, ack: 501 })).verdict).toBe(PASS);
    return c;
  };
  const ends = { src: INSIDE.address, srcPort: 41_000, dst: OUTSIDE.address, dstPort: 5001 };
  const client = (more: Partial<TcpFields> & { flags: string }): Uint8Array => tcpPacket({ ...ends, ...more });
  const server = (c: ControlConnection, flags: string, seq: number, ack: number, payload = ''): void => {
    const back = { src: OUTSIDE.address, srcPort: 5001, dst: INSIDE.seen, dstPort: 41_000 };
    expect(c.r.fromOutside(tcpPacket({ ...back, flags, seq, ack, payload })).verdict).toBe(PASS);
  };
  const move = (c: ControlConnection, seconds: number): void => {
    for (let n = 0; n < seconds / 10; n++) {
      server(c, 'PA', 501 + n, 8, 'x');
      expect(c.r.fromInside(client({ flags: 'A', seq: 8, ack: 502 + n })).verdict).toBe(PASS);
      c.r.wait(10_000);
    }
  };

  test('through a transfer ten times as long as its idle time', () => {
    const c = begin();
    move(c, 300);
    expect(services(c.r)).toEqual(['ftp', 'ftp-data']);
    expect(c.reply('226 done')).toBe('226 done\r\n');
  });

  test('then its idle time begins when the data connection moved last', () => {
    const c = begin();
    move(c, 100);
    c.r.wait(10_000);
    expect(c.r.fromInside(client({ flags: 'R', seq: 8 })).verdict).toBe(PASS);
    expect(services(c.r)).toEqual(['ftp']);
    c.r.wait(9_000);
    expect(services(c.r)).toEqual(['ftp']);
    c.r.wait(22_000);
    expect(services(c.r)).toEqual([]);
  });

  test('a data connection that stands still keeps nothing open', () => {
    const c = begin();
    c.r.wait(31_000);
    expect(services(c.r)).toEqual([]);
  });

  test('a control connection that both ends have closed is not kept', () => {
    const c = begin();
    c.deliver(c.segment(true, 'FA'), false);
    c.deliver(c.segment(false, 'FA'), true);
    move(c, 20);
    expect(services(c.r)).toEqual(['ftp-data']);
  });

  test('the record of one that has ended may be of another session: nothing is kept for it', () => {
    const c = begin();
    c.segment(true, 'R');
    const other = new ControlConnection(
      c.r,
      { ...INSIDE, address: '10.10.10.2', seen: '172.22.1.110' },
      OUTSIDE,
    ).login();
    move(c, 40);
    expect(services(other.r)).toEqual(['ftp-data']);
  });
});

test('a 234 that answers no AUTH begins no TLS', () => {
  const c = fromOutside().login();
  c.say('PASV');
  c.reply('234 secret from here');
  expect(c.reply('227 ok (10,10,10,5,19,137)')).toBe('227 ok (172,22,1,111,19,137)\r\n');
});

test('after AUTH TLS nothing is read any more, and nothing is opened', () => {
  const c = fromInside().open();
  c.say('AUTH TLS');
  c.reply('234 go ahead');
  expect(c.say('PORT 10,10,10,5,19,137')).toBe('PORT 10,10,10,5,19,137\r\n');
  expect(c.data(false, 20, 5001).verdict).toBe(DROP.acl);
});

test('Telnet commands before ABOR and endless lines do no harm', () => {
  const c = fromInside().login();
  expect(c.say('\xff\xf4\xff\xf2ABOR')).toBe('\xff\xf4\xff\xf2ABOR\r\n');
  const long = `PORT ${'1'.repeat(1000)}`;
  expect(c.say(long)).toBe(`${long}\r\n`);
  expect(c.say('PORT 10,10,10,5,19,137')).toBe('PORT 172,22,1,111,19,137\r\n');
});

test('a super-packet whose text would be replaced is dropped and counted, and passes when it comes cut up', () => {
  const c = fromInside().login();
  const seq = c.client.sndNxt;
  const handle = c.r.engine.handle.bind(c.r.engine);
  c.r.engine.handle = (p, now) => {
    p.gso = true;
    return handle(p, now);
  };
  expect(c.segment(true, 'PA', { seq, payload: 'PORT 10,10,10,5,19,137\r\n' }).verdict).toBe(DROP.inspection);
  c.r.engine.handle = handle;
  expect(c.r.engine.sessions.memory.unreplaceable).toBe(1);
  const again = c.segment(true, 'PA', { seq, payload: 'PORT 10,10,10,5,19,137\r\n' });
  expect(textOf(again)).toBe('PORT 172,22,1,111,19,137\r\n');
});
