/** The page as a server sends it: markup with all tables in it, and what it was made of for the script to go on from. */
import { renderToString } from 'preact-render-to-string';
import type { VNode } from 'preact';
import { DialogueView } from './dialogue-view.js';
import { LiveView } from './live-view.js';
import type { FirstSight, PageModule } from './page-module.js';

export const livePage: PageModule['livePage'] = (first, assets) =>
  pageOf(first.frame.picture?.hostname ?? '', assets, <LiveView {...first} link="still" />, first);

export const dialoguePage: PageModule['dialoguePage'] = (told, hostname, assets) =>
  pageOf(
    `${hostname}: session ${told.session}`,
    assets,
    <>
      <header>
        <h1>{hostname}</h1>
        <p class="router">{`session ${told.session}`}</p>
        <nav aria-label="Router">
          <a href="/live">All that is live</a>
        </nav>
      </header>
      <main>
        <section class="panel wide-panel" aria-label="Dialogue">
          <DialogueView told={told} />
        </section>
      </main>
    </>,
  );

/** @param first what the script begins with; without it there is no script */
function pageOf(title: string, assets: string, content: VNode, first?: FirstSight): string {
  const head = (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="dark light" />
      <title>{title}</title>
      <link rel="icon" href={`${assets}management/page/icon.svg`} type="image/svg+xml" />
      <link rel="stylesheet" href={`${assets}uplot.css`} />
      <link rel="stylesheet" href={`${assets}management/page/live.css`} />
      {first !== undefined && <script type="module" src={`${assets}management/page/app.js`} />}
    </head>
  );
  // Data, not a script: the policy of the page lets no script in that stands in it. `<` could end it.
  const data =
    first === undefined
      ? ''
      : `<script type="application/json" id="first">${JSON.stringify(first).replace(/</g, '\\u003c')}</script>`;
  return (
    `<!doctype html><html lang="en">${renderToString(head)}` +
    `<body><div id="live">${renderToString(content)}</div>${data}</body></html>`
  );
}
