/** The data plane is started, spoken with, watched, and replaced when it ends or hangs. */
import { expect, test, vi } from 'vitest';
import { RefusedError } from '../../src/control/data-plane-process.js';
import { Supervisor, type Processes } from '../../src/control/supervisor.js';
import type { Found, Wanted } from '../../src/control/takeover.js';
import type { Event } from '../../src/core/events.js';
import { noDebug } from '../../src/core/observe/debug.js';
import { changesOf } from '../../src/core/policy-changes.js';
import { changesInPieces } from '../../src/core/policy-pieces.js';
import type { Policy } from '../../src/core/policy.js';
import type { ViewPiece } from '../../src/core/state/view.js';
import { PolicyCompiler } from '../../src/ios/compile/policy.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { atWork, FakePlane, LINKS, policyOf, STATUS } from './fake-planes.js';

const EVENT: Event = { type: 'acl-log-missed', packets: 1 };
const policy = policyOf();

class World implements Processes {
  /** What is said to the router, in order. */
  readonly said: string[] = [];
  readonly born: FakePlane[] = [];
  /** What the next searches find, and starts are refused with. */
  finds: Found[] = [];
  refusals: Error[] = [];
  /** Those that are born from now on open their queue at once. */
  ready = true;
  packetsQueued: number | undefined = 0;
  statesRemoved = 0;
  readonly ended: unknown[] = [];
  readonly wanted = {
    files: { removeOwnState: () => this.statesRemoved++ },
    build: 'b',
    user: { command: [] },
    queue: 3,
    capacity: 500,
    shards: 1,
  } as unknown as Wanted;
  readonly supervisor: Supervisor;

  constructor(inForce: Policy = policy) {
    this.supervisor = new Supervisor(
      {
        ...this.wanted,
        policy: inForce,
        links: LINKS,
        mapped: new Set(['Ethernet2/0']),
        events: (events) => this.said.push(...events.map((e) => `event ${e.type}`)),
        captured: (batch) => this.said.push(`captured ${batch.lost}`),
        answer: (answer) => this.said.push(`answer after ${answer.ms}`),
        complaint: (line) => this.said.push(`complaint ${line}`),
        ended: (why) => this.said.push(`ended ${why}`),
        restarted: () => this.said.push('restarted'),
        takenOver: (status, unheard) => this.said.push(`taken over ${status.cpuMs} ${unheard}`),
        note: (text) => this.said.push(`note ${text}`),
      },
      noDebug(),
      this,
    );
  }

  /** Spare ones are born. */
  hasSpares = false;
  readonly spares: FakePlane[] = [];
  start(wanted: Wanted, spare = false): Promise<FakePlane> {
    expect(wanted).toMatchObject({ build: 'b', queue: 3 });
    if (spare && !this.hasSpares) return Promise.reject(new RefusedError('no spare one'));
    if (spare) {
      this.spares.push(new FakePlane(200 + this.spares.length));
      return Promise.resolve(this.spares.at(-1)!);
    }
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Promise.reject(refusal);
    const plane = new FakePlane(100 + this.born.length);
    plane.ready = this.ready;
    this.born.push(plane);
    return Promise.resolve(plane);
  }
  findAtWork(_: Wanted, say: (why: string) => void): Promise<Found> {
    say('looked');
    return Promise.resolve(this.finds.shift() ?? {});
  }
  endLeft(files: unknown): Promise<unknown> {
    this.ended.push(files);
    return Promise.resolve();
  }
  queued(queue: number): number | undefined {
    expect(queue).toBe(3);
    return this.packetsQueued;
  }
  get last(): FakePlane {
    return this.born.at(-1)!;
  }
  /** What was said since the last call, without the searches. */
  heard(): string[] {
    return this.said.splice(0).filter((line) => line !== 'note looked');
  }
}

