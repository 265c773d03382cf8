/** The control plane's router: in which order host and data planes are set up, kept, told, stopped and left. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RefusedError } from '../../src/control/data-plane-process.js';
import { Router } from '../../src/control/router.js';
import type { RouterHost, RouterSystem } from '../../src/control/router-system.js';
import type { Processes } from '../../src/control/supervisor.js';
import type { AtWork, Found, Wanted } from '../../src/control/takeover.js';
import type { Event } from '../../src/core/events.js';
import { TAP } from '../../src/core/capture/tap.js';
import { noDebug } from '../../src/core/observe/debug.js';
import { changesOf } from '../../src/core/policy-changes.js';
import type { ToDataPlane } from '../../src/core/plane.js';
import type { Policy } from '../../src/core/policy.js';
import { shardOf } from '../../src/core/shard/steering.js';
import type { DataPlaneUser } from '../../src/host/data-plane-user.js';
import type { KeptHost } from '../../src/host/host-keeper.js';
import type { HostNote } from '../../src/host/host-plan.js';
import type { HostLook } from '../../src/host/host-setup.js';
import { HostError } from '../../src/host/host-system.js';
import { announce } from '../../src/host/host-watch.js';
import type { ShardFiles } from '../../src/host/shard-files.js';
import type { Log } from '../../src/io/log.js';
import { layoutOf, type State } from '../../src/io/state-files.js';
import { PolicyCompiler } from '../../src/ios/compile/policy.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { ip } from '../support/packets.js';
import { BINDINGS, routerConfig } from '../support/router-config.js';
import { FakePlane, STATUS } from './fake-planes.js';

const CONFIG = routerConfig();
const OTHER = routerConfig((c) => (c.routes = []));
const RULES = { queue: 3, failOpen: false };
const LINKS = { ingress: new Map([[71, 0], [72, 2]]), mtus: new Map([['Ethernet2/0', 1500], ['Ethernet2/1', 1400]]) }; // prettier-ignore
const LOOK: HostLook = { differences: [], links: new Map() };
const EVENT: Event = { type: 'acl-log-missed', packets: 6 };
const MAPPED = new Set(BINDINGS.keys());

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class World implements RouterSystem {
  /** What is done, in order. */
  readonly did: string[] = [];
  /** By shard. */
  readonly planes: FakePlane[] = [];
  finds: Found[] = [];
  reasons: string[] = [];
  notes: HostNote[] = [];
  user: DataPlaneUser = { command: ['setpriv'] };
  /** Data planes open their queues as soon as they are told to. */
  ready = true;
  born: ((shard: number) => Promise<FakePlane>) | undefined;
  inherited = false;
  rulesAreThere = false;
  /** The host knows its links: rules were set up, or taken over. */
  #linksAreKnown = false;
  applied: ((config: RouterConfig) => void) | undefined;
  changed: (() => void) | undefined;
  inside = { index: 72, mtu: 1400 };
  kept!: KeptHost;
  hostChanged!: () => void;
  /** Shards that an earlier run has left. */
  further: number[] = [];
  state: Pick<State, 'source' | 'secret'> | undefined;
  holds = (): Promise<boolean> => Promise.resolve(true);
  readonly lines: string[] = [];
  reports: number[] = [];

  /** @param shards how many */
  start(shards = 1, config = CONFIG): Promise<Router> {
    const log = { write: (m: { mnemonic: string; text: string }) => this.lines.push(`${m.mnemonic}: ${m.text}`), report: (now: number) => this.reports.push(now) }; // prettier-ignore
    return Router.start(
      { config, bindings: BINDINGS, ...RULES, shards, maxSessions: 500, log: log as unknown as Log },
      this,
    );
  }

  /** What was done since the last call. */
  done(): string[] {
    return this.did.splice(0);
  }
  heard(): string[] {
    return this.lines.splice(0);
  }
  told(): ToDataPlane[][] {
    return this.planes.map((plane) => plane.sent.splice(0).filter((m) => m.type !== 'ping'));
  }
  note(what: string): void {
    this.did.push(what);
  }

  takeLock(): { release: () => void } {
    this.note('lock');
    return { release: () => this.note('unlock') };
  }
  openHost(): RouterHost {
    const isInherited = (): boolean => this.inherited;
    this.note('open host');
    return {
      get isInherited() {
        return isInherited();
      },
      takeOver: (bindings) => {
        expect(bindings).toBe(BINDINGS);
        this.note('take rules over');
        return (this.#linksAreKnown = this.rulesAreThere);
      },
      apply: (config, bindings, rules) => {
        expect(bindings).toBe(BINDINGS);
        this.note(`apply ${nameOf(config)} ${rules.queue} ${rules.shards} ${rules.failOpen}`);
        this.applied?.(config);
        this.#linksAreKnown = true;
        return this.notes;
      },
      change: (config, bindings, rules) => {
        expect(bindings).toBe(BINDINGS);
        this.note(`change ${nameOf(config)} ${rules.queue} ${rules.shards} ${rules.failOpen}`);
        this.changed?.();
      },
      undo: () => this.note('undo'),
      look: () => Promise.resolve(LOOK),
      takeMtus: (look) => (look === LOOK ? [] : ['inside']),
      holds: () => this.holds(),
      addressesOf: (device) => [device.length],
      link: (device) => {
        const links: Record<string, unknown> = { outside: { index: 71, mtu: 1500 }, inside: this.inside };
        return this.#linksAreKnown ? (links[device] as ReturnType<RouterHost['link']>) : undefined;
      },
    };
  }
  watchHost(changed: () => void): { close: () => void } {
    this.note('watch');
    changed(); // nobody minds yet
    this.hostChanged = changed;
    return { close: () => this.note('watch no more') };
  }
  keepHost(host: KeptHost): ReturnType<RouterSystem['keepHost']> {
    this.note('keep');
    this.kept = host;
    return { changed: () => this.note('look at the host'), stop: () => this.note('keep no more') };
  }
  chooseUser(): DataPlaneUser {
    return this.user;
  }
  buildName(): string {
    return 'b';
  }
  filesOf(shard: number): ShardFiles {
    return {
      shard,
      state: `/state${shard}`,
      furtherShards: () => this.further.filter((n) => n >= shard),
      removeOwnState: () => this.note(`remove state ${shard}`),
    } as unknown as ShardFiles;
  }
  readonly processes: Processes = {
    start: async ({ files: { shard }, build, user }: Wanted) => {
      expect([build, user]).toEqual(['b', this.user]);
      this.note(`bear ${shard}`);
      const plane = (await this.born?.(shard)) ?? this.plane(shard);
      this.planes[shard] = plane;
      return plane;
    },
    findAtWork: ({ files: { shard }, queue, capacity, shards }, say) => {
      this.note(`find ${shard}`);
      expect([queue, capacity]).toEqual([3 + shard, 500]);
      const why = this.reasons[shard];
      if (why !== undefined) say(why);
      expect(shards).toBeGreaterThan(shard);
      return Promise.resolve(this.finds[shard] ?? {});
    },
    endLeft: ({ shard }) => {
      this.note(`end ${shard}`);
      return Promise.resolve();
    },
    queued: () => 0,
  };
  /** A plane that notes what is said to it first. */
  plane(shard: number): FakePlane {
    const plane = new FakePlane(100 + shard);
    plane.ready = this.ready;
    const send = plane.send.bind(plane);
    plane.send = (m) => {
      if (m.type !== 'ping') this.note(`${m.type} ${shard}`);
      send(m);
    };
    return plane;
  }
  copyState(folder: string, layout: string): typeof this.state {
    this.note(`copy ${folder} ${layout}`);
    return this.state;
  }
  clock = 777;
  now(): number {
    return this.clock;
  }

  /** A plane that another control plane has left at work. */
  atWork(shard: number, policy: Policy): AtWork {
    const process = this.plane(shard);
    this.planes[shard] = process;
    return { process, policy, status: STATUS, unheard: 0, said: [] };
  }
}

