/** What of a whole frame a reader still needs, and what it makes of it. Who comes later begins with a whole one. */
import { type LiveFrame, MOST } from './frame.js';

/** `frame` without what a reader has who has read `read`, the whole frame before. */
export function newsIn(frame: LiveFrame, read: LiveFrame): LiveFrame {
  const { picture, sessions, ...rest } = frame;
  return {
    ...rest,
    ...(picture !== undefined && frame.revision !== read.revision && { picture }),
    ...(sessions !== undefined && sessions !== read.sessions && { sessions }),
    maskedLines: behind(frame.maskedLines, read.maskedLines),
    log: behind(frame.log, read.log),
  };
}

/** The whole frame that `news` makes of the one before. */
export function withNews(read: LiveFrame, news: LiveFrame): LiveFrame {
  const picture = news.picture ?? read.picture;
  const sessions = news.sessions ?? read.sessions;
  return {
    ...news,
    ...(picture !== undefined && { picture }),
    ...(sessions !== undefined && { sessions }),
    maskedLines: [...read.maskedLines, ...news.maskedLines].slice(-MOST.masked),
    log: [...read.log, ...news.log].slice(-MOST.log),
  };
}

function behind<T extends { number: number }>(now: readonly T[], read: readonly T[]): T[] {
  const last = read.at(-1)?.number ?? 0;
  return now.filter((line) => line.number > last);
}
