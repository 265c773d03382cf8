/** Who is at which terminal of a router: for `show users`, and to hand out terminal lines. */
import type { ConsoleRouter } from './router.js';

/** One session as `show users` lists it. */
export interface TerminalUser {
  /** `con` 0 or a `vty`. */
  readonly line: 'con' | 'vty';
  readonly number: number;
  /** Name given at login; empty where only a password was asked. */
  readonly name: string;
  /** Address it comes from; empty on the console. */
  readonly location: string;
  /** Uptime of the router when the session began, and at the last line typed, ms. */
  readonly sinceMs: number;
  readonly lastInputMs: number;
  /** Ends the session from outside: `clear line`, `reload`. */
  hangUp: () => void;
  /** Prints lines on its screen, whatever stands there. */
  tell: (text: string) => void;
}

interface Lines {
  open: Set<TerminalUser>;
  /** Sessions so far, by line. */
  uses: Map<string, number>;
}

const routers = new WeakMap<ConsoleRouter, Lines>();

function linesOf(router: ConsoleRouter): Lines {
  let lines = routers.get(router);
  if (lines === undefined) routers.set(router, (lines = { open: new Set(), uses: new Map() }));
  return lines;
}

/** What is to be ended with a session. */
const leaving = new WeakMap<TerminalUser, () => void>();

/** Has `end` called when the session does, in place of what was to be before. */
export const whenLeaving = (user: TerminalUser, end: () => void): void => void leaving.set(user, end);

/** The open sessions of a router. */
export const usersOf = (router: ConsoleRouter): ReadonlySet<TerminalUser> => linesOf(router).open;

/** How many sessions a line has had, from `con 0` on. */
export const usesOf = (router: ConsoleRouter, line: string): number => linesOf(router).uses.get(line) ?? 0;

/** A session begins, or ends. */
export function enterLine(router: ConsoleRouter, user: TerminalUser): void {
  const { open, uses } = linesOf(router);
  const line = `${user.line} ${user.number}`;
  open.add(user);
  uses.set(line, (uses.get(line) ?? 0) + 1);
}
export function leaveLine(router: ConsoleRouter, user: TerminalUser): void {
  if (linesOf(router).open.delete(user)) leaving.get(user)?.();
}
