/**
 * `--metrics ADDRESS:PORT`: GET /metrics and nothing else, without a login. Whoever reaches the port reads counters: it is
 * the loopback's unless an address is given. Of several who ask at a time, all get one answer.
 */
import { Hono } from 'hono';
import type { WebSettings } from '../ios/management-plane.js';
import { METRICS_TYPE } from '../ios/metrics/prometheus.js';
import type { App } from './site.js';
import type { Channels } from './control-channel.js';
import { type Env, failed, headers } from './guard.js';

/** A Prometheus or two, and who looks by hand. */
export const METRICS_SETTINGS: WebSettings = {
  hostname: 'metrics',
  maxConnections: 8,
  idle: 120,
  life: 3600,
  requests: 1000,
};

export function makeMetricsApp(control: Channels): App {
  const app: App = new Hono<Env>();
  let scrape: Promise<string> | undefined;
  app.use(headers);
  app.onError(failed);
  app.notFound((c) => c.text('404 Not Found: /metrics is here\n', 404));
  app.get('/metrics', async (c) => {
    scrape ??= control.ask('metrics', {}).finally(() => (scrape = undefined));
    return c.body(await scrape, 200, { 'Content-Type': METRICS_TYPE });
  });
  app.all('/metrics', (c) => c.text('405 Method Not Allowed\n', 405, { Allow: 'GET, HEAD' }));
  return app;
}
