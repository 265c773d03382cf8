/**
 * The dialogue of one session: which lines of the client await a reply, and what each reply means for the bytes that
 * follow. Bytes are of no concern here, only where a line ends: a reply can only answer what the server has
 * acknowledged with it, for a server answers what it has read.
 *
 * What a reply changes is never guessed. Where replies and lines do not fit, the session is reset, or frozen where the
 * server may only have given up on it: then no reply opens anything any more.
 */
import type { FlatMemory } from '../../memory/flat-memory.js';
import type { StateIo } from '../../memory/state-io.js';
import {
  BLOB_END,
  COMMANDS,
  CREDENTIALS_LINE,
  DATA_END,
  EMPTY_LINE,
  FIRST_ALLOWED_ID,
  GREETING,
  LAST_CHUNK,
  MASKED_LINE,
  type Command,
  type Phase,
} from './grammar.js';
import { ReplyQueue } from './reply-queue.js';

/** What a reply means. */
export const Effect = {
  none: 0,
  /** 354 to DATA: message data follows from the client. */
  mailData: 1,
  /** 334: the client's next line is a response, no command. */
  response: 2,
  /** 220 to STARTTLS: TLS follows in both directions. */
  tls: 3,
  /** 354 to XEXCH50: as many octets follow as it said. */
  blob: 4,
  /** The reply answers nothing that the server can have read. */
  unexpected: 5,
  /** A positive reply to a command behind which bytes had already come: both ends no longer agree what these are. */
  disagreement: 6,
  /** A reply that its line cannot have: it answers another one, or the server takes the bytes for something else. */
  mismatch: 7,
  /** 421: the server gives up, whatever was asked (RFC 5321 §3.8). */
  closing: 8,
} as const;
export type Effect = (typeof Effect)[keyof typeof Effect];

const PHASES: Readonly<Record<Phase, number>> = { connected: 1, ready: 2, mail: 4, rcpt: 8 };
/** By match id: phases it may be sent in, the one that follows (0: the same), the reply it waits for and what then follows, its name. */
const FROM = new Uint8Array(256).fill(0xff);
const TO = new Uint8Array(256);
const WAITS_FOR = new Uint16Array(256);
const THEN = new Uint8Array(256);
const SECRET = new Uint8Array(256);
const NAMES: string[] = [];
for (const [name, command] of Object.entries<Command>(COMMANDS)) {
  NAMES[command.id] = name;
  FROM[command.id] = command.from.reduce((set, phase) => set | PHASES[phase], 0);
  TO[command.id] = command.to === undefined ? 0 : PHASES[command.to];
  WAITS_FOR[command.id] = command.waitsFor ?? 0;
  THEN[command.id] = command.then === undefined ? Effect.none : Effect[command.then];
  SECRET[command.id] = +(command.secret ?? false);
}

SECRET[CREDENTIALS_LINE] = 1;
TO[DATA_END] = PHASES.ready;
TO[LAST_CHUNK] = PHASES.ready;

const { BDAT, HELO, HELP, NOOP, RCPT } = COMMANDS;
const TLS_READY = 220;
const CLOSING = 421;

const isIntermediate = (code: number): boolean => code >= 300 && code < 400;

/** MAIL and its kin. */
export const beginsMail = (id: number): boolean => TO[id] === PHASES.mail;

/** The client must not go on before the reply to it. */
export const mustBeAnswered = (id: number): boolean => WAITS_FOR[id] !== 0;

/** Credentials stand or follow behind it. */
export const isSecret = (id: number): boolean => SECRET[id] !== 0;

/** The verb with this match id. */
export const commandName = (id: number): string => NAMES[id] ?? 'command';

/** What the server would make of BDAT, as far as its replies tell. */
const Chunks = {
  /** Refuse it: no recipient. Or nobody knows. */
  none: 0,
  /** Take it: a recipient was accepted in this transaction. */
  recipient: 1,
  /** Take nothing else: a chunk has come that was not the last. */
  begun: 2,
} as const;
type Chunks = (typeof Chunks)[keyof typeof Chunks];

/** Words of a dialogue at rest: bits, and one byte for each line that awaits a reply. Where these end stands apart. */
export const DIALOGUE_WORDS = 2;
const BITS = 0; // awaited | number of lines << 8 | phase << 12 | flags | chunks << 20
const LINES = 1;
/** Lines, and words for their ends, of a session at rest. */
export const LINES_AT_REST = 4;
const OVERTAKEN = 1 << 16;
const GREETED = 1 << 17;
const FROZEN = 1 << 18;
const CHUNKS_SHIFT = 20;

