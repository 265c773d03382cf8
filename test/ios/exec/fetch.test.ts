/** Commands that read the data plane's state: they say what they read, and are carried out when it is here. */
import { expect, test, vi } from 'vitest';
import type { RouterSnapshot, ViewName } from '../../../src/core/state/snapshot.js';
import { EXEC_COMMANDS } from '../../../src/ios/exec/vocabulary.js';
import type { ConsoleRouter } from '../../../src/ios/exec/router.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { CONFIG_TEXT } from '../../support/router-3640.js';
import { fakeRouter } from '../support/fake-router.js';

/** A line for each command that shows or clears something, with all that its syntax allows. */
const LINES: readonly string[] = [
  'show ip inspect all',
  'show ip inspect config',
  'show ip inspect interfaces',
  'show ip inspect name OUT-IN',
  'show ip inspect sessions',
  'show ip inspect sessions detail',
  'show ip inspect statistics',
  'show tcp intercept connections',
  'show tcp intercept statistics',
  'show ip nat translations',
  'show ip nat translations tcp verbose',
  'show ip nat translations inside',
  'show ip nat translations outside',
  'show ip nat statistics',
  'show access-lists',
  'show access-lists 101',
  'show ip access-lists',
  'show ip virtual-reassembly',
  'show ip traffic',
  'show tech-support',
  'show ip route',
  'show interfaces',
  'show version',
  'show users',
  'packet-tracer input Ethernet2/0 tcp 172.22.1.10 4000 172.22.1.110 25',
  'monitor capture buffer B size 100',
  'monitor capture buffer B clear',
  'monitor capture buffer B filter access-list 101',
  'monitor capture buffer B limit duration 5',
  'monitor capture buffer B export flash:b.pcap',
  'monitor capture point ip cef P all both',
  'monitor capture point associate P B',
  'monitor capture point start all',
  'show monitor capture buffer all parameters',
  'show monitor capture buffer B dump',
  'show monitor capture point all',
  'clear ip inspect session *',
  'clear ip nat translation inside 172.22.1.110 10.10.10.2',
];

const VIEWS =
  'sessions translations expected aclMatches counters inspection intercept nat reassembly captures captured'.split(' ');

/** A router whose state is far away: asked for what was not fetched, it fails. */
function remote(): { router: ConsoleRouter; arrive: () => void } {
  const fake = fakeRouter(CONFIG_TEXT);
  let here: readonly ViewName[] = [];
  const waiting: (() => void)[] = [];
  const snapshot = new Proxy(fake.snapshot, {
    get: (target, name: keyof RouterSnapshot) => {
      if (VIEWS.includes(name) && !here.includes(name as ViewName)) throw new Error(`${name} was not fetched`);
      return Reflect.get(target, name) as unknown;
    },
  });
  const fetch = (names: readonly ViewName[]): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(() => {
        here = names;
        resolve();
      });
    });
  return { router: Object.assign(fake, { snapshot, fetch }), arrive: () => waiting.splice(0).forEach((go) => go()) };
}

test.each(LINES)('%s reads nothing that it has not said', async (line) => {
  const { router, arrive } = remote();
  const session = new ConsoleSession(router, 'console', 15);
  const { output, failed } = session.execute(line);
  expect(failed).toBe(false);
  if (!session.isBusy()) return;
  expect(output).toBe('');
  const done = vi.fn();
  session.runJob(() => undefined, done);
  expect(done).not.toHaveBeenCalled();
  arrive();
  await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
  expect(session.isBusy()).toBe(false);
});

test('every show that names a view is among the lines above', () => {
  const tried = LINES.map((l) => l.split(' ').slice(0, 3).join(' '));
  const reading = EXEC_COMMANDS.filter((c) => (c.reads ?? []).length > 0).map((c) => c.syntax);
  const missed = reading.filter(
    (s) =>
      !tried.some((t) =>
        s
          .replace(/[[{].*$/, '')
          .trim()
          .startsWith(t.split(' ').slice(0, 2).join(' ')),
      ),
  );
  expect(missed).toEqual([]);
});

test('the output is filtered, printed when it is here, and the prompt comes behind it', async () => {
  const { router, arrive } = remote();
  const session = new ConsoleSession(router, 'console', 15);
  session.execute('show access-lists | include tcp');
  let printed: string | undefined;
  session.runJob(
    () => undefined,
    (_, output) => (printed = output),
  );
  arrive();
  await vi.waitFor(() => expect(printed).toBeDefined());
  expect(printed).toMatch(/tcp/);
  expect(printed).not.toMatch(/Extended/);
});

test('the escape sequence ends the wait; what comes later is not printed', async () => {
  const { router, arrive } = remote();
  const session = new ConsoleSession(router, 'console', 15);
  session.execute('show ip inspect sessions');
  const done = vi.fn();
  session.runJob(() => undefined, done);
  session.interrupt();
  expect(done).toHaveBeenCalledOnce();
  expect(session.isBusy()).toBe(false);
  arrive();
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toHaveBeenCalledOnce();
});
