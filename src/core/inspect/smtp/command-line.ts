/**
 * One command line of the client, cut anywhere: verb, arguments, CR LF. What must not pass is overwritten with x.
 *
 * A wrong verb costs the whole line, as far as it is in hand; letters that went out earlier are the start of a legal
 * verb and no more. Wrong arguments are masked from the first byte that makes them wrong. CR LF always stays: the
 * server must answer. A CR without LF is known by the byte behind it; one that has gone out by then stays, and since
 * the rest of the line is masked, no server finds a second command behind it.
 */
import type { StateIo } from '../../memory/state-io.js';
import { ChunkArgument } from './chunk.js';
import {
  CLASSES,
  CLASS_OF,
  nextParamState,
  OTHER,
  PARAM_END_ID,
  PARAM_ORDINARY,
  PARAM_START,
  PARAM_STATES,
  printedParamState,
  START,
  STAYS_ORDINARY,
} from './dfa.js';
import { commandName, isSecret } from './dialogue.js';
import { LINE_REASONS, type LineReason, type SignatureId, type SmtpFinding } from './finding.js';
import { COMMANDS, EMPTY_LINE, END_OF_DATA, offerBit } from './grammar.js';
import { latin1, maskInPlace } from './mask.js';
import { Arguments, type Fit, FITS, UNFIT } from './arguments.js';
import type { SmtpRule } from './rule.js';
import { HIDDEN, namesSecret, withoutArguments, withoutSecrets } from './secrets.js';
import { isOldAttack, OLD_ATTACK } from './signatures.js';
import type { SmtpHost } from './step.js';

/** Bytes of a line that are kept for its finding. */
export const LINE_KEPT = 512;

export type LineFault = Extract<SmtpFinding, { why: LineReason }>['kind'];

const FAULTS: readonly (LineFault | undefined)[] = [
  undefined,
  'invalid-command',
  'invalid-parameter',
  'line-too-long',
  'bare-line-break',
  'command-behind',
];

/** Letters of a command's name, more than any has. */
const LONGEST_NAME = 32;

const NUL = 0x00;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DOT = 0x2e;
const CHUNKING = offerBit('CHUNKING');

const Stage = { verb: 0, rest: 1 } as const;

export class CommandLine {
  /** CR LF has come. */
  ended = false;
  /** Bytes so far, with CR LF. */
  length = 0;
  /** Match id, legal or not; 0: no known verb. */
  id = 0;
  /** The rule passes the verb `id`, whatever follows it. */
  passes = false;
  fault: LineFault | undefined = undefined;
  /** Of the fault, where there is one. */
  why: LineReason = 'unknown';
  /** `command-behind`: the command that must be answered first. */
  behind = '';
  /** The fault lies in the verb: the server sees no command that we know. */
  verbMasked = false;
  /** Offset in the line of the first byte masked; -1: none. */
  maskedFrom = -1;
  signature: SignatureId | 0 = 0;
  /** An LF without CR stands in it: a client that ends its lines so may never send another end. */
  bareLf = false;
  /** A CR without LF has gone out: to some servers the line has ended there, and is two. */
  crWentOut = false;
  /** `take` has overwritten something. */
  changed = false;
  readonly chunk = new ChunkArgument();
  /** Bytes with CR LF that this line may have. */
  limit = 0;

  readonly #rule: SmtpRule;
  readonly #kept: Uint8Array;
  readonly #arguments: Arguments;
  #stage: 0 | 1 = Stage.verb;
  #verbState = START;
  #restState = PARAM_START;
  /** Bytes behind the verb so far. */
  #restLength = 0;
  #cr = false;
  #wordEnded = false;
  /** No letter of it may be told: it stands behind AUTH, before the reply. */
  #hidden = false;
  /** Behind AUTH: unless it begins with a known verb, it is a response that came astray. */
  #secret = false;
  /** The byte behind the verb is one that no verb ends with. */
  #glued = false;
  /** Command lines before this one; the trace counts from 1. */
  #before = 0;
  /** Where the part of the line that is in hand begins: in the buffer, and in the line. */
  #at = 0;
  #lineAt = 0;

  /** @param kept LINE_KEPT bytes, this session's own */
  constructor(rule: SmtpRule, kept: Uint8Array) {
    this.#rule = rule;
    this.#kept = kept;
    this.#arguments = new Arguments(rule.esmtp, rule.parameters);
  }

  /** Its first bytes have come, and CR LF has not. */
  get cut(): boolean {
    return this.length > 0 && !this.ended;
  }

  /** Ended lines of the session. Set: another session's lines follow; none is cut. */
  get count(): number {
    return this.#before;
  }

  set count(lines: number) {
    this.#before = lines;
    this.length = 0;
  }

