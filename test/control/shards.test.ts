/** Several data planes as one: who is told what, what is put together of what they say, and what is said of each. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RefusedError } from '../../src/control/data-plane-process.js';
import { ofShard, Shards } from '../../src/control/shards.js';
import type { Processes } from '../../src/control/supervisor.js';
import type { Found, Wanted } from '../../src/control/takeover.js';
import type { Event } from '../../src/core/events.js';
import { noDebug } from '../../src/core/observe/debug.js';
import type { FromDataPlane, ProbeKey, ToDataPlane } from '../../src/core/plane.js';
import { atWork, FakePlane, LINKS, policyOf, STATUS } from './fake-planes.js';

const policy = policyOf();
const KEY: ProbeKey = { kind: 'echo', first: 1, second: 2, source: 3, destination: 4 };
const EVENT: Event = { type: 'acl-log-missed', packets: 1 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Shards whose processes are none. */
class World implements Processes {
  readonly said: string[] = [];
  readonly written: string[] = [];
  readonly answers: unknown[] = [];
  /** The last one of each shard. */
  readonly planes: FakePlane[] = [];
  /** By shard. */
  refusals: (Error | undefined)[] = [];
  ended: number[] = [];
  readonly shards: Shards;

  constructor(readonly count: number) {
    this.shards = new Shards(
      {
        wanted: Array.from({ length: count }, (_, shard) => this.#wanted(shard)),
        policy,
        links: LINKS,
        mapped: new Set(['Ethernet2/0']),
        events: (events) => this.said.push(...events.map((e) => `event ${e.type}`)),
        captured: (batch, shard) => this.said.push(`shard ${shard} has captured ${batch.lost}`),
        answer: (answer) => this.answers.push(answer),
        write: (m) => this.written.push(`${m.mnemonic}: ${m.text}`),
        say: (severity, text) => this.said.push(`${severity} ${text}`),
      },
      { ...noDebug(), nat: true },
      this,
    );
  }

  #wanted(shard: number): Wanted {
    const files = { shard, removeOwnState: () => undefined };
    return { files, build: 'b', user: { command: [] }, queue: 3 + shard, capacity: 500, shards: this.count } as unknown as Wanted; // prettier-ignore
  }

  start({ files }: Wanted): Promise<FakePlane> {
    const { shard } = files;
    const refusal = this.refusals[shard];
    if (refusal !== undefined) return Promise.reject(refusal);
    return Promise.resolve((this.planes[shard] = new FakePlane(100 + shard)));
  }
  findAtWork({ files }: Wanted, say: (why: string) => void): Promise<Found> {
    say(`looked for ${files.shard}`);
    return Promise.resolve({});
  }
  endLeft({ shard }: Wanted['files']): Promise<unknown> {
    this.ended.push(shard);
    return Promise.resolve();
  }
  queued(): number {
    return 0;
  }

  async begin(): Promise<this> {
    await this.shards.start(Array.from({ length: this.count }, () => ({})));
    return this;
  }

  /** What all have been told since the last call, by shard. */
  told(): ToDataPlane[][] {
    return this.planes.map((plane) => plane.sent.splice(0));
  }

  heard(): string[] {
    return this.said.splice(0);
  }

  losses(shard: number, badVerdicts: number, more: Partial<typeof STATUS> = {}): void {
    this.planes[shard]!.receive({ type: 'status', status: { ...STATUS, losses: { badVerdicts }, ...more } });
  }
}

test('each is started with its own queue, and all with the same policy', async () => {
  const w = await new World(2).begin();
  expect(w.told().map(([start]) => start)).toMatchObject([
    { type: 'start', queue: 3, shards: 2, links: LINKS, debug: { nat: true } },
    { type: 'start', queue: 4, shards: 2, links: LINKS, debug: { nat: true } },
  ]);
  expect(w.shards.isWell).toBe(true);
});

test('where one cannot begin, the start fails with its reason, when all have tried', async () => {
  const w = new World(2);
  w.refusals = [new RefusedError('queue 3 is taken')];
  await expect(w.begin()).rejects.toEqual(new RefusedError('queue 3 is taken'));
  expect(w.planes[1]?.sent).toMatchObject([{ type: 'start' }]);
  expect(w.shards.isWell).toBe(false);
});

test('what is told is told to all', async () => {
  const w = await new World(2).begin();
  w.told();
  const other = policyOf('other', (c) => (c.routes = []));
  w.shards.configure(other, LINKS);
  w.shards.bind({ ...LINKS, mtus: new Map() });
  w.shards.setDebug(noDebug());
  w.shards.clear({ what: 'nat-statistics' });
  w.shards.forgetProbe(KEY);
  const [first, second] = w.told();
  expect(first!.map((m) => m.type)).toEqual(['policy', 'links', 'debug', 'clear', 'forget-probe']);
  expect(first![3]).toEqual({ type: 'clear', clearing: { what: 'nat-statistics' } });
  expect(first![4]).toEqual({ type: 'forget-probe', key: KEY });
  expect(second).toEqual(first);
});

