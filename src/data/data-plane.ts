/**
 * The data plane: one engine, one queue, its tables. It is told what to do and never waits for anybody: it reads no file,
 * runs no program, and formats no line of text. What it says goes to the control plane in messages.
 */
import { randomInt } from 'node:crypto';
import { NO_TAP, PacketTap } from '../core/capture/tap.js';
import { Engine } from '../core/engine.js';
import { Histogram } from '../core/observe/histogram.js';
import { type Row, rowsOf } from '../core/observe/row.js';
import { heapMemory } from '../core/memory/flat-memory.js';
import { applyChanges } from '../core/policy-changes.js';
import type { Clearing, FromDataPlane, Links, Start, Status, ToDataPlane } from '../core/plane.js';
import { CollectedChanges, policyPieces } from '../core/policy-pieces.js';
import { viewPieces } from '../core/state/view.js';
import type { ViewName } from '../core/state/snapshot.js';
import { DROP, PASS, type Verdict } from '../core/verdict.js';
import type { Event } from '../core/events.js';
import { Siblings, SIBLINGS_LAYOUT, siblingsWords } from '../core/shard/siblings.js';
import { i32 } from '../core/wire/bytes.js';
import { IPV4_DST } from '../core/wire/ipv4.js';
import { Packet } from '../core/wire/packet.js';
import type { ShardFiles } from '../host/shard-files.js';
import { machineNow } from '../io/machine-clock.js';
import { layoutOf, openShared, openState, removeState, type State } from '../io/state-files.js';
import { residentBytes } from '../io/proc.js';
import { PacketQueue } from '../io/queue/packet-queue.js';
import { EventOutbox } from './event-outbox.js';
import { ProbeFilter } from './probe-filter.js';

/** Timers are looked at this often: half a timer wheel slot would be wasted effort, a second too coarse. */
const TICK_MS = 125;
const STATUS_MS = 1000;
/** What jobs may take of the time between two looks at the queue, ms. */
const JOB_MS = 1;
/** Jobs that may wait: views that a few terminals ask for. More are answered with nothing. */
export const MOST_JOBS = 64;
const UNKNOWN = -1;
/** Words of the key of SYN cookies. */
const KEY_WORDS = 4;
const FOREIGN: Event = { type: 'taken-over', foreign: true, adopted: 0, reset: 0, lost: 0 };

const ROWS = {
  packets: { kind: 'counter', help: 'Packets judged' },
} as const;

/** What all shards share. Without memory for it nothing is right over all of them: there is no start then. */
function siblingsOf(folder: string, layout: string, shard: number, shards: number): Siblings {
  const memory = openShared(folder, `${layout} ${SIBLINGS_LAYOUT}`, siblingsWords(shards));
  return new Siblings(shard, shards, memory);
}

/** Where messages for the control plane go; see ControlLink. */
export interface ToControlPlane {
  send(message: FromDataPlane): void;
  /** @returns whether there was room */
  sendIfRoom(message: FromDataPlane): boolean;
  sendEvents(events: Extract<FromDataPlane, { type: 'events' }>): void;
  heard(number: number): void;
  sendUnheard(): void;
  whenEmpty(then: () => void): void;
}

/** What it has of a queue. */
export type JudgedQueue = Pick<
  PacketQueue,
  'start' | 'load' | 'isFromRouter' | 'verdict' | 'release' | 'inject' | 'hurry' | 'flush' | 'stats' | 'close'
>;

/** What a data plane has of the system. */
export interface Edge {
  /** @throws QueueError */
  openQueue(number: number): JudgedQueue;
  openState: typeof openState;
  removeState: typeof removeState;
  /** ms since the machine started. */
  now(): number;
  /** Writes to standard error. */
  complain(text: string): void;
}

const linux: Edge = {
  openQueue: (queue) => PacketQueue.open({ queue }),
  openState,
  removeState,
  now: machineNow,
  complain: (text) => process.stderr.write(text),
};

