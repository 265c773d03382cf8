/**
 * One line of an FTP dialogue, gathered over segments. Telnet commands that clients send before ABOR (RFC 959 §4.1.3)
 * are left out at its beginning.
 */
import type { StateIo } from '../../memory/state-io.js';

const LF = 10;
/** Telnet commands (RFC 854) are 240 and above. */
const TELNET = 240;
/** What we want to know stands in fewer bytes; the rest of a longer line is only counted. */
export const MOST_BYTES = 512;

export class Line {
  /** Position of the first byte of `text` in the stream. */
  start = 0;
  /** What has come of the line, without line end, as Latin-1. */
  text = '';
  /** The line is longer than what is kept of it. */
  cut = false;
  /** Position in the stream of the next byte. */
  #position = 0;

  /**
   * Takes bytes of b[at..end) up to the end of the line.
   * @returns the offset behind them, or -1 where the line does not end: then all were taken
   */
  take(b: Uint8Array, at: number, end: number): number {
    for (let i = at; i < end; i++) {
      const c = b[i]!;
      this.#position++;
      if (c === LF) return i + 1;
      if (this.text === '' && c >= TELNET) continue;
      if (this.text === '') this.start = this.#position - 1;
      if (this.text.length < MOST_BYTES) this.text += String.fromCharCode(c);
      else this.cut = true;
    }
    return -1;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.start = io.int(this.start);
    this.text = io.text(this.text, MOST_BYTES);
    this.cut = io.flag(this.cut);
    this.#position = io.int(this.#position);
  }

  /** The line has been read. */
  clear(): void {
    this.text = '';
    this.cut = false;
  }
}

/** The line that b[at..end) leaves unfinished, cut to MOST_BYTES; '' where it does not. `line`: what went before. */
export function unfinishedLine(line: Line, b: Uint8Array, at: number, end: number): string {
  let from = end;
  while (from > at && b[from - 1] !== LF) from--;
  if (from === end) return '';
  const before = from === at ? line.text : '';
  return withoutTelnet(before + latin1(b, from, Math.min(end, from + MOST_BYTES))).slice(0, MOST_BYTES);
}

/** How many lines that end in b[at..end), or go on behind it, begin as `pattern` says. `line`: what went before. */
export function beginnings(line: Line, b: Uint8Array, at: number, end: number, pattern: RegExp): number {
  const lines = (line.text + latin1(b, at, end)).split('\n');
  return lines.filter((l) => pattern.test(withoutTelnet(l))).length;
}

const latin1 = (b: Uint8Array, at: number, end: number): string =>
  Buffer.from(b.buffer, b.byteOffset + at, end - at).toString('latin1');

const withoutTelnet = (text: string): string => text.replace(/^[\xf0-\xff]+/, '');
