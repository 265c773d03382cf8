/** `show users`. */
import type { TerminalUser } from '../exec/terminal-users.js';
import { hoursMinutesSeconds } from './duration.js';

/** A 3640 counts its terminal lines with room for 128 asynchronous ones: con 0, tty 1-128, aux 129, vty 130 on. */
export const AUX_LINE = 129;
export const FIRST_VTY = 130;

/** The number of a line among all lines of the router. */
export const absoluteLine = (u: Pick<TerminalUser, 'line' | 'number'>): number =>
  u.line === 'con' ? 0 : FIRST_VTY + u.number;

/** @param self the session that asks, marked with a star */
export function showUsers(users: Iterable<TerminalUser>, self: TerminalUser, uptimeMs: number): string {
  let text = '    Line       User       Host(s)              Idle       Location\n';
  for (const u of [...users].sort((a, b) => absoluteLine(a) - absoluteLine(b))) {
    const line = `${u === self ? '*' : ' '}${String(absoluteLine(u)).padStart(3)} ${u.line} ${u.number}`;
    const idle = hoursMinutesSeconds(uptimeMs - u.lastInputMs);
    // The blank stays where there is no location: programs tell the columns apart by it.
    text += `${line.padEnd(15)}${u.name.padEnd(11)}idle                 ${idle} ${u.location}\n`;
  }
  return `${text}\n  Interface    User               Mode         Idle     Peer Address\n`;
}