/** A test in a world whose clock goes on when it is told to. */
const inWorld = (story: (w: World) => Promise<void>) => async () => {
  vi.useFakeTimers();
  const w = new World();
  try {
    await story(w);
  } finally {
    w.supervisor.leave();
    vi.useRealTimers();
  }
};
const begun = (story: (w: World) => Promise<void>) =>
  inWorld(async (w) => {
    await w.supervisor.start({});
    await story(w);
  });
const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const counts = (value: number): ViewPiece =>
  ({ name: 'counters', items: [{ name: 'x', value }] }) as unknown as ViewPiece;

test(
  'a new one is told all that it needs, and is at work when its queue is open',
  inWorld(async (w) => {
    w.ready = false;
    let open = false;
    const starting = w.supervisor.start({}).then(() => (open = true));
    await later(0);
    expect(w.last.sent).toEqual([
      {
        type: 'start',
        changes: changesOf(undefined, policy),
        links: LINKS,
        debug: noDebug(),
        queue: 3,
        capacity: 500,
        shards: 1,
      },
    ]);
    expect([open, w.supervisor.isWell]).toEqual([false, false]);
    w.last.receive({ type: 'events', events: [EVENT], number: 1 }); // before it is ready
    w.last.receive({ type: 'ready' });
    await starting;
    expect([w.supervisor.isWell, w.heard()]).toEqual([true, ['event acl-log-missed']]);
  }),
);

test(
  'one that cannot open its queue is refused, with its reason',
  inWorld(async (w) => {
    w.ready = false;
    const starting = w.supervisor.start({});
    const refused = expect(starting).rejects.toEqual(new RefusedError('queue 3 is taken'));
    await later(0);
    w.last.receive({ type: 'refused', reason: 'queue 3 is taken' });
    await refused;
    await expect(starting).rejects.toBeInstanceOf(RefusedError);
  }),
);

test.each([
  { why: 'SIGSEGV', lines: [], says: 'the data plane ended (SIGSEGV)' },
  { why: undefined, lines: ['a line', 'TypeError: x', 'Error: y'], says: 'the data plane ended (it does not answer): TypeError: x' }, // prettier-ignore
])('one that ends before its queue is open is refused: $says', ({ why, lines, says }) =>
  inWorld(async (w) => {
    w.ready = false;
    const refused = expect(w.supervisor.start({})).rejects.toEqual(new RefusedError(says));
    await later(0);
    w.last.said = lines;
    w.last.closed(why);
    await refused;
  })(),
);

test(
  'one of another build works until its successor is born, and is stopped before that opens the queue',
  inWorld(async (w) => {
    const outdated = new FakePlane(1);
    const born = new FakePlane(2);
    const order: string[] = [];
    outdated.stop = () => {
      order.push('stop');
      return Promise.resolve();
    };
    const send = born.send.bind(born);
    born.send = (m) => {
      order.push(m.type);
      send(m);
    };
    await w.supervisor.start({ outdated, born: Promise.resolve(born) });
    expect([order, w.born]).toEqual([['stop', 'start'], []]);
  }),
);

test(
  'one that is at work is taken over: it hears what is different, and what it has said meanwhile is heard',
  inWorld(async (w) => {
    const plane = new FakePlane(9);
    const before = policyOf('before', (c) => (c.routes = []));
    await w.supervisor.start(atWork(plane, before, [{ type: 'events', events: [EVENT], number: 4 }]));
    expect(plane.sent).toEqual([
      { type: 'policy', changes: changesOf(before, policy), links: LINKS },
      { type: 'debug', flags: noDebug() },
      { type: 'heard', events: 4 },
    ]);
    expect(w.heard()).toEqual(['taken over 40 5', 'event acl-log-missed']);
    plane.receive({ type: 'events', events: [EVENT], number: 5 });
    expect(w.heard()).toEqual(['event acl-log-missed']);
    expect([w.supervisor.status, w.supervisor.cpuMs, w.supervisor.leftOut, w.supervisor.isWell]).toEqual([STATUS, 40, 3, true]); // prettier-ignore
  }),
);

