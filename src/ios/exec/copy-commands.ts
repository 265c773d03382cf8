/** `copy`, `write network`, and what there is in flash: `dir`, `show flash:`, `more`, `delete`. */
import type { Match } from '../grammar/match.js';
import { runningConfig } from '../config/running-config.js';
import type { Exec, ExecCommand } from './context.js';
import { CopyJob, type File } from './copy-job.js';
import { ftpLogin, parsePlace, type Place } from './copy-place.js';
import { confirm, converse, type Question } from './dialogue.js';
import type { FlashFile } from './files.js';
import type { Job } from './job.js';
import type { ConsoleRouter } from './router.js';
import { saveConfig } from './session-commands.js';

/** Bytes of non-volatile memory (`show startup-config`). */
const NVRAM = 129_016;
/** What a file takes of flash: besides its bytes. */
const FILE_HEADER = 64;

const given = (answer: string, fallback: string): string => (answer === '' ? fallback : answer);

function copy(exec: Exec, from: Place, to: Place): void {
  const { router, terminal } = exec;
  if (from.kind === 'running' && to.kind === 'startup') {
    terminal.ask('Destination filename [startup-config]? ', false, () => saveConfig(exec));
    return;
  }
  const ends = [from, to];
  const remote = ends.find((p) => p.kind === 'remote');
  if (ends.filter((p) => p.kind === 'remote').length === 2 || from.kind === to.kind) {
    exec.print('%Error: source and destination cannot be of one kind\n');
    return;
  }
  const questions: Question[] = [];
  if (remote?.host === undefined && remote !== undefined)
    questions.push({
      prompt: 'Address or name of remote host []? ',
      take: (answer) => {
        if (answer === '') return { end: '% Invalid host address or name\n' };
        remote.host = answer;
        return undefined;
      },
    });
  if (nameIn(from) === '')
    questions.push({
      prompt: 'Source filename []? ',
      take: (answer) => {
        if (answer === '') return { end: '%Error parsing filename (No such file or directory)\n' };
        setName(from, answer);
        return undefined;
      },
    });
  questions.push({
    prompt: () => `Destination filename [${defaultName(router, from, to)}]? `,
    take: (answer) => {
      const name = given(answer, defaultName(router, from, to));
      // A configuration has one place; any other name there is none.
      if ((to.kind === 'running' || to.kind === 'startup') && name !== `${to.kind}-config`)
        return {
          end: `%Error opening ${to.kind === 'running' ? 'system' : 'nvram'}:${name} (No such file or directory)\n`,
        };
      setName(to, name);
      return undefined;
    },
  });
  questions.push({
    prompt: 'Do you want to over write? [confirm]',
    take: (answer) => (/^(?:y.*)?$/i.test(answer) ? undefined : { end: '' }),
    when: () => to.kind === 'flash' && router.files.flash.has(to.name ?? ''),
  });
  converse(terminal, questions, () =>
    terminal.run(new CopyJob(router, terminal, fileOf(router, from), fileOf(router, to))),
  );
}

const nameIn = (p: Place): string =>
  p.kind === 'flash' ? (p.name ?? '') : p.kind === 'remote' ? (p.path ?? '') : `${p.kind}-config`;

function setName(p: Place, name: string): void {
  if (p.kind === 'flash') p.name = name;
  else if (p.kind === 'remote') p.path = name;
}

