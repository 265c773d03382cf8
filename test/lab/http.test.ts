/** The router's web page, with a real client: who may see what, from where, and what stays when its process dies. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
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

test('whoever has the enable password reads what the console prints; others are asked for it', async () => {
  const router = await Fw3640.start(lab);
  const url = 'http://10.10.10.1/level/15/exec/-/show/ip/inspect/all/CR';
  const refused = await answer(url);
  expect(refused).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
  expect(refused).toMatch(/^www-authenticate: Basic realm="level_15_access"\r$/im);
  expect(refused).toMatch(/^server: cisco-IOS\r$/im);
  const page = await answer(url, '--user', `any:${PASSWORD}`);
  expect(page).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  const printed = /<pre>(.*)<\/pre>/s.exec(page)?.[1];
  expect(printed).toBe(router.console('show ip inspect all'));
  expect(await router.stop()).toBe(0);
});
