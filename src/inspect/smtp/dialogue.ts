/**
 * The dialogue of one session: which lines of the client await a reply, and what each reply means for the bytes that
 * follow. Bytes are of no concern here. Memory is fixed: one byte for each reply awaited, PIPELINE_LIMIT at most.
 */
import type { FlatMemory } from '../../flat-memory.js';
import {
  COMMANDS,
  DATA_END,
  EMPTY_LINE,
  GREETING,
  LAST_CHUNK,
  MASKED_LINE,
  PIPELINE_LIMIT,
  type Command,
  type Phase,
} from './grammar.js';

/** What a reply means. */
export const Effect = {
  none: 0,
  /** 354: message data follows from the client. */
  mailData: 1,
  /** 334: the client's next line is a response, no command. */
  authLine: 2,
  /** 220 to STARTTLS: TLS follows in both directions. */
  tls: 3,
  /** The reply belongs to nothing. */
  unexpected: 4,
  /** A positive reply to a command behind which bytes had already come: both ends no longer agree what these are. */
  disagreement: 5,
} as const;
export type Effect = (typeof Effect)[keyof typeof Effect];

const PHASES: Readonly<Record<Phase, number>> = { connected: 1, ready: 2, mail: 4, rcpt: 8 };
/** By match id: phases it may be sent in, the one that follows (0: the same), the reply it waits for, its name. */
const FROM = new Uint8Array(256).fill(0xff);
const TO = new Uint8Array(256);
const WAITS_FOR = new Uint16Array(256);
const NAMES: string[] = [];
for (const [name, command] of Object.entries<Command>(COMMANDS)) {
  NAMES[command.id] = name;
  FROM[command.id] = command.from.reduce((set, phase) => set | PHASES[phase], 0);
  TO[command.id] = command.to === undefined ? 0 : PHASES[command.to];
  WAITS_FOR[command.id] = command.waitsFor ?? 0;
}

TO[DATA_END] = PHASES.ready;
TO[LAST_CHUNK] = PHASES.ready;

const { HELO, HELP, STARTTLS } = COMMANDS;

const isNothing = (id: number): boolean => id === EMPTY_LINE || id === MASKED_LINE;

/** MAIL and its kin. */
export const beginsMail = (id: number): boolean => TO[id] === PHASES.mail;

/** The client must not go on before the reply to it. */
export const mustBeAnswered = (id: number): boolean => WAITS_FOR[id] !== 0;

/** The verb with this match id. */
export const commandName = (id: number): string => NAMES[id] ?? 'command';

/** Words of a dialogue at rest: bits, the offer, and one byte for each line that awaits a reply. */
export const DIALOGUE_WORDS = 3;
const BITS = 0; // awaited | number of lines << 8 | phase << 12 | flags
const OFFERED = 1;
const LINES = 2;
const LINES_AT_REST = 4;
const OVERTAKEN = 1 << 16;
const GREETED = 1 << 17;

/** Writes a dialogue that has not begun: the greeting is awaited. */
export function newDialogue(m: FlatMemory, at: number): void {
  m.words[at + BITS] = (1 << 8) | (PHASES.connected << 12);
  m.words[at + OFFERED] = 0;
  m.words[at + LINES] = GREETING;
}

export class Dialogue {
  /** Extensions the server offered in its last EHLO reply, a set of bits. */
  offered = 0;
  /** The command that must be answered before the client may go on (it `waitsFor` a reply), or 0. */
  awaited = 0;
  /** Bytes came behind `awaited` all the same. */
  overtaken = false;
  greeted = false;
  #phase = PHASES.connected;
  readonly #queue: Uint8Array;
  #first = 0;
  #length = 1;

  /** @param queue PIPELINE_LIMIT bytes, this session's own */
  constructor(queue: Uint8Array) {
    this.#queue = queue;
    this.#queue[0] = GREETING;
  }

  /** `save` can write all of it. */
  get atRest(): boolean {
    return this.#length <= LINES_AT_REST;
  }

