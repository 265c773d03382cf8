/**
 * What virtual reassembly holds for one interface, and who holds how many of its places (`max-reassemblies`). Lone
 * fragments cost a stranger nothing, so no source has more than a share, and a full table takes a place from whoever
 * has most: a newcomer always finds one.
 */
import type { FragmentOptions } from '../policy.js';
import type { Packet } from '../wire/packet.js';
import type { FragmentSet } from './fragment-set.js';

/** Sets that one source may have at a time: half of the places. */
export const shareOf = (maxReassemblies: number): number => Math.max(1, maxReassemblies >> 1);

interface Source {
  sets: number;
  /** It has had more than its share since it began, and the alert was given. */
  overflowing: boolean;
}

/** One interface: its options, what it holds, and the counters of `show ip virtual-reassembly`. */
export class InterfaceFragments {
  readonly name: string;
  options: FragmentOptions | undefined;
  /** In the order in which they began. */
  readonly sets: FragmentSet[] = [];
  /** Fragments held now. */
  fragments = 0;
  /** Since the start: datagrams put together; sets dropped for a fault, a timeout or a place; those of timeouts alone. */
  reassemblies = 0;
  failures = 0;
  timeouts = 0;
  /** The overflow alert was given, and no newcomer has found a free place since. */
  overflowing = false;
  readonly #sources = new Map<number, Source>();

  constructor(name: string, options: FragmentOptions | undefined) {
    this.name = name;
    this.options = options;
  }

  /** The set that fragment `p` belongs to. A scan: there are few sets. */
  find(p: Packet): FragmentSet | undefined {
    for (const set of this.sets) if (set.matches(p)) return set;
    return undefined;
  }

  enter(set: FragmentSet): void {
    this.sets.push(set);
    const source = this.#sources.get(set.src);
    if (source === undefined) this.#sources.set(set.src, { sets: 1, overflowing: false });
    else source.sets++;
  }

  leave(set: FragmentSet): void {
    this.sets.splice(this.sets.indexOf(set), 1);
    const source = this.#sources.get(set.src)!;
    if (--source.sets === 0) this.#sources.delete(set.src);
  }

  get currentReassemblies(): number {
    return this.sets.length;
  }

  /** Sets that `src` has now. */
  held(src: number): number {
    return this.#sources.get(src)?.sets ?? 0;
  }

  get full(): boolean {
    return this.sets.length >= this.options!.maxReassemblies;
  }

  /** True where `src` has its share: for another set of its own it gives up its oldest. */
  hasShare(src: number): boolean {
    return this.held(src) >= shareOf(this.options!.maxReassemblies);
  }

  /** `src`, which has its share, wants more. @returns true the first time since it had nothing here */
  noteOverflow(src: number): boolean {
    const source = this.#sources.get(src)!;
    const first = !source.overflowing;
    source.overflowing = true;
    return first;
  }

  /** The oldest set of `src`, which has one. */
  oldestOf(src: number): FragmentSet {
    return this.sets.find((set) => set.src === src)!;
  }

  /** The oldest set of the source that has most; of `src` itself where nobody has more. Only when full. */
  oldestOfGreediest(src: number): FragmentSet {
    let most = 0;
    for (const { sets } of this.#sources.values()) if (sets > most) most = sets;
    if (this.held(src) === most) return this.oldestOf(src);
    return this.sets.find((set) => this.held(set.src) === most)!;
  }
}
