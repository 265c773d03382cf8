/**
 * Finds the first row that matches a packet without trying all of them (tuple space search: Srinivasan, Suri, Varghese,
 * SIGCOMM 1999). Rows that compare the same bits are of one shape; of a shape, a packet can only match rows that have
 * the packet's own values in these bits, and one look into a hash table finds those. A list of thousands has few shapes.
 */
import { mix } from '../memory/hash.js';
import type { Packet } from '../wire/packet.js';
import { COLUMNS, DST, DST_CARE, DST_LOW, isSinglePort, PROTOCOL, rowMatches, SRC, SRC_CARE, SRC_LOW } from './rows.js';

// Columns of a shape.
const SHAPE_PROTOCOL = 0; // -1: ip
const SHAPE_SRC = 1; // bits of the addresses that are compared
const SHAPE_DST = 2;
const SHAPE_SPORT = 3; // 0xffff: the port is compared with a single one
const SHAPE_DPORT = 4;
const FIRST = 5; // first row of this shape
const SHAPE_COLUMNS = 6;

export class RowIndex {
  /** Shapes in the order of their first rows. */
  readonly #shapes: Int32Array;
  /** By hash: a row, whose followers are in `#next`, in order of the list. No row: the number of rows. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #mask: number;
  readonly #none: number;

  /**
   * @param chosen which rows are in the index, by their offset in `rows`
   * @param byPort false: for packets that have no ports, non-initial fragments
   */
  constructor(
    private readonly rows: Int32Array,
    byPort: boolean,
    chosen: (r: number) => boolean,
  ) {
    this.#none = rows.length / COLUMNS;
    const shapes = new Shapes();
    const shapeOf = new Int32Array(this.#none).fill(-1);
    for (let row = 0; row < this.#none; row++) {
      const r = row * COLUMNS;
      if (!chosen(r)) continue;
      const sport = byPort && isSinglePort(rows, r + SRC_LOW) ? 0xffff : 0;
      const dport = byPort && isSinglePort(rows, r + DST_LOW) ? 0xffff : 0;
      shapeOf[row] = shapes.at(rows[r + PROTOCOL]!, rows[r + SRC_CARE]!, rows[r + DST_CARE]!, sport, dport, row);
    }
    this.#shapes = Int32Array.from(shapes.words);
    const buckets = 1 << (33 - Math.clz32(this.#none)); // two to four for a row
    this.#mask = buckets - 1;
    this.#heads = new Int32Array(buckets).fill(this.#none);
    this.#next = new Int32Array(this.#none).fill(this.#none);
    for (let row = this.#none - 1; row >= 0; row--) {
      const s = shapeOf[row]!;
      if (s < 0) continue;
      const r = row * COLUMNS;
      const bucket = this.#bucket(s, rows[r + SRC]!, rows[r + DST]!, rows[r + SRC_LOW]!, rows[r + DST_LOW]!);
      this.#next[row] = this.#heads[bucket]!;
      this.#heads[bucket] = row;
    }
  }

  /** The number of the first row that matches, or -1. */
  find(p: Packet): number {
    const shapes = this.#shapes;
    let best = this.#none;
    for (let s = 0; s < shapes.length && shapes[s + FIRST]! < best; s += SHAPE_COLUMNS) {
      const protocol = shapes[s + SHAPE_PROTOCOL]!;
      if (protocol !== -1 && protocol !== p.protocol) continue;
      let row = this.#heads[this.#bucket(s, p.src, p.dst, p.srcPort, p.dstPort)]!;
      // Rows of other shapes may lie here too: whatever matches, matches.
      while (row < best && !rowMatches(this.rows, row * COLUMNS, p)) row = this.#next[row]!;
      if (row < best) best = row;
    }
    return best === this.#none ? -1 : best;
  }

  #bucket(s: number, src: number, dst: number, srcPort: number, dstPort: number): number {
    const shapes = this.#shapes;
    const ports = ((srcPort & shapes[s + SHAPE_SPORT]!) << 16) | (dstPort & shapes[s + SHAPE_DPORT]!);
    return mix(mix(src & shapes[s + SHAPE_SRC]!, dst & shapes[s + SHAPE_DST]!), ports ^ s) & this.#mask;
  }
}

/** The shapes of a list while its index is made. */
class Shapes {
  readonly words: number[] = [];
  readonly #known = new Map<number, number>();

  /** Where the shape is in `words`; put there if it is new, with `row` as its first. */
  at(protocol: number, src: number, dst: number, sport: number, dport: number, row: number): number {
    const { words } = this;
    let key = mix(mix(protocol, src), mix(dst, (sport << 16) | dport));
    for (let at = this.#known.get(key); at !== undefined; at = this.#known.get(++key)) {
      const same =
        words[at + SHAPE_PROTOCOL] === protocol &&
        words[at + SHAPE_SRC] === src &&
        words[at + SHAPE_DST] === dst &&
        words[at + SHAPE_SPORT] === sport &&
        words[at + SHAPE_DPORT] === dport;
      if (same) return at;
    }
    this.#known.set(key, words.length);
    words.push(protocol, src, dst, sport, dport, row);
    return words.length - SHAPE_COLUMNS;
  }
}
