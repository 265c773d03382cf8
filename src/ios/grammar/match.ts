/**
 * Matches a command line against expressions, as the IOS parser does: any unique abbreviation of a keyword will do,
 * an exact keyword beats a longer one, a keyword beats an argument, and the first wrong character is known.
 *
 * All ways through the grammar are followed at once, one token at a time; there is no backtracking to explain.
 */
import type { Expression, Token } from './expression.js';
import { alternativesFor, mayBegin } from './beginnings.js';

/** What was read so far, last first. */
interface Taken {
  capture: string | undefined;
  value: unknown;
  /** Keyword in full, argument as typed. */
  text: string;
  /** Keyword in full, or the argument's name: a step of the path under which help texts are found. */
  key: string;
  isWord: boolean;
  /** A keyword typed in part only. */
  abbreviated: boolean;
  at: number;
  before: Taken | undefined;
}

/** Expressions still to come. */
interface Rest {
  head: Expression;
  tail: Rest | undefined;
  /** Which of the options of `head` were taken, one bit each. */
  used: number;
}

interface Thread {
  rest: Rest | undefined;
  taken: Taken | undefined;
}

interface Edge {
  leaf: Extract<Expression, { kind: 'word' | 'argument' | 'end' }>;
  rest: Rest | undefined;
  taken: Taken | undefined;
}

/** A line that was understood: what stood where. */
export class Match {
  readonly #values = new Map<string, unknown>();
  readonly #columns = new Map<string, number>();
  readonly #words = new Set<string>();
  /** The line with every keyword spelled out and single blanks. */
  readonly text: string;
  /** Offset in the line of the first keyword that was abbreviated; Infinity where none was. */
  readonly firstAbbreviated: number;
  /** How many words of the line are keywords; the others are arguments. */
  readonly keywords: number;

  constructor(taken: Taken | undefined) {
    const texts: string[] = [];
    let first = Infinity;
    let keywords = 0;
    for (let t = taken; t !== undefined; t = t.before) {
      texts.push(t.text);
      if (t.abbreviated) first = t.at;
      if (t.isWord) keywords++;
      if (t.capture === undefined) this.#words.add(t.text);
      else if (!this.#values.has(t.capture)) {
        this.#values.set(t.capture, t.value);
        this.#columns.set(t.capture, t.at + 1);
      }
    }
    this.text = texts.reverse().join(' ');
    this.firstAbbreviated = first;
    this.keywords = keywords;
  }

  /** True if the argument is present, or the keyword where `name` is one. */
  has(name: string): boolean {
    return this.#values.has(name) || this.#words.has(name);
  }

  /** The name of the access list that is given as NUMBER or as LIST. */
  list(): string {
    return this.has('NUMBER') ? String(this.number('NUMBER')) : this.word('LIST');
  }

  /** The argument's number; throws if the command's syntax does not demand it: ask `has` first. */
  number(name: string): number {
    const value = this.#values.get(name);
    if (typeof value !== 'number') throw new Error(`no number ${name} in: ${this.text}`);
    return value;
  }

  word(name: string): string {
    const value = this.#values.get(name);
    if (typeof value !== 'string') throw new Error(`no text ${name} in: ${this.text}`);
    return value;
  }

  optionalNumber(name: string): number | undefined {
    return this.#values.has(name) ? this.number(name) : undefined;
  }

  optionalWord(name: string): string | undefined {
    return this.#values.has(name) ? this.word(name) : undefined;
  }

  /** Column of the argument in the line, from 1; of the line's start where it is absent. */
  column(name: string): number {
    return this.#columns.get(name) ?? 1;
  }
}

export type MatchResult =
  | { kind: 'match'; action: unknown; match: Match }
  /** `column` from 1: the first character that fits nothing. */
  | { kind: 'invalid'; column: number }
  | { kind: 'incomplete' }
  | { kind: 'ambiguous'; column: number };

/** One thing that may stand at the cursor. `word`: a keyword to complete; otherwise a description. */
export interface Candidate {
  kind: 'word' | 'argument' | 'end';
  text: string;
  /** Keywords before it and itself, blank-separated: the key of its help text. */
  path: string;
  help?: string;
}

