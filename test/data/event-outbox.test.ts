/** Events on their way out of the data plane: limited, in batches, and bounded where nobody reads. */
import { expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { EventOutbox, MOST_UNHEARD } from '../../src/data/event-outbox.js';

/** An event that the limits let through. */
const quiet = (n: number): Event => ({ type: 'acl-log-missed', packets: n });
const debug: Event = { type: 'debug', facility: 'objectCreation', what: 'session', sis: 1 };

function outbox(): { out: EventOutbox; batches: { events: readonly Event[]; number: number }[] } {
  const batches: { events: readonly Event[]; number: number }[] = [];
  return { batches, out: new EventOutbox(1, (events, number) => batches.push({ events, number })) };
}

test('what comes together in a batch goes out together, in order', () => {
  const { out, batches } = outbox();
  out.event(quiet(1), 0);
  out.event(quiet(2), 0);
  out.flush();
  out.flush(); // nothing more
  out.event(quiet(3), 0);
  out.flush();
  expect(batches).toEqual([
    { events: [quiet(1), quiet(2)], number: 2 },
    { events: [quiet(3)], number: 3 },
  ]);
});

test('where nobody reads, no more than so many are on their way; what was lost is counted, and told once there is room', () => {
  const { out, batches } = outbox();
  for (let i = 0; i < MOST_UNHEARD + 500; i++) {
    out.event(quiet(i), 1000);
    if (i % 100 === 0) out.flush();
  }
  out.report(2000);
  out.flush();
  const sent = (): number => batches.reduce((sum, b) => sum + b.events.length, 0);
  expect(sent()).toBe(MOST_UNHEARD);
  expect(out.leftOut).toBe(500);
  out.heard(batches.at(-1)!.number);
  out.report(6000);
  out.flush();
  expect(batches.at(-1)!.events).toEqual([{ type: 'left-out', kind: 'any', messages: 500, seconds: 5 }]);
  out.report(7000);
  out.flush();
  expect(sent()).toBe(MOST_UNHEARD + 1);
});

test('what is heard twice, late, or was never sent makes no room', () => {
  const { out, batches } = outbox();
  for (let i = 0; i < MOST_UNHEARD; i++) out.event(quiet(i), 0);
  out.flush();
  out.heard(10);
  out.heard(5);
  out.heard(10);
  for (let i = 0; i < 20; i++) out.event(quiet(i), 0);
  out.flush();
  expect(batches.at(-1)!.events).toHaveLength(10);
  out.heard(Number.MAX_SAFE_INTEGER);
  for (let i = 0; i < 20; i++) out.event(quiet(i), 0);
  out.flush();
  expect(batches.at(-1)!.number).toBe(MOST_UNHEARD + 30);
});

test('a flood is limited where it arises, and said in a message', () => {
  const { out, batches } = outbox();
  for (let i = 0; i < 30_000; i++) out.event(debug, 0);
  out.flush();
  expect(batches[0]!.events).toHaveLength(20_000);
  expect(out.leftOut).toBe(10_000);
  out.heard(20_000);
  for (let ms = 0; ms <= 120_000; ms += 1000) out.report(ms);
  out.flush();
  expect(batches[1]!.events).toMatchObject([{ type: 'left-out', kind: 'debug', messages: 10_000 }]);
});
