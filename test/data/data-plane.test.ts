/** The data plane: what comes by its queue is judged, what it is told is done, and what takes long waits for packets. */
import { expect, test, vi } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { heapMemory } from '../../src/core/memory/flat-memory.js';
import { noDebug } from '../../src/core/observe/debug.js';
import type { FromDataPlane, Start, ToDataPlane } from '../../src/core/plane.js';
import { changesOf } from '../../src/core/policy-changes.js';
import { changesInPieces } from '../../src/core/policy-pieces.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { CollectedViews } from '../../src/core/state/view.js';
import type { ViewName } from '../../src/core/state/snapshot.js';
import { DataPlane, type Edge, type JudgedQueue, MOST_JOBS, type ToControlPlane } from '../../src/data/data-plane.js';
import { PolicyCompiler } from '../../src/ios/compile/policy.js';
import type { PacketQueue, QueueStats } from '../../src/io/queue/packet-queue.js';
import type { State } from '../../src/io/state-files.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { icmpPacket, ip, received, sent, tcpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';

const OUTSIDE = 71;
const INSIDE = 72;

interface Judged {
  verdict: Verdict;
  bytes: Uint8Array;
}

class FakeQueue implements JudgedQueue {
  hurry = false;
  closed = 0;
  flushes = 0;
  readonly injected: Uint8Array[] = [];
  readonly released: unknown[][] = [];
  #batch: { bytes: Uint8Array; ifindex: number; own: boolean }[] = [];
  #judged: Judged[] = [];
  #onBatch: ((count: number) => void) | undefined;

  start(onBatch: (queue: PacketQueue, count: number) => void): void {
    this.#onBatch = (count) => onBatch(this as unknown as PacketQueue, count);
  }
  /** Packets come in by a Linux interface. @returns what becomes of them */
  comes(ifindex: number, ...packets: Uint8Array[]): Judged[] {
    return this.#come(packets.map((bytes) => ({ bytes, ifindex, own: false })));
  }
  /** Packets of the router's own kernel. */
  leaves(...packets: Uint8Array[]): Judged[] {
    return this.#come(packets.map((bytes) => ({ bytes, ifindex: 0, own: true })));
  }
  #come(batch: { bytes: Uint8Array; ifindex: number; own: boolean }[]): Judged[] {
    this.#batch = batch;
    this.#judged = [];
    this.#onBatch!(batch.length);
    return this.#judged;
  }
  load(i: number, p: Packet): number {
    const { bytes, ifindex } = this.#batch[i]!;
    Object.assign(p, received(bytes, -5, i)); // by which interface of the policy, a queue does not say
    return ifindex;
  }
  isFromRouter(i: number): boolean {
    return this.#batch[i]!.own;
  }
  verdict(i: number, verdict: Verdict, p: Packet): void {
    this.#judged[i] = { verdict, bytes: sent(p) };
  }
  release(...what: unknown[]): void {
    this.released.push(what);
  }
  inject(packet: Uint8Array): void {
    this.injected.push(packet.slice());
  }
  flush(): void {
    this.flushes++;
  }
  stats(): QueueStats {
    return { badVerdicts: 4 } as QueueStats;
  }
  close(): void {
    this.closed++;
  }
}

class World implements Edge, ToControlPlane {
  readonly queue = new FakeQueue();
  readonly compiler = new PolicyCompiler();
  readonly said: FromDataPlane[] = [];
  readonly others: string[] = [];
  readonly start: Start;
  waiting: (() => void)[] = [];
  state: () => State = () => ({ source: heapMemory, fresh: 'none', secret: new Int32Array(4) });
  clock = 5_000_000;
  /** How long things take, ms. */
  step = 0;
  policy;
  #plane: DataPlane | undefined;

