/** Scans find the mail server's port 25 and nothing else; a flood of SYNs does not stop the mail. With 3640.cfg. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { MailClient } from './support/mail-client.js';
import { DOMAIN, Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { startDns, startHttp } from './support/servers.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';

let lab: Lab;
let router: Fw3640;
let postfix: Postfix;

/** Marks that a test can reach and leave again in seconds; the limit per host is another defence, and out of the way. */
const FLOOD_LIMITS = [
  'ip inspect max-incomplete high 300',
  'ip inspect max-incomplete low 200',
  'ip inspect one-minute high 1000000',
  'ip inspect one-minute low 900000',
  'ip inspect tcp max-incomplete host 100000',
  'ip inspect tcp synwait-time 5',
];

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, {
    config: configVariant(lab, [
      'ip inspect name OUT-IN smtp',
      ['ip inspect name OUT-IN smtp', ...FLOOD_LIMITS].join('\n'),
    ]),
  });
  postfix = Postfix.start(lab);
  // What must not be found.
  for (const port of [80, 8080]) writeFileSync(join(await startHttp(lab, 'inside', port), 'x'), 'x');
  writeFileSync(join(await startHttp(lab, 'inside2', 25), 'x'), 'x');
  await startDns(lab, 'inside', 'x.test', '192.0.2.1');
});
afterAll(() => lab.down());

/** Ports by state, from nmap's grepable output. */
function scan(target: string, ...args: string[]): { port: number; state: string; protocol: string }[] {
  const text = lab.run('outside', 'nmap', [
    ...['-n', '-Pn', '--disable-arp-ping', '-T4', '--max-retries', '1', '--min-rate', '300', '-vv', '-oG', '-'],
    ...[...args, target],
  ]);
  const ports = /\tPorts: ([^\t]*)/.exec(text)?.[1] ?? '';
  return [...ports.matchAll(/(\d+)\/([a-z|]+)\/(\w+)/g)].map((m) => ({
    port: Number(m[1]),
    state: m[2]!,
    protocol: m[3]!,
  }));
}

const PORTS = '-p1-110,8080';

describe('nmap from outside', () => {
  test('a SYN scan finds port 25 of the mail server open, and no other port open or closed', () => {
    const seen = scan(MAIL, '-sS', PORTS);
    expect(seen.filter((p) => p.state !== 'filtered')).toEqual([{ port: 25, state: 'open', protocol: 'tcp' }]);
  });

  test.each([
    ['the second host', '172.22.1.111'],
    ['the router', '172.22.1.16'],
  ])('a SYN scan of %s finds nothing', (_, target) => {
    expect(scan(target, '-sS', PORTS).filter((p) => p.state !== 'filtered')).toEqual([]);
  });

  test.each([
    ['FIN', '-sF'],
    ['Xmas', '-sX'],
    ['null', '-sN'],
    ['ACK', '-sA'],
    ['window', '-sW'],
    ['Maimon', '-sM'],
  ])('%s segments learn of no port whether it is open or closed', (_, option) => {
    const told = scan(MAIL, option, PORTS).filter((p) => !['filtered', 'open|filtered'].includes(p.state));
    expect(told).toEqual([]);
  });

  test('a scan in tiny fragments finds nothing', () => {
    expect(scan(MAIL, '-sS', '-f', PORTS).filter((p) => p.state !== 'filtered')).toEqual([]);
  });

  test('a UDP scan finds nothing, not even the DNS server', () => {
    expect(scan(MAIL, '-sU', '-p53,123,161').filter((p) => !['filtered', 'open|filtered'].includes(p.state))).toEqual(
      [],
    );
  });

  test('no scan left a session behind', async () => {
    await until('half-open sessions to end', () => !router.console('show ip inspect sessions').includes('SIS_'));
  });
});

test('a SYN flood trips aggressive mode, 50 mails arrive meanwhile, and it calms down behind it', async () => {
  const before = postfix.mails.length;
  const flood = new LabProcess(lab, 'outside', 'hping3', [
    ...['-q', '-S', '-p', '25', '-i', 'u2000', '--rand-source', '-c', '1000000', MAIL],
  ]);
  const on = await router.logged('%FW-4-ALERT_ON', /getting aggressive, count \(301\/300\) current 1-min rate: \d+/);
  expect(on.level).toBeDefined();
  const client = await MailClient.start(lab, 'outside', { host: MAIL });
  for (let n = 1; n <= 50; n++) {
    const message = Buffer.from(`Subject: ${n}\r\n\r\nstill arrives\r\n`);
    expect(await client.send(message, { from: 'a@client.test', to: [`b@${DOMAIN}`] })).toMatch(/^250 /);
  }
  expect(flood.exitCode).toBeUndefined();
  await postfix.mail(before + 50);
  expect(router.log.filter((line) => line.mnemonic === '%FW-4-ALERT_OFF')).toEqual([]);
  await flood.stop('SIGINT');
  await router.logged('%FW-4-ALERT_OFF', /calming down, count \(\d+\/200\)/);
  await client.close();
});