describe('a probe', () => {
  test('is sent by the first one, when all look for the answer', async () => {
    const w = await new World(3).begin();
    const order: number[] = [];
    w.planes.forEach((plane, shard) => {
      const send = plane.send.bind(plane);
      plane.send = (m) => {
        order.push(shard);
        send(m);
      };
    });
    w.told();
    const packets = [Uint8Array.of(1)];
    w.shards.probe(KEY, packets);
    expect([order.length, order.at(-1)]).toEqual([3, 0]);
    expect(w.told()).toEqual([packets, [], []].map((p) => [{ type: 'probe', key: KEY, packets: p }]));
  });

  test('is answered by one, and looked for by none then', async () => {
    const w = await new World(2).begin();
    w.told();
    const answer: FromDataPlane = { type: 'answer', key: KEY, from: 9, icmpType: 0, code: 0, mtu: 0, ms: 7 };
    w.planes[1]!.receive(answer);
    expect(w.answers).toEqual([answer]);
    expect(w.told()).toEqual(Array(2).fill([{ type: 'forget-probe', key: KEY }]));
  });
});

describe('a view', () => {
  const rows = (w: World, family: string): number[] =>
    w.planes.map((plane, shard) => {
      const [view] = plane.told('view');
      const items = [{ family, name: 'x', help: '', kind: 'counter', value: 10 + shard }] as never;
      plane.receive({ type: 'view', id: view!.id, pieces: [{ name: 'counters', items }], last: true });
      return view!.id;
    });

  test('is put together of what all say, with the packets that were lost on the way to them', async () => {
    const w = await new World(2).begin();
    w.losses(0, 2);
    w.losses(1, 5);
    const views = w.shards.views(['counters']);
    await later(0);
    rows(w, 'drop');
    const counters = (await views).counters();
    expect(counters.find((c) => c.family === 'drop')?.value).toBe(21);
    expect(counters.find((c) => c.family === 'lost' && c.name === 'badVerdicts')?.value).toBe(7);
    expect((await views).mapped).toEqual(new Set(['Ethernet2/0']));
  });

  test('has no counters where nobody asks for them', async () => {
    const w = await new World(1).begin();
    const views = w.shards.views(['sessions']);
    w.planes[0]!.receive({ type: 'view', id: w.planes[0]!.told('view')[0]!.id, pieces: [], last: true });
    expect((await views).counters()).toEqual([]);
  });

  test('of several has its sessions in the order of age', async () => {
    const w = await new World(2).begin();
    const views = w.shards.views(['sessions']);
    w.planes.forEach((plane, shard) => {
      const items = [{ id: shard, createdAgo: 5 + shard }] as never;
      plane.receive({ type: 'view', id: plane.told('view')[0]!.id, pieces: [{ name: 'sessions', items }], last: true });
    });
    expect((await views).sessions().map((s) => s.id)).toEqual([1, 0]);
  });
});

describe('metrics', () => {
  const reading = (value: number) => ({ family: 'drop', name: 'x', help: '', kind: 'counter', value });
  const answer = (w: World, shard: number): void => {
    const { id, names } = w.planes[shard]!.told('view')[0]!;
    expect(names).toEqual(['counters', 'inspection']);
    const pieces = [
      { name: 'counters', items: [reading(10 + shard)] },
      { name: 'inspection', value: { packets: new Map(), created: 5 + shard } },
    ] as never;
    w.planes[shard]!.receive({ type: 'view', id, pieces, last: true });
  };
  const names = ['counters', 'inspection'] as const;

  test('are of each by itself: how it is, what it counts, what was lost on the way to it', async () => {
    const w = await new World(2).begin();
    w.losses(0, 2, { cpuMs: 1500, memory: 1000 });
    w.losses(1, 5, { cpuMs: 20, memory: 2000 });
    const timers = vi.getTimerCount();
    const asked = w.shards.metrics(names, 1000);
    [0, 1].forEach((shard) => answer(w, shard));
    const all = await asked;
    expect(all.map(({ metrics: m }) => [m.up, m.restarts, m.cpuSeconds, m.memoryBytes, m.inspection.created])).toEqual([
      [true, 0, 1.5, 1000, 5],
      [true, 0, 0.02, 2000, 6],
    ]);
    const values = all.map(({ metrics: { readings } }) => [
      readings.find((r) => r.family === 'drop')?.value,
      readings.find((r) => r.family === 'lost' && r.name === 'badVerdicts')?.value,
    ]);
    expect(values).toEqual([[10, 2], [11, 5]]); // prettier-ignore
    expect(all[1]!.views.inspection().created).toBe(6);
    expect(vi.getTimerCount()).toBe(timers); // nobody waits any more
  });

  test('do not wait longer than they may for one that does not answer', async () => {
    const w = await new World(2).begin();
    let all: Awaited<ReturnType<Shards['metrics']>> | undefined;
    const asked = w.shards.metrics(names, 1000).then((m) => (all = m));
    answer(w, 1);
    await later(999);
    expect(all).toBeUndefined();
    await later(1);
    await asked;
    const drops = all!.map(({ metrics }) => metrics.readings.some((r) => r.family === 'drop'));
    expect(drops).toEqual([false, true]);
  });

  test('count how often one was started again', async () => {
    const w = await new World(1).begin();
    for (let n = 1; n <= 2; n++) {
      w.planes[0]!.closed('SIGSEGV');
      const down = await w.shards.metrics([], 10);
      expect([down[0]!.metrics.up, down[0]!.metrics.restarts]).toEqual([false, n - 1]);
      await later(1000);
      const asked = w.shards.metrics([], 10);
      await later(10);
      expect((await asked)[0]!.metrics).toMatchObject({ up: true, restarts: n });
    }
  });
});

