import { expect, test } from 'vitest';
import { QueueWatch } from '../../src/io/queue-watch.js';
import { readRows } from '../../src/core/observe/row.js';
import { counterName } from '../../src/ios/show/counter-name.js';

const none = {
  kernelQueueDropped: 0,
  kernelUserDropped: 0,
  badVerdicts: 0,
  verdictErrors: 0,
  injectErrors: 0,
  unknownInterface: 0,
};

test('packets that the kernel dropped are said once a minute while they grow, and when it is over', () => {
  let counts = none;
  const said: string[] = [];
  const watch = new QueueWatch(
    () => counts,
    (m) => said.push(`${m.mnemonic}: ${m.text}`),
  );
  for (let s = 0; s <= 70; s++) {
    if (s < 65) counts = { ...counts, kernelQueueDropped: counts.kernelQueueDropped + 10 };
    for (let ms = 0; ms < 1000; ms += 125) watch.tick(s * 1000 + ms);
  }
  expect(said).toEqual([
    "%SYS-4-QUEUE_DROP: 610 packets lost in 60 seconds: the kernel's queue was full",
    "%SYS-4-QUEUE_DROP: 40 packets lost in 3 seconds: the kernel's queue was full",
  ]);
  const [full] = readRows(watch.rows());
  expect(full).toMatchObject({ family: 'lost', name: 'kernelQueueDropped', value: 650 });
  expect(counterName(full!)).toBe("lost, as the kernel's queue was full");
});

test('a look that failed is no loss', () => {
  let counts = { ...none, kernelQueueDropped: 5 };
  let said = 0;
  const watch = new QueueWatch(
    () => counts,
    () => said++,
  );
  watch.tick(0);
  watch.tick(10_000);
  counts = none;
  watch.tick(20_000);
  counts = { ...none, kernelQueueDropped: 5 };
  watch.tick(30_000);
  watch.tick(40_000);
  expect(said).toBe(1);
});

test.each(Object.keys(none))('%s is told', (name) => {
  let counts = none;
  const said: string[] = [];
  const watch = new QueueWatch(
    () => counts,
    (m) => said.push(m.text),
  );
  watch.tick(0);
  counts = { ...none, [name]: 1 };
  watch.tick(1000);
  watch.tick(10_000);
  watch.tick(20_000);
  expect(said).toEqual([expect.stringMatching(/^1 packet lost in 1 second: .+/)]);
});
