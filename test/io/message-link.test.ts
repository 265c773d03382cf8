/** Messages between two processes: all of them, in order, and between them other work has its turn. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { encode, MessageLink } from '../../src/io/message-link.js';

interface Numbered {
  type: 'numbered';
  number: number;
  filling: string;
}

let folder: string;
let server: Server;
let sender: Socket;
let accepted: Socket;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fw3640-link-'));
  server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'sock'), resolve));
  const connection = new Promise<Socket>((resolve) => server.once('connection', resolve));
  sender = connect(join(folder, 'sock'));
  accepted = await connection;
});
afterEach(() => {
  sender.destroy();
  accepted.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const numbered = (number: number, bytes: number): Numbered => ({
  type: 'numbered',
  number,
  filling: 'x'.repeat(bytes),
});

/** Keeps the process busy. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('messages that take long do not come in a row, those that are short do', async () => {
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns++;
    if (counting) setImmediate(count);
  };
  count();
  const seen: { number: number; turn: number }[] = [];
  new MessageLink<Numbered, never>(
    accepted,
    ({ number }) => {
      seen.push({ number, turn: turns });
      if (number < 20) work(1);
    },
    () => undefined,
  );
  sender.write(Buffer.concat(Array.from({ length: 2000 }, (_, i) => encode(numbered(i, 10)))));
  await vi.waitFor(() => expect(seen).toHaveLength(2000));
  counting = false;
  expect(seen.map((m) => m.number)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  expect(new Set(seen.slice(0, 20).map((m) => m.turn)).size).toBe(20);
  expect(new Set(seen.slice(20).map((m) => m.turn)).size).toBeLessThan(1000);
});

test('more than the system holds arrives whole, and what was sent before the end arrives before it', async () => {
  const seen: number[] = [];
  let seenAtEnd = -1;
  new MessageLink<Numbered, never>(
    accepted,
    ({ number, filling }) => {
      expect(filling).toHaveLength(20_000);
      seen.push(number);
      work(0.6);
    },
    () => (seenAtEnd = seen.length),
  );
  for (let i = 0; i < 200; i++) sender.write(encode(numbered(i, 20_000)));
  sender.end();
  await vi.waitFor(() => expect(seenAtEnd).toBe(200), 10_000);
  expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

test('what is waiting when we close is not dealt with', async () => {
  const seen: number[] = [];
  const closed = vi.fn();
  const link: MessageLink<Numbered, never> = new MessageLink(
    accepted,
    ({ number }) => {
      seen.push(number);
      work(1);
      if (number === 2) link.close();
    },
    closed,
  );
  for (let i = 0; i < 10; i++) sender.write(encode(numbered(i, 10)));
  await vi.waitFor(() => expect(closed).toHaveBeenCalled());
  expect(seen).toEqual([0, 1, 2]);
});