const nameOf = (config: RouterConfig): string => (config === CONFIG ? 'config' : 'other');
const started = async (shards = 1): Promise<{ w: World; router: Router }> => {
  const w = new World();
  const router = await w.start(shards);
  w.done();
  w.told();
  w.heard();
  return { w, router };
};
const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the start', () => {
  test('of a router that nobody was here before: the rules come first, then packets are judged, then the host is kept', async () => {
    const w = new World();
    const router = await w.start();
    expect(w.done()).toEqual([
      'lock',
      'find 0',
      'bear 0',
      'open host',
      'watch',
      'take rules over',
      'apply config 3 1 false',
      'start 0',
      'keep',
      'look at the host',
    ]);
    expect(w.planes[0]!.sent[0]).toMatchObject({ type: 'start', links: LINKS, queue: 3, capacity: 500, shards: 1 });
    expect([router.isWell, router.isFirst, router.config, router.mapped]).toEqual([true, true, CONFIG, MAPPED]);
    expect(w.heard()).toEqual([]);
  });

  test('where rules of a run that was killed are there: packets are judged at once, and the host is set right beside them', async () => {
    const w = new World();
    w.inherited = true;
    w.rulesAreThere = true;
    w.applied = () => (w.inside = { index: 73, mtu: 1400 });
    const router = await w.start();
    expect(w.done().slice(5)).toEqual(['take rules over', 'start 0', 'apply config 3 1 false', 'links 0', 'keep', 'look at the host']); // prettier-ignore
    expect(w.planes[0]!.told('start')[0]!.links).toEqual(LINKS);
    expect([...w.planes[0]!.told('links')[0]!.links.ingress.keys()]).toEqual([71, 73]);
    expect(router.isFirst).toBe(false);
  });

  test('of several: the rules come first, whatever is there', async () => {
    const w = new World();
    w.rulesAreThere = true;
    await w.start(2);
    expect(w.done()).toEqual([
      'lock', 'find 0', 'find 1', 'bear 0', 'bear 1', 'open host', 'watch',
      'apply config 3 2 false', 'start 0', 'start 1', 'keep', 'look at the host',
    ]); // prettier-ignore
  });

  test('where a data plane is at work it is taken over, behind the rules, with the policy that differs', async () => {
    const w = new World();
    w.rulesAreThere = true;
    const before = new PolicyCompiler(MAPPED).compile(OTHER);
    w.finds = [{ atWork: w.atWork(0, before) }];
    const router = await w.start();
    expect(w.done()).toEqual([
      'lock', 'find 0', 'open host', 'watch', 'apply config 3 1 false', 'policy 0', 'debug 0', 'keep', 'look at the host',
    ]); // prettier-ignore
    const policy = new PolicyCompiler(MAPPED, before).compile(CONFIG);
    expect(w.planes[0]!.told('policy')[0]).toEqual({
      type: 'policy',
      changes: changesOf(before, policy),
      links: LINKS,
    });
    expect(router.isWell).toBe(true);
    expect(w.heard()).toEqual(['%FW3640-5-DATA_PLANE: the data plane was at work and is taken over']);
  });

  test.each([0, 1])(
    'where several are at work, revisions go on from the newest policy (of shard %i)',
    async (newest) => {
      const compiler = new PolicyCompiler(MAPPED);
      const old = compiler.compile(OTHER);
      const policy = compiler.compile(CONFIG);
      const w = new World();
      w.finds = [0, 1].map((shard) => ({ atWork: w.atWork(shard, shard === newest ? policy : old) }));
      await w.start(2);
      const changes = w.planes.map((plane) => plane.told('policy')[0]!.changes);
      expect(changes[newest]).toEqual(changesOf(policy, policy));
      expect(changes[1 - newest]).toEqual(changesOf(old, policy));
    },
  );

  test('where one of several is at work, the other one is born', async () => {
    const w = new World();
    w.finds = [{ atWork: w.atWork(0, new PolicyCompiler(MAPPED).compile(CONFIG)) }];
    await w.start(2);
    expect(w.done()).toContain('bear 1');
    expect(w.planes[1]!.told('start')).toHaveLength(1);
  });

  test('ends the shards of a run that had more, with their tables', async () => {
    const w = new World();
    w.further = [0, 1, 2];
    await w.start();
    expect(w.done().slice(1, 7)).toEqual(['find 0', 'end 1', 'remove state 1', 'end 2', 'remove state 2', 'bear 0']);
    expect(w.heard()).toEqual([1, 2].map((n) => `%FW3640-4-DATA_PLANE: there is no shard ${n} any more: its sessions do not go on`)); // prettier-ignore
  });

  test('says why one that was found is not taken over, and with what power a new one runs', async () => {
    const w = new World();
    w.user = { command: [], note: 'it runs as root' };
    w.reasons = ['of another build'];
    await w.start();
    expect(w.heard()).toEqual(['%FW3640-4-DATA_PLANE: of another build', '%FW3640-4-DATA_PLANE: it runs as root']);
    const both = new World();
    both.reasons = ['a', 'b'];
    await both.start(2);
    expect(both.heard()).toEqual(['%FW3640-4-DATA_PLANE: shard 0: a', '%FW3640-4-DATA_PLANE: shard 1: b']);
    const old = new World();
    old.user = w.user;
    const one = new World();
    one.user = w.user;
    one.finds = [{ atWork: one.atWork(0, new PolicyCompiler(MAPPED).compile(CONFIG)) }];
    await one.start(2);
    expect(one.heard().filter((line) => line.includes('root'))).toHaveLength(1);
    old.finds = [{ atWork: old.atWork(0, new PolicyCompiler(MAPPED).compile(CONFIG)) }];
    await old.start();
    expect(old.heard().filter((line) => line.includes('root'))).toEqual([]);
  });

  test('says what the host has to say', async () => {
    const w = new World();
    w.notes = [{ level: 'warn', text: 'a' }, { level: 'info', text: 'b' }]; // prettier-ignore
    await w.start();
    expect(w.heard()).toEqual(['%HOST-4-NOTE: a', '%HOST-6-NOTE: b']);
  });
});

