/** `fw3640 check`: what is wrong with a configuration, and which of its lines have no effect here. */
import { formatConfigError, parseConfig } from './config/parse.js';
import type { ConfigError } from './config/parse.js';
import { lint } from './lint.js';

export interface CheckResult {
  /** To print; ends with a newline. */
  report: string;
  /** 0: can be run; 2: cannot. */
  exitCode: 0 | 2;
}

/**
 * Judges a configuration.
 * @param text the file's content; `file` its name for messages
 * @param strict warnings count as errors
 */
export function checkConfig(text: string, file: string, strict = false): CheckResult {
  const { config, errors: faults, inert } = parseConfig(text, file);
  const lines = text.split(/\r?\n/);
  const warned = lint(config).map((w): ConfigError => ({
    severity: 'warning',
    file,
    line: w.line,
    column: 1,
    reason: w.reason,
    text: lines[w.line - 1] ?? '',
  }));
  const errors = [...faults, ...warned].sort((a, b) => a.line - b.line);
  const wrong = errors.filter((e) => e.severity === 'error').length;
  const warnings = errors.length - wrong;
  const parts = errors.map((e) => `${formatConfigError(e)}\n`);
  if (inert.length > 0) {
    parts.push(`${file}: ${count(inert.length, 'line')} accepted without effect:\n`);
    for (const l of inert) parts.push(`${String(l.line).padStart(6)}  ${' '.repeat(l.block?.split('\n').length ?? 0)}${l.text}\n`);
  }
  const failed = wrong > 0 || (strict && warnings > 0);
  parts.push(`${file}: ${count(wrong, 'error')}, ${count(warnings, 'warning')}\n`);
  return { report: parts.join(''), exitCode: failed ? 2 : 0 };
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
