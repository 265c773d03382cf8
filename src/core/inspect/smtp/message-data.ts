/**
 * Message data, from the 354 to its end. Only CR LF . CR LF ends it, here and for every server behind us: what a lax
 * server would take for the end is neutralised in place (SMTP smuggling, CVE-2023-51764, -51765, -51766). All else goes
 * through as it came, and all that keeps to RFC 5321 does: §2.3.8 forbids bare CR and LF, §4.5.2 stuffs dots.
 *
 * Overwritten is the byte that makes the form, at once, so that it works wherever the data is cut: the dot behind a
 * break that only some servers take for one (LF . becomes LF x), else what stands behind CR LF and the dot. Never a
 * byte of a CR LF: it may begin the good end. One form is known only by the byte behind it: CR LF . CR may yet be the
 * good end. With that byte in hand the CR is overwritten; where the CR has gone out already, only a reset is left.
 */
import type { FlatMemory } from '../../memory/flat-memory.js';
import type { StateIo } from '../../memory/state-io.js';
import type { LineStartScan } from './line-start-scan.js';
import { maskInPlace } from './mask.js';
import { HeaderScan, isSoundHeaderScan } from './signatures.js';

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** What stands before the next byte. A NUL is looked through: some servers drop it. */
const State = {
  text: 0,
  cr: 1,
  /** A line begins. Also right behind DATA. */
  crLf: 2,
  /** LF without CR. */
  lf: 3,
  /** A line break of any kind and NULs. */
  breakNul: 4,
  /** CR LF and a dot. */
  dot: 5,
  dotCr: 6,
} as const;
type State = (typeof State)[keyof typeof State];

/** Why `take` stopped before the end of its input, or at it. */
export const DataEvent = {
  /** All was taken. */
  none: 0,
  /** CR LF . CR LF is complete. */
  end: 1,
  /** The byte before the returned offset was (or would be) overwritten. `form` says for what. Go on. */
  neutralised: 2,
  /** CR LF . CR went out, and no LF follows. */
  beyondRepair: 3,
  /** `signature` was found in the header section. */
  signature: 4,
} as const;
export type DataEvent = (typeof DataEvent)[keyof typeof DataEvent];

/** Words of message data between two segments: a double, and bits (state | refused << 3 | header section << 4). */
export const DATA_WORDS = 3;
const TAKEN = 0;
const BITS = 2;

/** Whether what another process has saved of a mail can be. */
export function isSoundData(m: FlatMemory, at: number): boolean {
  const bits = m.words[at + BITS]!;
  const taken = m.floats[(at + TAKEN) >> 1]!;
  return (bits & 7) <= State.dotCr && Number.isSafeInteger(taken) && taken >= 0 && isSoundHeaderScan(bits >>> 4);
}

export class MessageData {
  event: DataEvent = DataEvent.none;
  /** After `neutralised` and `beyondRepair`, e.g. `LF .`, `CR LF . LF`. */
  form = '';
  /** `take` has overwritten something. */
  changed = false;
  /** After `signature`. */
  signature: ReturnType<HeaderScan['step']> = 0;
  #state: State = State.text;
  #taken = 0;
  #refused = false;
  readonly #headers = new HeaderScan();
  readonly #alter: boolean;
  readonly #scan: LineStartScan;

  /**
   * @param alter false: nothing is overwritten, the same is reported
   * @param scan  shared by the sessions of a rule
   */
  constructor(alter: boolean, scan: LineStartScan) {
    this.#alter = alter;
    this.#scan = scan;
  }

  begin(): void {
    this.#state = State.crLf;
    this.#taken = 0;
    this.#refused = false;
    this.#headers.begin();
  }

  /** Writes what is known of this mail to DATA_WORDS words from word `at`, which is even. */
  save(m: FlatMemory, at: number): void {
    m.floats[(at + TAKEN) >> 1] = this.#taken;
    m.words[at + BITS] = this.#state | (this.#refused ? 8 : 0) | (this.#headers.bits << 4);
  }

  /** Goes on with the mail that was saved there. */
  load(m: FlatMemory, at: number): void {
    const bits = m.words[at + BITS]!;
    this.#taken = m.floats[(at + TAKEN) >> 1]!;
    this.#state = (bits & 7) as State;
    this.#refused = (bits & 8) !== 0;
    this.#headers.bits = bits >>> 4;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.#taken = io.double(this.#taken);
    this.#state = io.below(this.#state, State.dotCr + 1) as State;
    this.#refused = io.flag(this.#refused);
    this.#headers.sync(io);
  }

