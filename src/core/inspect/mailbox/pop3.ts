/**
 * `ip inspect name NAME pop3 [reset] [secure-login]`: the client's commands are those of RFC 1939, 2449 (CAPA), 5034
 * (AUTH), 2595 (STLS) and 6856 (UTF8, LANG), in the state that allows them. As on IOS the dialogue is followed until the
 * client is authenticated. Behind that no reply has a meaning for us, and the server's bytes are only tracked. Unlike
 * IOS, which then passes everything, we look at the verbs of the client to the end: what is no POP3 has no business here.
 *
 * A line is judged where its verb ends, before an argument has gone out: no password passes that is refused.
 */
import type { StateIo } from '../../memory/state-io.js';
import type { FindingHost, RegisteredProtocol } from '../inspector.js';
import { isMechanismByte, LF, type MailboxFinding, type MailboxOptions, MECHANISM_MOST, MECHANISMS, RESPONSE_LIMIT, SPACE, WordTable } from './mailbox.js'; // prettier-ignore
import { Expect, MailboxInspector } from './mailbox-inspector.js';

/** What the reply to a command does. `multi`: behind +OK come lines up to a dot. */
const Reply = { plain: 0, multi: 1, login: 2, auth: 3, stls: 4 } as const;
type Reply = (typeof Reply)[keyof typeof Reply];

interface Command {
  readonly name: string;
  /** State that allows it: before or behind authentication (RFC 1939 §3). */
  readonly when: 'authorization' | 'transaction' | 'any';
  /** `none`: an argument is illegal. */
  readonly argument: 'none' | 'any';
  readonly reply: Reply;
  /** A reply of several lines comes only where no argument was given: LIST, UIDL, LANG, AUTH. */
  readonly multiAlone?: true;
  readonly password?: true;
}

const row = (
  name: string,
  when: Command['when'],
  argument: Command['argument'],
  reply: Reply = Reply.plain,
  more: Partial<Command> = {},
): [string, Command] => [name, { name, when, argument, reply, ...more }];

const COMMANDS = new WordTable<Command>(
  Object.fromEntries([
    row('USER', 'authorization', 'any', Reply.plain, { password: true }), // RFC 1939 §7
    row('PASS', 'authorization', 'any', Reply.login, { password: true }),
    row('APOP', 'authorization', 'any', Reply.login),
    row('AUTH', 'authorization', 'any', Reply.auth, { multiAlone: true }), // RFC 5034; alone: old servers list mechanisms
    row('STLS', 'authorization', 'none', Reply.stls), // RFC 2595 §4
    row('UTF8', 'authorization', 'none'), // RFC 6856 §2
    row('CAPA', 'any', 'none', Reply.multi), // RFC 2449 §5
    row('LANG', 'any', 'any', Reply.plain, { multiAlone: true }), // RFC 6856 §3
    row('QUIT', 'any', 'none'),
    row('STAT', 'transaction', 'none'), // RFC 1939 §5
    row('LIST', 'transaction', 'any', Reply.plain, { multiAlone: true }),
    row('RETR', 'transaction', 'any', Reply.multi),
    row('DELE', 'transaction', 'any'),
    row('NOOP', 'transaction', 'none'),
    row('RSET', 'transaction', 'none'),
    row('TOP', 'transaction', 'any', Reply.multi), // RFC 1939 §7
    row('UIDL', 'transaction', 'any', Reply.plain, { multiAlone: true }),
    row('LAST', 'transaction', 'none'), // RFC 1460; fetchmail still asks where there is no UIDL
  ]),
);

/** A command line with CR LF, bytes (RFC 2449 §4). AUTH with an initial response may be as long as a response. */
const COMMAND_LIMIT = 255;
/** Commands without a reply before the login, most. Ours: clients send a handful. */
const WAITING_MOST = 64;

/** Where in a command line the client is. */
const Part = { verb: 0, mechanism: 1, rest: 2 } as const;