test('a policy goes over as what differs from the one before, new entries of long lists first, in pieces', async () => {
  const compiler = new PolicyCompiler(new Set(['Ethernet2/0']));
  const entries = Array.from(
    { length: 600 },
    (_, i) => `access-list 150 permit tcp host 10.0.${i >> 8}.${i & 255} any`,
  );
  const [first, second, third] = ['', 'hostname r', entries.join('\n')].map((text) =>
    compiler.compile(parseConfig(`interface Ethernet2/0\n ip access-group 150 in\n!\n${text}\nend\n`, 'r').config),
  );
  const w = new World(first);
  try {
    await w.supervisor.start({});
    const links = { ...LINKS, ingress: new Map([[8, 1]]) };
    w.supervisor.configure(second!, links);
    w.supervisor.configure(third!, LINKS);
    const { pieces, rest } = changesInPieces(changesOf(second, third!));
    expect(pieces.length).toBeGreaterThan(1);
    expect(w.last.sent.slice(1)).toEqual([
      { type: 'policy', changes: changesOf(first, second!), links },
      ...pieces.map((piece) => ({ type: 'policy-items', piece })),
      { type: 'policy', changes: rest, links: LINKS },
    ]);
  } finally {
    w.supervisor.leave();
  }
});

test(
  'the next one is told the last of everything',
  begun(async (w) => {
    const second = policyOf('second', (c) => (c.routes = []));
    const flags = { ...noDebug(), objectCreation: true };
    w.supervisor.configure(second, { ...LINKS, mtus: new Map() });
    w.supervisor.bind(LINKS);
    w.supervisor.setDebug(flags);
    const settings = { points: [], verdicts: true };
    w.supervisor.setTap(settings);
    w.supervisor.tell({ type: 'clear', clearing: { what: 'everything' } });
    expect(w.last.sent.slice(-4)).toEqual([
      { type: 'links', links: LINKS },
      { type: 'debug', flags },
      { type: 'tap', settings },
      { type: 'clear', clearing: { what: 'everything' } },
    ]);
    w.last.closed('SIGKILL');
    await later(50);
    expect(w.born).toHaveLength(2);
    expect(w.last.sent).toEqual([
      {
        type: 'start',
        changes: changesOf(undefined, second),
        links: LINKS,
        debug: flags,
        queue: 3,
        capacity: 500,
        shards: 1,
      },
      { type: 'tap', settings },
    ]);
  }),
);

test(
  'what it says reaches the router, and events are acknowledged',
  begun(async (w) => {
    w.last.receive({ type: 'events', events: [EVENT, EVENT], number: 8 });
    expect(w.last.told('heard')).toEqual([{ type: 'heard', events: 8 }]);
    w.last.receive({ type: 'status', status: STATUS });
    expect(w.supervisor.status).toBe(STATUS);
    const key = { kind: 'echo', first: 1, second: 2, source: 3, destination: 4 } as const;
    w.last.receive({ type: 'answer', key, from: 4, icmpType: 0, code: 0, mtu: 0, ms: 12 });
    for (const type of ['ready', 'hello'] as const) w.last.receive({ type, build: '' });
    expect(w.heard()).toEqual(['event acl-log-missed', 'event acl-log-missed', 'answer after 12']);
    await later(0);
  }),
);

test(
  'views come in pieces, each to the one who has asked',
  begun(async (w) => {
    const [a, b] = [w.supervisor.views(['counters']), w.supervisor.views(['counters'])];
    expect(w.last.told('view')).toEqual([1, 2].map((id) => ({ type: 'view', id, names: ['counters'] })));
    let first = false;
    void a.then(() => (first = true));
    w.last.receive({ type: 'view', id: 1, pieces: [counts(1)], last: false });
    w.last.receive({ type: 'view', id: 9, pieces: [counts(9)], last: true });
    w.last.receive({ type: 'view', id: 2, pieces: [counts(7)], last: true });
    expect((await b).counters().map((r) => r.value)).toEqual([7]);
    expect(first).toBe(false);
    w.last.receive({ type: 'view', id: 1, pieces: [counts(2)], last: true });
    expect((await a).counters().map((r) => r.value)).toEqual([3]);
    w.last.receive({ type: 'view', id: 1, pieces: [counts(3)], last: true }); // nobody asks any more
    expect((await a).counters().map((r) => r.value)).toEqual([3]);
  }),
);

