/** UNIX sockets that only their owner may connect to. */
import type { Server } from 'node:net';

/**
 * Has `server` listen at a path, or at a socket that is bound already: with mode 0600 from the start: nobody else may connect in the moment between bind and a
 * chmod.
 * @throws Error where the path cannot be used
 */
export async function listenPrivately(server: Server, at: string | { fd: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Bound before `listen` returns. The mask is the whole process's: what is started meanwhile must not inherit it.
    const mask = process.umask(0o177);
    try {
      server.listen(at, resolve);
    } finally {
      process.umask(mask);
    }
  });
}
