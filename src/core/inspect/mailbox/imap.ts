/**
 * `ip inspect name NAME imap [reset] [secure-login]`: the client's commands are those of imap-commands.ts, in the state
 * that allows them. Unlike IOS, which passes everything once the client is authenticated, we follow the dialogue to its
 * end: only so is it known which bytes are a command, and LOGOUT the last one (the guide wants nothing behind it).
 *
 * A literal is skipped by its count, on both sides. Servers differ in what they make of braces and quotes that the
 * grammar does not allow, and so in which bytes they take for commands: such a line is illegal. Behind STARTTLS,
 * AUTHENTICATE, COMPRESS, IDLE and a synchronising literal no byte may come before the server's reply.
 */
import type { StateIo } from '../../memory/state-io.js';
import type { RegisteredProtocol } from '../inspector.js';
import { ImapArguments } from './imap-argument.js';
import { IMAP_COMMANDS, type ImapCommand, Sync, UID_COMMANDS } from './imap-commands.js';
import { Found, ImapReply, TAG_MOST } from './imap-reply.js';
import { isMechanismByte, LF, type MailboxFinding, type MailboxReason, MECHANISM_MOST, MECHANISMS, SPACE, WordTable } from './mailbox.js'; // prettier-ignore
import { Expect, MailboxInspector } from './mailbox-inspector.js';

/** Where in a command line the client is. `word`: a mechanism, or what follows UID. */
const Part = { tag: 0, verb: 1, word: 2, rest: 3 } as const;

/** A command's lines without its literals, bytes. Ours; RFC 7162 §4 wants 8,192 at least. */
const COMMAND_LIMIT = 65_536;

const PLUS = 0x2b;
const DONE = new WordTable<true>({ DONE: true });

/** ASTRING-CHAR but `+` (RFC 9051 §9, tag). */
const isTagByte = (c: number): boolean => c > SPACE && c < 0x7f && !NO_TAG.includes(c);
const NO_TAG = [...Buffer.from('(){%*"\\', 'latin1'), PLUS];

