/** The startup-config as a file: read, written, and put aside without ever being lost. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StartupFile } from '../../src/control/startup-file.js';

let folder: string;
let path: string;
let file: StartupFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'startup-'));
  path = join(folder, 'startup-config');
  writeFileSync(path, 'hostname first\nend\n');
  file = new StartupFile(path, false, readFileSync(path, 'utf8'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('is read as it is now, errors and all', async () => {
  writeFileSync(path, 'hostname second\nbogus\nend\n');
  const { config, errors, text } = await file.read();
  expect([config.hostname, errors.length, text]).toEqual(['second', 1, 'hostname second\nbogus\nend\n']);
  expect(file.text).toBe('hostname first\nend\n'); // not in force yet
});

test('erased files are kept, each under a name of its own', async () => {
  expect(await file.erase()).toBe(`${path}.erased`);
  expect([existsSync(path), file.text]).toEqual([false, undefined]);
  await expect(file.read()).rejects.toThrow('ENOENT');
  file.write('hostname second\nend\n');
  expect(await file.erase()).toBe(`${path}.erased.1`);
  expect(readFileSync(`${path}.erased`, 'utf8')).toContain('first');
  expect(readFileSync(`${path}.erased.1`, 'utf8')).toContain('second');
});

test('there is nothing to erase where there is no file', async () => {
  await file.erase();
  expect(await file.erase()).toBeUndefined();
});

test('one that cannot be put aside stays where it is', async () => {
  for (let n = 0; n < 100; n++) writeFileSync(`${path}.erased${n === 0 ? '' : `.${n}`}`, '');
  await expect(file.erase()).rejects.toThrow(/\.erased and 99 more are there already/);
  expect(readFileSync(path, 'utf8')).toBe(file.text);
});
