/** The public TextFSM templates for cisco_ios, run by the parser they are written for. scripts/setup installs both. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './lab.js';

/** Where a Debian without a package of the templates has them (scripts/setup). */
const UNPACKED = join(ROOT, 'node_modules/.cache/fw3640/ntc-templates/usr/lib/python3/dist-packages');
/** Debian's interpreter, which sees Debian's packages. */
const PYTHON = '/usr/bin/python3';

/** A field to its value; fields that repeat are lists. */
export type Row = Record<string, string | string[]>;

const python = (args: readonly string[], input: string) =>
  spawnSync(PYTHON, args, { encoding: 'utf8', input, env: { ...process.env, PYTHONPATH: UNPACKED } });

/** @returns undefined, or why nothing can be parsed here */
export function whyNoTemplates(): string | undefined {
  const { status, stderr, error } = python(['-c', 'import textfsm, ntc_templates'], '');
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1));
}

/**
 * @param outputs what each command printed
 * @returns the rows of each command, or why its template rejects the output
 */
export function parseShow<Command extends string>(outputs: Record<Command, string>): Record<Command, Row[] | string> {
  const { status, stdout, stderr } = python([join(import.meta.dirname, 'parse_show.py')], JSON.stringify(outputs));
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<Command, Row[] | string>;
}
