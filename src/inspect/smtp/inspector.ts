/**
 * SMTP and ESMTP inspection of one session (`ip inspect name NAME {smtp|esmtp}`). Puts together the parts: what the
 * client's bytes are (command, AUTH response, message data, chunk), what the server's replies make of them, and what is
 * reported. Whether something is masked is decided in the parts; here, what is reset.
 *
 * Memory: an inspector has 3 KB (1152 bytes of lines and queue, the rest objects), a session between two lines has
 * SMTP_WORDS words: `save` and `load` let one inspector serve one session after the other. A call that finds nothing
 * wrong allocates nothing.
 */
import type { FlatMemory } from '../../flat-memory.js';
import type { SmtpOptions } from '../../ios/config/model.js';
import { StreamAction, type InspectorHost, type StreamInspector } from '../inspector.js';
import { AuthLine } from './auth-line.js';
import { CommandLine, LINE_KEPT, type LineFault } from './command-line.js';
import { beginsMail, commandName, Dialogue, DIALOGUE_WORDS, Effect, mustBeAnswered, newDialogue } from './dialogue.js';
import type { SmtpAction, SmtpCounters, SmtpFinding } from './finding.js';
import {
  AUTH_LINE_LIMIT,
  COMMANDS,
  DATA_END,
  LAST_CHUNK,
  MASKED_LINE,
  PIPELINE_LIMIT,
  REPLY_LINE_LIMIT,
  UNKNOWN_LINE,
} from './grammar.js';
import { DATA_WORDS, DataEvent, MessageData } from './message-data.js';
import { ReplyLine, REPLY_KEPT } from './reply-line.js';
import { smtpRule, type SmtpRule } from './rule.js';

/** What the client's next bytes are. */
const Expect = { command: 0, authLine: 1, mailData: 2, chunk: 3 } as const;
type Expect = (typeof Expect)[keyof typeof Expect];

// Words of a session at rest. Doubles begin at even ones.
const CHUNK_LEFT = 0;
const CHUNKED_SIZE = 2;
const DATA = 4;
const DIALOGUE = DATA + DATA_WORDS;
const CLIENT_AT = DIALOGUE + DIALOGUE_WORDS;
const SERVER_AT = CLIENT_AT + 1;
const OFFERING = CLIENT_AT + 2;
const COMMAND_LINES = CLIENT_AT + 3;
const REPLY_LINES = CLIENT_AT + 4;
const BITS = CLIENT_AT + 5; // expect | standing << 2 | early << 4 | continues << 5 | malformed << 6
export const SMTP_WORDS = BITS + 1;

/** A finding without what is done about it. */
type Report = SmtpFinding extends infer F ? (F extends unknown ? Omit<F, 'action' | 'altered'> : never) : never;

/** Writes the words of a session that begins: what a new inspector would save. */
export function newSmtpSession(m: FlatMemory, at: number): void {
  for (let i = at; i < at + SMTP_WORDS; i++) m.words[i] = 0;
  newDialogue(m, at + DIALOGUE);
}

export class SmtpInspector implements StreamInspector {
  modified = false;

  readonly #rule: SmtpRule;
  readonly #host: InspectorHost<SmtpFinding>;
  readonly #counters: SmtpCounters;
  readonly #dialogue: Dialogue;
  readonly #line: CommandLine;
  readonly #reply: ReplyLine;
  readonly #authLine: AuthLine;
  readonly #data: MessageData;
  #expect: Expect = Expect.command;
  /** The line in progress was reported already. */
  #reported = false;
  /** Bytes of the chunk still to come, and of the mail's chunks so far. */
  #chunkLeft = 0;
  #chunkedSize = 0;
  #early = false;
  /** Of the reply in progress: the offer so far; not its first line; a line without code was reported. */
  #offering = 0;
  #continues = false;
  #malformed = false;
  #longReported = false;
  /** `opaque` once TLS has begun or monitor-only would have reset the session; `reset` once it was. */
  #standing: StreamAction = StreamAction.pass;
  /** Stream position (int32) of the first byte of the call, bytes from the first data byte; of the line in progress. */
  #clientAt = 0;
  #serverAt = 0;
  #lineAt = 0;
  #replyAt = 0;

  /**
   * @param protocol the keyword of the rule's line
   * @param options  its other keywords. One object a line: the automata are compiled once for it
   * @param counters findings by kind, shared by the sessions of the router
   */
  constructor(
    protocol: 'smtp' | 'esmtp',
    options: SmtpOptions,
    host: InspectorHost<SmtpFinding>,
    counters: SmtpCounters,
  ) {
    const rule = smtpRule(protocol, options);
    this.#rule = rule;
    this.#host = host;
    this.#counters = counters;
    const memory = new Uint8Array(LINE_KEPT + REPLY_KEPT + PIPELINE_LIMIT);
    this.#line = new CommandLine(rule, memory.subarray(0, LINE_KEPT));
    this.#reply = new ReplyLine(rule, memory.subarray(LINE_KEPT, LINE_KEPT + REPLY_KEPT));
    this.#dialogue = new Dialogue(memory.subarray(LINE_KEPT + REPLY_KEPT));
    this.#authLine = new AuthLine(!rule.monitorOnly);
    this.#data = new MessageData(!rule.monitorOnly, rule.scan);
  }

