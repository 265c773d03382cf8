/**
 * Reads a running-config, line by line as the router's parser takes it from NVRAM: a line that its mode does not know
 * is tried in global mode. Every error is reported; none is thrown. What was in error is not in the result.
 */
import { weakensInBlock } from '../commands/inert.js';
import { configGrammar } from '../commands/index.js';
import type { Handler } from '../grammar/command.js';
import { matchLine } from '../grammar/match.js';
import type { Match, MatchResult } from '../grammar/match.js';
import { emptyConfig } from './defaults.js';
import { ConfigEditor, GLOBAL_MODE } from './editor.js';
import type { Complaint } from './editor.js';
import type { InertLine, RouterConfig } from './model.js';
import { joinLines } from './terminal-lines.js';

/** Something that is wrong with a configuration, and where. */
export interface ConfigError {
  severity: 'error' | 'warning';
  file: string;
  /** From 1. */
  line: number;
  /** From 1, where IOS puts its caret. */
  column: number;
  /** In IOS's words; printed behind `% ` unless it begins with a `%` of its own. */
  reason: string;
  /** The line itself. */
  text: string;
}

export interface ParsedConfig {
  config: RouterConfig;
  /** Errors and warnings, in file order. */
  errors: ConfigError[];
  /** What was accepted without effect. */
  inert: readonly InertLine[];
}

export const INVALID_INPUT = "Invalid input detected at '^' marker.";
export const INCOMPLETE = 'Incomplete command.';
export const ambiguous = (line: string): string => `Ambiguous command:  "${line.trim()}"`;

/** Lines that are read in about a millisecond. */
const LINES_A_STEP = 40;

