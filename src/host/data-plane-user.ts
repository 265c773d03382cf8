/**
 * Who the processes are that the control plane starts. The data plane: a user of its own, with CAP_NET_ADMIN and
 * CAP_NET_RAW and no other power, and without a way to more (no_new_privs); its queue and its raw socket are opened with
 * these two. The management process: another user, with none. `setpriv` of util-linux makes it so at exec, when the
 * process has one thread still: capabilities belong to threads, and Node has many.
 */
import { accessSync, chownSync, constants, lchownSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'; // prettier-ignore
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { procText } from '../io/proc.js';
import { ownerOf, type ShardFiles } from './shard-files.js';

/** Who starts the data plane, as far as it matters here. */
export interface Starter {
  uid: number;
  /** Bits of capabilities, as /proc/PID/status has them: effective, ambient. */
  effective: bigint;
  ambient: bigint;
  /** Text of /etc/passwd. */
  passwd: string;
  hasSetpriv: boolean;
  /** Whether every user of the box may read a file, and all folders on the way to it. */
  isPublic: (path: string) => boolean;
}

export interface DataPlaneUser {
  /** Goes in front of the command. Empty: it is started as we are. */
  command: readonly string[];
  /** Capabilities that it is not to inherit: `keepBack`. */
  keptBack?: readonly number[];
  /** Another user than we are; its tables have to be its own. */
  other?: { uid: number; gid: number };
  /** Why it has more than it needs, a phrase. */
  note?: string;
}

/** The system user of scripts/install. */
const USER = 'fw3640';
/**
 * Where there is no such user: a number that nobody has. systemd hands out those up to 65519 itself (UIDS-GIDS.md of
 * systemd); `nobody` is shared with others, which could end our process.
 */
const NAMELESS = [65523, 65522, 65521, 65520];

/** Of linux/capability.h. */
const CAP = { CHOWN: 0, DAC_OVERRIDE: 1, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8, NET_ADMIN: 12, NET_RAW: 13 };
const KEPT = [CAP.NET_ADMIN, CAP.NET_RAW];
const KEPT_ARGUMENT = '-all,+net_admin,+net_raw';
/** What it takes to make somebody else of a process, and to look after it then. */
const TO_CHANGE = Object.values(CAP);

const has = (set: bigint, caps: readonly number[]): boolean => caps.every((cap) => ((set >> BigInt(cap)) & 1n) === 1n);

const bitsOf = (set: bigint): number[] => Array.from({ length: 64 }, (_, cap) => cap).filter((cap) => has(set, [cap]));

/** @param files what the data plane has to read */
export function chooseUser(starter: Starter, files: readonly string[]): DataPlaneUser {
  const { uid, effective, ambient, passwd, hasSetpriv, isPublic } = starter;
  const asWeAre = (why: string): DataPlaneUser => ({
    command: [],
    note: `the data plane runs as ${uid === 0 ? 'root' : `user ${uid}`}, with all that it may do: ${why}`,
  });
  if (uid !== 0) {
    // A service with a user of its own: both planes are that user. The rest of its capabilities stays here.
    if (!has(ambient, KEPT)) return asWeAre('its capabilities are not ambient ones');
    return { command: [], keptBack: bitsOf(ambient).filter((cap) => !KEPT.includes(cap)) };
  }
  if (!hasSetpriv) return asWeAre('there is no setpriv (package util-linux)');
  if (!has(effective, TO_CHANGE)) return asWeAre('root may not change users here');
  const hidden = files.find((path) => !isPublic(path));
  if (hidden !== undefined) return asWeAre(`${hidden} is not for other users to read`);
  const other = userIn(passwd);
  if (other === undefined) return asWeAre(`there is no user ${USER}, and no number is free`);
  return { command: asUser(other), other };
}

/**
 * Who the management process is: yet another user, so that it can neither end the data plane nor write its tables, with
 * no capability at all. A service that has one user for all starts it as that user, without capabilities.
 */
export function chooseManagementUser(starter: Starter, files: readonly string[]): DataPlaneUser {
  const { uid, effective, ambient, passwd, hasSetpriv, isPublic } = starter;
  if (uid !== 0) return { command: [], keptBack: bitsOf(ambient) };
  const asWeAre = (why: string): DataPlaneUser => ({
    command: [],
    note: `the management process runs as root, with all that it may do: ${why}`,
  });
  if (!hasSetpriv) return asWeAre('there is no setpriv (package util-linux)');
  if (!has(effective, TO_CHANGE)) return asWeAre('root may not change users here');
  const hidden = files.find((path) => !isPublic(path));
  if (hidden !== undefined) return asWeAre(`${hidden} is not for other users to read`);
  const other = freeUser(passwd, userIn(passwd)?.uid);
  if (other === undefined) return asWeAre('no user number is free');
  return { command: asUser(other, '-all'), other };
}

/**
 * What goes in front of a command that root has another user run.
 * @param kept the capabilities, as setpriv names them: by default the data plane's two
 */
export function asUser({ uid, gid }: { uid: number; gid: number }, kept = KEPT_ARGUMENT): string[] {
  const sets = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=${kept}`);
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...sets, '--no-new-privs', '--'];
}

/** Of linux/prctl.h. */
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_LOWER = 3;

type Prctl = (option: number, a: number, b: number, c: number, d: number) => number;

function loadPrctl(): Prctl {
  const ffi = createRequire(import.meta.url)('ffi-napi') as {
    Library(path: null, functions: Record<string, [string, string[]]>): { prctl: Prctl };
  };
  return ffi.Library(null, { prctl: ['int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']] }).prctl;
}

/**
 * Has whatever we start from now on inherit none of these capabilities; we keep them. Done by prctl(2), which a service's
 * filter of system calls lets by; setpriv calls capset(2). Both belong to threads: ours is the one that starts programs.
 */
export function keepBack(capabilities: readonly number[]): void {
  const prctl = loadPrctl();
  for (const cap of capabilities) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/**
 * Starts one program that inherits none of our capabilities; those that are started later do.
 * @param capabilities what would be inherited, as `keptBack` has it
 */
export function startWithout<T>(capabilities: readonly number[], start: () => T): T {
  if (capabilities.length === 0) return start();
  const prctl = loadPrctl();
  // Those that `keepBack` has lowered meanwhile stay so.
  const lowered = bitsOf(starterHere().ambient).filter((cap) => capabilities.includes(cap));
  for (const cap of lowered) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
  try {
    return start();
  } finally {
    for (const cap of lowered) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
  }
}

function userIn(passwd: string): { uid: number; gid: number } | undefined {
  const users = passwd.split('\n').map((line) => line.split(':'));
  const own = users.find(([name]) => name === USER);
  if (own !== undefined && Number(own[2]) > 0) return { uid: Number(own[2]), gid: Number(own[3]) };
  return freeUser(passwd);
}

/** A number that nobody has. @param but not this one */
function freeUser(passwd: string, but?: number): { uid: number; gid: number } | undefined {
  const users = passwd.split('\n').map((line) => line.split(':'));
  const isFree = (id: number): boolean =>
    id !== but && !users.some(([, , uid, gid]) => Number(uid) === id || Number(gid) === id);
  const free = NAMELESS.find(isFree);
  return free === undefined ? undefined : { uid: free, gid: free };
}

/** This process, on this box. */
export function starterHere(): Starter {
  const status = procText('/proc/self/status');
  const set = (name: string): bigint => BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? '0'}`);
  return {
    uid: process.geteuid?.() ?? 0,
    effective: set('CapEff'),
    ambient: set('CapAmb'),
    passwd: procText('/etc/passwd'),
    hasSetpriv: (process.env['PATH'] ?? '').split(':').some((folder) => isProgram(join(folder, 'setpriv'))),
    isPublic,
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;

function isPublic(path: string): boolean {
  try {
    const real = realpathSync(path);
    if ((statSync(real).mode & OTHERS_READ) === 0) return false;
    for (let at = dirname(real); ; at = dirname(at)) {
      if ((statSync(at).mode & OTHERS_ENTER) === 0) return false;
      if (at === dirname(at)) return true;
    }
  } catch {
    return false;
  }
}

/**
 * Makes the folder of its tables its own, with what root has in there from before, and the folder that it lies in. Of
 * what a third user has nothing is taken over: it is removed.
 * @throws Error of the system
 */
export function handOver(files: ShardFiles, { uid, gid }: { uid: number; gid: number }): void {
  const parent = dirname(files.state);
  const owner = ownerOf(parent);
  // Its own already. We touch nothing in there: who writes there could have us change files of others by a link.
  if (owner === uid) return;
  if (owner !== undefined && owner !== 0) files.removeState();
  mkdirSync(files.state, { recursive: true, mode: 0o700 });
  // Those of all shards: once the parent is its own, nobody looks in there again.
  const shards = readdirSync(parent).filter((name) => lstatSync(join(parent, name)).isDirectory());
  for (const folder of [...shards.map((name) => join(parent, name)), parent]) {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (lstatSync(path).isFile()) lchownSync(path, uid, gid);
    }
    lchownSync(folder, uid, gid);
  }
}

/** The kernel's counts of queues, which only root and its group may read. They are one file a network namespace. */
const QUEUE_COUNTS = '/proc/net/netfilter/nfnetlink_queue';

/** Lets a group read what the kernel counts of queues. Where that is refused the data plane does without. */
export function showQueueCounts(gid: number): void {
  try {
    chownSync(QUEUE_COUNTS, 0, gid);
  } catch {
    // no such file yet, or a /proc that cannot be changed
  }
}
