/**
 * The arguments of MAIL (SEND, SOML, SAML), RCPT and ETRN, byte by byte: the path with its attack signatures, and under
 * `esmtp` the parameters in syntax and against what the server offered. A byte that makes them wrong is found when it
 * comes, so that masking can start there and what went out before needs no taking back.
 */
import type { StateIo } from '../../memory/state-io.js';
import { CLASSES, CLASS_OF, OTHER, START } from './dfa.js';
import type { SignatureId } from './finding.js';
import { COMMANDS } from './grammar.js';
import type { ParameterTable } from './parameter-table.js';
import { ParameterValue } from './parameter-value.js';
import { BAD_RECIPIENT, BAD_SENDER, DECODE_ALIAS, DECODE_ALIASES } from './signatures.js';

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
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
  readonly #table: ParameterTable;
  #recipient = false;
  #quoted = false;
  #escaped = false;
  /** State in DECODE_ALIASES within the local part. */
  #alias = START;
  /** Keywords this command may have now, and those it had: bits 1 << id. */
  #possible = 0;
  #seen = 0;
  #offered = 0;
  /** State in the table's keywords. */
  #keyword = START;
  /** Id of the parameter whose value comes, or came last; 0: none yet. */
  #valued = 0;
  readonly #value = new ParameterValue();
  /** Bytes of `FROM:` or `TO:` so far. */
  #matched = 0;

  constructor(esmtp: boolean, table: ParameterTable) {
    this.#esmtp = esmtp;
    this.#table = table;
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
    this.#matched = 0;
    this.#quoted = false;
    this.#escaped = false;
    this.#alias = START;
    this.#offered = offered;
    this.#seen = 0;
    this.#possible = 0;
    this.#valued = 0;
    if (!path) return;
    const { parameters, ofMail, ofRcpt } = this.#table;
    const own = this.#recipient ? ofRcpt : ofMail;
    for (let i = 0; i < parameters.length; i++) {
      const { bit, extension } = parameters[i]!;
      if ((own & bit) !== 0 && (extension === 0 || (offered & extension) !== 0)) this.#possible |= bit;
    }
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    const { keywords, parameters } = this.#table;
    this.#state = io.below(this.#state, State.unknown + 1) as State;
    this.#recipient = io.flag(this.#recipient);
    this.#quoted = io.flag(this.#quoted);
    this.#escaped = io.flag(this.#escaped);
    this.#alias = io.below(this.#alias, DECODE_ALIASES.accept.length);
    this.#possible = io.int(this.#possible);
    this.#seen = io.int(this.#seen);
    this.#offered = io.int(this.#offered);
    this.#keyword = io.below(this.#keyword, keywords.accept.length);
    this.#valued = io.below(this.#valued, parameters.length + 1);
    this.#matched = io.below(this.#matched, 6);
    this.#value.sync(io, parameters[this.#valued - 1]);
    if (this.#state === State.value && this.#valued === 0) io.sound = false;
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
        if (!isBlank(c)) return this.#value.step(c) ? FITS : UNFIT;
        this.#state = State.beforeKeyword;
        return this.#value.complete ? FITS : UNFIT;
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
        return this.#value.complete ? FITS : UNFIT;
      default:
        return FITS;
    }
  }

  #word(c: number): Fit {
    const word = this.#recipient ? 'TO:' : 'FROM:';
    if (isBlank(c) && (this.#matched === 0 || this.#matched === word.length - 1)) return FITS;
    const expected = word.charCodeAt(this.#matched);
    if (c === expected || (expected !== COLON && (c & 0xdf) === expected)) {
      if (++this.#matched === word.length) this.#state = State.beforePath;
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
    if (c === QUOTE || (isBlank(c) && this.#alias === START)) return FITS; // "decode"@ is the same mailbox
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
    const { keywords, ahead, parameters } = this.#table;
    const left = this.#possible & ~this.#seen;
    if (c === EQUALS) {
      const id = keywords.accept[this.#keyword]!;
      if (id === 0 || (left & (1 << id)) === 0 || parameters[id - 1]!.form === 'none') return UNFIT;
      this.#seen |= 1 << id;
      this.#valued = id;
      this.#value.begin(parameters[id - 1]!, this.#offered);
      this.#state = State.value;
      return FITS;
    }
    this.#keyword = keywords.next[this.#keyword * CLASSES + CLASS_OF[c]!]!;
    return this.#keyword !== OTHER && (ahead[this.#keyword]! & left) !== 0 ? FITS : UNFIT;
  }

  /** A keyword without value ends here. */
  #keywordEnds(): boolean {
    const id = this.#table.keywords.accept[this.#keyword]!;
    if (id === 0 || (this.#possible & ~this.#seen & (1 << id)) === 0) return false;
    const { form } = this.#table.parameters[id - 1]!;
    if (form !== 'none' && form !== 'any') return false;
    this.#seen |= 1 << id;
    return true;
  }
}

const isBlank = (c: number): boolean => c === SPACE || c === TAB;
