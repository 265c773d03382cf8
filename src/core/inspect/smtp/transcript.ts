/**
 * What a transcript may have of an SMTP dialogue. Credentials never: see secrets.ts. Message data never, wherever it
 * turns up: a client that sends it without waiting for the 354, that goes on with it after a refusal, or that ends its
 * lines in another way than we read them, brings it where commands stand. From then on a line is told by its verb alone,
 * until it is clear again what the client's lines are. A server may repeat what it was sent: of a reply to such a line
 * the codes are told.
 */
import type { StateIo } from '../../memory/state-io.js';
import type { TranscriptLine } from '../transcript.js';
import { type CommandLine, LINE_KEPT } from './command-line.js';
import { type Dialogue, isSecret } from './dialogue.js';
import { COMMANDS } from './grammar.js';
import { REPLY_KEPT, type ReplyLine } from './reply-line.js';
import { beforeArguments, beforeSecrets } from './secrets.js';
import type { SmtpHost } from './step.js';

/** How far command lines may be message data. */
export const STRAY = {
  none: 0,
  /** DATA came last, and has no reply yet. */
  asked: 1,
  /** It was refused: the next command that begins something anew ends that. */
  refused: 2,
  /** They came before the reply, or not as lines of ours: a dot alone ends that, and then the same. */
  early: 3,
} as const;
export type Stray = (typeof STRAY)[keyof typeof STRAY];

const { AUTH, BDAT, DATA, XEXCH50 } = COMMANDS;
/** What some servers take for the end of a line. */
const BREAK = /[\r\n\0]/;
const COUNTED = /^[A-Z0-9]+(?: +\d{1,15}(?: +(?:LAST|\d{1,3}))?)?/i;
const VERB = /^[A-Z0-9-]+/i;
/** No line of a mail looks like these by chance. */
const BEGINS_ANEW = /^(?:MAIL FROM:|RCPT TO:|(?:RSET|QUIT|DATA)$)/i;
const CODES = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3}(?![^ ]))?/;
const CHALLENGE = 334;
/** CR LF. */
const LINE_END = 2;

const ASKS_FOR_DATA: ReadonlySet<string> = new Set<keyof typeof COMMANDS>(['DATA', 'XEXCH50']);
const isFollowedByData = (id: number): boolean => id === DATA.id || id === XEXCH50.id || id === BDAT.id;

export class SmtpTranscript {
  stray: Stray = STRAY.none;

