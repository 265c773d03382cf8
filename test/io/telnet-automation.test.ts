/**
 * A program drives a telnet line, byte for byte, as clients of netmiko's kind do (its cisco_ios telnet driver as published,
 * and Python's telnetlib below it): every line ends with CR LF, every option is refused, a prompt is what stands behind
 * the last line end, and what was typed is expected back before the answer.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VtyServer } from '../../src/io/vty-server.js';
import { fakeRouter } from '../ios/support/fake-router.js';
import type { FakeRouter } from '../ios/support/fake-router.js';

const CONFIG = `hostname r1
enable secret s3cret
username robot password 0 r0b0t
interface Ethernet2/0
 ip address 10.0.0.1 255.255.255.0
line vty 0 4
 login local
end
`;
const [IAC, DONT, DO, WONT, WILL, NOP] = [255, 254, 253, 252, 251, 241];
const [ECHO, SUPPRESS_GO_AHEAD, NAWS] = [1, 3, 31];
const OFFER = Buffer.from([IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, NAWS]).toString('latin1');
/** telnetlib without a callback of its own. */
const REFUSAL = [IAC, DONT, ECHO, IAC, DONT, SUPPRESS_GO_AHEAD, IAC, WONT, NAWS];

let router: FakeRouter;
let server: VtyServer;
let socket: Socket;
let received: string;
let ended: boolean;

beforeEach(async () => {
  router = fakeRouter(CONFIG);
  server = await VtyServer.listen('0', router, 0);
  [received, ended] = ['', false];
  socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  socket.on('close', () => (ended = true));
});
afterEach(() => {
  socket.destroy();
  server.close();
});

/** Everything that came, as soon as it is as long as what is expected. */
async function receive(expected: string): Promise<void> {
  const deadline = Date.now() + 3000;
  while (received.length < expected.length && Date.now() < deadline) await new Promise((r) => setTimeout(r, 2));
  const [got, rest] = [received.slice(0, expected.length), received.slice(expected.length)];
  received = rest;
  expect(got).toBe(expected);
}

/** Types a line; gets it back, then the answer, then the prompt, and nothing else. */
async function command(line: string, answer: string, prompt: string): Promise<void> {
  socket.write(`${line}\r\n`);
  await receive(`${line}\r\n${answer.replaceAll('\n', '\r\n')}${prompt}`);
  expect(received).toBe('');
}

async function login(): Promise<void> {
  await receive(`${OFFER}\r\n\r\nUser Access Verification\r\n\r\nUsername: `);
  socket.write(Buffer.from(REFUSAL));
  await command('robot', '', 'Password: ');
  socket.write('r0b0t\r\n');
  await receive('\r\nr1>');
}

async function enable(): Promise<void> {
  await command('enable', '', 'Password: ');
  socket.write('s3cret\r\n');
  await receive('\r\nr1#');
}

test('login, preparation of the session, enable, configuration, saving, leaving', async () => {
  await login();
  await command('', '', 'r1>'); // find_prompt
  await command('terminal length 0', '', 'r1>');
  await command('terminal width 511', '', 'r1>');
  await enable();
  await command('', '', 'r1#');
  await command('config term', 'Enter configuration commands, one per line.  End with CNTL/Z.\n', 'r1(config)#');
  await command('', '', 'r1(config)#'); // check_config_mode looks for )#
  await command('interface Ethernet2/0', '', 'r1(config-if)#');
  await command('description by a program', '', 'r1(config-if)#');
  await command('end', '', 'r1#');
  await command('', '', 'r1#');
  await command('write mem', 'Building configuration...\n[OK]\n', 'r1#');
  await command('copy running-config startup-config', '', 'Destination filename [startup-config]? ');
  await command('', 'Building configuration...\n[OK]\n', 'r1#');
  expect(router.config().interfaces[0]?.description).toBe('by a program');
  expect(router.startup).toContain(' description by a program\n');
  socket.write('exit\r\n');
  await receive('exit\r\n');
  await expect.poll(() => ended).toBe(true);
});

test('a set of configuration lines sent at once is answered line by line, in order', async () => {
  await login();
  await command('terminal length 0', '', 'r1>');
  await enable();
  const lines = ['config term', 'interface Ethernet2/0', 'ip access-group 101 in', 'exit', 'access-list 101 permit ip any any', 'end']; // prettier-ignore
  socket.write(lines.map((l) => `${l}\r\n`).join(''));
  const prompts = ['r1(config)#', 'r1(config-if)#', 'r1(config-if)#', 'r1(config)#', 'r1(config)#', 'r1#'];
  const answers = ['Enter configuration commands, one per line.  End with CNTL/Z.\r\n'];
  await receive(lines.map((l, i) => `${l}\r\n${answers[i] ?? ''}${prompts[i]!}`).join(''));
  expect(router.config().interfaces[0]?.accessGroupIn).toBe('101');
});

test('a long answer comes without --More--, in lines of any length, and ends with the prompt alone on its line', async () => {
  await login();
  await command('terminal length 0', '', 'r1>');
  await command('terminal width 511', '', 'r1>');
  await enable();
  socket.write('show running-config\r\n');
  await expect.poll(() => received).toMatch(/\r\nend\r\nr1#$/);
  expect(received).not.toMatch(/More|\x08|\x1b/); // eslint-disable-line no-control-regex
  expect(received.split('\r\n')[0]).toBe('show running-config');
  expect(received.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
});

test('what a client finds in errors is there: the line it typed, the marker, the prompt', async () => {
  await login();
  await enable();
  await command('show nonsense', `${' '.repeat(8)}^\n% Invalid input detected at '^' marker.\n\n`, 'r1#');
  await command('show ip', '% Incomplete command.\n\n', 'r1#');
  await command('show i', '% Ambiguous command:  "show i"\n', 'r1#');
});

test('a wrong secret is asked again, three times, and the client sees that it is not enabled', async () => {
  await login();
  await command('enable', '', 'Password: ');
  for (const after of ['Password: ', 'Password: ', '% Bad secrets\r\nr1>']) {
    socket.write('wrong\r\n');
    await receive(`\r\n${after}`);
  }
});

test('a wrong name or password: the words that clients look for', async () => {
  await receive(`${OFFER}\r\n\r\nUser Access Verification\r\n\r\nUsername: `);
  await command('robot', '', 'Password: ');
  socket.write('wrong\r\n');
  await receive('\r\n% Login invalid\r\n\r\nUsername: ');
});

test('line ends cut in two are one Enter; a no-operation to see whether we live is no key', async () => {
  await login();
  socket.write('\r');
  await receive('\r\nr1>');
  socket.write('\n');
  socket.write(Buffer.from([IAC, NOP, IAC, NOP, IAC, NOP]));
  await command('show privilege', 'Current privilege level is 1\n', 'r1>');
});
