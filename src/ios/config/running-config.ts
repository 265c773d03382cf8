/**
 * The running-config as canonical text: what differs from the defaults, in the order IOS writes it. Parsing the text
 * gives the same configuration again.
 */
import { featureOf } from '../features/index.js';
import { formatAddress } from '../ipv4-text.js';
import { SEVERITIES, nameOf } from '../number-names.js';
import { entryFormat, listLines } from './acl-text.js';
import {
  emptyConfig,
  httpDefaults,
  inspectDefaults,
  interceptDefaults,
  lineDefaults,
  natTimeoutDefaults,
  smtpDefaults,
  virtualReassemblyDefaults,
  SYSLOG_PORTS,
} from './defaults.js';
import { arrangeInert } from './inert-order.js';
import { inListOrder, isNumbered } from './list-order.js';
import type {
  InspectedProtocol,
  InterfaceConfig,
  LineConfig,
  LoginReport,
  Password,
  PortMapLine,
  RouterConfig,
  StaticNat,
  Timestamps,
} from './model.js';
import { joinLines } from './terminal-lines.js';

/** What the first number of `exec-timeout` takes. */
const MOST_MINUTES = 35_791;

/** @returns the text from the first `!` to `end`, with a newline at its end. */
export function runningConfig(config: RouterConfig): string {
  const { group: inert, block } = arrangeInert(config.inert);
  const sections: string[][] = [
    [`version ${config.version}`, ...services(config), ...inert('service')],
    [`hostname ${config.hostname}`],
    inert('boot'),
    loggingBuffer(config),
    enable(config),
    [...config.users.map(user), ...inert('aaa')],
    [...clock(config), ...inert('platform')],
    [...inert('ip'), ...names(config)],
    [...inspection(config), ...inert('inspect')],
    intercept(config),
    loginLines(config),
    [...config.portMaps.map(portMapLine), ...inert('security')],
    inert('blocks-before'),
    ...config.interfaces.map((i) => interfaceLines(i, block(`interface ${i.name}`))),
    inert('router'),
    [...http(config), ...inert('ip-late'), ...config.routes.map(route)],
    nat(config),
    ...namedLists(config),
    syslog(config),
    numberedLists(config),
    inert('late'),
    inert('blocks-after'),
    banners(config),
    config.aliases.map((a) => (a.text === '' ? `no alias ${a.mode} ${a.name}` : `alias ${a.mode} ${a.name} ${a.text}`)),
    joinLines(config.lines).flatMap(lineLines),
    inert('tail'),
  ];
  const body = sections.filter((s) => s.length > 0).map((s) => `${s.join('\n')}\n!\n`);
  return `!\n${body.join('')}end\n`;
}

function services(config: RouterConfig): string[] {
  const lines: string[] = [];
  for (const kind of ['debug', 'log'] as const) lines.push(timestampLine(kind, config.timestamps[kind]));
  lines.push(config.passwordEncryption ? 'service password-encryption' : 'no service password-encryption');
  return lines;
}

function timestampLine(kind: 'debug' | 'log', t: Timestamps): string {
  if (t.kind === 'none') return `no service timestamps ${kind}`;
  if (t.kind === 'uptime') return `service timestamps ${kind} uptime`;
  const words = [
    t.msec ? ' msec' : '',
    t.localtime ? ' localtime' : '',
    t.showTimezone ? ' show-timezone' : '',
    t.year ? ' year' : '',
  ];
  return `service timestamps ${kind} datetime${words.join('')}`;
}

const passwordText = (p: Password): string => (p.type === 0 ? p.text : `${p.type} ${p.text}`);

function enable(config: RouterConfig): string[] {
  const { password, secret } = config.enable;
  return [
    ...(secret === undefined ? [] : [`enable secret ${passwordText(secret)}`]),
    ...(password === undefined ? [] : [`enable password ${passwordText(password)}`]),
  ];
}

function user(u: RouterConfig['users'][number]): string {
  const privilege = u.privilege === 1 ? '' : ` privilege ${u.privilege}`;
  // In a username line IOS writes the type of a clear password too.
  const secret = u.secret === undefined ? '' : ` secret ${u.secret.type} ${u.secret.text}`;
  const password = u.password === undefined ? '' : ` password ${u.password.type} ${u.password.text}`;
  return `username ${u.name}${privilege}${secret}${password}`;
}

