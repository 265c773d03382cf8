/** The modes of a console session: each has a prompt, and takes the lines that are typed at it. */

/** What a line came to. */
export interface Reply {
  output: string;
  /** The line was refused: IOS answered with a `%`. */
  failed: boolean;
}

/** What a session is in. Modes are stacked: EXEC, on it configuration, on that a banner or the question of a command. */
export interface ConsoleMode {
  /** `commands` has a history and help; `answer` is a question of the router; `text` is taken as it is. */
  readonly kind: 'commands' | 'answer' | 'text';
  /** What stands before the cursor. */
  readonly prompt: string;
  /** True while a password is typed: not to be echoed, not to be remembered. */
  readonly secret: boolean;
  /** Lines typed in it, the latest last; absent: they are not remembered. */
  readonly history?: string[];
  /** Carries out one line. */
  execute(line: string): Reply;
  /** Answers `?` at the end of `line`. */
  help(line: string): string;
  /** Spells out the last word of `line` where only one fits (Tab). */
  complete(line: string): string;
}

/** Where modes come and go. */
export interface ModeStack {
  enter(mode: ConsoleMode): void;
  /** Does nothing where the mode is not on the stack. */
  leave(mode: ConsoleMode): void;
}

export const reply = (output: string): Reply => ({ output, failed: false });
export const refusal = (output: string): Reply => ({ output, failed: true });
/** Output that says itself whether it is a refusal. */
export const answered = (output: string): Reply => ({ output, failed: output.startsWith('%') });

/** A mode in which nothing is completed or explained. */
export abstract class PlainMode implements ConsoleMode {
  abstract readonly kind: ConsoleMode['kind'];
  abstract readonly prompt: string;
  abstract readonly secret: boolean;
  abstract execute(line: string): Reply;

  help(): string {
    return '';
  }

  complete(line: string): string {
    return line;
  }
}
