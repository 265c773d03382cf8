/** Copies of tables that another process goes on to write. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyState, layoutOf, openState } from '../../src/io/state-files.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'fw3640-copy-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const WORDS = 8 << 20;
const TAIL = 1024;
const state = (): string => join(folder, 'state', 'shard0');
const open = (layout = 'one') => openState(state(), layout, Int32Array.of(1, 2, 3, 4));
const marks = { first: 17, last: WORDS - TAIL / 2 };

test('a copy has what was written from the start and at the end, and stays as it was', () => {
  const table = open().source('a table', WORDS, TAIL);
  expect(table.grow(marks.first + 1)).toBe(true);
  table.words[marks.first] = 5;
  table.words[marks.last] = 6;
  const copied = copyState(state(), 'one')!;
  const copy = copied.source('a table', WORDS, TAIL);
  table.words[marks.first] = 7;
  expect([copy.words.length, copy.words[marks.first], copy.words[marks.last]]).toEqual([WORDS, 5, 6]);
  expect([copy.fresh, [...copied.secret]]).toEqual([false, [1, 2, 3, 4]]);
  copy.words[marks.last] = 8;
  expect(table.words[marks.last]).toBe(6);
});

test('a table that is not there, or of another size, is an empty one', () => {
  open().source('a table', WORDS, TAIL).words[marks.last] = 6;
  const { source } = copyState(state(), 'one')!;
  for (const other of [source('another table', 64, 2), source('a table', WORDS * 2, TAIL)])
    expect([other.fresh, other.words.every((w) => w === 0)]).toEqual([true, true]);
});

test('tables of another layout are not read, nor ones that nobody has made', () => {
  open();
  expect(copyState(state(), 'two')).toBeUndefined();
  expect(copyState(join(folder, 'nothing'), 'one')).toBeUndefined();
  writeFileSync(join(state(), 'manifest'), '{"layout":');
  expect(copyState(state(), 'one')).toBeUndefined();
});

test('the layout depends on the number of sessions', () => {
  expect(layoutOf(1000)).toBe(layoutOf(1000));
  expect(layoutOf(1000)).not.toBe(layoutOf(2000));
});
