/** Text whose Internet checksum is that of another text: what an attacker needs to have fragments fit together. */
import { addWords, fold } from '../../src/core/wire/checksum.js';
import { latin1 } from '../support/packets.js';

const sumOf = (text: string): number => {
  const b = latin1(text);
  return fold(addWords(b, 0, b.length, 0)) % 0xffff;
};

/**
 * A line as long as `text`, and with its sum. It begins with `start` and has printable characters behind.
 * @param text of even length, at least eight bytes longer than `start`
 */
export function fitted(start: string, text: string): string {
  const goal = sumOf(text);
  const room = text.length - start.length - 2;
  const words: number[] = [];
  for (let i = 0; i < room; i++) words.push(0x40);
  const lineOf = (): string => `${start}${String.fromCharCode(...words)}\r\n`;
  // Characters at even and at odd places count for the two halves of a word; each can be moved by 0x3e at most.
  for (let round = 0; round < 100_000; round++) {
    const missing = (goal - sumOf(lineOf()) + 0xffff) % 0xffff;
    if (missing === 0) return lineOf();
    const high = Math.round(missing / 256) % 256;
    const step = high > 128 ? high - 256 : high;
    const low = missing - (((step % 256) + 256) % 256) * 256;
    move(words, start.length, 0, step);
    if (step === 0) move(words, start.length, 1, low > 0x7fff ? low - 0xffff : low);
  }
  throw new Error('no such line');
}

function move(words: number[], base: number, parity: number, by: number): void {
  let left = by;
  for (let i = 0; i < words.length && left !== 0; i++) {
    if ((base + i) % 2 !== parity) continue;
    const to = Math.min(0x7e, Math.max(0x21, words[i]! + left));
    left -= to - words[i]!;
    words[i] = to;
  }
}
