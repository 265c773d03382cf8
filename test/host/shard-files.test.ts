/** Which process the data plane is: by its number and the time it began, never by its name. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endLeftShard, endProcess } from '../../src/host/end-process.js';
import { isAlive, ShardFiles } from '../../src/host/shard-files.js';
import { startTime } from '../../src/io/proc.js';

let folder: string;
let files: ShardFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fw3640-shard-'));
  files = new ShardFiles(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process has been started, and its socket bound. */
function claim(): void {
  writeFileSync(files.socket(process.pid), '');
  files.claim({ pid: process.pid, started: startTime(process.pid)! });
}
const pidFile = (): string => join(folder, 'shard0.pid');

test('who claims to be it is found, until it takes its files away', () => {
  expect(files.running()).toBeUndefined();
  claim();
  expect(files.running()).toEqual({ pid: process.pid, started: startTime(process.pid) });
  files.remove(process.pid);
  expect(readdirSync(folder)).toEqual([]);
});

test('a predecessor that goes takes nothing of its successor', () => {
  claim();
  files.remove(1);
  expect(files.running()?.pid).toBe(process.pid);
});

test.each([
  { name: 'of another time', text: () => `${process.pid} 1\n` },
  { name: 'of nobody', text: () => '4194304 5\n' },
  { name: 'cut short', text: () => String(process.pid) },
  { name: 'garbled', text: () => 'x\0y\n' },
])('a number $name is none: it is not touched', async ({ text }) => {
  writeFileSync(pidFile(), text());
  expect(files.running()).toBeUndefined();
  expect(await endLeftShard(files)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('one that is left is ended, and waited for; another one of its number is not', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const name = { pid: child.pid!, started: startTime(child.pid!)! };
  try {
    await endProcess({ ...name, started: '1' });
    expect(isAlive(name)).toBe(true);
    writeFileSync(pidFile(), `${name.pid} ${name.started}\n`);
    writeFileSync(files.socket(name.pid), '');
    writeFileSync(files.errors, '');
    writeFileSync(join(folder, 'state.json'), '');
    expect(await endLeftShard(files)).toEqual([`data plane ${name.pid}`]);
    expect(isAlive(name)).toBe(false);
    expect(readdirSync(folder)).toEqual(['state.json']);
  } finally {
    child.kill('SIGKILL');
  }
});

test('the tables of one shard go alone, and those of shards that are no more are found', () => {
  const three = [0, 1, 2].map((shard) => new ShardFiles(folder, shard));
  const parent = dirname(files.state);
  try {
    for (const { state } of three) mkdirSync(state, { recursive: true });
    writeFileSync(join(parent, 'shared-x'), '');
    writeFileSync(join(folder, 'shard7.pid'), '1 1\n');
    expect(three.map((f) => f.furtherShards())).toEqual([
      [0, 1, 2, 7],
      [1, 2, 7],
      [2, 7],
    ]);
    three[1]!.removeOwnState();
    expect(readdirSync(parent).sort()).toEqual(['shard0', 'shard2', 'shared-x']);
    three[2]!.removeOwnState();
    three[0]!.removeOwnState(); // the last one takes along what they shared
    expect(existsSync(parent)).toBe(false);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});

test('what a spare one has goes with the last of them', async () => {
  for (const path of [files.newSocket(true), files.newSocket(false), files.spareErrors]) writeFileSync(path, '');
  expect(await endLeftShard(files)).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
