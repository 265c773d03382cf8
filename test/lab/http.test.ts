/** The router's web page, with a real client: who may see what, from where, and what stays when its process dies. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

/** As config/3640.cfg has it. */
const PASSWORD = 'cisco123';

/** A request of a host. @returns head and body, or what curl complained of */
function curl(from: 'inside' | 'outside' | 'router', url: string, ...args: string[]): string {
  const options = ['--silent', '--show-error', '--include', '--max-time', '10', ...args];
  const { stdout, stderr } = lab.exec(from, 'curl', [...options, url]);
  return `${stdout}${stderr}`;
}

/** Waits until the page answers, and returns what it said. */
const answer = (url: string, ...args: string[]): Promise<string> =>
  until(`an answer of ${url}`, () => {
    const said = curl('inside', url, ...args);
    return said.startsWith('HTTP/') ? said : undefined;
  });

const asked = `any:${PASSWORD}`;

/** The process that speaks with people: of the control plane's children the one that is not the data plane. */
const management = (router: Fw3640): Promise<number> =>
  until('the management process', () => {
    const isIt = (pid: number): boolean => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/management/worker.js');
      } catch {
        return false;
      }
    };
    return router.children.find(isIt);
  });

test('whoever has the enable password reads what the console prints; others are asked for it', async () => {
  const router = await Fw3640.start(lab);
  const url = 'http://10.10.10.1/level/15/exec/-/show/ip/inspect/all/CR';
  const refused = await answer(url);
  expect(refused).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
  expect(refused).toMatch(/^www-authenticate: Basic realm="level_15_access"\r$/im);
  expect(refused).toMatch(/^server: cisco-IOS\r$/im);
  const page = await answer(url, '--user', asked);
  expect(page).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  const printed = /<pre>(.*)<\/pre>/s.exec(page)?.[1];
  expect(printed).toBe(router.console('show ip inspect all'));

  // From outside list 101 denies it, at either address; so does nobody else of the box listen.
  for (const address of ['172.22.1.16', '10.10.10.1'])
    expect(curl('outside', `http://${address}/`, '--max-time', '2')).toMatch(/^curl: \((?:7|28)\)/);
  const listening = lab.run('router', 'ss', ['-Hltn', 'sport = :80']).trim().split('\n').map((l) => l.split(/\s+/)[3]); // prettier-ignore
  expect(listening.sort()).toEqual(['10.10.10.1:80', '172.22.1.16:80']);

  expect(curl('inside', 'http://10.10.10.1/', '--user', 'any:wrong')).toMatch(/^HTTP\/1.1 401/);
  const { msg } = await router.logged('%SEC_LOGIN-4-LOGIN_FAILED');
  expect(msg).toContain('[user: any] [Source: 10.10.10.2] [localport: 80]');
  expect(await router.stop()).toBe(0);
});

test('its process may do nothing; when it is killed packets go on, and it is back', async () => {
  const router = await Fw3640.start(lab);
  await answer('http://10.10.10.1/');
  const pid = await management(router);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)![1]!.trim();
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect([set, field(set)]).toEqual([set, '0'.repeat(16)]); // prettier-ignore
  expect(field('NoNewPrivs')).toBe('1');
  expect(field('Groups')).toBe('');
  const [uid] = field('Uid').split('\t');
  expect(Number(uid)).toBeGreaterThan(0);
  const dataPlane = readFileSync(`/proc/${router.dataPlane}/status`, 'utf8');
  expect(/^Uid:\t(\d+)/m.exec(dataPlane)![1]).not.toBe(uid);

  process.kill(pid, 'SIGKILL');
  expect(lab.run('inside', 'ping', ['-c', '3', '-i', '0.2', '-W', '2', '172.22.1.10'])).toContain(' 0% packet loss');
  await router.logged('%FW3640-4-MANAGEMENT', /ended \(SIGKILL\): it is started again/);
  expect(await answer('http://10.10.10.1/')).toMatch(/^HTTP\/1.1 401/);
  expect(await management(router)).not.toBe(pid);
  expect(await router.stop()).toBe(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

test('what the configuration says is listened on at once, and https has a certificate of its own', async () => {
  const config = configVariant(lab, ['ip http server', 'no ip http server']);
  const taken = new LabProcess(lab, 'router', 'python3', ['-m', 'http.server', '8080', '--bind', '0.0.0.0']);
  const router = await Fw3640.start(lab, { config });
  expect(curl('inside', 'http://10.10.10.1/')).toMatch(/^curl: \(7\)/);
  router.console('configure terminal', 'ip http server', 'ip http port 8080', 'ip http secure-server', 'end');
  await router.logged(
    '%FW3640-3-LISTEN',
    /http cannot listen on 10\.10\.10\.1 port 8080: another program has that port/,
  );
  const secure = await answer('https://10.10.10.1/', '--insecure');
  expect(secure).toMatch(/^HTTP\/1.1 401/);
  expect(statSync(`${config}.https.pem`).mode & 0o777).toBe(0o600);
  await taken.stop();
  router.console('configure terminal', 'no ip http port', 'end');
  expect(await answer('http://10.10.10.1/')).toMatch(/^HTTP\/1.1 401/);
  expect(router.console('show ip http server status')).toContain('HTTP secure server status: Enabled\n');

  // Configuration by the page's own form.
  const form = await answer('http://10.10.10.1/level/15/configure', '--user', asked);
  const token = /name="token"\s+value="([^"]+)"/.exec(form)![1]!;
  const sent = ['--user', asked, '--data-urlencode', `token=${token}`, '--data-urlencode', 'lines=hostname web'];
  expect(await answer('http://10.10.10.1/level/15/configure', ...sent, '--header', 'Origin: http://evil.example')).toMatch(/^HTTP\/1.1 403/); // prettier-ignore
  expect(await answer('http://10.10.10.1/level/15/configure', ...sent)).toMatch(/^HTTP\/1.1 200/);
  await router.logged('%SYS-5-CONFIG_I', /Configured from http by any \(10\.10\.10\.2\)/);
  expect(router.console('show running-config | include hostname')).toBe('hostname web\n');

  router.console('configure terminal', 'no ip http server', 'no ip http secure-server', 'end');
  await until('nobody to listen', () => /^curl: \(7\)/.test(curl('inside', 'http://10.10.10.1/')));
  expect(await router.stop()).toBe(0);
});
