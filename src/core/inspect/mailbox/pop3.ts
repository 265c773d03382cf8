/**
 * `ip inspect name NAME pop3 [reset] [secure-login]`: the client's commands are those of RFC 1939, 2449 (CAPA), 5034
 * (AUTH), 2595 (STLS) and 6856 (UTF8, LANG), in the state that allows them. As on IOS the dialogue is followed until the
 * client is authenticated. Behind that no reply has a meaning for us, and the server's bytes are only tracked. Unlike
 * IOS, which then passes everything, we look at the verbs of the client to the end: what is no POP3 has no business here.
 *
 * A line is judged where its verb ends, before an argument has gone out: no password passes that is refused.
 */
import type { FlatMemory } from '../../memory/flat-memory.js';
import { type FindingHost, type InspectedProtocol, StreamAction, type StreamInspector } from '../inspector.js';
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

/** What the client's next bytes are. `awaiting`: none may come before the reply; `tls`: STLS was accepted. */
const Expect = { command: 0, response: 1, awaiting: 2, tls: 3, over: 4, opaque: 5, ended: 6 } as const;

/** Where in a command line the client is. */
const Part = { verb: 0, mechanism: 1, rest: 2 } as const;

const DOT = 0x2e;
const PLUS = 0x2b;
const OK = 0x2b4f4b; // +OK
const ERR = 0x2d455252; // -ERR

function newState() {
  return {
    expect: Expect.command as number,
    part: Part.verb as number,
    length: 0,
    wordLength: 0,
    cr: 0,
    argument: 0,
    /** The mechanism of the AUTH in progress may bring a security layer. */
    layer: 0,
    authenticated: 0,
    /** Logins that await their reply: what needs one may follow at once. */
    logins: 0,
    /** Replies that are awaited, the greeting first. */
    waiting: 1,
    head: 0,
    replyLength: 0,
    /** First four bytes of the reply line. */
    code: 0,
    /** Within a reply of several lines. */
    multi: 0,
    /** The server had not read all when its line began. */
    unread: 0,
  };
}

export class Pop3Inspector implements StreamInspector {
  readonly modified = false;
  readonly #state = newState();
  readonly #word = new Uint8Array(MECHANISM_MOST);
  /** What each awaited reply belongs to: a ring. The greeting is plain. */
  readonly #replies = new Uint8Array(WAITING_MOST);
  readonly #texts = [this.#word, this.#replies];
  /** Of the line in progress; found again from `#verb` when a session is loaded. */
  #command: Command | undefined;
  readonly #verb = new Uint8Array(4);

  constructor(
    private readonly options: MailboxOptions,
    private readonly host: FindingHost<MailboxFinding>,
  ) {}