/** Writes a dialogue that has not begun: the greeting is awaited. */
export function newDialogue(m: FlatMemory, at: number): void {
  m.words[at + BITS] = (1 << 8) | (PHASES.connected << 12);
  m.words[at + LINES] = GREETING;
}

/** Whether a dialogue that another process has saved can be. */
export const isSoundDialogue = (m: FlatMemory, at: number): boolean =>
  ((m.words[at + BITS]! >> 8) & 15) <= LINES_AT_REST && ((m.words[at + BITS]! >> CHUNKS_SHIFT) & 3) <= Chunks.begun;

export class Dialogue {
  /** Extensions the server offered in its last EHLO reply, a set of bits. */
  offered = 0;
  /** The command that must be answered before the client may go on (it `waitsFor` a reply), or 0. */
  awaited = 0;
  /** Bytes came behind `awaited` all the same. */
  overtaken = false;
  greeted = false;
  /** Replies and lines no longer fit: none is counted, and no reply changes what the client's bytes mean. */
  frozen = false;
  /** The line that the last reply answered; MASKED_LINE: none that matters. */
  answered: number = MASKED_LINE;
  #phase = PHASES.connected;
  #chunks: Chunks = Chunks.none;
  /** Lines that await a reply and are no chunk. */
  #others = 1;
  readonly #queue = new ReplyQueue();

  constructor() {
    this.#queue.push(GREETING, 0);
  }

  /** `save` can write all of it. */
  get atRest(): boolean {
    return this.#queue.length <= LINES_AT_REST;
  }

