import { expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { MemoryAlert } from '../../src/core/tracker/memory-alert.js';

const alert = (): { alert: MemoryAlert; events: Event[] } => {
  const events: Event[] = [];
  const outbox = { event: (e: Event) => void events.push(e), inject: () => undefined, release: () => undefined };
  return { alert: new MemoryAlert(outbox), events };
};

test('says at once that segments are dropped, then once a minute how many there were since', () => {
  const { alert: a, events } = alert();
  a.note(1, 0);
  expect(events).toEqual([{ type: 'tcp-memory', address: 1, segments: 1 }]);
  a.note(2, 1);
  a.note(3, 59_999);
  expect(events.length).toBe(1);
  a.note(4, 60_000);
  expect(events[1]).toEqual({ type: 'tcp-memory', address: 4, segments: 3 });
  a.note(5, 119_999);
  expect(events.length).toBe(2);
  a.note(5, 120_000);
  expect(events[2]).toEqual({ type: 'tcp-memory', address: 5, segments: 2 });
});

test('says nothing while it is off, and nothing of that time later', () => {
  const { alert: a, events } = alert();
  a.enabled = false;
  a.note(1, 0);
  a.enabled = true;
  a.note(1, 60_000);
  expect(events).toEqual([{ type: 'tcp-memory', address: 1, segments: 1 }]);
});
