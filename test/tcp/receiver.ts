/**
 * A TCP receiver as a model: it keeps what comes out of order and resolves overlaps by its policy. What it has
 * delivered to its application is final. Policies after Shankar and Paxson, "Active Mapping" (2003).
 */
import { FIN } from '../../src/core/wire/tcp.js';
import { seqDiff } from '../../src/core/wire/seq.js';
import type { Segment } from './segment.js';

export const POLICIES = ['first', 'last', 'bsd', 'linux', 'bsd-right', 'any'] as const;
export type Policy = (typeof POLICIES)[number];

interface Pending {
  byte: number;
  start: number;
  end: number;
}

export class Receiver {
  delivered: number[] = [];
  finished = false;
  #pending = new Map<number, Pending>();
  #fins = new Set<number>();
  #coin = 1;

  /** @param first sequence number of the first byte; `from`: offsets below are counted from it */
  constructor(
    readonly first: number,
    readonly policy: Policy,
  ) {}

  get rcvNxt(): number {
    return (this.first + this.delivered.length + (this.finished ? 1 : 0)) | 0;
  }

  /** Takes a segment, or only its first `room` bytes where the window leaves no more. */
  receive(s: Segment, room = s.data.length): void {
    const start = seqDiff(s.seq, this.first);
    const end = start + s.data.length;
    if (this.finished) return;
    for (let i = 0; i < Math.min(room, s.data.length); i++) {
      const at = start + i;
      if (at < this.delivered.length) continue;
      const old = this.#pending.get(at);
      if (old === undefined || this.#prefersNew(old, start, end))
        this.#pending.set(at, { byte: s.data[i]!, start, end });
    }
    if ((s.flags! & FIN) !== 0 && room >= s.data.length) this.#fins.add(end);
    for (;;) {
      if (this.#fins.has(this.delivered.length)) {
        this.finished = true;
        break;
      }
      const next = this.#pending.get(this.delivered.length);
      if (next === undefined) break;
      this.#pending.delete(this.delivered.length);
      this.delivered.push(next.byte);
    }
  }

  #prefersNew(old: Pending, start: number, end: number): boolean {
    switch (this.policy) {
      case 'first':
        return false;
      case 'last':
        return true;
      case 'bsd':
        return start < old.start;
      case 'linux':
        return start < old.start || (start === old.start && end > old.end);
      case 'bsd-right':
        return end > old.end;
      case 'any':
        this.#coin = (this.#coin * 1103515245 + 12345) & 0x7fffffff;
        return (this.#coin & 0x10000) !== 0;
    }
  }
}
