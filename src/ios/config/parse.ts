/**
 * Reads a running-config, line by line as the router's parser takes it from NVRAM: a line that its mode does not know
 * is tried in global mode. Every error is reported; none is thrown. What was in error is not in the result.
 */
import { nestedBlock, weakensInBlock } from '../commands/inert/index.js';
import { configGrammar } from '../commands/index.js';
import { hasEffect } from '../grammar/command.js';
import type { Handler } from '../grammar/command.js';
import { matchLine, spelledOutTo } from '../grammar/match.js';
import type { MatchResult } from '../grammar/match.js';
import { isHousekeeping } from './housekeeping.js';
import { emptyConfig } from './defaults.js';
import { forkConfig } from './fork.js';
import { ConfigEditor, GLOBAL_MODE } from './editor.js';
import type { Complaint, Mode } from './editor.js';
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

const CUT = "The file ends before its 'end': it may have been cut. Where it is whole, add a line with end";

/** Lines that are read in about a millisecond. */
const LINES_A_STEP = 40;

/** Lines around a configuration that was copied from a terminal. */
const DECORATION =
  /^(?:\S+[>#] ?(?:en\w*|sh\w* \w.*)?|Building configuration\.\.\.|(?:Current|Startup) configuration ?: ?\d+ bytes|Using \d+ out of \d+ bytes.*)$/;

export interface ReadOptions {
  /** The text is a file, not some lines: one that does not come to its `end` was cut, and is refused. */
  whole?: boolean;
  /** A line that nobody knows and that cannot be about filtering is kept without effect, with a warning. */
  lenient?: boolean;
  /** The lines are typed into this configuration, which stays as it is; absent: they are all there is. */
  base?: RouterConfig;
}

/**
 * Reads a configuration.
 * @param text the whole file; LF or CR LF
 * @param file its name, for error messages
 */
export function parseConfig(text: string, file: string, options: ReadOptions = {}): ParsedConfig {
  const steps = parseInSteps(text, file, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Reads a configuration a few lines at a time, for who has other things to do in between. */
export function* parseInSteps(
  text: string,
  file: string,
  { whole = false, lenient = false, base }: ReadOptions = {},
): Generator<undefined, ParsedConfig> {
  const editor = new ConfigEditor(base === undefined ? emptyConfig() : forkConfig(base));
  const errors: ConfigError[] = [];
  const lines = text.split(/\r?\n/);
  const complain = (line: number, complaints: readonly Complaint[]): void => {
    for (const { severity, reason, column } of complaints)
      errors.push({ severity, file, line, column, reason, text: lines[line - 1] ?? '' });
  };
  const blocksAreIndented = hasIndentedBlock(lines);
  let deepest = Infinity; // what is indented more stands under a line that was not understood: it cannot be judged
  let inBlock = false; // the block in hand has indented lines
  let ended = false;
  let bannerLine = 0;
  for (const [i, raw] of lines.entries()) {
    const line = i + 1;
    if (line % LINES_A_STEP === 0) yield;
    // In a configuration of several sources a line number says nothing.
    editor.line = base === undefined ? line : 0;
    if (editor.textReader !== undefined) {
      editor.textReader(raw);
      continue;
    }
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('!')) continue;
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
    const depth = raw.search(/\S/);
    editor.depth = depth;
    if (depth > deepest) continue;
    deepest = Infinity;
    if (takeIntoBlock(editor, raw, depth)) continue;
    const header = editor.mode.header;
    const complaints = applyLine(
      editor,
      raw,
      depth > 0 || !blocksAreIndented ? 'block' : inBlock ? 'outside' : 'unclear',
    );
    inBlock = editor.mode.header === header && (inBlock || depth > 0);
    if (lenient && complaints[0]?.unknown === true && depth === 0 && isHousekeeping(blockAt(lines, i))) {
      complain(line, [{ ...complaints[0], severity: 'warning', reason: 'unknown command, kept without effect' }]);
      editor.mode = GLOBAL_MODE;
      editor.keepInert(trimmed);
      editor.enterInert(trimmed, '', []);
      continue;
    }
    complain(line, complaints);
    if (complaints.some((c) => c.severity === 'error')) {
      deepest = depth;
      // It closes the block before it: a header that is not known must not leave its lines to another one.
      if (depth === 0) editor.mode = GLOBAL_MODE;
    }
    // `textReader` is set by the call above, which the compiler does not see.
    if ((editor.textReader as unknown) !== undefined) bannerLine = line;
  }
  if ((editor.textReader as unknown) !== undefined)
    complain(bannerLine, [{ severity: 'error', reason: 'Banner without its closing delimiter', column: 1 }]);
  else if (whole && !ended) complain(lines.length, [{ severity: 'error', reason: CUT, column: 1 }]);
  const { config } = editor;
  config.lines = joinLines(config.lines);
  const inert = [...config.inert, ...inertOfLines(config)].sort((a, b) => a.line - b.line);
  for (const l of inert)
    if (l.weakens !== undefined) complain(l.line, [{ severity: 'warning', reason: l.weakens, column: 1 }]);
  errors.sort((a, b) => a.line - b.line);
  return { config, errors, inert };
}

/** Headers of the blocks that every configuration has. */
const BLOCK = /^(?:interface|line|router|ip access-list) /;

/** False for a listing that lost its indentation: then nothing tells where a block ends but its words. */
function hasIndentedBlock(lines: readonly string[]): boolean {
  let header = false;
  for (const line of lines) {
    if (header && /^\s+[^\s!]/.test(line)) return true;
    if (!/^\s*(?:!|$)/.test(line)) header = BLOCK.test(line);
  }
  return false;
}

/**
 * Keeps the line where it stands in a block without effect: indented deeper than the header, or, in a listing that lost
 * its indentation, by its first word. Leaves the block where it stands outside.
 */
function takeIntoBlock(editor: ConfigEditor, raw: string, depth: number): boolean {
  const line = raw.trim();
  while (editor.mode.name === 'inert' && line !== 'exit') {
    const { mode } = editor;
    if (depth > mode.depth || belongsToBlock(mode, line)) {
      keepInBlock(editor, depth > mode.depth ? raw.slice(mode.depth + 1).trimEnd() : line);
      return true;
    }
    editor.leaveMode();
  }
  return false;
}

/** Keeps a line of the inert block in hand, and enters the block that it opens. */
function keepInBlock(editor: ConfigEditor, text: string): void {
  const { header } = editor.mode;
  const opened = nestedBlock(header, text.replace(/^no /, ''));
  if (opened !== undefined && text.startsWith('no ')) {
    editor.dropBlock(text);
    return;
  }
  editor.keepInert(text, weakensInBlock(header, text.trimStart()));
  if (opened !== undefined) editor.enterInert(text, opened.prompt, opened.words);
}

/** True for a line of an inert block by its first word, where no command of global mode is spelled out in it. */
function belongsToBlock(mode: Mode, line: string): boolean {
  const first = line.replace(/^no /, '').split(/\s/, 1)[0] ?? '';
  if (!mode.words.includes(first)) return false;
  const outside = matchLine(configGrammar('global').grammar, line);
  return outside.kind !== 'match' || outside.match.firstAbbreviated < Infinity;
}

/** The inert block that a line belongs to by its first word: the one in hand, or one around it. */
function blockOf(mode: Mode, line: string): Mode | undefined {
  for (let at: Mode | undefined = mode; at?.name === 'inert'; at = at.outer) if (belongsToBlock(at, line)) return at;
  return undefined;
}

/** A line and what is indented under it. */
function blockAt(lines: readonly string[], at: number): readonly string[] {
  let end = at + 1;
  while (end < lines.length && /^\s/.test(lines[end]!)) end++;
  return lines.slice(at, end);
}

/** Inert lines under `line …`, each once though it holds for several ranges. */
function inertOfLines(config: RouterConfig): InertLine[] {
  const byLine = new Map<number, InertLine>();
  for (const l of config.lines) for (const i of l.inert ?? []) byLine.set(i.line, i);
  return [...byLine.values()];
}

/**
 * Where a line of a file stands. `block`: in the block in hand, for all that is known (on the console too). `outside`:
 * not indented, where the lines of the block are. `unclear`: not indented, and the block has no line yet.
 */
export type Place = 'block' | 'outside' | 'unclear';

/**
 * Carries out one configuration line in the editor's mode, or in global mode where that knows it.
 * @returns complaints; with an error among them the configuration is as before
 */
export function applyLine(editor: ConfigEditor, line: string, place: Place = 'block'): Complaint[] {
  editor.complaints = [];
  const block = blockOf(editor.mode, line.trim());
  if (block !== undefined) {
    editor.mode = block;
    keepInBlock(editor, line.trim());
    return [];
  }
  const { result, mode } = findCommand(editor, line, place);
  if (result.kind !== 'match') {
    const { reason, column } = fault(result, line);
    const { header } = editor.mode;
    const lost = place === 'outside' && editor.mode.name !== 'global' && knows(editor.mode, line);
    const unknown = result.kind === 'invalid';
    return [
      { severity: 'error', column, unknown, reason: lost ? `${reason} A line of "${header}" is indented.` : reason },
    ];
  }
  editor.mode = mode;
  (result.action as Handler<ConfigEditor>)(editor, result.match);
  return editor.complaints;
}

const knows = (mode: Mode, line: string): boolean => matchLine(configGrammar(mode.name).grammar, line).kind === 'match';

interface Found {
  result: MatchResult;
  /** The mode that knows the line; where none does, the one in hand. */
  mode: Mode;
}

/**
 * Looks where IOS looks: in the mode itself, then in those around it, global mode last. Where both know the line, or
 * each knows a part of it, see `prefer`: a line is never taken for another one.
 */
function findCommand(editor: ConfigEditor, line: string, place: Place): Found {
  const { mode } = editor;
  const inGlobal = (): Found => ({ result: matchLine(configGrammar('global').grammar, line), mode: GLOBAL_MODE });
  if (mode.name === 'global') return inGlobal();
  const own: Found = { result: matchLine(configGrammar(mode.name).grammar, line), mode };
  const isExit = /^\s*exit\s*$/i.test(line);
  if (place === 'outside') return isExit && own.result.kind === 'match' ? own : inGlobal();
  // A header with a slip of the pen must not become the first line of the block before it.
  if (place === 'unclear' && own.result.kind === 'match' && own.result.match.firstAbbreviated < Infinity)
    return inGlobal();
  let found = own;
  for (let outer = mode.outer; outer !== undefined; outer = outer.outer)
    found = prefer(found, { result: matchLine(configGrammar(outer.name).grammar, line), mode: outer }, line);
  found = prefer(found, inGlobal(), line);
  return found.result.kind === 'match' ? found : { ...found, mode };
}

/** Which of two readings of a line counts: `own` of an inner mode, `outer` of one around it. */
function prefer(own: Found, outer: Found, line: string): Found {
  const [a, b] = [own.result, outer.result];
  if (a.kind === 'match' && b.kind === 'match') {
    const acts = hasEffect(a.action);
    if (acts !== hasEffect(b.action)) return acts ? own : outer;
    // The one that abbreviates later has more of what was typed. What has no effect may be any text behind its first word.
    if (a.match.firstAbbreviated !== b.match.firstAbbreviated)
      return b.match.firstAbbreviated > a.match.firstAbbreviated ? outer : own;
    return !acts && b.match.keywords > a.match.keywords ? outer : own;
  }
  // `line vty 0 x` in an interface is a line command with something wrong, and no short form of `linecode`.
  if (a.kind === 'match')
    return a.match.firstAbbreviated < spelledOutTo(configGrammar(outer.mode.name).grammar, line) ? outer : own;
  // `ip address` with a bad mask is no short form of `ip address-pool`, nor `ip addr`, as the pool has no effect.
  if (b.kind === 'match') {
    const mine = hasEffect(b.action) ? spelledOutTo(configGrammar(own.mode.name).grammar, line) : understoodTo(a, line);
    return b.match.firstAbbreviated >= mine ? outer : own;
  }
  return progress(b) > progress(a) ? outer : own;
}

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
  if (e.line === 0) return `${e.file}: ${word}${percent(e.reason)}`; // of the whole
  const caret = ' '.repeat(Math.max(0, e.column - 1)) + '^';
  return `${e.file}:${e.line}:${e.column}: ${word}${percent(e.reason)}\n  ${e.text}\n  ${caret}`;
}
