/**
 * Our netfilter rules, as text for iptables-restore: a chain of our own at each hook, replaced in one transaction, so
 * that there is no moment with half of them. Works with iptables-nft and iptables-legacy.
 *
 * Two locks: raw PREROUTING sends all packets to the queue, and what the queue has passed carries a mark without which
 * nothing that came in by our interfaces is forwarded or delivered. A routing rule asks for the same mark
 * (`host-plan.ts`), so that the flushing of all of iptables opens nothing either.
 */
import type { Steering } from '../core/shard/steering.js';
import { type Origin, steeringRules } from './steering.js';

const CHAIN = 'FW3640';

/** The mark of packets that the queue has passed, and the bits that it takes. As FWQ_MARK in native/fwq.h. */
export const PASSED_MARK = '0x36400000/0xfff00000';

export interface QueueRules {
  devices: readonly string[];
  /** Of shard 0; the other shards have those behind it. */
  queue: number;
  failOpen: boolean;
  /** Which shard a packet is for; undefined: there is one. */
  steering?: Steering | undefined;
}

/** Where a chain of ours hangs. `existing` is what `iptables -t TABLE -S` prints. */
export interface Table {
  name: 'raw' | 'mangle' | 'filter';
  hook: 'PREROUTING' | 'INPUT' | 'OUTPUT' | 'FORWARD';
  /** Name of the chain. Default: FW3640. */
  chain?: string;
  existing: string;
}

/**
 * raw PREROUTING: every IPv4 packet of our interfaces goes to a queue, untracked by the kernel's own conntrack.
 * With --queue-bypass (fail-open) packets pass while nobody reads the queue; without it they are dropped.
 * @param outside those of the devices that are NAT's outside
 */
export function queueChain(table: Table, rules: QueueRules, outside: readonly string[] = []): string {
  const { devices, queue } = rules;
  const origin = (device: string): Origin => (outside.includes(device) ? 'outside' : 'inside');
  return replaceChain(
    table,
    devices.map((device) => `-i ${device}`),
    [
      '-j CT --notrack',
      ...devices.flatMap((device) => steered(`-i ${device}`, rules, origin(device))),
      toQueue(queue, rules),
    ],
  );
}

const toQueue = (queue: number, { failOpen }: QueueRules): string =>
  `-j NFQUEUE --queue-num ${queue}${failOpen ? ' --queue-bypass' : ''}`;

/** The rules that take what is not for shard 0 out of what `match` matches. */
const steered = (match: string, rules: QueueRules, origin: Origin): string[] =>
  rules.steering === undefined
    ? []
    : steeringRules(rules.steering, origin).map((r) => `${match} ${r.match} ${toQueue(rules.queue + r.shard, rules)}`);

/** ICMP types that quote a packet: unreachable, time exceeded, parameter problem. */
const QUOTING_TYPES = [3, 11, 12];

/**
 * mangle OUTPUT: ICMP errors of the router's own kernel go to the queue too. They quote packets that NAT has
 * translated already: towards outside they would show inside local addresses, and those about packets from inside are
 * addressed to an inside global address, which is this machine's own (`-o lo`). mangle routes a packet again that the
 * queue gives back with another destination.
 * @param rules devices: the Linux interfaces of `ip nat outside`
 */
export function errorChain(table: Table, rules: QueueRules): string {
  return replaceChain(
    table,
    [...rules.devices.map((device) => `-o ${device} -p icmp`), '! -d 127.0.0.0/8 -o lo -p icmp'],
    QUOTING_TYPES.flatMap((type) => {
      const match = `-p icmp -m icmp --icmp-type ${type}`;
      return [
        ...steered(`-o lo ${match}`, rules, 'quoted-from-inside'),
        ...steered(`! -o lo ${match}`, rules, 'quoted-from-outside'),
        `${match} ${toQueue(rules.queue, rules)}`,
      ];
    }),
  );
}

/**
 * filter FORWARD, IPv4: only the router's own interfaces exchange packets. What comes in by another NIC of the box
 * was in no queue, and the 3640 of the configuration has no such interface: neither reaches the other. What the queue
 * has not passed goes nowhere, unless it is to fail open.
 */
export function isolationChain(table: Table, devices: readonly string[], failOpen: boolean): string {
  const between = devices.flatMap((from) => devices.map((to) => `-i ${from} -o ${to} -j RETURN`));
  return replaceChain(table, [''], [...(failOpen ? [] : dropUnmarked(devices)), ...between, ...dropAny(devices)]);
}

