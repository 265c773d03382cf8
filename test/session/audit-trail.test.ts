/** `ip inspect audit-trail`: what is said at the end of a session, its bytes, and the requests of HTTP. */
import { describe, expect, test } from 'vitest';
import { messageOf } from '../../src/ios/messages.js';
import { icmpPacket, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const SERVER = '172.22.1.10';

const client = (r: Router3640, flags: string, more: Partial<TcpFields> = {}, dstPort = 80): Outcome =>
  r.fromInside(tcpPacket({ src: HOST, srcPort: 4000, dst: SERVER, dstPort, flags, ...more }));
const server = (r: Router3640, flags: string, more: Partial<TcpFields> = {}, srcPort = 80): Outcome =>
  r.fromOutside(tcpPacket({ src: SERVER, srcPort, dst: HOST_GLOBAL, dstPort: 4000, flags, ...more }));

function open(extra = 'ip inspect audit-trail', port = 80): Router3640 {
  const r = new Router3640(extra);
  client(r, 'S', { seq: 99 }, port);
  server(r, 'SA', { seq: 499, ack: 100 }, port);
  client(r, 'A', { seq: 100, ack: 500 }, port);
  return r;
}
const said = (r: Router3640): string[] => r.events.map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);
const stop = (r: Router3640): string | undefined => said(r).find((line) => line.includes('Stop'));

describe('byte counts', () => {
  test('are those of the stream: what comes again does not count again, in whatever order', () => {
    const r = open('ip inspect audit-trail', 443);
    client(r, 'PA', { seq: 110, ack: 500, payload: 'second' }, 443);
    client(r, 'PA', { seq: 100, ack: 500, payload: '0123456789' }, 443);
    client(r, 'PA', { seq: 110, ack: 500, payload: 'second' }, 443);
    server(r, 'PA', { seq: 500, ack: 116, payload: 'answer' }, 443);
    server(r, 'FA', { seq: 506, ack: 116 }, 443);
    client(r, 'FA', { seq: 116, ack: 507 }, 443);
    server(r, 'A', { seq: 507, ack: 117 }, 443);
    r.wait(6000);
    expect(stop(r)).toBe(
      `%FW-6-SESS_AUDIT_TRAIL: Stop tcp session: initiator (${HOST}:4000) sent 16 bytes -- responder (${SERVER}:443) sent 6 bytes`,
    );
  });

  test('of UDP and ICMP are those of the payload: five pings of 100 bytes are 360', () => {
    const r = new Router3640('ip inspect audit-trail');
    for (let n = 1; n <= 5; n++) {
      const rest = [0, 7, 0, n, ...Array<number>(72).fill(1)];
      r.fromInside(icmpPacket(HOST, SERVER, 8, 0, rest));
      r.fromOutside(icmpPacket(SERVER, HOST_GLOBAL, 0, 0, rest));
    }
    r.fromInside(udpPacket(HOST, 5000, SERVER, 123, 'abc'));
    r.fromOutside(udpPacket(SERVER, 123, HOST_GLOBAL, 5000, 'abcde'));
    r.wait(60_000);
    expect(said(r).filter((line) => line.includes('Stop'))).toEqual([
      `%FW-6-SESS_AUDIT_TRAIL: Stop icmp session: initiator (${HOST}:8) sent 360 bytes -- responder (${SERVER}:0) sent 360 bytes`,
      `%FW-6-SESS_AUDIT_TRAIL: Stop udp session: initiator (${HOST}:5000) sent 3 bytes -- responder (${SERVER}:123) sent 5 bytes`,
    ]);
  });
});

describe('http', () => {
  const APPLET = 'HTTP/1.1 200 OK\r\n\r\n\xca\xfe\xba\xbe\x00\x00\x004';

  test('the audit trail has the number of requests and the first one as fields', () => {
    const r = open();
    client(r, 'PA', { seq: 100, ack: 500, payload: 'GET /a HTTP/1.1\r\n\r\nGET /"b HTTP/1.1\r\n\r\n' });
    client(r, 'R', { seq: 139 });
    const event = r.events.find((e) => e.type === 'session-stop')!;
    expect(stop(r)).toContain('Stop http session');
    expect(messageOf(event).fields).toMatchObject({ requests: 2, request: 'GET /a HTTP/1.1' });
  });

  test('a Java applet costs the connection, with a message', () => {
    const r = open('');
    client(r, 'PA', { seq: 100, ack: 500, payload: 'GET /A.class HTTP/1.0\r\n\r\n' });
    expect(server(r, 'PA', { seq: 500, ack: 125, payload: APPLET }).verdict).toBe(DROP.inspection);
    expect(said(r)).toEqual([`%FW-4-HTTP_JAVA_BLOCK: JAVA applet is blocked from (${SERVER}:80) to (${HOST}:4000).`]);
    expect(r.injected.map((b) => b[33]! & 4)).toContain(4);
    expect(r.sessionCount).toBe(0);
  });

  test.each([
    ['from a server that the list permits, passes', 'access-list 7 permit 172.22.1.10', PASS],
    [
      'from one that it denies, is blocked',
      'access-list 7 deny 172.22.1.10\naccess-list 7 permit any',
      DROP.inspection,
    ],
    ['where the list is a placeholder, is blocked', '', DROP.inspection],
  ])('with a java-list an applet %s', (_, list, want) => {
    const r = open(`${list}\nip inspect name IN-OUT http java-list 7`);
    expect(server(r, 'PA', { seq: 500, ack: 100, payload: APPLET }).verdict).toBe(want);
  });
});