describe('a start that fails', () => {
  const refuses = (): never => {
    throw new HostError('no such device');
  };

  test('undoes what it has made, and ends what it has born', async () => {
    const w = new World();
    w.applied = refuses;
    await expect(w.start()).rejects.toEqual(new HostError('no such device'));
    expect(w.done().slice(-4)).toEqual(['apply config 3 1 false', 'watch no more', 'undo', 'unlock']);
    expect(w.planes[0]!.fate).toEqual(['kill']);
    await later(100_000);
    expect([w.done(), w.reports, vi.getTimerCount()]).toEqual([[], [], 0]);
  });

  test('leaves rules that were there, and data planes that are at work', async () => {
    const w = new World();
    w.inherited = true;
    w.applied = refuses;
    const outdated = w.plane(1);
    w.finds = [{ atWork: w.atWork(0, new PolicyCompiler(MAPPED).compile(CONFIG)) }, { outdated }];
    await expect(w.start(2)).rejects.toThrow('no such device');
    expect(w.done().slice(-2)).toEqual(['watch no more', 'unlock']);
    expect([w.planes[0]!.fate, outdated.fate, w.planes[1]!.fate]).toEqual([['disconnect'], ['disconnect'], ['kill']]);
  });

  test('where the queue is taken', async () => {
    const w = new World();
    w.ready = false;
    const refused = expect(w.start()).rejects.toEqual(new RefusedError('queue 3 is taken'));
    await later(0);
    w.planes[0]!.receive({ type: 'refused', reason: 'queue 3 is taken' });
    await refused;
    expect(w.done().slice(-3)).toEqual(['watch no more', 'undo', 'unlock']);
  });

  test('where no process can be born', async () => {
    const w = new World();
    w.born = () => Promise.reject(new RefusedError('no memory'));
    await expect(w.start()).rejects.toEqual(new RefusedError('no memory'));
    expect(w.done().slice(-2)).toEqual(['undo', 'unlock']);
  });

  test('before there is anything to undo', async () => {
    const w = new World();
    w.processes.findAtWork = () => Promise.reject(new HostError('x'));
    await expect(w.start()).rejects.toThrow('x');
    expect(w.done()).toEqual(['lock', 'unlock']);
  });
});

