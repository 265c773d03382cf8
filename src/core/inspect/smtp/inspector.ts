/**
 * SMTP and ESMTP inspection of one session (`ip inspect name NAME {smtp|esmtp}`). Puts together the parts: what the
 * client's bytes are (command, AUTH response, message data, chunk), what the server's replies make of them, and what is
 * reported. Whether something is masked is decided in the parts; here, what is reset.
 *
 * Memory: an inspector has 3 KB (1 KB of lines and queue, the rest objects; 10 KB more for a long group), a session between two lines has
 * SMTP_WORDS words: `save` and `load` let one inspector serve one session after the other. A call that finds nothing
 * wrong allocates nothing.
 */
import type { FlatMemory } from '../../memory/flat-memory.js';
import type { StateIo } from '../../memory/state-io.js';
import type { SmtpOptions } from '../../policy.js';
import { StreamAction, type SavedInspector } from '../inspector.js';
import { AuthLine } from './auth-line.js';
import { CommandLine, LINE_KEPT, type LineFault } from './command-line.js';
import {
  beginsMail,
  commandName,
  Dialogue,
  DIALOGUE_WORDS,
  isSoundDialogue,
  Effect,
  isSecret,
  LINES_AT_REST,
  mustBeAnswered,
  newDialogue,
} from './dialogue.js';
import type { SmtpAction, SmtpCounters, SmtpFinding } from './finding.js';
import {
  BLOB_END,
  COMMANDS,
  CREDENTIALS_LINE,
  DATA_END,
  LAST_CHUNK,
  LONGEST_LINE,
  MASKED_LINE,
  PIPELINE_LIMIT,
  REPLY_LINE_LIMIT,
  UNKNOWN_LINE,
} from './grammar.js';
import { DATA_WORDS, DataEvent, isSoundData, MessageData } from './message-data.js';
import { ReplyLine, REPLY_KEPT } from './reply-line.js';
import { smtpRule, type SmtpRule } from './rule.js';
import { HIDDEN } from './secrets.js';
import type { SmtpHost } from './step.js';
import { SmtpTraffic } from './traffic.js';
import { SmtpTranscript, STRAY, type Stray } from './transcript.js';

/** What the client's next bytes are. */
const Expect = { command: 0, authLine: 1, mailData: 2, chunk: 3 } as const;
type Expect = (typeof Expect)[keyof typeof Expect];

// Words of a session at rest. Doubles begin at even ones. While message data comes, no line awaits a reply.
const CHUNK_LEFT = 0;
const CHUNKED_SIZE = 2;
const DATA = 4;
const LINE_ENDS = DATA;
const DIALOGUE = LINE_ENDS + Math.max(LINES_AT_REST, DATA_WORDS);
const CLIENT_AT = DIALOGUE + DIALOGUE_WORDS;
const SERVER_AT = CLIENT_AT + 1;
const OFFERS = CLIENT_AT + 2; // the last one | the one in progress << 16
const COMMAND_LINES = CLIENT_AT + 3;
const REPLY_LINES = CLIENT_AT + 4;
const BITS = CLIENT_AT + 5; // expect | standing << 2 | flags
export const SMTP_WORDS = BITS + 1;
const EARLY = 1 << 4;
const CONTINUES = 1 << 5;
const MALFORMED = 1 << 6;
const ANSWERS = 1 << 7;
const SECRET = 1 << 8;
const BLOB = 1 << 9;
const STRAY_SHIFT = 10;

const LF = 0x0a;
/** The shortest line: CR LF alone. */
const SHORTEST_LINE = 2;

/** A finding without what is done about it. */
type Report = SmtpFinding extends infer F ? (F extends unknown ? Omit<F, 'action' | 'altered'> : never) : never;

/** Writes the words of a session that begins: what a new inspector would save. */
export function newSmtpSession(m: FlatMemory, at: number): void {
  for (let i = at; i < at + SMTP_WORDS; i++) m.words[i] = 0;
  newDialogue(m, at + DIALOGUE);
}

