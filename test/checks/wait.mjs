// Waiting for a condition, never for a time. Virtual machines without hardware support are slow: patience is wide.
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

export const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Polls `probe` until it gives something other than undefined and false. @param what the condition, for the error */
export async function until(what, probe, patienceMs = PATIENCE_MS) {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > giveUp) throw new Error(`waited ${patienceMs / 1000} s for ${what}`);
    await delay(POLL_MS);
  }
}

/** @returns the promise's value, or throws after `patienceMs` */
export function within(what, promise, patienceMs = PATIENCE_MS) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patienceMs / 1000} s for ${what}`)), patienceMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