test('load and what was left out are of all together', async () => {
  const w = await new World(2).begin();
  w.losses(0, 0, { cpuMs: 40, memory: 1000, leftOut: 3 });
  w.losses(1, 0, { cpuMs: 2, memory: 500, leftOut: 1 });
  expect([w.shards.load, w.shards.leftOut]).toEqual([{ cpuMs: 42, memory: 1500 }, 4]);
});

describe.each([
  { count: 1, shard: 0, name: 'the data plane', short: 'data plane', of: '' },
  { count: 2, shard: 1, name: 'shard 1', short: 'shard 1', of: 'shard 1: ' },
])('of one of $count it is said', ({ count, shard, name, short, of }) => {
  test('that it has ended, why, what it complained of, and that there is another one', async () => {
    const w = await new World(count).begin();
    const plane = w.planes[shard]!;
    plane.said = ['TypeError: x'];
    plane.closed('SIGSEGV');
    expect(w.shards.isWell).toBe(false);
    expect(w.heard()).toEqual([`3 ${short}: TypeError: x`, `2 ${name} ended (SIGSEGV)`]);
    await later(50);
    expect(w.heard()).toEqual([`4 ${of}looked for ${shard}`, `5 ${name} has been started again`]);
    expect(w.shards.isWell).toBe(true);
  });

  test('that it was at work and is taken over, and that messages follow', async () => {
    const w = new World(count);
    const found = (unheard: number): Found[] =>
      Array.from({ length: count }, (_, i) => {
        const one = atWork(new FakePlane(i), policy, [{ type: 'events', events: [EVENT], number: 1 }]);
        return { atWork: { ...one.atWork!, unheard } };
      });
    await w.shards.start(found(5));
    expect(w.heard().slice(-2)).toEqual([
      `5 ${name} was at work and is taken over; 5 messages of the time before follow`,
      'event acl-log-missed',
    ]);
    const quiet = new World(count);
    await quiet.shards.start(found(0));
    expect(quiet.heard()).toContain(`5 ${name} was at work and is taken over`);
  });
});

test('of a shard is spoken by its number only where there are several', () => {
  expect([ofShard(0, 1, 'x'), ofShard(0, 2, 'x'), ofShard(3, 4, 'x')]).toEqual(['x', 'shard 0: x', 'shard 3: x']);
});

describe('packets that are lost', () => {
  test('are said, of each shard since its queue was opened', async () => {
    const w = await new World(2).begin();
    w.losses(1, 4);
    w.shards.tick(1000);
    w.shards.tick(6000);
    expect(w.written).toEqual([expect.stringContaining('4 packets lost')]);
    w.planes[1]!.closed('SIGKILL');
    await later(50);
    w.losses(1, 3); // counted anew
    w.shards.tick(100_000);
    w.shards.tick(105_000);
    expect(w.written.slice(1)).toEqual([expect.stringContaining('3 packets lost')]);
  });

  test('are not said again by who takes over', async () => {
    const w = new World(1);
    await w.shards.start([atWork(new FakePlane(1), policy)]); // 2 bad verdicts
    w.shards.tick(1000);
    w.shards.tick(70_000);
    expect(w.written).toEqual([]);
  });
});

test('all are left at work', async () => {
  const w = await new World(2).begin();
  w.shards.leave();
  expect(w.planes.map((plane) => plane.fate)).toEqual([['disconnect'], ['disconnect']]);
});

test('all are stopped, and it is done when they have ended', async () => {
  const w = await new World(2).begin();
  let end = (): void => undefined;
  w.planes[1]!.stop = () => new Promise((resolve) => (end = resolve));
  let stopped = false;
  const stopping = w.shards.stop().then(() => (stopped = true));
  await later(0);
  expect([w.planes[0]!.fate, stopped]).toEqual([['stop'], false]);
  end();
  await stopping;
  expect(w.ended.sort()).toEqual([0, 1]);
});
