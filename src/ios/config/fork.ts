/**
 * Copies of a configuration to edit, and the question whether anything was changed. A copy has the items of long lists
 * in common with its original: commands put other items into their place and change none. So a line typed on the
 * console costs no copy of ten thousand others, and who compares two configurations sees at once what is the same.
 */
import type { RouterConfig } from './model.js';

/** A copy whose editing leaves `config` as it is. */
export function forkConfig(config: RouterConfig): RouterConfig {
  const { accessLists, nat, routes, inert, ...small } = config;
  return {
    ...structuredClone(small),
    accessLists: new Map(
      [...accessLists].map(([name, list]) => [
        name,
        { ...list, entries: [...list.entries], ...(list.remarks && { remarks: [...list.remarks] }) },
      ]),
    ),
    nat: {
      staticEntries: [...nat.staticEntries],
      pools: new Map(nat.pools),
      dynamic: [...nat.dynamic],
      timeouts: { ...nat.timeouts },
    },
    routes: [...routes],
    inert: [...inert],
  };
}

/** True where two configurations differ in nothing, or only in the lines of a file on which things stand. */
export function sameConfig(a: RouterConfig, b: RouterConfig): boolean {
  return sameParts(a, b, Object.keys(a) as (keyof RouterConfig)[]);
}

/** True where two configurations have the same in each of some parts. */
export const sameParts = (a: RouterConfig, b: RouterConfig, parts: readonly (keyof RouterConfig)[]): boolean =>
  parts.every((key) => same(a[key], b[key]));

/** Below the configuration itself: where in a file. */
const POSITIONS: readonly string[] = ['line', 'lines', 'quietModeLine', 'accessClassLine'];

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Map) return b instanceof Map && same([...(a as Map<unknown, unknown>)], [...b]);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => POSITIONS.includes(key) || same(a[key as never], b[key as never]));
}
