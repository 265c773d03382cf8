/**
 * The line that a user types, edited as on a router: Ctrl-A, B, D, E, F, H, K, L, N, P, R, T, U, W, X, the cursor keys,
 * and history. The screen is kept with characters, blanks and backspaces alone, as IOS does, so that every terminal and
 * every program that reads one understands it. Inferred: a line longer than the screen is not scrolled sideways.
 */
import { StringDecoder } from 'node:string_decoder';

const MAX_LINE = 512; // characters; IOS takes 254

const ESCAPE = '\x1b';
const DELETE = '\x7f';

export class LineEditor {
  /** Left of the cursor, and from it on. */
  #before: string[] = [];
  #after: string[] = [];
  prompt = '';
  /** What is typed is not shown, and not remembered. */
  secret = false;
  /** Place in the history, -1: the line is a new one, which waits in `#draft` meanwhile. */
  #recalled = -1;
  #draft = '';
  readonly #decoder = new StringDecoder('utf8');
  /** An escape sequence so far. */
  #sequence = '';
  #afterReturn = false;

  /**
   * @param write  shows characters
   * @param entered called with each line that is ended
   * @param history lines that can be called back, the latest last
   */
  constructor(
    private readonly write: (text: string) => void,
    private readonly entered: (line: string) => void,
    private readonly history: () => readonly string[],
  ) {}

  get line(): string {
    return this.#before.join('') + this.#after.join('');
  }

  /** What stands left of the cursor. */
  get beforeCursor(): string {
    return this.#before.join('');
  }

