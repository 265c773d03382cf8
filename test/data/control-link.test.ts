/** The data plane's end: it waits for no control plane, and tells the next one what the last one has not heard. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FromDataPlane, ToDataPlane } from '../../src/core/plane.js';
import { ControlLink } from '../../src/data/control-link.js';
import { MessageLink } from '../../src/io/message-link.js';
import { listenPrivately } from '../../src/io/private-socket.js';

/** A thread, as `scripts/mutate` has it, may not set the mask of the process. */
const listen: typeof listenPrivately = isMainThread
  ? listenPrivately
  : (server, at) => once(server.listen(at), 'listening').then(() => undefined);
let folder: string;
let link: ControlLink;
let received: ToDataPlane[];
let lost: number;
const open: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fw3640-link-'));
  received = [];
  lost = 0;
  const handlers = {
    hello: () => ({ type: 'hello', build: 'b' }) as const,
    receive: (m: ToDataPlane) => received.push(m),
    lost: () => lost++,
  };
  link = await ControlLink.listen(join(folder, 'sock'), handlers, listen);
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await vi.waitFor(() => expect(link.isConnected).toBe(false));
  link.end(() => undefined);
  rmSync(folder, { recursive: true });
});

class ControlPlane {
  readonly heard: FromDataPlane[] = [];
  closed = false;
  readonly socket = connect(join(folder, 'sock'));
  readonly link = new MessageLink<FromDataPlane, ToDataPlane>(
    this.socket,
    (m) => this.heard.push(m),
    () => (this.closed = true),
  );
  constructor() {
    open.push(this.socket);
  }
  /** Speaks first, as each control plane does. */
  async greet(): Promise<this> {
    const before = received.length;
    this.link.send({ type: 'ping', number: 1 });
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(before));
    return this;
  }
  events(): unknown[] {
    return this.heard.flatMap((m) => (m.type === 'events' ? m.number : []));
  }
}

const events = (number: number): Extract<FromDataPlane, { type: 'events' }> => ({
  type: 'events',
  events: [{ type: 'acl-log-missed', packets: number }],
  number,
});

test.runIf(isMainThread)('the socket is for root alone', () => {
  expect(statSync(join(folder, 'sock')).mode & 0o777).toBe(0o600);
});

test('the socket says what it is', async () => {
  const control = await new ControlPlane().greet();
  expect(control.heard).toEqual([{ type: 'hello', build: 'b' }]);
  expect(link.isConnected).toBe(true);
});

test('what nobody heard is told to the next control plane, in order; what was heard is not', async () => {
  link.sendEvents(events(1)); // nobody is there
  const first = await new ControlPlane().greet();
  link.sendUnheard();
  link.sendEvents(events(2));
  link.sendEvents(events(5));
  await vi.waitFor(() => expect(first.events()).toEqual([1, 2, 5]));
  link.heard(2);
  first.socket.destroy();
  await vi.waitFor(() => expect(lost).toBe(1));
  link.sendEvents(events(6));
  const second = await new ControlPlane().greet();
  link.sendUnheard();
  await vi.waitFor(() => expect(second.events()).toEqual([5, 6]));
});

test('a new control plane takes the place of the one before, which may not have noticed', async () => {
  const first = await new ControlPlane().greet();
  const second = await new ControlPlane().greet();
  await vi.waitFor(() => expect(first.closed).toBe(true));
  expect(lost).toBe(0);
  link.send({ type: 'ready' });
  await vi.waitFor(() => expect(second.heard.at(-1)).toEqual({ type: 'ready' }));
});

test('who connects and says nothing takes no place', async () => {
  const control = await new ControlPlane().greet();
  const silent = new ControlPlane();
  await vi.waitFor(() => expect(silent.heard).toHaveLength(1));
  link.send({ type: 'ready' });
  await vi.waitFor(() => expect(control.heard.at(-1)).toEqual({ type: 'ready' }));
  expect(silent.heard).toHaveLength(1);
});

