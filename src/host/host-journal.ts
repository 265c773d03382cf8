/**
 * The record of what we changed on the host, written before each change is made: whoever reads it after a crash
 * knows all that may have to be undone. One file a network namespace, under /run: gone after a reboot, like the
 * changes themselves.
 */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
  readlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostChange } from './host-plan.js';
import { startTime } from '../io/proc.js';
import { HostError } from './host-system.js';

export interface JournalEntry {
  change: HostChange;
  /** What was there before: a sysctl's value, a link's state. Undefined for what was absent. */
  was?: string;
}

interface JournalFile {
  pid: number;
  /** Start time of that process in clock ticks: a process id alone may have been given out again. */
  started: string;
  /** Hardware addresses of the interfaces, to tell a namespace from an earlier one of the same number. */
  hardware: Record<string, string>;
  entries: JournalEntry[];
}

/** Names what a change is about, whatever value it sets: two changes of one id replace each other. */
export function changeId(change: HostChange): string {
  switch (change.kind) {
    case 'rules':
      return `rules ${change.family}`;
    case 'lock':
      return `lock ${change.rule}`;
    case 'sysctl':
      return `sysctl ${change.key}`;
    case 'address':
      return `address ${change.address}/${change.length} ${change.device}`;
    case 'link':
      return `link ${change.device}`;
    case 'route':
      return `route ${JSON.stringify(change.route)}`;
  }
}

/** @returns the journal of this process's network namespace. */
export const journalPath = (base = '/run/fw3640'): string => join(base, namespaceFolder(), 'state.json');

/**
 * The user that a journal is of, where we are root and that is not: a service with a user of its own has left it. What
 * another user has written down, root does not carry out.
 */
export function journalUser(path = journalPath()): { uid: number; gid: number } | undefined {
  try {
    const { uid, gid } = lstatSync(path);
    return process.geteuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the lock that belongs to a journal. Beside its folder, which goes with the journal. */
export const lockPath = (journal = journalPath()): string => `${dirname(journal)}.lock`;

const namespaceFolder = (): string => `net-${/\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0] ?? '0'}`;

export class Journal {
  readonly #path: string;
  #file: JournalFile;
  readonly #byId: Map<string, JournalEntry>;
  /** An earlier run left this journal: it crashed, or it runs still. */
  readonly inherited: boolean;

  /**
   * @param hardwareOf the hardware address of an interface now, undefined if it is gone
   * @throws HostError if the file is there and cannot be understood
   */
  constructor(path: string, hardwareOf: (device: string) => string | undefined) {
    this.#path = path;
    const left = read(path);
    const same = left !== undefined && isOurs(left, hardwareOf);
    this.inherited = same;
    this.#file = same ? left : { pid: 0, started: '', hardware: {}, entries: [] };
    this.#byId = new Map(this.#file.entries.map((entry) => [changeId(entry.change), entry]));
  }

  get entries(): readonly JournalEntry[] {
    return this.#file.entries;
  }

  /** @returns the process that keeps this journal, if it is alive and not we. */
  runningOwner(): number | undefined {
    const { pid, started } = this.#file;
    return pid !== 0 && pid !== process.pid && startTime(pid) === started ? pid : undefined;
  }

  find(id: string): JournalEntry | undefined {
    return this.#byId.get(id);
  }

  /** Makes this process the owner. @param hardware of the interfaces in use */
  own(hardware: Record<string, string>): void {
    const started = startTime(process.pid) ?? '';
    const { pid, started: since, hardware: known } = this.#file;
    if (pid === process.pid && since === started && JSON.stringify(known) === JSON.stringify(hardware)) return;
    this.#file = { ...this.#file, pid: process.pid, started, hardware };
    this.#save();
  }

  /** Records changes about to be made; one of a known id keeps what was there before the first. */
  record(entries: readonly JournalEntry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      const id = changeId(entry.change);
      const known = this.#byId.get(id);
      if (known !== undefined) known.change = entry.change;
      else {
        this.#file.entries.push(entry);
        this.#byId.set(id, entry);
      }
    }
    this.#save();
  }

  forget(entries: readonly JournalEntry[]): void {
    if (entries.length === 0) return;
    const gone = new Set(entries);
    this.#file.entries = this.#file.entries.filter((entry) => !gone.has(entry));
    for (const entry of entries) this.#byId.delete(changeId(entry.change));
    this.#save();
  }

  /** Removes the file: nothing is left to undo. */
  remove(): void {
    rmSync(this.#path, { force: true });
    for (const folder of [dirname(this.#path), dirname(dirname(this.#path))]) {
      try {
        rmdirSync(folder);
      } catch {
        return; // in use: another namespace's journal, or our console socket
      }
    }
  }

  #save(): void {
    const whole = JSON.stringify(this.#file, undefined, 1);
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o755 });
      writeFileSync(`${this.#path}.new`, whole, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path); // whole or not at all
    } catch (error) {
      throw new HostError(`cannot record the changes to this host: ${(error as Error).message} (run fw3640 as root)`);
    }
  }
}

function read(path: string): JournalFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const other = journalUser(path);
  if (other !== undefined)
    throw new HostError(`${path} is of user ${other.uid}, who runs fw3640 here (end that first: fw3640 cleanup)`);
  try {
    const file = JSON.parse(text) as Partial<JournalFile>;
    if (Array.isArray(file.entries) && typeof file.hardware === 'object') return file as JournalFile;
  } catch {
    // not even JSON: the same to whoever has to decide
  }
  throw new HostError(`${path}: not a record of fw3640 (see what it says, then remove the file)`);
}

/** A journal without any of its interfaces was left by a namespace that is gone; numbers are given out again. */
function isOurs(file: JournalFile, hardwareOf: (device: string) => string | undefined): boolean {
  const devices = Object.entries(file.hardware);
  return devices.length === 0 || devices.some(([device, address]) => hardwareOf(device) === address);
}