  constructor(extra = '') {
    const config = config3640(extra);
    this.policy = this.compiler.compile(config);
    this.start = {
      type: 'start',
      changes: changesOf(undefined, this.policy),
      links: {
        ingress: new Map([
          [OUTSIDE, config.interfaces.findIndex((i) => i.name === 'Ethernet2/0')],
          [INSIDE, config.interfaces.findIndex((i) => i.name === 'Ethernet2/1')],
        ]),
        mtus: new Map([['Ethernet2/0', 1500], ['Ethernet2/1', 1500]]), // prettier-ignore
      },
      debug: noDebug(),
      queue: 3,
      capacity: 64,
      shards: 1,
    };
  }
  /** Born when it is asked for first. */
  get plane(): DataPlane {
    this.#plane ??= new DataPlane(this.start, this, { state: '/run/state', shard: 0 }, this);
    return this.#plane;
  }
  openQueue(queue: number): JudgedQueue {
    this.others.push(`queue ${queue}`);
    return this.queue;
  }
  openState(folder: string, _: string, secret: Int32Array): State {
    expect([folder, secret.length]).toEqual(['/run/state', 4]);
    this.others.push('state');
    return this.state();
  }
  removeState(folder: string): void {
    this.others.push(`removed ${folder}`);
  }
  now(): number {
    return (this.clock += this.step);
  }
  complain(text: string): void {
    this.others.push(`complaint ${text}`);
  }
  send(message: FromDataPlane): void {
    this.said.push(message);
  }
  sendIfRoom(message: FromDataPlane): boolean {
    this.said.push(message);
    return true;
  }
  sendEvents(events: FromDataPlane): void {
    this.said.push(events);
  }
  heard(number: number): void {
    this.others.push(`heard ${number}`);
  }
  sendUnheard(): void {
    this.others.push('unheard again');
  }
  whenEmpty(then: () => void): void {
    this.waiting.push(then);
  }
  tell(...messages: Exclude<ToDataPlane, Start>[]): void {
    for (const message of messages) this.plane.receive(message);
  }
  /** What was said, by kind. */
  of<T extends FromDataPlane['type']>(type: T): Extract<FromDataPlane, { type: T }>[] {
    return this.said.filter((m): m is Extract<FromDataPlane, { type: T }> => m.type === type);
  }
  get events(): Event[] {
    return this.of('events').flatMap((m) => [...m.events]);
  }
  /** The control plane takes what there is, again and again, until there is nothing more. */
  async settle(): Promise<void> {
    for (;;) {
      await vi.advanceTimersByTimeAsync(0);
      const next = this.waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
  async view(...names: ViewName[]): Promise<CollectedViews> {
    this.said.length = 0;
    this.tell({ type: 'view', id: 77, names });
    await this.settle();
    const views = new CollectedViews(new Set(['Ethernet2/0', 'Ethernet2/1']));
    for (const { pieces } of this.of('view')) for (const piece of pieces) views.add(piece);
    return views;
  }
  async sessions(): Promise<number> {
    return (await this.view('sessions')).sessions().length;
  }
}

const inWorld =
  (story: (w: World) => Promise<void> | void, extra = '') =>
  async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'setImmediate'] });
    const w = new World(extra);
    try {
      expect(w.plane).toBeDefined();
      await story(w);
    } finally {
      w.plane.stop();
      vi.useRealTimers();
    }
  };
const tick = async (w: World, ms: number): Promise<void> => {
  w.clock += ms;
  await vi.advanceTimersByTimeAsync(125);
};

const syn = (port = 25, srcPort = 4000): Uint8Array =>
  tcpPacket({ src: '172.22.1.10', srcPort, dst: '172.22.1.110', dstPort: port, flags: 'S', seq: 1 });
const ping = icmpPacket('172.22.1.10', '172.22.1.16', 0, 0, [0, 7, 0, 1]);

test(
  'packets are judged by the interface that they come in by, and those of no interface of ours are dropped',
  inWorld(async (w) => {
    const [mail, other] = w.queue.comes(OUTSIDE, syn(), syn(23));
    expect([mail!.verdict, other!.verdict]).toEqual([PASS, DROP.acl]);
    expect([...mail!.bytes.subarray(16, 20)]).toEqual([10, 10, 10, 2]); // inside local
    const [unknown, known] = w.queue.comes(99, syn(), syn());
    expect([unknown!.verdict, known!.verdict]).toEqual([DROP.internal, DROP.internal]);
    await tick(w, 0);
    expect(w.of('status')[0]!.status.losses).toEqual({ badVerdicts: 4, unknownInterface: 2 });
    w.tell({ type: 'ping', number: 8 });
    expect(w.of('pong')).toEqual([{ type: 'pong', number: 8, packets: 4 }]);
  }),
);

