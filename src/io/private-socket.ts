/** UNIX sockets that only their owner may connect to. */
import type { Server } from 'node:net';

/**
 * Has `server` listen at `path`, with mode 0600 from the start: nobody else may connect in the moment between bind and a
 * chmod.
 * @throws Error where the path cannot be used
 */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
}
