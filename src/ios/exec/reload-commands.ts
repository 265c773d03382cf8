/** `reload …`, `show reload`, `write erase` and its other names. */
import type { Match } from '../grammar/match.js';
import { MONTH_NAMES } from '../number-names.js';
import { clockZoneMinutes } from '../show/clock.js';
import type { Exec, ExecCommand } from './context.js';
import { askYesNo, confirm } from './dialogue.js';
import {
  by,
  cancelReload,
  MOST_MINUTES,
  reloadJob,
  scheduledReload,
  scheduledText,
  scheduleReload,
  shutdownBanner,
} from './reload.js';
import { saveConfig } from './session-commands.js';

const DEFAULT_REASON = 'Reload Command';
const PROCEED = 'Proceed with reload? [confirm]';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const HELP = {
  reload: 'Halt and perform a cold restart',
  in: 'Reload after a time interval',
  DELAY: 'Delay before reload (mmm or hhh:mm)',
  at: 'Reload at a specific time/date',
  TIME: 'Time to reload (hh:mm)',
  DAY: 'Day of the month',
  ...Object.fromEntries(MONTH_NAMES.map((m) => [m, 'Month of the year'])),
  'reload cancel': 'Cancel pending reload',
  REASON: 'Reason for reload',
};

/** First whether to save, where there is something to; then `next`. */
function offerToSave(exec: Exec, next: () => string): string {
  if (!exec.router.isModified()) return next();
  const question = 'System configuration has been modified. Save? [yes/no]: ';
  askYesNo(exec.terminal, question, (yes) => {
    if (!yes) return next();
    const saved = saveConfig(exec);
    // A configuration that could not be saved would be lost.
    return saved.endsWith('[OK]\n') ? saved + next() : saved;
  });
  return '\n';
}

function reloadNow(exec: Exec, m: Match): void {
  const { router, terminal, print } = exec;
  const ask = (): string => {
    confirm(terminal, PROCEED, () => {
      terminal.run(reloadJob(router, terminal, m.optionalWord('REASON') ?? DEFAULT_REASON));
      return '';
    });
    return '';
  };
  print(offerToSave(exec, ask));
}

function reloadLater(exec: Exec, m: Match, at: Date): void {
  const { router, terminal, print } = exec;
  const scheduled = { at, by: by(terminal), reason: m.optionalWord('REASON') ?? DEFAULT_REASON };
  const ask = (): string => {
    confirm(terminal, PROCEED, () => {
      scheduleReload(router, scheduled);
      return `\n${shutdownBanner(at.getTime() - router.system.now().getTime())}`;
    });
    return scheduledText(router, scheduled);
  };
  print(offerToSave(exec, ask));
}

function reloadAt(exec: Exec, m: Match): void {
  const { router, print } = exec;
  const now = router.system.now().getTime();
  const at = timeMeant(m, now, clockZoneMinutes(router.config()) * MINUTE);
  if (at === undefined) print('% Not a valid date\n');
  else if (at - now > MOST_MINUTES * MINUTE) print('% The date must be within 24 days\n');
  else reloadLater(exec, m, new Date(at));
}

/**
 * The next time at which the router's clock shows what was typed. Inferred: a date that is over means the next year.
 * @param now,zone ms
 */
function timeMeant(m: Match, now: number, zone: number): number | undefined {
  const local = new Date(now + zone);
  const time = m.number('TIME') * MINUTE;
  const day = m.optionalNumber('DAY');
  if (day === undefined) {
    const today = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()) + time - zone;
    return today > now ? today : today + DAY;
  }
  const month = MONTH_NAMES.indexOf(m.word('MONTH'));
  for (const year of [local.getUTCFullYear(), local.getUTCFullYear() + 1]) {
    const date = new Date(Date.UTC(year, month, day));
    if (date.getUTCMonth() === month && date.getTime() + time - zone > now) return date.getTime() + time - zone;
  }
  return undefined;
}

function cancel({ router, terminal, print }: Exec): void {
  if (!cancelReload(router)) {
    print('% No reload is scheduled\n');
    return;
  }
  router.actions.log(5, 'SYS-5-SCHEDULED_RELOAD_CANCELLED', `Scheduled reload cancelled by ${by(terminal)}`);
  print('\n***\n*** --- SHUTDOWN ABORTED ---\n***\n');
}

/** The startup file is put aside, not destroyed: the log says where it is. */
function erase({ router, terminal }: Exec): void {
  const { actions } = router;
  const question = 'Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]';
  confirm(terminal, question, () => {
    terminal.run({
      start: (print, done) =>
        actions.eraseStartup((outcome) => {
          if ('fault' in outcome) {
            print(`% ${outcome.fault}\n`);
            done(true);
            return;
          }
          print('[OK]\nErase of nvram: complete\n');
          actions.log(7, 'SYS-7-NV_BLOCK_INIT', 'Initialized the geometry of nvram');
          if (outcome.kept !== undefined)
            actions.log(6, 'HOST-6-NOTE', `the startup configuration is kept as ${outcome.kept}`);
          done(false);
        }),
      stop: () => undefined,
    });
    return '';
  });
}

const MONTH = `MONTH:{${MONTH_NAMES.join(' | ')}}`;
const at = (date: string): ExecCommand => ({
  privilege: 15,
  syntax: `reload at TIME:TIME ${date} [REASON:REASON]`,
  help: HELP,
  set: reloadAt,
});

export const RELOAD_COMMANDS: readonly ExecCommand[] = [
  { privilege: 15, syntax: 'reload cancel', help: HELP, set: cancel },
  {
    privilege: 15,
    syntax: 'reload in DELAY:DELAY [REASON:LINE]',
    help: HELP,
    set: (exec, m) => reloadLater(exec, m, new Date(exec.router.system.now().getTime() + m.number('DELAY') * MINUTE)),
  },
  at(''),
  at(`DAY:<1-31> ${MONTH}`),
  at(`${MONTH} DAY:<1-31>`),
  { privilege: 15, syntax: 'reload [REASON:LINE]', help: HELP, set: reloadNow },
  {
    privilege: 1,
    syntax: 'show reload',
    help: { 'show reload': 'Scheduled reload information' },
    set: ({ router, print }) => {
      const scheduled = scheduledReload(router);
      print(scheduled === undefined ? 'No reload is scheduled.\n' : scheduledText(router, scheduled));
    },
  },
  ...['write erase', 'erase startup-config', 'erase nvram:'].map((syntax): ExecCommand => ({
    privilege: 15,
    syntax,
    help: {
      'write erase': 'Erase NV memory',
      erase: 'Erase a filesystem',
      'erase startup-config': 'Erase contents of configuration memory',
      'nvram:': 'Filesystem to be erased',
    },
    set: erase,
  })),
];
