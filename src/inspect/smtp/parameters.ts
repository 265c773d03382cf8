/**
 * The arguments of MAIL (SEND, SOML, SAML), RCPT and ETRN, byte by byte: the path with its attack signatures, and under
 * `esmtp` the parameters in syntax and against what the server offered. A byte that makes them wrong is found when it
 * comes, so that masking can start there and what went out before needs no taking back.
 */
import { CLASSES, CLASS_OF, idsAhead, OTHER, START, wordDfa, type WordDfa } from './dfa.js';
import type { SignatureId } from './finding.js';
import { COMMANDS, offerBit, PARAMETERS, type Parameter, type ValueForm } from './grammar.js';
import { BAD_RECIPIENT, BAD_SENDER, DECODE_ALIAS, DECODE_ALIASES } from './signatures.js';

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS_THAN = 0x3c;
const EQUALS = 0x3d;
const GREATER_THAN = 0x3e;
const AT = 0x40;
const BACKSLASH = 0x5c;
const PIPE = 0x7c;

/** What `step` says of a byte. A number from 3101 on is the signature that it completes. */
export const FITS = 0;
export const UNFIT = 1;
export type Fit = typeof FITS | typeof UNFIT | SignatureId;

interface CompiledParameter {
  bit: number;
  extension: number;
  form: ValueForm['form'];
  words: WordDfa | undefined;
  ahead: Int32Array;
  /** By word (id - 1): the extension it needs, as a bit, or 0. */
  needs: readonly number[];
}

const ENTRIES = Object.entries<Parameter>(PARAMETERS);
const KEYWORDS = wordDfa(ENTRIES.map(([keyword], i) => [keyword, i + 1]));
const KEYWORDS_AHEAD = idsAhead(KEYWORDS);
const COMPILED = ENTRIES.map(([, p], i): CompiledParameter => {
  const { value } = p;
  const list = 'words' in value ? value.words : [];
  const words = list.length === 0 ? undefined : wordDfa(list.map((word, w) => [word, w + 1]));
  const needs = 'needs' in value ? value.needs : undefined;
  return {
    bit: 1 << (i + 1),
    extension: offerBit(p.extension),
    form: value.form,
    words,
    ahead: words === undefined ? new Int32Array() : idsAhead(words),
    needs: list.map((word) => (needs?.[word] === undefined ? 0 : offerBit(needs[word]))),
  };
});
const keywordsOf = (command: Parameter['command']): number =>
  ENTRIES.reduce((set, [, p], i) => (p.command === command ? set | COMPILED[i]!.bit : set), 0);
const MAIL_KEYWORDS = keywordsOf('MAIL');
const RCPT_KEYWORDS = keywordsOf('RCPT');

