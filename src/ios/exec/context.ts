/** What an EXEC command works on: the router, and the terminal it was typed at. */
import type { LineConfig } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import type { Job } from './job.js';
import type { ConsoleRouter } from './router.js';
import type { ViewName } from '../../core/state/snapshot.js';
import type { TerminalUser } from './terminal-users.js';

export interface Exec {
  readonly router: ConsoleRouter;
  readonly terminal: Terminal;
  /** Adds to the command's output. */
  readonly print: (text: string) => void;
}

/** The user's side of a session, as commands may change it. */
export interface Terminal extends TerminalUser {
  /** What the configuration says about its line. */
  readonly settings: LineConfig;
  privilege: number;
  /** Lines of the screen; 0: no paging. */
  length: number;
  width: number;
  /** A program reads it: commands give values as JSON, and those that cannot are refused. */
  json?: boolean;
  /** `terminal monitor`; a console shows the log from the start (`logging console`). */
  monitor: boolean;
  readonly history: readonly string[];
  /** `terminal history size`: most lines of it. */
  historySize: number;
  /** @returns what is printed; asks for the password where one is set */
  enable(): string;
  configure(): void;
  close(): void;
  /** Asks for a line of input; `secret` is not echoed. */
  ask(prompt: string, secret: boolean, answer: (text: string) => string): void;
  /** Leaves a job to the terminal: it is started once what was printed before is on the screen. */
  run(job: Job): void;
}

export interface ExecCommand extends Command<Exec> {
  /** Least privilege that sees the command: 1 user EXEC, 15 privileged EXEC. */
  privilege: 1 | 15;
  /** What it reads of the data plane's state, through `router.snapshot`. */
  reads?: readonly ViewName[];
}
