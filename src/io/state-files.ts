/**
 * The tables' memory, mapped from files of the run directory (a tmpfs): what the data plane writes there outlives it. One
 * file for each table, and a manifest that says what they are. Files of another layout, or of before the last boot, are
 * put aside: then the tables start empty.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlatMemory, type MemorySource } from '../core/memory/flat-memory.js';
import { stateLayout } from '../core/state/state-layout.js';

const LIBRARY = fileURLToPath(new URL('../../native/build/libfwq.so', import.meta.url));
const MANIFEST = 'manifest';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Memory is asked for in pieces of so many words: 4 MB. */
const PIECE = 1 << 20;

/** What was found, and what goes with it. */
export interface State {
  /** Gives the tables their memory. */
  readonly source: MemorySource;
  /** Why nothing is taken over; undefined: what is there is. */
  readonly fresh: 'none' | 'foreign' | undefined;
  /** Words that the one who made the files has left for his successors. */
  readonly secret: Int32Array;
}

interface Manifest {
  layout: string;
  boot: string;
  secret: number[];
}

interface Native {
  statemap_open(path: string, bytes: number, at: Buffer, fd: Buffer): number;
  statemap_namespace(): number | string;
  statemap_promise(fd: number, offset: number, bytes: number): number;
}

/** ffi-napi adds this to every Buffer. */
interface PointerBuffer extends Buffer {
  readPointer(offset: number, bytes: number): Buffer;
}

/**
 * Opens the state in `folder`.
 * @param layout tells what the records mean: another one's are not read
 * @param secret for the successors, if the files are made now
 * @throws Error where the folder cannot be used
 */
export function openState(folder: string, layout: string, secret: Int32Array): State {
  makeOwn(folder);
  const native = load();
  // Neither of another boot, nor of a network namespace that has gone.
  const boot = `${readFileSync(BOOT_ID, 'latin1').trim()} ${native.statemap_namespace()}`;
  const there = readManifest(folder);
  const known = there?.layout === layout && there.boot === boot && there.secret.length === secret.length;
  if (!known) {
    removeState(folder);
    makeOwn(folder);
    const manifest: Manifest = { layout, boot, secret: [...secret] };
    const next = join(folder, `${MANIFEST}.new`);
    writeFileSync(next, JSON.stringify(manifest), { mode: 0o600 });
    renameSync(next, join(folder, MANIFEST));
  }
  return {
    source: (name, words, tail) => map(native, join(folder, fileOf(name)), words, tail),
    fresh: known ? undefined : there === undefined ? 'none' : 'foreign',
    secret: known ? Int32Array.from(there.secret) : secret,
  };
}

const fileOf = (table: string): string => table.replace(' ', '-');

/** Makes a folder that is ours alone, as well as the one that it lies in. Others may write beside it (/dev/shm). */
function makeOwn(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of [dirname(folder), folder]) {
    const there = lstatSync(path);
    if (there.uid !== process.geteuid?.() || !there.isDirectory() || (there.mode & 0o022) !== 0)
      throw new Error(`${path} is somebody else's`);
  }
}

/** Tells one layout of the tables of `capacity` sessions from another. Of another number of shards each has other flows. */
export const layoutOf = (capacity: number, shards = 1): string =>
  createHash('sha256')
    .update(stateLayout(capacity) + (shards === 1 ? '' : ` ${shards}`))
    .digest('hex');

/**
 * Opens the memory that the shards of a router share, beside the folders of their tables. It is not theirs alone: the
 * first one makes it, and none believes more of it than numbers.
 * @throws Error where that cannot be
 */
export function openShared(folder: string, layout: string, words: number): FlatMemory {
  makeOwn(folder);
  const native = load();
  const boot = `${readFileSync(BOOT_ID, 'latin1').trim()} ${native.statemap_namespace()}`;
  const parent = dirname(folder);
  const name = `shared-${createHash('sha256').update(`${layout} ${boot}`).digest('hex').slice(0, 16)}`;
  // Who still has another one mapped keeps it until it ends.
  for (const other of readdirSync(parent))
    if (other.startsWith('shared-') && other !== name) rmSync(join(parent, other), { force: true });
  return map(native, join(parent, name), words, words);
}

