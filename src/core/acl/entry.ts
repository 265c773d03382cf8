import { mix } from '../memory/hash.js';

/** One `permit`/`deny` line of an access list, as data. Addresses and wildcards are int32, host order; a 1 bit in a wildcard is not compared. */
export interface AclEntry {
  /** 10, 20, … as `show access-lists` prints it. */
  sequence: number;
  action: 'permit' | 'deny';
  /** IP protocol number, or undefined for `ip` and for standard lists. */
  protocol?: number;
  src: AclAddress;
  dst: AclAddress;
  srcPort?: AclPort;
  dstPort?: AclPort;
  icmp?: { type: number; code?: number };
  /** TCP with ACK or RST. */
  established: boolean;
  /** Only non-initial fragments. */
  fragments: boolean;
  precedence?: number;
  tos?: number;
  dscp?: number;
  log: 'none' | 'log' | 'log-input';
}

export interface AclAddress {
  address: number;
  wildcard: number;
}

export interface AclPort {
  op: 'eq' | 'neq' | 'lt' | 'gt' | 'range';
  /** `range`: both ends; otherwise only the first counts. */
  from: number;
  to: number;
}

/** True where two entries decide the same way about the same packets: equal but for sequence, logging and line. */
export function sameTest(a: AclEntry, b: AclEntry): boolean {
  return (
    a.action === b.action &&
    a.protocol === b.protocol &&
    sameAddress(a.src, b.src) &&
    sameAddress(a.dst, b.dst) &&
    samePort(a.srcPort, b.srcPort) &&
    samePort(a.dstPort, b.dstPort) &&
    a.icmp?.type === b.icmp?.type &&
    a.icmp?.code === b.icmp?.code &&
    a.established === b.established &&
    a.fragments === b.fragments &&
    a.precedence === b.precedence &&
    a.tos === b.tos &&
    a.dscp === b.dscp
  );
}

/** A number that entries with the same test have in common, and hardly any others: for tables of entries. */
export function testHash(e: AclEntry): number {
  const { src, dst, srcPort, dstPort, icmp } = e;
  let h = mix(e.action === 'permit' ? 1 : 0, e.protocol ?? -1);
  h = mix(mix(h, src.address), src.wildcard);
  h = mix(mix(h, dst.address), dst.wildcard);
  if (srcPort !== undefined) h = mix(mix(h, srcPort.from), srcPort.to);
  if (dstPort !== undefined) h = mix(mix(h, dstPort.to), dstPort.from);
  return icmp === undefined ? h : mix(mix(h, icmp.type), icmp.code ?? -1);
}

const sameAddress = (a: AclAddress, b: AclAddress): boolean => a.address === b.address && a.wildcard === b.wildcard;

const samePort = (a: AclPort | undefined, b: AclPort | undefined): boolean =>
  a?.op === b?.op && a?.from === b?.from && a?.to === b?.to;
