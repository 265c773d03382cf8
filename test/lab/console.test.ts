/** The console against live traffic: what `show` prints is what crosses, and what is typed takes effect at once. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { openTcp, type Connection, type TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';
const RULE = 'ip inspect name OUT-IN smtp';

let lab: Lab;
let router: Fw3640;
let config: string;
beforeAll(async () => {
  lab = Lab.up();
  config = configWith(lab, RULE);
  router = await Fw3640.start(lab, { config });
});
afterAll(() => lab.down());

let server: TcpServer;
let client: Connection;

beforeEach(async () => {
  server = await smtpServer(lab);
  client = await openTcp(lab, 'outside', MAIL, 25);
  await client.receive(/^220 .*\r\n/);
});
afterEach(async () => {
  client.reset();
  await server.close();
});

const say = async (line: string, reply: RegExp): Promise<void> => {
  client.write(`${line}\r\n`);
  await client.receive(reply);
};

describe('show', () => {
  test('sessions: the connection, its state and its bytes', async () => {
    await say('HELO client.test', /250 2\.0\.0 Ok\r\n$/);
    const detail = router.console('show ip inspect sessions detail');
    expect(detail).toMatch(
      /^Established Sessions\n Session [0-9A-F]{8} \(172\.22\.1\.10:\d+\)=>\(172\.22\.1\.110:25\) smtp SIS_OPEN\n {2}Created 00:00:\d\d, Last heard 00:00:\d\d\n/,
    );
    const banner = client.text.length;
    expect(detail).toContain(`  Bytes sent (initiator:responder) [${'HELO client.test\r\n'.length}:${banner}]\n`);
    expect(router.console('show ip inspect all')).toContain(detail.split('\n')[1]);
  });

  test('access-lists: one more match for one more connection, none for what the session lets by', async () => {
    const matches = (): number => Number(/eq smtp \((\d+) match/.exec(router.console('show access-lists'))?.[1] ?? 0);
    const before = matches();
    await say('NOOP', /250/);
    expect(matches()).toBe(before);
    const second = await openTcp(lab, 'outside', MAIL, 25);
    await second.receive(/^220/);
    expect(matches()).toBe(before + 1);
    second.reset();
    router.console('clear access-list counters');
    expect(matches()).toBe(0);
  });

  test('translations: the extended entry of the connection before the static one', () => {
    const port = /=>|:(\d+)\)=>/.exec(router.console('show ip inspect sessions'))?.[1] ?? '';
    const text = router.console('show ip nat translations');
    expect(text).toContain(
      `tcp 172.22.1.110:25    10.10.10.2:25      172.22.1.10:${port.padEnd(6)} 172.22.1.10:${port}\n` +
        '--- 172.22.1.110       10.10.10.2         ---                ---\n',
    );
    expect(router.console('show ip nat statistics')).toContain('Inside interfaces:\n  Ethernet2/1\n');
  });

  test('interfaces: addresses of the Linux interface, and packets that came in', async () => {
    const mac = (/ether (\S+)/.exec(lab.run('router', 'ip', ['link', 'show', 'outside']))?.[1] ?? '')
      .replaceAll(':', '')
      .replace(/(.{4})(.{4})(.{4})/, '$1.$2.$3');
    const text = (): string => router.console('show interfaces Ethernet2/0');
    expect(text()).toMatch(/^Ethernet2\/0 is up, line protocol is up\n/);
    expect(text()).toContain(`address is ${mac} (bia ${mac})`);
    const packets = (): number => Number(/(\d+) packets input/.exec(text())?.[1]);
    const before = packets();
    await say('NOOP', /250/);
    expect(packets()).toBeGreaterThan(before);
    expect(router.console('show ip interface brief')).toMatch(/^Ethernet2\/1 +10\.10\.10\.1 +YES NVRAM +up +up$/m);
  });

  test('neighbours, routes, statistics', () => {
    expect(router.console('show ip arp')).toMatch(
      /^Internet {2}172\.22\.1\.10 +\d+ +[0-9a-f.]{14} {2}ARPA {3}Ethernet2\/0$/m,
    );
    expect(router.console('show ip route')).toContain('S*   0.0.0.0/0 [1/0] via 172.22.1.1\n');
    const statistics = router.console('show ip inspect statistics');
    expect(statistics).toMatch(/^ {2}smtp packets: \[[1-9]\d*:0\]$/m);
    expect(statistics).toMatch(/^Current session counts \(estab\/half-open\/terminating\) \[1:0:0\]$/m);
  });

  test('packet-tracer knows the session, and fw3640 trace tells the same', () => {
    const source = /\((172\.22\.1\.10):(\d+)\)=>/.exec(router.console('show ip inspect sessions'));
    const words = ['tcp', source?.[1] ?? '', source?.[2] ?? '', MAIL, '25'];
    expect(router.console(`packet-tracer input Ethernet2/0 ${words.join(' ')}`)).toContain(
      'smtp SIS_OPEN: access lists are bypassed',
    );
    expect(router.console(`packet-tracer input Ethernet2/0 ${words.join(' ')}`)).toContain('Result: forwarded by');
    const socket = ['--socket', join(lab.folder, 'console.sock')];
    expect(fw3640(lab, 'trace', ...socket, '--in', 'Ethernet2/0', ...words).stdout).toContain(
      'access lists are bypassed',
    );
  });
});

describe('what is typed takes effect', () => {
  test('at once, and sessions live on', async () => {
    router.console('configure terminal', 'no access-list 101', 'access-list 101 deny ip any any', 'end');
    const refused = await openTcp(lab, 'outside', MAIL, 25).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    await say('HELO client.test', /250 2\.0\.0 Ok\r\n$/);
    router.console(
      'configure terminal',
      'no access-list 101',
      'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
      'end',
    );
    const admitted = await openTcp(lab, 'outside', MAIL, 25);
    await admitted.receive(/^220/);
    admitted.reset();
    await router.logged('%SYS-5-CONFIG_I', /Configured from console by console/);
  });

  test('clear ip inspect session resets both ends', async () => {
    const id = /Session ([0-9A-F]{8})/.exec(router.console('show ip inspect sessions'))?.[1] ?? '';
    router.console(`clear ip inspect session ${id}`);
    expect(await client.gone()).toBe('ECONNRESET');
    expect(router.console('show ip inspect sessions')).not.toContain(id);
  });

  test('write memory keeps it, SIGHUP reads it again; a file with an error changes nothing and says so', async () => {
    router.console('configure terminal', 'hostname kept', 'end', 'write memory');
    expect(router.console('show startup-config')).toContain('\nhostname kept\n');
    writeFileSync(
      config,
      router
        .console('show startup-config')
        .replace(/^Using.*\n/, '')
        .replace('hostname kept', 'hostname reread'),
    );
    router.process.child.kill('SIGHUP');
    await router.shows('show running-config', /^hostname reread$/m);
    writeFileSync(config, 'hostname broken\nip inspekt\n');
    router.process.child.kill('SIGHUP');
    await until(
      () => `the error in the log:\n${router.process.stdout}${router.process.stderr}`,
      () => /Invalid input detected/.test(`${router.process.stdout}${router.process.stderr}`),
    );
    expect(router.console('show running-config')).toMatch(/^hostname reread$/m);
  });

  test('debug ip inspect smtp is seen by a terminal that monitors, and ends with undebug all', async () => {
    let screen = '';
    const terminal = connect(join(lab.folder, 'console.sock'));
    terminal.on('data', (d) => (screen += d.toString()));
    terminal.write(`${JSON.stringify({ mode: 'terminal', rows: 0, columns: 80 })}\n`);
    const seen = (what: string): Promise<true> =>
      until(
        () => `${what} on the screen:\n${screen}`,
        () => screen.includes(what) || undefined,
      );
    await seen('>');
    terminal.write('enable\r');
    await seen('Password: ');
    terminal.write('cisco123\r');
    await seen('#');
    terminal.write('terminal monitor\rdebug ip inspect smtp\r');
    await seen('INSPECT SMTP Inspection debugging is on');
    client.write('HELO client.test\r\n');
    await seen('CBAC SMTP: VERB - match id:5');
    terminal.write('undebug all\r');
    await seen('All possible debugging has been turned off');
    terminal.destroy();
  });
});
