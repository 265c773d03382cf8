/**
 * The mail signatures that CBAC always had. Those of the envelope are matched by `arguments.ts` in the path of MAIL
 * and RCPT; here are the old backdoor commands, and what stands in the header section of a mail.
 *
 * Inferred: "the pipe in the From: field" means the envelope. In a header the pipe is an ordinary character of
 * display names, and resetting on it would stop good mail.
 */
import type { StateIo } from '../../memory/state-io.js';
import { CLASSES, CLASS_OF, OTHER, START, wordDfa } from './dfa.js';
import type { SignatureId } from './finding.js';

export const BAD_RECIPIENT: SignatureId = 3101;
export const BAD_SENDER: SignatureId = 3102;
export const OLD_ATTACK: SignatureId = 3104;
export const DECODE_ALIAS: SignatureId = 3105;
export const MAJORDOMO: SignatureId = 3107;

/** Backdoors of sendmail before 5.65: WIZ gave a shell, DEBUG ran commands. */
const OLD_COMMANDS = wordDfa([
  ['WIZ', 1],
  ['DEBUG', 1],
]);

/** Aliases that used to pipe a mail into a program that writes files. */
export const DECODE_ALIASES = wordDfa([
  ['DECODE', 1],
  ['UUDECODE', 1],
]);

const REPLY_TO = wordDfa([['REPLY-TO', 1]]);

/** True when b[from..to) is one of the old backdoor commands, in any case. */
export function isOldAttack(b: Uint8Array, from: number, to: number): boolean {
  let state = START;
  for (let i = from; i < to; i++) state = OLD_COMMANDS.next[state * CLASSES + CLASS_OF[b[i]!]!]!;
  return OLD_COMMANDS.accept[state] !== 0;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS_THAN = 0x3c;
const AT = 0x40;
const BACKQUOTE = 0x60;

/** Follows the header section of a mail (RFC 5322 §2.2), byte by byte, until the empty line that ends it. */
/** Whether `bits` of a scan that another process has saved can be. */
export const isSoundHeaderScan = (bits: number): boolean =>
  bits >= 0 &&
  bits < 1 << 28 &&
  ((bits >> 4) & 255) < REPLY_TO.accept.length &&
  ((bits >> 12) & 255) < DECODE_ALIASES.accept.length;

export class HeaderScan {
  /** False once the header section is over. */
  active = false;
  #lineBegun = false;
  #inName = false;
  #inReplyTo = false;
  /** State in REPLY_TO while in a field's name, and in DECODE_ALIASES behind a colon; 0: not behind one. */
  #name = START;
  #alias = 0;
  #previous = 0;

  /** At the first byte of a mail. */
  begin(): void {
    this.active = true;
    this.#lineBegun = false;
    this.#inName = false;
    this.#inReplyTo = false;
    this.#name = START;
    this.#alias = 0;
    this.#previous = 0;
  }

  /** All of it in 28 bits. */
  get bits(): number {
    const line = (this.#lineBegun ? 2 : 0) | (this.#inName ? 4 : 0) | (this.#inReplyTo ? 8 : 0);
    return (this.active ? 1 : 0) | line | (this.#name << 4) | (this.#alias << 12) | (this.#previous << 20);
  }

  set bits(bits: number) {
    this.active = (bits & 1) !== 0;
    this.#lineBegun = (bits & 2) !== 0;
    this.#inName = (bits & 4) !== 0;
    this.#inReplyTo = (bits & 8) !== 0;
    this.#name = (bits >> 4) & 255;
    this.#alias = (bits >> 12) & 255;
    this.#previous = (bits >> 20) & 255;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    const bits = io.int(this.bits);
    if (isSoundHeaderScan(bits)) this.bits = bits;
    else io.sound = false;
  }

  /** Only a colon, a line end or a NUL can still be of interest in this line. */
  get idle(): boolean {
    const alias = this.#alias === 0 || this.#alias === OTHER;
    return alias && this.#lineBegun && (this.#inName ? this.#name === OTHER : !this.#inReplyTo);
  }

  /** Passes over bytes while `idle`, none of which is a control character. @returns offset of the first other one */
  skip(b: Uint8Array, at: number, end: number): number {
    let i = at;
    while (i < end && b[i]! > CR && b[i] !== COLON) i++;
    return i;
  }

  /** Takes the next byte. @returns the signature it completes, or 0 */
  step(c: number): SignatureId | 0 {
    if (c === LF) {
      if (!this.#lineBegun) this.active = false;
      this.#lineBegun = false;
      this.#alias = 0;
      return 0;
    }
    if (c === CR) return 0;
    const first = !this.#lineBegun;
    this.#lineBegun = true;
    if (first && c !== SPACE && c !== TAB) {
      this.#inName = true;
      this.#inReplyTo = false;
      this.#name = START;
    }
    const previous = this.#previous;
    this.#previous = c;
    if (c === COLON) {
      if (this.#inName) this.#inReplyTo = REPLY_TO.accept[this.#name] !== 0;
      this.#inName = false;
      this.#alias = START;
      return 0;
    }
    if (this.#inName) this.#name = REPLY_TO.next[this.#name * CLASSES + CLASS_OF[c]!]!;
    // As the known attack on Majordomo: a program in backquotes within the address it replies to.
    if (this.#inReplyTo && previous === BACKQUOTE && c === SLASH) return MAJORDOMO;
    if (this.#alias === 0) return 0;
    if (c === AT && DECODE_ALIASES.accept[this.#alias] !== 0) return DECODE_ALIAS;
    if (this.#alias !== START || (c !== SPACE && c !== TAB && c !== LESS_THAN)) {
      this.#alias = DECODE_ALIASES.next[this.#alias * CLASSES + CLASS_OF[c]!]!;
    }
    return 0;
  }
}
