/** The hash of all tables that are found by addresses. Used with a seed: a sender must not choose our chains. */

/** Mixes two words to one: the finaliser of MurmurHash3 over their combination. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a, 0xcc9e2d51 | 0) ^ Math.imul(b + 0x9e3779b9, 0x1b873593);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b | 0);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35 | 0);
  return h ^ (h >>> 16);
}
