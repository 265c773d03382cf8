/**
 * How expressions may begin, so that a line is tried only against those commands that begin with its letter: a mode has
 * hundreds. Worked out once for each expression, when a line first comes to it.
 */
import type { Expression } from './expression.js';

interface Beginning {
  /** First letters of the words it may begin with. */
  letters: ReadonlySet<string>;
  /** It may begin with an argument, or end the line: then any letter will do. */
  open: boolean;
  /** It may be left out: then what follows it decides. */
  optional: boolean;
}

const beginnings = new WeakMap<Expression, Beginning>();
const alternatives = new WeakMap<Expression, Map<string, readonly Expression[]>>();

/** False where `e` cannot begin with a word of that first letter, and cannot be left out. */
export function mayBegin(e: Expression, letter: string): boolean {
  const { letters, open, optional } = beginningOf(e);
  return open || optional || letters.has(letter);
}

/** The alternatives of a choice that may begin with a letter, in table order. */
export function alternativesFor(
  choice: Extract<Expression, { kind: 'choice' }>,
  letter: string,
): readonly Expression[] {
  const byLetter = alternatives.get(choice) ?? new Map<string, readonly Expression[]>();
  alternatives.set(choice, byLetter);
  const fitting = byLetter.get(letter) ?? choice.of.filter((one) => mayBegin(one, letter));
  byLetter.set(letter, fitting);
  return fitting;
}

function beginningOf(e: Expression): Beginning {
  const known = beginnings.get(e) ?? workOut(e);
  beginnings.set(e, known);
  return known;
}

function workOut(e: Expression): Beginning {
  switch (e.kind) {
    case 'word':
      return { letters: new Set(e.word.slice(0, 1)), open: false, optional: false };
    case 'argument':
    case 'end':
      return { letters: new Set(), open: true, optional: false };
    case 'options':
      return { ...anyOf(e.of), optional: true };
    case 'choice':
      return anyOf(e.of);
    case 'sequence': {
      const first = e.parts.findIndex((part) => !beginningOf(part).optional);
      const optional = first < 0;
      return { ...anyOf(optional ? e.parts : e.parts.slice(0, first + 1)), optional };
    }
  }
}

function anyOf(expressions: readonly Expression[]): Beginning {
  const all = expressions.map(beginningOf);
  return {
    letters: new Set(all.flatMap((b) => [...b.letters])),
    open: all.some((b) => b.open),
    optional: all.some((b) => b.optional),
  };
}