export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  for (const piece of line.matchAll(/\S+/g)) tokens.push({ text: piece[0], at: piece.index });
  return tokens;
}

/**
 * All leaves that may come next, in table order.
 * @param letter first letter of the next piece of the line: words that begin otherwise are left out; undefined: all
 */
function expand(rest: Rest | undefined, taken: Taken | undefined, letter: string | undefined, edges: Edge[]): void {
  if (rest === undefined) return;
  const { head, tail, used } = rest;
  switch (head.kind) {
    case 'word':
      if (letter !== undefined && head.word[0] !== letter) return;
      edges.push({ leaf: head, rest: tail, taken });
      return;
    case 'argument':
    case 'end':
      edges.push({ leaf: head, rest: tail, taken });
      return;
    case 'sequence': {
      let all = tail;
      for (let i = head.parts.length - 1; i >= 0; i--) all = { head: head.parts[i]!, tail: all, used: 0 };
      expand(all, taken, letter, edges);
      return;
    }
    case 'choice': {
      const of = letter === undefined ? head.of : alternativesFor(head, letter);
      for (const one of of) expand({ head: one, tail, used: 0 }, taken, letter, edges);
      return;
    }
    case 'options':
      head.of.forEach((one, i) => {
        if ((used & (1 << i)) !== 0 || (letter !== undefined && !mayBegin(one, letter))) return;
        expand({ head: one, tail: { head, tail, used: used | (1 << i) }, used: 0 }, taken, letter, edges);
      });
      expand(tail, taken, letter, edges);
  }
}

function commonPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

interface Walk {
  /** Threads that stand behind the last token. */
  threads: Thread[];
  fault?: Exclude<MatchResult, { kind: 'match' | 'incomplete' }>;
}

function walk(root: Expression, tokens: readonly Token[], line: string): Walk {
  // An argument may take several tokens, so threads wait at the token they have reached.
  const waiting: Thread[][] = Array.from({ length: tokens.length + 1 }, () => []);
  waiting[0]!.push({ rest: { head: root, tail: undefined, used: 0 }, taken: undefined });
  let furthest = 0; // offset of the first wrong character
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (waiting[i]!.length === 0) continue;
    furthest = Math.max(furthest, token.at);

    const typed = token.text.toLowerCase();
    const edges: Edge[] = [];
    for (const { rest, taken } of waiting[i]!) expand(rest, taken, typed[0], edges);
    let words = edges.filter((e) => e.leaf.kind === 'word' && e.leaf.word === typed);
    const exact = words.length > 0;
    if (!exact) words = edges.filter((e) => e.leaf.kind === 'word' && e.leaf.word.startsWith(typed));
    const readings: { edge: Edge; value: unknown; used: number }[] = [];
    for (const edge of exact ? [] : edges) {
      if (edge.leaf.kind !== 'argument') continue;
      const read = edge.leaf.type.read(tokens, i, line);
      if (read !== undefined) readings.push({ edge, ...read });
    }
    if (new Set(words.map((e) => (e.leaf.kind === 'word' ? e.leaf.word : ''))).size > 1) {
      if (readings.length === 0) return { threads: [], fault: { kind: 'ambiguous', column: token.at + 1 } };
      words = [];
    }
    for (const { leaf, rest, taken } of words) {
      if (leaf.kind !== 'word') continue;
      const one: Taken = {
        capture: leaf.capture,
        value: leaf.value,
        text: leaf.word,
        key: leaf.word,
        isWord: true,
        abbreviated: !exact,
        at: token.at,
        before: taken,
      };
      waiting[i + 1]!.push({ rest, taken: one });
    }
    for (const { edge, value, used } of readings) {
      if (edge.leaf.kind !== 'argument') continue;
      const end = used === Infinity ? tokens.length : i + used;
      const text =
        used === Infinity
          ? line.slice(token.at).trimEnd()
          : tokens
              .slice(i, end)
              .map((t) => t.text)
              .join(' ');
      waiting[end]!.push({
        rest: edge.rest,
        taken: {
          capture: edge.leaf.capture,
          value,
          text,
          key: edge.leaf.capture,
          isWord: false,
          abbreviated: false,
          at: token.at,
          before: edge.taken,
        },
      });
    }
    if (words.length === 0 && readings.length === 0) {
      for (const { leaf } of edges)
        if (leaf.kind === 'word') furthest = Math.max(furthest, token.at + commonPrefix(leaf.word, typed));
    }
  }
  const threads = waiting[tokens.length]!;
  return threads.length > 0 ? { threads } : { threads, fault: { kind: 'invalid', column: furthest + 1 } };
}

