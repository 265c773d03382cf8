/** `fw3640 check`: what is wrong with a configuration, and which of its lines have no effect here. */
import { advice } from './advice.js';
import { formatConfigError, parseConfig } from './config/parse.js';
import type { ConfigError } from './config/parse.js';
import { unsupported } from './config/unsupported.js';
import { lint } from './lint.js';
import type { Warning } from './lint.js';

export interface CheckResult {
  /** To print; ends with a newline. */
  report: string;
  /** 0: `run` starts with it; 2: `run` refuses it. */
  exitCode: 0 | 2;
}

export interface CheckOptions {
  /** Warnings count as errors. */
  strict?: boolean;
  /** As `run --lenient`. */
  lenient?: boolean;
  /** Canonical names of the interfaces that `run` would map; undefined: all that may be. */
  mapped?: ReadonlySet<string>;
  /** What is wrong with the mapping, one sentence each. */
  mappingFaults?: readonly string[];
}

/**
 * Judges a configuration.
 * @param text the file's content; `file` its name for messages
 */
export function checkConfig(text: string, file: string, options: CheckOptions = {}): CheckResult {
  const { strict = false, lenient = false, mapped, mappingFaults = [] } = options;
  const { config, errors: faults, inert } = parseConfig(text, file, { whole: true, lenient });
  const lines = text.split(/\r?\n/);
  const at = (severity: ConfigError['severity'], { line, reason }: Warning): ConfigError => ({
    severity,
    file,
    line,
    column: 1,
    reason,
    text: lines[line - 1] ?? '',
  });
  const errors = [
    ...faults,
    ...mappingFaults.map((reason) => at('error', { line: 0, reason })),
    ...unsupported(config).map((u) => at('error', u)),
    ...lint(config, mapped).map((w) => at('warning', w)),
  ].sort((a, b) => a.line - b.line);
  const wrong = errors.filter((e) => e.severity === 'error').length;
  const warnings = errors.length - wrong;
  const parts = errors.map((e) => `${formatConfigError(e)}\n`);
  if (inert.length > 0) {
    parts.push(`${file}: ${count(inert.length, 'line')} accepted without effect:\n`);
    for (const l of inert)
      parts.push(`${String(l.line).padStart(6)}  ${' '.repeat(l.block?.split('\n').length ?? 0)}${l.text}\n`);
  }
  for (const { line, text } of advice(config)) parts.push(`${file}${line === 0 ? '' : `:${line}`}: note: ${text}\n`);
  const failed = wrong > 0 || (strict && warnings > 0);
  parts.push(`${file}: ${count(wrong, 'error')}, ${count(warnings, 'warning')}\n`);
  return { report: parts.join(''), exitCode: failed ? 2 : 0 };
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