/** Whether the words of a session at rest that another process has saved can be. */
export function isSoundSmtpSession(m: FlatMemory, at: number): boolean {
  const bits = m.words[at + BITS]!;
  const left = m.floats[(at + CHUNK_LEFT) >> 1]!;
  const size = m.floats[(at + CHUNKED_SIZE) >> 1]!;
  const areCounts = left >= 0 && size >= 0 && Number.isSafeInteger(left) && Number.isSafeInteger(size);
  if (!areCounts || ((bits >> 2) & 3) > StreamAction.opaque || bits < 0 || bits >> STRAY_SHIFT > STRAY.early)
    return false;
  return ((bits & 3) !== Expect.mailData || isSoundData(m, at + DATA)) && isSoundDialogue(m, at + DIALOGUE);
}

export class SmtpInspector implements SavedInspector {
  modified = false;

  readonly #rule: SmtpRule;
  readonly #host: SmtpHost;
  readonly #counters: SmtpCounters;
  readonly #dialogue: Dialogue;
  readonly #line: CommandLine;
  readonly #reply: ReplyLine;
  readonly #authLine: AuthLine;
  readonly #data: MessageData;
  readonly #transcript: SmtpTranscript;
  #expect: Expect = Expect.command;
  /** The line in progress was reported already. */
  #reported = false;
  /** Bytes of the chunk (or blob) still to come, and of the mail's chunks so far. */
  #chunkLeft = 0;
  #chunkedSize = 0;
  /** It is a blob, which is answered once it is complete. */
  #blob = false;
  #early = false;
  /** AUTH or the like came last of all known commands: unknown ones may be responses that went astray. */
  #secret = false;
  /** Of the reply in progress: the offer so far; not its first line; it answers a line; a line without code was reported. */
  #offering = 0;
  #continues = false;
  #answers = false;
  #malformed = false;
  #longReported = false;
  /** `opaque` once TLS has begun or monitor-only would have reset the session; `reset` once it was. */
  #standing: StreamAction = StreamAction.pass;
  /** Stream position (int32) of the first byte of the call, bytes from the first data byte; of the line in progress. */
  #clientAt = 0;
  #serverAt = 0;
  #lineAt = 0;
  #replyAt = 0;
  /** Position of the client up to which the server had acknowledged when that reply line began. */
  #acknowledged = 0;

