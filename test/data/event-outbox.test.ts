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

const line = (session: number, what: 'line' | 'begin' | 'end'): Event => ({
  type: 'transcript',
  endpoints: {
    sessionId: session,
    service: 'smtp',
    initiator: session,
    initiatorPort: 1,
    responder: 2,
    responderPort: 25,
  },
  at: 0,
  entry:
    what === 'line'
      ? { what, fromInitiator: true, text: 'NOOP', more: 0 }
      : what === 'end'
        ? { what, reason: 'timeout', closed: true }
        : { what },
  leftOut: 0,
});

test('lines of transcripts that are too many are counted by dialogue, and each dialogue hears its end', () => {
  const { out, batches } = outbox();
  const said = new Map<number, number>();
  let now = 0;
  for (let session = 1; session <= 20; session++) {
    out.event(line(session, 'begin'), now);
    for (let i = 0; i < 400 * session; i++) out.event(line(session, 'line'), now);
    said.set(session, 400 * session);
    out.event(line(session, 'end'), now);
  }
  for (; now < 60_000; now += 1000) {
    out.report(now);
    out.flush();
    out.heard(batches.at(-1)?.number ?? 0);
  }
  const transcripts = batches.flatMap(({ events }) => events.filter((e) => e.type === 'transcript'));
  expect(transcripts.length).toBeLessThan(6000);
  const told = new Map<number, number>();
  const ended = new Set<number>();
  for (const { endpoints, entry, leftOut } of transcripts) {
    const lines = leftOut + (entry.what === 'line' ? 1 : 0);
    told.set(endpoints.sessionId, (told.get(endpoints.sessionId) ?? 0) + lines);
    expect(ended.has(endpoints.sessionId)).toBe(false);
    if (entry.what === 'end') ended.add(endpoints.sessionId);
  }
  expect(told).toEqual(said);
  expect(ended.size).toBe(20);
});

test('where nobody reads, transcripts leave room for what the log is for', () => {
  const { out, batches } = outbox();
  for (let i = 0; i < 200; i++) {
    for (let session = 1; session < 400; session++) out.event(line(session, 'line'), i * 1000);
    out.flush();
  }
  for (let i = 0; i < 1000; i++) out.event(quiet(i), 200_000);
  out.flush();
  expect(batches.at(-1)!.events).toHaveLength(1000);
});