test(
  "an error of the router's own kernel is not taken for a packet that comes in",
  inWorld((w) => {
    const [own] = w.queue.leaves(icmpPacket('172.22.1.16', '172.22.1.10', 3, 1, [0, 0, 0, 0]));
    expect(own!.verdict).toBe(PASS);
    expect(w.others).toEqual(['queue 3', 'state']);
  }),
);

test(
  'links that are told later are gone by',
  inWorld((w) => {
    const { ingress } = w.start.links;
    w.tell({ type: 'links', links: { ingress: new Map([[99, ingress.get(OUTSIDE)!]]), mtus: new Map() } });
    expect(w.queue.comes(OUTSIDE, syn())[0]!.verdict).toBe(DROP.internal);
    expect(w.queue.comes(99, syn())[0]!.verdict).toBe(PASS);
  }),
);

test(
  "what is too long for the link that it leaves by is answered, by the links' own lengths",
  inWorld((w) => {
    const long = tcpPacket({ src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25, flags: 'S', seq: 1 });
    long[6] = 0x40; // Don't Fragment
    writeIpv4Checksum(long, 0, 20);
    const mtus = new Map([['Ethernet2/0', 1500], ['Ethernet2/1', 30]]); // prettier-ignore
    w.tell({ type: 'links', links: { ...w.start.links, mtus } });
    expect(w.queue.comes(OUTSIDE, long)[0]!.verdict).toBe(DROP.tooLong);
    expect(w.queue.injected).toHaveLength(1); // fragmentation needed
  }),
);

test(
  'another policy is put together from its pieces, with the links that belong to it',
  inWorld((w) => {
    const list = Array.from(
      { length: 600 },
      (_, i) => `access-list 150 permit tcp host 172.22.${i >> 8}.${i & 255} any eq 23`,
    );
    const next = w.compiler.compile(
      config3640(`interface Ethernet2/0\n ip access-group 150 in\n!\n${list.join('\n')}`),
    );
    const { pieces, rest } = changesInPieces(changesOf(w.policy, next));
    expect(pieces.length).toBeGreaterThan(0);
    w.tell(...pieces.map((piece) => ({ type: 'policy-items', piece }) as const));
    expect(w.queue.comes(OUTSIDE, syn())[0]!.verdict).toBe(PASS); // not in force yet
    const links = { ...w.start.links, ingress: new Map([[99, w.start.links.ingress.get(OUTSIDE)!]]) };
    w.tell({ type: 'policy', changes: rest, links });
    expect(w.queue.comes(99, syn(25, 4001))[0]!.verdict).toBe(DROP.acl);
    expect(w.queue.comes(99, syn(23, 4003))[0]!.verdict).toBe(PASS);
    expect(w.queue.comes(OUTSIDE, syn(25, 4002))[0]!.verdict).toBe(DROP.internal);
  }),
);

test(
  'pieces of a policy that never became whole are forgotten with who sent them',
  inWorld((w) => {
    const list = Array.from(
      { length: 600 },
      (_, i) => `access-list 150 permit tcp host 172.22.${i >> 8}.${i & 255} any`,
    );
    const next = w.compiler.compile(config3640(list.join('\n')));
    const { pieces, rest } = changesInPieces(changesOf(w.policy, next));
    const told = (): void => w.tell(...pieces.map((piece) => ({ type: 'policy-items', piece }) as const), { type: 'policy', changes: rest, links: w.start.links }); // prettier-ignore
    w.tell({ type: 'policy-items', piece: pieces[0]! });
    w.plane.abandon();
    expect(told).not.toThrow();
  }),
);