  /** Words that `save` writes. */
  get words(): number {
    return stateWords(this.#state, [...this.#texts, this.#verb]);
  }

  /** Writes all there is of the session, from word `at`. May be called between any two calls. */
  save(m: FlatMemory, at: number): void {
    saveState(m, at, this.#state, [...this.#texts, this.#verb]);
  }

  load(m: FlatMemory, at: number): void {
    loadState(m, at, this.#state, [...this.#texts, this.#verb]);
    this.#command = COMMANDS.find(this.#verb, this.#verb[3] === 0 ? 3 : 4);
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    const s = this.#state;
    if (s.expect === Expect.tls) s.expect = Expect.opaque; // its first byte of the handshake
    if (s.expect === Expect.opaque) return StreamAction.opaque;
    for (let i = at; i < end && s.expect !== Expect.ended; i++) this.#client(b[i]!);
    return s.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number, _now: number, unacknowledged: number): StreamAction {
    const s = this.#state;
    for (let i = at; i < end; i++) {
      if (s.expect === Expect.ended) return StreamAction.reset;
      if (s.expect === Expect.opaque || s.authenticated === 1) return StreamAction.opaque;
      if (s.replyLength === 0) s.unread = unacknowledged > 0 ? 1 : 0;
      this.#server(b[i]!);
    }
    return s.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  #client(c: number): void {
    const s = this.#state;
    switch (s.expect) {
      case Expect.awaiting: {
        this.#end('invalid-command', 'early-data');
        return;
      }
      case Expect.over: {
        this.#end('invalid-command', 'behind-last');
        return;
      }
    }
    s.length++;
    const long = s.expect === Expect.response || this.#command?.reply === Reply.auth;
    if (s.length > (long ? RESPONSE_LIMIT : COMMAND_LIMIT)) {
      this.#end('invalid-command', 'too-long');
      return;
    }
    // Servers differ in what ends a line for them: what is none for one is two for the other.
    if (s.cr === 1 ? c !== LF : c === LF || c === 0) {
      this.#end('invalid-command', 'bare-line-break');
      return;
    }
    if (c === CR) {
      s.cr = 1;
      return;
    }
    if (s.expect === Expect.response) {
      if (c === LF) this.#beginLine(Expect.awaiting);
      return;
    }
    if (s.part !== Part.rest) this.#readWord(c);
    else if (c !== SPACE && c !== LF) this.#noteArgument();
    if (c === LF && s.expect !== Expect.ended) this.#lineEnded();
  }

  #beginLine(expect: number): void {
    const s = this.#state;
    s.expect = expect;
    s.part = Part.verb;
    s.length = 0;
    s.wordLength = 0;
    s.cr = 0;
    s.argument = 0;
    this.#command = undefined;
    this.#verb.fill(0);
  }

  /** A byte of the verb, or of the mechanism behind AUTH; or the one that ends it. */
  #readWord(c: number): void {
    const s = this.#state;
    if (c !== SPACE && c !== LF) {
      const most = s.part === Part.verb ? COMMANDS.longest : MECHANISM_MOST;
      if (s.wordLength === most || (s.part === Part.mechanism && !isMechanismByte(c))) {
        this.#end('invalid-command', s.part === Part.verb ? 'invalid-verb' : 'invalid-mechanism');
        return;
      }
      this.#word[s.wordLength++] = c;
      if (s.part === Part.mechanism) this.#noteArgument();
      return;
    }
    if (s.part === Part.verb) this.#judgeVerb();
    else if (s.wordLength > 0) this.#judgeMechanism();
    else return; // AUTH with nothing or blanks behind it
    s.wordLength = 0;
  }

  #judgeVerb(): void {
    const s = this.#state;
    const command = COMMANDS.find(this.#word, s.wordLength);
    if (command === undefined) {
      this.#end('invalid-command', 'invalid-verb');
      return;
    }
    this.#command = command;
    this.#verb.set(this.#word.subarray(0, s.wordLength));
    if (command.when === 'transaction' && s.authenticated === 0 && s.logins === 0) {
      this.#end('invalid-command', 'not-authenticated');
      return;
    }
    if (command.when === 'authorization' && s.authenticated === 1) {
      this.#end('invalid-command', 'already-authenticated');
      return;
    }
    if (command.password === true && this.options.secureLogin) {
      this.#insecure(command.name);
      return;
    }
    s.part = command.reply === Reply.auth ? Part.mechanism : Part.rest;
  }

  #judgeMechanism(): void {
    const s = this.#state;
    const found = MECHANISMS.find(this.#word, s.wordLength);
    if (this.options.secureLogin && found?.secure !== true) {
      this.#insecure('AUTH', found?.name);
      return;
    }
    s.layer = found?.layer === true ? 1 : 0;
    s.part = Part.rest;
  }

  #noteArgument(): void {
    this.#state.argument = 1;
    if (this.#command!.argument === 'none') this.#end('invalid-command', 'invalid-argument');
  }

  #lineEnded(): void {
    const s = this.#state;
    const command = this.#command!;
    const alone = command.multiAlone === true && s.argument === 0;
    const reply = alone ? Reply.multi : command.reply;
    this.#beginLine(command.name === 'QUIT' ? Expect.over : Expect.command);
    if (s.authenticated === 1) return;
    if (s.waiting === WAITING_MOST) {
      this.#end('invalid-command', 'too-many');
      return;
    }
    this.#replies[(s.head + s.waiting++) % WAITING_MOST] = reply;
    if (reply === Reply.login) s.logins++;
    // What stands behind STLS or AUTH is a command for a server that refuses, and none for one that accepts.
    if (reply === Reply.stls || reply === Reply.auth) s.expect = Expect.awaiting;
  }

  #server(c: number): void {
    const s = this.#state;
    if (s.expect === Expect.tls) {
      this.#end('invalid-reply', 'behind-tls');
      return;
    }
    if (c === CR) return;
    if (c !== LF) {
      if (s.replyLength < 4) s.code = ((s.code << 8) | c) >>> 0;
      s.replyLength++;
      if (s.replyLength > RESPONSE_LIMIT && s.multi === 0) this.#end('invalid-reply', 'too-long');
      return;
    }
    const { code, replyLength } = s;
    s.code = 0;
    s.replyLength = 0;
    if (s.multi === 1) {
      if (replyLength === 1 && code === DOT) s.multi = 0;
    } else this.#replyEnded(code, replyLength);
  }

  #replyEnded(code: number, length: number): void {
    const s = this.#state;
    const ok = (length === 3 ? code : length > 3 ? code >>> 8 : 0) === OK;
    const refused = length >= 4 && code === ERR;
    const reply = this.#replies[s.head]! as Reply;
    if (!ok && !refused) {
      const first = length > 3 ? code >>> 24 : code >>> (8 * Math.max(length - 1, 0));
      if (first !== PLUS || s.waiting === 0 || reply !== Reply.auth) this.#end('invalid-reply', 'invalid-reply');
      else if (s.expect === Expect.awaiting) this.#beginLine(Expect.response);
      return;
    }
    if (s.waiting === 0) {
      // A server that gives up says so unasked.
      if (ok) this.#end('invalid-reply', 'reply-to-nothing');
      return;
    }
    s.head = (s.head + 1) % WAITING_MOST;
    s.waiting--;
    if (reply === Reply.login) s.logins--;
    if (reply === Reply.multi) s.multi = ok ? 1 : 0;
    if (reply === Reply.stls) this.#beginLine(ok ? Expect.tls : Expect.command);
    if (reply === Reply.stls && ok && s.unread === 1) this.#end('invalid-reply', 'early-reply');
    if (reply === Reply.auth) this.#beginLine(ok && s.layer === 1 ? Expect.opaque : Expect.command);
    if (ok && (reply === Reply.login || reply === Reply.auth)) s.authenticated = 1;
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

export const POP3: InspectedProtocol<'pop3', MailboxFinding> = {
  service: 'pop3',
  port: 110,
  make: (options, host) => new Pop3Inspector({ secureLogin: options['secureLogin'] === true }, host),
};