function loginLines({ login }: RouterConfig): string[] {
  const { blockFor: b, delay, quietModeList, onFailure, onSuccess } = login;
  const report = (r: LoginReport): string =>
    `${r.log ? ' log' : ''}${r.trap ? ' trap' : ''}${r.every === 1 ? '' : ` every ${r.every}`}`;
  return [
    ...(b === undefined ? [] : [`login block-for ${b.seconds} attempts ${b.attempts} within ${b.within}`]),
    ...(delay === undefined ? [] : [`login delay ${delay}`]),
    ...(quietModeList === undefined ? [] : [`login quiet-mode access-class ${quietModeList}`]),
    ...(onFailure === undefined ? [] : [`login on-failure${report(onFailure)}`]),
    ...(onSuccess === undefined ? [] : [`login on-success${report(onSuccess)}`]),
  ];
}

function clock({ clock: { timezone } }: RouterConfig): string[] {
  if (timezone === undefined) return [];
  return [`clock timezone ${timezone.name} ${timezone.hours}${timezone.minutes === 0 ? '' : ` ${timezone.minutes}`}`];
}

function names({ domainLookup, names: n }: RouterConfig): string[] {
  return [
    ...(domainLookup ? [] : ['no ip domain-lookup']),
    ...(n.domain === undefined ? [] : [`ip domain-name ${n.domain}`]),
    ...n.hosts.map(
      (h) => `ip host ${h.name}${h.port === undefined ? '' : ` ${h.port}`} ${h.addresses.map(formatAddress).join(' ')}`,
    ),
    ...n.servers.map((s) => `ip name-server ${formatAddress(s)}`),
  ];
}

function loggingBuffer({ logging }: RouterConfig): string[] {
  const lines: string[] = [];
  if (!logging.on) lines.push('no logging on');
  if (logging.buffered !== undefined)
    lines.push(`logging buffered ${logging.bufferSize} ${nameOf(SEVERITIES, logging.buffered)}`);
  for (const where of ['console', 'monitor'] as const) {
    const level = logging[where];
    if (level === undefined) lines.push(`no logging ${where}`);
    else if (level !== emptyConfig().logging[where]) lines.push(`logging ${where} ${nameOf(SEVERITIES, level)}`);
  }
  return lines;
}

function syslog({ logging }: RouterConfig): string[] {
  const defaults = emptyConfig().logging;
  const lines: string[] = [];
  if (logging.trap === undefined) lines.push('no logging trap');
  else if (logging.trap !== defaults.trap) lines.push(`logging trap ${nameOf(SEVERITIES, logging.trap)}`);
  if (logging.facility !== defaults.facility) lines.push(`logging facility ${logging.facility}`);
  for (const host of logging.hosts) lines.push(`logging ${formatAddress(host)}`);
  for (const { address, transport, port } of logging.servers)
    lines.push(
      `logging host ${formatAddress(address)} transport ${transport}${port === SYSLOG_PORTS[transport] ? '' : ` port ${port}`}`,
    );
  return lines;
}

