/** A probe as `ping` sends it: the router's echo to the inside host. */
import type { Probe } from '../../src/core/probe/probe.js';
import { ip } from './packets.js';

export const ECHO: Probe = {
  kind: 'echo',
  via: 'wire',
  destination: ip('10.10.10.2'),
  source: ip('10.10.10.1'),
  size: 100,
  mtu: 1500,
  ttl: 255,
  tos: 0,
  dontFragment: false,
  pattern: 0xabcd,
  port: 0,
  timeoutMs: 2000,
};