  /** Saves or loads the line in progress. */
  sync(io: StateIo): void {
    const { verbs } = this.#rule;
    this.ended = io.flag(this.ended);
    this.length = io.int(this.length);
    this.id = io.below(this.id, 256);
    this.passes = io.flag(this.passes);
    this.fault = FAULTS[io.below(FAULTS.indexOf(this.fault), FAULTS.length)];
    this.why = LINE_REASONS[io.below(LINE_REASONS.indexOf(this.why), LINE_REASONS.length)]!;
    this.behind = io.text(this.behind, LONGEST_NAME);
    this.verbMasked = io.flag(this.verbMasked);
    this.maskedFrom = io.int(this.maskedFrom);
    this.signature = io.int(this.signature) as SignatureId | 0;
    this.bareLf = io.flag(this.bareLf);
    this.crWentOut = io.flag(this.crWentOut);
    this.limit = io.int(this.limit);
    this.#stage = io.below(this.#stage, 2) as 0 | 1;
    this.#verbState = io.below(this.#verbState, verbs.accept.length);
    this.#restState = io.below(this.#restState, PARAM_STATES);
    this.#restLength = io.int(this.#restLength);
    this.#cr = io.flag(this.#cr);
    this.#wordEnded = io.flag(this.#wordEnded);
    this.#hidden = io.flag(this.#hidden);
    this.#secret = io.flag(this.#secret);
    this.#glued = io.flag(this.#glued);
    this.#before = io.int(this.#before);
    io.bytes(this.#kept, this.cut ? Math.min(this.length, LINE_KEPT) : 0);
    this.chunk.sync(io);
    this.#arguments.sync(io);
  }

  /** A line that is cut will not end, and has been told of. */
  forget(): void {
    this.length = 0;
  }

  /** Starts the next line. @param secret credentials may stand in it, where it begins with no known verb */
  begin(secret: boolean): void {
    this.ended = false;
    this.length = 0;
    this.id = 0;
    this.passes = false;
    this.fault = undefined;
    this.why = 'unknown';
    this.verbMasked = false;
    this.maskedFrom = -1;
    this.signature = 0;
    this.bareLf = false;
    this.crWentOut = false;
    this.#stage = Stage.verb;
    this.#verbState = START;
    this.#restState = PARAM_START;
    this.limit = this.#rule.lineLimit[0]!;
    this.#restLength = 0;
    this.#cr = false;
    this.#wordEnded = false;
    this.#hidden = false;
    this.#secret = secret;
    this.#glued = false;
  }

  /** The line stands behind a command that must be answered first: all of it is masked. @param hidden no log has it */
  overtakes(command: string, hidden: boolean): void {
    this.fault = 'command-behind';
    this.why = 'early';
    this.behind = command;
    this.verbMasked = true;
    this.maskedFrom = 0;
    this.#hidden = hidden;
  }

  /** It begins with a verb that we know, legal or not, and a blank or the line's end behind it. */
  get isCommand(): boolean {
    return this.id !== 0 && this.#restLength > 0 && !this.#glued;
  }

  /** Credentials stand in it, or will behind it. */
  get bringsSecret(): boolean {
    return this.id === 0 ? namesSecret(this.sent()) : isSecret(this.id);
  }

  /**
   * Takes b[at..end), as far as the line goes.
   * @param offered bits of the extensions that the server offered
   * @returns offset of the first byte not taken
   */
  take(b: Uint8Array, at: number, end: number, offered: number, host: SmtpHost): number {
    this.changed = false;
    this.#at = at;
    this.#lineAt = this.length;
    let i = at;
    // States and lengths tell of letters: nothing is traced of what may be a password.
    const traced = host.debug && !this.#hidden;
    if (this.#stage === Stage.verb) {
      i = this.#takeVerb(b, at, end, offered);
      if (traced && this.mayTell) this.#traceVerb(host, i - at);
    }
    if (this.#stage === Stage.rest && i < end) {
      const from = i;
      i = this.#takeRest(b, i, end);
      if (traced && this.mayTell) this.#traceRest(host, i - from);
    }
    if (this.ended) {
      if (traced && this.mayTell) host.trace({ kind: 'command-ends', index: this.#before + 1, length: this.length });
      this.#before++;
    }
    return i;
  }

  /** The line as sent, without CR LF, cut to LINE_KEPT bytes; `***` for credentials. */
  before(): string {
    if (this.hides) return HIDDEN;
    const sent = this.sent();
    return isSecret(this.id) ? withoutArguments(sent, commandName(this.id).length) : withoutSecrets(sent);
  }

  /** The line as it goes on, likewise. */
  after(): string {
    const before = this.before();
    const end = this.#textEnd();
    if (this.maskedFrom < 0 || !this.#alter) return before;
    // Where some of it is left out above, not even a length is told.
    if (before.endsWith(HIDDEN)) return HIDDEN;
    return latin1(this.#kept, 0, Math.min(this.maskedFrom, end)).padEnd(end, 'x');
  }

  /** It is no response that came astray: a log may have what it is and where it is wrong. */
  get mayTell(): boolean {
    return !this.#secret || this.isCommand;
  }

  /** None of it may be told. */
  get hides(): boolean {
    return this.#hidden || !this.mayTell;
  }

  /** A dot alone. */
  get isDot(): boolean {
    return this.#kept[0] === DOT && this.#textEnd() === 1 && this.ended;
  }

  /** As much of it as is kept, with all that no log may have. */
  sent(): string {
    return latin1(this.#kept, 0, this.#textEnd());
  }

  get #alter(): boolean {
    return !this.#rule.monitorOnly;
  }

  #takeVerb(b: Uint8Array, at: number, end: number, offered: number): number {
    const { next, accept, leaf } = this.#rule.verbs;
    const leads = (offered & CHUNKING) !== 0 ? this.#rule.leadsChunking : this.#rule.leads;
    let state = this.#verbState;
    let i = at;
    while (i < end) {
      const c = b[i]!;
      const following = next[state * CLASSES + CLASS_OF[c]!]!;
      if (following === OTHER) {
        this.#stage = Stage.rest;
        if (accept[state] !== 0) {
          this.#matched(state, offered);
          if (!this.passes) this.#wrongVerb(b, i, 'not-allowed');
          break;
        }
        if (c !== SPACE && c !== TAB && c !== CR && c !== LF) {
          this.#keep(c);
          state = OTHER;
          i++;
        }
        this.#wrongVerb(b, i, 'unknown');
        break;
      }
      this.#keep(c);
      state = following;
      i++;
      if (c !== CR && c !== LF) {
        if (leads[state] === 0) this.#wrongVerb(b, i, 'unknown');
        else if (this.maskedFrom >= 0) this.#overwrite(b, i - 1);
      }
      if (leaf[state] !== 0) {
        this.#matched(state, offered);
        break;
      }
    }
    this.#verbState = state;
    return i;
  }

  #matched(state: number, offered: number): void {
    this.id = this.#rule.verbs.accept[state]!;
    this.passes = this.maskedFrom < 0 && this.#isLegal(this.id, offered);
    if (this.id === EMPTY_LINE || this.id === END_OF_DATA) {
      this.ended = true;
      return;
    }
    if (this.why === 'unknown') this.why = 'not-allowed';
    this.#stage = Stage.rest;
    this.limit = this.#rule.lineLimit[this.id]!;
    if (this.counts) this.chunk.begin(this.id === COMMANDS.XEXCH50.id);
    this.#arguments.begin(this.verbMasked && this.#alter ? 0 : this.id, offered);
  }

  #isLegal(id: number, offered: number): boolean {
    return this.#rule.legal[id] !== 0 && (id !== COMMANDS.BDAT.id || (offered & CHUNKING) !== 0);
  }

  #takeRest(b: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end) {
      if (this.#restState === PARAM_ORDINARY && this.#isPlain) {
        i = this.#takePlain(b, i, end);
        if (this.signature !== 0 || i === end) return i;
      }
      const c = b[i]!;
      this.#keep(c);
      this.#restLength++;
      this.#restState = nextParamState(this.#restState, c);
      if (!this.#wordEnded && (c === SPACE || c === TAB || c === CR || c === LF)) {
        this.#wordEnded = true;
        if (this.id === 0 && isOldAttack(this.#kept, 0, Math.min(this.length - 1, LINE_KEPT))) {
          this.signature = OLD_ATTACK;
          return i + 1;
        }
      }
      if (this.#cr) {
        if (c === LF) {
          if (!this.verbMasked || !this.#alter) this.#judge(this.#arguments.end());
          if (this.counts && !this.chunk.complete) this.#fault('invalid-parameter', 'chunk-size');
          this.ended = true;
          return i + 1;
        }
        this.#cr = false;
        if (i === this.#at && this.#alter) this.crWentOut = true;
        if (this.#restLength === 2 && this.id !== 0) {
          this.#glued = true;
          this.#wrongVerb(b, i, 'bare-cr-behind-verb');
        } else this.#wrongFrom(b, Math.max(this.#at, i - 1), i, 'bare-line-break', 'bare-cr');
      }
      if (c === CR) this.#cr = true;
      else {
        this.#check(b, i, c);
        if (this.signature !== 0) return i + 1;
        if (this.maskedFrom >= 0) this.#overwrite(b, i);
      }
      i++;
    }
    return i;
  }

  /** Its argument tells how many octets follow. */
  get counts(): boolean {
    return this.id === COMMANDS.BDAT.id || this.id === COMMANDS.XEXCH50.id;
  }

  /** Of an ordinary byte only the arguments are asked. */
  get #isPlain(): boolean {
    return this.fault === undefined && this.id !== 0 && !this.counts;
  }

  /** Takes ordinary bytes in PARAM_ORDINARY, one after the other. @returns offset of the first byte that is another */
  #takePlain(b: Uint8Array, from: number, end: number): number {
    const kept = this.#kept;
    const before = this.length;
    const most = Math.min(end, from + Math.min(this.limit - 2, LINE_KEPT) - before);
    let i = from;
    let fit: Fit = FITS;
    while (i < most && fit === FITS && STAYS_ORDINARY[b[i]!] === 1) {
      const c = b[i]!;
      kept[before + i - from] = c;
      fit = this.#arguments.step(c);
      i++;
    }
    this.length = before + i - from;
    this.#restLength += i - from;
    if (fit !== FITS) this.#misfit(b, i - 1, fit);
    return i;
  }

  /** The arguments say of byte b[i] that it does not fit, or completes a signature. */
  #misfit(b: Uint8Array, i: number, fit: Fit): void {
    if (fit !== UNFIT) this.signature = fit;
    else this.#wrongFrom(b, i, i + 1, 'invalid-parameter', 'parameter-unfit');
  }

