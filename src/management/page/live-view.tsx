/** The whole page, as server and browser make it. Only the browser has somebody to click, and draws curves. */
import type { VNode } from 'preact';
import type { LiveFrame, LiveHistory } from '../../ios/live/frame.js';
import { MaskedFeed } from './masked-feed.js';
import { Picture } from './picture.js';
import { SessionsTable } from './sessions-table.js';
import { AccessLists, Drops, Interfaces, LogTable, Thresholds } from './tables.js';
import { type Curve, Vitals } from './vitals.js';
import { clock, span } from './words.js';

/** How page and router are connected. `still`: there is no JavaScript, and this is a moment. */
export type Link = 'still' | 'live' | 'lost' | 'paused';

/** What is different in a browser. */
export interface Hands {
  open: (session: string) => void;
  pause: () => void;
  Curve: Curve | undefined;
}

export function LiveView({
  frame,
  history,
  link,
  hands,
}: {
  frame: LiveFrame;
  history: LiveHistory;
  link: Link;
  hands?: Hands | undefined;
}): VNode {
  const picture = frame.picture!;
  const seen = { frame, picture };
  return (
    <>
      <header>
        <h1>{picture.hostname}</h1>
        <p class="router">
          {`fw3640 ${picture.release} · up ${span(frame.uptimeMs)}`}
          {!frame.well && <strong class="alarm"> · the data plane does not answer</strong>}
        </p>
        <p class={`link ${link}`} role="status">
          {LINK_WORDS[link]}
        </p>
        <p class="clock">
          <time>{clock(frame.at)}</time> UTC
        </p>
        <nav aria-label="Router">
          {hands !== undefined && (
            <button type="button" aria-pressed={link === 'paused'} onClick={hands.pause}>
              {link === 'paused' ? 'Go on' : 'Pause'}
            </button>
          )}
          <a href="/">Home page</a>
        </nav>
      </header>
      <main>
        <section class="panel network" aria-label="Network">
          <Picture {...seen} />
        </section>
        <MaskedFeed {...seen} open={hands?.open} />
        <Vitals {...seen} history={history} Curve={hands?.Curve} />
        <SessionsTable frame={frame} open={hands?.open} />
        <div class="aside">
          <Thresholds {...seen} />
          <Drops frame={frame} />
        </div>
        <AccessLists {...seen} />
        <Interfaces {...seen} />
        <LogTable frame={frame} />
      </main>
    </>
  );
}

const LINK_WORDS: Readonly<Record<Link, string>> = {
  still: 'as of now',
  live: 'live',
  lost: 'connection lost, trying again',
  paused: 'paused',
};
