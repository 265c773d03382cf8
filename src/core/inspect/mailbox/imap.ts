/**
 * `ip inspect name NAME imap [reset] [secure-login]`: the client's commands are those of imap-commands.ts, in the state
 * that allows them. Unlike IOS, which passes everything once the client is authenticated, we follow the dialogue to its
 * end: only so is it known which bytes are a command, and LOGOUT the last one (the guide wants nothing behind it).
 *
 * A literal is skipped by its count, on both sides. Servers differ in what they make of braces and quotes that the
 * grammar does not allow, and so in which bytes they take for commands: such a line is illegal. Behind STARTTLS,
 * AUTHENTICATE, COMPRESS, IDLE and a synchronising literal no byte may come before the server's reply.
 */
import type { FlatMemory } from '../../memory/flat-memory.js';
import { type FindingHost, type InspectedProtocol, StreamAction, type StreamInspector } from '../inspector.js';
import { IMAP_COMMANDS, type ImapCommand, Sync, UID_COMMANDS } from './imap-commands.js';
import {
  CR,
  isMechanismByte,
  LF,
  loadState,
  type InvalidKind,
  type MailboxFinding,
  type MailboxOptions,
  type MailboxReason,
  MECHANISM_MOST,
  MECHANISMS,
  RESPONSE_LIMIT,
  saveState,
  SPACE,
  stateWords,
  WordTable,
} from './mailbox.js';

/** What the client's next bytes are. `tls`: STARTTLS was accepted; `over`: LOGOUT was sent. */
const Expect = {
  command: 0,
  literal: 1,
  response: 2,
  done: 3,
  awaiting: 4,
  tls: 5,
  over: 6,
  opaque: 7,
  ended: 8,
} as const;

/** Where in a line a side is. `word`: a mechanism, or what follows UID. */
const Part = { tag: 0, verb: 1, word: 2, rest: 3 } as const;

/** Of a brace that may begin a literal. */
const Brace = { none: 0, digits: 1, plus: 2, closed: 3 } as const;

const Quote = { none: 0, open: 1, escape: 2 } as const;

/** Longest tag, bytes. Ours: RFC 9051 sets no limit. */
const TAG_MOST = 64;
/** A command's lines without its literals, bytes. Ours; RFC 7162 §4 wants 8,192 at least. */
const COMMAND_LIMIT = 65_536;
const MOST_LITERAL = 0xffffffff;

const STAR = 0x2a;
const PLUS = 0x2b;
const OPEN = 0x28;
const CLOSE = 0x29;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const BRACKET = 0x5d;
const DONE = new WordTable<true>({ DONE: true });
const STATUS = new WordTable<'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH'>({
  OK: 'OK',
  NO: 'NO',
  BAD: 'BAD',
  BYE: 'BYE',
  PREAUTH: 'PREAUTH',
});

/** ASTRING-CHAR but `+` (RFC 9051 §9, tag). */
const isTagByte = (c: number): boolean => c > SPACE && c < 0x7f && !NO_TAG.includes(c);
const NO_TAG = [OPEN, CLOSE, OPEN_BRACE, 0x25, STAR, QUOTE, BACKSLASH, PLUS];

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

function newState() {
  return {
    expect: Expect.command as number,
    part: Part.tag as number,
    length: 0,
    tagLength: 0,
    verbLength: 0,
    wordLength: 0,
    cr: 0,
    /** An argument may begin here: a quoted string or a literal. */
    boundary: 0,
    /** A quoted string or literal ended here: only a blank or a closing bracket may follow. */
    closed: 0,
    quote: Quote.none as number,
    brace: Brace.none as number,
    /** Of a literal: bytes; whether its count has a digit; whether it comes without the server's leave ({n+}). */
    literal: 0,
    counted: 0,
    atOnce: 0,
    authenticated: 0,
    /** Whose tagged reply changes something; and how many tagged replies come up to and with it. */
    sync: Sync.none as number,
    syncTagLength: 0,
    ahead: 0,
    layer: 0,
    /** Commands without their tagged reply. */
    waiting: 0,
    greeted: 0,
    /** Of the server's line. */
    replyPart: Part.tag as number,
    replyTagLength: 0,
    statusLength: 0,
    replyBrace: Brace.none as number,
    replyLiteral: 0,
    /** Bytes of a server's literal still to come. */
    replySkip: 0,
    unread: 0,
  };
}

