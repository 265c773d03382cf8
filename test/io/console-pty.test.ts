/** `fw3640 console` as a person has it: the client on a pseudo-terminal, keys in, a screen out. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConsoleServer } from '../../src/io/console-server.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { fakeRouter } from '../ios/support/fake-router.js';

let directory: string;
let server: ConsoleServer;
let client: ChildProcess;
let screen = '';

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fw3640-pty-'));
  const socket = join(directory, 'console.sock');
  const router = fakeRouter(readFileSync('config/3640.cfg', 'utf8'));
  server = await ConsoleServer.listen(socket, (privilege) => new ConsoleSession(router, 'console', privilege));
  // The client stands alone but for types: as JavaScript it runs without a build.
  const { outputText } = ts.transpileModule(readFileSync('src/io/console-client.ts', 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(
    join(directory, 'client.mjs'),
    `${outputText}\nawait runTerminal(process.argv[2]);\nprocess.stdout.write('BACK');\n`,
  );
  const command = `stty rows 12 cols 80; exec ${process.execPath} ${join(directory, 'client.mjs')} ${socket}`;
  client = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  screen = '';
  client.stdout!.on('data', (d: Buffer) => (screen += d.toString()));
});

afterEach(() => {
  client.kill();
  server.close();
  rmSync(directory, { recursive: true });
});

async function until(end: string): Promise<string> {
  const escape = String.fromCharCode(27);
  const plain = (): string => screen.replaceAll(new RegExp(`${escape}\\[\\d*[A-Za-z]`, 'g'), '').replaceAll('\r', '');
  const deadline = Date.now() + 15_000;
  while (!plain().endsWith(end)) {
    if (Date.now() > deadline) throw new Error(`the screen does not end with ${end}:\n${plain()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const shown = plain();
  screen = '';
  return shown;
}
const type = (keys: string): void => void client.stdin!.write(keys);

test('log in, complete, ask, page, configure, leave', { timeout: 60_000 }, async () => {
  await until('3640-123>');
  type('en\r');
  await until('Password: ');
  type('cisco123\r');
  expect(await until('3640-123#')).not.toContain('cisco123');
  type('sh\tip insp?');
  expect(await until('3640-123#show ip insp')).toContain('inspect');
  type('ect all\r');
  expect(await until(' --More-- ')).toContain('Session audit trail is disabled\n'); // twelve rows
  type('q');
  await until('3640-123#');
  type('conf t\rint e2/1\rdescription inside\rshutd\x03');
  await until('3640-123#');
  type('conf t\rint e2/1\rno ip redirects\x1a');
  await until('^Z\n3640-123#');
  type('show run int e2/1\r');
  const block = await until('--More-- ').then(async (first) => {
    type(' ');
    return first + (await until('3640-123#'));
  });
  expect(block).toContain(' description inside\n');
  expect(block).toContain(' no ip redirects\n'); // Ctrl-Z is Enter too
  expect(block).not.toContain('shutdown'); // Ctrl-C is not
  type('exit\r');
  await until('BACK'); // the client has given the terminal back
});
