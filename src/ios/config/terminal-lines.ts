/** Ranges of terminal lines (`line vty 0 4`): cut where a command names only part of one, joined where they are alike. */
import { lineDefaults } from './defaults.js';
import type { LineConfig } from './model.js';

const ORDER: readonly LineConfig['kind'][] = ['con', 'aux', 'vty'];

/** @returns `lines` with every line of `kind` in `first`..`last` present and in a range that does not cross the ends. */
export function cutLines(
  lines: readonly LineConfig[],
  kind: LineConfig['kind'],
  first: number,
  last: number,
): LineConfig[] {
  const result: LineConfig[] = [];
  for (const l of lines) {
    if (l.kind !== kind || l.last < first || l.first > last) {
      result.push(l);
      continue;
    }
    if (l.first < first) result.push({ ...l, last: first - 1 });
    result.push({ ...l, first: Math.max(l.first, first), last: Math.min(l.last, last) });
    if (l.last > last) result.push({ ...l, first: last + 1 });
  }
  for (let n = first; n <= last; n++)
    if (!result.some((l) => l.kind === kind && l.first <= n && n <= l.last)) result.push(lineDefaults(kind, n, n));
  return sortLines(result);
}

/** @returns `lines` in IOS's order, neighbours with equal settings as one range. */
export function joinLines(lines: readonly LineConfig[]): LineConfig[] {
  const result: LineConfig[] = [];
  for (const l of sortLines(lines)) {
    const before = result.at(-1);
    if (before?.kind === l.kind && before.last === l.first - 1 && sameSettings(before, l))
      result[result.length - 1] = { ...before, last: l.last };
    else result.push(l);
  }
  return result;
}

const sortLines = (lines: readonly LineConfig[]): LineConfig[] =>
  [...lines].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.first - b.first);

/** What is no setting: which lines they are, where in a file; the lines without effect count by their text. */
const NO_SETTINGS: readonly string[] = ['kind', 'first', 'last', 'lines', 'inert'] satisfies (keyof LineConfig)[];

function sameSettings(a: LineConfig, b: LineConfig): boolean {
  const settings = (l: LineConfig): string => {
    const set = Object.entries(l).filter(([key]) => !NO_SETTINGS.includes(key));
    return JSON.stringify([set.sort(([x], [y]) => (x < y ? -1 : 1)), (l.inert ?? []).map((i) => i.text)]);
  };
  return settings(a) === settings(b);
}
