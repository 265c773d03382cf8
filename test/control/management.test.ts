import { describe, expect, test } from 'vitest';
import { handlersOf, webListeners } from '../../src/control/management.js';
import { WebLogins } from '../../src/control/web-logins.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import type { Ask, Handlers, LoginAnswer } from '../../src/ios/management-plane.js';
import { fakeRouter, type FakeRouter } from '../ios/support/fake-router.js';

const DELAY_MS = 60;
const BASE = `hostname r1
username admin privilege 15 password 0 adm
username guest password 0 gst
username open
access-list 23 permit 10.10.10.0 0.0.0.255
ip http server
`;

let router: FakeRouter;
function start(lines: string): Handlers {
  router = fakeRouter(`${BASE}${lines}\nend\n`);
  return handlersOf(router, new WebLogins(router, DELAY_MS));
}
const login = (h: Handlers, user: string, password: string, address = '10.10.10.2'): Promise<LoginAnswer> =>
  Promise.resolve(h.login({ user, password, address, port: 80 }));
async function ticketOf(h: Handlers, user: string, password: string): Promise<string> {
  const answer = await login(h, user, password);
  if ('refused' in answer) throw new Error(answer.refused);
  return answer.ticket;
}

describe('who gets in', () => {
  test.each([
    { lines: '', user: '', password: '', in: undefined },
    { lines: 'enable password secret', user: 'whoever', password: 'secret', in: 15 },
    { lines: 'enable password secret', user: 'admin', password: 'adm', in: undefined },
    { lines: 'enable password old\nenable secret new', user: '', password: 'old', in: undefined },
    { lines: 'enable password old\nenable secret new', user: '', password: 'new', in: 15 },
    { lines: 'enable password s\nip http authentication local', user: 'admin', password: 'adm', in: 15 },
    { lines: 'enable password s\nip http authentication local', user: 'guest', password: 'gst', in: 1 },
    { lines: 'enable password s\nip http authentication local', user: 'open', password: '', in: undefined },
    { lines: 'enable password s\nip http authentication local', user: 'nobody', password: '', in: undefined },
    { lines: 'enable password s\nip http authentication local', user: 'admin', password: 's', in: undefined },
    { lines: 'enable password s\nip http authentication aaa', user: 'admin', password: 's', in: undefined },
  ])('$lines: $user with $password has $in', async ({ lines, user, password, in: privilege }) => {
    const answer = await login(start(lines), user, password);
    expect('refused' in answer ? undefined : answer.privilege).toBe(privilege);
  });

  test('a failure is answered late, logged with the port, and counts for login block-for', async () => {
    const h = start('enable password s\nlogin block-for 100 attempts 2 within 100');
    const began = performance.now();
    expect(await login(h, 'x<y', 'wrong')).toEqual({ refused: 'credentials' });
    expect(performance.now() - began).toBeGreaterThan(DELAY_MS * 0.9);
    expect(router.calls.join('\n')).toMatch(
      /SEC_LOGIN-4-LOGIN_FAILED.*\[user: x<y\] \[Source: 10\.10\.10\.2\] \[localport: 80\]/,
    );
    await login(h, '', 'wrong');
    expect(router.calls.join('\n')).toContain('SEC_LOGIN-1-QUIET_MODE_ON');
    expect(await login(h, '', 's')).toEqual({ refused: 'credentials' });
    expect(h.admit({ service: 'http', address: '10.10.10.2', port: 80 })).toBe(false);
  });

  test('one address tries one password after the other, and no more than a few wait', async () => {
    const h = start('enable password s');
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => login(h, '', `guess${i}`)));
    expect(answers.filter((a) => 'refused' in a && a.refused === 'busy')).toHaveLength(6);
    expect(performance.now() - began).toBeGreaterThan(DELAY_MS * 3.5);
  });

  test('a password is looked at once; after a change of the configuration again', async () => {
    const h = start('enable password s');
    const first = await ticketOf(h, '', 's');
    expect(await ticketOf(h, '', 's')).toBe(first);
    router.actions.apply(parseConfig(`${BASE}enable password other\nend\n`, 'x').config);
    expect(await h.exec({ ticket: first, level: 15, line: 'show clock', reading: true })).toEqual({ denied: 'login' });
    expect(await login(h, '', 's')).toEqual({ refused: 'credentials' });
  });

  test.each([
    { lines: '', address: '192.0.2.1', comes: true },
    { lines: 'ip http access-class 23', address: '10.10.10.9', comes: true },
    { lines: 'ip http access-class 23', address: '192.0.2.1', comes: false },
    { lines: 'ip http access-class 24', address: '192.0.2.1', comes: true },
    { lines: '', address: '::1', comes: false },
  ])('$lines: $address may connect: $comes', ({ lines, address, comes }) =>
    expect(start(lines).admit({ service: 'http', address, port: 80 })).toBe(comes),
  );
});