describe('the host is kept', () => {
  test('as the configuration in force says, and the data plane hears of its links', async () => {
    const { w, router } = await started();
    router.configure(OTHER, false);
    w.done();
    w.told();
    w.inside = { index: 80, mtu: 1400 };
    w.kept.repair();
    expect(w.done()).toEqual(['apply other 3 1 false', 'links 0']);
    expect(w.told()).toEqual([[{ type: 'links', links: { ...LINKS, ingress: new Map([[71, 0], [80, 2]]) } }]]); // prettier-ignore
  });

  test('with the MTUs that its links have, where they have changed', async () => {
    const { w } = await started();
    expect([w.kept.takeMtus(LOOK), w.told()]).toEqual([[], [[]]]);
    expect(w.kept.takeMtus({ ...LOOK })).toEqual(['inside']);
    expect(w.told()).toEqual([[{ type: 'links', links: LINKS }]]);
  });

  test('by what it looks like, whose links are shut down, and which addresses they have', async () => {
    const { w } = await started();
    expect(await w.kept.look()).toBe(LOOK);
    expect(w.kept).toMatchObject({ bindings: BINDINGS, announce });
    expect(['Serial2/0', 'Ethernet2/0', 'Ethernet9/9'].map((name) => w.kept.isShutdown(name))).toEqual([true, false, false]); // prettier-ignore
    expect(w.kept.addressesOf('outside')).toEqual([7]);
    w.kept.say(3, '%LINK', 'down', 'UPDOWN');
    expect(w.heard()).toEqual(['%LINK-3-UPDOWN: down']);
  });

  test('when it has changed', async () => {
    const { w } = await started();
    w.hostChanged();
    expect(w.done()).toEqual(['look at the host']);
  });

  test('or it is known that it does not hold', async () => {
    const { w, router } = await started();
    expect(await router.hostHolds()).toBe(true);
    w.holds = () => Promise.resolve(false);
    expect(await router.hostHolds()).toBe(false);
    w.holds = () => Promise.reject(new HostError('ip: killed'));
    expect(await router.hostHolds()).toBe(false);
  });
});

