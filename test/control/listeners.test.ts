import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Listeners } from '../../src/control/listeners.js';
import type { Listener } from '../../src/ios/management-plane.js';

const sockets: Server[] = [];
let listeners: Listeners | undefined;
afterEach(() => {
  listeners?.close();
  for (const s of sockets.splice(0)) s.close();
});

async function freePort(): Promise<{ port: number; socket: Server }> {
  const socket = createServer();
  sockets.push(socket);
  socket.listen(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: (socket.address() as AddressInfo).port, socket };
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!done()) {
    if (performance.now() > deadline) throw new Error('not seen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a port that another program has is said once and tried again; what is not wanted any longer is taken back', async () => {
  const { port, socket } = await freePort();
  const said: string[] = [];
  const listener: Listener = { service: 'http', host: '127.0.0.1', port };
  listeners = new Listeners({
    handOver: () => Promise.resolve(said.push('handed over')),
    takeBack: () => said.push('taken back'),
    refused: (_l, why) => said.push(why),
    opened: () => said.push('opened'),
  });
  listeners.want([listener]);
  await until(() => said.length === 1);
  listeners.retry();
  listeners.want([listener]);
  socket.close();
  await once(socket, 'close');
  await until(() => {
    listeners?.retry();
    return said.includes('handed over');
  });
  listeners.want([]);
  expect(said).toEqual(['EADDRINUSE', 'opened', 'handed over', 'taken back']);
});

test('an address that is not there is tried again', async () => {
  const said: string[] = [];
  listeners = new Listeners({
    handOver: () => Promise.resolve(),
    takeBack: () => undefined,
    refused: (_l, why) => said.push(why),
    opened: () => undefined,
  });
  listeners.want([{ service: 'http', host: '192.0.2.77', port: 8099 }]);
  await until(() => said.length === 1);
  expect(said).toEqual(['EADDRNOTAVAIL']);
});