function inspection(config: RouterConfig): string[] {
  const [g, d] = [config.inspect, inspectDefaults()];
  const lines: string[] = [];
  const changed = (key: keyof typeof g, line: string): void => {
    if (g[key] !== d[key]) lines.push(line);
  };
  changed('auditTrail', 'ip inspect audit-trail');
  changed('alertOff', 'ip inspect alert-off');
  changed('logDropPkt', 'ip inspect log drop-pkt');
  changed('maxIncompleteHigh', `ip inspect max-incomplete high ${g.maxIncompleteHigh}`);
  changed('maxIncompleteLow', `ip inspect max-incomplete low ${g.maxIncompleteLow}`);
  changed('oneMinuteHigh', `ip inspect one-minute high ${g.oneMinuteHigh}`);
  changed('oneMinuteLow', `ip inspect one-minute low ${g.oneMinuteLow}`);
  changed('udpIdle', `ip inspect udp idle-time ${g.udpIdle}`);
  changed('dnsTimeout', `ip inspect dns-timeout ${g.dnsTimeout}`);
  changed('tcpIdle', `ip inspect tcp idle-time ${g.tcpIdle}`);
  changed('tcpFinwait', `ip inspect tcp finwait-time ${g.tcpFinwait}`);
  changed('tcpSynwait', `ip inspect tcp synwait-time ${g.tcpSynwait}`);
  if (g.hostMaxIncomplete !== d.hostMaxIncomplete || g.hostBlockMinutes !== d.hostBlockMinutes)
    lines.push(`ip inspect tcp max-incomplete host ${g.hostMaxIncomplete} block-time ${g.hostBlockMinutes}`);
  changed('reassemblyQueueLength', `ip inspect tcp reassembly queue length ${g.reassemblyQueueLength}`);
  changed('reassemblyTimeout', `ip inspect tcp reassembly timeout ${g.reassemblyTimeout}`);
  changed('reassemblyMemoryKb', `ip inspect tcp reassembly memory limit ${g.reassemblyMemoryKb}`);
  changed('reassemblyAlarm', `ip inspect tcp reassembly alarm ${g.reassemblyAlarm ? 'on' : 'off'}`);
  changed('transcripts', `ip inspect transcript ${g.transcripts}`);
  for (const rule of config.inspectionRules.values())
    for (const p of rule.protocols) lines.push(`ip inspect name ${rule.name} ${inspected(p)}`);
  return lines;
}

/** A line of `ip port-map` as the running-config has it. */
export function portMapLine(m: PortMapLine): string {
  const protocol = m.protocol === undefined ? '' : `${m.protocol} `;
  const ports = m.last === undefined ? String(m.port) : `from ${m.port} to ${m.last}`;
  const list = m.list === undefined ? '' : ` list ${m.list}`;
  const description = m.description === undefined ? '' : ` description ${m.description}`;
  return `ip port-map ${m.application} port ${protocol}${ports}${list}${description}`;
}

function intercept({ intercept: g }: RouterConfig): string[] {
  const d = interceptDefaults();
  const lines = g.list === undefined ? [] : [`ip tcp intercept list ${g.list}`];
  const changed = (key: keyof typeof d, words: string): void => {
    if (g[key] !== d[key]) lines.push(`ip tcp intercept ${words} ${g[key]}`);
  };
  changed('connectionTimeout', 'connection-timeout');
  changed('watchTimeout', 'watch-timeout');
  changed('finrstTimeout', 'finrst-timeout');
  changed('maxIncompleteHigh', 'max-incomplete high');
  changed('maxIncompleteLow', 'max-incomplete low');
  changed('oneMinuteHigh', 'one-minute high');
  changed('oneMinuteLow', 'one-minute low');
  changed('mode', 'mode');
  changed('dropMode', 'drop-mode');
  return lines;
}

function inspected(p: InspectedProtocol): string {
  const onOff = (word: string, value: boolean | undefined): string =>
    value === undefined ? '' : ` ${word} ${value ? 'on' : 'off'}`;
  const smtp = p.smtp;
  return (
    p.protocol +
    (p.javaList === undefined ? '' : ` java-list ${p.javaList}`) +
    (smtp === undefined || smtp.maxData === smtpDefaults().maxData ? '' : ` max-data ${smtp.maxData}`) +
    onOff('alert', p.alert) +
    onOff('audit-trail', p.auditTrail) +
    (featureOf(p.protocol)?.print(p.options ?? {}) ?? '') +
    (p.timeout === undefined ? '' : ` timeout ${p.timeout}`) +
    (p.routerTraffic === true ? ' router-traffic' : '') +
    (smtp === undefined || smtp.lineLength === smtpDefaults().lineLength ? '' : ` line-length ${smtp.lineLength}`) +
    (smtp?.monitorOnly === true ? ' monitor-only' : '') +
    (smtp?.maskEhlo === false ? ' mask-ehlo off' : '') +
    (smtp === undefined || smtp.allow.length === 0 ? '' : ` allow ${smtp.allow.join(',')}`)
  );
}

