import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveFrame, LivePicture, LiveSession } from '../../../src/ios/live/frame.js';
import { newsIn, withNews } from '../../../src/ios/live/reader.js';

const picture = { hostname: 'r' } as LivePicture;
const line = (number: number) => ({ number, at: 0, severity: 4, mnemonic: '%A-4-B', text: `line ${number}` });
const masked = (number: number) => ({ ...line(number), session: '1', client: '', server: '', before: 'A', after: 'x' });

/** A run of whole frames: what has come of lines since the one before, and what has changed. */
const steps = fc.array(
  fc.record({
    lines: fc.nat(30),
    masked: fc.nat(30),
    configured: fc.boolean(),
    sessions: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

test('whoever hears only the news has what a whole frame tells', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let [lines, maskedLines, revision] = [0, 0, 1];
      let sessions: LiveSession[] = [];
      const last = <T>(count: number, most: number, make: (n: number) => T): T[] =>
        Array.from({ length: Math.min(count, most) }, (_, i) => make(count - Math.min(count, most) + i + 1));
      const frames = all.map((step, at) => {
        lines += step.lines;
        maskedLines += step.masked;
        if (step.configured) revision++;
        if (step.sessions) sessions = [{ id: `${at}` } as LiveSession];
        return {
          at,
          revision,
          picture: { ...picture, revision },
          sessions,
          log: last(lines, 200, line),
          maskedLines: last(maskedLines, 100, masked),
        } as unknown as LiveFrame;
      });
      let read = frames[0]!;
      for (const [i, frame] of frames.entries()) {
        if (i > 0) read = withNews(read, JSON.parse(JSON.stringify(newsIn(frame, frames[i - 1]!))) as LiveFrame);
        expect(read).toEqual(frame);
      }
    }),
  );
});

test('what has not changed is not told again', () => {
  const sessions: LiveSession[] = [];
  const frame = { at: 1, revision: 1, picture, sessions, log: [line(1)], maskedLines: [] } as unknown as LiveFrame;
  const next = { ...frame, at: 2 };
  expect(newsIn(next, frame)).toEqual({ at: 2, revision: 1, log: [], maskedLines: [] });
});
