/** `show …` */
import { ALIAS_MODES } from '../config/aliases.js';
import { showAliases } from '../show/aliases.js';
import { showPortMap } from '../show/port-map.js';
import { showArp } from '../show/ip-arp.js';
import { showClock } from '../show/clock.js';
import { showDebugging } from '../show/debugging.js';
import { showHttpConnections, showHttpSecureStatus, showHttpStatus } from '../show/ip-http.js';
import { showHosts } from '../show/hosts.js';
import { showInterfaces } from '../show/interfaces.js';
import { showInterfacesDescription } from '../show/interfaces-description.js';
import { showInventory } from '../show/inventory.js';
import { showMemory } from '../show/memory.js';
import { showIpInterface, showIpInterfaceBrief } from '../show/ip-interface.js';
import { showIpRoute, showIpRouteOf } from '../show/ip-route.js';
import { showIpRouteEntry, showIpRouteSummary } from '../show/ip-route-entry.js';
import { showIpTraffic } from '../show/ip-traffic.js';
import { showLine, showTerminal } from '../show/lines.js';
import { showLogin, showLoginFailures } from '../show/login.js';
import { showLogging } from '../show/logging.js';
import { showProcesses, showProcessesCpu, showProcessesMemory } from '../show/processes.js';
import { droppedPackets, showTechSupport } from '../show/tech-support.js';
import { showInterceptConnections, showInterceptStatistics } from '../show/tcp-intercept.js';
import { showUsers } from '../show/users.js';
import { showVersion } from '../show/version.js';
import { showVirtualReassembly } from '../show/virtual-reassembly.js';
import { showAccessLists } from '../show/access-lists.js';
import { showInspectAll, showInspectConfig, showInspectInterfaces, showInspectName } from '../show/ip-inspect.js';
import { showSessions } from '../show/ip-inspect-sessions.js';
import { showInspectStatistics } from '../show/ip-inspect-statistics.js';
import { showNatStatistics, showTranslations } from '../show/ip-nat.js';
import { showRunningConfig, showRunningInterface, showStartupConfig } from '../show/running-config.js';
import type { ViewName } from '../../core/state/snapshot.js';
import type { Help } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { loginWatch } from './login-watch.js';
import type { ConsoleRouter } from './router.js';
import { usersOf, usesOf } from './terminal-users.js';
import type { Exec, ExecCommand } from './context.js';

/** A command that only prints. @param reads what it needs of the data plane's state */
function show(
  privilege: ExecCommand['privilege'],
  syntax: string,
  help: Help,
  text: (router: ConsoleRouter, m: Match, exec: Exec) => string,
  reads: readonly ViewName[] = [],
): ExecCommand {
  return { privilege, syntax, help, reads, set: (exec, m) => exec.print(text(exec.router, m, exec)) };
}

const INSPECT_HELP: Help = {
  show: 'Show running system information',
  ip: 'IP information',
  inspect: 'CBAC (Context Based Access Control) information',
  'inspect all': 'Inspection all available information',
  config: 'Inspection configuration',
  'inspect interfaces': 'Inspection interfaces',
  'inspect name': 'Inspection name',
  RULE: 'Inspection rule name',
  sessions: 'Inspection sessions',
  detail: 'Detailed information',
  'inspect statistics': 'Inspection statistics',
};

const PORT_MAP_HELP: Help = {
  'port-map': 'Port to Application Mapping (PAM) information',
  APPLICATION: 'Application name',
  'port-map port': 'Mappings of a port',
  NUMBER: 'Port number',
};
const HTTP_HELP: Help = {
  http: 'HTTP information',
  'http server': 'HTTP server information',
  'server status': 'HTTP server status',
  'server connection': 'HTTP server connection information',
  'server all': 'HTTP server all information',
  'server secure': 'HTTP secure server information',
  'secure status': 'HTTP secure server status',
};
const MEMORY_HELP: Help = {
  'show memory': 'Memory statistics',
  summary: 'Summary of memory usage per alloc PC',
  'memory statistics': 'Memory pool statistics',
};

