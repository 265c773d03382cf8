/**
 * What a data plane has in the run directory of its network namespace: the socket that it listens on, the file that says
 * which process it is, and what it wrote to standard error. They outlive the control plane that started it.
 */
import { lchownSync, lstatSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { procText, startTime } from '../io/proc.js';
import { journalPath } from './host-journal.js';

const SHARED_MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994; // statfs(2)

/** A process for certain: an id may be given out again, but not with the same start time. */
export interface ProcessName {
  pid: number;
  /** As `startTime` says it. */
  started: string;
}

export class ShardFiles {
  /** @param folder the run directory of this network namespace */
  constructor(
    readonly folder = dirname(journalPath()),
    readonly shard = 0,
  ) {}

  /** The socket of a process: of its own, so that one that ends takes none away from its successor. */
  socket(pid: number): string {
    return join(this.folder, `shard${this.shard}-${pid}.sock`);
  }

  /** Where its standard error goes. */
  get errors(): string {
    return join(this.folder, `shard${this.shard}.err`);
  }

  /**
   * Where its tables lie: beside the run directory, which goes with an orderly stop, or where that is on a disk, in the
   * machine's shared memory.
   */
  get state(): string {
    const shard = `shard${this.shard}`;
    const base = dirname(this.folder);
    const beside = isTmpfs(base) || !isTmpfs(SHARED_MEMORY);
    const folder = beside ? `${this.folder}.state` : join(SHARED_MEMORY, `fw3640-${basename(this.folder)}.state`);
    return join(folder, shard);
  }

  get #process(): string {
    return join(this.folder, `shard${this.shard}.pid`);
  }

  /** The socket of a process that has no number yet. @param spare it waits beside the one at work */
  newSocket(spare: boolean): string {
    return join(this.folder, `shard${this.shard}-${spare ? 'spare' : 'new'}.sock`);
  }

  /** Where the standard error of a spare one goes. */
  get spareErrors(): string {
    return join(this.folder, `shard${this.shard}-spare.err`);
  }

  /** Says which process is the data plane from now on. */
  claim({ pid, started }: ProcessName): void {
    const next = `${this.#process}.${process.pid}`;
    writeFileSync(next, `${pid} ${started}\n`, { mode: 0o600 });
    renameSync(next, this.#process); // whole or not at all
  }

  /** The data plane that was the last one to claim to be it; undefined: it is gone. */
  running(): ProcessName | undefined {
    const [, pid, started] = /^(\d+) (\d+)\n$/.exec(procText(this.#process)) ?? [];
    if (pid === undefined || started === undefined) return undefined;
    const name = { pid: Number(pid), started };
    return isAlive(name) ? name : undefined;
  }

  /** Removes what a process had here. Its successor may have claimed the file meanwhile. */
  remove(pid: number): void {
    rmSync(this.socket(pid), { force: true });
    if (procText(this.#process).startsWith(`${pid} `)) rmSync(this.#process, { force: true });
  }

  /** Removes all that is left, once there is no process, but for its tables: the next one takes them over. */
  removeAll(): void {
    const own = new RegExp(`^shard${this.shard}[.-](pid|err|spare\\.err|(\\d+|new|spare)\\.sock)$`);
    for (const name of list(this.folder))
      if (own.test(name)) rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  /** Removes the tables of all shards: no session goes on. */
  removeState(): void {
    const parent = dirname(this.state);
    takeBack(parent);
    rmSync(parent, { recursive: true, force: true });
  }

  /** Removes the tables of this shard alone. Those of the others, and what all share, stay. */
  removeOwnState(): void {
    const parent = dirname(this.state);
    const others = list(parent).some((name) => /^shard\d+$/.test(name) && name !== basename(this.state));
    if (!others) {
      this.removeState();
      return;
    }
    const owner = ownerOf(parent);
    const group = owner === undefined ? 0 : lstatSync(parent).gid;
    takeBack(parent);
    rmSync(this.state, { recursive: true, force: true });
    if (owner === undefined || owner === 0 || process.geteuid?.() !== 0) return;
    for (const name of list(parent)) lchownSync(join(parent, name), owner, group);
    lchownSync(parent, owner, group);
  }

  /** Numbers of the shards from this one on that have left something here: a process, or tables. */
  furtherShards(): number[] {
    const found = new Set<number>();
    for (const name of [...list(this.folder), ...list(dirname(this.state))]) {
      const [, number] = /^shard(\d+)(?:\.pid)?$/.exec(name) ?? [];
      if (number !== undefined && Number(number) >= this.shard) found.add(Number(number));
    }
    return [...found].sort((a, b) => a - b);
  }
}

/** They are the data plane's; who is root takes the folders back first. */
function takeBack(parent: string): void {
  if (process.geteuid?.() !== 0 || (ownerOf(parent) ?? 0) === 0) return;
  lchownSync(parent, 0, 0); // now nobody can put a link in the place of what is in it
  for (const name of list(parent)) lchownSync(join(parent, name), 0, 0);
}

export const isAlive = ({ pid, started }: ProcessName): boolean => startTime(pid) === started;

function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

/** The user id of a file's owner; undefined: there is none. */
export function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