test.each([
  { name: 'at the start', atStart: true, later: undefined, said: true },
  { name: 'later', atStart: false, later: true, said: true },
  { name: 'and later no more', atStart: true, later: false, said: false },
  { name: 'never', atStart: false, later: undefined, said: false },
])('debug is on where that was told: $name', async ({ atStart, later, said }) => {
  const w = new World();
  w.start.debug.objectCreation = atStart;
  if (later !== undefined) w.tell({ type: 'debug', flags: { ...noDebug(), objectCreation: later } });
  expect(w.plane).toBeDefined();
  w.queue.comes(OUTSIDE, syn());
  w.plane.stop();
  expect(w.events.some((e) => e.type === 'debug')).toBe(said);
  await Promise.resolve();
});

test(
  'sessions and translations are shown, and cleared, one or all',
  inWorld(async (w) => {
    w.queue.comes(OUTSIDE, syn());
    w.queue.comes(OUTSIDE, syn(25, 4001));
    const shown = await w.view('sessions', 'translations', 'inspection');
    const [first] = shown.sessions();
    expect([shown.sessions().length, shown.inspection().created]).toEqual([2, 2]);
    const flushes = w.queue.flushes;
    w.tell({ type: 'clear', clearing: { what: 'sessions', id: first!.id } });
    expect(w.queue.flushes).toBe(flushes + 1);
    expect(await w.sessions()).toBe(1);
    w.tell({ type: 'clear', clearing: { what: 'sessions', id: undefined } });
    expect(await w.sessions()).toBe(0);
    w.clock += 30;
    expect((await w.view('inspection')).inspection().lastCreatedAgo).toBe(30);
    w.clock += 1000;
    w.tell({ type: 'clear', clearing: { what: 'inspect-statistics' } });
    w.clock += 50;
    expect((await w.view('inspection')).inspection()).toMatchObject({ created: 0, lastResetAgo: 50 });
  }),
);

const matches = async (w: World): Promise<number> =>
  (await w.view('aclMatches')).aclMatches('101').reduce((a, b) => a + b, 0);

test.each([
  { what: 'acl-counters', list: undefined, zero: true },
  { what: 'acl-counters', list: '101', zero: true },
  { what: 'acl-counters', list: '199', zero: false },
  { what: 'everything', zero: true },
  { what: 'nat-statistics', zero: false },
] as const)('clear $what $list', ({ zero, ...clearing }) =>
  inWorld(async (w) => {
    w.queue.comes(OUTSIDE, syn(), syn(23));
    expect(await matches(w)).toBeGreaterThan(0);
    w.tell({ type: 'clear', clearing: clearing as Extract<ToDataPlane, { type: 'clear' }>['clearing'] });
    expect((await matches(w)) === 0).toBe(zero);
  })(),
);

test(
  'everything that is cleared leaves no session',
  inWorld(async (w) => {
    w.queue.comes(OUTSIDE, syn());
    w.tell({ type: 'clear', clearing: { what: 'everything' } });
    const { inspection, sessions } = await w
      .view('inspection', 'sessions')
      .then((v) => ({ inspection: v.inspection(), sessions: v.sessions() }));
    expect([sessions, inspection.created]).toEqual([[], 0]);
  }),
);

test(
  'views wait for packets and for who asks; too many are answered with nothing',
  inWorld(async (w) => {
    for (let id = 0; id <= MOST_JOBS; id++) w.tell({ type: 'view', id, names: ['sessions'] });
    expect(w.of('view')).toEqual([{ type: 'view', id: MOST_JOBS, pieces: [], last: true }]);
    expect(w.queue.hurry).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(w.of('view').map((m) => m.id)).toEqual([MOST_JOBS, 0]); // the next one waits until that was taken
    await w.settle();
    expect(w.of('view').map((m) => m.id).slice(1)).toEqual(Array.from({ length: MOST_JOBS }, (_, id) => id)); // prettier-ignore
    expect(w.queue.hurry).toBe(false);
  }),
);

test(
  'what nobody waits for any more is not gone on with',
  inWorld(async (w) => {
    for (let id = 0; id < 3; id++) w.tell({ type: 'view', id, names: ['sessions'] });
    await vi.advanceTimersByTimeAsync(0);
    w.plane.abandon();
    expect(w.queue.hurry).toBe(false);
    await w.settle();
    expect(w.of('view').map((m) => m.id)).toEqual([0]);
  }),
);