export class ImapInspector implements StreamInspector {
  readonly modified = false;
  readonly #state = newState();
  readonly #tag = new Uint8Array(TAG_MOST);
  readonly #verb = new Uint8Array(16);
  readonly #word = new Uint8Array(MECHANISM_MOST);
  readonly #syncTag = new Uint8Array(TAG_MOST);
  readonly #replyTag = new Uint8Array(TAG_MOST);
  readonly #status = new Uint8Array(8);
  readonly #texts = [this.#tag, this.#verb, this.#word, this.#syncTag, this.#replyTag, this.#status];
  /** Of the line in progress; undefined for X…, which RFC 3501 §6.5.1 leaves to servers. */
  #command: ImapCommand | undefined;

  constructor(
    private readonly options: MailboxOptions,
    private readonly host: FindingHost<MailboxFinding>,
  ) {}

  /** Words that `save` writes. */
  get words(): number {
    return stateWords(this.#state, this.#texts);
  }

  /** Writes all there is of the session, from word `at`. May be called between any two calls. */
  save(m: FlatMemory, at: number): void {
    saveState(m, at, this.#state, this.#texts);
  }

  load(m: FlatMemory, at: number): void {
    loadState(m, at, this.#state, this.#texts);
    this.#command = this.#state.part > Part.verb ? IMAP_COMMANDS.find(this.#verb, this.#state.verbLength) : undefined;
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    const s = this.#state;
    if (s.expect === Expect.tls) s.expect = Expect.opaque; // its first byte of the handshake
    if (s.expect === Expect.opaque) return StreamAction.opaque;
    let i = at;
    while (i < end && s.expect !== Expect.ended) {
      if (s.expect === Expect.literal) {
        const skipped = Math.min(end - i, s.literal);
        i += skipped;
        s.literal -= skipped;
        if (s.literal === 0) this.#literalEnded();
      } else this.#client(b[i++]!);
    }
    return s.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number, _now: number, unacknowledged: number): StreamAction {
    const s = this.#state;
    let i = at;
    while (i < end) {
      if (s.expect === Expect.ended) return StreamAction.reset;
      if (s.expect === Expect.opaque) return StreamAction.opaque;
      if (s.replySkip > 0) {
        const skipped = Math.min(end - i, s.replySkip);
        i += skipped;
        s.replySkip -= skipped;
        continue;
      }
      if (s.replyPart === Part.tag && s.replyTagLength === 0) s.unread = unacknowledged > 0 ? 1 : 0;
      this.#server(b[i++]!);
    }
    return s.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  // ---- the client

  #client(c: number): void {
    const s = this.#state;
    if (s.expect === Expect.awaiting) {
      this.#invalid('early-data');
      return;
    }
    if (s.expect === Expect.over) {
      this.#invalid('behind-last');
      return;
    }
    s.length++;
    const limit = s.expect === Expect.command ? COMMAND_LIMIT : RESPONSE_LIMIT;
    if (s.length > limit) {
      this.#invalid('too-long');
      return;
    }
    // Servers differ in what ends a line for them: what is none for one is two for the other.
    if (s.cr === 1 ? c !== LF : c === LF || c === 0) {
      this.#invalid('bare-line-break');
      return;
    }
    if (c === CR) {
      s.cr = 1;
      return;
    }
    if (s.expect === Expect.response) {
      if (c === LF) this.#beginLine(Expect.awaiting);
    } else if (s.expect === Expect.done) this.#done(c);
    else if (s.part === Part.tag) this.#readTag(c);
    else if (s.part === Part.verb) this.#readVerb(c);
    else if (s.part === Part.word) this.#readWord(c);
    else this.#readArgument(c);
  }

  #beginLine(expect: number): void {
    const s = this.#state;
    s.expect = expect;
    s.part = Part.tag;
    s.length = 0;
    s.tagLength = 0;
    s.verbLength = 0;
    s.wordLength = 0;
    s.cr = 0;
    s.boundary = 0;
    s.closed = 0;
    s.quote = Quote.none;
    s.brace = Brace.none;
    this.#command = undefined;
  }

  /** The line that ends IDLE (RFC 2177). */
  #done(c: number): void {
    const s = this.#state;
    if (c === LF) {
      if (DONE.find(this.#word, s.wordLength) === undefined) {
        this.#invalid('invalid-verb');
        return;
      }
      this.#beginLine(Expect.command);
    } else if (s.wordLength === DONE.longest) this.#invalid('invalid-verb');
    else this.#word[s.wordLength++] = c;
  }

  #readTag(c: number): void {
    const s = this.#state;
    if (c === SPACE && s.tagLength > 0) s.part = Part.verb;
    else if (!isTagByte(c) || s.tagLength === TAG_MOST) this.#invalid('invalid-tag');
    else this.#tag[s.tagLength++] = c;
  }

  #readVerb(c: number): void {
    const s = this.#state;
    if (c !== SPACE && c !== LF) {
      if (s.verbLength === this.#verb.length) {
        this.#invalid('invalid-verb');
        return;
      }
      this.#verb[s.verbLength++] = c;
      return;
    }
    const command = IMAP_COMMANDS.find(this.#verb, s.verbLength);
    const isOwn = s.verbLength > 1 && (this.#verb[0]! & 0xdf) === 0x58; // X…
    if (command === undefined && !(isOwn && s.authenticated === 1)) {
      this.#invalid('invalid-verb');
      return;
    }
    this.#command = command;
    const fault = command === undefined ? undefined : this.#outOfState(command);
    if (fault !== undefined) {
      this.#invalid(fault);
      return;
    }
    if (command?.sync === Sync.login && this.options.secureLogin) {
      this.#insecure('LOGIN');
      return;
    }
    s.waiting++;
    const takesWord = command !== undefined && (command.sync === Sync.authenticate || command.name === 'UID');
    s.part = takesWord ? Part.word : Part.rest;
    s.boundary = 1;
    if (c === LF) {
      if (takesWord) {
        this.#invalid('invalid-argument');
        return;
      }
      this.#lineEnded();
    }
  }

  #outOfState({ when, sync }: ImapCommand): MailboxReason | undefined {
    const s = this.#state;
    // A login has been sent: what needs one may follow at once, but nothing whose own reply counts.
    const hoped = s.sync === Sync.login;
    if (hoped && sync !== Sync.none) return 'early-data';
    if (when === 'authenticated' && s.authenticated === 0 && !hoped) return 'not-authenticated';
    if (when === 'not-authenticated' && s.authenticated === 1) return 'already-authenticated';
    return undefined;
  }

  /** The mechanism behind AUTHENTICATE, or the command behind UID. */
  #readWord(c: number): void {
    const s = this.#state;
    if (c !== SPACE && c !== LF) {
      if (s.wordLength === MECHANISM_MOST || !isMechanismByte(c)) {
        this.#invalid('invalid-argument');
        return;
      }
      this.#word[s.wordLength++] = c;
      return;
    }
    if (this.#command!.sync === Sync.authenticate) {
      const found = MECHANISMS.find(this.#word, s.wordLength);
      if (s.wordLength === 0) {
        this.#invalid('invalid-argument');
        return;
      }
      if (this.options.secureLogin && found?.secure !== true) {
        this.#insecure('AUTHENTICATE', found?.name);
        return;
      }
      s.layer = found?.layer === true ? 1 : 0;
    } else if (UID_COMMANDS.find(this.#word, s.wordLength) === undefined) {
      this.#invalid('invalid-verb');
      return;
    }
    s.part = Part.rest;
    s.boundary = 1;
    if (c === LF) this.#lineEnded();
  }

  #readArgument(c: number): void {
    const s = this.#state;
    if (s.quote !== Quote.none) {
      if (c === LF) {
        this.#invalid('invalid-quoted-string');
        return;
      }
      if (s.quote === Quote.escape) s.quote = Quote.open;
      else if (c === BACKSLASH) s.quote = Quote.escape;
      else if (c === QUOTE) {
        s.quote = Quote.none;
        s.closed = 1;
      }
      return;
    }
    if (c === LF) {
      if (s.brace === Brace.none || s.brace === Brace.closed) this.#lineEnded();
      else this.#invalid('invalid-literal');
      return;
    }
    if (this.#command?.bare === true && c !== SPACE) {
      this.#invalid('invalid-argument');
      return;
    }
    if (s.closed === 1 && c !== SPACE && c !== CLOSE && c !== BRACKET) {
      this.#invalid('invalid-argument');
      return;
    }
    s.closed = 0;
    if (s.brace !== Brace.none) {
      this.#readCount(c);
      return;
    }
    if (c === OPEN_BRACE || c === QUOTE) {
      if (s.boundary === 0) {
        this.#invalid(c === QUOTE ? 'invalid-quoted-string' : 'invalid-literal');
        return;
      }
      s.literal = 0;
      s.counted = 0;
      s.atOnce = 0;
      if (c === QUOTE) s.quote = Quote.open;
      else s.brace = Brace.digits;
      s.boundary = 0;
    } else if (c !== TILDE || s.boundary === 0) s.boundary = c === SPACE || c === OPEN ? 1 : 0; // ~{n}: RFC 3516
  }

  /** Within {n} or {n+} (RFC 9051 §4.3, RFC 7888). */
  #readCount(c: number): void {
    const s = this.#state;
    if (s.brace === Brace.digits && isDigit(c)) {
      s.literal = s.literal * 10 + c - 0x30;
      s.counted = 1;
      if (s.literal > MOST_LITERAL) this.#invalid('invalid-literal');
    } else if (s.counted === 0) this.#invalid('invalid-literal');
    else if (s.brace === Brace.digits && c === PLUS) s.brace = Brace.plus;
    else if (c === CLOSE_BRACE && s.brace !== Brace.closed) {
      s.atOnce = s.brace === Brace.plus ? 1 : 0;
      s.brace = Brace.closed;
    } else this.#invalid('invalid-literal');
  }