  /** Lines that await a reply. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Writes the dialogue to DIALOGUE_WORDS words from word `at`, but for the offer.
   * @param endsAt LINES_AT_REST words for where the lines end; written only where there are lines
   */
  save(m: FlatMemory, at: number, endsAt: number): void {
    const w = m.words;
    const queue = this.#queue;
    const flags = (this.overtaken ? OVERTAKEN : 0) | (this.greeted ? GREETED : 0) | (this.frozen ? FROZEN : 0);
    w[at + BITS] = this.awaited | (queue.length << 8) | (this.#phase << 12) | flags | (this.#chunks << CHUNKS_SHIFT);
    let lines = 0;
    for (let n = queue.length - 1; n >= 0; n--) {
      lines = (lines << 8) | queue.id(n);
      w[endsAt + n] = queue.end(n);
    }
    w[at + LINES] = lines;
  }

  /** Becomes the dialogue that was saved there. */
  load(m: FlatMemory, at: number, endsAt: number): void {
    const w = m.words;
    const bits = w[at + BITS]!;
    this.awaited = bits & 255;
    this.#phase = (bits >> 12) & 15;
    this.overtaken = (bits & OVERTAKEN) !== 0;
    this.greeted = (bits & GREETED) !== 0;
    this.frozen = (bits & FROZEN) !== 0;
    this.#chunks = ((bits >> CHUNKS_SHIFT) & 3) as Chunks;
    this.answered = MASKED_LINE;
    const length = (bits >> 8) & 15;
    this.#queue.clear();
    this.#others = 0;
    let lines = w[at + LINES]!;
    for (let n = 0; n < length; n++) {
      const id = lines & 255;
      this.#queue.push(id, w[endsAt + n]!);
      if (id !== BDAT.id) this.#others++;
      lines >>>= 8;
    }
  }

  /** Saves or loads all of it. */
  sync(io: StateIo): void {
    this.offered = io.below(this.offered, 0x10000);
    this.awaited = io.below(this.awaited, 256);
    this.overtaken = io.flag(this.overtaken);
    this.greeted = io.flag(this.greeted);
    this.frozen = io.flag(this.frozen);
    this.answered = io.int(this.answered);
    this.#phase = io.below(this.#phase, 16);
    this.#chunks = io.below(this.#chunks, Chunks.begun + 1) as Chunks;
    this.#others = io.int(this.#others);
    this.#queue.sync(io);
  }

  /** The line a good reply would belong to; MASKED_LINE also where none is awaited. */
  get hopeful(): number {
    const n = this.#silent();
    return n < this.#queue.length ? this.#queue.id(n) : MASKED_LINE;
  }

  /** The server will take the octets of a chunk that the client sends now, and has told so. */
  get takesChunks(): boolean {
    return !this.frozen && this.#chunks !== Chunks.none && this.#others === 0;
  }

  /**
   * The client has ended a line that the server will answer.
   * @param id  match id, or one of the other kinds of line
   * @param end stream position behind all that the server reads before it answers, bytes from the first one, int32
   * @returns false when too many replies are awaited
   */
  sent(id: number, end: number): boolean {
    if (!this.frozen) {
      if (!this.#queue.push(id, end)) return false;
      if (id !== BDAT.id) this.#others++;
    }
    if (TO[id] !== 0) this.#phase = TO[id]!;
    if (mustBeAnswered(id) && this.awaited === 0) {
      this.awaited = id;
      this.overtaken = false;
    }
    return true;
  }

  /** May the client send this command now (RFC 5321 §4.1.4)? Ask before `sent`. */
  inSequence(id: number): boolean {
    return (FROM[id]! & this.#phase) !== 0;
  }

  /**
   * Whether the reply that begins now answers a line. Asked at its first line: it was written behind the line it
   * answers, so that even its first segment acknowledges that line.
   * @param acknowledged stream position of the client up to which that segment acknowledges
   */
  answers(code: number, acknowledged: number): boolean {
    const n = code < 400 ? this.#silent() : 0;
    return n < this.#queue.length && ((this.#queue.end(n) - acknowledged) | 0) <= 0;
  }

  /**
   * The last line of a reply has come.
   * @param code    200 to 599
   * @param answers what `answers` said at its first line
   * @param behind  bytes of the client have come behind the last line that was `sent`
   */
  replied(code: number, answers: boolean, behind: boolean): Effect {
    this.answered = MASKED_LINE;
    if (this.frozen) return code === TLS_READY || isIntermediate(code) ? Effect.mismatch : Effect.none;
    if (code === CLOSING) {
      this.freeze();
      return Effect.closing;
    }
    if (!answers) return Effect.unexpected;
    // Some servers pass over an empty line in silence; none answers it well.
    if (code < 400) for (let n = this.#silent(); n > 0; n--) this.#drop();
    const id = this.#queue.id(0);
    // A line of x that a server likes is not the line we know. Nor does one answer by 3yz what does not ask for it.
    if (id === MASKED_LINE && code < 400) return Effect.mismatch;
    if (isIntermediate(code) && WAITS_FOR[id] !== code) return Effect.mismatch;
    this.#drop();
    this.answered = id;
    this.#noteChunks(id, code);
    if (id === this.awaited) {
      this.awaited = 0;
      if (code === WAITS_FOR[id]) return this.overtaken ? Effect.disagreement : (THEN[id] as Effect);
    }
    if (id === GREETING) this.greeted = true;
    else if (id === HELO.id && code < 300) this.offered = 0;
    else if (code >= 400 && beginsMail(id) && this.#phase === PHASES.mail) this.#phase = PHASES.ready;
    // What stands behind a chunk that was refused may be a chunk to us, and commands to the server.
    if (id === BDAT.id && code >= 300 && (behind || this.#queue.length > 0)) return Effect.mismatch;
    return Effect.none;
  }

  /** From now on no reply opens anything: whatever would is a mismatch. A command that waits for one waits for ever. */
  freeze(): void {
    this.frozen = true;
    this.#queue.clear();
    this.#others = 0;
  }

  /** A HELP text without codes has ended. See `ReplyLine`. @param answers as in `replied` */
  helpEnded(answers: boolean): void {
    if (answers && this.#queue.length > 0 && this.#queue.id(0) === HELP.id) this.#drop();
  }

  /** Follows what the server would make of BDAT. */
  #noteChunks(id: number, code: number): void {
    const positive = code < 300;
    if (id === BDAT.id) this.#chunks = positive ? Chunks.begun : Chunks.none;
    else if (this.#chunks === Chunks.begun) {
      // Exim 4, asked anything else between two chunks, reads the octets of the next one as commands until RSET.
      if (id !== NOOP.id || !positive) this.#chunks = Chunks.none;
    } else if (id === RCPT.id) {
      if (positive) this.#chunks = Chunks.recipient;
    } else if (TO[id] !== 0 || (id >= FIRST_ALLOWED_ID && id !== BLOB_END)) this.#chunks = Chunks.none;
  }

  /** What comes now may answer a line with credentials in it. */
  get answersSecret(): boolean {
    const n = this.#silent();
    return n < this.#queue.length && isSecret(this.#queue.id(n));
  }

  /** How many empty lines stand before the first other one. */
  #silent(): number {
    const queue = this.#queue;
    let n = 0;
    while (n < queue.length && queue.id(n) === EMPTY_LINE) n++;
    return n;
  }

  #drop(): void {
    if (this.#queue.id(0) !== BDAT.id) this.#others--;
    this.#queue.shift();
  }
}