  /**
   * @param protocol the keyword of the rule's line
   * @param options  its other keywords. One object a line: the automata are compiled once for it
   * @param counters findings by kind, shared by the sessions of the router; so is `traffic`
   */
  constructor(
    protocol: 'smtp' | 'esmtp',
    options: SmtpOptions,
    host: SmtpHost,
    counters: SmtpCounters,
    private readonly traffic = new SmtpTraffic(),
  ) {
    const rule = smtpRule(protocol, options);
    this.#rule = rule;
    this.#host = host;
    this.#counters = counters;
    const memory = new Uint8Array(LINE_KEPT + REPLY_KEPT);
    this.#line = new CommandLine(rule, memory.subarray(0, LINE_KEPT));
    this.#reply = new ReplyLine(rule, memory.subarray(LINE_KEPT));
    this.#dialogue = new Dialogue();
    this.#authLine = new AuthLine(!rule.monitorOnly);
    this.#data = new MessageData(!rule.monitorOnly, rule.scan);
    this.#transcript = new SmtpTranscript(host, !rule.monitorOnly);
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
    this.#dialogue.save(m, at + DIALOGUE, at + LINE_ENDS);
    w[at + CLIENT_AT] = this.#clientAt;
    w[at + SERVER_AT] = this.#serverAt;
    w[at + OFFERS] = this.#dialogue.offered | (this.#offering << 16);
    w[at + COMMAND_LINES] = this.#line.count;
    w[at + REPLY_LINES] = this.#reply.count;
    const ofClient = (this.#early ? EARLY : 0) | (this.#secret ? SECRET : 0) | (this.#blob ? BLOB : 0);
    const ofReply =
      (this.#continues ? CONTINUES : 0) | (this.#malformed ? MALFORMED : 0) | (this.#answers ? ANSWERS : 0);
    w[at + BITS] = this.#expect | (this.#standing << 2) | ofClient | ofReply | (this.#transcript.stray << STRAY_SHIFT);
  }

  /** Goes on with the session that an inspector of the same rule has saved there. */
  load(m: FlatMemory, at: number): void {
    const w = m.words;
    const bits = w[at + BITS]!;
    this.#expect = (bits & 3) as Expect;
    this.#standing = ((bits >> 2) & 3) as StreamAction;
    this.#early = (bits & EARLY) !== 0;
    this.#continues = (bits & CONTINUES) !== 0;
    this.#malformed = (bits & MALFORMED) !== 0;
    this.#answers = (bits & ANSWERS) !== 0;
    this.#secret = (bits & SECRET) !== 0;
    this.#blob = (bits & BLOB) !== 0;
    this.#transcript.stray = (bits >> STRAY_SHIFT) as Stray;
    this.#chunkLeft = m.floats[(at + CHUNK_LEFT) >> 1]!;
    this.#chunkedSize = m.floats[(at + CHUNKED_SIZE) >> 1]!;
    if (this.#expect === Expect.mailData) this.#data.load(m, at + DATA);
    else if (this.#expect === Expect.authLine) this.#authLine.begin();
    this.#dialogue.load(m, at + DIALOGUE, at + LINE_ENDS);
    this.#dialogue.offered = w[at + OFFERS]! & 0xffff;
    this.#clientAt = w[at + CLIENT_AT]!;
    this.#serverAt = w[at + SERVER_AT]!;
    this.#offering = w[at + OFFERS]! >>> 16;
    this.#line.count = w[at + COMMAND_LINES]!;
    this.#reply.count = w[at + REPLY_LINES]!;
  }

  /** Saves or loads all of the session, with lines that are cut. */
  sync(io: StateIo): void {
    this.#expect = io.below(this.#expect, Expect.chunk + 1) as Expect;
    this.#standing = io.below(this.#standing, StreamAction.refuse) as StreamAction;
    this.#reported = io.flag(this.#reported);
    this.#chunkLeft = io.double(this.#chunkLeft);
    this.#chunkedSize = io.double(this.#chunkedSize);
    this.#blob = io.flag(this.#blob);
    this.#early = io.flag(this.#early);
    this.#secret = io.flag(this.#secret);
    this.#offering = io.int(this.#offering);
    this.#continues = io.flag(this.#continues);
    this.#answers = io.flag(this.#answers);
    this.#malformed = io.flag(this.#malformed);
    this.#longReported = io.flag(this.#longReported);
    this.#clientAt = io.int(this.#clientAt);
    this.#serverAt = io.int(this.#serverAt);
    this.#lineAt = io.int(this.#lineAt);
    this.#replyAt = io.int(this.#replyAt);
    this.#acknowledged = io.int(this.#acknowledged);
    this.#dialogue.sync(io);
    this.#line.sync(io);
    this.#reply.sync(io);
    this.#authLine.sync(io);
    this.#data.sync(io);
    this.#transcript.sync(io);
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = false;
    if (this.#standing !== StreamAction.pass) return this.#standing;
    if (!this.#hasRoom(b, at, end)) return StreamAction.refuse;
    let action: StreamAction = StreamAction.pass;
    let i = at;
    while (i < end && action === StreamAction.pass) {
      const from = i;
      switch (this.#expect) {
        case Expect.command:
          if (this.#line.length === 0 || this.#line.ended) this.#beginLine(from - at);
          i = this.#line.take(b, i, end, this.#dialogue.offered, this.#host);
          if (this.#line.changed) this.modified = true;
          action = this.#judgeLine(this.#clientAt + i - at);
          break;
        case Expect.authLine:
          if (this.#authLine.length === 0) this.#lineAt = this.#clientAt + from - at;
          i = this.#authLine.take(b, i, end);
          if (this.#authLine.changed) this.modified = true;
          action = this.#judgeAuthLine(this.#clientAt + i - at);
          break;
        case Expect.mailData:
          i = this.#data.take(b, i, end);
          if (this.#data.changed) this.modified = true;
          action = this.#judgeData(this.#clientAt + i - at);
          break;
        default:
          i += Math.min(end - i, this.#chunkLeft);
          this.#chunkLeft -= i - from;
          if (this.#chunkLeft === 0) action = this.#chunkEnded(this.#clientAt + i - at);
      }
    }
    this.#clientAt = (this.#clientAt + end - at) | 0;
    return action;
  }

  fromResponder(b: Uint8Array, at: number, end: number, _now: number, unacknowledged: number): StreamAction {
    this.modified = false;
    if (this.#standing !== StreamAction.pass) return this.#standing;
    let action: StreamAction = StreamAction.pass;
    const reply = this.#reply;
    let i = at;
    while (i < end && action === StreamAction.pass) {
      if (reply.length === 0 || reply.ended) {
        this.#replyAt = this.#serverAt + i - at;
        this.#acknowledged = (this.#clientAt - unacknowledged) | 0;
        this.#longReported = false;
        reply.begin(this.#continues && this.#rule.esmtp && this.#dialogue.hopeful === COMMANDS.EHLO.id);
      }
      i = reply.take(b, i, end, this.#host);
      if (reply.changed) this.modified = true;
      if (reply.length > REPLY_LINE_LIMIT && !this.#longReported) {
        this.#longReported = true;
        this.#note({ kind: 'long-reply', limit: REPLY_LINE_LIMIT }, 'noted', false, this.#replyAt);
      }
      if (reply.ended) {
        this.#transcript.reply(reply, this.#dialogue, this.#expect === Expect.authLine);
        action = this.#judgeReply();
      }
    }
    this.#serverAt = (this.#serverAt + end - at) | 0;
    return action;
  }

  /** Reports what waited for the end of a line: the session is over, and the line will not end. */
  finish(): void {
    if (this.#standing !== StreamAction.pass) return;
    this.#tellUnfinished();
    if (this.#line.cut) this.#noteFault();
    if (this.#reply.cut) this.#noteExtension();
    // All of it is said.
    this.#line.forget();
    this.#reply.forget();
    this.#expect = Expect.command;
  }

  /**
   * There is room for all the lines that may end in b[at..end). Where there is not, replies must come first: TCP repeats
   * the segment. Under monitor-only nothing waits.
   */
  #hasRoom(b: Uint8Array, at: number, end: number): boolean {
    const room = PIPELINE_LIMIT - this.#dialogue.waiting;
    if (end - at <= SHORTEST_LINE * room || this.#rule.monitorOnly) return true;
    if (this.#expect !== Expect.command || this.#dialogue.frozen) return true;
    let lines = 0;
    for (let i = at; i < end; i++) if (b[i] === LF) lines++;
    return lines <= room;
  }

  #beginLine(offset: number): void {
    const { awaited } = this.#dialogue;
    this.#lineAt = this.#clientAt + offset;
    this.#line.begin(this.#secret);
    this.#reported = false;
    if (awaited !== 0) {
      // One report a command is enough: what stands behind it may be a whole mail.
      this.#reported = this.#dialogue.overtaken;
      this.#dialogue.overtaken = true;
      this.#line.overtakes(commandName(awaited), isSecret(awaited));
    }
    if (!this.#dialogue.greeted && !this.#early) {
      this.#early = true;
      this.#note({ kind: 'early-command' }, 'noted', true, this.#lineAt);
    }
  }

  /** @param end stream position behind the last byte taken; so below */
  #judgeLine(end: number): StreamAction {
    const line = this.#line;
    if (line.ended) this.#transcript.command(line, this.#dialogue);
    if (line.signature !== 0)
      return this.#reset({ kind: 'signature', id: line.signature, line: line.before() }, this.#lineAt);
    if (line.counts && line.fault !== undefined && !line.verbMasked) {
      // Servers differ in what they make of a malformed BDAT, and so in which octets they then take for commands.
      return this.#reset(this.#lineReport(line.fault), this.#lineAt);
    }
    // Nobody knows how many replies it will have. A line over its limit may be cut by the server, like one with a bare CR.
    if (line.crWentOut || line.length > line.limit) this.#dialogue.freeze();
    if (line.ended || line.length > LINE_KEPT + 2 || line.bareLf) this.#noteFault();
    if (line.length > LONGEST_LINE) return this.#lineTooLong(line.before(), line.after());
    return line.ended ? this.#lineEnded(end) : StreamAction.pass;
  }

  /** Reports what is wrong with the client's line, once. */
  #noteFault(): void {
    const line = this.#line;
    if (line.fault === undefined || this.#reported) return;
    this.#reported = true;
    const textEnd = line.ended ? line.length - 2 : line.length;
    const masked = line.maskedFrom >= 0 && line.maskedFrom < textEnd;
    const offset = this.#lineAt + (line.mayTell ? Math.max(0, line.maskedFrom) : 0);
    const report = this.#lineReport(line.fault);
    if (masked && !this.#rule.monitorOnly) this.traffic.noteMasked(line.before());
    this.#note(report, masked ? 'masked' : 'noted', true, offset);
  }

  /** A server may have cut it, and answer each part. */
  #lineTooLong(before: string, after: string): StreamAction {
    return this.#reset({ kind: 'line-too-long', limit: LONGEST_LINE, before, after, why: 'too-long' }, this.#lineAt);
  }

  #lineEnded(end: number): StreamAction {
    const line = this.#line;
    const seen = this.#seenByServer();
    if (line.isCommand) this.#secret = isSecret(line.id);
    else if (line.fault !== undefined && line.bringsSecret) this.#secret = true;
    if (seen === COMMANDS.BDAT.id && line.chunk.complete) return this.#beginChunk(end);
    if (!line.verbMasked && !this.#dialogue.inSequence(seen)) {
      this.#note({ kind: 'bad-sequence', command: commandName(seen) }, 'noted', true, this.#lineAt);
    }
    if (seen === COMMANDS.XEXCH50.id) {
      this.#chunkLeft = line.chunk.complete ? line.chunk.size : 0;
      if (this.#chunkLeft > this.#rule.maxData) return this.#tooLarge(this.#lineAt);
    }
    return this.#sent(seen, end);
  }

  /**
   * What the line is to the server. Of `DATAX` cut behind the A, it has seen DATA, and some take that for the command:
   * nothing may pass behind such a line either before the reply has come. No difference is made by the cut.
   */
  #seenByServer(): number {
    const { verbMasked, id, passes } = this.#line;
    if (this.#rule.monitorOnly) {
      if (this.#line.hides && !this.#line.isCommand) return CREDENTIALS_LINE;
      if (id !== MASKED_LINE) return id;
      return this.#line.bringsSecret ? CREDENTIALS_LINE : UNKNOWN_LINE;
    }
    return verbMasked && !(passes && mustBeAnswered(id)) ? MASKED_LINE : id;
  }

  /**
   * The octets are no commands only to a server that takes the chunk. Where its replies have not said so, they would be
   * commands to it (Exim 4 between two chunks): they must not reach it.
   */
  #beginChunk(end: number): StreamAction {
    const { size, last } = this.#line.chunk;
    if (!this.#dialogue.takesChunks) {
      const report: Report = { kind: 'bad-sequence', command: 'BDAT' };
      if (!this.#rule.monitorOnly) return this.#reset(report, this.#lineAt);
      this.#note(report, 'reset', true, this.#lineAt);
    }
    this.#chunkedSize += size;
    if (this.#chunkedSize > this.#rule.maxData) return this.#tooLarge(this.#lineAt);
    this.#chunkLeft = size;
    if (size > 0) this.#expect = Expect.chunk;
    this.#tellData('chunk', size, true);
    return this.#sent(last ? LAST_CHUNK : COMMANDS.BDAT.id, end + size);
  }

  #chunkEnded(end: number): StreamAction {
    this.#expect = Expect.command;
    if (!this.#blob) return StreamAction.pass;
    this.#blob = false;
    return this.#sent(BLOB_END, end);
  }

  #sent(id: number, end: number): StreamAction {
    if (beginsMail(id)) this.#chunkedSize = 0;
    if (this.#dialogue.sent(id, end | 0)) return StreamAction.pass;
    return this.#reset({ kind: 'pipeline-overflow', limit: PIPELINE_LIMIT }, this.#lineAt);
  }

  #judgeAuthLine(end: number): StreamAction {
    const line = this.#authLine;
    const hidden = { before: HIDDEN, after: HIDDEN };
    if (line.beyondRepair) {
      return this.#reset({ kind: 'bare-line-break', ...hidden, why: 'auth-response-gone-out' }, this.#lineAt);
    }
    if (line.fault !== undefined && !line.reported) {
      line.reported = true;
      this.#note({ kind: line.fault, ...hidden, why: 'auth-response' }, 'masked', true, this.#lineAt);
    }
    if (line.length > LONGEST_LINE) return this.#lineTooLong(HIDDEN, HIDDEN);
    if (!line.ended) return StreamAction.pass;
    this.#transcript.response(true);
    this.#expect = Expect.command;
    return this.#sent(COMMANDS.AUTH.id, end);
  }

  #judgeData(end: number): StreamAction {
    const data = this.#data;
    const offset = end - 1;
    if (data.size > this.#rule.maxData) return this.#tooLarge(offset);
    switch (data.event) {
      case DataEvent.end:
        this.#tellData('message', data.size, true);
        this.#expect = Expect.command;
        return this.#sent(DATA_END, end);
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
      this.#dialogue.helpEnded(this.#answers);
      this.#endReply();
      return StreamAction.pass;
    }
    if (!this.#continues) this.#answers = this.#dialogue.answers(reply.code, this.#acknowledged);
    this.#offering |= reply.offered.bit;
    this.#noteExtension();
    if (!reply.final) {
      this.#continues = true;
      return StreamAction.pass;
    }
    const offering = this.#offering;
    const { awaited } = this.#dialogue;
    const effect = this.#dialogue.replied(reply.code, this.#answers, this.#line.cut);
    const { answered } = this.#dialogue;
    if (answered === DATA_END || answered === LAST_CHUNK) this.traffic.noteMail(reply.code);
    this.#endReply();
    switch (effect) {
      case Effect.mailData:
        this.#expect = Expect.mailData;
        this.#transcript.accepted();
        this.#data.begin();
        return StreamAction.pass;
      case Effect.response:
        this.#expect = Expect.authLine;
        this.#authLine.begin();
        return StreamAction.pass;
      case Effect.blob:
        // The server has read a size where we have not.
        if (this.#chunkLeft === 0)
          return this.#reset({ kind: 'unexpected-reply', reply: reply.text() }, this.#replyAt, false);
        this.#expect = Expect.chunk;
        this.#transcript.accepted();
        this.#tellData('blob', this.#chunkLeft, true);
        this.#blob = true;
        return StreamAction.pass;
      case Effect.tls:
        this.#host.transcript?.transcribe({ what: 'opaque' });
        return (this.#standing = StreamAction.opaque);
      case Effect.unexpected:
      case Effect.closing:
        return this.#unasked(reply.code, effect);
      case Effect.mismatch:
        return this.#reset({ kind: 'unexpected-reply', reply: reply.text() }, this.#replyAt, false);
      case Effect.disagreement:
        return this.#reset(
          {
            kind: 'command-behind',
            command: commandName(awaited),
            before: '',
            after: '',
            why: 'early-and-agreed',
          },
          this.#replyAt,
          false,
        );
      default:
        this.#noteAnswered(reply.code, offering);
        return StreamAction.pass;
    }
  }

  #noteAnswered(code: number, offering: number): void {
    const { answered } = this.#dialogue;
    if (answered === COMMANDS.EHLO.id && code < 300) this.#dialogue.offered = offering;
    if (code >= 300 && (answered === COMMANDS.BDAT.id || answered === LAST_CHUNK)) this.#transcript.refusedChunk();
  }

  #noteExtension(): void {
    const reply = this.#reply;
    if (reply.maskedFrom < 0) return;
    const texts = { before: reply.text(), after: reply.textAfter() };
    this.#note({ kind: 'extension-masked', ...texts }, 'masked', false, this.#replyAt + reply.maskedFrom);
    reply.maskedFrom = -1;
  }

  #lineReport(kind: LineFault): Report {
    const line = this.#line;
    const text = { before: line.before(), after: line.after(), why: line.why };
    switch (kind) {
      case 'line-too-long':
        return { kind, limit: line.limit, ...text };
      case 'command-behind':
        return { kind, command: line.behind, ...text };
      default:
        return { kind, ...text };
    }
  }

  #note(report: Report, action: SmtpAction, fromInitiator: boolean, offset: number): void {
    this.#counters[report.kind]++;
    const altered = action !== 'noted' && !this.#rule.monitorOnly;
    this.#host.report({ ...report, action, altered }, fromInitiator, offset);
  }

  #tellData(of: 'message' | 'chunk' | 'blob', bytes: number, whole: boolean): void {
    this.#host.transcript?.transcribe({ what: 'data', of, fromInitiator: true, bytes, whole });
  }

  /** Has the transcript say what has begun and will not end. */
  #tellUnfinished(): void {
    if (this.#host.transcript === undefined) return;
    if (this.#line.cut) this.#transcript.command(this.#line, this.#dialogue);
    if (this.#expect === Expect.mailData) this.#tellData('message', this.#data.size, false);
    else if (this.#expect === Expect.chunk)
      this.#host.transcript.transcribe({ what: 'missing', bytes: this.#chunkLeft });
    else if (this.#expect === Expect.authLine && this.#authLine.length > 0) this.#transcript.response(false);
    if (this.#reply.cut) this.#transcript.reply(this.#reply, this.#dialogue, this.#expect === Expect.authLine);
  }

  /** Ends the session; under monitor-only it goes on unseen, since nothing behind this point would have happened. */
  #reset(report: Report, offset: number, fromInitiator = true): StreamAction {
    this.#tellUnfinished();
    if (!fromInitiator && this.#line.cut) this.#noteFault();
    this.#note(report, 'reset', fromInitiator, offset);
    if (this.#rule.monitorOnly) this.#host.transcript?.transcribe({ what: 'opaque' });
    return (this.#standing = this.#rule.monitorOnly ? StreamAction.opaque : StreamAction.reset);
  }

  /**
   * A reply to nothing, or 421. It may tell that the server no longer reads what we take the client's bytes for, and
   * takes them for commands. A refusal may be its last word (a timeout, too many errors): the client shall get it.
   */
  #unasked(code: number, effect: Effect): StreamAction {
    const report: Report = { kind: 'unexpected-reply', reply: this.#reply.text() };
    // It has found an end where there is none, or lines that we do not know: nothing may pass behind it.
    if (code < 400 || this.#expect === Expect.chunk) return this.#reset(report, this.#replyAt, false);
    if (this.#expect === Expect.authLine) {
      if (this.#authLine.length > 0) return this.#reset(report, this.#replyAt, false);
      // It ends the exchange: what follows are commands again. Nothing is counted otherwise than before.
      this.#expect = Expect.command;
      if (effect === Effect.unexpected) this.#note(report, 'noted', false, this.#replyAt);
      return StreamAction.pass;
    }
    this.#dialogue.freeze();
    if (this.#expect === Expect.mailData) {
      // It gives up on the mail, and either reads on to its end or not.
      this.#data.refuse();
      this.#note(report, 'masked', false, this.#replyAt);
    } else if (effect === Effect.unexpected) this.#note(report, 'noted', false, this.#replyAt);
    return StreamAction.pass;
  }

  #endReply(): void {
    this.#offering = 0;
    this.#continues = false;
    this.#answers = false;
    this.#malformed = false;
  }
}
