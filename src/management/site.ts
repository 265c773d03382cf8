/** What all pages have in common: the application they are part of, and whom they ask. */
import type { Hono } from 'hono';
import type { WebSettings } from '../ios/management-plane.js';
import type { Channels } from './control-channel.js';
import type { Env } from './guard.js';

export type App = Hono<Env>;

export interface Site {
  control: Channels;
  settings: () => WebSettings;
}