describe('what is done for whom', () => {
  const LOCAL = 'enable password s\nip http authentication local';

  test('a ticket that nobody was given has nothing done', async () => {
    const h = start(LOCAL);
    for (const ticket of ['', 'x', '__proto__']) {
      expect(await h.exec({ ticket, level: 1, line: 'show clock', reading: true })).toEqual({ denied: 'login' });
      expect(await h.configure({ ticket, level: 15, lines: ['hostname x'] })).toEqual({ denied: 'login' });
      expect(await h.help({ ticket, level: 1, line: '' })).toEqual({ denied: 'login' });
    }
  });

  test('no level above that of the login', async () => {
    const h = start(LOCAL);
    const ticket = await ticketOf(h, 'guest', 'gst');
    expect(await h.exec({ ticket, level: 15, line: 'show running-config', reading: true })).toEqual({
      denied: 'level',
    });
    expect(await h.configure({ ticket, level: 1, lines: ['hostname x'] })).toEqual({ denied: 'level' });
    const answer = await h.exec({ ticket, level: 1, line: 'show running-config', reading: true });
    expect(answer).toMatchObject({ failed: true });
    expect(router.config().hostname).toBe('r1');
  });

  test.each([
    ['show clock', true],
    ['sh ip insp all', true],
    ['show ip inspect sessions | include tcp', true],
    ['nonsense', true],
    ['clear counters', false],
    ['reload', false],
    ['configure terminal', false],
    ['write memory', false],
    ['ping 10.10.10.2', false],
    ['copy running-config startup-config', false],
    ['debug ip packet', false],
    ['telnet 10.10.10.2', false],
    ['doit', false],
  ])('%s only reads: %s', async (line, reads) => {
    const h = start(`${LOCAL}\nalias exec doit clear counters`);
    const ticket = await ticketOf(h, 'admin', 'adm');
    const answer = await h.exec({ ticket, level: 15, line, reading: true });
    expect('denied' in answer ? answer.denied : 'carried out').toBe(reads ? 'carried out' : 'not-reading');
  });

  test('a question of a command takes its default; one that takes keys is ended', async () => {
    const h = start(LOCAL);
    const ticket = await ticketOf(h, 'admin', 'adm');
    router.dial = () => ({ send: () => undefined, hold: () => undefined, close: () => undefined });
    expect(await h.exec({ ticket, level: 15, line: 'configure', reading: false })).toMatchObject({ failed: false });
    expect(await h.exec({ ticket, level: 15, line: 'telnet 10.10.10.2', reading: false })).toMatchObject({
      failed: true,
    });
  });

  test('lines of configuration are put in force, faults are shown, and the log says by whom', async () => {
    const h = start(LOCAL);
    const ticket = await ticketOf(h, 'admin', 'adm');
    const answer = await h.configure({
      ticket,
      level: 15,
      lines: ['hostname r2', 'nonsense', 'interface Ethernet2/0', ' shutdown'],
    });
    expect(answer).toMatchObject({ failed: true });
    expect((answer as { output: string }).output).toContain('r2(config)#nonsense\n');
    expect(router.config().hostname).toBe('r2');
    expect(router.config().interfaces).toMatchObject([{ name: 'Ethernet2/0', shutdown: true }]);
    expect(router.calls.join('\n')).toContain('Configured from http by admin (10.10.10.2)');
  });

  test.each([
    { line: 'show clock\nreload' },
    { line: 'x'.repeat(5000) },
    { line: 7 as never },
    { line: undefined as never },
  ])('what nobody could have typed is no line', async ({ line }) => {
    const h = start(LOCAL);
    const ticket = await ticketOf(h, 'admin', 'adm');
    const ask: Ask<'exec'> = { ticket, level: 15, line, reading: true };
    await expect(Promise.resolve(h.exec(ask))).rejects.toThrow('no line');
  });
});

test('it is listened on the addresses of interfaces that are up, by the ports of the configuration', () => {
  const { config } = parseConfig(
    `interface Ethernet2/0
 ip address 172.22.1.16 255.255.255.0
interface Ethernet2/1
 ip address 10.10.10.1 255.255.255.0
 ip address 10.10.11.1 255.255.255.0 secondary
interface Serial2/0
 ip address 10.9.9.9 255.255.255.0
 shutdown
ip http server
ip http port 8080
ip http secure-server
end
`,
    'x',
  );
  expect(webListeners(config).map((l) => `${l.service} ${l.host}:${l.port}`)).toEqual([
    'http 172.22.1.16:8080',
    'http 10.10.10.1:8080',
    'http 10.10.11.1:8080',
    'https 172.22.1.16:443',
    'https 10.10.10.1:443',
    'https 10.10.11.1:443',
  ]);
  expect(webListeners(parseConfig('interface Ethernet2/0\n ip address 10.1.1.1 255.0.0.0\nend\n', 'x').config)).toEqual(
    [],
  );
});
