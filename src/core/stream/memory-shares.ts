/**
 * How much of a memory that all sessions share belongs to whom. A session is counted with both of its ends, and what
 * it is measured by is the end that has less: the many sessions of one attacker with a server count as his, the many
 * sessions of a server with honest clients count as theirs.
 *
 * The table has a fixed size: an address is counted in one cell of each row (a count-min sketch), and has at most what
 * the lower of its cells says. Which addresses meet in a cell depends on the seed, so that nobody can aim at another.
 */
import { mix } from '../memory/hash.js';

/** Cells of a row, a power of two. */
const CELLS = 4096;
/** Interfaces counted apart; more than those of a 3640 share them. */
const SIDES = 64;

/** The session that memory is used for. All of it stays the same as long as the session lives. */
export interface MemoryOwner {
  /** Addresses of its ends, int32. */
  initiator: number;
  responder: number;
  /** Index of the interface that the first packet came in by. */
  side: number;
}

/** Memory outside of any session, as tests use it. */
export const NOBODY: Readonly<MemoryOwner> = { initiator: 0, responder: 0, side: 0 };

export class MemoryShares {
  readonly #first = new Float64Array(CELLS);
  readonly #second = new Float64Array(CELLS);
  readonly #sides = new Float64Array(SIDES);

  /** @param seed of the hash */
  constructor(private readonly seed: number) {}

  /** Counts `bytes` more for `o`, or less where negative. */
  add(o: MemoryOwner, bytes: number): void {
    this.#addTo(o.initiator, bytes);
    this.#addTo(o.responder, bytes);
    this.#sides[o.side & (SIDES - 1)]! += bytes;
  }

  /** Bytes that the one end of `o` has which has less: at most so many, if not fewer. */
  used(o: MemoryOwner): number {
    return Math.min(this.#usedBy(o.initiator), this.#usedBy(o.responder));
  }

  /** The end of `o` that `used` is about. */
  measuredBy(o: MemoryOwner): number {
    return this.#usedBy(o.initiator) <= this.#usedBy(o.responder) ? o.initiator : o.responder;
  }

  /** Bytes of all sessions that were opened from the side of `o`. */
  usedBySide(o: MemoryOwner): number {
    return this.#sides[o.side & (SIDES - 1)]!;
  }

  #addTo(address: number, bytes: number): void {
    const h = mix(address ^ this.seed, this.seed);
    this.#first[h & (CELLS - 1)]! += bytes;
    this.#second[(h >>> 16) & (CELLS - 1)]! += bytes;
  }

  #usedBy(address: number): number {
    const h = mix(address ^ this.seed, this.seed);
    return Math.min(this.#first[h & (CELLS - 1)]!, this.#second[(h >>> 16) & (CELLS - 1)]!);
  }
}
