/** Sockets that are for their owner alone, from the first moment on. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenPrivately } from '../../src/io/private-socket.js';

test('a socket has mode 0600 at once, and a program that is started meanwhile does not inherit the mask', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'private-socket-'));
  const server = createServer();
  try {
    // A worker's process has one for all its threads, and does not change it: what counts is the time between.
    const before = process.umask();
    const listens = listenPrivately(server, join(folder, 's'));
    expect(process.umask()).toBe(before);
    expect(statSync(join(folder, 's')).mode & 0o777).toBe(0o600);
    await listens;
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
