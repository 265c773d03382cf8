/** The pages: home, the command line by URL, configuration. What a route needs to know it asks the control plane. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import type { CommandAnswer, Denial, Guarded } from '../ios/management-plane.js';
import { commandPath, type CommandUrl, readCommandUrl } from './exec-url.js';
import { type C, type Env, failed, headers, ownPage, requires, unavailable } from './guard.js';
import { liveRoutes } from './live/routes.js';
import type { App, Site } from './site.js';
import { carryOutForm, configureForm, type Html, offers, output, page, STYLE } from './html.js';

const MOST_BODY = 256 << 10; // bytes

/** The path as it came, not decoded. */
const pathOf = (c: C): string => new URL(c.req.url).pathname;

export function makeApp(site: Site): App {
  const app: App = new Hono<Env>();
  app.use(headers);
  app.use(bodyLimit({ maxSize: MOST_BODY, onError: (c) => c.text('413 Content Too Large\n', 413) }));
  app.onError(failed);
  app.notFound((c) => c.text('404 Not Found\n', 404));
  app.get('/assets/router.css', requires(site.control, 1), (c) => c.body(STYLE, 200, { 'Content-Type': 'text/css' }));
  app.get('/', requires(site.control, 15), (c) => home(site, c));
  liveRoutes(app, site);
  execRoutes(app, site);
  configureRoutes(app, site);
  return app;
}

function home({ settings }: Site, c: C): Response | Promise<Response> {
  const { hostname } = settings();
  const link = (...words: string[]): Html =>
    html`<li><a href="${commandPath(15, 'exec', words)}/CR">${words.join(' ')}</a></li>`;
  return c.html(
    page(
      'Home',
      hostname,
      html`<ul>
        ${link('show', 'ip', 'inspect', 'sessions')} ${link('show', 'ip', 'inspect', 'all')}
        ${link('show', 'access-lists')} ${link('show', 'ip', 'nat', 'translations')} ${link('show', 'interfaces')}
        ${link('show', 'logging')}
        <li><a href="/live">Live: traffic, masked commands, sessions</a></li>
        <li><a href="/level/15/exec/-">All commands</a></li>
        <li><a href="/level/15/configure">Configure</a></li>
      </ul>`,
    ),
  );
}

/** A page with what a command printed, or why it was not carried out. */
function printed(c: C, site: Site, title: string, answer: Guarded<CommandAnswer>): Response | Promise<Response> {
  if ('denied' in answer) return refused(c, answer.denied);
  return c.html(page(title, site.settings().hostname, output(answer.output)));
}

function refused(c: C, why: Denial): Response {
  // `login`: it ended while the request was under way, and the next one begins another.
  return why === 'busy' || why === 'login' ? unavailable(c) : c.text('403 Forbidden\n', 403);
}

function execRoutes(app: App, site: Site): void {
  const { control, settings } = site;
  const read = (c: C): CommandUrl | undefined => readCommandUrl(pathOf(c), 'exec');
  const level = requires(control, (c) => read(c)?.level);
  const level15 = requires(control, (c) => (read(c) === undefined ? undefined : 15));
  const get = async (c: C): Promise<Response> => {
    const url = read(c)!;
    const next = c.req.query('next');
    if (next !== undefined) return c.redirect(`${url.base}/${encodeURIComponent(next.trim())}`, 303);
    const { ticket, token } = c.get('session');
    const by = { ticket, level: url.level };
    if (!url.isWhole) {
      const help = await control.ask('help', { ...by, line: url.line === '' ? '' : `${url.line} ` });
      if ('denied' in help) return refused(c, help.denied);
      const body = help.offers.length === 0 ? output('% Unrecognized command') : offers(url.base, help.offers);
      return c.html(page(url.line === '' ? 'Commands' : url.line, settings().hostname, body));
    }
    const answer = await control.ask('exec', { ...by, line: url.line, reading: true });
    if ('denied' in answer && answer.denied === 'not-reading')
      return c.html(page(url.line, settings().hostname, carryOutForm(`${url.base}/CR`, url.line, token)));
    return printed(c, site, url.line, answer);
  };
  const post = async (c: C): Promise<Response> => {
    const url = read(c)!;
    if (!url.isWhole) return c.text('400 Bad Request\n', 400);
    const { ticket } = c.get('session');
    const answer = await control.ask('exec', { ticket, level: url.level, line: url.line, reading: false });
    return printed(c, site, url.line, answer);
  };
  for (const path of ['/exec', '/exec/*', '/level/:level/exec', '/level/:level/exec/*']) {
    app.get(path, level, get);
    app.post(path, level15, ownPage, post);
  }
}

function configureRoutes(app: App, site: Site): void {
  const read = (c: C): CommandUrl | undefined => readCommandUrl(pathOf(c), 'configure');
  const level15 = requires(site.control, (c) => (read(c) === undefined ? undefined : 15));
  for (const path of ['/configure', '/configure/*', '/level/:level/configure', '/level/:level/configure/*']) {
    app.get(path, level15, (c) =>
      c.html(page('Configure', site.settings().hostname, configureForm(read(c)!.line, c.get('session').token))),
    );
    app.post(path, level15, ownPage, async (c) => {
      const { line } = read(c)!;
      const { lines } = await c.req.parseBody();
      const typed = line !== '' ? [line] : typeof lines === 'string' ? lines.split(/\r?\n/) : [];
      const { ticket } = c.get('session');
      const asked = { ticket, level: 15, lines: typed.filter((l) => l.trim() !== '') };
      return printed(c, site, 'Configure', await site.control.ask('configure', asked));
    });
  }
}