export class ImapInspector extends MailboxInspector {
  readonly #numbers = {
    part: Part.tag as number,
    tagLength: 0,
    verbLength: 0,
    wordLength: 0,
    /** Whose tagged reply changes something; and how many tagged replies come up to and with it. */
    sync: Sync.none as number,
    syncTagLength: 0,
    ahead: 0,
    layer: 0,
    greeted: 0,
  };
  readonly #arguments = new ImapArguments();
  readonly #reply = new ImapReply();
  readonly #tag = new Uint8Array(TAG_MOST);
  readonly #verb = new Uint8Array(16);
  readonly #word = new Uint8Array(MECHANISM_MOST);
  readonly #syncTag = new Uint8Array(TAG_MOST);
  /** Of the line in progress; undefined for X…, which RFC 3501 §6.5.1 leaves to servers. */
  #command: ImapCommand | undefined;
  protected readonly state = {
    numbers: [this.dialogue, this.#numbers, this.#arguments.numbers, this.#reply.numbers],
    texts: [this.#tag, this.#verb, this.#word, this.#syncTag, ...this.#reply.texts],
  };
  protected readonly limit = COMMAND_LIMIT;
  protected readonly serverIsOpaque = false;

  override sync(io: StateIo): void {
    super.sync(io);
    const { part, verbLength } = this.#numbers;
    if (verbLength > this.#verb.length) io.sound = false;
    this.#command = part > Part.verb ? IMAP_COMMANDS.find(this.#verb, verbLength) : undefined;
  }

  // ---- the client

  protected command(c: number): void {
    const { part } = this.#numbers;
    if (this.dialogue.expect === Expect.done) this.#readDone(c);
    else if (part === Part.tag) this.#readTag(c);
    else if (part === Part.verb) this.#readVerb(c);
    else if (part === Part.word) this.#readWord(c);
    else this.#readArgument(c);
  }

  protected override beginLine(expect: number): void {
    super.beginLine(expect);
    const n = this.#numbers;
    n.part = Part.tag;
    n.tagLength = 0;
    n.verbLength = 0;
    n.wordLength = 0;
    this.#arguments.begin();
    this.#command = undefined;
  }

  /** The line that ends IDLE (RFC 2177). */
  #readDone(c: number): void {
    const n = this.#numbers;
    if (c !== LF && n.wordLength < DONE.longest) this.#word[n.wordLength++] = c;
    else if (c !== LF || DONE.find(this.#word, n.wordLength) === undefined) this.invalid('invalid-verb');
    else this.beginLine(Expect.command);
  }

  #readTag(c: number): void {
    const n = this.#numbers;
    if (c === SPACE && n.tagLength > 0) n.part = Part.verb;
    else if (!isTagByte(c) || n.tagLength === TAG_MOST) this.invalid('invalid-tag');
    else this.#tag[n.tagLength++] = c;
  }

  #readVerb(c: number): void {
    const n = this.#numbers;
    if (c === SPACE || c === LF) this.#judgeVerb(c);
    else if (n.verbLength === this.#verb.length) this.invalid('invalid-verb');
    else this.#verb[n.verbLength++] = c;
  }

  /** @param c the byte behind the verb */
  #judgeVerb(c: number): void {
    const n = this.#numbers;
    const command = IMAP_COMMANDS.find(this.#verb, n.verbLength);
    const isOwn = n.verbLength > 1 && (this.#verb[0]! & 0xdf) === 0x58; // X…
    const isKnown = command !== undefined || (isOwn && this.dialogue.authenticated === 1);
    const fault = !isKnown ? 'invalid-verb' : command && this.#outOfState(command);
    if (fault !== undefined) {
      this.invalid(fault);
      return;
    }
    if (command?.sync === Sync.login && this.options.secureLogin) {
      this.insecure('LOGIN');
      return;
    }
    this.#command = command;
    this.dialogue.waiting++;
    const takesWord = command !== undefined && (command.sync === Sync.authenticate || command.name === 'UID');
    n.part = takesWord ? Part.word : Part.rest;
    if (c !== LF) return;
    if (takesWord) this.invalid('invalid-argument');
    else this.#lineEnded();
  }

  #outOfState({ when, sync }: ImapCommand): MailboxReason | undefined {
    const { authenticated } = this.dialogue;
    // A login has been sent: what needs one may follow at once, but nothing whose own reply counts.
    const hoped = this.#numbers.sync === Sync.login;
    if (hoped && sync !== Sync.none) return 'early-data';
    if (when === 'authenticated' && authenticated === 0 && !hoped) return 'not-authenticated';
    if (when === 'not-authenticated' && authenticated === 1) return 'already-authenticated';
    return undefined;
  }

  /** The mechanism behind AUTHENTICATE, or the command behind UID. */
  #readWord(c: number): void {
    const n = this.#numbers;
    if (c !== SPACE && c !== LF) {
      if (n.wordLength === MECHANISM_MOST || !isMechanismByte(c)) this.invalid('invalid-argument');
      else this.#word[n.wordLength++] = c;
      return;
    }
    if (this.#command!.sync === Sync.authenticate) this.#judgeMechanism();
    else if (UID_COMMANDS.find(this.#word, n.wordLength) === undefined) this.invalid('invalid-verb');
    if (this.dialogue.expect === Expect.ended) return;
    n.part = Part.rest;
    if (c === LF) this.#lineEnded();
  }

  #judgeMechanism(): void {
    const { wordLength } = this.#numbers;
    const found = MECHANISMS.find(this.#word, wordLength);
    if (wordLength === 0) this.invalid('invalid-argument');
    else if (this.options.secureLogin && found?.secure !== true) this.insecure('AUTHENTICATE', found?.name);
    this.#numbers.layer = found?.layer === true ? 1 : 0;
  }

  #readArgument(c: number): void {
    const command = this.#command;
    if (c !== LF && c !== SPACE && command?.bare === true) {
      this.invalid('invalid-argument');
      return;
    }
    // Servers differ in what they make of a literal there, which the grammar does not have.
    if (c !== LF && command?.sync === Sync.authenticate) {
      if (!this.takeInitial(c)) this.invalid('invalid-argument');
      return;
    }
    const fault = this.#arguments.take(c, this.#reply.numbers.offer);
    if (fault !== undefined) this.invalid(fault);
    else if (c === LF) this.#lineEnded();
  }

  protected literalEnded(): void {
    this.dialogue.expect = Expect.command;
    this.#arguments.literalEnded();
  }

  /** A line of a command has ended: with the command, or with the count of a literal. */
  #lineEnded(): void {
    if (this.#arguments.endsWithLiteral) {
      this.#literalBegins();
      return;
    }
    const command = this.#command;
    const sync = command?.sync ?? Sync.none;
    const over = command?.name === 'LOGOUT';
    if (sync !== Sync.none) this.#await(sync);
    this.beginLine(over ? Expect.over : sync > Sync.login ? Expect.awaiting : Expect.command);
  }

  #literalBegins(): void {
    const { literal, atOnce } = this.#arguments.numbers;
    this.dialogue.literal = literal;
    if (atOnce === 1) this.#expectLiteral();
    else if (this.#numbers.sync === Sync.login) this.invalid('early-data');
    else this.#await(Sync.literal);
  }

  #expectLiteral(): void {
    if (this.dialogue.literal > 0) this.dialogue.expect = Expect.literal;
    else this.literalEnded();
  }

  #await(sync: Sync): void {
    const n = this.#numbers;
    n.sync = sync;
    n.ahead = this.dialogue.waiting;
    n.syncTagLength = n.tagLength;
    this.#syncTag.set(this.#tag);
    this.dialogue.expect = Expect.awaiting;
  }

  // ---- the server

  protected reply(c: number): void {
    const reply = this.#reply;
    switch (reply.take(c)) {
      case Found.literal:
        this.dialogue.replyLiteral = reply.numbers.literal;
        this.dialogue.replyBegun = 1;
        return;
      case Found.line:
        this.#replyEnded();
        reply.begin();
        return;
      case Found.fault:
        this.invalidReply('invalid-reply');
        return;
      case Found.literalFault:
        this.invalidReply('invalid-literal');
    }
  }

  #replyEnded(): void {
    const reply = this.#reply;
    if (this.#numbers.greeted === 0) this.#greeting();
    else if (reply.isEmpty) this.invalidReply('invalid-reply');
    else if (reply.isContinuation) this.#continuation();
    else if (!reply.isUntagged) this.#tagged();
  }

  #greeting(): void {
    const { isUntagged, status } = this.#reply;
    if (!isUntagged || (status !== 'OK' && status !== 'PREAUTH' && status !== 'BYE')) {
      this.invalidReply('invalid-greeting');
      return;
    }
    this.#numbers.greeted = 1;
    if (status === 'PREAUTH') this.dialogue.authenticated = 1;
  }

  /** `+`: the client may go on with what it has begun. */
  #continuation(): void {
    const n = this.#numbers;
    if (this.dialogue.expect !== Expect.awaiting) return;
    if (n.sync === Sync.literal) {
      n.sync = Sync.none;
      this.#expectLiteral();
    } else if (n.sync === Sync.authenticate) this.beginLine(Expect.response);
    else if (n.sync === Sync.idle) this.beginLine(Expect.done);
  }

  #tagged(): void {
    const d = this.dialogue;
    const n = this.#numbers;
    const { status } = this.#reply;
    if (status !== 'OK' && status !== 'NO' && status !== 'BAD') {
      this.invalidReply('invalid-reply');
      return;
    }
    if (d.waiting === 0) {
      this.invalidReply('reply-to-nothing');
      return;
    }
    d.waiting--;
    if (n.ahead > 0) n.ahead--;
    // With a tag used twice, the first reply belongs to the first command.
    if (n.sync === Sync.none || n.ahead > 0 || !this.#reply.hasTag(this.#syncTag, n.syncTagLength)) return;
    const sync = n.sync as Sync;
    n.sync = Sync.none;
    if (sync !== Sync.login) this.beginLine(Expect.command);
    if (status === 'OK') this.#accepted(sync);
  }

  #accepted(sync: Sync): void {
    const d = this.dialogue;
    if (d.unread === 1 && (sync === Sync.starttls || sync === Sync.compress)) this.invalidReply('early-reply');
    else if (sync === Sync.starttls) d.expect = Expect.tls;
    else if (sync === Sync.compress) d.expect = Expect.opaque;
    else if (sync === Sync.login || sync === Sync.authenticate) d.authenticated = 1;
    else if (sync === Sync.unauthenticate) d.authenticated = 0;
    if (sync === Sync.authenticate && this.#numbers.layer === 1) d.expect = Expect.opaque;
  }
}

export const IMAP: RegisteredProtocol<'imap', MailboxFinding> = {
  service: 'imap',
  port: 143,
  make: (options, host) => new ImapInspector({ secureLogin: options['secureLogin'] === true }, host),
};