describe('another configuration', () => {
  test('is in force when the host has taken it, and the data plane is told then', async () => {
    const { w, router } = await started();
    router.configure(OTHER, false);
    expect(w.done()).toEqual(['change other 3 1 false', 'policy 0', 'look at the host']);
    const compiler = new PolicyCompiler(MAPPED);
    const before = compiler.compile(CONFIG);
    expect(w.told()[0]).toEqual([{ type: 'policy', changes: changesOf(before, compiler.compile(OTHER)), links: LINKS }]); // prettier-ignore
    expect(router.config).toBe(OTHER);
    let told = 0;
    router.configured = () => {
      expect(router.config).toBe(CONFIG);
      told++;
    };
    router.configure(CONFIG, true);
    expect(told).toBe(1);
    expect(w.done()).toEqual(['apply config 3 1 false', 'policy 0', 'look at the host']);
  });

  test('that the host refuses is not: all stays', async () => {
    const { w, router } = await started();
    w.changed = () => {
      throw new HostError('no such route');
    };
    expect(() => router.configure(OTHER, false)).toThrow('no such route');
    expect([w.done(), router.config, w.told()]).toEqual([['change other 3 1 false', 'apply config 3 1 false'], CONFIG, [[]]]); // prettier-ignore
  });

  test('is refused by several shards where it asks for one', async () => {
    const pool = routerConfig((c) => c.nat.dynamic.push({ list: '7', overload: false } as never));
    const one = await started();
    const two = await started(2);
    expect([one.router.refusal(pool), two.router.refusal(CONFIG)]).toEqual([undefined, undefined]);
    expect(two.router.refusal(pool)).toContain('without overload');
  });
});

describe('the data plane', () => {
  test('says what is logged, in the words of IOS', async () => {
    const { w } = await started();
    w.planes[0]!.receive({ type: 'events', events: [EVENT, EVENT], number: 2 });
    expect(w.heard()).toEqual(
      Array(2).fill('%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 6 packets'),
    );
    w.planes[0]!.closed('SIGSEGV');
    expect(w.heard()).toEqual(['%FW3640-2-DATA_PLANE: the data plane ended (SIGSEGV)']);
  });

  test('is told what to trace and what to clear', async () => {
    const { w, router } = await started(2);
    const flags = { ...noDebug(), nat: true };
    router.setDebug(flags);
    router.clear({ what: 'nat-statistics' });
    expect(router.debug).toBe(flags);
    expect(w.told()).toEqual(Array(2).fill([{ type: 'debug', flags }, { type: 'clear', clearing: { what: 'nat-statistics' } }])); // prettier-ignore
  });

  test('is asked for views, and tells its load and what it left out', async () => {
    const { w, router } = await started();
    w.planes[0]!.receive({ type: 'status', status: { ...STATUS, losses: {} } });
    expect([router.load, router.leftOut]).toEqual([{ cpuMs: 40, memory: 1000 }, 3]);
    const views = router.views(['aclMatches']);
    const { id, names } = w.planes[0]!.told('view')[0]!;
    expect(names).toEqual(['aclMatches']);
    w.planes[0]!.receive({ type: 'view', id, pieces: [{ name: 'aclMatches', list: '9', matches: Float64Array.of(4) }], last: true }); // prettier-ignore
    expect((await views).aclMatches('9')).toEqual([4]);
  });

  test('is asked for metrics, and has so many sessions at most', async () => {
    const { w, router } = await started();
    w.planes[0]!.receive({ type: 'status', status: { ...STATUS, losses: {} } });
    const asked = router.shardMetrics(['counters'], 100);
    await later(100);
    expect((await asked).map(({ metrics }) => metrics.memoryBytes)).toEqual([1000]);
    expect(w.planes[0]!.told('view')[0]!.names).toEqual(['counters']);
    expect(router.maxSessions).toBe(500);
  });

  test('sends probes and brings their answers', async () => {
    const { w, router } = await started();
    const outcomes: unknown[] = [];
    const probe = { kind: 'echo', via: 'wire', source: 1, destination: 2, mtu: 1500, timeoutMs: 2000, size: 100, ttl: 64, tos: 0, df: false, pattern: 0, port: 0 }; // prettier-ignore
    router.prober.send(probe as never, (outcome) => outcomes.push(outcome));
    const { key } = w.planes[0]!.told('probe')[0]!;
    w.planes[0]!.receive({ type: 'answer', key, from: 2, icmpType: 0, code: 0, mtu: 0, ms: 7 });
    await later(0);
    expect(outcomes).toEqual([{ kind: 'reply', ms: 7 }]);
    expect(w.told()[0]!.map((m) => m.type)).toEqual(['probe', 'forget-probe', 'forget-probe']);
  });
});

