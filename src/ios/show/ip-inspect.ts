/**
 * `show ip inspect all|config|interfaces|name`. The columns are those of two captures from real routers, and of
 * show-ip-inspect-all.txt (reference §1, §6).
 */
import { smtpDefaults } from '../config/defaults.js';
import { effectiveInspection } from '../config/effective.js';
import type { InspectedProtocol, InterfaceConfig, RouterConfig } from '../config/model.js';
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import { featureOf } from '../features/index.js';
import { showSessions } from './ip-inspect-sessions.js';

/** `show ip inspect all`: configuration, interfaces, and the sessions where there are any. */
export function showInspectAll(config: RouterConfig, snapshot: RouterSnapshot): string {
  return `${showInspectConfig(config)}\n${showInspectInterfaces(config)}${showSessions(snapshot, false)}`;
}

/** `show ip inspect config`: thresholds, timeouts, and all rules. */
export function showInspectConfig(config: RouterConfig): string {
  const g = config.inspect;
  const state = (on: boolean): string => (on ? 'enabled' : 'disabled');
  const lines = [
    `Session audit trail is ${state(g.auditTrail)}`,
    `Session alert is ${state(!g.alertOff)}`,
    `one-minute (sampling period) thresholds are [${g.oneMinuteLow}:${g.oneMinuteHigh}] connections`,
    `max-incomplete sessions thresholds are [${g.maxIncompleteLow}:${g.maxIncompleteHigh}]`,
    `max-incomplete tcp connections per host is ${g.hostMaxIncomplete}. Block-time ${g.hostBlockMinutes} minute.`,
    `tcp synwait-time is ${g.tcpSynwait} sec -- tcp finwait-time is ${g.tcpFinwait} sec`,
    `tcp idle-time is ${g.tcpIdle} sec -- udp idle-time is ${g.udpIdle} sec`,
    `dns-timeout is ${g.dnsTimeout} sec`,
    'Inspection Rule Configuration',
  ];
  for (const name of config.inspectionRules.keys()) lines.push(...ruleLines(config, name, ' ', '    '));
  return `${lines.join('\n')}\n`;
}

/** `show ip inspect interfaces`: the interface to which inspection was applied last comes first. */
export function showInspectInterfaces(config: RouterConfig): string {
  const lines = ['Interface Configuration'];
  const inspected = config.interfaces.filter((i) => i.inspectOrder > 0).sort((a, b) => b.inspectOrder - a.inspectOrder);
  for (const i of inspected) {
    lines.push(` Interface ${i.name}`);
    lines.push(...appliedRule(config, 'Inbound', i.inspectIn), ...appliedRule(config, 'Outgoing', i.inspectOut));
    lines.push(...accessGroups(i));
  }
  return `${lines.join('\n')}\n`;
}

/** `show ip inspect name NAME`. Inferred: an unknown name prints nothing. */
export function showInspectName(config: RouterConfig, name: string): string {
  return config.inspectionRules.has(name) ? `${ruleLines(config, name, '', ' ').join('\n')}\n` : '';
}

function ruleLines(config: RouterConfig, name: string, headIndent: string, indent: string): string[] {
  const rule = config.inspectionRules.get(name);
  return [
    `${headIndent}Inspection name ${name}`,
    ...(rule?.protocols ?? []).map((p) => indent + protocolLine(config, p)),
  ];
}

function appliedRule(config: RouterConfig, direction: 'Inbound' | 'Outgoing', name: string | undefined): string[] {
  if (name === undefined) return [`  ${direction} inspection rule is not set`];
  const protocols = config.inspectionRules.get(name)?.protocols ?? [];
  return [`  ${direction} inspection rule is ${name}`, ...protocols.map((p) => `    ${protocolLine(config, p)}`)];
}

function accessGroups(i: InterfaceConfig): string[] {
  const list = (name: string | undefined): string => (name === undefined ? 'not set' : name);
  return [`  Inbound access list is ${list(i.accessGroupIn)}`, `  Outgoing access list is ${list(i.accessGroupOut)}`];
}

function protocolLine(config: RouterConfig, p: InspectedProtocol): string {
  const { alert, auditTrail, timeout } = effectiveInspection(p, config.inspect);
  const mail = p.smtp === undefined ? '' : ` max-data ${p.smtp.maxData}${extensions(p.smtp)}`;
  const options = featureOf(p.protocol)?.print(p.options ?? {}) ?? '';
  return `${p.protocol}${mail}${options} alert is ${alert ? 'on' : 'off'} audit-trail is ${auditTrail ? 'on' : 'off'} timeout ${timeout}`;
}

/** Words of fw3640's own, shown only where they are used. */
function extensions(smtp: NonNullable<InspectedProtocol['smtp']>): string {
  const d = smtpDefaults();
  return (
    (smtp.lineLength === d.lineLength ? '' : ` line-length ${smtp.lineLength}`) +
    (smtp.monitorOnly ? ' monitor-only' : '') +
    (smtp.maskEhlo === d.maskEhlo ? '' : ' mask-ehlo off') +
    (smtp.allow.length === 0 ? '' : ` allow ${smtp.allow.join(',')}`)
  );
}
