/** The last minutes of what is drawn as curves: who begins to look sees at once how it came to be. */
import { type LiveFrame, type LiveHistory, SERIES, type Series } from './frame.js';

export const emptyHistory = (): LiveHistory => ({
  at: [],
  values: Object.fromEntries(SERIES.map((name) => [name, []])) as unknown as LiveHistory['values'],
});

/**
 * Adds a frame to the curves, in place.
 * @param keepMs older points than this go
 */
export function addPoint(history: LiveHistory, frame: LiveFrame, keepMs: number): void {
  const { at, values } = history;
  const point = pointOf(frame);
  at.push(frame.at);
  for (const name of SERIES) values[name].push(point[name]);
  const old = at.findIndex((t) => t > frame.at - keepMs);
  if (old <= 0) return;
  at.splice(0, old);
  for (const name of SERIES) values[name].splice(0, old);
}

function pointOf({ traffic, mails, masked, drops, counts, queue, load }: LiveFrame): Record<Series, number> {
  const sum = (of: (i: number) => number, n: number): number => {
    let total = 0;
    for (let i = 0; i < n; i++) total += of(i);
    return total;
  };
  return {
    bytesIn: sum((i) => traffic[i]!.bytesIn, traffic.length),
    bytesOut: sum((i) => traffic[i]!.bytesOut, traffic.length),
    mails: mails.minute,
    masked: masked.minute,
    drops: sum((i) => drops[i]!.perSecond, drops.length),
    halfOpen: counts.halfOpen,
    sessions: counts.established + counts.halfOpen + counts.terminating,
    waiting: queue.waiting,
    lost: queue.lostPerSecond,
    cpu: load.cpu,
  };
}
