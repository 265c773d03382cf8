/**
 * `reload`, now or later. A 3640 starts again, and forwards nothing meanwhile. This router starts anew in place, between
 * two packets: the startup-config is in force, all state is gone, and every terminal is hung up. Where the
 * startup-config cannot be read without an error, nothing changes.
 */
import { clockTime } from '../show/clock.js';
import type { Terminal } from './context.js';
import type { Job } from './job.js';
import type { ConsoleRouter } from './router.js';
import { type TerminalUser, usersOf } from './terminal-users.js';

/** Longest time ahead: 24 days. */
export const MOST_MINUTES = 24 * 24 * 60;
/** Minutes before a reload at which every terminal is warned. */
const WARNINGS = [60, 30, 5, 1];
const MINUTE = 60_000;

/** A reload that waits for its time. */
export interface Scheduled {
  at: Date;
  /** Who asked, as `by` names him. */
  by: string;
  reason: string;
}

const waiting = new WeakMap<ConsoleRouter, { scheduled: Scheduled; callOff: () => void }>();

export const scheduledReload = (router: ConsoleRouter): Scheduled | undefined => waiting.get(router)?.scheduled;

/** `console`, `vty2 (10.10.10.5)`, `admin on vty2 (10.10.10.5)`. */
export function by({ line, number, name, location }: TerminalUser): string {
  const where = line === 'con' ? 'console' : `vty${number} (${location})`;
  return name === '' ? where : `${name} on ${where}`;
}

/** Starts anew at once. `asking`: the terminal that waits for the end of it. @param done told whether it failed */
function reload(
  router: ConsoleRouter,
  why: Omit<Scheduled, 'at'>,
  asking: Terminal | undefined,
  done: (fault?: string) => void,
): void {
  router.actions.log(5, 'SYS-5-RELOAD', `Reload requested by ${why.by}. Reload Reason: ${why.reason}.`);
  router.actions.reload((fault) => {
    if (fault !== undefined) {
      done(fault);
      return;
    }
    cancelReload(router);
    router.actions.log(5, 'SYS-5-RESTART', 'System restarted --');
    for (const user of [...usersOf(router)]) if (user !== asking) user.hangUp();
    done();
  });
}

/** The reload of the terminal that asks: it is hung up last, when what it waited for is said. */
export function reloadJob(router: ConsoleRouter, terminal: Terminal, reason: string): Job {
  return {
    start: (print, done) =>
      reload(router, { by: by(terminal), reason }, terminal, (fault) => {
        if (fault !== undefined) print(`% ${fault}: the router goes on as it is\n`);
        else terminal.close();
        done(fault !== undefined);
        if (fault === undefined) terminal.hangUp();
      }),
    stop: () => undefined, // there is no way back
  };
}

/** Has the router reload at a time, in place of one that waits already. */
export function scheduleReload(router: ConsoleRouter, scheduled: Scheduled): void {
  waiting.get(router)?.callOff();
  const { actions, system } = router;
  const now = system.now();
  const left = scheduled.at.getTime() - now.getTime();
  const timers = WARNINGS.filter((m) => m * MINUTE < left).map((m) =>
    actions.after(left - m * MINUTE, () => {
      for (const user of usersOf(router)) user.tell(shutdownBanner(m * MINUTE));
    }),
  );
  timers.push(
    actions.after(left, () => {
      waiting.delete(router);
      reload(router, scheduled, undefined, () => undefined);
    }),
  );
  waiting.set(router, { scheduled, callOff: () => timers.forEach((callOff) => callOff()) });
  const config = router.config();
  const [when, asked] = [clockTime(config, scheduled.at), clockTime(config, now)];
  const text = `Reload requested for ${when} at ${asked} by ${scheduled.by}. Reload Reason: ${scheduled.reason}.`;
  actions.log(5, 'SYS-5-SCHEDULED_RELOAD', text);
}

/** @returns false where none waited */
export function cancelReload(router: ConsoleRouter): boolean {
  const one = waiting.get(router);
  one?.callOff();
  return waiting.delete(router);
}

/** What terminals are told. */
export function shutdownBanner(ms: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const s = Math.round(ms / 1000);
  const left = `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return `***\n*** --- SHUTDOWN in ${left} ---\n***\n`;
}

/** `Reload scheduled for 11:33:53 UTC Sat Feb 1 2003 (in 20 minutes) by console`, and why. */
export function scheduledText(router: ConsoleRouter, { at, by: who, reason }: Scheduled): string {
  const left = timeLeft(at.getTime() - router.system.now().getTime());
  return `Reload scheduled for ${clockTime(router.config(), at)} (in ${left}) by ${who}\nReload reason: ${reason}\n`;
}

/** Hours and minutes; under an hour minutes, and seconds where there are some. */
function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const units: [number, string][] =
    hours > 0
      ? [
          [hours, 'hour'],
          [minutes, 'minute'],
        ]
      : [
          [minutes, 'minute'],
          [rest, 'second'],
        ];
  const parts = units.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`);
  return parts.length === 0 ? '0 seconds' : parts.join(' and ');
}
