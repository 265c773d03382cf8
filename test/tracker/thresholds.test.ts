/** The marks of `ip inspect`, by themselves: which session goes for whom, who is blocked until when, what is said. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { StateReader, StateWriter } from '../../src/core/memory/state-io.js';
import type { InspectGlobals } from '../../src/core/policy.js';
import { FLAG, SESSION_FIELDS } from '../../src/core/session/session.js';
import { SessionList } from '../../src/core/session/session-list.js';
import { SessionTable } from '../../src/core/session/session-table.js';
import { SessionStatistics } from '../../src/core/session/statistics.js';
import { NOTICE } from '../../src/core/shard/siblings.js';
import { Thresholds } from '../../src/core/tracker/thresholds.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { routerConfig } from '../support/router-config.js';

const TCP = 6;
const UDP = 17;
const MINUTE = 60_000;
const DEFAULTS = compilePolicy(routerConfig()).inspect;

class World {
  readonly events: Event[] = [];
  /** Initiators of the sessions that were reset, and why. */
  readonly reset: string[] = [];
  readonly table = new SessionTable(1024, 7);
  readonly halfOpen = new SessionList(
    FLAG.halfOpen,
    SESSION_FIELDS.halfOpenNext.word,
    SESSION_FIELDS.halfOpenPrevious.word,
  );
  readonly statistics = new SessionStatistics();
  readonly thresholds: Thresholds;
  now = 1000;
  #next = 1;

  constructor(globals: Partial<InspectGlobals> = {}) {
    const outbox = { event: (e: Event) => this.events.push(e), inject: () => undefined, release: () => undefined };
    this.thresholds = new Thresholds(
      { ...DEFAULTS, ...globals },
      this.halfOpen,
      this.statistics,
      outbox,
      this.table.cursor(),
      (s, why) => {
        this.reset.push(`${s.initiator} ${why}`);
        this.#leave(s);
      },
    );
  }

  /** A new session of its own initiator to a host, which is half-open. */
  open(host: number, { alert = true, protocol = TCP, seen = host } = {}): Verdict {
    const v = this.thresholds.admit(protocol, host, seen, alert, this.now);
    if (v !== PASS) return v;
    this.statistics.noteCreated(this.now);
    this.table.create(this.#next++, 1, host, 25, protocol, 0, this.now);
    this.halfOpen.add(this.table.session);
    this.thresholds.noteHalfOpen(this.table.session, 1);
    return PASS;
  }

  /** The session of an initiator is established. */
  establish(initiator: number, host: number): void {
    expect(this.table.find(initiator, 1, host, 25, TCP)).toBe(true);
    this.#leave(this.table.session);
  }

  #leave(s: typeof this.table.session): void {
    this.halfOpen.remove(s);
    this.thresholds.noteHalfOpen(s, -1);
    this.table.remove(s);
  }

  tick(ms = 0): void {
    this.now += ms;
    this.thresholds.tick(this.now);
  }

  told(type: string): Event[] {
    return this.events.filter((e) => e.type === type);
  }

  /** What another process makes of what is saved. */
  heir(globals: Partial<InspectGlobals>): World {
    const writer = new StateWriter();
    writer.begin();
    this.thresholds.sync(writer);
    expect(writer.sound).toBe(true);
    const heir = new World(globals);
    heir.now = this.now;
    const reader = new StateReader();
    reader.begin(writer.bytesOut.slice(0, writer.length), 0, writer.length);
    heir.thresholds.sync(reader);
    expect(reader.complete).toBe(true);
    return heir;
  }
}

function many(n: number, what: (i: number) => void): void {
  for (let i = 0; i < n; i++) what(i);
}
const unblocked = (w: World): number[] => w.told('host-unblocked').map((e) => (e as { host: number }).host);