/** Lines around a configuration that was copied from a terminal. */
const DECORATION =
  /^(?:\S+[>#] ?(?:en\w*|sh\w* \w.*)?|Building configuration\.\.\.|(?:Current|Startup) configuration ?: ?\d+ bytes|Using \d+ out of \d+ bytes.*)$/;

/**
 * Reads a configuration.
 * @param text the whole file; LF or CR LF
 * @param file its name, for error messages
 */
export function parseConfig(text: string, file: string): ParsedConfig {
  const steps = parseInSteps(text, file);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Reads a configuration a few lines at a time, for who has other things to do in between. */
export function* parseInSteps(text: string, file: string): Generator<undefined, ParsedConfig> {
  const editor = new ConfigEditor(emptyConfig());
  const errors: ConfigError[] = [];
  const lines = text.split(/\r?\n/);
  const complain = (line: number, complaints: readonly Complaint[]): void => {
    for (const c of complaints) errors.push({ ...c, file, line, text: lines[line - 1] ?? '' });
  };
  const blocksAreIndented = lines.some((l) => /^\s+[^\s!]/.test(l));
  let skippingBlock = false; // under a header that was not understood, nothing can be judged
  let ended = false;
  let bannerLine = 0;
  for (const [i, raw] of lines.entries()) {
    const line = i + 1;
    if (line % LINES_A_STEP === 0) yield;
    editor.line = line;
    if (editor.textReader !== undefined) {
      editor.textReader(raw);
      continue;
    }
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('!')) continue;
    const indented = /^\s/.test(raw);
    if (DECORATION.test(trimmed)) continue;
    if (ended) {
      complain(line, [{ severity: 'error', reason: "Text behind 'end'", column: 1 }]);
      break;
    }
    if (trimmed.toLowerCase() === 'end') {
      ended = true;
      editor.mode = GLOBAL_MODE;
      continue;
    }
    if (indented && skippingBlock) continue;
    if (editor.mode.name === 'inert' && trimmed !== 'exit') {
      if (indented || belongsToBlock(editor, trimmed)) {
        editor.keepInert(indented ? raw.trimEnd().slice(1) : trimmed, weakensInBlock(editor.mode.header, trimmed));
        continue;
      }
      editor.leaveMode();
    }
    const complaints = applyLine(editor, raw, blocksAreIndented && !indented);
    complain(line, complaints);
    const failed = complaints.some((c) => c.severity === 'error');
    skippingBlock = indented ? skippingBlock : failed;
    if (failed && !indented) editor.leaveMode();
    // `textReader` is set by the call above, which the compiler does not see.
    if ((editor.textReader as unknown) !== undefined) bannerLine = line;
  }
  if ((editor.textReader as unknown) !== undefined)
    complain(bannerLine, [{ severity: 'error', reason: 'Banner without its closing delimiter', column: 1 }]);
  const { config } = editor;
  config.lines = joinLines(config.lines);
  const inert = [...config.inert, ...inertOfLines(config)].sort((a, b) => a.line - b.line);
  for (const l of inert)
    if (l.weakens !== undefined) complain(l.line, [{ severity: 'warning', reason: l.weakens, column: 1 }]);
  errors.sort((a, b) => a.line - b.line);
  return { config, errors, inert };
}

/** True for a line of an inert block that has lost its indentation: words of the block, and none of global mode in full. */
function belongsToBlock({ mode }: ConfigEditor, line: string): boolean {
  const first = line.replace(/^no /, '').split(/\s/, 1)[0] ?? '';
  if (!mode.words.includes(first)) return false;
  const outside = matchLine(configGrammar('global').grammar, line);
  return outside.kind !== 'match' || outside.match.firstAbbreviated < Infinity;
}

/** Inert lines under `line …`, each once though it holds for several ranges. */
function inertOfLines(config: RouterConfig): InertLine[] {
  const byLine = new Map<number, InertLine>();
  for (const l of config.lines) for (const i of l.inert ?? []) byLine.set(i.line, i);
  return [...byLine.values()];
}

/**
 * Carries out one configuration line in the editor's mode, or in global mode where that knows it.
 * @param outside the line is known to stand outside a block, as far as global mode knows it
 * @returns complaints; with an error among them the configuration is as before
 */
export function applyLine(editor: ConfigEditor, line: string, outside = false): Complaint[] {
  editor.complaints = [];
  const found = findCommand(editor, line, outside);
  if (found.result.kind !== 'match') return [{ severity: 'error', ...fault(found.result, line) }];
  if (found.global) editor.mode = GLOBAL_MODE;
  (found.result.action as Handler<ConfigEditor>)(editor, found.result.match);
  return editor.complaints;
}

/**
 * Looks in the mode first, then in global mode; the reading that abbreviates later in the line wins (`line con 0` in an
 * interface is no `linecode`). Where neither knows the line, the one that understood more speaks: an `ip address` with a
 * bad mask is no short form of a global command.
 */
function findCommand(editor: ConfigEditor, line: string, outside: boolean): { result: MatchResult; global: boolean } {
  const own = matchLine(configGrammar(editor.mode.name).grammar, line);
  const spelledOut = own.kind === 'match' && own.match.firstAbbreviated === Infinity && !outside;
  if (editor.mode.name === 'global' || spelledOut) return { result: own, global: false };
  const outer = matchLine(configGrammar('global').grammar, line);
  if (outer.kind === 'match') {
    const wins =
      own.kind === 'match'
        ? later(outer.match, own.match, outside)
        : outer.match.firstAbbreviated >= understoodTo(own, line);
    return wins ? { result: outer, global: true } : { result: own, global: false };
  }
  return { result: progress(outer) > progress(own) ? outer : own, global: false };
}

/** `tie`: what is to be said where both abbreviate at the same place. */
const later = (a: Match, b: Match, tie: boolean): boolean =>
  a.firstAbbreviated === b.firstAbbreviated ? tie : a.firstAbbreviated > b.firstAbbreviated;

/** Offset of the word at which a reading fails; past the line where it only wants more. */
const understoodTo = (r: Exclude<MatchResult, { kind: 'match' }>, line: string): number =>
  r.kind === 'incomplete' ? line.length : line.lastIndexOf(' ', Math.min(r.column - 1, line.trimEnd().length - 1)) + 1;

const progress = (r: MatchResult): number => (r.kind === 'invalid' ? r.column : r.kind === 'match' ? Infinity : 1e9);

/** What IOS says to a line that is no command. */
export function fault(
  result: Exclude<MatchResult, { kind: 'match' }>,
  line: string,
): { reason: string; column: number } {
  switch (result.kind) {
    case 'invalid':
      return { reason: INVALID_INPUT, column: result.column };
    case 'ambiguous':
      return { reason: ambiguous(line), column: result.column };
    case 'incomplete':
      return { reason: INCOMPLETE, column: line.trimEnd().length + 1 };
  }
}

/** A reason as IOS prints it: most of its messages have a blank behind the `%`, a few have none and bring their own. */
export const percent = (reason: string): string => (reason.startsWith('%') ? reason : `% ${reason}`);

/** An error as `fw3640 check` prints it: place, the line, IOS's caret, IOS's words. */
export function formatConfigError(e: ConfigError): string {
  const word = e.severity === 'warning' ? 'warning: ' : '';
  const caret = ' '.repeat(Math.max(0, e.column - 1)) + '^';
  return `${e.file}:${e.line}:${e.column}: ${word}${percent(e.reason)}\n  ${e.text}\n  ${caret}`;
}