  /** Judges the byte b[i], behind the verb, no CR. */
  #check(b: Uint8Array, i: number, c: number): void {
    if (c === LF) this.bareLf = true;
    if (this.#restLength === 1 && this.id !== 0 && c !== SPACE && c !== TAB) {
      this.#glued = true;
      this.#wrongVerb(b, i, c === LF ? 'bare-lf-behind-verb' : 'blank-missing');
      return;
    }
    if (c === LF) this.#wrongFrom(b, i, i, 'bare-line-break', 'bare-lf');
    else if (c === NUL) this.#wrongFrom(b, i, i, 'bare-line-break', 'nul');
    else if (this.length > this.limit - 2) this.#wrongFrom(b, i, i, 'line-too-long', 'too-long');
    if (this.verbMasked && this.#alter) return;
    if (this.counts && !this.chunk.step(c)) this.#wrongFrom(b, i, i, 'invalid-parameter', 'chunk-size');
    if (this.fault === undefined || !this.#alter) {
      const fit = this.#arguments.step(c);
      if (fit !== FITS) this.#misfit(b, i, fit);
    }
  }

  #judge(fit: ReturnType<Arguments['end']>): void {
    if (fit === UNFIT) this.#fault('invalid-parameter', 'parameter-incomplete');
    else if (fit !== FITS) this.signature = fit;
  }

  #fault(kind: LineFault, why: LineReason): void {
    if (this.fault !== undefined) return;
    this.fault = kind;
    this.why = why;
  }

  /** Masks what is in hand of the line before b[i], and what will come. */
  #wrongVerb(b: Uint8Array, i: number, why: LineReason): void {
    this.verbMasked = true;
    this.#wrongFrom(b, this.#at, i, 'invalid-command', why);
  }

  /** Masks b[from..i) and what will come. */
  #wrongFrom(b: Uint8Array, from: number, i: number, kind: LineFault, why: LineReason): void {
    this.#fault(kind, why);
    const inLine = this.#lineAt + from - this.#at;
    if (this.maskedFrom < 0 || inLine < this.maskedFrom) this.maskedFrom = inLine;
    if (this.#alter && maskInPlace(b, from, i)) this.changed = true;
  }

  #overwrite(b: Uint8Array, i: number): void {
    if (this.#alter && maskInPlace(b, i, i + 1)) this.changed = true;
  }

  #keep(c: number): void {
    if (this.length < LINE_KEPT) this.#kept[this.length] = c;
    this.length++;
  }

  #textEnd(): number {
    return Math.min(this.ended ? this.length - 2 : this.length, LINE_KEPT);
  }

  #traceVerb(host: SmtpHost, taken: number): void {
    if (taken > 0) host.trace({ kind: 'verb', length: this.length, taken, state: this.#verbState });
    if (this.id !== 0) host.trace({ kind: 'verb-match', id: this.id });
  }

  #traceRest(host: SmtpHost, taken: number): void {
    const state = printedParamState(this.#restState);
    host.trace({ kind: 'parameters', length: this.length, taken, state });
    if (this.ended) host.trace({ kind: 'parameters-match', id: PARAM_END_ID });
  }
}
