import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OpenConnection, WebSettings } from '../../src/ios/management-plane.js';
import type { Channels } from '../../src/management/control-channel.js';
import type { Env } from '../../src/management/guard.js';
import { WebServer } from '../../src/management/web-server.js';

const SETTINGS: WebSettings = { hostname: 'r1', maxConnections: 3, idle: 180, life: 180, requests: 1 };
const LIMITS = { headMs: 400, requestMs: 600, stuckMs: 500, lookMs: 20 };

let web: WebServer;
let port: number;
let mayCome: () => Promise<boolean>;
let served: string[];
let reports: OpenConnection[][];
const callers: Caller[] = [];

class Caller {
  text = '';
  closed = false;
  readonly socket: Socket;
  constructor(from = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
    this.socket.on('data', (d: Buffer) => (this.text += d.toString('latin1')));
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('end', () => this.socket.end());
    this.socket.on('error', () => undefined);
    callers.push(this);
  }
  write(text: string): void {
    this.socket.write(text);
  }
}

async function until(what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`not seen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const ended = (c: Caller): Promise<void> => until(`end of a call that heard ${c.text.slice(0, 200)}`, () => c.closed);

const GET = 'GET / HTTP/1.1\r\nHost: r1\r\n\r\n';

beforeEach(async () => {
  served = [];
  reports = [];
  mayCome = () => Promise.resolve(true);
  const control = { ask: () => mayCome(), watch: () => () => undefined } as unknown as Channels;
  const app = new Hono<Env>();
  app.all('*', async (c) => {
    served.push(`${c.req.method} ${new URL(c.req.url).pathname}`);
    if (c.req.path === '/large') return c.body(Buffer.alloc(64 << 20, 'x') as never);
    if (c.req.path === '/never') await new Promise(() => undefined);
    return c.text(`body: ${await c.req.text()}`);
  });
  web = new WebServer(control, app, (open) => reports.push(open), SETTINGS, LIMITS);
  const socket = createServer();
  socket.listen(0, '127.0.0.1');
  await once(socket, 'listening');
  ({ port } = socket.address() as AddressInfo);
  web.listen('a', 'http', socket);
});
afterEach(() => {
  for (const c of callers.splice(0)) c.socket.destroy();
  web.close();
});

test('a request is answered; with one request a connection, it is closed then', async () => {
  const caller = new Caller();
  caller.write(GET);
  await ended(caller);
  expect(caller.text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(caller.text).toMatch(/^Connection: close\r$/im);
});

test('timeout-policy requests: a connection has as many', async () => {
  web.settings = { ...SETTINGS, requests: 2 };
  const caller = new Caller();
  caller.write(GET);
  await until('an answer', () => caller.text.includes('body:'));
  expect(caller.closed).toBe(false);
  caller.write(GET);
  await ended(caller);
  expect(served).toHaveLength(2);
});

test('whom the access class does not permit is hung up on, and nothing of him is read', async () => {
  mayCome = () => Promise.resolve(false);
  const caller = new Caller();
  caller.write(GET);
  await ended(caller);
  expect([caller.text, served]).toEqual(['', []]);
  mayCome = () => Promise.reject(new Error('no control plane'));
  const other = new Caller();
  other.write(GET);
  await ended(other);
  expect(served).toEqual([]);
});

test('no more connections than max-connections; who holds most of them gives way to another', async () => {
  const hogs = [new Caller('127.0.0.2'), new Caller('127.0.0.2'), new Caller('127.0.0.2')];
  await until('three connections', () => hogs.every((c) => c.socket.readyState === 'open'));
  const fourth = new Caller('127.0.0.2');
  await ended(fourth);
  const other = new Caller('127.0.0.3');
  other.write(GET);
  await ended(other);
  expect(other.text).toMatch(/^HTTP\/1.1 200/);
});

describe('who takes his time is cut off', () => {
  test('with the head of a request, a byte at a time', async () => {
    const caller = new Caller();
    const slow = setInterval(() => caller.write('x'), 20);
    caller.write('GET / HTTP/1.1\r\nX-Slow: ');
    await ended(caller);
    clearInterval(slow);
    expect(served).toEqual([]);
  });

  test('with its body', async () => {
    const caller = new Caller();
    const slow = setInterval(() => caller.write('x'), 20);
    caller.write('POST / HTTP/1.1\r\nHost: r1\r\nContent-Length: 100000\r\n\r\n');
    await ended(caller);
    clearInterval(slow);
    expect(served).toEqual(['POST /']);
    expect(caller.text).not.toContain('200 OK');
  });

  test('with reading', async () => {
    const caller = new Caller();
    caller.socket.pause();
    caller.write('GET /large HTTP/1.1\r\nHost: r1\r\n\r\n');
    await until('the request', () => served.length === 1);
    await until('nobody', () => reports.at(-1)?.length === 0);
  });

  test('by timeout-policy life, whatever he does', async () => {
    web.settings = { ...SETTINGS, life: 1 };
    const caller = new Caller();
    caller.write('GET /never HTTP/1.1\r\nHost: r1\r\n\r\n');
    await ended(caller);
    expect(served).toEqual(['GET /never']);
  });

  test('but not while his answer is being made', async () => {
    const caller = new Caller();
    caller.write('GET /never HTTP/1.1\r\nHost: r1\r\n\r\n');
    await until('the request', () => served.length === 1);
    await new Promise((resolve) => setTimeout(resolve, LIMITS.requestMs * 1.5));
    expect(caller.closed).toBe(false);
  });
});

describe('what is no request, or too much of one, gets no answer from a page', () => {
  test.each([
    { what: 'a URL of a megabyte', bytes: `GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\nHost: r1\r\n\r\n` },
    { what: 'a megabyte of headers', bytes: `GET / HTTP/1.1\r\nHost: r1\r\n${'X-A: b\r\n'.repeat(150_000)}\r\n` },
    { what: 'both ways to tell a length', bytes: 'POST / HTTP/1.1\r\nHost: r1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: r1\r\n\r\n' }, // prettier-ignore
    { what: 'two lengths', bytes: 'POST / HTTP/1.1\r\nHost: r1\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: r1\r\n\r\n' }, // prettier-ignore
    { what: 'a bare CR in a header', bytes: 'GET / HTTP/1.1\r\nHost: r1\r\nX: a\rGET /smuggled HTTP/1.1\r\n\r\n' },
    { what: 'a blank before the colon', bytes: 'POST / HTTP/1.1\r\nHost: r1\r\nContent-Length : 5\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n' }, // prettier-ignore
    { what: 'a folded header', bytes: 'POST / HTTP/1.1\r\nHost: r1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: r1\r\n\r\n' }, // prettier-ignore
    { what: 'another protocol', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
    { what: 'no host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
    { what: 'a host with a path', bytes: 'GET / HTTP/1.1\r\nHost: r1/../x\r\n\r\n' },
  ])('$what', async ({ bytes }) => {
    web.settings = { ...SETTINGS, requests: 1 };
    const caller = new Caller();
    caller.write(bytes);
    await ended(caller);
    expect(served.filter((s) => s !== 'POST /')).toEqual([]);
    expect(caller.text).not.toContain('200 OK');
  });
});

test('who is open is reported, and who is gone no more', async () => {
  const caller = new Caller();
  caller.write('GET /never HTTP/1.1\r\nHost: r1\r\n\r\n');
  await until('a report', () => (reports.at(-1)?.[0]?.inBytes ?? 0) > 0);
  expect(reports.at(-1)).toMatchObject([{ local: `127.0.0.1:${port}` }]);
  caller.socket.destroy();
  await until('another', () => reports.at(-1)?.length === 0);
});

test('what is no longer listened on takes no call, and ends those it has', async () => {
  const caller = new Caller();
  caller.write('GET /never HTTP/1.1\r\nHost: r1\r\n\r\n');
  await until('the request', () => served.length === 1);
  web.unlisten('a');
  await ended(caller);
  const late = new Caller();
  await ended(late);
  expect(late.text).toBe('');
});