  #literalEnded(): void {
    const s = this.#state;
    s.expect = Expect.command;
    s.closed = 1;
  }

  /** A line of a command has ended: with the command, or with the count of a literal. */
  #lineEnded(): void {
    const s = this.#state;
    s.cr = 0;
    if (s.brace === Brace.closed) {
      s.brace = Brace.none;
      if (s.atOnce === 0) {
        if (s.sync === Sync.login) {
          this.#invalid('early-data');
          return;
        }
        this.#await(Sync.literal);
      } else if (s.literal > 0) s.expect = Expect.literal;
      else this.#literalEnded();
      return;
    }
    const command = this.#command;
    const sync = command?.sync ?? Sync.none;
    const over = command?.name === 'LOGOUT';
    if (sync !== Sync.none) this.#await(sync);
    this.#beginLine(over ? Expect.over : sync > Sync.login ? Expect.awaiting : Expect.command);
  }

  #await(sync: Sync): void {
    const s = this.#state;
    s.sync = sync;
    s.ahead = s.waiting;
    s.syncTagLength = s.tagLength;
    this.#syncTag.set(this.#tag);
    s.expect = Expect.awaiting;
  }

  // ---- the server

  #server(c: number): void {
    const s = this.#state;
    if (s.expect === Expect.tls) {
      this.#end('invalid-reply', 'behind-tls');
      return;
    }
    if (c === CR) return;
    if (c === LF) {
      this.#replyLineEnded();
      return;
    }
    if (s.replyPart === Part.tag) {
      if (c === SPACE && s.replyTagLength > 0) s.replyPart = Part.verb;
      else if (s.replyTagLength === TAG_MOST) this.#end('invalid-reply', 'invalid-reply');
      else this.#replyTag[s.replyTagLength++] = c;
      return;
    }
    if (s.replyPart === Part.verb) {
      if (c === SPACE || s.statusLength === this.#status.length) s.replyPart = Part.rest;
      else this.#status[s.statusLength++] = c;
    }
    if (c === OPEN_BRACE) {
      s.replyBrace = Brace.digits;
      s.replyLiteral = 0;
    } else if (s.replyBrace === Brace.digits && isDigit(c)) {
      s.replyLiteral = s.replyLiteral * 10 + c - 0x30;
      if (s.replyLiteral > MOST_LITERAL) this.#end('invalid-reply', 'invalid-literal');
    } else if (s.replyBrace === Brace.digits && c === PLUS) s.replyBrace = Brace.plus;
    else if (s.replyBrace !== Brace.none && c === CLOSE_BRACE) s.replyBrace = Brace.closed;
    else s.replyBrace = Brace.none;
  }

  #replyLineEnded(): void {
    const s = this.#state;
    const first = this.#replyTag[0];
    const single = s.replyTagLength === 1;
    const status = s.replyTagLength > 0 ? STATUS.find(this.#status, s.statusLength) : undefined;
    const data = single && first === STAR && status === undefined;
    const literal = data && s.replyBrace === Brace.closed;
    s.replyBrace = Brace.none;
    if (literal) {
      s.replySkip = s.replyLiteral; // the line goes on behind it
      s.replyPart = Part.rest;
      return;
    }
    if (s.greeted === 0) this.#greeting(single && first === STAR, status);
    else if (s.replyTagLength === 0) this.#end('invalid-reply', 'invalid-reply');
    else if (single && first === PLUS) this.#continuation();
    else if (!single || first !== STAR) this.#tagged(status);
    s.replyPart = Part.tag;
    s.replyTagLength = 0;
    s.statusLength = 0;
  }

  #greeting(untagged: boolean, status: string | undefined): void {
    const s = this.#state;
    if (!untagged || (status !== 'OK' && status !== 'PREAUTH' && status !== 'BYE')) {
      this.#end('invalid-reply', 'invalid-greeting');
      return;
    }
    s.greeted = 1;
    if (status === 'PREAUTH') s.authenticated = 1;
  }

  /** `+`: the client may go on with what it has begun. */
  #continuation(): void {
    const s = this.#state;
    if (s.expect !== Expect.awaiting) return;
    if (s.sync === Sync.literal) {
      s.sync = Sync.none;
      if (s.literal > 0) s.expect = Expect.literal;
      else this.#literalEnded();
    } else if (s.sync === Sync.authenticate) this.#beginLine(Expect.response);
    else if (s.sync === Sync.idle) this.#beginLine(Expect.done);
  }

  #tagged(status: string | undefined): void {
    const s = this.#state;
    if (status !== 'OK' && status !== 'NO' && status !== 'BAD') {
      this.#end('invalid-reply', 'invalid-reply');
      return;
    }
    if (s.waiting === 0) {
      this.#end('invalid-reply', 'reply-to-nothing');
      return;
    }
    s.waiting--;
    if (s.ahead > 0) s.ahead--;
    // With a tag used twice, the first reply belongs to the first command.
    if (s.sync === Sync.none || s.ahead > 0 || !this.#answersSync()) return;
    const { sync } = s;
    s.sync = Sync.none;
    const ok = status === 'OK';
    if (sync === Sync.login) {
      if (ok) s.authenticated = 1;
      return;
    }
    this.#beginLine(Expect.command);
    if (!ok) return;
    if (s.unread === 1 && (sync === Sync.starttls || sync === Sync.compress)) {
      this.#end('invalid-reply', 'early-reply');
      return;
    }
    if (sync === Sync.starttls) s.expect = Expect.tls;
    else if (sync === Sync.compress) s.expect = Expect.opaque;
    else if (sync === Sync.unauthenticate) s.authenticated = 0;
    else if (sync === Sync.authenticate) {
      s.authenticated = 1;
      if (s.layer === 1) s.expect = Expect.opaque;
    }
  }

  #answersSync(): boolean {
    const s = this.#state;
    if (s.replyTagLength !== s.syncTagLength) return false;
    for (let i = 0; i < s.syncTagLength; i++) if (this.#replyTag[i] !== this.#syncTag[i]) return false;
    return true;
  }

  #invalid(why: MailboxReason): void {
    this.#end('invalid-command', why);
  }

  #end(kind: InvalidKind, why: MailboxReason): void {
    this.#state.expect = Expect.ended;
    this.host.report({ kind, why, fromInitiator: kind === 'invalid-command' });
  }

  /** Under `secure-login`. @param command,mechanism words of ours */
  #insecure(command: string, mechanism = ''): void {
    this.#state.expect = Expect.ended;
    this.host.report({ kind: 'insecure-login', command, mechanism, fromInitiator: true });
  }
}

export const IMAP: InspectedProtocol<'imap', MailboxFinding> = {
  service: 'imap',
  port: 143,
  make: (options, host) => new ImapInspector({ secureLogin: options['secureLogin'] === true }, host),
};