  /** `save` can write all there is of this session: no line is cut, and few replies are awaited. */
  get atRest(): boolean {
    if (this.#standing !== StreamAction.pass) return true;
    const authLineCut = this.#expect === Expect.authLine && this.#authLine.length > 0;
    return !this.#line.cut && !this.#reply.cut && !authLineCut && this.#dialogue.atRest;
  }

  /** Writes the session, which is at rest, to SMTP_WORDS words from word `at`, which is even. */
  save(m: FlatMemory, at: number): void {
    const w = m.words;
    m.floats[(at + CHUNK_LEFT) >> 1] = this.#chunkLeft;
    m.floats[(at + CHUNKED_SIZE) >> 1] = this.#chunkedSize;
    if (this.#expect === Expect.mailData) this.#data.save(m, at + DATA);
    this.#dialogue.save(m, at + DIALOGUE);
    w[at + CLIENT_AT] = this.#clientAt;
    w[at + SERVER_AT] = this.#serverAt;
    w[at + OFFERING] = this.#offering;
    w[at + COMMAND_LINES] = this.#line.count;
    w[at + REPLY_LINES] = this.#reply.count;
    const flags = (this.#early ? 16 : 0) | (this.#continues ? 32 : 0) | (this.#malformed ? 64 : 0);
    w[at + BITS] = this.#expect | (this.#standing << 2) | flags;
  }

  /** Goes on with the session that an inspector of the same rule has saved there. */
  load(m: FlatMemory, at: number): void {
    const w = m.words;
    const bits = w[at + BITS]!;
    this.#expect = (bits & 3) as Expect;
    this.#standing = ((bits >> 2) & 3) as StreamAction;
    this.#early = (bits & 16) !== 0;
    this.#continues = (bits & 32) !== 0;
    this.#malformed = (bits & 64) !== 0;
    this.#chunkLeft = m.floats[(at + CHUNK_LEFT) >> 1]!;
    this.#chunkedSize = m.floats[(at + CHUNKED_SIZE) >> 1]!;
    if (this.#expect === Expect.mailData) this.#data.load(m, at + DATA);
    else if (this.#expect === Expect.authLine) this.#authLine.begin();
    this.#dialogue.load(m, at + DIALOGUE);
    this.#clientAt = w[at + CLIENT_AT]!;
    this.#serverAt = w[at + SERVER_AT]!;
    this.#offering = w[at + OFFERING]!;
    this.#line.count = w[at + COMMAND_LINES]!;
    this.#reply.count = w[at + REPLY_LINES]!;
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = false;
    if (this.#standing !== StreamAction.pass) return this.#standing;
    let action: StreamAction = StreamAction.pass;
    let i = at;
    while (i < end && action === StreamAction.pass) {
      const from = i;
      switch (this.#expect) {
        case Expect.command:
          if (this.#line.length === 0 || this.#line.ended) this.#beginLine(from - at);
          i = this.#line.take(b, i, end, this.#dialogue.offered, this.#host);
          if (this.#line.changed) this.modified = true;
          action = this.#judgeLine();
          break;
        case Expect.authLine:
          if (this.#authLine.length === 0) this.#lineAt = this.#clientAt + from - at;
          i = this.#authLine.take(b, i, end);
          if (this.#authLine.changed) this.modified = true;
          action = this.#judgeAuthLine();
          break;
        case Expect.mailData:
          i = this.#data.take(b, i, end);
          if (this.#data.changed) this.modified = true;
          action = this.#judgeData(this.#clientAt + i - 1 - at);
          break;
        default:
          i += Math.min(end - i, this.#chunkLeft);
          this.#chunkLeft -= i - from;
          if (this.#chunkLeft === 0) this.#expect = Expect.command;
      }
    }
    this.#clientAt = (this.#clientAt + end - at) | 0;
    return action;
  }

  fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = false;
    if (this.#standing !== StreamAction.pass) return this.#standing;
    let action: StreamAction = StreamAction.pass;
    const reply = this.#reply;
    let i = at;
    while (i < end && action === StreamAction.pass) {
      if (reply.length === 0 || reply.ended) {
        this.#replyAt = this.#serverAt + i - at;
        this.#longReported = false;
        reply.begin(this.#continues && this.#rule.esmtp && this.#dialogue.hopeful === COMMANDS.EHLO.id);
      }
      i = reply.take(b, i, end, this.#host);
      if (reply.changed) this.modified = true;
      if (reply.length > REPLY_LINE_LIMIT && !this.#longReported) {
        this.#longReported = true;
        this.#note({ kind: 'long-reply', limit: REPLY_LINE_LIMIT }, 'noted', false, this.#replyAt);
      }
      if (reply.ended) action = this.#judgeReply();
    }
    this.#serverAt = (this.#serverAt + end - at) | 0;
    return action;
  }

  #beginLine(offset: number): void {
    const { awaited } = this.#dialogue;
    this.#lineAt = this.#clientAt + offset;
    this.#line.begin();
    this.#reported = false;
    if (awaited !== 0) {
      // One report a command is enough: what stands behind it may be a whole mail.
      this.#reported = this.#dialogue.overtaken;
      this.#dialogue.overtaken = true;
      this.#line.overtakes(commandName(awaited));
    }
    if (!this.#dialogue.greeted && !this.#early) {
      this.#early = true;
      this.#note({ kind: 'early-command' }, 'noted', true, this.#lineAt);
    }
  }

  #judgeLine(): StreamAction {
    const line = this.#line;
    if (line.signature !== 0)
      return this.#reset({ kind: 'signature', id: line.signature, line: line.before() }, this.#lineAt);
    if (line.id === COMMANDS.BDAT.id && line.fault !== undefined && !line.verbMasked) {
      // Servers differ in what they make of a malformed BDAT, and so in which octets they then take for commands.
      return this.#reset(this.#lineReport(line.fault), this.#lineAt);
    }
    if (line.fault !== undefined && !this.#reported && (line.ended || line.length > LINE_KEPT + 2)) {
      this.#reported = true;
      const masked = line.maskedFrom >= 0 && line.maskedFrom < line.length - 2;
      const offset = this.#lineAt + Math.max(0, line.maskedFrom);
      this.#note(this.#lineReport(line.fault), masked ? 'masked' : 'noted', true, offset);
    }
    return line.ended ? this.#lineEnded() : StreamAction.pass;
  }

  #lineEnded(): StreamAction {
    const line = this.#line;
    const seen = this.#seenByServer();
    if (!line.verbMasked && !this.#dialogue.inSequence(seen)) {
      this.#note({ kind: 'bad-sequence', command: commandName(seen) }, 'noted', true, this.#lineAt);
    }
    if (seen === COMMANDS.BDAT.id && line.chunk.complete) return this.#beginChunk();
    return this.#sent(seen);
  }

  /**
   * What the line is to the server. Of `DATAX` cut behind the A, it has seen DATA, and some take that for the command:
   * nothing may pass behind such a line either before the reply has come. No difference is made by the cut.
   */
  #seenByServer(): number {
    const { verbMasked, id, passes } = this.#line;
    if (this.#rule.monitorOnly) return id === MASKED_LINE ? UNKNOWN_LINE : id;
    return verbMasked && !(passes && mustBeAnswered(id)) ? MASKED_LINE : id;
  }

  #beginChunk(): StreamAction {
    const { size, last } = this.#line.chunk;
    this.#chunkedSize += size;
    if (this.#chunkedSize > this.#rule.maxData) return this.#tooLarge(this.#lineAt);
    this.#chunkLeft = size;
    if (size > 0) this.#expect = Expect.chunk;
    return this.#sent(last ? LAST_CHUNK : COMMANDS.BDAT.id);
  }

  #sent(id: number): StreamAction {
    if (beginsMail(id)) this.#chunkedSize = 0;
    if (this.#dialogue.sent(id)) return StreamAction.pass;
    return this.#reset({ kind: 'pipeline-overflow', limit: PIPELINE_LIMIT }, this.#lineAt);
  }

  #judgeAuthLine(): StreamAction {
    const line = this.#authLine;
    if (line.beyondRepair) {
      const why = 'in an AUTH response, gone out';
      return this.#reset({ kind: 'bare-line-break', before: '***', after: '***', why }, this.#lineAt);
    }
    if (line.fault !== undefined && (line.ended || line.length > AUTH_LINE_LIMIT) && !line.reported) {
      line.reported = true;
      const why = line.fault === 'line-too-long' ? `over ${AUTH_LINE_LIMIT} bytes` : 'in an AUTH response';
      this.#note(
        { kind: line.fault, limit: AUTH_LINE_LIMIT, before: '***', after: '***', why },
        'masked',
        true,
        this.#lineAt,
      );
    }
    if (!line.ended) return StreamAction.pass;
    this.#expect = Expect.command;
    return this.#sent(COMMANDS.AUTH.id);
  }

  /** @param offset of the last byte taken */
  #judgeData(offset: number): StreamAction {
    const data = this.#data;
    if (data.size > this.#rule.maxData) return this.#tooLarge(offset);
    switch (data.event) {
      case DataEvent.end:
        this.#expect = Expect.command;
        return this.#sent(DATA_END);
      case DataEvent.neutralised:
        this.#note({ kind: 'ambiguous-end-of-data', form: data.form }, 'masked', true, offset);
        return StreamAction.pass;
      case DataEvent.beyondRepair:
        return this.#reset({ kind: 'ambiguous-end-of-data', form: data.form }, offset);
      case DataEvent.signature:
        return data.signature === 0
          ? StreamAction.pass
          : this.#reset({ kind: 'signature', id: data.signature, line: '' }, offset);
      default:
        return StreamAction.pass;
    }
  }

  #tooLarge(offset: number): StreamAction {
    return this.#reset({ kind: 'max-data-exceeded', limit: this.#rule.maxData }, offset);
  }

  #judgeReply(): StreamAction {
    const reply = this.#reply;
    if (reply.code === 0) {
      if (!this.#malformed) this.#note({ kind: 'malformed-reply', reply: reply.text() }, 'noted', false, this.#replyAt);
      this.#malformed = true;
      // A server that answers HELP in lines without codes ends with a dot, as the one in the router's trace.
      if (!reply.isDot) return StreamAction.pass;
      this.#dialogue.helpEnded();
      this.#endReply();
      return StreamAction.pass;
    }
    this.#offering |= reply.offered.bit;
    if (reply.maskedFrom >= 0) {
      const texts = { before: reply.text(), after: reply.textAfter() };
      this.#note({ kind: 'extension-masked', ...texts }, 'masked', false, this.#replyAt + reply.maskedFrom);
    }
    if (!reply.final) {
      this.#continues = true;
      return StreamAction.pass;
    }
    if (this.#dialogue.hopeful === COMMANDS.EHLO.id && reply.code < 300) this.#dialogue.offered = this.#offering;
    this.#endReply();
    const { awaited } = this.#dialogue;
    switch (this.#dialogue.replied(reply.code)) {
      case Effect.mailData:
        this.#expect = Expect.mailData;
        this.#data.begin();
        return StreamAction.pass;
      case Effect.authLine:
        this.#expect = Expect.authLine;
        this.#authLine.begin();
        return StreamAction.pass;
      case Effect.tls:
        return (this.#standing = StreamAction.opaque);
      case Effect.unexpected:
        return this.#unexpectedReply(reply.code);
      case Effect.disagreement:
        return this.#reset(
          {
            kind: 'command-behind',
            command: commandName(awaited),
            before: '',
            after: '',
            why: 'answered all the same',
          },
          this.#replyAt,
          false,
        );
      default:
        return StreamAction.pass;
    }
  }

  #lineReport(kind: LineFault): Report {
    const line = this.#line;
    const text = { before: line.before(), after: line.after(), why: line.why };
    switch (kind) {
      case 'line-too-long':
        return { kind, limit: line.limit, ...text };
      case 'command-behind':
        return { kind, command: commandName(this.#dialogue.awaited), ...text };
      default:
        return { kind, ...text };
    }
  }

  #note(report: Report, action: SmtpAction, fromInitiator: boolean, offset: number): void {
    this.#counters[report.kind]++;
    const altered = action !== 'noted' && !this.#rule.monitorOnly;
    this.#host.report({ ...report, action, altered }, fromInitiator, offset);
  }

  /** Ends the session; under monitor-only it goes on unseen, since nothing behind this point would have happened. */
  #reset(report: Report, offset: number, fromInitiator = true): StreamAction {
    this.#note(report, 'reset', fromInitiator, offset);
    return (this.#standing = this.#rule.monitorOnly ? StreamAction.opaque : StreamAction.reset);
  }

  /**
   * A reply to nothing. It may tell that the server no longer reads what we take the client's bytes for, and takes them
   * for commands.
   */
  #unexpectedReply(code: number): StreamAction {
    const report: Report = { kind: 'unexpected-reply', reply: this.#reply.text() };
    if (this.#expect === Expect.mailData) {
      // It has found an end of data where there is none: whatever this end was, nothing may pass behind it.
      if (code < 400) return this.#reset(report, this.#replyAt, false);
      // It gives up on the mail, and either reads on to its end or not.
      this.#data.refuse();
      this.#note(report, 'masked', false, this.#replyAt);
      return StreamAction.pass;
    }
    if (this.#expect === Expect.authLine) {
      // A second challenge: the server has read a response where we saw none, and waits for another.
      if (this.#authLine.length > 0 || code === 334) return this.#reset(report, this.#replyAt, false);
      this.#expect = Expect.command;
    }
    this.#note(report, 'noted', false, this.#replyAt);
    return StreamAction.pass;
  }

  #endReply(): void {
    this.#offering = 0;
    this.#continues = false;
    this.#malformed = false;
  }
}