  /** Shows prompt and line again, on a line of the screen that is empty. */
  redraw(): void {
    this.write(this.prompt + (this.secret ? '' : this.line + back(this.#after.length)));
  }

  /** Blanks prompt and line, so that something else can be shown in their place. */
  hide(): void {
    const width = this.prompt.length + (this.secret ? 0 : this.line.length);
    this.write(`\r${' '.repeat(width)}\r`);
  }

  /** Keys as they were typed: bytes of UTF-8. */
  feed(bytes: Uint8Array): void {
    for (const key of this.#decoder.write(Buffer.from(bytes))) this.#key(key);
  }

  /** Takes `text` as if it had been typed. */
  type(text: string): void {
    for (const key of text) this.#key(key);
  }

  /** Throws the line away; the screen stays. */
  clear(): void {
    this.#before = [];
    this.#after = [];
    this.#recalled = -1;
  }

  #key(key: string): void {
    if (this.#sequence !== '' || key === ESCAPE) {
      this.#escape(key);
      return;
    }
    const behindReturn = this.#afterReturn;
    this.#afterReturn = key === '\r';
    if (key === '\r' || key === '\n') {
      if (key === '\r' || !behindReturn) this.#enter(); // CR LF is one Enter
    } else if (key >= ' ' && key !== DELETE) this.#insert(key);
    else this.#control(key);
  }

  #insert(key: string): void {
    if (this.#before.length + this.#after.length >= MAX_LINE) return;
    this.#before.push(key);
    this.#show(key + this.#after.join('') + back(this.#after.length));
  }

  #control(key: string): void {
    switch (key) {
      case '\x01': // Ctrl-A
        this.#left(this.#before.length);
        break;
      case '\x02': // Ctrl-B
        this.#left(1);
        break;
      case '\x04': // Ctrl-D
        this.#erase(0, 1);
        break;
      case '\x05': // Ctrl-E
        this.#right(this.#after.length);
        break;
      case '\x06': // Ctrl-F
        this.#right(1);
        break;
      case '\b':
      case DELETE:
        this.#erase(1, 0);
        break;
      case '\x0b': // Ctrl-K
        this.#erase(0, this.#after.length);
        break;
      case '\x0c': // Ctrl-L
      case '\x12': // Ctrl-R
        this.write('\n');
        this.redraw();
        break;
      case '\x0e': // Ctrl-N
        this.#recall(-1);
        break;
      case '\x10': // Ctrl-P
        this.#recall(1);
        break;
      case '\x14': // Ctrl-T
        this.#transpose();
        break;
      case '\x15': // Ctrl-U
      case '\x18': // Ctrl-X
        this.#erase(this.#before.length, 0);
        break;
      case '\x17': // Ctrl-W
        this.#erase(wordBefore(this.#before), 0);
    }
  }

  /** The cursor keys of a VT100 (ESC [ A, ESC O A), and Esc B, D, F: a word back, erased, on. */
  #escape(key: string): void {
    this.#sequence += key;
    const [, introducer, second] = this.#sequence;
    if (introducer === undefined) return;
    if ((introducer === '[' || introducer === 'O') && (second === undefined || !/[@-~]$/.test(this.#sequence))) {
      if (this.#sequence.length > 8) this.#sequence = '';
      return;
    }
    const sequence = this.#sequence;
    this.#sequence = '';
    switch (sequence.slice(1)) {
      case '[A':
      case 'OA':
        this.#recall(1);
        break;
      case '[B':
      case 'OB':
        this.#recall(-1);
        break;
      case '[C':
      case 'OC':
        this.#right(1);
        break;
      case '[D':
      case 'OD':
        this.#left(1);
        break;
      case '[H':
      case 'OH':
      case '[1~':
        this.#left(this.#before.length);
        break;
      case '[F':
      case 'OF':
      case '[4~':
        this.#right(this.#after.length);
        break;
      case '[3~':
        this.#erase(0, 1);
        break;
      case 'b':
      case 'B':
        this.#left(wordBefore(this.#before));
        break;
      case 'f':
      case 'F':
        this.#right(wordBehind(this.#after));
        break;
      case 'd':
      case 'D':
        this.#erase(0, wordBehind(this.#after));
    }
  }

  #left(n: number): void {
    const moved = this.#before.splice(Math.max(0, this.#before.length - n));
    this.#after.unshift(...moved);
    this.#show(back(moved.length));
  }

  #right(n: number): void {
    const moved = this.#after.splice(0, n);
    this.#before.push(...moved);
    this.#show(moved.join(''));
  }

  /** Erases characters left and right of the cursor. */
  #erase(left: number, right: number): void {
    const gone = Math.min(left, this.#before.length);
    this.#before.length -= gone;
    const total = gone + this.#after.splice(0, right).length;
    if (total === 0) return;
    const rest = this.#after.join('');
    this.#show(back(gone) + rest + ' '.repeat(total) + back(this.#after.length + total));
  }

  /** Changes the character under the cursor for the one before it. */
  #transpose(): void {
    const a = this.#before.at(-1);
    const b = this.#after[0];
    if (a === undefined || b === undefined) return;
    this.#before.splice(-1, 1, b, a);
    this.#after.shift();
    this.#show(`\b${b}${a}`);
  }

  /** `older` 1: the line before in the history; -1: the one behind. */
  #recall(older: 1 | -1): void {
    const place = this.#recalled + older;
    if (this.secret || place < -1 || place >= this.history().length) return;
    if (this.#recalled === -1) this.#draft = this.line;
    this.#right(this.#after.length);
    this.#erase(this.#before.length, 0);
    this.#recalled = place;
    this.#before = Array.from(place === -1 ? this.#draft : this.history().at(-1 - place)!);
    this.#show(this.#before.join(''));
  }

  #enter(): void {
    const { line } = this;
    this.write('\n');
    this.clear();
    this.entered(line);
  }

  #show(text: string): void {
    if (!this.secret && text !== '') this.write(text);
  }
}

const back = (n: number): string => '\b'.repeat(n);

/** Characters of the word before the cursor, with the blanks behind it. */
const wordBefore = (text: readonly string[]): number => /\S*\s*$/.exec(text.join(''))![0].length;
const wordBehind = (text: readonly string[]): number => /^\s*\S*/.exec(text.join(''))![0].length;