const MAX_SIZE_DIGITS = 20; // RFC 1870 §4
/** Node name of ETRN: a domain, an address literal, `@domain`, `#queue` (RFC 1985 §5.1). */
const NODE_NAME = /[A-Za-z0-9.\-_@#[\]:]/;
const IN_NODE_NAME = Uint8Array.from({ length: 256 }, (_, c) => +NODE_NAME.test(String.fromCharCode(c)));

const State = {
  /** A command without arguments that concern us. */
  none: 0,
  /** In `FROM:` or `TO:`. */
  word: 1,
  beforePath: 2,
  bracketed: 3,
  /** A path without angle brackets; RFC 5321 does not allow it, many servers do. */
  bare: 4,
  afterPath: 5,
  beforeKeyword: 6,
  keyword: 7,
  value: 8,
  node: 9,
  /** Not `FROM:` or `TO:`, under `smtp`: the server judges it. */
  unknown: 10,
} as const;
type State = (typeof State)[keyof typeof State];

export class Arguments {
  #state: State = State.none;
  readonly #esmtp: boolean;
  #recipient = false;
  #quoted = false;
  #escaped = false;
  /** State in DECODE_ALIASES within the local part. */
  #alias = START;
  /** Keywords this command may have now, and those it had: bits 1 << id. */
  #possible = 0;
  #seen = 0;
  #offered = 0;
  /** State in KEYWORDS, index in COMPILED. */
  #keyword = START;
  #parameter = 0;
  /** Within a value: state in its words, or how far its form has got. */
  #value = 0;
  #digits = 0;

  constructor(esmtp: boolean) {
    this.#esmtp = esmtp;
  }

  /** Behind the verb with match id `id`. @param offered bits of the extensions that the server offered */
  begin(id: number, offered: number): void {
    this.#recipient = id === COMMANDS.RCPT.id;
    const path =
      this.#recipient ||
      id === COMMANDS.MAIL.id ||
      id === COMMANDS.SEND.id ||
      id === COMMANDS.SOML.id ||
      id === COMMANDS.SAML.id;
    this.#state = path ? State.word : this.#esmtp && id === COMMANDS.ETRN.id ? State.node : State.none;
    this.#digits = 0;
    this.#quoted = false;
    this.#escaped = false;
    this.#alias = START;
    this.#offered = offered;
    this.#seen = 0;
    this.#possible = 0;
    if (!path) return;
    const own = this.#recipient ? RCPT_KEYWORDS : MAIL_KEYWORDS;
    for (const p of COMPILED) if ((own & p.bit) !== 0 && (offered & p.extension) !== 0) this.#possible |= p.bit;
  }

  /** Takes the next byte behind the verb, before CR LF. */
  step(c: number): Fit {
    switch (this.#state) {
      case State.none:
        return FITS;
      case State.word:
        return this.#word(c);
      case State.beforePath:
        if (isBlank(c)) return FITS;
        this.#state = c === LESS_THAN ? State.bracketed : State.bare;
        return c === LESS_THAN ? FITS : this.#bare(c);
      case State.bracketed:
        return this.#bracketed(c);
      case State.bare:
        return this.#bare(c);
      case State.afterPath:
        if (isBlank(c)) this.#state = State.beforeKeyword;
        return isBlank(c) || !this.#esmtp ? FITS : UNFIT;
      case State.beforeKeyword:
        if (isBlank(c) || !this.#esmtp) return FITS;
        this.#state = State.keyword;
        this.#keyword = START;
        return this.#inKeyword(c);
      case State.keyword:
        return this.#inKeyword(c);
      case State.value:
        return this.#inValue(c);
      case State.node:
        return IN_NODE_NAME[c] === 1 || isBlank(c) ? FITS : UNFIT;
      default:
        return c === PIPE ? this.#pipe() : FITS;
    }
  }

  /** At CR LF. @returns UNFIT where something is missing; CR LF cannot be masked, the server will say so */
  end(): Fit {
    switch (this.#state) {
      case State.bracketed:
      case State.bare:
        return this.#isDecodeAlias() ? DECODE_ALIAS : FITS;
      case State.keyword:
        return this.#keywordEnds() ? FITS : UNFIT;
      case State.value:
        return this.#valueEnds() ? FITS : UNFIT;
      default:
        return FITS;
    }
  }

  #word(c: number): Fit {
    const word = this.#recipient ? 'TO:' : 'FROM:';
    if (isBlank(c) && (this.#digits === 0 || this.#digits === word.length - 1)) return FITS;
    const expected = word.charCodeAt(this.#digits);
    if (c === expected || (expected !== COLON && (c & 0xdf) === expected)) {
      if (++this.#digits === word.length) this.#state = State.beforePath;
      return FITS;
    }
    this.#state = State.unknown;
    return c === PIPE ? this.#pipe() : this.#esmtp ? UNFIT : FITS;
  }

  #bracketed(c: number): Fit {
    if (c === PIPE) return this.#pipe();
    if (this.#escaped) this.#escaped = false;
    else if (c === BACKSLASH) this.#escaped = true;
    else if (c === QUOTE) this.#quoted = !this.#quoted;
    else if (c === GREATER_THAN && !this.#quoted) {
      this.#state = State.afterPath;
      return this.#isDecodeAlias() ? DECODE_ALIAS : FITS;
    }
    return this.#localPart(c);
  }

  #bare(c: number): Fit {
    if (c === PIPE) return this.#pipe();
    if (!isBlank(c)) return this.#localPart(c);
    this.#state = State.beforeKeyword;
    return this.#isDecodeAlias() ? DECODE_ALIAS : FITS;
  }

  /** `decode@` at the start of the path or behind the colon of a source route. */
  #localPart(c: number): Fit {
    if (c === AT && this.#isDecodeAlias()) return DECODE_ALIAS;
    if (c === QUOTE) return FITS; // "decode"@ is the same mailbox
    this.#alias = c === COLON ? START : DECODE_ALIASES.next[this.#alias * CLASSES + CLASS_OF[c]!]!;
    return FITS;
  }

  #isDecodeAlias(): boolean {
    return this.#recipient && DECODE_ALIASES.accept[this.#alias] !== 0;
  }

  #pipe(): Fit {
    return this.#recipient ? BAD_RECIPIENT : BAD_SENDER;
  }

  #inKeyword(c: number): Fit {
    if (isBlank(c)) {
      this.#state = State.beforeKeyword;
      return this.#keywordEnds() ? FITS : UNFIT;
    }
    const left = this.#possible & ~this.#seen;
    if (c === EQUALS) {
      const id = KEYWORDS.accept[this.#keyword]!;
      if (id === 0 || (left & (1 << id)) === 0 || COMPILED[id - 1]!.form === 'none') return UNFIT;
      this.#seen |= 1 << id;
      this.#parameter = id - 1;
      this.#value = START;
      this.#digits = 0;
      this.#state = State.value;
      return FITS;
    }
    this.#keyword = KEYWORDS.next[this.#keyword * CLASSES + CLASS_OF[c]!]!;
    return this.#keyword !== OTHER && (KEYWORDS_AHEAD[this.#keyword]! & left) !== 0 ? FITS : UNFIT;
  }

  /** A keyword without value ends here. */
  #keywordEnds(): boolean {
    const id = KEYWORDS.accept[this.#keyword]!;
    if (id === 0 || (this.#possible & ~this.#seen & (1 << id)) === 0 || COMPILED[id - 1]!.form !== 'none') return false;
    this.#seen |= 1 << id;
    return true;
  }

  #inValue(c: number): Fit {
    if (isBlank(c)) {
      this.#state = State.beforeKeyword;
      return this.#valueEnds() ? FITS : UNFIT;
    }
    const p = COMPILED[this.#parameter]!;
    switch (p.form) {
      case 'digits':
        return c >= 0x30 && c <= 0x39 && ++this.#digits <= MAX_SIZE_DIGITS ? FITS : UNFIT;
      case 'word':
      case 'list':
        return this.#inWords(c, p);
      case 'typed-xtext':
        if (this.#digits === 0 && this.#value === START) return this.#inAddressType(c);
        return this.#inXtext(c);
      default:
        return this.#inXtext(c);
    }
  }

  #inWords(c: number, p: CompiledParameter): Fit {
    const words = p.words!;
    if (c === COMMA && p.form === 'list') {
      // The first word stands alone (NOTIFY=NEVER).
      if (words.accept[this.#value]! <= 1) return UNFIT;
      this.#value = START;
      this.#digits = 1;
      return FITS;
    }
    this.#value = words.next[this.#value * CLASSES + CLASS_OF[c]!]!;
    if (this.#value === OTHER) return UNFIT;
    let possible = p.ahead[this.#value]!;
    if (this.#digits > 0) possible &= ~(1 << 1);
    for (let w = 0; w < p.needs.length; w++) {
      if (p.needs[w] !== 0 && (p.needs[w]! & this.#offered) === 0) possible &= ~(1 << (w + 1));
    }
    return possible !== 0 ? FITS : UNFIT;
  }

  /** addr-type, an atom, up to its semicolon. Then `#value` counts the hex digits of xtext as below. */
  #inAddressType(c: number): Fit {
    if (c === SEMICOLON) {
      this.#value = 0;
      return FITS;
    }
    return c > SPACE && c < 0x7f && c !== EQUALS ? FITS : UNFIT;
  }

  /** xtext: `#value` is 2 behind a `+`, 1 behind its first hex digit. START (1) of a value means nothing seen yet. */
  #inXtext(c: number): Fit {
    if (this.#digits === 0) {
      this.#digits = 1;
      this.#value = 0;
    }
    if (this.#value > 0) {
      this.#value--;
      return isHex(c) ? FITS : UNFIT;
    }
    if (c === PLUS) this.#value = 2;
    return c > SPACE && c < 0x7f && c !== EQUALS ? FITS : UNFIT;
  }

  #valueEnds(): boolean {
    const p = COMPILED[this.#parameter]!;
    if (p.words !== undefined) return p.words.accept[this.#value] !== 0;
    return this.#digits > 0 && (p.form === 'digits' || this.#value === 0);
  }
}

const isBlank = (c: number): boolean => c === SPACE || c === TAB;
const isHex = (c: number): boolean => (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
