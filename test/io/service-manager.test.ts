/** What systemd hears, and when it does not hear that the watchdog may be content. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceManager } from '../../src/io/service-manager.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function manager(env: NodeJS.ProcessEnv): { said: string[]; systemd: ServiceManager } {
  const said: string[] = [];
  return { said, systemd: new ServiceManager(env, (path, text) => said.push(`${path} ${text}`)) };
}

test('a start, a reload and the end are said in order', () => {
  const { said, systemd } = manager({ NOTIFY_SOCKET: '/n' });
  systemd.started(() => true);
  systemd.reloading();
  systemd.reloaded();
  systemd.stopping();
  expect(said).toEqual([
    '/n READY=1',
    expect.stringMatching(/^\/n RELOADING=1\nMONOTONIC_USEC=\d+$/),
    '/n READY=1',
    '/n STOPPING=1',
  ]);
});

test('the watchdog hears some words a period, as long as packets are judged, and none after the end', () => {
  const { said, systemd } = manager({
    NOTIFY_SOCKET: '/n',
    WATCHDOG_USEC: '8000000',
    WATCHDOG_PID: String(process.pid),
  });
  let well = true;
  const words = (): number => said.filter((s) => s === '/n WATCHDOG=1').length;
  vi.advanceTimersByTime(8000);
  expect(words()).toBe(0); // it has not started
  systemd.started(() => well);
  vi.advanceTimersByTime(8000);
  expect(words()).toBe(4);
  well = false;
  vi.advanceTimersByTime(80_000);
  expect(words()).toBe(4);
  well = true;
  vi.advanceTimersByTime(2000);
  expect(words()).toBe(5);
  systemd.stopping();
  vi.advanceTimersByTime(80_000);
  expect(words()).toBe(5);
});

test.each([
  { name: 'without a service manager', env: { WATCHDOG_USEC: '8000000' }, says: [] },
  { name: 'with a watchdog of another process', env: { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '8000000', WATCHDOG_PID: '1' }, says: ['/n READY=1'] }, // prettier-ignore
  { name: 'with no watchdog', env: { NOTIFY_SOCKET: '/n' }, says: ['/n READY=1'] },
])('$name the watchdog hears nothing', ({ env, says }) => {
  const { said, systemd } = manager(env);
  systemd.started(() => true);
  vi.advanceTimersByTime(80_000);
  expect(said).toEqual(says);
});

const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0)))
print('bound', flush=True)
print(s.recv(100).decode(), flush=True)`;

test.each([
  { name: 'in the file system', path: (folder: string) => join(folder, 'notify') },
  { name: 'that is abstract', path: () => `@fw3640-test-${process.pid}` },
])('a socket $name gets the words as one datagram', async ({ path }) => {
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), 'fw3640-notify-'));
  const at = path(folder);
  const child = spawn('python3', ['-c', LISTEN, at], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    // By lines: a pipe may hand over a line and its end one after the other.
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('bound');
    new ServiceManager({ NOTIFY_SOCKET: at }).started(() => true);
    expect((await lines.next()).value).toBe('READY=1');
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

test('nobody at the socket disturbs nothing', () => {
  new ServiceManager({ NOTIFY_SOCKET: '/nonexistent/notify' }).started(() => true);
});
