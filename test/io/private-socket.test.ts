/** Sockets that are for their owner alone, from the first moment on. */
import { mkdtempSync, rmSync, statSync, readFileSync } from 'node:fs';
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
    const before = maskNow();
    const listens = listenPrivately(server, join(folder, 's'));
    expect(maskNow()).toBe(before);
    expect(statSync(join(folder, 's')).mode & 0o777).toBe(0o600);
    await listens;
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Octal. `process.umask()` would set it for a moment. */
function maskNow(): string | undefined {
  return /^Umask:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
}
