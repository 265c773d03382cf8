/**
 * Finds the data plane that another control plane has left at work, and takes it over: hears what nobody has heard, and
 * which policy is in force. One of another build, or of other limits, is not spoken with: another takes its place.
 */
import { CollectedPolicy } from '../core/policy-pieces.js';
import type { At, FromDataPlane, Status } from '../core/plane.js';
import type { Policy } from '../core/policy.js';
import type { DataPlaneUser } from '../host/data-plane-user.js';
import { endProcess } from '../host/end-process.js';
import type { ProcessName, ShardFiles } from '../host/shard-files.js';
import { DataPlaneProcess, type PlaneProcess } from './data-plane-process.js';

/** How long it may take to tell its policy. */
const RESUME_MS = 5000;

/** A data plane that was at work before us. */
export interface AtWork {
  process: PlaneProcess;
  /** In force there. */
  policy: Policy;
  status: Status;
  /** Events that nobody has written so far. */
  unheard: number;
  /** What it has said meanwhile, in order. */
  said: FromDataPlane[];
}

/** What was found. Not more than one of the first two. */
export interface Found {
  atWork?: AtWork;
  /** It works until its successor is born; then it must stop. */
  outdated?: PlaneProcess;
  /** Where none is taken over: one that comes into the world while other things are done. */
  born?: Promise<PlaneProcess>;
}

export interface Wanted extends At {
  files: ShardFiles;
  build: string;
  /** Who a new one is to be. */
  user: DataPlaneUser;
}

/** How processes are found and ended. */
export interface Finder {
  find(files: ShardFiles): Promise<PlaneProcess | ProcessName | undefined>;
  end(name: ProcessName): Promise<unknown>;
}

const linux: Finder = { find: (files) => DataPlaneProcess.find(files), end: endProcess };

/** @param say told in a phrase why one that was found is not taken over */
export async function findAtWork(wanted: Wanted, say: (why: string) => void, finder = linux): Promise<Found> {
  const found = await finder.find(wanted.files);
  if (found === undefined) return {};
  if ('pid' in found) {
    say(`the data plane (process ${found.pid}) does not answer; it is ended`);
    await finder.end(found);
    wanted.files.remove(found.pid);
    return {};
  }
  const { build, at } = found.hello;
  const { pid } = found.name;
  if (build !== wanted.build) say(`the data plane (process ${pid}) is of another build (${build}); it is replaced`);
  else if (at === undefined) say(`the data plane (process ${pid}) was never started; it is replaced`);
  else if (at.queue !== wanted.queue || at.capacity !== wanted.capacity)
    say(`the data plane (process ${pid}) has another queue or another number of sessions; it is replaced`);
  else if (at.shards !== wanted.shards)
    say(`the data plane (process ${pid}) is one of ${at.shards}, and there shall be ${wanted.shards}; it is replaced`);
  else {
    const atWork = await resume(found);
    if (atWork !== undefined) return { atWork };
    say(`the data plane (process ${pid}) does not tell its policy; it is replaced`);
  }
  return { outdated: found };
}

function resume(process: PlaneProcess): Promise<AtWork | undefined> {
  const said: FromDataPlane[] = [];
  const collected = new CollectedPolicy();
  let first: Extract<FromDataPlane, { type: 'resumed' }> | undefined;
  return new Promise<AtWork | undefined>((resolve) => {
    setTimeout(() => resolve(undefined), RESUME_MS).unref();
    process.closed = () => resolve(undefined);
    process.receive = (message) => {
      if (message.type === 'resumed') first = message;
      else if (message.type !== 'policy') said.push(message);
      else {
        for (const piece of message.pieces) collected.add(piece);
        const { policy } = collected;
        if (!message.last) return;
        if (policy === undefined || first === undefined) resolve(undefined);
        else resolve({ process, policy, status: first.status, unheard: first.unheard, said });
      }
    };
    process.send({ type: 'resume' });
  });
}
