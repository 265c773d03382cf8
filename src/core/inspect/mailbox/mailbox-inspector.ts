/**
 * The frame of POP3 and IMAP inspection: lines of the client and what stands between them, the server's turn, how a
 * session ends, and how it is saved. What a line may say is told by the protocol.
 */
import type { StateIo } from '../../memory/state-io.js';
import { type FindingHost, StreamAction, type SavedInspector } from '../inspector.js';
import {
  CR,
  isBase64Byte,
  LF,
  type MailboxFinding,
  type MailboxOptions,
  type MailboxReason,
  RESPONSE_LIMIT,
  type SessionState,
  SPACE,
  syncState,
} from './mailbox.js';

/**
 * What the client's next bytes are. `response`: to a challenge; `done`: the end of IDLE; `awaiting`: none may come before
 * the reply; `tls`: STLS or STARTTLS was accepted; `over`: QUIT or LOGOUT was sent.
 */
export const Expect = { command: 0, literal: 1, response: 2, done: 3, awaiting: 4, tls: 5, over: 6, opaque: 7, ended: 8 } as const; // prettier-ignore

const STAR = 0x2a;

export abstract class MailboxInspector implements SavedInspector {
  readonly modified = false;
  /** Of the client's line: its bytes so far; whether a CR has just come. Of its literal and the server's: what is left. */
  protected readonly dialogue = {
    expect: Expect.command as number,
    length: 0,
    cr: 0,
    /** The response in progress is a star. */
    cancelled: 0,
    /** The initial response behind a mechanism: has begun, has ended. */
    initial: 0,
    literal: 0,
    authenticated: 0,
    /** Commands without their reply. */
    waiting: 0,
    /** Of the server's line: whether it has begun, and whether the server had not read all the client said by then. */
    replyBegun: 0,
    unread: 0,
    replyLiteral: 0,
  };

  constructor(
    protected readonly options: MailboxOptions,
    private readonly host: FindingHost<MailboxFinding>,
  ) {}

  protected abstract readonly state: SessionState;
  /** Bytes that the line in progress may have. */
  protected abstract readonly limit: number;
  /** Nothing of what the server says has a meaning any more. */
  protected abstract readonly serverIsOpaque: boolean;
  /** Takes a byte of a command line, or of DONE: its text, or the LF of its CR LF. */
  protected abstract command(c: number): void;
  protected abstract literalEnded(): void;
  /** Takes a byte of the server, no CR. */
  protected abstract reply(c: number): void;

  sync(io: StateIo): void {
    syncState(io, this.state);
    if (this.dialogue.expect > Expect.ended) io.sound = false;
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    const d = this.dialogue;
    if (d.expect === Expect.tls) d.expect = Expect.opaque; // its first byte of the handshake
    if (d.expect === Expect.opaque) return StreamAction.opaque;
    let i = at;
    while (i < end && d.expect !== Expect.ended) {
      if (d.expect === Expect.literal) {
        const skipped = Math.min(end - i, d.literal);
        i += skipped;
        d.literal -= skipped;
        if (d.literal === 0) this.literalEnded();
      } else this.#client(b[i++]!);
    }
    return d.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  fromResponder(b: Uint8Array, at: number, end: number, _now: number, unacknowledged: number): StreamAction {
    const d = this.dialogue;
    let i = at;
    while (i < end) {
      if (d.expect === Expect.ended) return StreamAction.reset;
      if (d.expect === Expect.opaque || this.serverIsOpaque) return StreamAction.opaque;
      if (d.replyLiteral > 0) {
        const skipped = Math.min(end - i, d.replyLiteral);
        i += skipped;
        d.replyLiteral -= skipped;
        continue;
      }
      const c = b[i++]!;
      if (d.expect === Expect.tls) {
        this.invalidReply('behind-tls');
        continue;
      }
      if (d.replyBegun === 0) d.unread = unacknowledged > 0 ? 1 : 0;
      d.replyBegun = c === LF ? 0 : 1;
      if (c !== CR) this.reply(c);
    }
    return d.expect === Expect.ended ? StreamAction.reset : StreamAction.pass;
  }

  #client(c: number): void {
    const d = this.dialogue;
    const why = this.#fault(c);
    if (why !== undefined) this.invalid(why);
    else if (c === CR) return;
    else if (d.expect !== Expect.response) this.command(c);
    else if (c === LF) this.beginLine(Expect.awaiting);
  }

  /** What is wrong with a byte of the client, whatever its line says. */
  #fault(c: number): MailboxReason | undefined {
    const d = this.dialogue;
    if (d.expect === Expect.awaiting) return 'early-data';
    if (d.expect === Expect.over) return 'behind-last';
    d.length++;
    const response = d.expect === Expect.response;
    if (d.length > (response ? RESPONSE_LIMIT : this.limit)) return 'too-long';
    // Servers differ in what ends a line for them: what is none for one is two for the other.
    if (d.cr !== 0 ? c !== LF : c === LF || c === 0) return 'bare-line-break';
    d.cr = c === CR ? 1 : 0;
    if (!response || c === CR || c === LF) return undefined;
    // Base64, or a star alone, which cancels: no server can find a command in it, wherever it cuts a line.
    if (c === STAR && d.length === 1) d.cancelled = 1;
    else if (!isBase64Byte(c) || d.cancelled === 1) return 'invalid-argument';
    return undefined;
  }

  /** Takes a byte of the initial response (RFC 4959, 5034): one word of base64. False: it is none. */
  protected takeInitial(c: number): boolean {
    const d = this.dialogue;
    if (c === SPACE) {
      if (d.initial === 1) d.initial = 2;
      return true;
    }
    if (d.initial === 2 || !isBase64Byte(c)) return false;
    d.initial = 1;
    return true;
  }

  protected beginLine(expect: number): void {
    const d = this.dialogue;
    d.expect = expect;
    d.length = 0;
    d.cr = 0;
    d.cancelled = 0;
    d.initial = 0;
  }

  protected invalid(why: MailboxReason): void {
    this.dialogue.expect = Expect.ended;
    this.host.report({ kind: 'invalid-command', why, fromInitiator: true });
  }

  protected invalidReply(why: MailboxReason): void {
    this.dialogue.expect = Expect.ended;
    this.host.report({ kind: 'invalid-reply', why, fromInitiator: false });
  }

  /** Under `secure-login`. @param command,mechanism words of ours */
  protected insecure(command: string, mechanism = ''): void {
    this.dialogue.expect = Expect.ended;
    this.host.report({ kind: 'insecure-login', command, mechanism, fromInitiator: true });
  }
}