test(
  'whoever asks one that ends gets what was there, and without one nothing',
  begun(async (w) => {
    const asked = w.supervisor.views(['counters']);
    w.last.receive({ type: 'view', id: 1, pieces: [counts(1)], last: false });
    w.last.closed('SIGKILL');
    expect((await asked).counters()).toHaveLength(1);
    expect((await w.supervisor.views(['counters'])).counters()).toEqual([]);
    expect(w.last.told('view')).toHaveLength(1);
  }),
);

test(
  'it is asked each second; one that does not answer is ended, and that is said',
  begun(async (w) => {
    await later(3000);
    expect(w.last.told('ping').map((m) => m.number)).toEqual([1, 2, 3]);
    expect(w.supervisor.isWell).toBe(false);
    w.last.receive({ type: 'pong', number: 3, packets: 0 });
    expect(w.supervisor.isWell).toBe(true);
    await later(5000);
    expect(w.last.fate).toEqual([]);
    await later(1000);
    expect([w.last.fate, w.heard()]).toEqual([['kill'], ['note the data plane (process 100) hangs; it is ended']]);
    await later(4000);
    expect(w.last.fate).toEqual(['kill']); // once
  }),
);

test(
  'one that answers and judges nothing of what comes is ended too',
  begun(async (w) => {
    for (let i = 1; i <= 7; i++) {
      await later(1000);
      w.packetsQueued = 10 * i;
      w.last.receive({ type: 'pong', number: w.last.told('ping').length, packets: 5 });
    }
    expect(w.last.fate).toEqual(['kill']);
  }),
);

test(
  'one that ends is replaced soon; what it has said last, used and left out stays counted',
  begun(async (w) => {
    const first = w.last;
    first.receive({ type: 'status', status: STATUS });
    first.said = ['Error: a', 'b'];
    first.closed('SIGKILL');
    expect(w.heard()).toEqual(['complaint Error: a', 'complaint b', 'ended SIGKILL']);
    expect([w.supervisor.status.cpuMs, w.supervisor.cpuMs, w.supervisor.leftOut, w.supervisor.isWell]).toEqual([0, 40, 3, false]); // prettier-ignore
    await later(1000);
    expect(first.told('ping')).toEqual([]); // there is nobody to ask
    await later(49);
    expect(w.born).toHaveLength(2);
    expect(w.said).toContain('note looked');
    expect(w.heard()).toEqual(['restarted']);
    w.last.receive({ type: 'status', status: STATUS });
    expect([w.supervisor.cpuMs, w.supervisor.leftOut, w.supervisor.isWell]).toEqual([80, 6, true]);
    first.closed('SIGKILL'); // long gone
    await later(200);
    expect([w.born.length, w.heard()]).toEqual([2, []]);
  }),
);

test(
  'where only the connection has ended, the same one is taken over again',
  begun(async (w) => {
    const plane = w.last;
    plane.receive({ type: 'status', status: STATUS });
    plane.said = ['Error: of another day'];
    w.finds = [atWork(plane, policy)];
    plane.closed(undefined);
    expect([w.supervisor.cpuMs, w.supervisor.leftOut]).toEqual([40, 3]);
    await later(50);
    expect([w.born.length, w.heard()]).toEqual([1, ['taken over 40 5']]);
  }),
);

test(
  'who ends again and again is waited for longer each time, up to five seconds; a long life makes it short again',
  begun(async (w) => {
    const startsAfter = async (ms: number): Promise<void> => {
      const count = w.born.length;
      w.last.closed('SIGKILL');
      await later(ms - 1);
      expect(w.born).toHaveLength(count);
      await later(1);
      expect(w.born).toHaveLength(count + 1);
    };
    for (const ms of [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]) await startsAfter(ms);
    await later(10_000);
    w.last.receive({ type: 'pong', number: 1e6, packets: 0 });
    await startsAfter(5000); // ten seconds are not yet long
    await later(10_001);
    await startsAfter(50);
  }),
);