/** The block of one interface. `inert`: its lines without effect, as `arrangeInert` gives them. */
export function interfaceLines(i: InterfaceConfig, inert: readonly string[]): string[] {
  const lines = [`interface ${i.name}`];
  const add = (present: boolean, line: string): void => {
    if (present) lines.push(` ${line}`);
  };
  add(i.description !== undefined, `description ${i.description ?? ''}`);
  const primary = i.addresses.find((a) => a.secondary === undefined);
  const secondary = i.addresses.filter((a) => a.secondary);
  for (const a of secondary) add(true, `ip address ${formatAddress(a.address)} ${formatAddress(a.mask)} secondary`);
  if (primary !== undefined) add(true, `ip address ${formatAddress(primary.address)} ${formatAddress(primary.mask)}`);
  else add(secondary.length === 0 && !inert.some((l) => /^ ip (?:address|unnumbered) /.test(l)), 'no ip address');
  add(i.accessGroupIn !== undefined, `ip access-group ${i.accessGroupIn ?? ''} in`);
  add(i.accessGroupOut !== undefined, `ip access-group ${i.accessGroupOut ?? ''} out`);
  add(!i.redirects, 'no ip redirects');
  add(!i.unreachables, 'no ip unreachables');
  add(!i.proxyArp, 'no ip proxy-arp');
  add(i.nat !== undefined, `ip nat ${i.nat ?? ''}`);
  add(i.inspectIn !== undefined, `ip inspect ${i.inspectIn ?? ''} in`);
  add(i.inspectOut !== undefined, `ip inspect ${i.inspectOut ?? ''} out`);
  const [v, d] = [i.virtualReassembly, virtualReassemblyDefaults()];
  if (v !== undefined)
    add(
      true,
      'ip virtual-reassembly' +
        (v.maxFragments === d.maxFragments ? '' : ` max-fragments ${v.maxFragments}`) +
        (v.maxReassemblies === d.maxReassemblies ? '' : ` max-reassemblies ${v.maxReassemblies}`) +
        (v.timeout === d.timeout ? '' : ` timeout ${v.timeout}`) +
        (v.dropFragments ? ' drop-fragments' : ''),
    );
  else add(i.nat !== undefined, 'no ip virtual-reassembly'); // `ip nat` had turned it on
  add(i.adjustMss !== undefined, `ip tcp adjust-mss ${i.adjustMss ?? 0}`);
  add(i.shutdown, 'shutdown');
  return [...lines, ...inert];
}

/** A static translation as the running-config has it. */
export function staticNatLine(s: StaticNat): string {
  const local = formatAddress(s.insideLocal);
  const global = s.interfaceName === undefined ? formatAddress(s.insideGlobal) : `interface ${s.interfaceName}`;
  const translation =
    s.ports !== undefined
      ? `${s.ports.protocol} ${local} ${s.ports.insideLocal} ${global} ${s.ports.insideGlobal}`
      : s.mask !== undefined
        ? `network ${local} ${global} /${Math.clz32(~s.mask)}`
        : `${local} ${global}`;
  const flags = `${s.extendable === true ? ' extendable' : ''}${s.noAlias === true ? ' no-alias' : ''}${s.noPayload === true ? ' no-payload' : ''}`;
  return `ip nat inside source static ${translation}${flags}`;
}

/** Inferred: the order of the lines, but for those that the configurations of real routers have. */
function http({ http: h }: RouterConfig): string[] {
  const d = httpDefaults();
  const { idle, life, requests } = h.timeouts;
  const lines: string[] = [];
  const add = (present: boolean, line: string): void => {
    if (present) lines.push(`ip http ${line}`);
  };
  const onOff = (value: boolean | undefined, word: string): void => {
    if (value !== undefined) lines.push(`${value ? '' : 'no '}ip http ${word}`);
  };
  onOff(h.server, 'server');
  add(h.port !== d.port, `port ${h.port}`);
  add(h.accessClass !== undefined, `access-class ${h.accessClass ?? ''}`);
  add(h.authentication !== d.authentication, `authentication ${h.authentication}`);
  onOff(h.secureServer, 'secure-server');
  add(h.securePort !== d.securePort, `secure-port ${h.securePort}`);
  add(h.maxConnections !== d.maxConnections, `max-connections ${h.maxConnections}`);
  const isDefault = idle === d.timeouts.idle && life === d.timeouts.life && requests === d.timeouts.requests;
  add(!isDefault, `timeout-policy idle ${idle} life ${life} requests ${requests}`);
  return lines;
}

