/** Output filters: `show … | {include|exclude|begin|section} REGEX`. */
import type { Help } from '../grammar/command.js';
import { parseSyntax } from '../grammar/syntax.js';

export const FILTER_HELP: Help = {
  begin: 'Begin with the line that matches',
  exclude: 'Exclude lines that match',
  include: 'Include lines that match',
  section: 'Filter a section of output',
  PATTERN: 'Regular Expression',
};

export const FILTER_GRAMMAR = {
  kind: 'sequence' as const,
  parts: [
    parseSyntax('FILTER:{begin | exclude | include | section} PATTERN:LINE', FILTER_HELP),
    { kind: 'end' as const, action: undefined },
  ],
};

export interface SplitLine {
  command: string;
  filter?: string;
  /** Offset of the filter in the line. */
  filterAt: number;
}

/**
 * Splits a line at its output modifier; the bar must stand free, as IOS wants it.
 * @param filterable false: the command has no output to filter, a bar is part of it
 */
export function splitFilter(line: string, filterable: boolean): SplitLine {
  const bar = filterable ? line.search(/(?<=\s)\|/) : -1;
  if (bar < 0) return { command: line, filterAt: line.length };
  return { command: line.slice(0, bar), filter: line.slice(bar + 1), filterAt: bar + 1 };
}

/**
 * An IOS regular expression as JavaScript's. `_` matches a delimiter there; the rest is common to both.
 * @returns undefined where the pattern is not one
 */
export function compilePattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text.trim().replaceAll('_', '(?:^|$|[ ,{}()_])'));
  } catch {
    return undefined;
  }
}

export function filterOutput(text: string, filter: string, pattern: RegExp): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const kept = filter === 'section' ? sections(lines, pattern) : select(lines, filter, pattern);
  return kept.length === 0 ? '' : `${kept.join('\n')}\n`;
}

function select(lines: string[], filter: string, pattern: RegExp): string[] {
  if (filter === 'begin') {
    const first = lines.findIndex((l) => pattern.test(l));
    return first < 0 ? [] : lines.slice(first);
  }
  return lines.filter((l) => pattern.test(l) === (filter === 'include'));
}

/** Lines that match, each with the lines that stand indented under it. */
function sections(lines: string[], pattern: RegExp): string[] {
  const kept: string[] = [];
  let inside = false;
  for (const l of lines) {
    if (!/^\s/.test(l)) inside = pattern.test(l);
    else if (pattern.test(l)) inside = true;
    if (inside) kept.push(l);
  }
  return kept;
}