  constructor(
    private readonly host: SmtpHost,
    private readonly alter: boolean,
  ) {}

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.stray = io.below(this.stray, STRAY.early + 1) as Stray;
  }

  /**
   * A line of the client has ended, or will not. To be called before the dialogue hears of it.
   */
  command(line: CommandLine, dialogue: Dialogue): void {
    const { transcript } = this.host;
    const early = line.fault === 'command-behind';
    if (early && ASKS_FOR_DATA.has(line.behind)) this.stray = STRAY.early;
    else if (this.stray === STRAY.asked) this.stray = STRAY.refused;
    if (this.stray === STRAY.refused && !early && this.#beginsAnew(line, dialogue)) this.stray = STRAY.none;
    if (transcript !== undefined) transcript.transcribe(this.#told(line, early || this.stray !== STRAY.none));
    if (line.id === BDAT.id) {
      if (line.verbMasked && (this.alter || !line.chunk.complete)) this.stray = STRAY.early;
    } else if (isFollowedByData(line.id)) {
      if (line.verbMasked) this.stray = STRAY.early;
      else if (this.stray === STRAY.none) this.stray = STRAY.asked;
    }
    if (line.fault !== undefined && isBroken(line)) this.stray = STRAY.early;
    if (this.stray === STRAY.early && line.isDot) this.stray = STRAY.refused;
  }

  /** A response in an AUTH exchange has ended, or will not. */
  response(ended: boolean): void {
    this.host.transcript?.transcribe({
      what: 'line',
      fromInitiator: true,
      text: '',
      more: 0,
      hidden: 'credentials',
      ...(!ended && { cut: true }),
    });
  }

  /** The server has agreed: what the client sends now is message data, and no line. */
  accepted(): void {
    this.stray = STRAY.none;
  }

  /** The server has refused a chunk, and perhaps takes its octets for commands. */
  refusedChunk(): void {
    if (this.stray === STRAY.none || this.stray === STRAY.asked) this.stray = STRAY.refused;
  }

  /** A reply line has ended, or will not. To be called before the dialogue hears of it. @param inAuth a response is awaited */
  reply(line: ReplyLine, dialogue: Dialogue, inAuth: boolean): void {
    const { transcript } = this.host;
    if (transcript === undefined) return;
    const sent = line.text();
    const secret = line.code === CHALLENGE || inAuth || dialogue.answersSecret;
    const repeats = secret || !this.#repliesToLines(dialogue);
    const text = repeats ? (CODES.exec(sent)?.[0] ?? '') : sent;
    const hides = text.length < sent.length;
    const changed = line.maskedFrom >= 0 && this.alter;
    transcript.transcribe({
      what: 'line',
      fromInitiator: false,
      text,
      more: hides ? 0 : Math.max(0, line.length > REPLY_KEPT ? line.length - LINE_END - text.length : 0),
      ...(hides && { hidden: secret ? 'credentials' : 'reply' }),
      ...(changed && { became: masked(text, line.maskedFrom) }),
      ...(!line.ended && { cut: true }),
    });
  }

  /** What the server has read so far can be told, and so may what it says. */
  #repliesToLines(dialogue: Dialogue): boolean {
    if (dialogue.frozen || dialogue.waiting === 0) return false;
    return this.stray === STRAY.none || (this.stray === STRAY.asked && isFollowedByData(dialogue.awaited));
  }

  /** The client has heard all replies, and begins something that it would not in the midst of a mail. */
  #beginsAnew(line: CommandLine, dialogue: Dialogue): boolean {
    if (!line.isCommand || line.fault !== undefined || dialogue.waiting > 0 || dialogue.frozen) return false;
    return BEGINS_ANEW.test(line.sent());
  }

  #told(line: CommandLine, verbOnly: boolean): TranscriptLine {
    const sent = line.sent();
    const length = line.ended ? line.length - LINE_END : line.length;
    const { text, hidden } = line.hides ? SECRET_LINE : tellable(line, sent, length, verbOnly);
    return {
      what: 'line',
      fromInitiator: true,
      text,
      more: hidden === 'credentials' ? 0 : length - text.length,
      ...(hidden !== undefined && { hidden }),
      ...(line.maskedFrom >= 0 && this.alter && { became: masked(text, line.maskedFrom) }),
      ...(!line.ended && { cut: true }),
    };
  }
}

type Tellable = Pick<TranscriptLine, 'text'> & { hidden: TranscriptLine['hidden'] };
const SECRET_LINE: Tellable = { text: '', hidden: 'credentials' };

/** @param sent as much of the line as is kept @param length of the whole line, both without line end */
function tellable(line: CommandLine, sent: string, length: number, verbOnly: boolean): Tellable {
  if (line.isDot) return { text: sent, hidden: undefined };
  const head = sent.split(BREAK, 1)[0]!;
  const secretBehind = isSecret(line.id) ? beforeArguments(head, AUTH_NAMES[line.id]!) : beforeSecrets(head);
  if (secretBehind !== undefined) return { text: secretBehind, hidden: 'credentials' };
  const kept =
    verbOnly || line.id === DATA.id
      ? line.isCommand
        ? VERB.exec(head)![0]
        : ''
      : line.counts
        ? COUNTED.exec(head)![0]
        : head;
  const hides = kept.length < sent.length || (verbOnly && kept.length < length);
  return { text: kept, hidden: hides ? 'data' : undefined };
}

/** How long the verbs are behind which credentials stand. */
const AUTH_NAMES: Readonly<Record<number, number>> = { [AUTH.id]: 4, [COMMANDS['X-EXPS'].id]: 6 };

/** A server may see more than one line in it, or one that ends elsewhere. */
const isBroken = (line: CommandLine): boolean => line.length > LINE_KEPT || line.crWentOut || BREAK.test(line.sent());

const masked = (text: string, from: number): string => text.slice(0, from).padEnd(text.length, 'x');
