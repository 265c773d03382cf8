/** The part of 3640.cfg that concerns the host, built by hand: two interfaces, two static translations, one route. */
import { emptyConfig, interfaceDefaults } from '../../src/ios/config/defaults.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { netmask, parseAddress } from '../../src/ios/ipv4-text.js';

/** int32 of dotted decimal; the text is known to be good. */
export const address = (text: string): number => parseAddress(text) ?? NaN;

export const BINDINGS: ReadonlyMap<string, string> = new Map([
  ['Ethernet2/0', 'outside'],
  ['Ethernet2/1', 'inside'],
]);

export function routerConfig(change: (config: RouterConfig) => void = () => undefined): RouterConfig {
  const config = emptyConfig();
  const ethernet = (name: string, own: string) => ({
    ...interfaceDefaults(name),
    addresses: [{ address: address(own), mask: netmask(24) }],
  });
  config.interfaces = [
    { ...ethernet('Ethernet2/0', '172.22.1.16'), nat: 'outside' },
    { ...interfaceDefaults('Serial2/0'), shutdown: true },
    { ...ethernet('Ethernet2/1', '10.10.10.1'), nat: 'inside' },
  ];
  config.nat.staticEntries = [
    { insideLocal: address('10.10.10.2'), insideGlobal: address('172.22.1.110') },
    { insideLocal: address('10.10.10.5'), insideGlobal: address('172.22.1.111') },
  ];
  config.routes = [{ prefix: 0, mask: 0, nextHop: address('172.22.1.1'), distance: 1 }];
  change(config);
  return config;
}
