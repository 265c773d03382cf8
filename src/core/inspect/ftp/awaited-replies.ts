/**
 * Which commands of the client still await their reply (RFC 959 §5.4: one final reply each, in order; 1yz is not final).
 * Only three kinds of command matter by name; of all others it is enough to know how many stand in between, so memory
 * is bounded however many a client sends at once.
 *
 * Some servers pass over an empty line in silence, or say something more than they should. The count finds back: a
 * 227, 229 or 234 answers the first command of its kind, whatever stood before it, and no other good reply answers PASV
 * or EPSV.
 */
import type { StateIo } from '../../memory/state-io.js';

export type Marked = 'PASV' | 'EPSV' | 'AUTH';

/** Commands of these kinds that may await their reply at a time. */
export const MOST_MARKED = 16;

const KINDS: readonly Marked[] = ['PASV', 'EPSV', 'AUTH'];

const ANSWERED_BY: Readonly<Record<string, Marked | undefined>> = { 227: 'PASV', 229: 'EPSV', 234: 'AUTH' };

export class AwaitedReplies {
  /** In order. `before`: other commands between this one and the marked one before it. */
  readonly #marked: { kind: Marked; before: number }[] = [];
  /** Commands behind the last marked one. At the beginning the greeting is awaited. */
  #behind = 1;

  /** Saves or loads. */
  sync(io: StateIo): void {
    const count = io.below(this.#marked.length, MOST_MARKED + 1);
    for (let i = 0; i < count; i++) {
      const m = (this.#marked[i] ??= { kind: 'PASV', before: 0 });
      m.kind = KINDS[io.below(KINDS.indexOf(m.kind), KINDS.length)]!;
      m.before = io.int(m.before);
    }
    this.#marked.length = count;
    this.#behind = io.int(this.#behind);
  }

  /** Marked commands that await their reply. */
  get marked(): number {
    return this.#marked.length;
  }

  /** The client has ended a line. There must be room: MOST_MARKED. */
  sent(kind: Marked | undefined): void {
    if (kind === undefined) {
      this.#behind++;
      return;
    }
    this.#marked.push({ kind, before: this.#behind });
    this.#behind = 0;
  }

  /**
   * A reply has come.
   * @param code three digits
   * @returns the command that a 227, 229 or 234 answers; undefined for other replies, or where none awaits it
   */
  replied(code: string): Marked | undefined {
    if (code.startsWith('1') || code === '421') return undefined; // 421: at any time, it answers nothing
    const kind = ANSWERED_BY[code];
    const i = kind === undefined ? -1 : this.#marked.findIndex((m) => m.kind === kind);
    if (i >= 0) {
      this.#marked.splice(0, i + 1);
      return kind;
    }
    if (/^[45]/.test(code)) this.#failed();
    else this.#succeeded();
    return undefined;
  }

  /** The first command, of whatever kind, has been refused. */
  #failed(): void {
    const first = this.#marked[0];
    if (first === undefined) this.#behind = Math.max(this.#behind - 1, 0);
    else if (first.before > 0) first.before--;
    else this.#marked.shift();
  }

  #succeeded(): void {
    for (const [i, m] of this.#marked.entries()) {
      if (m.before > 0) {
        m.before--;
        return;
      }
      if (m.kind === 'AUTH') {
        this.#marked.splice(i, 1);
        return;
      }
    }
    this.#behind = Math.max(this.#behind - 1, 0);
  }
}
