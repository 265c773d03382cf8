/** Ends a process by its number, once it is certain that it still is that process. */
import { setTimeout as wait } from 'node:timers/promises';
import { isAlive, type ProcessName, ShardFiles } from './shard-files.js';

const LOOK_EVERY_MS = 5;

/** Waits for the end of a process. @returns whether it came in time */
export async function isGone(name: ProcessName, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isAlive(name)) {
    if (performance.now() > until) return false;
    await wait(LOOK_EVERY_MS);
  }
  return true;
}

/** Kills a process, if it is there. @returns when it is gone; false: not within some seconds */
export async function endProcess(name: ProcessName): Promise<boolean> {
  if (!isAlive(name)) return true;
  try {
    process.kill(name.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  return isGone(name, 5000);
}

/** Ends the data planes that a control plane has left, from this shard on. @returns what was ended, a phrase each */
export async function endLeftShards(files: ShardFiles): Promise<string[]> {
  const ended: string[] = [];
  for (const shard of files.furtherShards()) ended.push(...(await endLeftShard(new ShardFiles(files.folder, shard))));
  return ended;
}

/** Ends the data plane that a control plane has left, if there is one. @returns what was ended, a phrase */
export async function endLeftShard(files: ShardFiles): Promise<string[]> {
  const left = files.running();
  if (left !== undefined) await endProcess(left);
  files.removeAll();
  return left === undefined ? [] : [`data plane ${left.pid}`];
}
