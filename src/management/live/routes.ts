/** The live page: the page itself, its scripts, what it hears (server-sent events), and the dialogue of a session. */
import { streamSSE } from 'hono/streaming';
import type { LiveFrame } from '../../ios/live/frame.js';
import type { Guarded } from '../../ios/management-plane.js';
import { type C, requires, unavailable } from '../guard.js';
import type { PageModule } from '../page/page-module.js';
import type { App, Site } from '../site.js';
import { PageAssets } from './assets.js';
import { Broadcast } from './broadcast.js';
import { ViewerOutbox } from './viewer-outbox.js';

/** What lasts: it does not count as a connection for `ip http max-connections`. */
export const LIVE_EVENTS = '/live/events';
/** Who looks at the same time. */
const MOST_VIEWERS = 32;
/** Ends by itself so long before the connection would be cut off, and the page opens another one. ms. */
const BEFORE_END_MS = 5000;
/** A stream that lasts as long as an IOS allows would outlive its login. ms. */
const LONGEST_MS = 600_000;

/** The page is not compiled for Node, and not loaded before somebody wants to see it. */
const PAGE = new URL('../page/server.js', import.meta.url).href;

export function liveRoutes(app: App, { control, settings }: Site): void {
  const level = requires(control, 15);
  const broadcast = new Broadcast(control);
  let loaded: { assets: PageAssets; page: Promise<PageModule> } | undefined;
  const parts = (): NonNullable<typeof loaded> =>
    (loaded ??= { assets: new PageAssets(), page: import(PAGE) as Promise<PageModule> });
  const by = (c: C): { ticket: string; level: number } => ({ ticket: c.get('session').ticket, level: 15 });

  app.get('/live', level, async (c) => {
    const frame = await control.ask('live', by(c));
    if ('denied' in frame) return refused(c, frame);
    const { assets, page } = parts();
    return c.html((await page).livePage({ frame, history: broadcast.history }, assets.prefix));
  });

  // The same for everybody, and in every copy of fw3640: no login.
  app.get('/live/assets/*', (c) => {
    const found = parts().assets.find(new URL(c.req.url).pathname);
    if (found === undefined) return c.notFound();
    c.header('Content-Type', found.type);
    c.header('Cache-Control', 'public, max-age=31536000, immutable');
    c.header('Vary', 'Accept-Encoding');
    if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')) return c.body(new Uint8Array(found.body));
    c.header('Content-Encoding', 'gzip');
    return c.body(new Uint8Array(found.gzip));
  });

  app.get(LIVE_EVENTS, level, (c) => {
    if (broadcast.viewers >= MOST_VIEWERS) return unavailable(c);
    const endsAt = performance.now() + Math.max(1000, Math.min(LONGEST_MS, settings().life * 1000 - BEFORE_END_MS));
    return streamSSE(c, async (stream) => {
      const outbox = new ViewerOutbox();
      const stop = broadcast.add(outbox);
      stream.onAbort(() => outbox.close());
      try {
        for (let m = await outbox.next(endsAt); m !== undefined; m = await outbox.next(endsAt)) {
          await stream.writeSSE(m);
          if (m.event === 'again') return;
        }
      } finally {
        stop();
      }
    });
  });

  app.get('/live/session/:name{[0-9A-F]{8}(\\.json)?}', level, async (c) => {
    const [session, asJson] = c.req.param('name').split('.') as [string, string?];
    const told = await control.ask('dialogue', { ...by(c), session });
    if ('denied' in told) return refused(c, told);
    if (asJson !== undefined) return c.json(told);
    const { assets, page } = parts();
    return c.html((await page).dialoguePage(told, settings().hostname, assets.prefix));
  });
}

/** The login has ended meanwhile, or too much is asked at once. */
const refused = (c: C, { denied }: Extract<Guarded<LiveFrame>, { denied: string }>): Response =>
  denied === 'busy' || denied === 'login' ? unavailable(c) : c.text('403 Forbidden\n', 403);
