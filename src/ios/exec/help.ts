/** `?` and Tab: what may stand at the cursor, in IOS's layout. */
import type { HelpTexts } from '../grammar/command.js';
import type { Expression } from '../grammar/expression.js';
import { shownAlias } from '../config/aliases.js';
import type { Alias } from '../config/model.js';
import { INVALID_INPUT } from '../config/parse.js';
import { candidatesAt } from '../grammar/match.js';
import type { Candidate, MatchResult } from '../grammar/match.js';

/** Grammars that hold at once (a configuration mode and global mode behind it); the first that knows the line speaks. */
export interface Vocabulary {
  grammar: Expression;
  help: Pick<HelpTexts, 'find'>;
}

type Fault = Exclude<MatchResult, { kind: 'match' | 'incomplete' }>;

interface Found {
  candidates: Candidate[];
  partial: string;
  help: Vocabulary['help'];
}

/** What may follow a line: a keyword, a description of an argument, or the end of the command. */
export interface Offer {
  kind: Candidate['kind'];
  text: string;
  help: string;
}

function offerAt(vocabularies: readonly Vocabulary[], line: string): Found | Fault {
  let fault: Fault = { kind: 'invalid', column: 1 };
  for (const { grammar, help } of vocabularies) {
    const found = candidatesAt(grammar, line);
    if ('candidates' in found) {
      if (found.candidates.length > 0) return { ...found, help };
    } else if (found.column >= fault.column) fault = found;
  }
  return fault;
}

/** Arguments first, then keywords by the alphabet, `<cr>` last. */
function sorted(candidates: readonly Candidate[]): Candidate[] {
  const rank = { argument: 0, word: 1, end: 2 } as const;
  return [...candidates].sort(
    (a, b) => rank[a.kind] - rank[b.kind] || (a.kind === 'word' ? compare(a.text, b.text) : 0),
  );
}

const compare = (a: string, b: string): number => {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
};

/**
 * What may follow `line` or complete its last word, in the order of `?`.
 * @returns nothing where no command begins like this
 */
export function offersFor(vocabularies: readonly Vocabulary[], line: string): Offer[] {
  const found = offerAt(vocabularies, line);
  return 'candidates' in found ? sorted(found.candidates).map((c) => toOffer(c, found.help)) : [];
}

const toOffer = (c: Candidate, help: Vocabulary['help']): Offer => ({
  kind: c.kind,
  text: c.text,
  help: c.kind === 'end' ? '' : (c.help ?? help.find(c.path) ?? ''),
});

/** What `?` tells beside the words of the grammar. */
export interface HelpExtras {
  /** The command's output can be filtered. */
  pipes?: boolean;
  /** Stands over a list of everything that may be typed: `Exec commands:`. */
  heading?: string | undefined;
  /** Names that may stand for the first word. */
  aliases?: readonly Alias[];
}

/**
 * The answer to `?` typed at the end of `line`: words that complete its last piece on one line, aliases first, or all
 * that may follow, one a line with its help text.
 */
export function helpText(
  vocabularies: readonly Vocabulary[],
  line: string,
  { pipes = false, heading, aliases = [] }: HelpExtras = {},
): string {
  const named = /^\S+$/.test(line) ? aliases.filter((a) => a.name.startsWith(line.toLowerCase())) : [];
  const offer = offerAt(vocabularies, line);
  if (named.length > 0) {
    const words = 'candidates' in offer ? sorted(offer.candidates).map((c) => c.text) : [];
    return `${[...named.map(shownAlias), ...words].join('  ')}\n`;
  }
  if (!('candidates' in offer)) {
    return offer.kind === 'ambiguous' ? `% Ambiguous command:  "${line.trim()}"\n` : '% Unrecognized command\n';
  }
  const candidates = sorted(offer.candidates);
  if (offer.partial !== '') return `${candidates.map((c) => c.text).join('  ')}\n`;
  const rows = candidates.map((c) => [c.text, toOffer(c, offer.help).help] as const);
  if (pipes && candidates.some((c) => c.kind === 'end')) rows.splice(-1, 0, ['|', 'Output modifiers']);
  const width = Math.max(...rows.map(([word]) => word.length));
  const head = heading !== undefined && line.trim() === '' ? `${heading}\n` : '';
  return `${head}${rows.map(([word, text]) => `  ${word.padEnd(width)}  ${text}`.trimEnd()).join('\n')}\n\n`;
}

/**
 * What Tab makes of `line`: the line with its last word spelled out, where only one fits; else the line as it is.
 */
export function completeLine(vocabularies: readonly Vocabulary[], line: string): string {
  const offer = offerAt(vocabularies, line);
  if (!('candidates' in offer) || offer.partial === '') return line;
  const words = offer.candidates.filter((c) => c.kind === 'word');
  return words.length === 1 ? `${line.slice(0, line.length - offer.partial.length)}${words[0]!.text} ` : line;
}

/** The caret under a column of the screen, from 1, and what it means. */
export const caret = (column: number): string => `${' '.repeat(column - 1)}^\n% ${INVALID_INPUT}\n\n`;
