/** The other end of the log does not read, goes away, or is a full disk: nothing waits, and memory stays bounded. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { LogFile, openOutput, type LogOutput } from '../../src/io/log-output.js';
import { until } from '../lab/support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-log-'));
afterAll(() => rmSync(folder, { recursive: true }));
let pipes = 0;

/** A pipe with both its ends; the reader never waits. */
function pipe(): { reader: number; writer: number } {
  const path = join(folder, `pipe${pipes++}`);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** Reads what is there. */
function read(fd: number): string {
  const bytes = Buffer.alloc(1 << 16);
  try {
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}

const LINE = `${'x'.repeat(99)}\n`;

/** Writes lines while there is room for one. @returns how many */
function fill(output: LogOutput): number {
  let lines = 0;
  while (output.hasRoom) {
    output.write(LINE);
    if (++lines > 100_000) throw new Error('the queue has no end');
  }
  return lines;
}

describe('a pipe', () => {
  test('whose reader stops: a megabyte waits, more is refused, and there is room when it reads again', async () => {
    const { reader, writer } = pipe();
    const output = openOutput(writer);
    const lines = fill(output);
    expect(lines * LINE.length).toBeGreaterThan(1_000_000);
    expect(lines * LINE.length).toBeLessThan(1_300_000);
    await new Promise(setImmediate);
    fill(output); // as much again as the pipe itself holds
    expect(output.hasRoom).toBe(false);
    let got = '';
    await until('room', () => {
      got += read(reader);
      return output.hasRoom;
    });
    output.write('last\n');
    await until('the last line', () => {
      got += read(reader);
      return got.endsWith('last\n');
    });
    expect(got.split('\n').every((l) => ['', 'last', LINE.trim()].includes(l))).toBe(true);
    await output.end(1000);
    closeSync(reader);
  });

  test('whose reader stops keeps the end waiting no longer than it is told', async () => {
    const { reader, writer } = pipe();
    const output = openOutput(writer);
    fill(output);
    const began = performance.now();
    await output.end(100);
    expect(performance.now() - began).toBeLessThan(1000);
    closeSync(reader);
  });

  test('whose reader is gone refuses all lines, and throws nothing', async () => {
    const { reader, writer } = pipe();
    const output = openOutput(writer);
    closeSync(reader);
    output.write(LINE);
    await until('refusal', () => !output.hasRoom);
    await output.end(1000);
    fstatSync(writer); // still there: the next file must not get its number
  });

  test('that is read gets every line before the end', async () => {
    const { reader, writer } = pipe();
    const output = openOutput(writer);
    for (let n = 0; n < 300; n++) output.write(LINE);
    await output.end(1000);
    expect(read(reader)).toBe(LINE.repeat(300));
    closeSync(reader);
  });
});

describe('a file', () => {
  test('gets all lines in order', async () => {
    const path = join(folder, 'file');
    const output = openOutput(openSync(path, 'w'));
    for (let n = 0; n < 5000; n++) output.write(`${n}\n`);
    await output.end(5000);
    expect(readFileSync(path, 'utf8')).toBe(Array.from({ length: 5000 }, (_, n) => `${n}\n`).join(''));
  });

  test('on a full disk: a megabyte waits, more is refused, the end comes in time', async () => {
    const output = openOutput(openSync('/dev/full', 'w'));
    output.write(LINE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const bytes = fill(output) * LINE.length;
    expect(bytes).toBeLessThan(1_100_000);
    const began = performance.now();
    await output.end(100);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('a log file that is moved away', () => {
  const linesOf = (...names: string[]): string[] =>
    names.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));

  test('goes on in a new one: each line is in one of both, whole and once, in order', async () => {
    const path = join(folder, 'moved.log');
    const file = new LogFile(path);
    const written: string[] = [];
    for (let turn = 0; turn < 8; turn++) {
      for (let i = 0; i < 300; i++) {
        const line = `${turn} ${i} ${'x'.repeat(i % 97)}`;
        written.push(line);
        file.write(`${line}\n`);
        if (i === 150) {
          renameSync(path, `${path}.${turn}`);
          expect(file.reopen()).toBeUndefined();
        }
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      // Twice in one turn: the file between is closed with nothing in it.
      renameSync(path, `${path}.${turn}b`);
      expect(file.reopen()).toBeUndefined();
    }
    await file.end(3000);
    const files = Array.from({ length: 8 }, (_, turn) => [`moved.log.${turn}`, `moved.log.${turn}b`]).flat();
    expect(linesOf(...files, 'moved.log')).toEqual(written);
  });

  test('leaves no descriptor open', async () => {
    const path = join(folder, 'counted.log');
    const file = new LogFile(path);
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let n = 0; n < 50; n++) {
      file.write(LINE);
      renameSync(path, `${path}.1`);
      file.reopen();
    }
    await file.end(3000);
    await until('the old ones to be closed', () => open() <= before);
  });

  test('and cannot be made anew: the old one goes on, and why is said', async () => {
    const path = join(folder, 'gone', 'x.log');
    mkdirSync(join(folder, 'gone'));
    const file = new LogFile(path);
    renameSync(join(folder, 'gone'), join(folder, 'away'));
    expect(file.reopen()).toMatch(/^ENOENT/);
    file.write('still here\n');
    await file.end(3000);
    expect(linesOf('away/x.log')).toEqual(['still here']);
  });

  test('is not for everybody to read', () => {
    const path = join(folder, 'mode.log');
    new LogFile(path);
    expect(statSync(path).mode & 0o007).toBe(0);
  });
});
