/** Waiting for a condition, never for a time. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 15;
const PATIENCE_MS = 10_000;

/**
 * Polls `probe` until it gives something other than undefined and false.
 * @param what  the condition in words, for the error; a function is asked at the end
 * @throws Error after `patienceMs`
 */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUp)
      throw new Error(`waited ${patienceMs} ms for: ${typeof what === 'string' ? what : what()}`);
    await delay(POLL_MS);
  }
}
