/**
 * What a command is: its syntax, help texts and handlers, all in one entry of a table. `buildGrammar` turns a mode's
 * entries into the one expression that parses, abbreviates, completes and explains them.
 */
import type { Expression } from './expression.js';
import type { Match } from './match.js';
import { parseSyntax } from './syntax.js';

/** Help texts by keyword, by the keywords before it too where it means several things (`logging buffered`), or by argument name. */
export type Help = Readonly<Record<string, string>>;

export interface Command<Context> {
  /** In the notation of syntax.ts. */
  syntax: string;
  help?: Help;
  /** Absent: only the `no` form is a command. */
  set?: Handler<Context>;
  /** The `no` form; a command without one cannot be negated. */
  unset?: Handler<Context>;
  /** Syntax behind `no` and `default` where it is shorter than the command's. */
  unsetSyntax?: string;
  /** The `default` form where it is not the `no` form. */
  reset?: Handler<Context>;
}

/** What `MatchResult.action` is for grammars built here. */
export type Handler<Context> = (context: Context, match: Match) => void;

const inert = new WeakSet<object>();

/** Marks the handler of a command that is only kept: it loses against any command that acts. */
export function withoutEffect<Context>(handler: Handler<Context>): Handler<Context> {
  inert.add(handler);
  return handler;
}

/** @param action of a match */
export const hasEffect = (action: unknown): boolean => !inert.has(action as object);

export function buildGrammar<Context>(commands: readonly Command<Context>[]): Expression {
  const form = (syntax: string, help: Help | undefined, action: Handler<Context>): Expression => ({
    kind: 'sequence',
    parts: [parseSyntax(syntax, help), { kind: 'end', action }],
  });
  const sets: Expression[] = [];
  const nos: Expression[] = [];
  const defaults: Expression[] = [];
  for (const c of commands) {
    if (c.set !== undefined) sets.push(form(c.syntax, c.help, c.set));
    const negated = c.unsetSyntax ?? c.syntax;
    const reset = c.reset ?? c.unset;
    if (c.unset !== undefined) nos.push(form(negated, c.help, c.unset));
    if (reset !== undefined) defaults.push(form(negated, c.help, reset));
  }
  const prefixed = (word: string, of: Expression[]): Expression[] =>
    of.length === 0
      ? []
      : [
          {
            kind: 'sequence',
            parts: [
              { kind: 'word', word },
              { kind: 'choice', of },
            ],
          },
        ];
  return factor([...sets, ...prefixed('no', nos), ...prefixed('default', defaults)]);
}

/**
 * A choice in which alternatives that begin with the same keyword share it: a hundred commands begin with `ip`, and a
 * line is held against that word once. Order counts where several fit a line, so nothing is moved past an alternative
 * that begins with anything but a keyword.
 */
function factor(alternatives: readonly Expression[]): Expression {
  const groups: { all: Expression[]; rests: Expression[][] }[] = [];
  let open = new Map<string, (typeof groups)[number]>();
  for (const one of alternatives) {
    const [head, ...rest] = flatten(one);
    const word = head?.kind === 'word' && head.capture === undefined ? head.word : undefined;
    if (word === undefined) open = new Map();
    let group = word === undefined ? undefined : open.get(word);
    if (group === undefined) {
      group = { all: [], rests: [] };
      groups.push(group);
      if (word !== undefined) open.set(word, group);
    }
    group.all.push(one);
    group.rests.push(rest);
  }
  const of = groups.map(({ all, rests }): Expression => {
    if (all.length === 1) return all[0]!;
    const tails = rests.map((parts): Expression => ({ kind: 'sequence', parts }));
    return { kind: 'sequence', parts: [flatten(all[0]!)[0]!, factor(tails)] };
  });
  return of.length === 1 ? of[0]! : { kind: 'choice', of };
}

const flatten = (e: Expression): readonly Expression[] => (e.kind === 'sequence' ? e.parts.flatMap(flatten) : [e]);

/** Finds help texts by the longest path that is known. */
export class HelpTexts {
  readonly #texts = new Map<string, string>();

  /** @param fallback for words that no text explains */
  constructor(
    helps: readonly (Help | undefined)[],
    private readonly fallback?: string,
  ) {
    // The first text for a word wins, so that the entry that introduces a keyword explains it.
    for (const help of helps)
      for (const [path, text] of Object.entries(help ?? {})) if (!this.#texts.has(path)) this.#texts.set(path, text);
  }

  /** @param path keywords and argument names, the word in question last */
  find(path: string): string | undefined {
    for (let rest = path; ; rest = rest.slice(rest.indexOf(' ') + 1)) {
      const text = this.#texts.get(rest);
      if (text !== undefined) return text;
      if (!rest.includes(' ')) return this.fallback;
    }
  }
}
