// Much data of known content over a TCP connection, and what arrived of it.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Bytes that look random and are the same for the same seed (xorshift32). @param seed not 0 */
export function bytesOf(seed, length) {
  const words = new Uint32Array(Math.ceil(length / 4));
  let x = seed >>> 0;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    words[i] = x;
  }
  return Buffer.from(words.buffer, 0, length);
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Sends it all, then FIN. @returns the hash of what was sent, once the other end has closed too */
export function sendAll(socket, bytes) {
  socket.end(bytes);
  socket.resume();
  return ended(socket).then(() => sha256(bytes));
}

/** Receives to the end, then closes too. @returns { sha256, length } */
export async function receiveAll(socket) {
  const hash = createHash('sha256');
  let length = 0;
  socket.on('data', (bytes) => {
    hash.update(bytes);
    length += bytes.length;
  });
  socket.on('end', () => socket.end());
  await ended(socket);
  return { sha256: hash.digest('hex'), length };
}

const ended = (socket) =>
  new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (failed) => (failed ? undefined : resolve()));
  });