/** filter INPUT, IPv4: nor is it delivered to the router itself. Not for a router that fails open. */
export function deliveryChain(table: Table, devices: readonly string[]): string {
  return replaceChain(table, [''], dropUnmarked(devices));
}

const dropUnmarked = (devices: readonly string[]): string[] =>
  devices.map((device) => `-i ${device} -m mark ! --mark ${PASSED_MARK} -j DROP`);

/** filter FORWARD, IPv6: this IOS has no IPv6, so none is forwarded from or to the router's interfaces. */
export function ipv6Chain(table: Table, devices: readonly string[]): string {
  return replaceChain(table, [''], dropAny(devices));
}

const dropAny = (devices: readonly string[]): string[] =>
  devices.flatMap((device) => [`-i ${device} -j DROP`, `-o ${device} -j DROP`]);

/** @returns input for `iptables-restore --noflush` that hangs our chain first in its hook, once per match. */
function replaceChain(table: Table, matches: readonly string[], rules: readonly string[]): string {
  return [
    `*${table.name}`,
    `:${chainOf(table)} - [0:0]`, // declares the chain, or empties it
    ...unhook(table),
    ...matches.map((match, i) => `-I ${table.hook} ${i + 1} ${match} -j ${chainOf(table)}`.replace('  ', ' ')),
    ...rules.map((rule) => `-A ${chainOf(table)} ${rule}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** @returns input for `iptables-restore --noflush` that removes our chain; undefined if there is nothing of ours. */
export function removeChain(table: Table): string | undefined {
  if (!hasChain(table)) return undefined;
  const chain = chainOf(table);
  return [`*${table.name}`, ...unhook(table), `-F ${chain}`, `-X ${chain}`, 'COMMIT', ''].join('\n');
}

const chainOf = (table: Pick<Table, 'chain'>): string => table.chain ?? CHAIN;

export const hasChain = (table: Table): boolean => lines(table).includes(`-N ${chainOf(table)}`);

/** @returns true if the hook drops what no rule matches, as Docker sets FORWARD. */
export const dropsByDefault = (table: Table): boolean => lines(table).includes(`-P ${table.hook} DROP`);

const lines = (table: Table): string[] => table.existing.split('\n').map((line) => line.trim());

/** The jumps to our chain that are there, whoever left them, as deletions. */
const unhook = (table: Table): string[] =>
  lines(table)
    .filter((line) => line.startsWith(`-A ${table.hook} `) && line.endsWith(` -j ${chainOf(table)}`))
    .map((line) => `-D${line.slice(2)}`);

/**
 * Signs that connection tracking is at work in this network namespace, which puts fragments together before our
 * rules see them, so that `ip virtual-reassembly` has nothing to do.
 * @param rules `iptables-save` (both families), @param tracked nf_conntrack_count
 */
export function conntrackSigns(rules: string, tracked: number): string[] {
  const signs: string[] = [];
  const used = /^-A .*(-m conntrack|-m state|-m connmark|-j (MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP|CONNMARK)).*$/m.exec(
    rules,
  );
  if (used !== null) signs.push(`the rule '${used[0]}'`);
  if (tracked > 0) signs.push(`${tracked} tracked connections`);
  return signs;
}

/** Name of a chain of ours. */
const OURS = new RegExp(`^${CHAIN}(-INPUT)?$`);

/** How many rules of ours, jumps to them included, are in the input of `iptables-restore` or the output of `-save`. */
export const countRules = (text: string): number =>
  text.split('\n').filter((line) => {
    const [option, name = ''] = line.trim().split(' ', 2);
    return (option === '-A' || option === '-I') && (OURS.test(name) || OURS.test(line.trim().split(' ').at(-1)!));
  }).length;

/**
 * What `iptables-save` says of our chains, and of the rules that a packet meets before it is sent there: as long as it
 * is the same, our rules have their effect.
 */
export function ownRules(saved: string): string {
  const kept: string[] = [];
  let before: string[] = [];
  let chain = '';
  for (const line of saved.split('\n')) {
    const [option, name = ''] = line.trim().split(' ', 2);
    if (option?.startsWith('*') === true) kept.push(option);
    if (option !== '-A') continue;
    if (name !== chain) before = [];
    chain = name;
    before.push(line.trim());
    if (!OURS.test(name) && !OURS.test(line.trim().split(' ').at(-1)!)) continue;
    kept.push(...before);
    before = [];
  }
  return kept.join('\n');
}