  /** Writes the dialogue to DIALOGUE_WORDS words from word `at`. */
  save(m: FlatMemory, at: number): void {
    const w = m.words;
    const flags = (this.overtaken ? OVERTAKEN : 0) | (this.greeted ? GREETED : 0);
    w[at + BITS] = this.awaited | (this.#length << 8) | (this.#phase << 12) | flags;
    w[at + OFFERED] = this.offered;
    let lines = 0;
    for (let i = this.#length - 1; i >= 0; i--) lines = (lines << 8) | this.#queue[(this.#first + i) % PIPELINE_LIMIT]!;
    w[at + LINES] = lines;
  }

  /** Becomes the dialogue that was saved there. */
  load(m: FlatMemory, at: number): void {
    const w = m.words;
    const bits = w[at + BITS]!;
    this.awaited = bits & 255;
    this.#length = (bits >> 8) & 15;
    this.#phase = (bits >> 12) & 15;
    this.overtaken = (bits & OVERTAKEN) !== 0;
    this.greeted = (bits & GREETED) !== 0;
    this.offered = w[at + OFFERED]!;
    this.#first = 0;
    let lines = w[at + LINES]!;
    for (let i = 0; i < this.#length; i++) {
      this.#queue[i] = lines;
      lines >>>= 8;
    }
  }

  /** The line the next reply belongs to; MASKED_LINE also where none is awaited. */
  get head(): number {
    return this.#length === 0 ? MASKED_LINE : this.#queue[this.#first]!;
  }

  /** The line a good reply would belong to, likewise. */
  get hopeful(): number {
    for (let i = 0; i < this.#length; i++) {
      const id = this.#queue[(this.#first + i) % PIPELINE_LIMIT]!;
      if (!isNothing(id)) return id;
    }
    return MASKED_LINE;
  }

  /**
   * The client has ended a line that the server will answer.
   * @param id match id, or one of the other kinds of line
   * @returns false when too many replies are awaited
   */
  sent(id: number): boolean {
    if (this.#length === PIPELINE_LIMIT) return false;
    this.#queue[(this.#first + this.#length) % PIPELINE_LIMIT] = id;
    this.#length++;
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

  /** The last line of a reply has come. @param code 200 to 599 */
  replied(code: number): Effect {
    if (code === 421) return Effect.none; // RFC 5321 §3.8: at any time, as the answer to nothing
    if (code === 354 || code === 334) return this.#intermediate(code);
    // Some servers pass over an empty line in silence; none answers it or a masked line well. The count finds back.
    while (code < 400 && this.#length > 0 && isNothing(this.head)) this.#drop();
    if (this.#length === 0) return Effect.unexpected;
    const id = this.head;
    this.#drop();
    if (id === this.awaited) {
      this.awaited = 0;
      if (id === STARTTLS.id && code === 220) return this.overtaken ? Effect.disagreement : Effect.tls;
    }
    if (id === GREETING) this.greeted = true;
    else if (id === HELO.id && code < 300) this.offered = 0;
    else if (code >= 400 && beginsMail(id) && this.#phase === PHASES.mail) this.#phase = PHASES.ready;
    return Effect.none;
  }

  /** A HELP text without codes has ended. See `ReplyLine`. */
  helpEnded(): void {
    if (this.head === HELP.id) this.#drop();
  }

  /**
   * 354 and 334 go to the command that waits for them, whatever the count says: no server means another one by them,
   * and bytes behind that command are masked until then.
   */
  #intermediate(code: number): Effect {
    if (this.awaited === 0 || WAITS_FOR[this.awaited] !== code) return Effect.unexpected;
    while (this.head !== this.awaited) this.#drop();
    this.#drop();
    this.awaited = 0;
    if (this.overtaken) return Effect.disagreement;
    return code === 354 ? Effect.mailData : Effect.authLine;
  }

  #drop(): void {
    this.#first = (this.#first + 1) % PIPELINE_LIMIT;
    this.#length--;
  }
}