const DOT = 0x2e;
const PLUS = 0x2b;
const OK = 0x2b4f4b; // +OK
const ERR = 0x2d455252; // -ERR

export class Pop3Inspector extends MailboxInspector {
  readonly #numbers = {
    part: Part.verb as number,
    wordLength: 0,
    argument: 0,
    /** The mechanism of the AUTH in progress may bring a security layer. */
    layer: 0,
    /** Logins that await their reply: what needs one may follow at once. */
    logins: 0,
    /** Where in the ring of replies the next one is. */
    head: 0,
    replyLength: 0,
    /** First four bytes of the reply line. */
    code: 0,
    /** Within a reply of several lines. */
    multi: 0,
  };
  readonly #word = new Uint8Array(MECHANISM_MOST);
  /** What each awaited reply belongs to: a ring. The greeting is plain. */
  readonly #replies = new Uint8Array(WAITING_MOST);
  readonly #verb = new Uint8Array(4);
  /** Of the line in progress; found again from `#verb` when a session is loaded. */
  #command: Command | undefined;
  protected readonly state = {
    numbers: [this.dialogue, this.#numbers],
    texts: [this.#word, this.#replies, this.#verb],
  };

  constructor(options: MailboxOptions, host: FindingHost<MailboxFinding>) {
    super(options, host);
    this.dialogue.waiting = 1; // the greeting
  }

  override sync(io: StateIo): void {
    super.sync(io);
    if (this.dialogue.waiting > WAITING_MOST) io.sound = false;
    this.#command = COMMANDS.find(this.#verb, this.#verb[3] === 0 ? 3 : 4);
  }

  protected get limit(): number {
    return this.#command?.reply === Reply.auth ? RESPONSE_LIMIT : COMMAND_LIMIT;
  }

  protected get serverIsOpaque(): boolean {
    return this.dialogue.authenticated === 1;
  }

  protected literalEnded(): void {
    // POP3 has none.
  }

  protected command(c: number): void {
    if (this.#numbers.part !== Part.rest) this.#readWord(c);
    else if (c !== LF) this.#readArgument(c);
    if (c === LF && this.dialogue.expect !== Expect.ended) this.#lineEnded();
  }

  protected override beginLine(expect: number): void {
    super.beginLine(expect);
    const n = this.#numbers;
    n.part = Part.verb;
    n.wordLength = 0;
    n.argument = 0;
    this.#command = undefined;
    this.#verb.fill(0);
  }

  /** A byte of the verb, or of the mechanism behind AUTH; or the one that ends it. */
  #readWord(c: number): void {
    const n = this.#numbers;
    const mechanism = n.part === Part.mechanism;
    if (c !== SPACE && c !== LF) {
      if (n.wordLength === (mechanism ? MECHANISM_MOST : COMMANDS.longest) || (mechanism && !isMechanismByte(c))) {
        this.invalid(mechanism ? 'invalid-mechanism' : 'invalid-verb');
        return;
      }
      this.#word[n.wordLength++] = c;
      if (mechanism) n.argument = 1;
      return;
    }
    if (!mechanism) this.#judgeVerb();
    else if (n.wordLength > 0) this.#judgeMechanism();
    else return; // AUTH with nothing or blanks behind it
    n.wordLength = 0;
  }

  #judgeVerb(): void {
    const { authenticated } = this.dialogue;
    const n = this.#numbers;
    const command = COMMANDS.find(this.#word, n.wordLength);
    if (command === undefined) {
      this.invalid('invalid-verb');
      return;
    }
    this.#command = command;
    this.#verb.set(this.#word.subarray(0, n.wordLength));
    const { when, reply } = command;
    if (when === 'transaction' && authenticated === 0 && n.logins === 0) this.invalid('not-authenticated');
    else if (when === 'authorization' && authenticated === 1) this.invalid('already-authenticated');
    else if (command.password === true && this.options.secureLogin) this.insecure(command.name);
    n.part = reply === Reply.auth ? Part.mechanism : Part.rest;
  }

  #judgeMechanism(): void {
    const found = MECHANISMS.find(this.#word, this.#numbers.wordLength);
    if (this.options.secureLogin && found?.secure !== true) {
      this.insecure('AUTH', found?.name);
      return;
    }
    this.#numbers.layer = found?.layer === true ? 1 : 0;
    this.#numbers.part = Part.rest;
  }

  #readArgument(c: number): void {
    const { argument, reply } = this.#command!;
    if (reply === Reply.auth ? !this.takeInitial(c) : argument === 'none' && c !== SPACE)
      this.invalid('invalid-argument');
    else if (c !== SPACE) this.#numbers.argument = 1;
  }

  #lineEnded(): void {
    const d = this.dialogue;
    const n = this.#numbers;
    const command = this.#command!;
    const alone = command.multiAlone === true && n.argument === 0;
    const reply = alone ? Reply.multi : command.reply;
    this.beginLine(command.name === 'QUIT' ? Expect.over : Expect.command);
    if (d.authenticated === 1) return;
    if (d.waiting === WAITING_MOST) {
      this.invalid('too-many');
      return;
    }
    this.#replies[(n.head + d.waiting++) % WAITING_MOST] = reply;
    if (reply === Reply.login) n.logins++;
    // What stands behind STLS or AUTH is a command for a server that refuses, and none for one that accepts.
    if (reply === Reply.stls || reply === Reply.auth) d.expect = Expect.awaiting;
  }

  protected reply(c: number): void {
    const n = this.#numbers;
    if (c !== LF) {
      if (n.replyLength < 4) n.code = ((n.code << 8) | c) >>> 0;
      n.replyLength++;
      if (n.replyLength > RESPONSE_LIMIT && n.multi === 0) this.invalidReply('too-long');
      return;
    }
    const { code, replyLength } = n;
    n.code = 0;
    n.replyLength = 0;
    if (n.multi === 1) {
      if (replyLength === 1 && code === DOT) n.multi = 0;
    } else this.#replyEnded(code, replyLength);
  }

  #replyEnded(code: number, length: number): void {
    const d = this.dialogue;
    const n = this.#numbers;
    const ok = (length === 3 ? code : length > 3 ? code >>> 8 : 0) === OK;
    const refused = length >= 4 && code === ERR;
    const reply = this.#replies[n.head]! as Reply;
    if (!ok && !refused) {
      const first = length > 3 ? code >>> 24 : code >>> (8 * Math.max(length - 1, 0));
      if (first !== PLUS || d.waiting === 0 || reply !== Reply.auth) this.invalidReply('invalid-reply');
      else if (d.expect === Expect.awaiting) this.beginLine(Expect.response);
      return;
    }
    if (d.waiting === 0) {
      // A server that gives up says so unasked.
      if (ok) this.invalidReply('reply-to-nothing');
      return;
    }
    n.head = (n.head + 1) % WAITING_MOST;
    d.waiting--;
    if (reply === Reply.login) n.logins--;
    if (reply === Reply.multi) n.multi = ok ? 1 : 0;
    if (reply === Reply.stls) this.beginLine(ok ? Expect.tls : Expect.command);
    if (reply === Reply.stls && ok && d.unread === 1) this.invalidReply('early-reply');
    if (reply === Reply.auth) this.beginLine(ok && n.layer === 1 ? Expect.opaque : Expect.command);
    if (ok && (reply === Reply.login || reply === Reply.auth)) d.authenticated = 1;
  }
}

export const POP3: RegisteredProtocol<'pop3', MailboxFinding> = {
  service: 'pop3',
  port: 110,
  make: (options, host) => new Pop3Inspector({ secureLogin: options['secureLogin'] === true }, host),
};