test(
  'a start that is refused is tried again, later',
  begun(async (w) => {
    w.refusals = [new RefusedError('no'), new RefusedError('no')];
    w.last.closed('SIGKILL');
    await later(50 + 100 + 199);
    expect(w.born).toHaveLength(1);
    await later(1);
    expect([w.born.length, w.heard()]).toEqual([2, ['ended SIGKILL', 'restarted']]);
  }),
);

test.each(['exit code 1', 'exit code 134', 'SIGSEGV', 'SIGABRT', 'SIGBUS'])(
  'three ends by %s: the next one begins with empty tables',
  (why) =>
    begun(async (w) => {
      for (let i = 1; i <= 6; i++) {
        expect(w.statesRemoved).toBe(Math.floor((i - 1) / 3));
        w.last.closed(why);
        await later(5000);
      }
      expect(w.statesRemoved).toBe(2);
      expect(w.heard().filter((line) => line.startsWith('note'))).toEqual(
        Array(2).fill('note the data plane fails again and again: the next one begins with empty tables'),
      );
    })(),
);

test.each(['SIGKILL', 'SIGTERM', 'exit code 0', undefined])('ends by somebody else (%s) leave the tables', (why) =>
  begun(async (w) => {
    for (let i = 0; i < 6; i++) {
      w.last.closed(why);
      await later(5000);
    }
    expect(w.statesRemoved).toBe(0);
  })(),
);

test(
  'failures that are far apart are not counted together',
  begun(async (w) => {
    for (let i = 0; i < 4; i++) {
      w.last.closed('exit code 1');
      await later(5000);
      w.last.closed('exit code 1');
      await later(5000 + 10_001);
    }
    expect(w.statesRemoved).toBe(0);
  }),
);

test(
  'who leaves asks and starts nobody any more: the data plane goes on',
  begun(async (w) => {
    w.supervisor.leave();
    expect(w.last.fate).toEqual(['disconnect']);
    await later(3000);
    w.last.closed(undefined);
    await later(5000);
    expect([w.born.length, w.last.sent.length, w.heard(), w.ended]).toEqual([1, 1, [], []]);
  }),
);

test(
  'who stops has it close its queue, and ends what does not listen',
  begun(async (w) => {
    await w.supervisor.stop();
    expect([w.last.fate, w.ended]).toEqual([['stop'], [w.wanted.files]]);
    await later(3000);
    w.last.closed('exit code 0');
    await later(5000);
    expect([w.born.length, w.last.told('ping'), w.heard()]).toEqual([1, [], []]);
  }),
);

test(
  'a stop waits for the start that is under way',
  inWorld(async (w) => {
    w.ready = false;
    void w.supervisor.start({}).catch(() => undefined);
    await later(0);
    let stopped = false;
    const stopping = w.supervisor.stop().then(() => (stopped = true));
    await later(100);
    expect(stopped).toBe(false);
    w.last.receive({ type: 'ready' });
    await stopping;
    expect(w.last.fate).toEqual(['stop']);
  }),
);

test(
  'a stop after a start that failed ends what is left',
  inWorld(async (w) => {
    w.refusals = [new RefusedError('no')];
    await expect(w.supervisor.start({})).rejects.toThrow('no');
    await w.supervisor.stop();
    expect(w.ended).toHaveLength(1);
  }),
);

test.each([
  { name: 'before another one is looked for', ms: 49, looked: false },
  { name: 'while it is looked for', ms: 50, looked: true },
])('a stop $name starts none', ({ ms, looked }) =>
  begun(async (w) => {
    let found: (found: Found) => void = () => undefined;
    let searches = 0;
    w.findAtWork = () => {
      searches++;
      return new Promise((resolve) => (found = resolve));
    };
    w.last.closed('SIGKILL');
    await later(ms);
    await w.supervisor.stop();
    found({});
    await later(5000);
    expect([searches, w.born.length]).toEqual([looked ? 1 : 0, 1]);
  })(),
);

