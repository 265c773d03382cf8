import { expect, test } from 'vitest';
import { Progress } from '../../src/io/progress.js';

function terminal(isTTY: boolean): { isTTY: boolean; text: string[]; write(s: string): boolean } {
  const text: string[] = [];
  return { isTTY, text, write: (s) => text.push(s) > 0 };
}

test('a progress bar is drawn on a terminal, ten times a second at most, and taken away', () => {
  const t = terminal(true);
  let now = 1000;
  const progress = new Progress(t, 2_000_000, () => now);
  progress.show(500_000);
  progress.show(600_000);
  now += 100;
  progress.show(1_000_000);
  progress.end();
  progress.end();
  expect(t.text).toHaveLength(3);
  expect(t.text[0]).toContain('] 25 % of 2.0 MB');
  expect(t.text[1]).toContain('[###############...............] 50 %');
  expect(t.text[2]).toBe('\r\x1b[K');
});

test('nothing is written where no terminal is', () => {
  const t = terminal(false);
  const progress = new Progress(t, 10);
  progress.show(5);
  progress.end();
  expect(t.text).toEqual([]);
});