/** Finds the command that `line` is; an empty line is `incomplete`. */
export function matchLine(root: Expression, line: string): MatchResult {
  const { threads, fault } = walk(root, tokenize(line), line);
  if (fault !== undefined) return fault;
  const edges: Edge[] = [];
  for (const { rest, taken } of threads) expand(rest, taken, undefined, edges);
  for (const { leaf, taken } of edges)
    if (leaf.kind === 'end') return { kind: 'match', action: leaf.action, match: new Match(taken) };
  return { kind: 'incomplete' };
}

/**
 * How much of a line is spelled out as a command begins: the offset behind the last word that is a keyword in full and
 * has only such keywords and arguments before it; 0 where not even the first word is one.
 */
export function spelledOutTo(root: Expression, line: string): number {
  const tokens = tokenize(line);
  let threads: (Rest | undefined)[] = [{ head: root, tail: undefined, used: 0 }];
  let end = 0;
  for (const [i, token] of tokens.entries()) {
    const typed = token.text.toLowerCase();
    const edges: Edge[] = [];
    for (const rest of threads) expand(rest, undefined, typed[0], edges);
    const words = edges.filter(({ leaf }) => leaf.kind === 'word' && leaf.word === typed);
    if (words.length > 0) end = token.at + token.text.length;
    const readings = edges.filter(
      ({ leaf }) => leaf.kind === 'argument' && leaf.type.read(tokens, i, line)?.used === 1,
    );
    threads = (words.length > 0 ? words : readings).map((e) => e.rest);
  }
  return end;
}

/**
 * What may stand at the end of `line`: the words that complete its last piece, or all that may follow where it ends
 * with a blank.
 * @returns candidates in table order, each once; or the fault of what stands before
 */
export function candidatesAt(
  root: Expression,
  line: string,
): { candidates: Candidate[]; partial: string } | Exclude<MatchResult, { kind: 'match' | 'incomplete' }> {
  const tokens = tokenize(line);
  const partial = line === '' || /\s$/.test(line) ? '' : tokens.pop()!.text;
  const { threads, fault } = walk(root, tokens, line.slice(0, line.length - partial.length));
  if (fault !== undefined) return fault;
  const edges: Edge[] = [];
  for (const { rest, taken } of threads) expand(rest, taken, undefined, edges);
  const found = new Map<string, Candidate>();
  for (const { leaf, taken } of edges) {
    const path = keywords(taken);
    for (const c of describe(leaf, path)) if (!found.has(c.text)) found.set(c.text, c);
  }
  const typed = partial.toLowerCase();
  const candidates = [...found.values()].filter(
    (c) => partial === '' || (c.kind === 'word' && c.text.toLowerCase().startsWith(typed)),
  );
  return { candidates, partial };
}

function describe(leaf: Edge['leaf'], path: string): Candidate[] {
  if (leaf.kind === 'word') {
    const one: Candidate = { kind: 'word', text: leaf.word, path: `${path} ${leaf.word}`.trim() };
    return [leaf.help === undefined ? one : { ...one, help: leaf.help }];
  }
  if (leaf.kind === 'end') return [{ kind: 'end', text: '<cr>', path }];
  const { type } = leaf;
  if (type.offers !== undefined) return type.offers.map((o) => ({ kind: 'word', text: o.text, path, help: o.help }));
  return [{ kind: 'argument', text: type.display, path, help: leaf.help ?? type.help }];
}

function keywords(taken: Taken | undefined): string {
  const words: string[] = [];
  for (let t = taken; t !== undefined; t = t.before) words.push(t.key);
  return words.reverse().join(' ');
}