export const SHOW_COMMANDS: readonly ExecCommand[] = [
  show(1, 'show ip inspect all', INSPECT_HELP, (r) => showInspectAll(r.config(), r.snapshot), ['sessions']),
  show(1, 'show ip inspect config', INSPECT_HELP, (r) => showInspectConfig(r.config())),
  show(1, 'show ip inspect interfaces', INSPECT_HELP, (r) => showInspectInterfaces(r.config())),
  show(1, 'show ip inspect name RULE:WORD', INSPECT_HELP, (r, m) => showInspectName(r.config(), m.word('RULE'))),
  show(1, 'show ip inspect sessions [detail]', INSPECT_HELP, (r, m) => showSessions(r.snapshot, m.has('detail')), [
    'sessions',
  ]),
  // fw3640's own: for who looks again and again.
  show(
    1,
    'show ip inspect sessions recent',
    { recent: 'Sessions that were heard of last' },
    (r) => showSessions({ sessions: () => r.snapshot.recent() }, true),
    ['recent'],
  ),
  show(1, 'show ip inspect statistics', INSPECT_HELP, (r) => showInspectStatistics(r.config(), r.snapshot), [
    'inspection',
    'counters',
  ]),
  show(
    1,
    'show tcp intercept connections',
    {
      'show tcp': 'Status of TCP connections',
      intercept: 'TCP intercept information',
      connections: 'Incomplete and established connections',
    },
    (r) => showInterceptConnections(r.snapshot),
    ['intercept'],
  ),
  show(
    1,
    'show tcp intercept statistics',
    { 'intercept statistics': 'TCP intercept statistics' },
    (r) => showInterceptStatistics(r.config(), r.snapshot),
    ['intercept'],
  ),
  show(
    1,
    'show ip nat translations [PROTOCOL:{icmp | tcp | udp}] [verbose]',
    {
      nat: 'IP NAT information',
      translations: 'Translation entries',
      icmp: 'Translation entries of ICMP',
      tcp: 'Translation entries of TCP',
      udp: 'Translation entries of UDP',
      verbose: 'Show extra information',
    },
    (r, m) => {
      const protocol = m.optionalWord('PROTOCOL');
      return showTranslations(r.snapshot, m.has('verbose'), (t) => protocol === undefined || t.protocol === protocol);
    },
    ['translations'],
  ),
  show(
    1,
    'show ip nat translations inside [GLOBAL:ADDRESS] [verbose]',
    { 'translations inside': 'Translation entries of inside hosts', GLOBAL: 'Inside global IP address' },
    (r, m) => {
      const global = m.optionalNumber('GLOBAL');
      return showTranslations(r.snapshot, m.has('verbose'), (t) => global === undefined || t.insideGlobal === global);
    },
    ['translations'],
  ),
  show(
    1,
    'show ip nat translations outside [OUTSIDE:ADDRESS] [verbose]',
    { 'translations outside': 'Translation entries of an outside host', OUTSIDE: 'Outside IP address' },
    // Outside addresses are not translated here: without an address there is no entry of their own.
    (r, m) => {
      const outside = m.optionalNumber('OUTSIDE');
      return showTranslations(r.snapshot, m.has('verbose'), (t) => outside !== undefined && t.outside === outside);
    },
    ['translations'],
  ),
  show(
    1,
    'show ip nat statistics',
    { 'nat statistics': 'Translation statistics' },
    (r) => showNatStatistics(r.config(), r.snapshot),
    ['translations', 'counters'],
  ),
  show(
    1,
    'show access-lists [LIST:WORD]',
    { 'access-lists': 'List access lists', LIST: 'ACL name or number' },
    (r, m) => showAccessLists(r.config(), r.snapshot, m.optionalWord('LIST')),
    ['aclMatches'],
  ),
  show(
    1,
    'show ip access-lists [LIST:WORD]',
    { 'ip access-lists': 'List IP access lists' },
    (r, m) => showAccessLists(r.config(), r.snapshot, m.optionalWord('LIST')),
    ['aclMatches'],
  ),
  show(15, 'show running-config', { 'running-config': 'Current operating configuration' }, (r) =>
    showRunningConfig(r.config()),
  ),
  show(
    15,
    'show running-config interface INTERFACE:INTERFACE',
    { 'running-config interface': 'Show interface configuration' },
    (r, m) => showRunningInterface(r.config(), m.word('INTERFACE')),
  ),
  show(15, 'show startup-config', { 'startup-config': 'Contents of startup configuration' }, (r) =>
    showStartupConfig(r.startupConfig()),
  ),
  show(15, 'show configuration', { configuration: 'Contents of Non-Volatile memory' }, (r) =>
    showStartupConfig(r.startupConfig()),
  ),
  show(
    1,
    'show ip interface [brief] [INTERFACE:INTERFACE]',
    { 'ip interface': 'IP interface status and configuration', brief: 'Brief summary of IP status and configuration' },
    (r, m) =>
      (m.has('brief') ? showIpInterfaceBrief : showIpInterface)(
        r.config(),
        r.system.interfaces(),
        m.optionalWord('INTERFACE'),
      ),
  ),
  show(1, 'show interfaces [INTERFACE:INTERFACE]', { interfaces: 'Interface status and configuration' }, (r, m) =>
    showInterfaces(r.config(), r.system.interfaces(), m.optionalWord('INTERFACE')),
  ),
  show(1, 'show interfaces [INTERFACE:INTERFACE] description', { description: 'Show interface description' }, (r, m) =>
    showInterfacesDescription(r.config(), r.system.interfaces(), m.optionalWord('INTERFACE')),
  ),
  show(1, 'show ip route', { 'ip route': 'IP routing table' }, (r) =>
    showIpRoute(r.config(), r.system.interfaces(), r.snapshot.mapped),
  ),
  show(
    1,
    'show ip route KIND:{connected | static}',
    { 'ip route connected': 'Connected', 'ip route static': 'Static routes' },
    (r, m) =>
      showIpRouteOf(m.word('KIND') === 'static' ? 'S' : 'C', r.config(), r.system.interfaces(), r.snapshot.mapped),
  ),
  show(1, 'show ip route summary', { 'route summary': 'Summary of all routes' }, (r) =>
    showIpRouteSummary(r.config(), r.system.interfaces(), r.snapshot.mapped),
  ),
  show(
    1,
    'show ip route PREFIX:ADDRESS [MASK:MASK]',
    { PREFIX: 'Network to display information about', 'route PREFIX MASK': 'Network mask' },
    (r, m) =>
      showIpRouteEntry(
        r.config(),
        r.system.interfaces(),
        r.snapshot.mapped,
        m.number('PREFIX'),
        m.optionalNumber('MASK'),
      ),
  ),
  show(1, 'show ip arp', { 'ip arp': 'IP ARP table' }, (r) => showArp(r.system.arp())),
  show(1, 'show arp', { arp: 'ARP table' }, (r) => showArp(r.system.arp())),
  show(
    1,
    'show ip virtual-reassembly [INTERFACE:INTERFACE]',
    { 'virtual-reassembly': 'Information on virtual reassembly' },
    (r, m) => showVirtualReassembly(r.config(), r.snapshot, m.optionalWord('INTERFACE')),
    ['reassembly'],
  ),
  show(1, 'show version', { version: 'System hardware and software status' }, (r) => showVersion(r.config(), r.system)),
  show(
    1,
    'show clock [detail]',
    { clock: 'Display the system clock', 'clock detail': 'Display detailed information' },
    (r, m) => showClock(r.config(), r.system.now(), m.has('detail')),
  ),
  show(1, 'show hosts', { hosts: 'IP domain-name, lookup style, nameservers, and host table' }, (r) =>
    showHosts(r.config()),
  ),
  show(
    1,
    'show ip traffic',
    { traffic: 'IP protocol statistics' },
    (r) => showIpTraffic(r.system.ipCounters(), droppedPackets(r)),
    ['counters'],
  ),
  // Static routes belong to no protocol: a router without one says nothing.
  show(1, 'show ip protocols', { protocols: 'IP routing protocol process parameters and statistics' }, () => ''),
  show(1, 'show line', { 'show line': 'TTY line information' }, (r) =>
    showLine(r.config(), usersOf(r), (line) => usesOf(r, line)),
  ),
  show(1, 'show terminal', { 'show terminal': 'Display terminal configuration parameters' }, (r, _m, { terminal }) =>
    showTerminal(terminal, r.system.uptimeMs()),
  ),
  show(15, 'show tech-support', { 'tech-support': 'Show system information for Tech-Support' }, showTechSupport, [
    'counters',
    'aclMatches',
    'sessions',
    'inspection',
    'translations',
  ]),
  show(15, 'show logging', { logging: 'Show the contents of logging buffers' }, (r) =>
    showLogging(r.config().logging, r.log),
  ),
  show(15, 'show login', { login: 'Display Secure Login Configurations and State' }, (r) =>
    showLogin(r.config(), loginWatch(r)),
  ),
  show(15, 'show login failures', { 'login failures': 'Display information about failed login attempts' }, (r) =>
    showLoginFailures(loginWatch(r)),
  ),
  show(1, 'show processes', { processes: 'Active process statistics' }, (r) => showProcesses(r.system)),
  // There is one process: it is sorted.
  show(
    1,
    'show processes cpu [sorted]',
    { cpu: 'Show CPU use per process', sorted: 'Show sorted output based on use' },
    (r) => showProcessesCpu(r.system),
  ),
  show(1, 'show memory [summary | statistics]', MEMORY_HELP, (r) => showMemory(r.system)),
  show(
    1,
    `show aliases [MODE:{${Object.keys(ALIAS_MODES).join(' | ')}}]`,
    { aliases: 'Display alias commands', ...ALIAS_MODES },
    (r, m) => showAliases(r.config(), m.optionalWord('MODE')),
  ),
  show(1, 'show ip port-map [APPLICATION:NAME]', PORT_MAP_HELP, (r, m) =>
    showPortMap(r.config(), m.optionalWord('APPLICATION')),
  ),
  show(1, 'show ip port-map port NUMBER:<1-65535>', PORT_MAP_HELP, (r, m) =>
    showPortMap(r.config(), m.number('NUMBER')),
  ),
  show(1, 'show ip http server status', HTTP_HELP, (r) => showHttpStatus(r.config().http)),
  show(1, 'show ip http server connection', HTTP_HELP, (r) => showHttpConnections(r.web?.connections() ?? [])),
  show(
    1,
    'show ip http server all',
    HTTP_HELP,
    (r) => `${showHttpStatus(r.config().http)}\n${showHttpConnections(r.web?.connections() ?? [])}`,
  ),
  show(1, 'show ip http server secure status', HTTP_HELP, (r) => showHttpSecureStatus(r.config().http)),
  show(1, 'show inventory', { inventory: 'Show the physical inventory' }, (r) => showInventory(r.config())),
  show(1, 'show processes memory [sorted]', { memory: 'Show memory use per process' }, (r) =>
    showProcessesMemory(r.system),
  ),
  show(15, 'show debugging', { debugging: 'State of each debugging option' }, (r) => showDebugging(r.debug)),
  show(1, 'show users', { users: 'Display information about terminal lines' }, (r, _m, { terminal }) =>
    showUsers(usersOf(r), terminal, r.system.uptimeMs()),
  ),
  show(
    1,
    'show privilege',
    { privilege: 'Show current privilege level' },
    (_r, _m, { terminal }) => `Current privilege level is ${terminal.privilege}\n`,
  ),
  show(1, 'show history', { history: 'Display the session command history' }, (_r, _m, { terminal }) =>
    terminal.history.map((line) => `  ${line}\n`).join(''),
  ),
];