const key = { kind: 'echo', first: 7, second: 1, source: ip('10.10.10.1'), destination: ip('10.10.10.5') } as const;
const reply = icmpPacket('10.10.10.5', '10.10.10.1', 0, 0, [0, 7, 0, 1]);

test(
  'probes leave at once, and what answers them is told, once',
  inWorld((w) => {
    const packets = [ping, ping];
    w.tell({ type: 'probe', key, packets });
    expect([w.queue.injected, w.queue.flushes]).toEqual([packets, 1]);
    w.clock += 20;
    w.queue.comes(INSIDE, icmpPacket('10.10.10.5', '10.10.10.1', 0, 0, [0, 7, 0, 2])); // another one's
    expect(w.of('answer')).toEqual([]);
    w.queue.comes(INSIDE, reply, reply);
    expect(w.of('answer')).toMatchObject([{ key, from: ip('10.10.10.5'), ms: 20 }]);
  }),
);

test.each([
  { name: 'forgotten', forget: (w: World) => w.tell({ type: 'forget-probe', key }) },
  { name: 'of a control plane that has gone', forget: (w: World) => w.plane.abandon() },
])('a probe $name has no answer', ({ forget }) =>
  inWorld((w) => {
    w.tell({ type: 'probe', key, packets: [] });
    forget(w);
    w.queue.comes(INSIDE, reply);
    expect(w.of('answer')).toEqual([]);
  })(),
);

const PAT = `ip nat inside source list 7 interface Ethernet2/0 overload
access-list 7 permit 10.10.10.0 0.0.0.255`;
test.each([
  { name: 'translations', clearing: { what: 'translations', which: undefined }, left: 0 },
  { name: 'everything', clearing: { what: 'everything' }, left: 0 },
  { name: 'nat-statistics', clearing: { what: 'nat-statistics' }, left: 1 },
] as const)('translations after: clear $name', ({ clearing, left }) =>
  inWorld(async (w) => {
    const udp = tcpPacket({ src: '10.10.10.77', srcPort: 4000, dst: '172.22.1.10', dstPort: 80, flags: 'S', seq: 1 });
    const dynamic = async (): Promise<number> =>
      (await w.view('translations')).translations().filter((t) => JSON.stringify(t).includes(String(ip('10.10.10.77')))).length; // prettier-ignore
    w.queue.comes(INSIDE, udp);
    w.queue.comes(INSIDE, udp); // finds it
    expect(await dynamic()).toBe(1);
    const hits = async (): Promise<number> => (await w.view('counters')).counters().find((r) => /hits$/i.test(r.name))!.value; // prettier-ignore
    if (clearing.what !== 'translations') expect(await hits()).toBeGreaterThan(0);
    w.tell({ type: 'clear', clearing });
    if (clearing.what !== 'translations') expect(await hits()).toBe(0);
    expect(await dynamic()).toBe(left);
  }, PAT)(),
);

test(
  'what takes long comes in pieces, the last of which says so; a control plane that takes over asks for no rest of it',
  inWorld(async (w) => {
    w.queue.comes(OUTSIDE, syn());
    w.tell({ type: 'view', id: 1, names: ['sessions', 'counters', 'inspection'] });
    await w.settle();
    expect(w.of('view').map((m) => m.last)).toEqual([true]);
    w.step = 2;
    w.said.length = 0;
    w.tell({ type: 'view', id: 2, names: ['sessions', 'counters', 'inspection'] });
    await w.settle();
    const pieces = w.of('view');
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.map((m) => m.last)).toEqual(pieces.map((_, i) => i === pieces.length - 1));
    w.said.length = 0;
    w.tell({ type: 'view', id: 3, names: ['sessions'] }, { type: 'resume' });
    await w.settle();
    expect(w.of('view')).toEqual([]);
    expect(w.of('policy').map((m) => m.last)).toEqual(w.of('policy').map((_, i, all) => i === all.length - 1));
  }),
);

