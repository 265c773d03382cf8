/**
 * What a configuration command works on: the configuration, the mode that the parser is in, and a place to complain.
 * Commands of `ios/commands/` get one of these; the file parser and `configure terminal` own it.
 */
import { interfaceDefaults } from './defaults.js';
import { indexed } from './indexed-list.js';
import { cutLines } from './terminal-lines.js';
import type { AccessList, InertLine, InterfaceConfig, LineConfig, RouterConfig } from './model.js';

export type ModeName = 'global' | 'interface' | 'std-nacl' | 'ext-nacl' | 'line' | 'inert';

/** Where the parser stands. */
export interface Mode {
  name: ModeName;
  /** Canonical text of the line that led here: key of inert lines in it. */
  header: string;
  /** Between the parentheses of the prompt, after `config`: `-if`, `-line`. */
  prompt: string;
  /** Interface, list, or kind of line that is being configured. */
  target: string;
  /** Line mode: the range. */
  first: number;
  last: number;
  /** Inert block: the first words of its lines. */
  words: readonly string[];
  /** Inert block: the mode it was entered from, and how deep its header is indented in a file. */
  outer: Mode | undefined;
  depth: number;
}

export const GLOBAL_MODE: Mode = {
  name: 'global',
  header: '',
  prompt: '',
  target: '',
  first: 0,
  last: 0,
  words: [],
  outer: undefined,
  depth: 0,
};

export interface Complaint {
  severity: 'error' | 'warning';
  /** In IOS's words; printed behind `% ` unless it begins with a `%` of its own. */
  reason: string;
  /** From 1; the line's first character where nothing more exact is known. */
  column: number;
  /** No command begins like this line, as far as the column. */
  unknown?: boolean;
}

/** Key of a block inside of another one. */
export const blockPath = (outer: string, header: string): string => `${outer}\n${header}`;

const positive = (text: string): string => (text.startsWith('no ') ? text.slice(3) : text);
/** A line and its `no` form have this key in common. */
const textKey = (l: InertLine): string => `${l.block ?? ''}\n${positive(l.text)}`;
const wordKey = (block: string | undefined, text: string): string => `${block ?? ''}\n\n${text.split(' ', 1)[0] ?? ''}`;
const inertLines = indexed((l: InertLine) => [textKey(l), wordKey(l.block, l.text)]);

export class ConfigEditor {
  mode: Mode = GLOBAL_MODE;
  /** Line of the file that is being read; 0 on the console. */
  line = 0;
  /** How many blanks the line of the file begins with; 0 on the console. */
  depth = 0;
  complaints: Complaint[] = [];
  /** What IOS prints on the console about a command that it did carry out. */
  notes: string[] = [];
  /** Set while a banner is read: takes each further line until it returns true. */
  textReader: ((line: string) => boolean) | undefined;

  constructor(readonly config: RouterConfig) {}

  /** Reports that the command is not carried out. The caller changes nothing. */
  refuse(reason: string, column = 1): void {
    this.complaints.push({ severity: 'error', reason, column });
  }

  warn(reason: string, column = 1): void {
    this.complaints.push({ severity: 'warning', reason, column });
  }

  say(note: string): void {
    this.notes.push(note);
  }

  /** Back to the mode from which this one was entered. */
  leaveMode(): void {
    this.mode = this.mode.outer ?? GLOBAL_MODE;
  }

  enterInterface(name: string): void {
    if (!this.config.interfaces.some((i) => i.name === name))
      this.config.interfaces.push({ ...interfaceDefaults(name), ...(this.line > 0 ? { line: this.line } : {}) });
    const prompt = name.includes('.') ? '-subif' : '-if';
    this.mode = { ...GLOBAL_MODE, name: 'interface', header: `interface ${name}`, prompt, target: name };
  }

  /** Enters a named list, which is made if there is none. */
  enterAccessList(name: string, kind: AccessList['kind']): void {
    if (!this.config.accessLists.has(name)) this.config.accessLists.set(name, { name, kind, entries: [], remarks: [] });
    const mode = kind === 'standard' ? 'std-nacl' : 'ext-nacl';
    const header = `ip access-list ${kind} ${name}`;
    this.mode = { ...GLOBAL_MODE, name: mode, header, prompt: `-${mode}`, target: name };
  }

