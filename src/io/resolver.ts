/** `ip name-server`: asks the configured name servers, never those of the host. */
import { Resolver } from 'node:dns';
import { formatAddress, parseAddress } from '../ios/ipv4-text.js';
import type { NameService } from '../ios/exec/router.js';

/** As IOS waits: `ip domain timeout 3`, `ip domain retry 2`. */
const OPTIONS = { timeout: 3000, tries: 2 };

function ask<T>(
  server: number,
  question: (resolver: Resolver, answer: (error: Error | null, found: string[]) => void) => void,
  read: (found: string[]) => T | undefined,
  done: (answer: T | undefined) => void,
): () => void {
  const resolver = new Resolver(OPTIONS);
  resolver.setServers([formatAddress(server)]);
  let waiting = true;
  question(resolver, (error, found) => {
    if (!waiting) return;
    waiting = false;
    done(error === null ? read(found) : undefined);
  });
  return () => {
    if (!waiting) return;
    waiting = false;
    resolver.cancel();
  };
}

export const nameService: NameService = {
  address: (name, server, done) =>
    ask(
      server,
      (r, answer) => r.resolve4(name, answer),
      ([first]) => parseAddress(first ?? ''),
      done,
    ),
  name: (address, server, done) =>
    ask(
      server,
      (r, answer) => r.reverse(formatAddress(address), answer),
      ([first]) => first,
      done,
    ),
};
