/**
 * The lines of an IMAP server: their tag and status, the literals in them, and which literals the server's list of
 * capabilities offers to take (RFC 9051 §7).
 */
import { LF, SPACE, WordTable } from './mailbox.js';
import { Offer } from './imap-argument.js';

export type Status = 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH' | 'CAPABILITY';

/** What `take` has found. `literal`: the line goes on behind as many bytes as `literal` says. */
export const Found = { nothing: 0, line: 1, literal: 2, fault: 3, literalFault: 4 } as const;

/** Longest tag, bytes. Ours: RFC 9051 sets no limit. */
export const TAG_MOST = 64;
const MOST_LITERAL = 0xffffffff;

const Part = { tag: 0, status: 1, rest: 2 } as const;
const Brace = { none: 0, digits: 1, closed: 2 } as const;
/** Where a list of capabilities is: behind `* CAPABILITY`, or in brackets right behind the status. */
const Listing = { none: 0, perhaps: 1, open: 2 } as const;

const STAR = 0x2a;
const PLUS = 0x2b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BRACKET = 0x5d;

const STATUS = new WordTable<Status>(
  Object.fromEntries((['OK', 'NO', 'BAD', 'BYE', 'PREAUTH', 'CAPABILITY'] as const).map((s) => [s, s])),
);
/** IMAP4rev2 has LITERAL- in it (RFC 9051 §4.3). */
const OFFERS = new WordTable<number>({ 'LITERAL+': Offer.any, 'LITERAL-': Offer.short, IMAP4REV2: Offer.short });
const LIST = new WordTable<true>({ '[CAPABILITY': true });

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

export class ImapReply {
  readonly numbers = {
    part: Part.tag as number,
    tagLength: 0,
    statusLength: 0,
    brace: Brace.none as number,
    literal: 0,
    listing: Listing.none as number,
    wordLength: 0,
    /** Which literals the server takes without being asked: it has said so last. */
    offer: Offer.none as number,
  };
  readonly #tag = new Uint8Array(TAG_MOST);
  /** A byte more than the longest word, so that a longer one is none. */
  readonly #status = new Uint8Array(STATUS.longest + 1);
  readonly #word = new Uint8Array(LIST.longest + 1);
  readonly texts = [this.#tag, this.#status, this.#word];

  /** Of the line that has ended; undefined: no word that is known, or none at all. */
  get status(): Status | undefined {
    const n = this.numbers;
    return n.tagLength > 0 ? STATUS.find(this.#status, n.statusLength) : undefined;
  }
  get isUntagged(): boolean {
    return this.numbers.tagLength === 1 && this.#tag[0] === STAR;
  }
  get isContinuation(): boolean {
    return this.numbers.tagLength === 1 && this.#tag[0] === PLUS;
  }
  get isEmpty(): boolean {
    return this.numbers.tagLength === 0;
  }

  hasTag(tag: Uint8Array, length: number): boolean {
    if (this.numbers.tagLength !== length) return false;
    for (let i = 0; i < length; i++) if (this.#tag[i] !== tag[i]) return false;
    return true;
  }

  /** The next line begins. */
  begin(): void {
    const n = this.numbers;
    n.part = Part.tag;
    n.tagLength = 0;
    n.statusLength = 0;
    n.brace = Brace.none;
    n.listing = Listing.none;
    n.wordLength = 0;
  }

  /** Takes a byte, or the LF that ends a line. */
  take(c: number): number {
    const n = this.numbers;
    if (c === LF) return this.#lineEnded();
    if (n.part === Part.tag) {
      if (c === SPACE && n.tagLength > 0) n.part = Part.status;
      else if (n.tagLength === TAG_MOST) return Found.fault;
      else this.#tag[n.tagLength++] = c;
      return Found.nothing;
    }
    if (n.part === Part.status) {
      if (c === SPACE) this.#statusEnded();
      else if (n.statusLength < this.#status.length) this.#status[n.statusLength++] = c;
    } else if (n.listing !== Listing.none) this.#takeWord(c);
    return this.#takeBrace(c);
  }

  #takeBrace(c: number): number {
    const n = this.numbers;
    if (c === OPEN_BRACE) {
      n.brace = Brace.digits;
      n.literal = 0;
    } else if (n.brace === Brace.digits && isDigit(c)) {
      n.literal = n.literal * 10 + c - 0x30;
      if (n.literal > MOST_LITERAL) return Found.literalFault;
    } else n.brace = n.brace === Brace.digits && c === CLOSE_BRACE ? Brace.closed : Brace.none;
    return Found.nothing;
  }

  #statusEnded(): void {
    const n = this.numbers;
    n.part = Part.rest;
    const { status } = this;
    if (status === 'CAPABILITY' && this.isUntagged) this.#beginList();
    else if (status === 'OK' || status === 'PREAUTH') n.listing = Listing.perhaps;
  }

  /** Within a list of capabilities, or in the word that may begin one. */
  #takeWord(c: number): void {
    const n = this.numbers;
    if (c !== SPACE && c !== BRACKET) {
      if (n.wordLength < this.#word.length) this.#word[n.wordLength++] = c;
      return;
    }
    this.#wordEnded();
    if (c === BRACKET) n.listing = Listing.none;
  }

  #wordEnded(): void {
    const n = this.numbers;
    if (n.listing === Listing.open) {
      const offer = OFFERS.find(this.#word, n.wordLength) ?? Offer.none;
      if (offer > n.offer) n.offer = offer;
    } else if (n.listing === Listing.perhaps) {
      n.listing = Listing.none;
      if (LIST.find(this.#word, n.wordLength) !== undefined) this.#beginList();
    }
    n.wordLength = 0;
  }

  #beginList(): void {
    this.numbers.listing = Listing.open;
    this.numbers.offer = Offer.none;
  }

  #lineEnded(): number {
    const n = this.numbers;
    if (n.part === Part.rest) this.#wordEnded();
    // A status line has text behind it, in which a brace is a brace.
    const isData = this.isUntagged && this.status === undefined;
    const literal = isData && n.brace === Brace.closed;
    n.brace = Brace.none;
    if (!literal) return Found.line;
    n.part = Part.rest; // the line goes on behind it
    n.listing = Listing.none;
    return Found.literal;
  }
}