  /** Enters terminal lines `first`..`last`; a range that covers only part of a known one is set apart. */
  enterLines(kind: LineConfig['kind'], first: number, last: number): void {
    this.config.lines = cutLines(this.config.lines, kind, first, last);
    const header = `line ${kind} ${first}${first === last ? '' : ` ${last}`}`;
    this.mode = { ...GLOBAL_MODE, name: 'line', header, prompt: '-line', target: kind, first, last };
  }

  /** Enters a block that is kept without effect; `words` begin the lines that stand in it. */
  enterInert(header: string, prompt: string, words: readonly string[]): void {
    const outer = this.mode.name === 'global' ? undefined : this.mode;
    const path = outer === undefined ? header : blockPath(outer.header, header);
    this.mode = { ...GLOBAL_MODE, name: 'inert', header: path, prompt, words, outer, depth: this.depth };
  }

  /** The interface that `interface` named; only in interface mode. */
  get interface(): InterfaceConfig {
    return this.config.interfaces.find((i) => i.name === this.mode.target)!;
  }

  /** The list that `ip access-list` named; only in its modes. */
  get accessList(): AccessList {
    return this.config.accessLists.get(this.mode.target)!;
  }

  /** The lines that `line` named; only in line mode. */
  get lines(): readonly LineConfig[] {
    const { target, first, last } = this.mode;
    return this.config.lines.filter((l) => l.kind === target && first <= l.first && l.last <= last);
  }

  /** Keeps a line that has no effect here. A line and its `no` form replace each other. */
  keepInert(text: string, weakens?: string): void {
    const block = this.mode.name === 'global' || this.mode.name === 'line' ? undefined : this.mode.header;
    const line: InertLine = {
      text,
      line: this.line,
      ...(block === undefined ? {} : { block }),
      ...(weakens === undefined ? {} : { weakens }),
    };
    this.#eachInert((lines) => {
      const kept = inertLines(lines);
      const replaced = kept.find(line, () => true, [textKey(line)]);
      if (replaced !== undefined) kept.remove(replaced);
      kept.insert(line);
      return lines;
    });
  }

  /**
   * Removes an inert line, or remembers its `no` form where there was none to remove.
   * @param negated the line as typed, `no` or `default` included
   */
  dropInert(negated: string): void {
    const text = negated.replace(/^(?:no|default) /, '');
    const block = this.mode.name === 'global' || this.mode.name === 'line' ? undefined : this.mode.header;
    const stays = (l: InertLine): boolean =>
      l.block !== block || !(l.text === text || (l.text.startsWith(text) && l.text[text.length] === ' '));
    const holders = this.mode.name === 'line' ? this.lines.map((l) => l.inert ?? []) : [this.config.inert];
    const goes = (lines: InertLine[]): boolean =>
      inertLines(lines).find({ text, line: 0 }, (l) => !stays(l), [wordKey(block, text)]) !== undefined;
    if (holders.some(goes)) this.#eachInert((lines) => lines.filter(stays));
    else this.keepInert(`no ${text}`);
  }

  /** Changes the inert lines of the mode: those of the terminal lines, or those of the configuration. */
  #eachInert(change: (lines: InertLine[]) => InertLine[]): void {
    if (this.mode.name !== 'line') this.config.inert = change(this.config.inert);
    else for (const l of this.lines) l.inert = change([...(l.inert ?? [])]); // ranges that were cut share theirs
  }

  /** Removes the inert lines of a block, when the block goes. `negated` may begin with `no`. */
  dropBlock(negated: string): void {
    const header = negated.replace(/^(?:no|default) /, '');
    const own = this.mode.name === 'global' ? undefined : this.mode.header;
    const path = own === undefined ? header : blockPath(own, header);
    this.config.inert = this.config.inert.filter(
      (l) =>
        l.block !== path && l.block?.startsWith(blockPath(path, '')) !== true && (l.text !== header || l.block !== own),
    );
  }
}
