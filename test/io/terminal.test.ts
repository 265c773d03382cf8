import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { serveTerminal } from '../../src/io/terminal.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { fakeRouter } from '../ios/support/fake-router.js';

/** A terminal that types, and reads only when the test says so. */
class Stalled extends Duplex {
  taken = 0;
  #done: (() => void) | undefined;
  override _read(): void {
    // Keys come by `push`.
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken += chunk.length;
    this.#done = done;
  }
  /** Reads one piece. @returns false where there is none */
  readOne(): boolean {
    const done = this.#done;
    this.#done = undefined;
    done?.();
    return done !== undefined;
  }
}

const turns = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise(setImmediate);
};

test('who only types, and does not read, has to wait with his keys: answers do not pile up', async () => {
  const stream = new Stalled();
  const router = fakeRouter('hostname r1\nend\n');
  serveTerminal(stream, new ConsoleSession(router, 'console'));
  stream.push('show ?'.padEnd(100_000, '?'));
  stream.push('\rshow clock\r');
  await turns(200);
  expect(stream.writableLength).toBeLessThan(100_000);
  expect(stream.isPaused()).toBe(true);
  // And goes on when it is read.
  const before = stream.taken;
  for (let n = 0; n < 2000; n++) {
    stream.readOne();
    if (n % 20 === 0) await turns(1);
  }
  expect(stream.taken).toBeGreaterThan(before + 100_000);
  expect(stream.writableLength).toBeLessThan(100_000);
  stream.destroy();
});

test('a log that is not read is lost, and the terminal says how much of it', async () => {
  const stream = new Stalled();
  const router = fakeRouter('hostname r1\nend\n');
  const session = new ConsoleSession(router, 'console');
  const terminal = serveTerminal(stream, session);
  session.monitor = true;
  for (let n = 0; n < 20_000; n++) terminal.monitor('x'.repeat(200));
  expect(stream.writableLength).toBeLessThan(1_200_000);
  let shown = '';
  const write = stream._write.bind(stream);
  stream._write = (chunk: Buffer, encoding: BufferEncoding, done: () => void) => {
    shown += chunk.toString();
    write(chunk, encoding, done);
  };
  while (stream.readOne());
  await turns(5);
  while (stream.readOne());
  terminal.monitor('again');
  while (stream.readOne());
  expect(shown).toMatch(/%SYS-3-LOGGER_DROPPED: System dropped 1\d{4} monitor messages\r\n/);
  stream.destroy();
});

test('what is said to a terminal that has gone harms nobody', async () => {
  const stream = new Stalled();
  const session = new ConsoleSession(fakeRouter('hostname r1\nend\n'), 'console');
  const terminal = serveTerminal(stream, session);
  session.monitor = true;
  stream.destroy(new Error('reset by peer'));
  terminal.monitor('line');
  await turns(5);
  expect(session.isClosed()).toBe(true);
});
