/** The two words that IOS has for the state of an interface: the link's and the line protocol's. */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { InterfaceConfig } from '../config/model.js';

export interface LinkState {
  link: 'up' | 'down' | 'administratively down';
  protocol: 'up' | 'down';
}

/** An interface that no Linux interface is bound to is down, but for those that need none. */
export function linkState(i: InterfaceConfig, live: readonly InterfaceSnapshot[]): LinkState {
  if (i.shutdown) return { link: 'administratively down', protocol: 'down' };
  const up = live.find((l) => l.name === i.name)?.lineUp ?? /^(?:Loopback|Null)/.test(i.name);
  return up ? { link: 'up', protocol: 'up' } : { link: 'down', protocol: 'down' };
}
