/**
 * Which shard a packet is for. NAT does not change the address outside, and both directions have it: so a flow's shard
 * comes from that one. Inside, a packet's source is a host of ours; outside, its destination is.
 *
 *   one end is outside        hash of its address
 *   no end, or both           shard 0: inside to inside, hairpins (inside to an inside global address), the router itself
 *   nothing is NAT's outside  hash of both addresses, whichever comes first
 *
 * An ICMP error goes where the answer to the packet that it quotes would go, whoever sends it: a router on the way is no
 * end of the flow. Errors in fragments, and fragments of anything else, go by their own addresses, which all of them have.
 *
 * The kernel does this for us (host/steering.ts makes its rules of the same `Steering`); here is how it is meant.
 */
import { i32, u8 } from '../wire/bytes.js';
import { ICMP_HEADER, isIcmpError } from '../wire/icmp.js';
import {
  FRAGMENT_OFFSET,
  IPPROTO_ICMP,
  IPV4_DST,
  IPV4_MIN_HEADER,
  IPV4_PROTOCOL,
  IPV4_SRC,
  ipv4Fragment,
  ipv4HeaderLength,
  MORE_FRAGMENTS,
} from '../wire/ipv4.js';
import type { Policy, PoolPolicy } from '../policy.js';

/** Most shards: a session's printed id has room for so many. */
export const MOST_SHARDS = 16;

/** Addresses that begin alike (int32), and whether they are outside. */
export interface Area {
  prefix: number;
  length: number;
  outside: boolean;
}

export interface Steering {
  shards: number;
  /** The longest prefix first; one that is in none is not outside. Undefined: nothing is NAT's outside. */
  areas: Area[] | undefined;
}

/** Set in any fragment. */
export const ANY_FRAGMENT = MORE_FRAGMENTS | FRAGMENT_OFFSET;

/** The shard of an address, or of two that are combined by exclusive or: a hash in which each bit counts (lowbias32, C. Wellons). */
export function shardOf(address: number, shards: number): number {
  let h = address;
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b | 0);
  h ^= h >>> 16;
  return (h >>> 0) % shards;
}

/**
 * The shard of a packet.
 * @param b           the packet from offset `at` on, whole as far as headers go
 * @param fromOutside it came in by an outside interface
 */
export function shardOfPacket(
  steering: Steering,
  b: Uint8Array,
  at: number,
  end: number,
  fromOutside: boolean,
): number {
  let src = i32(b, at + IPV4_SRC);
  let dst = i32(b, at + IPV4_DST);
  if (u8(b, at + IPV4_PROTOCOL) === IPPROTO_ICMP && (ipv4Fragment(b, at) & ANY_FRAGMENT) === 0) {
    const l4 = at + ipv4HeaderLength(b, at);
    if (end <= l4) return 0;
    if (isIcmpError(u8(b, l4))) {
      const quote = l4 + ICMP_HEADER;
      if (end - quote < IPV4_MIN_HEADER) return 0; // nobody can tell whose it is
      src = i32(b, quote + IPV4_DST);
      dst = i32(b, quote + IPV4_SRC);
    }
  }
  return shardBetween(steering, src, dst, fromOutside);
}

/** The shard of a packet that is no ICMP error. */
export function shardBetween({ shards, areas }: Steering, src: number, dst: number, fromOutside: boolean): number {
  if (areas === undefined) return shardOf(src ^ dst, shards);
  if (isOutside(areas, dst) === fromOutside) return 0;
  return shardOf(fromOutside ? src : dst, shards);
}

/** Whether an address is outside, as `areas` have it. */
export function isOutside(areas: readonly Area[], address: number): boolean {
  for (const a of areas) if ((address & maskOf(a.length)) === a.prefix) return a.outside;
  return false;
}

export const maskOf = (length: number): number => (length === 0 ? 0 : -1 << (32 - length));

/** How packets are to be shared out under a policy. */
export function steeringOf({ interfaces, nat, routing }: Policy, shards: number): Steering {
  if (!interfaces.some((itf) => itf.nat === 'outside')) return { shards, areas: undefined };
  const areas: Area[] = [];
  const known = new Set<string>();
  for (const { prefix, mask, egress } of routing.routes.items) {
    const network = `${prefix} ${mask}`;
    if (known.has(network)) continue; // a second way: the first one counts
    known.add(network);
    areas.push({ prefix, length: lengthOf(mask), outside: interfaces[egress]?.nat === 'outside' });
  }
  const ours = (prefix: number, length: number): void => void areas.push({ prefix, length, outside: false });
  for (const address of [-1, ...routing.own, ...nat.own]) ours(address, 32);
  ours(0xe0000000 | 0, 4); // multicast
  for (const { global } of nat.bindings.items) ours(global, 32);
  for (const n of nat.networks) ours(n.global, lengthOf(n.mask));
  for (const pool of nat.pools) for (const [prefix, length] of prefixesOf(pool)) ours(prefix, length);
  return { shards, areas: compact(areas) };
}

const lengthOf = (mask: number): number => Math.clz32(~mask);

/** The prefixes that a range of addresses is made of. */
export function prefixesOf({ first, size }: PoolPolicy): (readonly [prefix: number, length: number])[] {
  const found: (readonly [number, number])[] = [];
  let at = first >>> 0;
  for (let left = size; left > 0;) {
    const aligned = at === 0 ? 2 ** 31 : (at & -at) >>> 0;
    const block = Math.min(aligned, 2 ** Math.floor(Math.log2(left)));
    found.push([at | 0, 32 - Math.log2(block)]);
    at += block;
    left -= block;
  }
  return found;
}

/**
 * The same areas in fewer: neighbours that are alike are one, and what the shorter prefix around it says as well is left
 * out. Of two for the same prefix the one inside counts: what NAT and the router answer to is no outside host's.
 */
function compact(areas: readonly Area[]): Area[] {
  const byLength = Array.from({ length: 33 }, () => new Map<number, boolean>());
  for (const { prefix, length, outside } of areas) {
    const known = byLength[length]!.get(prefix);
    byLength[length]!.set(prefix, known === undefined ? outside : known && outside);
  }
  for (let length = 32; length > 0; length--) {
    const here = byLength[length]!;
    const bit = 1 << (32 - length);
    for (const [prefix, outside] of [...here]) {
      const neighbour = prefix ^ bit;
      if (here.get(prefix) !== outside || here.get(neighbour) !== outside) continue;
      here.delete(prefix);
      here.delete(neighbour);
      byLength[length - 1]!.set(prefix & ~bit, outside);
    }
  }
  const around = (prefix: number, length: number): boolean => {
    for (let l = length - 1; l >= 0; l--) {
      const found = byLength[l]!.get(prefix & maskOf(l));
      if (found !== undefined) return found;
    }
    return false;
  };
  const left: Area[] = [];
  for (let length = 32; length >= 0; length--)
    for (const [prefix, outside] of byLength[length]!)
      if (around(prefix, length) !== outside) left.push({ prefix, length, outside });
  return left;
}