export class DataPlane {
  readonly #engine: Engine;
  readonly #queue: JudgedQueue;
  readonly #packet = new Packet();
  readonly #events: EventOutbox;
  #probes: ProbeFilter;
  /** Where capture points look. */
  readonly #tap = new PacketTap((batch) => this.control.sendIfRoom({ type: 'captured', batch }));
  readonly #timer: NodeJS.Timeout;
  /** Interface index of the policy by ifindex of Linux. */
  #ingress: ReadonlyMap<number, number> = new Map();
  /** What takes longer than packets should wait, the first one first. Each does a bit, and says whether it is done. */
  #jobs: (() => boolean)[] = [];
  /** What has come of the next policy. */
  readonly #changes = new CollectedChanges();
  /** Clock of the batch or tick in hand, ms. */
  #clock = 0;
  #nextStatus = 0;
  /** Packets that came in by an interface we do not know; dropped. */
  #unknownInterface = 0;
  /** Packets judged. */
  #packets = 0;
  /** From when a batch is here to when its verdicts are. */
  readonly #latency = new Histogram();

  /**
   * Opens the queue and begins to judge packets, with the sessions that an earlier data plane has left.
   * @param files where the tables are, which outlive this process
   * @throws QueueError when the system refuses
   */
  constructor(
    start: Start,
    private readonly control: ToControlPlane,
    files: Pick<ShardFiles, 'state' | 'shard'>,
    private readonly edge = linux,
  ) {
    this.#events = new EventOutbox(randomInt(2 ** 31), (events, number) =>
      control.sendEvents({ type: 'events', events, number }),
    );
    this.#probes = this.#noProbes();
    this.#queue = edge.openQueue(start.queue);
    this.#clock = this.now();
    // Packets wait meanwhile.
    this.#engine = this.#takeOver(start, files);
    Object.assign(this.#engine.debug, start.debug);
    this.#take(start.links);
    this.#queue.start((q, count) => this.#batch(q, count));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Clock of the engine, ms since the machine started: the same for whoever takes over. */
  now(): number {
    return this.edge.now();
  }

  /** The engine over what an earlier one has left. What makes it fail is put aside: it could only fail again. */
  #takeOver(start: Start, { state: folder, shard }: Pick<ShardFiles, 'state' | 'shard'>): Engine {
    const layout = layoutOf(start.capacity, start.shards);
    const siblings = start.shards === 1 ? undefined : siblingsOf(folder, layout, shard, start.shards);
    const key = crypto.getRandomValues(new Int32Array(KEY_WORDS));
    const open = (): State => {
      try {
        return this.edge.openState(folder, layout, key);
      } catch (error) {
        this.edge.complain(`sessions will not outlive the data plane: ${(error as Error).message}\n`);
        return { source: heapMemory, fresh: 'none', secret: key };
      }
    };
    const state = open();
    try {
      if (state.fresh === 'foreign') this.#events.event(FOREIGN, this.#clock);
      return this.#engineOver(start, state, siblings);
    } catch (error) {
      if (state.fresh !== undefined) throw error;
      this.edge.removeState(folder);
      this.#events.event(FOREIGN, this.#clock);
      return this.#engineOver(start, open(), siblings);
    }
  }

  #engineOver({ changes, capacity }: Start, { source, secret }: State, siblings: Siblings | undefined): Engine {
    return new Engine(
      applyChanges(undefined, changes),
      {
        capacity,
        seed: randomInt(2 ** 31),
        // Cookies that were sent before a restart are still good behind it.
        cookieKey: secret,
        now: this.#clock,
        identificationSeed: randomInt(2 ** 31),
        memory: source,
        ...(siblings !== undefined && { siblings }),
      },
      {
        event: (e) => this.#events.event(e, this.#clock),
        released: (p, v) => {
          if (this.#tap.isActive) this.#tap.released(p, v, this.#engine.egressOf(p.dst));
        },
        release: (token, v, bytes, partial) => this.#queue.release(token, v, bytes, partial),
        inject: (packet) => this.#inject(packet),
      },
    );
  }

