/**
 * A compiled `access-list`: the first entry that matches decides and is counted, and an implicit `deny ip any any` ends
 * the list. Sees the packet as it is on the wire, before NAT.
 */
import { type AclEntry, sameTest, testHash } from './entry.js';
import type { Packet } from '../wire/packet.js';
import { RowIndex } from './row-index.js';
import { COLUMNS, compileRows, mayMatchFragments, rowMatches, rowPermits, SRC, SRC_CARE } from './rows.js';

/** Index returned by `match` for the implicit deny. */
export const IMPLICIT_DENY = -1;

/** Fewer entries are tried one by one: that is as quick. */
const INDEXED_FROM = 24;

export class CompiledAccessList {
  readonly matches: Float64Array;
  readonly #rows: Int32Array;
  readonly #index: RowIndex | undefined;
  /** Made for the first non-initial fragment. */
  #fragmentIndex: RowIndex | undefined;

  constructor(
    readonly name: string,
    readonly entries: readonly AclEntry[],
    /** Of the list in the policy; two of the same revision have the same entries. */
    readonly revision = 0,
  ) {
    this.matches = new Float64Array(entries.length);
    this.#rows = compileRows(entries);
    if (entries.length >= INDEXED_FROM) this.#index = new RowIndex(this.#rows, true, () => true);
  }

  /** The index of the first entry that matches `p`, its match counted, or IMPLICIT_DENY. */
  match(p: Packet): number {
    const index = this.#find(p);
    if (index !== IMPLICIT_DENY) this.matches[index]!++;
    return index;
  }

  /** Whether the list permits `p`. Not counted: `debug ip packet` only looks. */
  permitsPacket(p: Packet): boolean {
    return this.permits(this.#find(p));
  }

  #find(p: Packet): number {
    const rows = this.#rows;
    if (this.#index === undefined) {
      for (let i = 0, r = 0; r < rows.length; i++, r += COLUMNS) if (rowMatches(rows, r, p)) return i;
      return IMPLICIT_DENY;
    }
    if (p.fragmentOffset === 0) return this.#index.find(p);
    this.#fragmentIndex ??= new RowIndex(rows, false, (r) => mayMatchFragments(rows, r));
    return this.#fragmentIndex.find(p);
  }

  permits(index: number): boolean {
    return index !== IMPLICIT_DENY && rowPermits(this.#rows, index * COLUMNS);
  }

  /** Whether a standard list permits a host (`java-list`). Not counted: no packet is judged. */
  permitsSource(address: number): boolean {
    const rows = this.#rows;
    for (let r = 0; r < rows.length; r += COLUMNS) {
      if (((address ^ rows[r + SRC]!) & rows[r + SRC_CARE]!) === 0) return rowPermits(rows, r);
    }
    return false;
  }

  /** Takes over the match counts of entries that were in this list before it was changed, wherever they stood. */
  takeMatches(old: CompiledAccessList): void {
    const known = new Map<number, number[]>();
    old.entries.forEach((e, i) => {
      if (old.matches[i] === 0) return;
      const hash = testHash(e);
      known.set(hash, [...(known.get(hash) ?? []), i]);
    });
    if (known.size === 0) return;
    this.entries.forEach((e, i) => {
      const same = known.get(testHash(e))?.find((k) => sameTest(old.entries[k]!, e));
      if (same !== undefined) this.matches[i] = old.matches[same]!;
    });
  }

  clearMatches(): void {
    this.matches.fill(0);
  }
}
