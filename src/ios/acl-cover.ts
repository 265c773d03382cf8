/** Which packets access-list entries match, compared as sets: what one entry leaves for another. */
import type { AclAddress, AclEntry, AclPort } from '../core/acl/entry.js';

const LAST_PORT = 65_535;

/** True where every packet that `b` matches is matched by `a` too. False where that is not certain. */
export function covers(a: AclEntry, b: AclEntry): boolean {
  return (
    (a.protocol === undefined || a.protocol === b.protocol) &&
    addressCovers(a.src, b.src) &&
    addressCovers(a.dst, b.dst) &&
    portCovers(a.srcPort, b.srcPort) &&
    portCovers(a.dstPort, b.dstPort) &&
    (a.icmp === undefined ||
      (b.icmp?.type === a.icmp.type && (a.icmp.code === undefined || b.icmp.code === a.icmp.code))) &&
    (!a.established || b.established) &&
    (!a.fragments || b.fragments) &&
    same(a.precedence, b.precedence) &&
    same(a.tos, b.tos) &&
    same(a.dscp, b.dscp)
  );
}

/** The port that a test takes, where it takes a single one. */
export function singlePort(test: AclPort | undefined): number | undefined {
  if (test?.op === 'eq') return test.from; // nearly all
  const [first, ...others] = test === undefined ? [] : ranges(test);
  return first !== undefined && others.length === 0 && first[0] === first[1] ? first[0] : undefined;
}

/** True where the port test of an entry (undefined: none) admits the port. */
export const entryAdmitsPort = (test: AclPort | undefined, port: number): boolean =>
  test === undefined || ranges(test).some(([from, to]) => from <= port && port <= to);

const same = (a: number | undefined, b: number | undefined): boolean => a === undefined || a === b;

/** A 1 bit of a wildcard is not compared: `a` must compare no bit that `b` leaves open, and agree on the rest. */
const addressCovers = (a: AclAddress, b: AclAddress): boolean =>
  (b.wildcard & ~a.wildcard) === 0 && ((a.address ^ b.address) & ~a.wildcard) === 0;

function portCovers(a: AclPort | undefined, b: AclPort | undefined): boolean {
  if (a === undefined) return true;
  if (b === undefined) return false;
  const [wide, narrow] = [ranges(a), ranges(b)];
  return narrow.length > 0 && narrow.every(([from, to]) => wide.some(([first, last]) => first <= from && to <= last));
}

/** The ports of a test, as at most two ranges. */
function ranges(p: AclPort): [number, number][] {
  const all: [number, number][] = {
    eq: [[p.from, p.from]],
    neq: [
      [0, p.from - 1],
      [p.from + 1, LAST_PORT],
    ],
    lt: [[0, p.from - 1]],
    gt: [[p.from + 1, LAST_PORT]],
    range: [[p.from, p.to]],
  }[p.op] as [number, number][];
  return all.filter(([from, to]) => from <= to);
}