describe('capture points and verdicts', () => {
  const POINT = { path: 'cef', interface: undefined, direction: 'both' } as const;
  const capturing = async (): Promise<{ w: World; router: Router }> => {
    const { w, router } = await started(2);
    router.capture({ change: 'buffer', name: 'b', settings: { duration: 1 } });
    router.capture({ change: 'point', name: 'p', settings: POINT });
    router.capture({ change: 'associate', name: 'p', buffer: 'b' });
    router.capture({ change: 'start', name: 'p' });
    return { w, router };
  };
  const taps = (w: World): number[] => w.planes.map((plane) => plane.told('tap').at(-1)?.settings.points.length ?? -1);
  /** One packet that came, seen by the first point, at the clock 700. */
  const comes = (w: World, shard: number): void => {
    const records = new Int32Array(TAP.ints);
    records[TAP.points] = 1;
    records[TAP.captured] = 2;
    const batch = { interfaces: ['Ethernet2/0'], now: 700, records, bytes: Uint8Array.of(0x45, 7), lost: 0 };
    w.planes[shard]!.receive({ type: 'captured', batch });
  };

  test('are looked for by all, and it is logged that they begin', async () => {
    const { w } = await capturing();
    expect(taps(w)).toEqual([1, 1]);
    expect(w.heard()).toEqual(['%BUFCAP-6-CREATE: Capture Point p created.', '%BUFCAP-6-ENABLE: Capture Point p enabled.']); // prettier-ignore
  });

  test('keep what any of the data planes has seen, with its time of day', async () => {
    vi.setSystemTime(1_000_000);
    const { w, router } = await capturing();
    comes(w, 1);
    const asked = router.views(['captures', 'captured']);
    w.planes.forEach((plane) => plane.receive({ type: 'view', id: plane.told('view')[0]!.id, pieces: [], last: true }));
    const views = await asked;
    expect(views.captured('b')).toMatchObject([{ timeMs: 1_000_000 - 77, ingress: 'Ethernet2/0', bytes: Uint8Array.of(0x45, 7) }]); // prettier-ignore
    expect(views.captures()).toMatchObject({
      buffers: [{ name: 'b', packets: 1 }],
      points: [{ name: 'p', active: true }],
    });
    const none = router.views([]);
    w.planes.forEach((plane) => plane.receive({ type: 'view', id: plane.told('view')[1]!.id, pieces: [], last: true }));
    expect([(await none).captured('b'), (await none).captures().points]).toEqual([[], []]);
  });

  test('end when their time is up', async () => {
    const { w } = await capturing();
    w.clock += 1000;
    await later(125);
    expect(taps(w)).toEqual([0, 0]);
  });

  test('are gone behind a reload, and no other clear touches them', async () => {
    const { w, router } = await capturing();
    router.clear({ what: 'nat-statistics' });
    expect(taps(w)).toEqual([1, 1]);
    router.clear({ what: 'everything' });
    expect(taps(w)).toEqual([0, 0]);
  });

  test('verdicts are told while somebody asks for them', async () => {
    const { w, router } = await started();
    const devices = { 'Ethernet2/0': 'outside', 'Ethernet2/1': 'inside' };
    expect(router.verdicts(0)).toEqual({ next: 1, lost: 0, records: [], devices });
    expect(w.planes[0]!.told('tap').at(-1)!.settings.verdicts).toBe(true);
    w.clock += 5000;
    await later(125);
    expect(w.planes[0]!.told('tap').at(-1)!.settings.verdicts).toBe(false);
  });
});

