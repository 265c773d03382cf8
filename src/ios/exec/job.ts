/** A command that takes its time and prints as it goes: `ping`, `traceroute`. */
export interface Job {
  /**
   * Begins. Both functions may be called before `start` returns.
   * @param print adds to the screen
   * @param done called once, at the end; `failed`: IOS refused the command with a `%`; `output`: what is left to be
   *   printed, a screen at a time
   */
  start(print: (text: string) => void, done: (failed: boolean, output?: string) => void): void;
  /** It goes on for as long as somebody reads: also without a terminal, what it prints is sent at once. */
  readonly streams?: boolean;
  /** The escape sequence, or the end of the session: says how far it came, and is done. */
  stop(): void;
  /** A job that has it takes every byte that is typed (`telnet`); then only Ctrl-^ x is the terminal's own. */
  key?(byte: number): void;
  /** Ctrl-^ x, of a job that takes keys: it is done for now. */
  suspend?(): void;
}
