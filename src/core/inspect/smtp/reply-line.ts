/**
 * One reply line of the server, cut anywhere. Replies go through as they are, the greeting above all; only lines of an
 * EHLO reply that offer what the rule does not pass are masked. A bare LF ends a reply line: clients read it so.
 */
import type { StateIo } from '../../memory/state-io.js';
import { REPLY_END_ID, REPLY_OTHER, REPLY_PARTIAL, REPLY_POSITIVE, REPLY_POSITIVE_ID } from './dfa.js';
import { OfferedExtension } from './ehlo.js';
import { latin1, maskInPlace } from './mask.js';
import type { SmtpRule } from './rule.js';
import type { SmtpHost } from './step.js';

/** Bytes of a line that are kept for its finding. */
export const REPLY_KEPT = 128;
const CODE_LENGTH = 3;
/** Offset of a keyword in `250-SIZE`. */
const TEXT_AT = 4;
const EHLO_CODE = 250;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const DOT = 0x2e;

export class ReplyLine {
  ended = false;
  length = 0;
  /** 200 to 599; 0: the line has none (so far). */
  code = 0;
  /** No hyphen behind the code: the reply ends with this line. */
  final = false;
  /** Offset in the line of the first byte masked; -1: none. */
  maskedFrom = -1;
  changed = false;
  readonly offered: OfferedExtension;

  readonly #rule: SmtpRule;
  readonly #kept: Uint8Array;
  #extension = false;
  /** Reply lines that were traced; the trace counts from 0. */
  #traced = 0;

  /** @param kept REPLY_KEPT bytes, this session's own */
  constructor(rule: SmtpRule, kept: Uint8Array) {
    this.#rule = rule;
    this.#kept = kept;
    this.offered = new OfferedExtension(rule);
  }

  /** Its first bytes have come, and its end has not. */
  get cut(): boolean {
    return this.length > 0 && !this.ended;
  }

  /** Lines of the session that were traced. Set: another session's lines follow; none is cut. */
  get count(): number {
    return this.#traced;
  }

  set count(lines: number) {
    this.#traced = lines;
    this.length = 0;
  }

  /** A line that is cut will not end, and has been told of. */
  forget(): void {
    this.length = 0;
  }

  /** Starts the next line. @param extension it is a line of an EHLO reply, not the first one */
  begin(extension: boolean): void {
    this.ended = false;
    this.length = 0;
    this.code = 0;
    this.final = false;
    this.maskedFrom = -1;
    this.#extension = extension;
    this.offered.begin();
  }

  /** Saves or loads the line in progress. */
  sync(io: StateIo): void {
    this.ended = io.flag(this.ended);
    this.length = io.int(this.length);
    this.code = io.below(this.code, 1000);
    this.final = io.flag(this.final);
    this.maskedFrom = io.int(this.maskedFrom);
    this.#extension = io.flag(this.#extension);
    this.#traced = io.int(this.#traced);
    io.bytes(this.#kept, this.cut ? Math.min(this.length, REPLY_KEPT) : 0);
    this.offered.sync(io);
  }

  /** Takes b[at..end), as far as the line goes. @returns offset of the first byte not taken */
  take(b: Uint8Array, at: number, end: number, host: SmtpHost): number {
    this.changed = false;
    if (host.debug && this.length === 0) host.trace({ kind: 'reply-begins' });
    const lineAt = this.length;
    let i = at;
    while (i < end && this.length <= CODE_LENGTH && !this.ended) {
      const c = b[i++]!;
      this.#kept[this.length] = c;
      this.#inCode(c);
      this.length++;
      if (c === LF) this.ended = true;
    }
    if (!this.ended) {
      const from = i;
      i = this.#takeText(b, from, end);
      if (this.#extension && this.code === EHLO_CODE) this.#inExtension(b, from, i, at, lineAt);
    }
    if (host.debug) this.#trace(host, i - at);
    return i;
  }

  /** The line as sent, without CR LF, cut to REPLY_KEPT bytes. */
  text(): string {
    return latin1(this.#kept, 0, this.#textEnd());
  }

  /** The line as it goes on, likewise. */
  textAfter(): string {
    if (this.maskedFrom < 0 || this.#rule.monitorOnly) return this.text();
    const end = this.#textEnd();
    return latin1(this.#kept, 0, Math.min(this.maskedFrom, end)).padEnd(end, 'x');
  }

  /** A dot alone. */
  get isDot(): boolean {
    return this.#kept[0] === DOT && this.#textEnd() === 1;
  }

  #inCode(c: number): void {
    if (this.length < CODE_LENGTH) {
      const digit = c >= 0x30 && c <= 0x39;
      this.code = digit && (this.length === 0 || this.code > 0) ? this.code * 10 + c - 0x30 : 0;
      return;
    }
    if (this.code < 200 || this.code > 599 || (c !== SPACE && c !== HYPHEN && c !== CR && c !== LF)) this.code = 0;
    else this.final = c !== HYPHEN;
  }

  /** Takes what stands behind the code, up to the end of the line. @returns offset of the first byte not taken */
  #takeText(b: Uint8Array, from: number, end: number): number {
    const kept = this.#kept;
    let { length } = this;
    let i = from;
    while (i < end) {
      const c = b[i++]!;
      if (length < REPLY_KEPT) kept[length] = c;
      length++;
      if (c === LF) {
        this.ended = true;
        break;
      }
    }
    this.length = length;
    return i;
  }

  /** Judges b[from..end), behind the code. @param at, lineAt where the part in hand begins: there, and in the line */
  #inExtension(b: Uint8Array, from: number, end: number, at: number, lineAt: number): void {
    for (let i = from; i < end; i++) {
      const c = b[i]!;
      this.offered.step(c);
      if (!this.offered.refused || !this.#rule.maskEhlo) continue;
      if (this.maskedFrom < 0) {
        // The whole keyword, as far as it is in hand.
        const keyword = Math.max(at, at + TEXT_AT - lineAt);
        this.maskedFrom = lineAt + keyword - at;
        this.#mask(b, keyword, i);
      }
      if (c !== CR && c !== LF) this.#mask(b, i, i + 1);
    }
  }

  #mask(b: Uint8Array, from: number, to: number): void {
    if (!this.#rule.monitorOnly && maskInPlace(b, from, to)) this.changed = true;
  }

  #textEnd(): number {
    let end = Math.min(this.length, REPLY_KEPT);
    while (end > 0 && (this.#kept[end - 1] === LF || this.#kept[end - 1] === CR)) end--;
    return end;
  }

  #trace(host: SmtpHost, taken: number): void {
    const positive = this.final && this.code < 300 && this.length > CODE_LENGTH + 1;
    const state = !this.ended ? REPLY_PARTIAL : positive ? REPLY_POSITIVE : REPLY_OTHER;
    host.trace({ kind: 'reply', length: this.length, taken, state });
    if (!this.ended) return;
    host.trace({ kind: 'reply-match', id: REPLY_END_ID });
    if (positive) host.trace({ kind: 'reply-match', id: REPLY_POSITIVE_ID });
    host.trace({ kind: 'reply-ends', index: this.#traced, length: this.length });
    this.#traced++;
  }
}