  /** Does what the control plane says. */
  receive(message: Exclude<ToDataPlane, Start>): void {
    switch (message.type) {
      case 'policy-items':
        this.#changes.add(message.piece);
        return;
      case 'policy':
        this.#engine.configure(applyChanges(this.#engine.policy, this.#changes.complete(message.changes)), this.now());
        this.#bindTap();
        this.#take(message.links);
        return;
      case 'links':
        this.#take(message.links);
        return;
      case 'debug':
        Object.assign(this.#engine.debug, message.flags);
        return;
      case 'clear':
        this.#clock = this.now();
        this.#clear(message.clearing);
        this.#flush();
        return;
      case 'tap':
        this.#tap.set(message.settings);
        this.#bindTap();
        return;
      case 'view':
        this.#view(message.id, message.names);
        return;
      case 'probe':
        for (const packet of message.packets) this.#inject(packet);
        this.#probes.expect(message.key, this.now());
        this.#queue.flush();
        return;
      case 'forget-probe':
        this.#probes.forget(message.key);
        return;
      case 'heard':
        this.#events.heard(message.events);
        this.control.heard(message.events);
        return;
      case 'resume':
        this.#resume();
        return;
      case 'ping':
        this.control.sendIfRoom({ type: 'pong', number: message.number, packets: this.#packets });
        return;
      case 'stop':
        this.stop();
    }
  }

  /** The control plane has gone. Nobody waits for answers any more. */
  abandon(): void {
    this.#jobs = [];
    this.#queue.hurry = false;
    this.#tap.set(NO_TAP);
    this.#changes.forget();
    this.#probes = this.#noProbes();
  }

  /** Closes the queue: the kernel drops what waits and what comes. */
  stop(): void {
    clearInterval(this.#timer);
    this.#flush();
    this.#queue.close();
  }

  #take({ ingress, mtus }: Links): void {
    this.#ingress = ingress;
    this.#engine.setMtus(mtus);
  }

  #batch(q: JudgedQueue, count: number): void {
    const p = this.#packet;
    const engine = this.#engine;
    const now = this.now();
    this.#clock = now;
    this.#packets += count;
    for (let i = 0; i < count; i++) {
      const ingress = this.#ingress.get(q.load(i, p)) ?? UNKNOWN;
      if (q.isFromRouter(i)) {
        const own = engine.handleOwn(p);
        if (own === PASS && this.#tap.isActive) this.#tap.own(p.bytes, p.at, p.end, engine.egressOf(p.dst));
        q.verdict(i, own, p);
        continue;
      }
      if (ingress === UNKNOWN) {
        this.#unknownInterface++;
        q.verdict(i, DROP.internal, p);
        continue;
      }
      p.ingress = ingress;
      const v = this.#tap.isActive ? this.#handleTapped(p, now) : engine.handle(p, now);
      if (this.#probes.isWaiting) this.#probes.see(p, v, now);
      q.verdict(i, v, p);
    }
    engine.hear(now);
    if (this.#tap.isActive) this.#tap.flush(now);
    this.#latency.note(this.now() - now);
    this.#events.flush();
  }

  /** A capture point is active: it sees the packet as it came, and as it leaves. */
  #handleTapped(p: Packet, now: number): Verdict {
    this.#tap.came(p);
    const v = this.#engine.handle(p, now);
    this.#tap.judged(p, v, v === PASS ? this.#engine.egressOf(p.dst) : UNKNOWN);
    return v;
  }

  #inject(packet: Uint8Array): void {
    if (this.#tap.isActive) this.#tap.own(packet, 0, packet.length, this.#engine.egressOf(i32(packet, IPV4_DST)));
    this.#queue.inject(packet);
  }

  #bindTap(): void {
    const { policy, accessLists } = this.#engine;
    this.#tap.bind(
      policy.interfaces.map((itf) => itf.name),
      accessLists,
    );
  }

  #tick(): void {
    const now = this.now();
    this.#clock = now;
    this.#engine.tick(now);
    this.#events.report(now);
    this.#flush();
    if (now < this.#nextStatus) return;
    this.#nextStatus = now + STATUS_MS;
    this.control.sendIfRoom({ type: 'status', status: this.#status() });
  }

  #status(): Status {
    const { user, system } = process.cpuUsage();
    const cpuMs = (user + system) / 1000;
    return { losses: this.#losses(), cpuMs, memory: residentBytes(), leftOut: this.#events.leftOut };
  }

  #noProbes(): ProbeFilter {
    return new ProbeFilter((answer) => this.control.send(answer));
  }

  /** Sends what was decided outside of a batch, and what was said. */
  #flush(): void {
    this.#queue.flush();
    if (this.#tap.isActive) this.#tap.flush(this.#clock);
    this.#events.flush();
  }

  /** What is counted beside the engine. */
  #rows(): Row[] {
    return [
      ...this.#events.rows(),
      ...rowsOf('plane', ROWS, () => this.#packets),
      ...this.#latency.rows('batch', 'Time that a batch of packets took to be judged'),
    ];
  }

  #losses(): Status['losses'] {
    return { ...this.#queue.stats(), unknownInterface: this.#unknownInterface };
  }

  #clear(clearing: Clearing): void {
    const { sessions, nat, accessLists } = this.#engine;
    switch (clearing.what) {
      case 'sessions':
        sessions.clear(clearing.id);
        return;
      case 'translations':
        nat.translations.clear(clearing.which);
        return;
      case 'acl-counters':
        for (const acl of accessLists.values())
          if (clearing.list === undefined || acl.name === clearing.list) acl.clearMatches();
        return;
      case 'nat-statistics':
        nat.clearStatistics();
        return;
      case 'inspect-statistics':
        sessions.clearStatistics(this.#clock);
        return;
      case 'everything':
        sessions.clear();
        sessions.table.forEach((s) => sessions.end(s, 'cleared'));
        nat.translations.clear();
        nat.clearStatistics();
        for (const list of accessLists.values()) list.clearMatches();
        sessions.clearStatistics(this.#clock);
    }
  }

  #view(id: number, names: readonly ViewName[]): void {
    if (this.#jobs.length >= MOST_JOBS) {
      this.control.send({ type: 'view', id, pieces: [], last: true });
      return;
    }
    const pieces = viewPieces(this.#engine, names, () => this.now(), this.#rows());
    this.#begin(() => {
      const { some, last } = this.#takeSome(pieces);
      this.control.send({ type: 'view', id, pieces: some, last });
      return last;
    });
  }

  /** Tells a control plane that takes over what was not heard, and what is in force. */
  #resume(): void {
    this.abandon();
    this.control.send({ type: 'resumed', unheard: this.#events.unheard, status: this.#status() });
    this.control.sendUnheard();
    const pieces = policyPieces(this.#engine.policy);
    this.#begin(() => {
      const { some, last } = this.#takeSome(pieces);
      this.control.send({ type: 'policy', pieces: some, last });
      return last;
    });
  }

  #begin(job: () => boolean): void {
    this.#queue.hurry = true;
    if (this.#jobs.push(job) === 1) setImmediate(() => this.#goOn(this.#jobs));
  }

  /** Does a bit; then packets have their turn, and the control plane takes what there is. */
  #goOn(jobs: (() => boolean)[]): void {
    const job = jobs[0];
    if (job === undefined || jobs !== this.#jobs) return; // abandoned
    if (job()) jobs.shift();
    if (jobs.length > 0) this.control.whenEmpty(() => this.#goOn(jobs));
    else this.#queue.hurry = false;
  }

  #takeSome<T>(pieces: Generator<T, void>): { some: T[]; last: boolean } {
    const until = this.now() + JOB_MS;
    const some: T[] = [];
    do {
      const next = pieces.next();
      if (next.done === true) return { some, last: true };
      some.push(next.value);
    } while (this.now() < until);
    return { some, last: false };
  }
}