describe('max-incomplete', () => {
  const MARKS = { maxIncompleteHigh: 3, maxIncompleteLow: 2 };

  test('with more than high half-open the oldest goes for each new one, until there are fewer than low', () => {
    const w = new World(MARKS);
    many(4, () => w.open(9));
    expect([w.thresholds.aggressive, w.reset, w.events]).toEqual([false, [], []]);
    w.open(9);
    expect(w.told('aggressive-on')).toEqual([{ type: 'aggressive-on', count: 4, limit: 3, rate: 4 }]);
    expect(w.reset).toEqual(['1 max-incomplete']);
    w.establish(2, 9);
    w.establish(3, 9);
    w.tick(MINUTE); // 2 are left: still not below low
    expect(w.thresholds.aggressive).toBe(true);
    w.establish(4, 9);
    w.tick();
    expect(w.thresholds.aggressive).toBe(false);
    expect(w.told('aggressive-off')).toEqual([{ type: 'aggressive-off', count: 1, limit: 2, rate: 0 }]);
  });

  test('is silent where the rule wants no alerts, and says no end then, nor with alert-off', () => {
    const quiet = new World(MARKS);
    many(5, () => quiet.open(9, { alert: false }));
    const off = new World({ ...MARKS, alertOff: true });
    many(5, () => off.open(9));
    for (const w of [quiet, off]) {
      expect([w.thresholds.aggressive, w.reset]).toEqual([true, ['1 max-incomplete']]);
      for (const initiator of [2, 3, 4, 5]) w.establish(initiator, 9);
      w.tick(MINUTE);
      expect([w.thresholds.aggressive, w.told('aggressive-off'), w.told('sessions-reset')]).toEqual([false, [], []]);
    }
  });
});

describe('one-minute', () => {
  test('at more than high a minute, and the reason is the rate, unless there are many half-open', () => {
    const w = new World({ oneMinuteHigh: 3, oneMinuteLow: 3, maxIncompleteLow: 3, maxIncompleteHigh: 100 });
    many(4, (i) => {
      w.open(9);
      if (i > 0) w.establish(i + 1, 9);
    });
    w.open(9);
    expect(w.told('aggressive-on')).toEqual([{ type: 'aggressive-on', count: 1, limit: 100, rate: 4 }]);
    expect(w.reset).toEqual(['1 one-minute']);
    many(3, () => w.open(9));
    expect(w.reset.map((text) => text.split(' ')[1])).toEqual(Array(4).fill('one-minute'));
    const full = new World({ oneMinuteHigh: 3, oneMinuteLow: 3, maxIncompleteLow: 3, maxIncompleteHigh: 100 });
    many(5, () => full.open(9));
    expect(full.reset).toEqual(['1 max-incomplete']);
  });

  test('is calm again when the rate is below low', () => {
    const w = new World({ oneMinuteHigh: 3, oneMinuteLow: 2 });
    many(3, () => w.open(9));
    w.now += 30_000;
    many(2, () => w.open(9)); // the second one finds four
    expect(w.thresholds.aggressive).toBe(true);
    w.tick(31_000); // two are left
    expect(w.thresholds.aggressive).toBe(true);
    w.tick(30_000);
    expect(w.told('aggressive-off')).toEqual([expect.objectContaining({ rate: 0 })]);
  });
});

describe('max-incomplete host, block-time 0', () => {
  const LIMIT = { hostMaxIncomplete: 3, hostBlockMinutes: 0 };

  test('the oldest to that host goes, and to no other one; the alert comes once', () => {
    const w = new World(LIMIT);
    w.open(8);
    many(5, () => w.open(9, { seen: 99 }));
    expect(w.reset).toEqual(['2 max-incomplete-host', '3 max-incomplete-host']);
    expect(w.events).toEqual([{ type: 'host-alert', host: 99, limit: 3 }]);
  });

  test('the alert comes again when it was well below the limit, not one below', () => {
    const w = new World(LIMIT);
    many(4, () => w.open(9)); // 2, 3 and 4 are left
    w.establish(2, 9);
    many(2, () => w.open(9));
    expect(w.told('host-alert')).toHaveLength(1);
    w.establish(w.table.session.initiator, 9);
    const left = [4, 5, 6].filter((initiator) => w.table.find(initiator, 1, 9, 25, TCP));
    w.establish(left[0]!, 9);
    many(3, () => w.open(9));
    expect(w.told('host-alert')).toHaveLength(2);
  });

  test('nobody is told where the rule wants no alerts', () => {
    const w = new World(LIMIT);
    many(4, () => w.open(9, { alert: false }));
    expect([w.events, w.reset]).toEqual([[], ['1 max-incomplete-host']]);
  });

  test('UDP neither counts nor goes', () => {
    const w = new World(LIMIT);
    many(3, () => w.open(9, { protocol: UDP }));
    many(4, () => w.open(9));
    w.open(9, { protocol: UDP });
    expect(w.reset).toEqual(['4 max-incomplete-host']);
  });
});