test.each([
  { name: 'a length that is none', bytes: Buffer.from('GET / HTTP/1.0\r\n\r\n') },
  { name: 'a body that is none', bytes: Buffer.from([0, 0, 0, 3, 1, 2, 3]) },
  { name: 'a value of another kind', bytes: Buffer.from([0, 0, 0, 4, 0xff, 0x0f, 0x49, 0x02]) },
])('$name ends that connection, and nothing else', async ({ bytes }) => {
  const control = await new ControlPlane().greet();
  const garbled = new ControlPlane();
  garbled.socket.write(bytes);
  await vi.waitFor(() => expect(garbled.closed).toBe(true));
  link.send({ type: 'ready' });
  await vi.waitFor(() => expect(control.heard.at(-1)).toEqual({ type: 'ready' }));
});

test('a control plane that does not read is waited for by views alone; what is superfluous is left out', async () => {
  const control = await new ControlPlane().greet();
  control.socket.pause();
  const status = { losses: {}, cpuMs: 0, memory: 0, leftOut: 0 };
  let empty = false;
  const big = { type: 'probe', text: 'x'.repeat(1 << 20) } as unknown as FromDataPlane;
  for (let i = 0; i < 3; i++) link.send(big);
  link.whenEmpty(() => (empty = true));
  for (let i = 0; i < 100; i++) link.sendIfRoom({ type: 'status', status });
  link.sendEvents(events(7));
  expect(empty).toBe(false);
  control.socket.resume();
  await vi.waitFor(() => expect(control.events()).toEqual([7]));
  expect(control.heard.filter((m) => m.type === 'status')).toEqual([]);
  expect(empty).toBe(true);
});

test('with nobody there, who waits goes on', async () => {
  await new Promise<void>((resolve) => link.whenEmpty(resolve));
  link.send({ type: 'ready' });
  expect(link.isConnected).toBe(false);
});

test('what the next of its kind makes superfluous is sent while there is room, and where nobody is it is nothing', async () => {
  const status = (cpuMs: number): FromDataPlane => ({
    type: 'status',
    status: { losses: {}, cpuMs, memory: 0, leftOut: 0 },
  });
  link.sendIfRoom(status(1));
  const control = await new ControlPlane().greet();
  link.sendIfRoom(status(2));
  await vi.waitFor(() => expect(control.heard.at(-1)).toEqual(status(2)));
  expect(control.heard).toHaveLength(2);
});

test('what was heard is heard up to its number, in one word or in several', async () => {
  for (const number of [1, 2, 5, 6]) link.sendEvents(events(number));
  link.heard(0);
  link.heard(1);
  link.heard(4); // 5 is the last one of the next events
  const control = await new ControlPlane().greet();
  link.sendUnheard();
  await vi.waitFor(() => expect(control.events()).toEqual([5, 6]));
  link.heard(6);
  link.sendUnheard();
  link.send({ type: 'ready' });
  await vi.waitFor(() => expect(control.heard.at(-1)).toEqual({ type: 'ready' }));
  expect(control.events()).toEqual([5, 6]);
});

describe('the end', () => {
  const isRefused = async (): Promise<void> => {
    const late = connect(join(folder, 'sock'));
    open.push(late);
    await expect(new Promise((_, reject) => late.once('error', reject))).rejects.toThrow();
  };

  test('comes when the last word was taken, and nobody can connect any more', async () => {
    const control = await new ControlPlane().greet();
    link.send({ type: 'refused', reason: 'queue 3 is taken' });
    let done = false;
    link.end(() => (done = true));
    expect(done).toBe(false);
    await vi.waitFor(() => expect([control.closed, done]).toEqual([true, true]));
    expect(control.heard.at(-1)).toEqual({ type: 'refused', reason: 'queue 3 is taken' });
    await isRefused();
  });

  test('comes at once where there is no control plane', async () => {
    let done = false;
    link.end(() => (done = true));
    expect(done).toBe(true);
    await isRefused();
  });
});

test('a socket that cannot be made is an error', async () => {
  const handlers = { hello: () => ({ type: 'hello', build: 'b' }) as const, receive: () => undefined, lost: () => undefined }; // prettier-ignore
  await expect(ControlLink.listen(join(folder, 'sock'), handlers, listen)).rejects.toThrow('EADDRINUSE');
});