/**
 * Copies of the tables in `folder`, each as it is when it is asked for, while another process goes on to write them.
 * @returns undefined where there are none of this layout
 */
export function copyState(folder: string, layout: string): Pick<State, 'source' | 'secret'> | undefined {
  const manifest = readManifest(folder);
  if (manifest?.layout !== layout) return undefined;
  return {
    source: (name, words, tail) => copy(join(folder, fileOf(name)), words, tail),
    secret: Int32Array.from(manifest.secret),
  };
}

function copy(path: string, words: number, tail: number): FlatMemory {
  const memory = new FlatMemory(words);
  let file: number;
  try {
    // The folder may be another user's: no link is followed, no pipe waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return memory;
  }
  try {
    const { size, blocks } = fstatSync(file);
    if (size !== words * 4) return memory;
    // Memory is promised from the start, as records are used, and at the end. What lies between takes no blocks.
    const end = size - tail * 4;
    readInto(file, memory.bytes, 0, Math.min(blocks * BLOCK, end));
    readInto(file, memory.bytes, end, size);
    memory.fresh = false;
    return memory;
  } finally {
    closeSync(file);
  }
}

function readInto(file: number, bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to;) {
    const count = readSync(file, bytes, at, Math.min(to - at, MOST_READ), at);
    if (count === 0) return;
    at += count;
  }
}

/** Bytes of a block of `stat`. */
const BLOCK = 512;
/** Most bytes of one read: the system takes no more than 2 GB. */
const MOST_READ = 1 << 30;

/** Removes all state in `folder`. */
export function removeState(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function map(native: Native, path: string, words: number, tail: number): FlatMemory {
  const at = Buffer.alloc(8) as PointerBuffer;
  const fd = Buffer.alloc(4);
  const bytes = words * 4;
  let made = native.statemap_open(path, bytes, at, fd);
  if (made === -EINVAL) {
    rmSync(path, { force: true }); // cut, or somebody else's
    made = native.statemap_open(path, bytes, at, fd);
  }
  if (made < 0) return new FlatMemory(0);
  const file = fd.readInt32LE(0);
  const promise = (from: number, to: number): boolean => native.statemap_promise(file, from * 4, (to - from) * 4) === 0;
  if (tail > 0 && !promise(words - tail, words))
    throw new Error(
      `${path}: there is no memory for ${tail * 4} bytes (is the file system of the run directory full?)`,
    );
  const view = at.readPointer(0, bytes);
  const place = { buffer: view.buffer as ArrayBuffer, offset: view.byteOffset, words };
  const memory = new FlatMemory(place, (end, ready) => {
    const upTo = Math.min(Math.ceil(end / PIECE) * PIECE, words);
    return promise(ready, upTo) ? upTo : ready;
  });
  memory.fresh = made === 1;
  return memory;
}

const EINVAL = 22;

function readManifest(folder: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, MANIFEST), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const m = JSON.parse(text) as Partial<Manifest> | null;
    if (typeof m?.layout === 'string' && typeof m.boot === 'string' && Array.isArray(m.secret)) return m as Manifest;
  } catch {
    // garbled: as a foreign one
  }
  return { layout: '', boot: '', secret: [] };
}

function load(): Native {
  const ffi = createRequire(import.meta.url)('ffi-napi') as {
    Library(path: string, functions: Record<string, [string, string[]]>): unknown;
  };
  return ffi.Library(LIBRARY, {
    statemap_open: ['int', ['string', 'uint64', 'pointer', 'pointer']],
    statemap_namespace: ['uint64', []],
    statemap_promise: ['int', ['int32', 'uint64', 'uint64']],
  }) as Native;
}