test(
  'a control plane that takes over hears what nobody has heard, and the policy in force',
  inWorld(async (w) => {
    w.queue.comes(OUTSIDE, syn(23)); // list 101 logs it
    w.tell({ type: 'resume' });
    await w.settle();
    expect(w.others).toContain('unheard again');
    const [resumed] = w.of('resumed');
    expect(resumed!.unheard).toBe(w.events.length);
    const told = w.of('policy');
    expect(told.at(-1)!.last).toBe(true);
    expect(told.slice(0, -1).every((m) => !m.last)).toBe(true);
    expect(told.flatMap((m) => m.pieces).length).toBeGreaterThan(0);
    expect(w.queue.hurry).toBe(false);
  }),
);

test(
  'events that were heard are given up',
  inWorld((w) => {
    w.tell({ type: 'debug', flags: { ...noDebug(), objectCreation: true } });
    w.queue.comes(OUTSIDE, syn());
    const sentSoFar = w.events.length;
    expect(sentSoFar).toBeGreaterThan(0);
    w.tell({ type: 'heard', events: sentSoFar });
    expect(w.others).toContain(`heard ${sentSoFar}`);
    w.tell({ type: 'resume' });
    expect(w.of('resumed')[0]!.unheard).toBe(0);
  }),
);

test(
  'once a second it says how it is; timers run in between',
  inWorld(async (w) => {
    const before = process.cpuUsage();
    await tick(w, 0);
    const after = process.cpuUsage();
    expect([w.of('status').length, w.queue.flushes]).toEqual([1, 1]);
    const { cpuMs, memory, leftOut } = w.of('status')[0]!.status;
    expect(cpuMs).toBeGreaterThanOrEqual((before.user + before.system) / 1000);
    expect(cpuMs).toBeLessThanOrEqual((after.user + after.system) / 1000);
    expect([memory > 1e6, leftOut]).toEqual([true, 0]);
    await tick(w, 999);
    expect(w.of('status')).toHaveLength(1);
    await tick(w, 1);
    expect(w.of('status')).toHaveLength(2);
    w.queue.comes(OUTSIDE, syn());
    for (let i = 0; i < 100; i++) await tick(w, 1000);
    expect(await w.sessions()).toBe(0); // 30 s to be established
  }),
);

test(
  'it stops: the queue is closed, and no timer runs',
  inWorld(async (w) => {
    w.tell({ type: 'stop' });
    const flushes = w.queue.flushes;
    expect([w.queue.closed, flushes]).toEqual([1, 1]);
    await tick(w, 5000);
    expect([w.queue.flushes, w.of('status')]).toEqual([1, []]);
  }),
);

test('where the tables cannot be kept it judges all the same, and says so', async () => {
  const w = new World();
  w.state = () => {
    throw new Error('/run is full');
  };
  expect(w.plane).toBeDefined();
  expect(w.others).toEqual(['queue 3', 'state', 'complaint sessions will not outlive the data plane: /run is full\n']);
  expect(w.queue.comes(OUTSIDE, syn())[0]!.verdict).toBe(PASS);
  w.plane.stop();
  await Promise.resolve();
});

test('tables of another layout are said to be so', async () => {
  const w = new World();
  w.state = () => ({ source: heapMemory, fresh: 'foreign', secret: new Int32Array(4) });
  w.plane.stop();
  expect(w.events).toEqual([{ type: 'taken-over', foreign: true, adopted: 0, reset: 0, lost: 0 }]);
  await Promise.resolve();
});

test('tables that make the engine fail are put aside, once', async () => {
  const w = new World();
  const bad = (): never => {
    throw new Error('garbled');
  };
  const states: State[] = [
    { source: bad, fresh: undefined, secret: new Int32Array(4) },
    { source: heapMemory, fresh: 'none', secret: new Int32Array(4) },
  ];
  w.state = () => states.shift()!;
  w.plane.stop();
  expect(w.others).toEqual(['queue 3', 'state', 'removed /run/state', 'state']);
  expect(w.events).toMatchObject([{ type: 'taken-over', foreign: true }]);
  await Promise.resolve();
});

test('an engine that fails with fresh tables fails', async () => {
  const fresh = new World();
  const bad = (): never => {
    throw new Error('garbled');
  };
  fresh.state = () => ({ source: bad, fresh: 'none', secret: new Int32Array(4) });
  expect(() => fresh.plane).toThrow('garbled');
  expect(fresh.others).toEqual(['queue 3', 'state']);
  await Promise.resolve();
});
