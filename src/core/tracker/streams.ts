/**
 * Joins a session to its application inspector: hands the inspector its byte stream, and passes segments that were
 * held on to the engine. Which inspector, and what it may ask of the session: `smtpStream`, `ownStream`.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { blockAt, blockSize, LEAST_BLOCK, NO_BLOCK } from '../memory/arena.js';
import type { StateIo, StateReader, StateWriter } from '../memory/state-io.js';
import { FtpInspector } from '../inspect/ftp/inspector.js';
import { HttpInspector } from '../inspect/http.js';
import type { SavedInspector } from '../inspect/inspector.js';
import { registered, type RegisteredFinding, type RegisteredService } from '../inspect/registry.js';
import type { RuleEntry } from '../inspect/rules.js';
import { newSmtpSession, SMTP_WORDS, SmtpInspector } from '../inspect/smtp/inspector.js';
import type { SmtpOptions } from '../policy.js';
import type { Outbox } from '../outbox.js';
import { newStream, RING_WORDS, type SegmentOutlet, STREAM_WORDS, TcpStream } from '../stream/reassembler.js';
import { SequenceShift } from '../stream/sequence-shift.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { powerOfTwo } from '../stream/buffer-pool.js';
import { copyBytes } from '../wire/copy.js';
import type { Packet } from '../wire/packet.js';
import { TCP_OPTION } from '../wire/tcp-options.js';
import type { EndReason, TranscriptEntry } from '../events.js';
import { endpointsOf } from '../session/endpoints.js';
import { FtpSession } from './ftp-session.js';
import { HttpSession } from './http-session.js';
import type { StreamHost, StreamSession } from './stream-host.js';
import { SmtpSession } from './smtp-session.js';
import { isTranscribing, transcribe } from './transcribing.js';

/** Takes a segment that was held, with its late verdict. */
export type ReleasedSegment = (p: Packet, v: Verdict) => void;

/** What all streams of a router know. */
export interface StreamContext {
  readonly sessions: StreamHost;
  readonly outbox: Outbox;
  readonly released: ReleasedSegment;
  /** RECORD_WORDS words for each session of the table. */
  readonly records: FlatMemory;
  readonly writer: StateWriter;
  readonly reader: StateReader;
}

/** In front of what is saved in a block: its length, bytes. */
const BLOCK_HEADER = 8;

/**
 * A stream's record: the two directions, the pool of its carriers, a block for what does not fit here, what the inspector
 * of SMTP has between two lines, a small ring.
 */
export const POOL = STREAM_WORDS; // number of the pool | RESIDENT
export const BLOCK = STREAM_WORDS + 1;
export const INSPECTOR = STREAM_WORDS + 2;
const RING = INSPECTOR + SMTP_WORDS;
export const RECORD_WORDS = RING + RING_WORDS;

/** `BLOCK` of a stream whose state could not be saved: it ends with the process. */
export const UNSAVED = -1;

/** What a stream is made of. */
export interface StreamParts {
  readonly inspector: SavedInspector;
  readonly session: StreamSession;
  /** The inspector may look, not touch. */
  readonly monitorOnly?: boolean;
  /** Set where the inspector replaces text by text of another length. */
  readonly shift?: SequenceShift;
  /** A connection that the inspector ends gets no RST: its packets are dropped, and neither end is told. */
  readonly silent?: boolean;
  /** The same inspector, where the record has room for its state between two lines. */
  readonly smtp?: SmtpInspector;
}

/** Carries one session of a rule after the other: what it has of one is in that one's record, and in a block of it. */
export class SessionStream implements SegmentOutlet {
  readonly segments: TcpStream;
  readonly shift: SequenceShift | undefined;
  readonly silent: boolean;
  /** Number of the session's record; -1: no session. */
  slot = -1;
  /** Number of the pool it comes from. */
  pool = 0;
  /** Clock of the packet in hand, ms. */
  now = 0;
  /** The block of the session in hand: NO_BLOCK, UNSAVED, or one of the arena. */
  #block = NO_BLOCK;
  readonly #parts: StreamParts;

  constructor(
    private readonly context: StreamContext,
    parts: StreamParts,
  ) {
    this.segments = new TcpStream(parts.inspector, context.sessions.memory, this, parts.monitorOnly);
    this.shift = parts.shift;
    this.silent = parts.silent === true;
    this.#parts = parts;
  }

  /** What `begin` gives back to a carrier of another session: the state of a new one. */
  beginning(): Uint8Array {
    const { writer } = this.context;
    writer.begin();
    this.#sync(writer);
    return writer.bytesOut.slice(0, writer.length);
  }