describe('a host that is blocked', () => {
  const BLOCK = { hostMaxIncomplete: 2, hostBlockMinutes: 3 };
  const block = (w: World, host: number, options = {}): Verdict[] => [1, 2, 3].map(() => w.open(host, options));

  test('loses all that is half-open, and takes nothing for its time, to the millisecond', () => {
    const w = new World(BLOCK);
    w.open(8);
    expect(block(w, 9, { seen: 99 })).toEqual([PASS, PASS, DROP.sessionLimit]);
    expect(w.reset).toEqual(['2 host-blocked', '3 host-blocked']);
    expect(w.events).toEqual([
      { type: 'host-alert', host: 99, limit: 2 },
      { type: 'host-blocked', host: 99, limit: 2, minutes: 3 },
    ]);
    expect(w.open(9, { protocol: UDP })).toBe(PASS);
    w.now += 3 * MINUTE - 1;
    expect(w.open(9)).toBe(DROP.sessionLimit);
    w.now++;
    expect(w.open(9)).toBe(PASS);
    w.tick();
    expect(unblocked(w)).toEqual([99]);
    w.tick(MINUTE);
    expect(unblocked(w)).toEqual([99]);
  });

  test('is told of by nobody where the rule wants no alerts, or with alert-off', () => {
    const quiet = new World(BLOCK);
    block(quiet, 9, { alert: false });
    const off = new World(BLOCK);
    block(off, 9);
    off.thresholds.globals = { ...off.thresholds.globals, alertOff: true };
    for (const w of [quiet, off]) {
      w.tick(3 * MINUTE);
      expect(unblocked(w)).toEqual([]);
      expect(w.open(9)).toBe(PASS);
    }
  });

  test('is free in its turn, whatever others are', () => {
    const w = new World(BLOCK);
    block(w, 8);
    w.now += MINUTE;
    block(w, 9);
    w.tick(2 * MINUTE);
    expect(unblocked(w)).toEqual([8]);
    w.tick(MINUTE);
    expect(unblocked(w)).toEqual([8, 9]);
  });

  test('and blocked again before it was said that it is free, it keeps nobody else', () => {
    const w = new World(BLOCK);
    block(w, 8);
    w.now += MINUTE;
    block(w, 9);
    w.now += 2 * MINUTE; // 8 is free, and no tick has come yet
    expect(block(w, 8)).toEqual([PASS, PASS, DROP.sessionLimit]);
    w.tick(MINUTE);
    expect(unblocked(w)).toEqual([9]);
    w.tick(2 * MINUTE);
    expect(unblocked(w)).toEqual([9, 8]);
  });
});

describe('what another process takes over', () => {
  const BLOCK = { hostMaxIncomplete: 2, hostBlockMinutes: 3 };

  test('is who is blocked until when, in the order in which they are free', () => {
    const w = new World(BLOCK);
    w.open(8); // is known first, and blocked last
    many(3, () => w.open(9, { seen: 99 }));
    w.now += MINUTE;
    many(2, () => w.open(8));
    const heir = w.heir(BLOCK);
    expect([heir.open(8), heir.open(9)]).toEqual([DROP.sessionLimit, DROP.sessionLimit]);
    heir.now += 2 * MINUTE - 1;
    expect(heir.open(9)).toBe(DROP.sessionLimit);
    heir.now++;
    expect(heir.open(9)).toBe(PASS);
    heir.tick();
    expect(unblocked(heir)).toEqual([99]);
    heir.tick(MINUTE);
    expect(unblocked(heir)).toEqual([99, 8]);
  });

  test('is who was alerted about', () => {
    const globals = { hostMaxIncomplete: 2, hostBlockMinutes: 0 };
    const w = new World(globals);
    many(3, () => w.open(9));
    expect(w.told('host-alert')).toHaveLength(1);
    const heir = w.heir(globals);
    expect(
      heir.thresholds
        .rows()
        .find((row) => row.name === 'blockedHosts')
        ?.read(),
    ).toBe(0);
    heir.tick();
    many(4, () => heir.open(9));
    expect([heir.told('host-alert'), heir.reset.length]).toEqual([[], 2]);
    w.open(9); // and who is saved goes on as before
    expect(w.reset).toHaveLength(2);
    many(3, () => heir.open(8));
    expect(heir.told('host-alert')).toHaveLength(1);
  });

  test('is the mode, whether it was told, and how many were reset', () => {
    const globals = { maxIncompleteHigh: 1, maxIncompleteLow: 1 };
    const w = new World(globals);
    many(4, () => w.open(9));
    const heir = w.heir(globals);
    expect([w.thresholds.aggressive, heir.thresholds.aggressive]).toEqual([true, true]);
    expect(heir.thresholds.rows().map((row) => row.read())).toEqual(
      w.thresholds.rows().map((row) => (row.name === 'halfOpenSessions' ? 0 : row.read())),
    );
    heir.tick(MINUTE);
    expect(heir.events.map((e) => e.type)).toEqual(['aggressive-off']);
  });

  test('is nobody of whom there is nothing to know', () => {
    const globals = { hostMaxIncomplete: 2, hostBlockMinutes: 0, maxIncompleteHigh: 5000, oneMinuteHigh: 5000 };
    const w = new World(globals);
    for (let host = 1; host <= 450; host++) w.open(host);
    many(3, () => w.open(500));
    const heir = w.heir(globals);
    many(3, () => heir.open(500));
    expect(heir.told('host-alert')).toEqual([]);
  });

  test('is of 400 hosts at most', () => {
    const w = new World({ ...BLOCK, maxIncompleteHigh: 5000, oneMinuteHigh: 5000 });
    for (let host = 1; host <= 410; host++) many(3, () => w.open(host));
    const heir = w.heir(BLOCK);
    const left = Array.from({ length: 410 }, (_, i) => heir.thresholds.admit(TCP, i + 1, 1, false, w.now));
    expect(left.filter((v) => v === DROP.sessionLimit)).toHaveLength(400);
  });
});

