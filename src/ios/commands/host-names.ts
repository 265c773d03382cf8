/** Names of hosts: `ip domain-lookup`, `ip domain-name`, `ip host`, `ip name-server`. For `ping`, `traceroute`. */
import type { ConfigEditor } from '../config/editor.js';
import type { Command } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';

type C = Command<ConfigEditor>;

/** Addresses of a host, and name servers, on one line (IOS command reference). */
const MOST_ADDRESSES = 8;
const MOST_SERVERS = 6;

/** `ADDRESS1:ADDRESS [ADDRESS2:ADDRESS [ …]]` */
const upTo = (most: number, n = 1): string => `ADDRESS${n}:ADDRESS${n === most ? '' : ` [${upTo(most, n + 1)}]`}`;

function addresses(m: Match, most: number): number[] {
  const all: number[] = [];
  for (let n = 1; n <= most && m.has(`ADDRESS${n}`); n++) all.push(m.number(`ADDRESS${n}`));
  return all;
}

const helpFor = (text: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: MOST_ADDRESSES }, (_, i) => [`ADDRESS${i + 1}`, text]));

const isHost = (m: Match): ((h: { name: string }) => boolean) => {
  const name = m.word('HOST').toLowerCase();
  return (h) => h.name.toLowerCase() === name;
};

export const NAME_COMMANDS: readonly C[] = [
  ...['domain-lookup', 'domain lookup'].map((words): C => ({
    syntax: `ip ${words}`,
    help: {
      'domain-lookup': 'Enable IP Domain Name System hostname translation',
      domain: 'IP DNS Resolver',
      lookup: 'Enable IP Domain Name System hostname translation',
    },
    set: ({ config }) => void (config.domainLookup = true),
    unset: ({ config }) => void (config.domainLookup = false),
    reset: ({ config }) => void (config.domainLookup = true),
  })),
  ...['domain-name', 'domain name'].map((words): C => ({
    syntax: `ip ${words} DOMAIN:WORD`,
    unsetSyntax: `ip ${words} [DOMAIN:WORD]`,
    help: {
      'domain-name': 'Define the default domain name',
      'domain name': 'Define the default domain name',
      DOMAIN: 'Default domain name',
    },
    set: ({ config }, m) => void (config.names.domain = m.word('DOMAIN')),
    unset: ({ config }) => {
      delete config.names.domain;
    },
  })),
  {
    // A name that is given again gets the new addresses too, behind the ones it has.
    syntax: `ip host HOST:WORD [PORT:<0-65535>] ${upTo(MOST_ADDRESSES)}`,
    unsetSyntax: `ip host HOST:WORD [OPTIONS:LINE]`,
    help: {
      host: 'Add an entry to the ip hostname table',
      HOST: 'Name of host',
      PORT: 'Default telnet port number',
      ...helpFor('Host IP address'),
    },
    set: ({ config: { names } }, m) => {
      let host = names.hosts.find(isHost(m));
      if (host === undefined) names.hosts.push((host = { name: m.word('HOST'), addresses: [] }));
      const all = new Set([...host.addresses, ...addresses(m, MOST_ADDRESSES)]);
      host.addresses = [...all].slice(0, MOST_ADDRESSES);
      if (m.has('PORT')) host.port = m.number('PORT');
    },
    unset: ({ config: { names } }, m) => {
      const is = isHost(m);
      names.hosts = names.hosts.filter((h) => !is(h));
    },
  },
  {
    syntax: `ip name-server ${upTo(MOST_SERVERS)}`,
    help: {
      'name-server': 'Specify address of name server to use',
      ...helpFor('Domain server IP address (maximum of 6)'),
    },
    set: ({ config: { names } }, m) => {
      names.servers = [...new Set([...names.servers, ...addresses(m, MOST_SERVERS)])].slice(0, MOST_SERVERS);
    },
    unset: ({ config: { names } }, m) => {
      const gone = addresses(m, MOST_SERVERS);
      names.servers = names.servers.filter((s) => !gone.includes(s));
    },
  },
];
