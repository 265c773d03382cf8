/** `show tech-support`: what a helper elsewhere has to see, under IOS's headings and without passwords. */
import type { ConsoleRouter } from '../exec/router.js';
import { showAccessLists } from './access-lists.js';
import { showInterfaces } from './interfaces.js';
import { showIpInterface } from './ip-interface.js';
import { showInspectAll } from './ip-inspect.js';
import { showInspectStatistics } from './ip-inspect-statistics.js';
import { showNatStatistics } from './ip-nat.js';
import { showIpRoute } from './ip-route.js';
import { showIpTraffic } from './ip-traffic.js';
import { showLogging } from './logging.js';
import { showProcessesCpu, showProcessesMemory } from './processes.js';
import { showRunningConfig } from './running-config.js';
import { showVersion } from './version.js';

/** Packets that the engine has dropped, for whatever reason. */
export const droppedPackets = (router: ConsoleRouter): number =>
  router.snapshot.counters().reduce((sum, r) => sum + (r.family === 'drop' ? r.value : 0), 0);

/** In IOS's order, as far as this router has the commands; behind them the state of the firewall, which IOS had not. */
export function showTechSupport(router: ConsoleRouter): string {
  const { snapshot, system } = router;
  const config = router.config();
  const live = system.interfaces();
  const sections: readonly (readonly [string, string])[] = [
    ['show version', showVersion(config, system)],
    ['show running-config', withoutSecrets(showRunningConfig(config))],
    ['show interfaces', showInterfaces(config, live)],
    ['show process memory', showProcessesMemory(system)],
    ['show process cpu', showProcessesCpu(system)],
    ['show ip interface', showIpInterface(config, live)],
    ['show ip route', showIpRoute(config, live)],
    ['show ip traffic', showIpTraffic(system.ipCounters(), droppedPackets(router))],
    ['show access-lists', showAccessLists(config, snapshot)],
    ['show ip inspect all', showInspectAll(config, snapshot)],
    ['show ip inspect statistics', showInspectStatistics(config, snapshot)],
    ['show ip nat statistics', showNatStatistics(config, snapshot)],
    ['show logging', showLogging(config.logging, router.log)],
  ];
  return sections.map(([command, text]) => `\n------------------ ${command} ------------------\n\n${text}\n`).join('');
}

/**
 * Words behind which the rest of a line, or the next word, is a secret; a type digit before it stays. The first that
 * fits counts.
 */
const SECRETS: readonly RegExp[] = [
  /^(\s*(?:enable|username \S+.*?)? ?(?:password|secret)(?: level \d+)? (?:[057] )?)\S.*$/,
  /^(\s*snmp-server community )\S+/,
  /^(\s*snmp-server host \S+ (?:.*version (?:1|2c|3 \S+) )?)\S+/,
  /^(\s*(?:radius|tacacs)-server .*\bkey (?:[067] )?)\S.*$/,
  /^(\s*(?:crypto isakmp key|crypto isakmp client .* key|pre-shared-key .* key|key-string|key) (?:[067] )?)\S+/,
  /^(\s*ntp authentication-key \d+ md5 )\S+/,
  /^(\s*(?:ip ospf (?:message-digest-key \d+ md5|authentication-key)|standby .*authentication(?: md5 key-string)?) (?:[07] )?)\S+/,
  /^(\s*.*\b(?:password|secret|md5|wpa-psk \S+|pap sent-username \S+) (?:[057] )?)\S.*$/,
];

/** `<removed>` in the place of every password, key and community. */
export function withoutSecrets(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const pattern = SECRETS.find((p) => p.test(line));
      return pattern === undefined ? line : line.replace(pattern, '$1<removed>');
    })
    .join('\n');
}
