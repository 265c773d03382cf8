/**
 * The arguments of an IMAP command, byte by byte: quoted strings and literals (RFC 9051 §4.3, 7888, 3516). Servers differ
 * in what they make of braces and quotes that the grammar does not allow: such a line is illegal.
 */
import { LF, type MailboxReason, SPACE } from './mailbox.js';

/** Of a brace that may begin a literal. */
const Brace = { none: 0, digits: 1, plus: 2, closed: 3 } as const;

const Quote = { none: 0, open: 1, escape: 2 } as const;

/**
 * Which literals the server takes that do not wait for its leave. For any other server such a line ends a command, and
 * the literal is commands.
 */
export const Offer = { none: 0, short: 1, any: 2 } as const;

/** Bytes of a literal under LITERAL- (RFC 7888 §5), and of any. Some servers count no further than 31 bits. */
const SHORT = 4096;
const MOST_AT_ONCE = 0x7fffffff;
const MOST_LITERAL = 0xffffffff;

const PLUS = 0x2b;
const OPEN = 0x28;
const CLOSE = 0x29;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const BRACKET = 0x5d;

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

export class ImapArguments {
  readonly numbers = {
    /** An argument may begin here: a quoted string or a literal. */
    boundary: 1,
    /** A quoted string or literal ended here: only a blank or a closing bracket may follow. */
    closed: 0,
    quote: Quote.none as number,
    brace: Brace.none as number,
    /** Of a literal: bytes; whether its count has a digit; whether it comes without the server's leave ({n+}). */
    literal: 0,
    counted: 0,
    atOnce: 0,
  };

  begin(): void {
    const n = this.numbers;
    n.boundary = 1;
    n.closed = 0;
    n.quote = Quote.none;
    n.brace = Brace.none;
  }

  /** The line has ended with the count of a literal, `literal`. */
  get endsWithLiteral(): boolean {
    return this.numbers.brace === Brace.closed;
  }

  /** The command goes on behind a literal. */
  literalEnded(): void {
    this.numbers.brace = Brace.none;
    this.numbers.closed = 1;
  }

  /** Takes a byte, or the LF of the line's end. @param offer what the server takes @returns what is wrong with it */
  take(c: number, offer: number): MailboxReason | undefined {
    const n = this.numbers;
    if (n.quote !== Quote.none) return this.#takeQuoted(c);
    if (c === LF) return n.brace === Brace.none || n.brace === Brace.closed ? undefined : 'invalid-literal';
    if (n.closed === 1 && c !== SPACE && c !== CLOSE && c !== BRACKET) return 'invalid-argument';
    n.closed = 0;
    if (n.brace !== Brace.none) return this.#takeCount(c, offer);
    if (c === QUOTE || c === OPEN_BRACE) {
      if (n.boundary === 0) return c === QUOTE ? 'invalid-quoted-string' : 'invalid-literal';
      n.boundary = 0;
      n.literal = 0;
      n.counted = 0;
      n.atOnce = 0;
      if (c === QUOTE) n.quote = Quote.open;
      else n.brace = Brace.digits;
    } else if (c !== TILDE || n.boundary === 0) n.boundary = c === SPACE || c === OPEN ? 1 : 0; // ~{n}
    return undefined;
  }

  #takeQuoted(c: number): MailboxReason | undefined {
    const n = this.numbers;
    if (c === LF || (n.quote === Quote.escape && c !== QUOTE && c !== BACKSLASH)) return 'invalid-quoted-string';
    if (n.quote === Quote.escape) n.quote = Quote.open;
    else if (c === BACKSLASH) n.quote = Quote.escape;
    else if (c === QUOTE) {
      n.quote = Quote.none;
      n.closed = 1;
    }
    return undefined;
  }

  /** Within {n} or {n+}. */
  #takeCount(c: number, offer: number): MailboxReason | undefined {
    const n = this.numbers;
    if (n.brace === Brace.digits && isDigit(c)) {
      n.literal = n.literal * 10 + c - 0x30;
      n.counted = 1;
      if (n.literal > MOST_LITERAL) return 'invalid-literal';
    } else if (n.counted === 0 || n.brace === Brace.closed) return 'invalid-literal';
    else if (n.brace === Brace.digits && c === PLUS) {
      const most = offer === Offer.any ? MOST_AT_ONCE : offer === Offer.short ? SHORT : -1;
      if (n.literal > most) return 'invalid-literal';
      n.brace = Brace.plus;
    } else if (c === CLOSE_BRACE) {
      n.atOnce = n.brace === Brace.plus ? 1 : 0;
      n.brace = Brace.closed;
    } else return 'invalid-literal';
    return undefined;
  }
}
