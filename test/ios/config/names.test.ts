/** `ip host`, `ip name-server`, `ip domain-name`: how names are found. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';

const at = (text: string): number => parseAddress(text)!;
const names = (lines: string): unknown => {
  const { config, errors, inert } = parseConfig(lines, 'test.cfg');
  expect([errors, inert]).toEqual([[], []]);
  return config.names;
};

test.each([
  {
    name: 'servers add up, each once, six at most',
    lines:
      'ip name-server 10.0.0.1 10.0.0.2\nip name-server 10.0.0.1 10.0.0.3 10.0.0.4\nip name-server 10.0.0.5 10.0.0.6 10.0.0.7',
    want: { servers: [1, 2, 3, 4, 5, 6].map((n) => at(`10.0.0.${n}`)), hosts: [] },
  },
  {
    name: 'one server of several goes',
    lines: 'ip name-server 10.0.0.1 10.0.0.2 10.0.0.3\nno ip name-server 10.0.0.2',
    want: { servers: [at('10.0.0.1'), at('10.0.0.3')], hosts: [] },
  },
  {
    name: 'a host that is named again has the new address too, however it is spelled',
    lines: 'ip host mail 2001 10.0.0.1\nip host MAIL 10.0.0.2 10.0.0.1',
    want: { servers: [], hosts: [{ name: 'mail', port: 2001, addresses: [at('10.0.0.1'), at('10.0.0.2')] }] },
  },
  {
    name: 'a host goes, with or without its address',
    lines: 'ip host a 10.0.0.1\nip host b 10.0.0.2\nip host c 10.0.0.3\nno ip host A\nno ip host b 10.0.0.2',
    want: { servers: [], hosts: [{ name: 'c', addresses: [at('10.0.0.3')] }] },
  },
  {
    name: 'the domain, in both spellings',
    lines: 'ip domain-name old.example\nip domain name example.net',
    want: { servers: [], hosts: [], domain: 'example.net' },
  },
])('$name', ({ lines, want }) => expect(names(lines)).toEqual(want));

test('what belongs to a VRF has no effect', () => {
  const { config, inert } = parseConfig('ip name-server vrf BLUE 10.0.0.1\nip host vrf BLUE a 10.0.0.2', 'x');
  expect(inert.map((l) => l.text)).toEqual(['ip name-server vrf BLUE 10.0.0.1', 'ip host vrf BLUE a 10.0.0.2']);
  expect(config.names).toEqual({ servers: [], hosts: [] });
});
