/** `fw3640 top` on a pseudo-terminal: keys, and a terminal that is as before whatever has ended it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConsoleServer } from '../../src/io/console-server.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { until } from '../lab/support/until.js';
import { fakeRouter } from '../ios/support/fake-router.js';

const PATIENCE_MS = 20_000;
let directory: string;
let socket: string;
let server: ConsoleServer;
let client: ChildProcess;
let screen = '';
let code: number | null | undefined;

/** As JavaScript it runs without a build. */
const MODULES = ['app/top', 'app/exit', 'io/console-client', 'ios/top/frame'];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fw3640-top-'));
  socket = join(directory, 'console.sock');
  const router = fakeRouter(readFileSync('config/3640.cfg', 'utf8'));
  server = await ConsoleServer.listen(socket, (privilege) => new ConsoleSession(router, 'console', privilege));
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  for (const name of MODULES) {
    const { outputText } = ts.transpileModule(readFileSync(`src/${name}.ts`, 'utf8'), { compilerOptions: options });
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, `${name}.js`), outputText);
  }
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(directory, 'main.js'),
    "import { top } from './app/top.js';\nawait top(process.argv[2], process.argv[3] === '--once');\n",
  );
});

afterEach(() => {
  client.kill();
  server.close();
  rmSync(directory, { recursive: true });
});

function start(path = socket): void {
  const command = `stty rows 20 cols 100; ${process.execPath} ${join(directory, 'main.js')} ${path}; echo "code $?"; stty -a | grep -o ' -\\?icanon'`;
  client = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  screen = '';
  code = undefined;
  client.stdout!.on('data', (d: Buffer) => (screen += d.toString()));
  client.on('exit', (c) => (code = c));
}
const type = (keys: string): void => void client.stdin!.write(keys);
const shows = (text: string): Promise<boolean> => until(() => `${text} in:\n${screen}`, () => screen.includes(text), PATIENCE_MS); // prettier-ignore
const ends = (): Promise<boolean> =>
  until(
    () => `the end of:\n${screen}`,
    () => code !== undefined,
    PATIENCE_MS,
  );
const isRestored = (): boolean => screen.includes('\x1b[?25h\x1b[?1049l') && / icanon/.test(screen);

test('pauses, sorts, and q leaves with the terminal as it was', { timeout: 60_000 }, async () => {
  start();
  await shows('3640-123  up');
  await shows('p pause  s sort by rate');
  type('p');
  await shows('p go on');
  type('s');
  await shows('s sort by bytes');
  type('q');
  await ends();
  expect(screen).toContain('code 0');
  expect(isRestored()).toBe(true);
});

test('^C leaves likewise', { timeout: 60_000 }, async () => {
  start();
  await shows('s sort by rate');
  type('\x03');
  await ends();
  expect([screen.includes('code 0'), isRestored()]).toEqual([true, true]);
});

test('a router that ends: it says so, behind a terminal as it was', { timeout: 60_000 }, async () => {
  start();
  await shows('s sort by rate');
  server.close();
  await ends();
  expect([screen.includes('code 1'), isRestored()]).toEqual([true, true]);
  expect(screen.slice(screen.lastIndexOf('\x1b[?1049l'))).toContain('no router serves this console');
});

test('where no router runs nothing is done to the terminal', { timeout: 60_000 }, async () => {
  start(join(directory, 'none.sock'));
  await ends();
  expect(screen).toContain('no router serves this console');
  expect(screen).toContain('code 1');
  expect(screen).not.toContain('\x1b[?1049h');
});

test('--once prints one frame of plain text', { timeout: 60_000 }, async () => {
  client = spawn(process.execPath, [join(directory, 'main.js'), socket, '--once'], { stdio: ['ignore', 'pipe', 'inherit'] }); // prettier-ignore
  screen = '';
  code = undefined;
  client.stdout!.on('data', (d: Buffer) => (screen += d.toString()));
  client.on('close', (c) => (code = c));
  await ends();
  expect(code).toBe(0);
  expect(screen).toMatch(/^3640-123 {2}up 15d4h {2}cpu 3%/);
  expect(screen.includes('\x1b')).toBe(false);
});