/** The name that a file gets where none is typed: its own, and `router-confg` for a configuration. */
function defaultName(router: ConsoleRouter, from: Place, to: Place): string {
  if (nameIn(to) !== '') return nameIn(to);
  if (from.kind === 'running' || from.kind === 'startup')
    return from.kind === 'startup' && to.kind === 'flash'
      ? 'startup-config'
      : `${router.config().hostname.toLowerCase()}-confg`;
  return nameIn(from).replace(/^.*\//, '');
}

/** @param p a place that is whole: nothing is left to ask */
export function fileOf(router: ConsoleRouter, p: Place): File {
  if (p.kind === 'flash') return { kind: 'flash', name: p.name ?? '' };
  if (p.kind !== 'remote') return p;
  const login = ftpLogin(router.config());
  const user = p.user ?? login.user;
  const password = p.password ?? login.password;
  return { kind: 'remote', host: p.host ?? '', file: { scheme: p.scheme, path: p.path ?? '', user, password } };
}

/** A job that prints what a promise brings. Nothing stops it: it is soon done. */
const reading = (text: Promise<string>): Job => ({
  start: (print, done) =>
    void text.then(
      (t) => {
        print(t);
        done(t.startsWith('%'));
      },
      (error: unknown) => {
        print(`%Error: ${(error as Error).message}\n`);
        done(true);
      },
    ),
  stop: () => undefined,
});

const total = (files: readonly FlashFile[], each = 0): number => files.reduce((sum, f) => sum + f.size + each, 0);

/** `dir`. Times are those of the host, in UTC. */
async function dir(router: ConsoleRouter, system: string): Promise<string> {
  const { flash } = router.files;
  const startup = router.startupConfig();
  const inNvram = startup === undefined ? [] : [{ name: 'startup-config', size: Buffer.byteLength(startup) }];
  const files = system === 'nvram:' ? inNvram : await flash.list();
  const capacity = system === 'nvram:' ? NVRAM : flash.capacity;
  const lines = files.map((f, i) => {
    const date = 'written' in f ? dateOf((f as FlashFile).written) : '<no date>';
    return `${String(i + 1).padStart(5)}  -rw-  ${String(f.size).padStart(10)}  ${date.padStart(26)}  ${f.name}\n`;
  });
  const free = Math.max(0, capacity - files.reduce((sum, f) => sum + f.size, 0));
  const list = lines.length === 0 ? 'No files in directory\n' : lines.join('');
  return `Directory of ${system}/\n\n${list}\n${capacity} bytes total (${free} bytes free)\n`;
}

function dateOf(date: Date): string {
  const [, month, day, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString())!;
  return `${day} ${month} ${year} ${time} +00:00`;
}

/** `show flash:`, as a 3640 with one bank of flash memory. */
async function showFlash({ files: { flash } }: ConsoleRouter): Promise<string> {
  const files = await flash.list();
  const lines = files.map((f, i) => `${String(i + 1).padStart(3)}${String(f.size).padStart(10)}  ${f.name}\n`);
  const used = total(files, FILE_HEADER);
  return (
    '\nSystem flash directory:\n' +
    (files.length === 0 ? 'No files in System flash\n' : `File  Length   Name/status\n${lines.join('')}`) +
    `[${used} bytes used, ${Math.max(0, flash.capacity - used)} available, ${flash.capacity} total]\n` +
    '16384K bytes of processor board System flash (Read/Write)\n\n'
  );
}

async function more(router: ConsoleRouter, place: Place): Promise<string> {
  if (place.kind === 'running') return runningConfig(router.config());
  if (place.kind === 'startup')
    return router.startupConfig() ?? '%Error opening nvram:startup-config (No such file or directory)\n';
  if (place.kind !== 'flash' || place.name === undefined) return '%Error: only files of the router can be shown\n';
  try {
    const text = Buffer.from(await router.files.flash.read(place.name)).toString();
    return text.endsWith('\n') ? text : `${text}\n`;
  } catch (error) {
    return `%Error opening flash:${place.name} (${(error as Error).message})\n`;
  }
}

function remove({ router, terminal, print }: Exec, m: Match): void {
  const place = parsePlace(m.word('FILE'));
  if (place?.kind !== 'flash' || place.name === undefined) {
    print('%Error parsing filename (No such file or directory)\n');
    return;
  }
  let { name } = place;
  const filename: Question = {
    prompt: `Delete filename [${name}]? `,
    take: (answer) => {
      name = given(answer, name);
      return undefined;
    },
  };
  converse(terminal, [filename], () =>
    confirm(terminal, `Delete flash:${name}? [confirm]`, () => {
      const removal = router.files.flash.remove(name).then(
        () => '',
        (error: unknown) => `%Error deleting flash:${name} (${(error as Error).message})\n`,
      );
      terminal.run(reading(removal));
      return '';
    }),
  );
}

const COPY_HELP = {
  copy: 'Copy from one file to another',
  'running-config': 'Copy from current system configuration',
  'startup-config': 'Copy from startup configuration',
  'flash:': 'Copy from flash: file system',
  'ftp:': 'Copy from ftp: file system',
  'tftp:': 'Copy from tftp: file system',
  SOURCE: 'Copy from a file: flash:NAME, tftp://HOST/NAME, ftp://USER:PASSWORD@HOST/NAME',
  DESTINATION: 'Copy to a file: flash:NAME, tftp://HOST/NAME, ftp://USER:PASSWORD@HOST/NAME',
  ...Object.fromEntries(
    ['running-config', 'startup-config', 'flash:', 'ftp:', 'tftp:', 'SOURCE'].flatMap((from) => [
      [`${from} running-config`, 'Update (merge with) current system configuration'],
      [`${from} startup-config`, 'Copy to startup configuration'],
      [`${from} flash:`, 'Copy to flash: file system'],
      [`${from} ftp:`, 'Copy to ftp: file system'],
      [`${from} tftp:`, 'Copy to tftp: file system'],
    ]),
  ),
};

const END = '{running-config | startup-config | flash: | ftp: | tftp:}';

export const COPY_COMMANDS: readonly ExecCommand[] = [
  {
    privilege: 15,
    syntax: `copy {SOURCE:${END} | SOURCE:FILE} {DESTINATION:${END} | DESTINATION:FILE}`,
    help: COPY_HELP,
    set: (exec, m) => {
      const [from, to] = [parsePlace(m.word('SOURCE')), parsePlace(m.word('DESTINATION'))];
      if (from === undefined || to === undefined) exec.print('%Error parsing filename (No such device)\n');
      else copy(exec, from, to);
    },
  },
  {
    // Inferred: the words, from 12.x as it is remembered.
    privilege: 15,
    syntax: 'write network',
    help: { 'write network': 'Write to network TFTP server' },
    set: (exec) => {
      exec.print("This command has been replaced by the command:\n         'copy system:/running-config <url>'\n");
      copy(exec, { kind: 'running' }, parsePlace('tftp:')!);
    },
  },
  {
    privilege: 1,
    syntax: 'dir [SYSTEM:{flash: | nvram:}]',
    help: {
      dir: 'List files on a filesystem',
      'dir flash:': 'Directory or file name',
      'dir nvram:': 'Directory or file name',
    },
    set: ({ router, terminal }, m) => terminal.run(reading(dir(router, m.optionalWord('SYSTEM') ?? 'flash:'))),
  },
  {
    privilege: 1,
    syntax: 'show flash:',
    help: { 'show flash:': 'System flash information' },
    set: ({ router, terminal }) => terminal.run(reading(showFlash(router))),
  },
  {
    privilege: 15,
    syntax: 'more FILE:FILE',
    help: { more: 'Display the contents of a file', FILE: 'File to display: flash:NAME, nvram:startup-config' },
    set: ({ router, terminal, print }, m) => {
      const place = parsePlace(m.word('FILE'));
      if (place === undefined) print('%Error parsing filename (No such device)\n');
      else terminal.run(reading(more(router, place)));
    },
  },
  {
    privilege: 15,
    syntax: 'delete FILE:FILE',
    help: { delete: 'Delete a file', 'delete FILE': 'File to be deleted: flash:NAME' },
    set: remove,
  },
];