  /**
   * The server has refused the mail before its end, and may take the rest for commands: it is masked, but for CR LF and
   * dots at a line's start, so that the end remains one.
   */
  refuse(): void {
    this.#refused = true;
  }

  /** Bytes of this mail so far, with its stuffed dots, without what may be its end. */
  get size(): number {
    if (this.event === DataEvent.end) return this.#taken - 3;
    return this.#taken - (this.#state === State.dot ? 1 : this.#state === State.dotCr ? 2 : 0);
  }

  /** Takes b[at..end), as far as the next event. @returns offset of the first byte not taken */
  take(b: Uint8Array, at: number, end: number): number {
    this.event = DataEvent.none;
    this.changed = false;
    let i = at;
    while (i < end) {
      if (this.#state === State.text && !this.#refused) {
        i = this.#headers.active ? this.#skipHeader(b, i, end) : this.#skipBody(b, i, end);
        if (i === end) break;
      }
      if (this.#refused) i = this.#refusedStep(b, i, end);
      else i = this.#step(b, i, end);
      if (this.#stopped()) break;
    }
    this.#taken += i - at;
    return i;
  }

  #skipHeader(b: Uint8Array, at: number, end: number): number {
    return this.#headers.idle ? this.#headers.skip(b, at, end) : at;
  }

  #skipBody(b: Uint8Array, at: number, end: number): number {
    const dot = this.#scan.dotBehindBreak(b, at, end);
    this.#state = stateBefore(b, at, dot);
    return dot;
  }

  #stopped(): boolean {
    return this.event !== DataEvent.none;
  }

  /** Takes one byte; of CR LF . CR the LF too, when it is there. */
  #step(b: Uint8Array, i: number, end: number): number {
    const c = b[i]!;
    const state = this.#state;
    if (this.#headers.active) {
      this.signature = this.#headers.step(c);
      if (this.signature !== 0) {
        this.event = DataEvent.signature;
        return i + 1;
      }
    }
    switch (state) {
      case State.dot:
        if (c === CR) {
          if (i + 1 === end) this.#state = State.dotCr;
          else if (b[i + 1] === LF) return this.#end(i + 2);
          else this.#neutralise(b, i, 'CR LF . CR');
        } else if (c === LF || c === NUL) this.#neutralise(b, i, c === LF ? 'CR LF . LF' : 'CR LF . NUL');
        else this.#state = State.text;
        return i + 1;
      case State.dotCr:
        if (c === LF) return this.#end(i + 1);
        this.form = 'CR LF . CR';
        this.event = DataEvent.beyondRepair;
        return i + 1;
      case State.cr:
      case State.lf:
      case State.breakNul:
        if (c === DOT) this.#neutralise(b, i, state === State.cr ? 'CR .' : state === State.lf ? 'LF .' : 'NUL .');
        else this.#state = behind(state, c);
        return i + 1;
      default:
        this.#state = behind(state, c);
        return i + 1;
    }
  }

  #refusedStep(b: Uint8Array, i: number, end: number): number {
    const keep = b[i] === CR || b[i] === LF || (b[i] === DOT && this.#state === State.crLf);
    const next = this.#step(b, i, end);
    if (!keep && this.#alter && maskInPlace(b, i, i + 1)) this.changed = true;
    return next;
  }

  #end(next: number): number {
    this.event = DataEvent.end;
    this.#state = State.text;
    return next;
  }

  #neutralise(b: Uint8Array, i: number, form: string): void {
    this.event = DataEvent.neutralised;
    this.form = form;
    this.#state = this.#alter || b[i] === DOT ? State.text : behind(State.text, b[i]!);
    if (this.#alter && maskInPlace(b, i, i + 1)) this.changed = true;
  }
}

/** The state behind `c`, where no dot at a line's start stands before it, nor `c` is one behind a loose break. */
function behind(state: State, c: number): State {
  switch (c) {
    case CR:
      return State.cr;
    case LF:
      return state === State.cr ? State.crLf : State.lf;
    case NUL:
      return state === State.text ? State.text : State.breakNul;
    case DOT:
      return state === State.crLf ? State.dot : State.text;
    default:
      return State.text;
  }
}

/** The state behind b[at..end), which follows text and has no dot behind a line break. */
function stateBefore(b: Uint8Array, at: number, end: number): State {
  let i = end - 1;
  while (i >= at && b[i] === NUL) i--;
  if (i < at) return State.text;
  const c = b[i]!;
  if (c !== CR && c !== LF) return State.text;
  if (i < end - 1) return State.breakNul;
  if (c === CR) return State.cr;
  return i > at && b[i - 1] === CR ? State.crLf : State.lf;
}
