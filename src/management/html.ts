/** The frame of every page, and the pages of the command line. `html` escapes whatever is put into it. */
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Offer } from '../ios/exec/help.js';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const page = (title: string, hostname: string, body: Html): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - ${hostname}</title>
        <link rel="stylesheet" href="/assets/router.css" />
      </head>
      <body>
        <header><a href="/">${hostname}</a></header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;

/** What a command printed. */
export const output = (text: string): Html => html`<pre>${text}</pre>`;

/** What may follow, each a link; an argument has a field to type it in. @param base path of the command so far */
export const offers = (base: string, list: readonly Offer[]): Html =>
  html`<table>
    ${list.map(
      (o) =>
        html`<tr>
          <th scope="row">${offer(base, o)}</th>
          <td>${o.help}</td>
        </tr> `,
    )}
  </table>`;

function offer(base: string, { kind, text }: Offer): Html {
  if (kind === 'end') return html`<a href="${base}/CR">&lt;cr&gt;</a>`;
  if (kind === 'word') return html`<a href="${base}/${encodeURIComponent(text)}">${text}</a>`;
  return html`<form action="${base}" method="get">
    <label>${text} <input name="next" /></label> <button>Go on</button>
  </form>`;
}

/** A command that does more than print is carried out by a form alone. */
export const carryOutForm = (action: string, line: string, token: string): Html =>
  html`<p>This command does more than print.</p>
    <form action="${action}" method="post">
      <input type="hidden" name="token" value="${token}" /><button>Carry out: ${line}</button>
    </form>`;

export const configureForm = (lines: string, token: string): Html =>
  html`<form action="/level/15/configure" method="post">
    <input type="hidden" name="token" value="${token}" />
    <p><label for="lines">Configuration commands, one per line.</label></p>
    <p><textarea id="lines" name="lines" rows="12" cols="80">${lines}</textarea></p>
    <p><button>Configure</button></p>
  </form>`;

export const STYLE = `:root { color-scheme: light dark; }
body { font: 16px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 0 1rem 2rem; }
header { border-bottom: 1px solid; padding: .75rem 0; }
pre { overflow-x: auto; }
th { text-align: left; font-weight: normal; padding-right: 2rem; vertical-align: top; }
`;