function nat({ nat: n }: RouterConfig): string[] {
  const defaults = natTimeoutDefaults();
  const lines: string[] = [];
  for (const key of ['timeout', 'tcp', 'udp', 'dns', 'finrst', 'syn', 'icmp', 'port'] as const) {
    const seconds = n.timeouts[key];
    const word = key === 'timeout' ? key : `${key}-timeout`;
    if (seconds !== defaults[key]) lines.push(`ip nat translation ${word} ${seconds === 0 ? 'never' : seconds}`);
  }
  if (n.timeouts.maxEntries !== 0) lines.push(`ip nat translation max-entries ${n.timeouts.maxEntries}`);
  for (const p of n.pools.values())
    lines.push(
      `ip nat pool ${p.name} ${formatAddress(p.start)} ${formatAddress(p.end)} netmask ${formatAddress(p.mask)}`,
    );
  for (const d of n.dynamic) {
    const to = d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;
    lines.push(`ip nat inside source list ${d.list} ${to}${d.overload ? ' overload' : ''}`);
  }
  return [...lines, ...n.staticEntries.map(staticNatLine)];
}

function route(r: RouterConfig['routes'][number]): string {
  const via = [r.interfaceName, r.nextHop === undefined ? undefined : formatAddress(r.nextHop)].filter(
    (v) => v !== undefined,
  );
  const distance = r.distance === 1 ? '' : ` ${r.distance}`;
  return `ip route ${formatAddress(r.prefix)} ${formatAddress(r.mask)} ${via.join(' ')}${distance}`;
}

function namedLists({ accessLists }: RouterConfig): string[][] {
  return inListOrder(accessLists.values())
    .filter((l) => !isNumbered(l))
    .map((l) => [
      `ip access-list ${l.kind} ${l.name}`,
      ...listLines(
        l,
        (e) => ` ${entryFormat(l)(e)}`,
        (text) => ` remark ${text}`,
      ),
    ]);
}

function numberedLists({ accessLists }: RouterConfig): string[] {
  return inListOrder(accessLists.values())
    .filter(isNumbered)
    .flatMap((l) =>
      listLines(
        l,
        (e) => `access-list ${l.name} ${entryFormat(l)(e)}`,
        (text) => `access-list ${l.name} remark ${text}`,
      ),
    );
}

function banners({ banners: b }: RouterConfig): string[] {
  return (['exec', 'login', 'motd'] as const).flatMap((kind) =>
    b[kind] === undefined ? [] : [`banner ${kind} ^C${b[kind]}^C`],
  );
}

function lineLines(l: LineConfig): string[] {
  const d = lineDefaults(l.kind, l.first, l.last);
  const lines = [`line ${l.kind} ${l.first}${l.first === l.last ? '' : ` ${l.last}`}`];
  if (l.sessionLimit !== undefined) lines.push(` session-limit ${l.sessionLimit}`);
  if (l.accessClassIn !== undefined)
    lines.push(` access-class ${l.accessClassIn} in${l.accessClassVrfAlso === true ? ' vrf-also' : ''}`);
  if (l.execTimeout !== d.execTimeout) {
    const minutes = Math.min(Math.floor(l.execTimeout / 60), MOST_MINUTES);
    lines.push(` exec-timeout ${minutes} ${l.execTimeout - minutes * 60}`);
  }
  if (l.loginTimeout !== undefined) lines.push(` timeout login response ${l.loginTimeout}`);
  if (l.absoluteTimeout !== undefined) lines.push(` absolute-timeout ${l.absoluteTimeout}`);
  if (l.privilege !== d.privilege) lines.push(` privilege level ${l.privilege}`);
  if (l.password !== undefined) lines.push(` password ${passwordText(l.password)}`);
  if (l.length !== d.length) lines.push(` length ${l.length}`);
  if (l.login === 'local') lines.push(' login local');
  else if (l.login === 'line') lines.push(' login');
  else if (l.login !== d.login) lines.push(' no login');
  if (!l.exec) lines.push(' no exec');
  if (l.transportInput !== undefined)
    lines.push(` transport input ${l.transportInput.length === 0 ? 'none' : l.transportInput.join(' ')}`);
  return [...lines, ...(l.inert ?? []).map((i) => ` ${i.text}`)];
}
