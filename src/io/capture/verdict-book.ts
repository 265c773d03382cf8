/**
 * Which verdict of the router belongs to which frame. Both are told apart by what the kernel leaves as it is on its way
 * from the wire to the queue and from there to the wire: not the TTL, not checksums. A frame of which nothing is known
 * gets no comment.
 */
import type { VerdictRecord } from '../../core/capture/verdict.js';
import { ABSORBED, HOLD, isDrop, PASS } from '../../core/verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../../core/wire/ipv4.js';
import { DROP_REASONS } from '../../ios/drop-reasons.js';
import { formatAddress } from '../../ios/ipv4-text.js';

/** What of the transport header tells packets apart: offsets, `to` not included. Checksums are left out. */
const TRANSPORT: Readonly<Record<number, readonly (readonly [from: number, to: number])[]>> = {
  [IPPROTO_TCP]: [[0, 16]],
  [IPPROTO_UDP]: [[0, 6]],
  [IPPROTO_ICMP]: [[0, 2], [4, 8]], // prettier-ignore
};
/** Total length, identification, fragment; protocol; addresses. */
const NETWORK = [[0, 8], [9, 10], [12, 20]] as const; // prettier-ignore
const LEAST = 20;

/** Frames and verdicts may be so far apart, ms; older verdicts are forgotten. */
const FORGET_MS = 10_000;
const MASKED = 0x78; // x

/** @param ip from the IPv4 header on. @returns undefined where there is none */
export function packetKey(ip: Uint8Array): string | undefined {
  if (ip.length < LEAST || ip[0]! >>> 4 !== 4) return undefined;
  const l4 = (ip[0]! & 15) * 4;
  const fragment = (((ip[6]! << 8) | ip[7]!) & 0x1fff) !== 0;
  const transport = fragment ? [] : (TRANSPORT[ip[9]!] ?? [[0, 8]]);
  const ranges = [...NETWORK, ...transport.map(([from, to]) => [l4 + from, l4 + to] as const)];
  return ranges.map(([from, to]) => Buffer.from(ip.subarray(from, to)).toString('hex')).join(' ');
}

interface Entry {
  timeMs: number;
  comment: string;
  /** Nothing more will be known of it. */
  settled: boolean;
}

export class VerdictBook {
  readonly #entries = new Map<string, Entry[]>();
  /** Of packets that are held, by the number of their record. */
  readonly #held = new Map<number, Entry>();

  take(r: VerdictRecord): void {
    const comment = commentOf(r);
    const held = r.held === undefined ? undefined : this.#held.get(r.held);
    if (held !== undefined) {
      this.#held.delete(r.held!);
      held.comment = comment;
      held.settled = true;
    } else if (!r.late) {
      const entry = { timeMs: r.timeMs, comment, settled: r.verdict !== HOLD };
      this.#put(r.ingress, r.came, entry);
      if (!entry.settled) this.#held.set(r.number, entry);
    }
    if (r.leaves.length > 0) this.#put(r.egress, r.leaves, { timeMs: r.timeMs, comment, settled: true });
  }

  /**
   * What is known of a frame, which is then no longer known.
   * @param final it is not asked for again: a packet that is still held is said to be
   */
  find(name: string, key: string, timeMs: number, final: boolean): string | undefined {
    const place = `${name} ${key}`;
    const all = this.#entries.get(place);
    if (all === undefined) return undefined;
    let nearest = 0;
    for (let i = 1; i < all.length; i++)
      if (Math.abs(all[i]!.timeMs - timeMs) < Math.abs(all[nearest]!.timeMs - timeMs)) nearest = i;
    const entry = all[nearest]!;
    if (!entry.settled && !final) return undefined;
    all.splice(nearest, 1);
    if (all.length === 0) this.#entries.delete(place);
    return entry.comment;
  }

  /** Forgets what no frame has asked for. */
  forget(nowMs: number): void {
    for (const [place, all] of this.#entries) {
      const young = all.filter((e) => nowMs - e.timeMs < FORGET_MS);
      if (young.length === 0) this.#entries.delete(place);
      else if (young.length < all.length) this.#entries.set(place, young);
    }
    for (const [number, e] of this.#held) if (nowMs - e.timeMs >= FORGET_MS) this.#held.delete(number);
  }

  #put(name: string | undefined, head: Uint8Array, entry: Entry): void {
    const key = packetKey(head);
    if (name === undefined || key === undefined) return;
    const place = `${name} ${key}`;
    const all = this.#entries.get(place);
    if (all === undefined) this.#entries.set(place, [entry]);
    else all.push(entry);
  }
}

/** The verdict in a line. */
export function commentOf(r: VerdictRecord): string {
  const { verdict, late } = r;
  const waited = late ? `held ${r.heldMs.toFixed(1)} ms, then ` : '';
  if (verdict === HOLD) return 'held';
  if (verdict === ABSORBED) return `${waited}passed as part of its datagram`;
  if (isDrop(verdict)) return `${waited}dropped (${DROP_REASONS[verdict]!})`;
  if (verdict !== PASS) return '';
  const translated = translationOf(r);
  const { changedFrom: from, changedTo: to } = r;
  if (from === to) return `${waited}passed${translated}`;
  return `${waited}changed (bytes ${from}-${to - 1} of the payload ${isMasked(r) ? 'masked' : 'changed'})${translated}`;
}

/** As far as the first bytes of the packet show. */
function isMasked({ leaves, changedFrom, changedTo }: VerdictRecord): boolean {
  const l4 = (leaves[0]! & 15) * 4;
  const payload = l4 + (leaves[9] === IPPROTO_TCP ? (leaves[l4 + 12] ?? 0) >>> 4 : 2) * 4;
  const shown = leaves.subarray(payload + changedFrom, payload + changedTo);
  return shown.length > 0 && shown.every((b) => b === MASKED || b === 13 || b === 10);
}

function translationOf({ came, leaves }: VerdictRecord): string {
  if (came.length < LEAST || leaves.length < LEAST) return '';
  const address = (b: Uint8Array, at: number): string => formatAddress(Buffer.from(b).readInt32BE(at));
  const became = (what: string, at: number): string => {
    const [before, after] = [address(came, at), address(leaves, at)];
    return before === after ? '' : `, ${what} ${before} became ${after}`;
  };
  return became('source', 12) + became('destination', 16);
}