describe('what another shard wants done', () => {
  const none = { detail: 0, address: 0, until: 0 };

  test('the oldest goes, of all or of a host, for the cause that is said', () => {
    const w = new World();
    for (const host of [8, 9, 9, 8]) w.open(host);
    w.thresholds.take({ ...none, kind: NOTICE.resetOldestTo, address: 9 }, w.now);
    w.thresholds.take({ ...none, kind: NOTICE.resetOldest, detail: 1 }, w.now);
    w.thresholds.take({ ...none, kind: NOTICE.resetOldest, detail: 77 }, w.now);
    w.thresholds.take({ ...none, kind: NOTICE.resetOldestTo, address: 7 }, w.now);
    expect(w.reset).toEqual(['2 max-incomplete-host', '1 one-minute', '3 max-incomplete']);
    expect(w.thresholds.rows()[0]!.read()).toBe(0); // who has asked counts
  });

  test('a host is blocked, and who has blocked it says so', () => {
    const w = new World();
    for (const host of [8, 9]) w.open(host);
    const until = w.now + MINUTE;
    w.thresholds.take({ ...none, kind: NOTICE.block, detail: 1, address: 9, until }, w.now);
    expect([w.reset, w.open(9), w.open(8)]).toEqual([['2 host-blocked'], DROP.sessionLimit, PASS]);
    w.tick(MINUTE);
    expect([w.open(9), unblocked(w)]).toEqual([PASS, []]);
  });

  test('resets of others are counted, and said where alerts are wanted', () => {
    const w = new World();
    w.thresholds.take({ ...none, kind: NOTICE.noteReset, detail: (2 << 1) | 1 }, w.now);
    w.thresholds.take({ ...none, kind: NOTICE.noteReset, detail: 1 << 1 }, w.now);
    w.tick(MINUTE);
    expect(w.events).toEqual([{ type: 'sessions-reset', cause: 'max-incomplete-host', sessions: 1, seconds: 1 }]);
    expect(w.thresholds.rows().filter((row) => row.read() > 0).map((row) => row.name)).toEqual(['one-minute', 'max-incomplete-host']); // prettier-ignore
  });
});

test('the rows say how things stand', () => {
  const w = new World({ hostMaxIncomplete: 2, hostBlockMinutes: 1, maxIncompleteHigh: 1, maxIncompleteLow: 1 });
  const standing = (): unknown =>
    Object.fromEntries(w.thresholds.rows().flatMap((row) => (row.family === 'reset' ? [] : [[row.name, row.read()]])));
  expect(standing()).toEqual({ halfOpenSessions: 0, aggressive: 0, blockedHosts: 0 });
  const kinds = w.thresholds.rows().map(({ family, kind }) => `${family} ${kind}`);
  expect(kinds).toEqual([...Array<string>(4).fill('reset counter'), ...Array<string>(3).fill('threshold gauge')]);
  expect(w.thresholds.rows().filter((row) => row.help === '')).toEqual([]);
  many(3, () => w.open(9));
  for (const host of [7, 8]) w.open(host);
  expect(standing()).toEqual({ halfOpenSessions: 2, aggressive: 0, blockedHosts: 1 });
  w.open(6);
  expect(standing()).toEqual({ halfOpenSessions: 2, aggressive: 1, blockedHosts: 1 });
});
