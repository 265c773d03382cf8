/** What `ping` and `traceroute` make of a host: an address, a name of `ip host`, or one that a name server knows. */
import type { RouterConfig } from '../config/model.js';
import type { ConsoleRouter } from '../exec/router.js';
import { formatAddress, parseAddress } from '../ipv4-text.js';

const UNRECOGNIZED = '% Unrecognized host or address, or protocol not running.\n\n';
/** Asked where no name server is configured: IOS broadcasts. Nobody is asked here. */
const BROADCAST = -1;

/** Told how to give up, whenever there is something to wait for. */
export type Waits = (giveUp: () => void) => void;

/** The full name: IOS appends `ip domain-name` to a name without a dot. */
const qualified = (config: RouterConfig, name: string): string =>
  name.includes('.') || config.names.domain === undefined ? name : `${name}.${config.names.domain}`;

function staticAddress(config: RouterConfig, name: string): number | undefined {
  const wanted = [name.toLowerCase(), qualified(config, name).toLowerCase()];
  return config.names.hosts.find((h) => wanted.includes(h.name.toLowerCase()))?.addresses[0];
}

/**
 * Finds the address of a host, and prints how IOS looks for it.
 * @param found called once, perhaps at once; undefined where there is none, which is printed
 */
export function findHost(
  router: ConsoleRouter,
  typed: string,
  print: (text: string) => void,
  waits: Waits,
  found: (address: number | undefined) => void,
): void {
  const config = router.config();
  const known = parseAddress(typed) ?? staticAddress(config, typed);
  if (known !== undefined) {
    found(known);
    return;
  }
  const servers = config.domainLookup ? config.names.servers : [];
  const asked = servers[0] ?? BROADCAST;
  print(`Translating "${typed}"${config.domainLookup ? `...domain server (${formatAddress(asked)})` : ''}`);
  const ask = (i: number): void => {
    const server = servers[i];
    if (server === undefined) {
      print(`\n${UNRECOGNIZED}`);
      found(undefined);
      return;
    }
    if (i > 0) print(` (${formatAddress(server)})`);
    const giveUp = router.names.address(qualified(config, typed), server, (address) => {
      if (address === undefined) {
        ask(i + 1);
        return;
      }
      print(' [OK]\n');
      found(address);
    });
    waits(giveUp);
  };
  ask(0);
}

/**
 * How `traceroute` shows an address: with the name of the host, where `ip host` or a name server has one.
 * @param labelled called once, perhaps at once
 */
export function labelHost(
  router: ConsoleRouter,
  address: number,
  waits: Waits,
  labelled: (text: string) => void,
): void {
  const config = router.config();
  const text = formatAddress(address);
  const named = (name: string): void => labelled(`${name} (${text})`);
  const known = config.names.hosts.find((h) => h.addresses.includes(address));
  const server = config.domainLookup ? config.names.servers[0] : undefined;
  if (known !== undefined) named(known.name);
  else if (server === undefined) labelled(text);
  else {
    const giveUp = router.names.name(address, server, (name) => {
      if (name === undefined) labelled(text);
      else named(name);
    });
    waits(giveUp);
  }
}
