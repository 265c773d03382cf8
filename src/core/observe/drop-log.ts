/**
 * `ip inspect log drop-pkt`: which drops are worth a line. Inferred: the manuals of later releases give one message a
 * flow every 30 seconds; the limit for all flows together, so that a flood does not fill the log, is ours, and what it
 * leaves out is counted and said.
 */
import type { Event } from '../events.js';
import { Tally } from '../limit/tally.js';
import { TokenBuckets } from '../limit/token-buckets.js';
import type { Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { PacketEnds, readEnds } from '../wire/packet-ends.js';
import { type Row, rowsOf } from './row.js';

const PER_FLOW_MS = 30_000;
/** Flows remembered; two that fall into one place push each other out, at worst for a line too many. A power of two. */
const PLACES = 1024;
/** Messages of all flows in a second. */
const PER_SECOND = 20;

const ROWS = {
  'dropped-packet': { kind: 'counter', help: 'Messages of dropped packets that were too many for the log' },
} as const;

export class DropLog {
  readonly #flows = new Int32Array(PLACES);
  readonly #since = new Float64Array(PLACES).fill(-PER_FLOW_MS);
  readonly #all = new TokenBuckets(1, PER_SECOND, PER_SECOND);
  readonly #leftOut = new Tally();
  readonly #ends = new PacketEnds();

  /** True when the drop of `p` for reason `v` is to be logged. `now`: ms. */
  admits(p: Packet, v: Verdict, now: number): boolean {
    readEnds(p, this.#ends);
    const flow = hash(this.#ends, p.icmpType, v);
    const place = flow & (PLACES - 1);
    if (this.#flows[place] === flow && now - this.#since[place]! < PER_FLOW_MS) return false;
    if (!this.#all.has(0, now)) {
      this.#leftOut.note(now);
      return false;
    }
    this.#all.take(0, now);
    this.#flows[place] = flow;
    this.#since[place] = now;
    return true;
  }

  rows(): Row[] {
    return rowsOf('log', ROWS, () => this.#leftOut.total);
  }

  /** Calls `say` with what is to be said of drops that were too many to be logged. To be called now and then. */
  report(now: number, say: (e: Event) => void): void {
    const messages = this.#leftOut.take(now);
    if (messages > 0) say({ type: 'left-out', kind: 'dropped-packet', messages, seconds: this.#leftOut.seconds });
  }
}

function hash(e: PacketEnds, icmpType: number, v: Verdict): number {
  let h = Math.imul(e.src ^ (v << 24) ^ (icmpType << 16), 0x9e3779b1);
  h = Math.imul(h ^ e.dst ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ ((e.srcPort << 16) | e.dstPort) ^ (h >>> 13), 0xc2b2ae35);
  return h ^ e.protocol ^ (h >>> 16);
}
