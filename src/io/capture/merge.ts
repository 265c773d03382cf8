/** Several captures as one: their packets in the order of time. One packet of each is in hand. */
import type { Capture } from './capture.js';
import type { CapturedPacket } from './captured-packet.js';

export interface CapturedArrival extends CapturedPacket {
  /** Index of the capture in the list. */
  capture: number;
}

interface Source {
  readonly index: number;
  readonly batches: AsyncGenerator<CapturedPacket[]>;
  batch: CapturedPacket[];
  at: number;
}

/**
 * Merges captures, each taken to be in order of time; a packet that is older than one before it in its own file comes
 * right behind that one.
 * @throws CaptureError as `Capture.packets`
 */
export async function* mergeCaptures(captures: readonly Capture[]): AsyncGenerator<CapturedArrival> {
  const sources: Source[] = [];
  for (const [index, capture] of captures.entries()) {
    const s: Source = { index, batches: capture.packets(), batch: [], at: 0 };
    if (await more(s)) sources.push(s);
  }
  while (sources.length > 0) {
    let next = sources[0]!;
    for (const s of sources) if (s.batch[s.at]!.timeMs < next.batch[next.at]!.timeMs) next = s;
    yield { ...next.batch[next.at]!, capture: next.index };
    next.at++;
    if (next.at === next.batch.length && !(await more(next))) sources.splice(sources.indexOf(next), 1);
  }
}

/** Fetches packets of `s`. False at its end. */
async function more(s: Source): Promise<boolean> {
  s.at = 0;
  for (;;) {
    const next = await s.batches.next();
    if (next.done === true) return false;
    s.batch = next.value;
    if (s.batch.length > 0) return true;
  }
}
