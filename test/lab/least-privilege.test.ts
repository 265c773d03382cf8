/**
 * What the data plane may do on the host: two capabilities, as a user of its own. It judges and takes over all the same.
 * So do both planes as that user, as fw3640.service has them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ShardFiles } from '../../src/host/shard-files.js';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { type Connection, openTcp } from './support/tcp.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

const NET_ADMIN_AND_NET_RAW = '0000000000003000';

const status = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'utf8');
const field = (pid: number, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status(pid))![1]!.trim();

/** The user of the data plane, once it is certain that it may do no more than it has to. */
function leastPrivileged(pid: number, sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']): number {
  const ids = field(pid, 'Uid').split('\t');
  expect(new Set(ids).size).toBe(1);
  expect(Number(ids[0])).toBeGreaterThan(0);
  expect(field(pid, 'Gid').split('\t')).not.toContain('0');
  expect(field(pid, 'Groups')).toBe('');
  for (const set of sets) expect([set, field(pid, set)]).toEqual([set, NET_ADMIN_AND_NET_RAW]); // prettier-ignore
  expect(field(pid, 'NoNewPrivs')).toBe('1');
  return Number(ids[0]);
}

async function dialogue(): Promise<Connection> {
  const mail = await openTcp(lab, 'outside', '172.22.1.110', 25);
  await mail.receive(/^220 .*\r\n/);
  await say(mail, 'HELO client.test', 250);
  return mail;
}

async function say(mail: Connection, line: string, code: number): Promise<void> {
  const before = mail.text.length;
  mail.write(`${line}\r\n`);
  await until(() => `${code} to ${line}: ${mail.text}`, () => mail.text.slice(before).startsWith(String(code))); // prettier-ignore
}

/** The process of the data plane; 0: there is none at this moment. */
const running = (router: Fw3640): number => {
  try {
    return router.dataPlane;
  } catch {
    return 0;
  }
};
const runFolder = (): string => `/run/fw3640/net-${statSync(`/run/netns/${lab.netns('router')}`).ino}`;

test('it has a user of its own, two capabilities and no way to more; after its death so has the next, and the mail goes on', async () => {
  await smtpServer(lab);
  const router = await Fw3640.start(lab);
  const { dataPlane } = router;
  const user = leastPrivileged(dataPlane);
  const mail = await dialogue();
  await say(mail, 'EXPN root', 500);
  await router.logged('%FW-4-SMTP_INVALID_COMMAND');
  // What the kernel counts of the queue is there too.
  expect(lab.run('router', 'stat', ['-c', '%g', '/proc/net/netfilter/nfnetlink_queue']).trim()).toBe(field(dataPlane, 'Gid').split('\t')[0]); // prettier-ignore

  process.kill(dataPlane, 'SIGKILL');
  await router.logged('%FW3640-5-DATA_PLANE', /1 sessions? of the earlier data plane go(es)? on|started again/);
  await until('another data plane', () => ![0, dataPlane].includes(running(router)));
  await say(mail, 'RSET', 250);
  expect(leastPrivileged(router.dataPlane)).toBe(user);
  expect(router.log.filter((line) => /runs as root/.test(line.msg))).toEqual([]);
  expect(await router.stop()).toBe(0);
});

test('it takes over what a data plane of root has left', async () => {
  await smtpServer(lab);
  const first = await Fw3640.start(lab);
  const mail = await dialogue();
  await say(mail, 'NOOP', 250);
  await first.kill();
  const state = dirname(new ShardFiles(runFolder()).state);
  execFileSync('chown', ['-R', 'root:root', state]);
  const router = await Fw3640.start(lab);
  await router.logged('%FW3640-5-DATA_PLANE', /1 sessions? of the earlier data plane go/);
  const user = leastPrivileged(router.dataPlane);
  expect([statSync(state).uid, statSync(`${state}/shard0/manifest`).uid]).toEqual([user, user]);
  await say(mail, 'EXPN root', 500);
  await router.logged('%FW-4-SMTP_INVALID_COMMAND');
  expect(await router.stop()).toBe(0);
});

test('the folder that says which process it is, and has its socket, is not its to write', async () => {
  const router = await Fw3640.start(lab);
  const { uid, mode } = statSync(runFolder());
  expect([uid, mode & 0o777]).toEqual([0, 0o755]);
  for (const name of ['shard0.pid', `shard0-${router.dataPlane}.sock`, 'shard0.err']) expect(statSync(`${runFolder()}/${name}`)).toMatchObject({ uid: 0 }); // prettier-ignore
  expect(await router.stop()).toBe(0);
});

/** As systemd starts it by fw3640.service: a user with ambient capabilities, and a run directory that is its own. */
const AS_SERVICE = `
  mkdir -p /run/fw3640 && mount -t tmpfs -o uid=65523,gid=65523,mode=755 tmpfs /run/fw3640
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  FW3640_ETC=$0 FW3640_USER=65523 packaging/prepare start
  exec setpriv --reuid=65523 --regid=65523 --clear-groups --inh-caps=-all,+net_admin,+net_raw,+net_bind_service \
    --ambient-caps=-all,+net_admin,+net_raw,+net_bind_service \
    --bounding-set=-all,+net_admin,+net_raw,+net_bind_service --no-new-privs -- "$@"`;

test('the control plane needs no root either: as a user it sets the host up, is obeyed, and sets it back', async () => {
  await smtpServer(lab);
  const host = (): string => lab.run('router', 'sh', ['-c', 'ip -4 -brief address; ip -4 route; ip -4 rule; iptables-save | grep "^-"; sysctl -a 2>/dev/null | grep "conf.*forwarding"']); // prettier-ignore
  const before = host();
  const config = configVariant(lab);
  execFileSync('chmod', ['755', lab.folder]);
  const etc = join(lab.folder, 'etc');
  mkdirSync(etc);
  execFileSync('mv', [config, join(etc, 'startup-config')]);
  const router = await Fw3640.start(lab, {
    config: join(etc, 'startup-config'),
    socket: join(etc, 'console.sock'),
    through: ['unshare', '-m', 'sh', '-euc', AS_SERVICE, etc],
  });
  const control = router.process.child.pid!;
  expect(field(control, 'Uid').split('\t')).toEqual(Array(4).fill('65523'));
  const [dataPlane] = router.children;
  leastPrivileged(dataPlane!, ['CapPrm', 'CapEff', 'CapAmb']);
  const mail = await dialogue();
  await say(mail, 'EXPN root', 500);
  await router.logged('%FW-4-SMTP_INVALID_COMMAND');
  router.console('configure terminal', 'ip route 192.0.2.0 255.255.255.0 10.10.10.2', 'end', 'write memory');
  expect(lab.run('router', 'ip', ['route', 'show', '192.0.2.0/24'])).toContain('via 10.10.10.2');
  expect(readFileSync(join(etc, 'startup-config'), 'utf8')).toContain('192.0.2.0');
  process.kill(dataPlane!, 'SIGKILL');
  await router.logged('%FW3640-5-DATA_PLANE', /1 sessions? of the earlier data plane go/);
  await say(mail, 'RSET', 250);
  expect(await router.stop()).toBe(0);
  expect(host()).toBe(before);
});
