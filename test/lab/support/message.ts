/** Messages to send through the lab, and what identifies them when they arrive. */
import { createHash } from 'node:crypto';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** A message with a small header around `body`. */
export function messageOf(body: Uint8Array | string, subject = 'test'): Buffer {
  const header = `From: <a@client.test>\r\nTo: <b@example.test>\r\nSubject: ${subject}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header), typeof body === 'string' ? Buffer.from(body, 'latin1') : body]);
}

/**
 * A body of `length` bytes that a 8-bit clean server takes as it is: lines of any bytes but CR, LF and NUL, as many of
 * them with dots at their start as without. The same for the same seed.
 */
export function bodyOf(length: number, seed: number): Buffer {
  const body = Buffer.alloc(length);
  let x = seed | 1;
  let column = 0;
  let lineLength = 0;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0;
    const random = x >>> 16;
    if (column === lineLength && i < length - 1) {
      body[i++] = CR;
      body[i] = LF;
      column = 0;
      lineLength = random % 120;
      continue;
    }
    body[i] = column === 0 && random % 2 === 1 ? DOT : printable(random & 0xff);
    column++;
  }
  if (length >= 2) body.set([CR, LF], length - 2);
  if (length >= 3 && body[length - 3] === CR) body[length - 3] = DOT;
  return body;
}

const printable = (byte: number): number => (byte === CR || byte === LF || byte === 0 ? 0x2a : byte);

/** Identifies bytes. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes with LF for CR LF, as a mailbox on disk has them. */
export function asStored(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}
