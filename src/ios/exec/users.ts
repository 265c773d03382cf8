/** Who is at which terminal of a router: for `show users`, and to hand out terminal lines. */
import type { ConsoleRouter } from './router.js';

/** One session as `show users` lists it. */
export interface User {
  /** `con` 0 or a `vty`. */
  readonly line: 'con' | 'vty';
  readonly number: number;
  /** Name given at login; empty where only a password was asked. */
  readonly name: string;
  /** Address it comes from; empty on the console. */
  readonly location: string;
  /** Uptime of the router at the last line typed, ms. */
  readonly lastInputMs: number;
}

const users = new WeakMap<ConsoleRouter, Set<User>>();

/** The open sessions of a router. Sessions enter and leave by themselves. */
export function usersOf(router: ConsoleRouter): Set<User> {
  let set = users.get(router);
  if (set === undefined) users.set(router, (set = new Set()));
  return set;
}
