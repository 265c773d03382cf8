/**
 * What stands in front of every page: the headers of an answer, who asks, and that nobody else's page has him ask.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { type Channels, NoAnswer } from './control-channel.js';

/** Somebody who has logged in, as long as one request lasts. */
export interface WebSession {
  ticket: string;
  /** 1 or 15. */
  privilege: number;
  name: string;
  /** Stands in each form: no other page knows it. */
  token: string;
}

export interface Env {
  Bindings: HttpBindings;
  Variables: { session: WebSession };
}
export type C = Context<Env>;

const MOST_CREDENTIALS = 512; // characters

/** Nothing of other hosts, nothing inline, in no frame, kept by nobody. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const headers: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  const set = (name: string, value: string): void => c.res.headers.set(name, value);
  set('Server', 'cisco-IOS');
  set('Accept-Ranges', 'none');
  set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  set('X-Frame-Options', 'DENY');
  set('X-Content-Type-Options', 'nosniff');
  set('Referrer-Policy', 'no-referrer');
  // Browsers complain of it where the connection is not a secure one.
  if (c.req.url.startsWith('https:')) set('Cross-Origin-Opener-Policy', 'same-origin');
  set('Cross-Origin-Resource-Policy', 'same-origin');
  if (!c.res.headers.has('Cache-Control')) set('Cache-Control', 'no-store');
};

/** Lets in who has logged in with at least this privilege level: 1 to 15. Others are asked for name and password. */
export const requires =
  (control: Channels, level: number | ((c: C) => number | undefined)): MiddlewareHandler<Env> =>
  async (c, next) => {
    const needed = typeof level === 'number' ? level : level(c);
    if (needed === undefined) return c.notFound();
    const typed = credentials(c.req.header('authorization'));
    if (typed === undefined) return challenge(c, needed);
    const { remoteAddress = '', localPort = 0 } = c.env.incoming.socket;
    const login = await control.ask('login', { ...typed, address: remoteAddress, port: localPort });
    if ('refused' in login) return login.refused === 'busy' ? unavailable(c) : challenge(c, needed);
    // As on the command line: levels between have the commands of level 1 here.
    if ((needed === 15 ? 15 : 1) > login.privilege) return challenge(c, needed);
    c.set('session', { ...login, token: tokenOf(login.ticket) });
    await next();
    return undefined;
  };

/** As a 3640 asks. */
function challenge(c: C, level: number): Response {
  c.header('WWW-Authenticate', `Basic realm="level_${level}_access"`);
  return c.text('401 Unauthorized\n', 401);
}

export function unavailable(c: C): Response {
  c.header('Retry-After', '2');
  return c.text('503 Service Unavailable\n', 503);
}

/** What goes wrong in a page: the control plane that does not answer, or a fault of ours, of which nothing is told. */
export function failed(error: Error, c: C): Response {
  if (error instanceof NoAnswer) return unavailable(c);
  console.error(error.stack);
  return c.text('500 Internal Server Error\n', 500);
}

/** Name and password of Basic authentication (RFC 7617); undefined: there are none. */
export function credentials(header: string | undefined): { user: string; password: string } | undefined {
  const coded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? '')?.[1];
  if (coded === undefined || coded.length > MOST_CREDENTIALS * 2) return undefined;
  const text = Buffer.from(coded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0 || text.length > MOST_CREDENTIALS) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * In front of all that changes something. A browser sends name and password along with whatever another page has it ask
 * for: that page has another origin, and does not know the token of our forms.
 */
export const ownPage: MiddlewareHandler<Env> = async (c, next) => {
  const { origin } = new URL(c.req.url);
  const from = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  const isForeign = (from !== undefined && from !== origin) || (site !== undefined && site !== 'same-origin');
  const type = c.req.header('content-type') ?? '';
  if (!isForeign && /^application\/x-www-form-urlencoded(?:;|$)/i.test(type)) {
    const { token } = await c.req.parseBody();
    if (typeof token === 'string' && sameText(token, c.get('session').token)) {
      await next();
      return undefined;
    }
  }
  return c.text('403 Forbidden\n', 403);
};

const key = randomBytes(32);

const tokenOf = (ticket: string): string => createHmac('sha256', key).update(ticket).digest('base64url');

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
