/** POP3 and IMAP inspection in the router: ports, `reset`, `secure-login`, messages, configuration. */
import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../src/core/inspect/rules.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { runningConfig } from '../../src/ios/config/running-config.js';
import { messageOf, unstamped } from '../../src/ios/messages.js';
import { showInspectName } from '../../src/ios/show/ip-inspect.js';
import { showPortMap } from '../../src/ios/show/port-map.js';
import { tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const MAIL = '172.22.1.110';
const parse = (text: string) => parseConfig(text, 'test').config;
const OPEN = 'access-list 101 permit tcp any any';

/** A connection from outside to the mail server's `port`, whose server has greeted. */
function connection(lines: string, port: number, greeting: string) {
  const r = new Router3640(`${OPEN}\n${lines}`);
  let [client, server] = [1001, 5001];
  const toServer = (flags: string, seq: number, ack: number, payload = '') =>
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: port, flags, seq, ack, payload }));
  const toClient = (flags: string, seq: number, ack: number, payload = '') =>
    r.fromInside(tcpPacket({ src: '10.10.10.2', srcPort: port, dst: CLIENT, dstPort: 4000, flags, seq, ack, payload }));
  toServer('S', 1000, 0);
  toClient('SA', 5000, 1001);
  toServer('A', 1001, 5001);
  const says = {
    client(text: string) {
      const seq = client;
      client += text.length;
      return toServer('PA', seq, server, text);
    },
    server(text: string) {
      const seq = server;
      server += text.length;
      return toClient('PA', seq, client, text);
    },
  };
  says.server(greeting);
  return {
    ...says,
    sessions: () => {
      const all: string[] = [];
      r.engine.sessions.forEach((s) => all.push(SERVICES[s.service]!));
      return all;
    },
    messages: () => r.events.filter((e) => e.type === 'finding').map((e) => unstamped(messageOf(e))),
    injected: () => r.injected.length,
  };
}

const RULES = 'ip inspect name OUT-IN pop3\nip inspect name OUT-IN imap';

describe.each([
  {
    protocol: 'pop3',
    NAME: 'POP3',
    port: 110,
    greeting: '+OK hi\r\n',
    bad: 'FOO hunter2\r\n',
    login: 'USER fred\r\n',
    what: 'USER',
  },
  {
    protocol: 'imap',
    NAME: 'IMAP',
    port: 143,
    greeting: '* OK hi\r\n',
    bad: 'a FOO hunter2\r\n',
    login: 'a LOGIN fred hunter2\r\n',
    what: 'LOGIN',
  },
])('$protocol', ({ protocol, NAME, port, greeting, bad, login, what }) => {
  test('its port is inspected as such, and others that ip port-map names', () => {
    expect(connection(RULES, port, greeting).sessions()).toEqual([protocol]);
    expect(connection(`${RULES}\nip port-map ${protocol} port 2000`, 2000, greeting).sessions()).toEqual([protocol]);
    expect(showPortMap(parse(''), protocol)).toMatch(new RegExp(`${protocol} +tcp port ${port} +system defined`));
  });

  test('an illegal command does not pass, is told without its text, and ends the session', () => {
    const c = connection(RULES, port, greeting);
    c.client(bad);
    expect(c.messages()).toEqual([
      `%FW-5-${NAME}_INVALID_COMMAND: Invalid ${NAME} command from initiator (${CLIENT}:4000): Invalid verb`,
    ]);
    expect(c.sessions()).toEqual([]);
    expect(c.injected()).toBe(0);
  });

  test('with reset both ends hear of it', () => {
    const c = connection(`ip inspect name OUT-IN ${protocol} reset`, port, greeting);
    c.client(bad);
    expect(c.sessions()).toEqual([]);
    expect(c.injected()).toBeGreaterThanOrEqual(2);
  });

  test('secure-login refuses a password, without it it passes', () => {
    const c = connection(`ip inspect name OUT-IN ${protocol} secure-login`, port, greeting);
    c.client(login);
    expect(c.messages()).toEqual([
      `%FW-5-${NAME}_NON_SECURE_LOGIN: LOGON ${NAME} command from initiator (${CLIENT}:4000): ${what}`,
    ]);
    expect(c.sessions()).toEqual([]);
    const free = connection(RULES, port, greeting);
    free.client(login);
    expect(free.messages()).toEqual([]);
    expect(free.sessions()).toEqual([protocol]);
  });

  test('alert off is quiet, and refuses all the same', () => {
    const c = connection(`ip inspect name OUT-IN ${protocol} alert off`, port, greeting);
    c.client(bad);
    expect(c.messages()).toEqual([]);
    expect(c.sessions()).toEqual([]);
  });

  test('the line is printed as it was typed', () => {
    const line = `ip inspect name X ${protocol} alert on audit-trail off reset secure-login timeout 60`;
    const config = parse(line);
    expect(runningConfig(config)).toContain(`\n${line}\n`);
    expect(showInspectName(config, 'X')).toContain(
      `${protocol} reset secure-login alert is on audit-trail is off timeout 60`,
    );
    expect(runningConfig(parse(`ip inspect name X ${protocol}\n`))).toContain(`\nip inspect name X ${protocol}\n`);
    expect(runningConfig(parse(`${line}\nip inspect name X tcp\nno ip inspect name X ${protocol}`))).not.toContain(
      protocol,
    );
  });
});
