/**
 * Whole configurations of the kinds that IOS 12.x routers ran: a DSL office as AutoSecure leaves it, a branch with VPN,
 * sub-interfaces and routing, a voice gateway whose listing lost its indentation, a wireless router as copied from a
 * terminal, a chassis with VLANs and VRFs. Each line is acted on or reported.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatConfigError, parseConfig } from '../../../src/ios/config/parse.js';
import type { ParsedConfig } from '../../../src/ios/config/parse.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';

const directory = 'test/ios/config/real';
const read = (file: string): ParsedConfig => parseConfig(readFileSync(`${directory}/${file}`, 'utf8'), file);
const messages = (parsed: ParsedConfig, severity: string): string[] =>
  parsed.errors.filter((e) => e.severity === severity).map(formatConfigError);

describe.each(readdirSync(directory))('%s', (file) => {
  const parsed = read(file);

  test('is taken whole', () => expect(messages(parsed, 'error')).toEqual([]));

  test('prints a configuration that says the same', () => {
    const printed = runningConfig(parsed.config);
    const again = parseConfig(printed, 'printed');
    expect(messages(again, 'error')).toEqual([]);
    expect(runningConfig(again.config)).toBe(printed);
    expect(again.inert.map((l) => l.text).sort()).toEqual(parsed.inert.map((l) => l.text).sort());
  });
});

test('of the DSL office, filters, translation and inspection take effect', () => {
  const { config } = read('dsl-office.cfg');
  const dialer = config.interfaces.find((i) => i.name === 'Dialer1');
  expect(dialer).toMatchObject({ accessGroupIn: '111', inspectOut: 'autosec_inspect', nat: 'outside' });
  expect(config.accessLists.get('111')?.entries).toHaveLength(18); // the line in the banner is not one
  expect(config.accessLists.get('autosec_complete_bogon')?.entries).toHaveLength(5);
  expect(config.nat.staticEntries.map((s) => s.ports?.insideGlobal)).toEqual([25, 443]);
  expect(config.inspectionRules.get('autosec_inspect')?.protocols.map((p) => p.protocol)).toEqual([
    'ftp',
    'http',
    'smtp',
    'udp',
    'tcp',
  ]);
});

test('of the branch, what protects less here than there is said', () => {
  const parsed = read('branch-vpn.cfg');
  const warnings = parsed.errors.map((e) => `${e.text.trim()}: ${e.reason}`);
  expect(warnings).toContain('ip verify unicast reverse-path: reverse path forwarding is not checked');
  expect(warnings).toContain('crypto map VPN: traffic is not encrypted, and unencrypted traffic is not refused');
  expect(warnings).toContain('service-policy output WAN: the policy map is not enforced');
  expect(parsed.config.accessLists.get('OUTSIDE-IN')?.entries).toHaveLength(14);
  expect(parsed.config.lines.find((l) => l.kind === 'vty')).toMatchObject({ last: 4, accessClassIn: 'MGMT' });
});

const noGateway = 'no gateway is learned here: give it with ip route PREFIX MASK ADDRESS';
const noAddress = 'no address is learned here: give the one of the box with ip address ADDRESS MASK';

test('of the wireless router, what protects less here than there is said, and the prompts around the listing are none of it', () => {
  const parsed = read('wireless-dsl.cfg');
  expect(parsed.errors.map((e) => `${e.text.trim()}: ${e.reason}`)).toEqual([
    'security authentication failure rate 4 log: failures are not counted by this line: login block-for is done',
    'enable last-resort password: AAA is not done: enable asks for its own password',
    'ip options drop: packets with IP options are not dropped',
    'ip inspect name OUT fragment maximum 256 timeout 15: fragments are limited by ip virtual-reassembly, not by this line',
    'username anna autocommand show clock: the user gets a command line, where the router carries this out and hangs up',
    'username guest access-class 12: terminal lines of this user are not filtered',
    `ip address dhcp: ${noAddress}`,
    'ip verify unicast reverse-path allow-self-ping: reverse path forwarding is not checked',
    `ip address negotiated: ${noAddress}`,
    'ip policy route-map VIA-TUNNEL: policy routing is not done: what it would send elsewhere, or nowhere, passes',
    `ip route 10.0.0.0 255.0.0.0 dhcp: ${noGateway}`,
    `ip route 203.0.113.255 255.255.255.255 dhcp: ${noGateway}`,
    'ip route 0.0.0.0 0.0.0.0 Virtual-PPP1 track 5: objects are not tracked: the route always counts',
    'service-policy input POLICE: the policy map is not enforced: nothing polices traffic to the router',
  ]);
  const outside = parsed.config.interfaces.find((i) => i.name === 'FastEthernet4');
  expect(outside).toMatchObject({ accessGroupIn: 'FROM-OUTSIDE', inspectOut: 'OUT', nat: 'outside' });
  expect(outside?.virtualReassembly).toBeDefined();
  expect(parsed.config.interfaces.find((i) => i.name === 'BVI1')?.addresses).toHaveLength(1);
  expect(parsed.config.routes).toHaveLength(1);
});

test('of the chassis, lists take effect where VLANs have none, and VRFs that are none are said', () => {
  const { config, errors, inert } = read('core-chassis.cfg');
  expect(config.interfaces.find((i) => i.name === 'Vlan100')?.accessGroupIn).toBe('EDGE');
  expect(errors.map((e) => e.reason)).toEqual([
    'there is one routing table: traffic passes between VRFs',
    'routing protocols are not run: only connected networks and ip route count',
  ]);
  expect(inert.find((l) => l.text === 'name UPLINK')?.block).toBe('vlan 13');
  expect(config.routes).toHaveLength(2);
});

test('a listing without indentation keeps the lines of its blocks, and nothing else in them', () => {
  const { config, inert } = read('voice-gateway-flat.cfg');
  const blockOf = (text: string): string | undefined => inert.find((l) => l.text === text)?.block;
  expect(blockOf('pri-group timeslots 1-24')).toBe('controller T1 2/0');
  expect(blockOf('no vad')).toBe('dial-peer voice 3660110 voip');
  expect(blockOf('ring-speed 16')).toBe('interface TokenRing3/0');
  expect(config.accessLists.get('101')?.entries).toHaveLength(2);
  expect(config.routes).toHaveLength(1);
});