  /** Begins the stream of the new session in record `slot`. */
  begin(slot: number, beginning: Uint8Array): void {
    const { records, reader } = this.context;
    const { smtp, session } = this.#parts;
    const at = slot * RECORD_WORDS;
    newStream(records, at);
    if (smtp !== undefined) newSmtpSession(records, at + INSPECTOR);
    records.words[at + BLOCK] = NO_BLOCK;
    this.#carry(slot);
    if (smtp !== undefined) smtp.load(records, at + INSPECTOR);
    else {
      reader.begin(beginning, 0, beginning.length);
      this.#sync(reader);
    }
    session.begin?.();
    if (this.#isTranscribed) this.#transcribe({ what: 'begin' });
  }

  /** Goes on with the session of record `slot`. @returns false where what was saved of it cannot be */
  takeUp(slot: number): boolean {
    const { records, reader } = this.context;
    const at = slot * RECORD_WORDS;
    this.#carry(slot);
    const block = records.words[at + BLOCK]!;
    this.#block = block;
    if (block === NO_BLOCK) {
      this.#parts.smtp?.load(records, at + INSPECTOR);
      return this.#parts.smtp !== undefined;
    }
    if (block < 0) return false;
    const { bytes, words } = this.context.sessions.memory.arena.memory(block);
    const from = blockAt(block);
    const length = words[from >> 2]!;
    if (length < 0 || length > blockSize(block) - BLOCK_HEADER) return false;
    reader.begin(bytes, from + BLOCK_HEADER, from + BLOCK_HEADER + length);
    this.#sync(reader);
    return reader.complete;
  }

  /**
   * Writes all there is of the session to its record and block. What is held lies in the kernel's queue and ends with the
   * process: its sender repeats it.
   */
  store(): void {
    const { records } = this.context;
    const { smtp } = this.#parts;
    const at = this.slot * RECORD_WORDS;
    this.segments.save(records, at);
    if (smtp === undefined) this.#storeBlock(at);
    else if (this.segments.finished) {
      smtp.finish();
      this.#giveBlock(at);
      newSmtpSession(records, at + INSPECTOR);
    } else if (smtp.atRest) {
      this.#giveBlock(at);
      smtp.save(records, at + INSPECTOR);
    } else this.#storeBlock(at);
  }

  /** Another carrier can go on with the session from its record. */
  get atRest(): boolean {
    return this.#block !== UNSAVED && this.segments.atRest;
  }

  /** The session is in its record. */
  layDown(): void {
    this.slot = -1;
  }

  /** The session ends: its inspector says what it has not said yet, and all its memory goes back. */
  finish(why: EndReason): void {
    this.#parts.smtp?.finish();
    if (this.#isTranscribed)
      this.#transcribe({ what: 'end', reason: why, closed: this.context.sessions.at(this.slot).isClosed });
    this.segments.close();
    this.#giveBlock(this.slot * RECORD_WORDS);
    this.slot = -1;
  }

  audit(): { requests: number; request: string } | undefined {
    return this.#parts.session.audit?.();
  }

  #transcribe(entry: TranscriptEntry): void {
    transcribe(this.context.sessions, this.context.outbox, this.slot, entry);
  }

  get #isTranscribed(): boolean {
    return this.#parts.session.hasTranscript === true && isTranscribing(this.context.sessions);
  }

  #carry(slot: number): void {
    const { records, sessions } = this.context;
    const at = slot * RECORD_WORDS;
    this.slot = slot;
    this.#block = NO_BLOCK;
    const s = sessions.at(slot);
    const { owner } = this.segments;
    owner.initiator = s.initiator;
    owner.responder = s.responder;
    owner.side = s.origin;
    this.segments.load(records, at, at + RING, this.#parts.inspector);
    this.#parts.session.carry(slot);
  }

