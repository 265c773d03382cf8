import { expect, test } from 'vitest';
import type { LiveFrame } from '../../../src/ios/live/frame.js';
import type { Channels } from '../../../src/management/control-channel.js';
import { Broadcast } from '../../../src/management/live/broadcast.js';
import { ViewerOutbox } from '../../../src/management/live/viewer-outbox.js';

/** A control plane that pushes when it is told to. */
class FakeControl implements Pick<Channels, 'watch'> {
  take: ((frame: LiveFrame) => void) | undefined;
  watches = 0;
  watch(_channel: 'live', take: (frame: LiveFrame) => void): () => void {
    this.take = take;
    this.watches++;
    return () => (this.take = undefined);
  }
}

const frame = (at: number): LiveFrame =>
  ({
    at,
    revision: 1,
    picture: {},
    traffic: [],
    drops: [],
    mails: {},
    masked: {},
    counts: {},
    queue: {},
    load: {},
    maskedLines: [],
    log: [],
  }) as unknown as LiveFrame;

const later = (): number => performance.now() + 60_000;

test('it is sampled while somebody looks, and not when all have gone', () => {
  const control = new FakeControl();
  const broadcast = new Broadcast(control);
  const stops = [broadcast.add(new ViewerOutbox()), broadcast.add(new ViewerOutbox())];
  expect([control.watches, broadcast.viewers]).toEqual([1, 2]);
  stops[0]!();
  expect(control.take).toBeDefined();
  stops[1]!();
  expect(control.take).toBeUndefined();
  broadcast.add(new ViewerOutbox());
  expect(control.watches).toBe(2);
});

test('who comes begins with a whole frame and the curves so far; then all are told the same text', async () => {
  const control = new FakeControl();
  const broadcast = new Broadcast(control);
  const [first, second] = [new ViewerOutbox(), new ViewerOutbox()];
  broadcast.add(first);
  control.take!(frame(1000));
  expect(JSON.parse((await first.next(later()))!.data)).toMatchObject({ frame: { at: 1000, picture: {} } });
  broadcast.add(second);
  control.take!(frame(2000));
  const [news, whole] = [(await first.next(later()))!, (await second.next(later()))!];
  expect(news.event).toBe('news');
  expect(JSON.parse(news.data)).not.toHaveProperty('picture');
  expect(whole.event).toBe('whole');
  expect(JSON.parse(whole.data)).toMatchObject({ history: { at: [1000, 2000] } });
  control.take!(frame(3000));
  expect((await first.next(later()))!.data).toBe((await second.next(later()))!.data);
});

test('who does not read is not waited for: one message waits for him, then he is to begin anew', async () => {
  const control = new FakeControl();
  const broadcast = new Broadcast(control);
  const slow = new ViewerOutbox();
  broadcast.add(slow);
  for (let i = 1; i <= 1000; i++) control.take!(frame(i * 1000));
  expect((await slow.next(later()))!.event).toBe('again');
});

test('a message is waited for until the end, and no longer than the viewer is there', async () => {
  const outbox = new ViewerOutbox();
  const waits = outbox.next(later());
  outbox.news('{}');
  expect(await waits).toEqual({ event: 'news', data: '{}' });
  expect((await outbox.next(performance.now() + 5))!.event).toBe('again');
  const gone = outbox.next(later());
  outbox.close();
  expect(await gone).toBeUndefined();
});
