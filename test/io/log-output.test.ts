/** The other end of the log does not read, goes away, or is a full disk: nothing waits, and memory stays bounded. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openOutput, type LogOutput } from '../../src/io/log-output.js';
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
