/** When a data plane counts as hanging, and when not. */
import { expect, test } from 'vitest';
import { Heartbeat, MOST_MISSED } from '../../src/control/heartbeat.js';

function heartbeat(): { heart: Heartbeat; kernel: { queued: number | undefined } } {
  const kernel: { queued: number | undefined } = { queued: 0 };
  return { kernel, heart: new Heartbeat(() => kernel.queued) };
}

test('one that answers is well, with packets and without', () => {
  const { heart, kernel } = heartbeat();
  for (let i = 0; i < 30; i++) {
    const number = heart.ask();
    if (i > 10) kernel.queued = i * 7;
    heart.answer(number, kernel.queued!);
    expect([heart.beats, heart.hangs]).toEqual([true, false]);
  }
});

test('one that does not answer hangs after some questions', () => {
  const { heart } = heartbeat();
  heart.answer(heart.ask(), 0);
  for (let i = 1; i < MOST_MISSED; i++) {
    heart.ask();
    expect(heart.hangs).toBe(false);
  }
  expect(heart.beats).toBe(false);
  heart.ask();
  expect(heart.hangs).toBe(true);
  heart.restart();
  expect([heart.beats, heart.hangs]).toEqual([true, false]);
});

test('one that answers late is well again', () => {
  const { heart } = heartbeat();
  const numbers = [heart.ask(), heart.ask(), heart.ask()];
  expect(heart.beats).toBe(false);
  for (const number of numbers) heart.answer(number, 0);
  expect(heart.beats).toBe(true);
});

test('one that answers and judges no packet of those that come hangs too', () => {
  const { heart, kernel } = heartbeat();
  for (let i = 0; i < MOST_MISSED; i++) {
    expect(heart.hangs).toBe(false);
    kernel.queued = 100 + i;
    heart.answer(heart.ask(), 100);
  }
  kernel.queued = 200;
  heart.answer(heart.ask(), 100);
  expect([heart.beats, heart.hangs]).toEqual([false, true]);
});

test('packets that never reached it, long ago, are none of its business', () => {
  const { heart, kernel } = heartbeat();
  kernel.queued = 1000; // of which the kernel has lost 300
  for (let i = 0; i < 30; i++) heart.answer(heart.ask(), 700);
  expect([heart.beats, heart.hangs]).toEqual([true, false]);
});

test('where the kernel does not say, answers are enough', () => {
  const { heart, kernel } = heartbeat();
  kernel.queued = undefined;
  for (let i = 0; i < 30; i++) heart.answer(heart.ask(), 5);
  expect(heart.beats).toBe(true);
});
