/**
 * The parameters of MAIL and RCPT as a rule knows them: keywords as an automaton, each with the extension it needs and
 * the form of its value.
 */
import { idsAhead, wordDfa, type WordDfa } from './dfa.js';
import { offerBit, PARAMETERS, type Parameter, type ValueForm } from './grammar.js';

export interface CompiledParameter {
  /** 1 << id. */
  bit: number;
  /** Bit of the extension that must have been offered; 0: none. */
  extension: number;
  form: ValueForm['form'];
  words: WordDfa | undefined;
  ahead: Int32Array;
  /** By word (id - 1): the extension it needs, as a bit, or 0. */
  needs: readonly number[];
}

/** The keywords of a rule. */
export interface ParameterTable {
  readonly keywords: WordDfa;
  /** By state of `keywords`. */
  readonly ahead: Int32Array;
  /** By id of `keywords` - 1. */
  readonly parameters: readonly CompiledParameter[];
  /** Ids, as bits, that MAIL and RCPT can have. */
  readonly ofMail: number;
  readonly ofRcpt: number;
}

/** Ids are bits of an int32 from 1 on. */
const MAX_KEYWORDS = 30;

/** @param allowed words of `allow`: a parameter named so passes, with any value, on MAIL and RCPT */
export function compileParameters(allowed: Iterable<string>): ParameterTable {
  const known = Object.entries<Parameter>(PARAMETERS);
  const others = [...allowed].filter((word) => !(word in PARAMETERS)).slice(0, MAX_KEYWORDS - known.length);
  const keywords = wordDfa([...known.map(([word]) => word), ...others].map((word, i) => [word, i + 1]));
  const parameters = [
    ...known.map(([, p], i) => compileKnown(p, i)),
    ...others.map((_, i) => anyValue(known.length + i)),
  ];
  const bitsOf = (command: Parameter['command']): number =>
    parameters.reduce(
      (set, p, i) => (known[i] === undefined || known[i][1].command === command ? set | p.bit : set),
      0,
    );
  return { keywords, ahead: idsAhead(keywords), parameters, ofMail: bitsOf('MAIL'), ofRcpt: bitsOf('RCPT') };
}

const anyValue = (i: number): CompiledParameter => ({
  bit: 1 << (i + 1),
  extension: 0,
  form: 'any',
  words: undefined,
  ahead: new Int32Array(),
  needs: [],
});

function compileKnown(p: Parameter, i: number): CompiledParameter {
  const { value } = p;
  const list = 'words' in value ? value.words : [];
  const words = list.length === 0 ? undefined : wordDfa(list.map((word, w) => [word, w + 1]));
  const needs = 'needs' in value ? value.needs : undefined;
  return {
    bit: 1 << (i + 1),
    extension: offerBit(p.extension),
    form: value.form,
    words,
    ahead: words === undefined ? new Int32Array() : idsAhead(words),
    needs: list.map((word) => (needs?.[word] === undefined ? 0 : offerBit(needs[word]))),
  };
}