describe('the memory that packet-tracer sees', () => {
  const packet = (src: string, dst: string, ingress = 'Ethernet2/0') =>
    ({ ingress, protocol: 17, src: ip(src), dst: ip(dst), srcPort: 1, dstPort: 2 }) as const;

  test('is a copy of the tables, with the clock and the key of who has them', async () => {
    const { w, router } = await started();
    expect(router.memory(packet('192.0.2.1', '10.10.10.2'))).toBe('unreadable');
    const source = (): never => {
      throw new Error('not read');
    };
    w.state = { source, secret: Int32Array.of(1, 2, 3, 4) };
    expect(router.memory(packet('192.0.2.1', '10.10.10.2'))).toEqual({ source, cookieKey: w.state.secret, now: 777, capacity: 500 }); // prettier-ignore
    expect(w.done()).toEqual(Array(2).fill(`copy /state0 ${layoutOf(500, 1)}`));
  });

  test('is that of the shard which the packet is for', async () => {
    const { w, router } = await started(4);
    const layout = layoutOf(500, 4);
    for (const outside of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4']) {
      const shard = shardOf(ip(outside), 4);
      router.memory(packet(outside, '10.10.10.2'));
      router.memory(packet('10.10.10.2', outside, 'Ethernet2/1'));
      expect(w.done()).toEqual(Array(2).fill(`copy /state${shard} ${layout}`));
      router.memory(packet(outside, '10.10.10.2', 'Ethernet2/1')); // from the wrong side
      expect(w.done()).toEqual([`copy /state0 ${layout}`]);
    }
  });
});

test('eight times a second it is looked what was lost, until the end', async () => {
  const { w, router } = await started();
  w.planes[0]!.receive({ type: 'status', status: { ...STATUS, losses: { badVerdicts: 2 } } });
  await later(6000);
  expect(w.reports).toHaveLength(48);
  expect(w.reports.every((now) => now > 0)).toBe(true);
  await later(2000);
  expect(w.heard()).toContainEqual(expect.stringContaining('2 packets lost'));
  router.leave();
  w.reports = [];
  await later(1000);
  expect(w.reports).toEqual([]);
});

test('at the end nothing passes before the host is as it was, and the lock goes last', async () => {
  const { w, router } = await started();
  const stop = w.planes[0]!.stop.bind(w.planes[0]);
  w.planes[0]!.stop = () => {
    w.note('stop 0');
    return stop();
  };
  await router.stop();
  expect(w.done()).toEqual(['keep no more', 'watch no more', 'stop 0', 'end 0', 'undo', 'unlock']);
  w.reports = [];
  await later(1000);
  expect([w.reports, w.done()]).toEqual([[], []]);
});

test.each(['stop', 'leave'] as const)('probes that wait are given up (%s)', async (end) => {
  const { w, router } = await started();
  const probe = { kind: 'udp', via: 'wire', source: 1, destination: 2, mtu: 1500, timeoutMs: 2000, size: 40, ttl: 1, tos: 0, df: false, pattern: 0, port: 33434 }; // prettier-ignore
  router.prober.send(probe as never, () => expect.fail('nobody waits'));
  await router[end]();
  expect(router.prober.waiting).toBe(0);
  expect(w.planes[0]!.told('forget-probe')).toHaveLength(1);
  await later(3000);
});

test('left at work, host and data plane stay for the next control plane', async () => {
  const { w, router } = await started();
  router.leave();
  expect(w.done()).toEqual(['keep no more', 'watch no more', 'unlock']);
  expect(w.planes[0]!.fate).toEqual(['disconnect']);
});

test('a line of its own has its facility, severity and mnemonic', async () => {
  const { w, router } = await started();
  router.say(5, '%SYS', 'text');
  router.say(6, '%FW3640', 'more', 'DATA_PLANE');
  router.write({ severity: 4, mnemonic: '%X-4-Y', text: 'z', fields: {} });
  expect(w.heard()).toEqual(['%SYS-5-NOTE: text', '%FW3640-6-DATA_PLANE: more', '%X-4-Y: z']);
});
