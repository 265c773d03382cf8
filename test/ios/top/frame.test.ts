/** The screen of `fw3640 top`: rates, thresholds, the most active sessions first, and nothing beyond the screen. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topFrame, type TopSample, type TopSession, type TopView } from '../../../src/ios/top/frame.js';

const session = (id: string, more: Partial<TopSession> = {}): TopSession => ({
  id,
  service: 'smtp',
  state: 'SIS_OPEN',
  initiator: '172.22.1.10',
  initiatorPort: 4000,
  responder: '172.22.1.110',
  responderPort: 25,
  idleSeconds: 3,
  initiatorBytes: 0,
  responderBytes: 0,
  ...more,
});

const sampleOf = (at: number, packets: number, sessions: TopSession[] = []): TopSample => ({
  at,
  hostname: 'r3640',
  uptimeSeconds: 3700,
  memoryUsedBytes: 30_000_000,
  fiveSecondsPercent: 3,
  oneMinute: { low: 400, high: 500 },
  maxIncomplete: { low: 400, high: 500 },
  createdLastMinute: 12,
  current: { established: 5, halfOpen: 2, terminating: 1 },
  counters: {
    plane: { packets },
    drop: { acl: packets / 10, fragment: 0 },
    masked: { EXPN: 3, other: 1 },
    mail: { accepted: 9, refused: 1 },
    threshold: { halfOpenSessions: 2, aggressive: 0, blockedHosts: 0 },
    queue: { packets: 4, held: 1 },
    lost: { a: 1, b: 2 },
  },
  sessions,
});

const VIEW: TopView = { rows: 30, columns: 200, sort: 'rate', offset: 0, paused: false };

test('rates are by the second, from one sample to the next; without one before there are none', () => {
  const now = sampleOf(3000, 3000);
  const text = topFrame(now, sampleOf(1000, 1000), VIEW).join('\n');
  expect(text).toContain('packets 1.0k/s  queue 4 (held 1)  lost 3');
  expect(text).toContain('dropped acl 300 (100/s)');
  expect(text).toContain('masked EXPN 3  other 1');
  expect(text).toContain('half-open 2 of [400:500]  made in a minute 12 of [400:500]');
  expect(topFrame(now, undefined, VIEW).join('\n')).toContain('packets -/s');
});

test('who moved most bytes since then comes first; s sorts by others', () => {
  const before = sampleOf(0, 0, [
    session('A', { initiatorBytes: 1000 }),
    session('B'),
    session('C', { idleSeconds: 50 }),
  ]);
  const now = sampleOf(1000, 0, [
    session('A', { initiatorBytes: 1100, initiatorPort: 1 }),
    session('B', { responderBytes: 900, initiatorPort: 2 }),
    session('C', { idleSeconds: 51, initiatorPort: 3 }),
  ]);
  const order = (sort: TopView['sort']): (string | undefined)[] =>
    topFrame(now, before, { ...VIEW, sort }).flatMap((line) => / \S+:(\d+) => /.exec(line)?.[1] ?? []);
  expect(order('rate')).toEqual(['2', '1', '3']);
  expect(order('bytes')).toEqual(['1', '2', '3']);
  expect(order('idle')[0]).toBe('3');
});

test('whatever the screen, no line is wider and there are no more than it has; scrolling ends at the last session', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 250 }), fc.nat(50), fc.nat(80), (rows, columns, sessions, offset) => {
      const all = Array.from({ length: sessions }, (_, i) => session(String(i), { initiatorPort: 1000 + i }));
      const lines = topFrame(sampleOf(1, 5, all), undefined, { ...VIEW, rows, columns, offset });
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(columns);
      const shown = lines.filter((l) => l.includes('=> 172')).length;
      if (columns > 120) expect(shown).toBe(Math.min(sessions, Math.max(0, rows - 9)));
    }),
  ); // prettier-ignore
});