  #sync(io: StateIo): void {
    this.#parts.inspector.sync(io);
    this.shift?.sync(io);
    this.#parts.session.sync?.(io);
  }

  /** Without room for it the session stays with this carrier, and ends with the process. */
  #storeBlock(at: number): void {
    const { records, writer, sessions } = this.context;
    const { memory } = sessions;
    writer.begin();
    this.#sync(writer);
    if (!writer.sound || !this.#hasRoom(at, powerOfTwo(writer.length + BLOCK_HEADER, LEAST_BLOCK))) {
      this.#giveBlock(at);
      this.#block = UNSAVED;
      records.words[at + BLOCK] = UNSAVED;
      memory.unsaved++;
      return;
    }
    const { bytes, words } = memory.arena.memory(this.#block);
    const from = blockAt(this.#block);
    words[from >> 2] = writer.length;
    copyBytes(writer.bytesOut, 0, bytes, from + BLOCK_HEADER, writer.length);
    records.words[at + BLOCK] = this.#block;
  }

  /** The session has a block of `size` bytes at least: another one than before its packet, which may be wanted again. */
  #hasRoom(at: number, size: number): boolean {
    const { sessions } = this.context;
    const block = sessions.memory.takeBlock(size, this.segments.owner);
    if (block === NO_BLOCK) {
      if (this.#block <= 0 || blockSize(this.#block) < size) return false;
      sessions.forgetUndo();
      return true;
    }
    this.#giveBlock(at);
    this.#block = block;
    return true;
  }

  #giveBlock(at: number): void {
    if (this.#block > 0) this.context.sessions.memory.giveBlock(this.#block, this.segments.owner);
    this.#block = NO_BLOCK;
    this.context.records.words[at + BLOCK] = NO_BLOCK;
  }

  release(p: Packet, fromInitiator: boolean, v: Verdict): void {
    const { sessions, released } = this.context;
    if (v === PASS) sessions.noteReleased(this.slot, p, fromInitiator, this.now);
    let late = v;
    if (v === PASS && !this.translate(p, fromInitiator)) late = DROP.inspection;
    if (late === PASS) {
      this.segments.noteSent(p, fromInitiator, this.now);
      sessions.spliceReleased(this.slot, p, fromInitiator);
    }
    released(p, late);
  }

  answerGap(fromInitiator: boolean, count: number): void {
    this.context.sessions.answerGap(this, fromInitiator, count);
  }

  get selective(): boolean {
    return (this.context.sessions.at(this.slot).agreed & TCP_OPTION.sack) !== 0;
  }

  /** Numbers a segment that goes out as its receiver counts. False: it must not go out. */
  translate(p: Packet, fromInitiator: boolean): boolean {
    if (this.shift === undefined || this.shift.translateOutgoing(p, fromInitiator)) return true;
    this.context.sessions.memory.unreplaceable++;
    return false;
  }

  gapPersists(fromInitiator: boolean, expectedSeq: number, waitedMs: number): void {
    const { sessions, outbox } = this.context;
    const s = sessions.at(this.slot);
    if (sessions.alertsOf(s) && sessions.globals.reassemblyAlarm)
      outbox.event({ type: 'tcp-gap', endpoints: endpointsOf(s), fromInitiator, seq: expectedSeq, waitedMs });
    sessions.reset(s, 'gap');
  }
}

/**
 * Makes a stream for sessions of this rule; undefined where no inspector reads their bytes.
 * @param smtp options as they were when these sessions began
 */
export function streamFor(
  context: StreamContext,
  rule: RuleEntry,
  smtp: SmtpOptions | undefined,
): SessionStream | undefined {
  const parts = partsFor(context, rule, smtp);
  return parts && new SessionStream(context, parts);
}

function partsFor(context: StreamContext, rule: RuleEntry, smtp: SmtpOptions | undefined): StreamParts | undefined {
  const { sessions, outbox } = context;
  if (smtp !== undefined) {
    const session = new SmtpSession(sessions, rule, outbox, sessions.trace.flags);
    const inspector = new SmtpInspector(
      rule.service as 'smtp' | 'esmtp',
      smtp,
      session,
      sessions.smtpCounters,
      sessions.smtpTraffic,
    );
    return { inspector, session, smtp: inspector, monitorOnly: smtp.monitorOnly };
  }
  switch (rule.service) {
    case 'ftp': {
      const shift = new SequenceShift();
      const session = new FtpSession(sessions, rule, outbox, shift);
      return { inspector: new FtpInspector(session), session, shift };
    }
    case 'http': {
      const session = new HttpSession(sessions, rule, outbox);
      return { inspector: new HttpInspector(session), session };
    }
    default:
      return registeredParts(context, rule);
  }
}

/** Of a protocol of inspect/registry.ts. Inferred: without `reset` nobody is told, as with dropped packets. */
function registeredParts({ sessions, outbox }: StreamContext, rule: RuleEntry): StreamParts | undefined {
  const protocol = registered(rule.service);
  if (protocol === undefined || rule.options === undefined) return undefined;
  const reset = rule.options['reset'] === true;
  let slot = -1;
  const inspector = protocol.make(rule.options, {
    report: (finding) => {
      if (!rule.alert) return;
      outbox.event({
        type: 'finding',
        protocol: rule.service as RegisteredService,
        endpoints: endpointsOf(sessions.at(slot)),
        finding: finding as RegisteredFinding,
        reset,
      });
    },
  });
  return { inspector, session: { carry: (s) => void (slot = s) }, silent: !reset };
}
