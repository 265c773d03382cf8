/** A process of the data plane: what it says first, when it begins, what it passes on, and when it ends. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { noDebug } from '../../src/core/observe/debug.js';
import type { FromDataPlane, Start, ToDataPlane } from '../../src/core/plane.js';
import { changesOf } from '../../src/core/policy-changes.js';
import type { ControlHandlers } from '../../src/data/control-link.js';
import { type ProcessEdge, serve } from '../../src/data/serve.js';
import { QueueError } from '../../src/io/queue/queue-error.js';
import { LINKS, policyOf } from '../control/fake-planes.js';

const START: Start = {
  type: 'start',
  changes: changesOf(undefined, policyOf()),
  links: LINKS,
  debug: noDebug(),
  queue: 3,
  capacity: 500,
  shards: 2,
};
const PING: ToDataPlane = { type: 'ping', number: 1 };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A process that is none. */
class World {
  /** What it does, in order. */
  readonly done: string[] = [];
  readonly sent: FromDataPlane[] = [];
  readonly planes: { start: Start; received: ToDataPlane[] }[] = [];
  isConnected = false;
  refusal: Error | undefined;
  handlers!: ControlHandlers;
  /** Closes the connection that is to be closed. */
  closed: () => void = () => undefined;
  readonly #signals = new Map<string, () => void>();

  async begin(): Promise<this> {
    const nothing = (): void => undefined;
    const isConnected = (): boolean => this.isConnected;
    const edge: ProcessEdge = {
      listen: (handlers) => {
        this.handlers = handlers;
        this.done.push('listens');
        return Promise.resolve({
          get isConnected() {
            return isConnected();
          },
          send: (m: FromDataPlane) => this.sent.push(m),
          end: (then: () => void) => {
            this.done.push('closes');
            this.closed = then;
          },
          sendIfRoom: () => true,
          sendEvents: nothing,
          heard: nothing,
          sendUnheard: nothing,
          whenEmpty: nothing,
        });
      },
      makePlane: (start, control) => {
        if (this.refusal !== undefined) throw this.refusal;
        const plane = { start, received: [] as ToDataPlane[] };
        this.planes.push(plane);
        control.send({ type: 'pong', number: 0, packets: 0 });
        return {
          receive: (m) => plane.received.push(m),
          abandon: () => this.done.push('abandons'),
          stop: () => this.done.push('stops'),
        };
      },
      onSignal: (signal, then) => void this.#signals.set(signal, then),
      sayListening: () => this.done.push('says so'),
      exit: () => this.done.push('exits'),
    };
    await serve('build 7', edge);
    return this;
  }

  /** A control plane connects, and says something. */
  hears(...messages: ToDataPlane[]): this {
    this.isConnected = true;
    for (const m of messages) this.handlers.receive(m);
    return this;
  }

  loses(): this {
    this.isConnected = false;
    this.handlers.lost();
    return this;
  }

  signal(name: string): void {
    const then = this.#signals.get(name);
    if (then === undefined) this.done.push(`is ended by ${name}`);
    else then();
  }

  /** What it has done since the last call. */
  did(): string[] {
    return this.done.splice(0);
  }
}
const world = async (...messages: ToDataPlane[]): Promise<World> => {
  const w = (await new World().begin()).hears(...messages);
  w.did();
  return w;
};

describe('its first word', () => {
  test('comes when it listens, and says of which build it is', async () => {
    const w = await new World().begin();
    expect(w.did()).toEqual(['listens', 'says so']);
    expect(w.handlers.hello()).toEqual({ type: 'hello', build: 'build 7' });
  });

  test('says to the next control plane what it was started with', async () => {
    const w = await world(START);
    expect(w.handlers.hello()).toEqual({
      type: 'hello',
      build: 'build 7',
      at: { queue: 3, capacity: 500, shards: 2 },
    });
  });
});

describe('it begins', () => {
  test('as it is told, by the link that it has, and says that it is ready', async () => {
    const w = await world(START);
    expect(w.planes.map((p) => p.start)).toEqual([START]);
    expect(w.sent).toEqual([{ type: 'pong', number: 0, packets: 0 }, { type: 'ready' }]); // prettier-ignore
  });

  test('once', async () => {
    const w = await world(START, START);
    expect([w.planes.length, w.sent.length]).toEqual([1, 2]);
  });

  test('and what it is told before that is nothing', async () => {
    const w = await world(PING, START, PING);
    expect(w.planes[0]!.received).toEqual([PING]);
  });

  test('or says why it cannot, and ends', async () => {
    const w = await world();
    w.refusal = new QueueError('bind', -1, 3);
    w.hears(START);
    expect([w.sent, w.did()]).toEqual([[{ type: 'refused', reason: w.refusal.message }], ['closes']]);
    expect(w.handlers.hello()).toEqual({ type: 'hello', build: 'build 7' });
    w.closed();
    expect(w.did()).toEqual(['exits']);
  });

  test('or fails as a program fails', async () => {
    const w = await world();
    w.refusal = new TypeError('x');
    expect(() => w.hears(START)).toThrow(w.refusal);
    expect(w.did()).toEqual([]);
  });
});

describe('when its control plane has gone', () => {
  test('it goes on, and nobody waits for answers', async () => {
    const w = (await world(START)).loses();
    vi.advanceTimersByTime(100_000);
    expect(w.did()).toEqual(['abandons']);
    w.hears(PING);
    expect(w.planes[0]!.received).toEqual([PING]);
  });

  test('before it has said anything, it ends', async () => {
    const w = (await world()).loses();
    expect(w.did()).toEqual(['closes']);
  });
});

describe('where nobody comes', () => {
  test('it ends after thirty seconds', async () => {
    const w = await new World().begin();
    w.did();
    vi.advanceTimersByTime(29_999);
    expect(w.did()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(w.did()).toEqual(['closes']);
  });

  test.each<[string, ToDataPlane[]]>([
    ['a control plane is there', []],
    ['it has begun', [START]],
  ])('it does not where %s', async (_, messages) => {
    const w = await world(...messages);
    if (messages.length > 0) w.isConnected = false;
    vi.advanceTimersByTime(100_000);
    expect(w.did()).toEqual([]);
  });
});

describe('it stops', () => {
  test('when it is told to: nothing passes from then on, and what it has said is taken first', async () => {
    const w = await world(START);
    w.hears({ type: 'stop' });
    expect(w.did()).toEqual(['stops', 'closes']);
    w.closed();
    expect(w.did()).toEqual(['exits']);
  });

  test('and waits half a second at most for who does not listen', async () => {
    const w = await world(START);
    w.hears({ type: 'stop' });
    w.did();
    vi.advanceTimersByTime(499);
    expect(w.did()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(w.did()).toEqual(['exits']);
  });
});

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'])('%s is for the control plane, while there is one', async (name) => {
    const w = await world(START);
    w.signal(name);
    expect(w.did()).toEqual([]);
    w.loses();
    w.did();
    w.signal(name);
    expect(w.did()).toEqual(['stops', 'closes']);
  });

  test.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2'])('%s is nothing', async (name) => {
    const w = await new World().begin();
    w.did();
    w.signal(name);
    expect(w.did()).toEqual([]);
  });
});
