/** Outgoing connections over real sockets: plain ones, and those that speak telnet. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dial } from '../../src/io/dialer.js';
import type { Call } from '../../src/ios/exec/dial.js';

const LOOPBACK = 0x7f000001;
let server: Server;
let peer: Socket | undefined;
let received: number[];
let said: string;
let events: string[];
let call: Call;

const until = async (done: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`not seen: ${said} ${received.join()} ${events.join()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

beforeEach(async () => {
  received = [];
  said = '';
  events = [];
  peer = undefined;
  server = createServer((socket) => {
    peer = socket;
    socket.on('data', (bytes) => received.push(...bytes));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  call = dial(LOOPBACK, (server.address() as AddressInfo).port, {
    open: () => events.push('open'),
    data: (text) => (said += text),
    closed: (why) => events.push(why),
  });
  await until(() => peer !== undefined && events.includes('open'));
});
afterEach(() => {
  call.close();
  server.close();
});

const keys = (text: string): void => [...Buffer.from(text)].forEach((byte) => call.send(byte));

test('a server that speaks no telnet gets lines with CR LF, and what is typed is shown here', async () => {
  peer!.write('220 ready\r\n');
  await until(() => said === '220 ready\n');
  keys('QUIT\r');
  await until(() => received.length === 6 && said.length === 15);
  expect(Buffer.from(received).toString()).toBe('QUIT\r\n');
  expect(said.replace('220 ready\n', '')).toBe('QUIT\n');
});

test('a telnet server may echo and leave go-aheads out; everything else is refused', async () => {
  peer!.write(
    Buffer.from([
      255, 251, 1, 255, 251, 3, 255, 253, 24, 255, 253, 31, 255, 251, 5, 255, 250, 24, 1, 255, 240, 104, 105,
    ]),
  );
  await until(() => received.length === 15 && said === 'hi');
  expect(received).toEqual([255, 253, 1, 255, 253, 3, 255, 252, 24, 255, 252, 31, 255, 254, 5]);
  keys('x');
  await until(() => received.length === 16);
  expect(said).toBe('hi'); // the echo is the server's
});

test('the end of the connection is told, once', async () => {
  peer!.end();
  await until(() => events.includes('closed'));
  call.close();
  expect(events).toEqual(['open', 'closed']);
});

test('nobody there', async () => {
  const { port } = server.address() as AddressInfo;
  server.close();
  peer!.destroy();
  await until(() => events.includes('closed'));
  dial(LOOPBACK, port, { open: () => undefined, data: () => undefined, closed: (why) => events.push(`second ${why}`) });
  await until(() => events.includes('second refused'));
});