const withSpare = (story: (w: World, spare: FakePlane) => Promise<void>) =>
  inWorld(async (w) => {
    w.hasSpares = true;
    await w.supervisor.start({});
    await later(999);
    expect(w.spares).toEqual([]);
    await later(1);
    expect(w.spares).toHaveLength(1);
    await story(w, w.spares[0]!);
  });

test(
  'a second after the start a spare one waits, told nothing and without a claim',
  withSpare(async (w, spare) => {
    await later(60_000);
    expect([spare.sent, spare.fate, w.spares.length]).toEqual([[], [], 1]);
  }),
);

test.each(['SIGKILL', 'exit code 1'])('where the one at work ends by %s, the spare one begins at once', (why) =>
  withSpare(async (w, spare) => {
    w.heard();
    w.last.closed(why);
    await later(0);
    expect([spare.fate, spare.sent.map((m) => m.type)]).toEqual([['claim'], ['start']]);
    expect([w.said.splice(0), w.born.length, w.supervisor.isWell]).toEqual([[`ended ${why}`, 'restarted'], 1, true]);
    await later(999);
    expect(w.spares).toHaveLength(1);
    await later(1);
    expect(w.spares).toHaveLength(2);
  })(),
);

test(
  'where only the connection has ended the spare one stays where it is',
  withSpare(async (w, spare) => {
    w.finds = [atWork(w.last, policy)];
    w.last.closed(undefined);
    await later(10_000);
    expect([spare.fate, spare.sent, w.spares.length]).toEqual([[], [], 1]);
  }),
);

test(
  'who ends soon after the start has no spare one, and is waited for',
  withSpare(async (w, spare) => {
    w.last.closed('SIGKILL');
    await later(500);
    spare.closed('SIGKILL');
    await later(0);
    expect(w.born).toHaveLength(1);
    await later(50);
    expect(w.born).toHaveLength(2);
  }),
);

test(
  'a spare one that ends is replaced, later each time',
  withSpare(async (w, spare) => {
    spare.closed('SIGKILL');
    await later(1999);
    expect(w.spares).toHaveLength(1);
    await later(1);
    expect(w.spares).toHaveLength(2);
    w.hasSpares = false; // none can be born
    w.spares[1]!.closed('SIGKILL');
    await later(200_000);
    w.hasSpares = true;
    await later(60_000);
    expect(w.spares).toHaveLength(3);
  }),
);

test.each([
  { how: 'stop', end: (w: World) => w.supervisor.stop() },
  {
    how: 'leave',
    end: (w: World) => {
      w.supervisor.leave();
      return Promise.resolve();
    },
  },
])('$how ends the spare one, and none is born any more', ({ end }) =>
  withSpare(async (w, spare) => {
    await end(w);
    expect(spare.fate).toEqual(['kill']);
    await later(100_000);
    expect(w.spares).toHaveLength(1);
  })(),
);

test(
  'one that is born after the end of all is ended',
  inWorld(async (w) => {
    w.hasSpares = true;
    await w.supervisor.start({});
    let born: ((p: FakePlane) => void) | undefined;
    w.start = () => new Promise((resolve) => (born = resolve));
    await later(3000);
    await w.supervisor.stop();
    const spare = new FakePlane(7);
    born!(spare);
    await later(0);
    expect(spare.fate).toEqual(['kill']);
  }),
);

test(
  'a spare one that cannot claim to be it is ended, and another one is started',
  withSpare(async (w, spare) => {
    spare.claim = () => {
      throw new Error('no room');
    };
    w.last.closed('SIGKILL');
    await later(49);
    expect([spare.fate, w.born.length]).toEqual([['kill'], 1]);
    await later(1);
    expect([w.born.length, w.supervisor.isWell]).toEqual([2, true]);
  }),
);
