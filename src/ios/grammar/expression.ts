/**
 * What a command line may look like, as data: words, arguments, and ways to put them together. Commands are written
 * in the notation of Cisco's command reference (see syntax.ts) and become these.
 */

/** One blank-separated piece of a command line. */
export interface Token {
  text: string;
  /** Offset in the line, from 0. */
  at: number;
}

/** How a kind of argument is shown by `?` and read from a line. */
export interface ArgumentType {
  /** `WORD`, `A.B.C.D`, `<1-99>`. */
  display: string;
  help: string;
  /**
   * Reads the argument that begins at tokens[i].
   * @returns value and the number of tokens it takes, or undefined where the text is no such argument
   */
  read(tokens: readonly Token[], i: number, line: string): { value: unknown; used: number } | undefined;
  /** What `?` and Tab offer in place of `display`, e.g. interface types. */
  offers?: readonly { text: string; help: string }[];
}

export type Expression =
  | { kind: 'word'; word: string; capture?: string; value?: unknown; help?: string }
  | { kind: 'argument'; capture: string; type: ArgumentType; help?: string }
  | { kind: 'sequence'; parts: readonly Expression[] }
  | { kind: 'choice'; of: readonly Expression[] }
  /** Each at most once, in any order, as IOS takes the optional tail of a command. */
  | { kind: 'options'; of: readonly Expression[] }
  | { kind: 'end'; action: unknown };
