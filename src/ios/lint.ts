/**
 * What is no error and yet hardly meant: entries that are never reached, names that nothing defines, addresses that
 * no list lets in. `fw3640 check` warns of them, with the lines they stand on.
 */
import type { AclEntry } from '../core/acl/entry.js';
import { firstCovers, OpenDestinations } from './acl-index.js';
import { isInspected } from '../core/inspect/port-map.js';
import { entryFormat } from './config/acl-text.js';
import type { AclLine, RouterConfig } from './config/model.js';
import { formatAddress, prefixLength } from './ipv4-text.js';
import { resolveRoutes } from './compile/routes.js';
import { IPPROTO_TCP } from '../core/wire/ipv4.js';

export interface Warning {
  /** From 1; 0 where no line stands for it. */
  line: number;
  reason: string;
}

/**
 * All warnings about a configuration, in line order.
 * @param mapped names of the interfaces that `run` gets by --interface; undefined: all that can be
 */
export function lint(config: RouterConfig, mapped?: ReadonlySet<string>): Warning[] {
  const warnings = [
    ...unreachableEntries(config),
    ...undefinedNames(config),
    ...unappliedRules(config),
    ...translations(config),
    ...routesToNowhere(config, mapped),
    ...levels(config),
    ...portMaps(config),
    ...loginTraps(config),
    ...shutOut(config),
  ];
  return warnings.sort((a, b) => a.line - b.line);
}

/** Entries that an earlier one covers. The list that is checked never gets to them. */
function unreachableEntries(config: RouterConfig): Warning[] {
  const warnings: Warning[] = [];
  for (const list of config.accessLists.values()) {
    const format = entryFormat(list);
    const name = (e: AclLine): string =>
      `"${format(e)}"${e.line === undefined || e.line === 0 ? '' : ` of line ${e.line}`}`;
    const covers = firstCovers(list.entries);
    for (const [i, e] of list.entries.entries()) {
      const cover = covers[i];
      if (cover === undefined) continue;
      const verb = cover.action === e.action ? 'already covers it' : 'decides before it, and otherwise';
      warnings.push({
        line: e.line ?? 0,
        reason: `access list ${list.name}: this entry is never reached: ${name(cover)} ${verb}`,
      });
    }
  }
  return warnings;
}

/** Lists and rules that are applied and not defined, or empty: what they should have filtered is open, as on IOS. */
export function undefinedNames(config: RouterConfig): Warning[] {
  const warnings: Warning[] = [];
  const list = (name: string | undefined, line: number | undefined, consequence: string): void => {
    if (name === undefined) return;
    const known = config.accessLists.get(name);
    if (known === undefined)
      warnings.push({ line: line ?? 0, reason: `access list ${name} is not defined: ${consequence}` });
    else if (known.entries.length === 0)
      warnings.push({ line: line ?? 0, reason: `access list ${name} has no entries: ${consequence}` });
  };
  const rule = (name: string | undefined, line: number | undefined): void => {
    if (name !== undefined && !config.inspectionRules.has(name))
      warnings.push({ line: line ?? 0, reason: `inspection rule ${name} is not defined: nothing is inspected` });
  };
  for (const i of config.interfaces) {
    list(i.accessGroupIn, i.lines?.accessGroupIn, `all packets are permitted in on ${i.name}`);
    list(i.accessGroupOut, i.lines?.accessGroupOut, `all packets are permitted out on ${i.name}`);
    rule(i.inspectIn, i.lines?.inspectIn);
    rule(i.inspectOut, i.lines?.inspectOut);
  }
  for (const d of config.nat.dynamic) {
    list(d.list, d.line, 'every inside address is translated');
    if (d.pool !== undefined && !config.nat.pools.has(d.pool))
      warnings.push({ line: d.line, reason: `NAT pool ${d.pool} is not defined: nothing is translated` });
  }
  list(config.login.quietModeList, config.login.quietModeLine, 'everybody may log in while logins are blocked');
  list(config.http.accessClass, config.http.accessClassLine, 'every address may connect by http');
  list(config.intercept.list, config.intercept.line, 'every connection is intercepted');
  for (const m of config.portMaps) list(m.list, m.line, `${m.application} is on port ${m.port} of no server`);
  for (const l of config.lines) list(l.accessClassIn, l.lines?.accessClassIn, 'every address may connect');
  for (const r of config.inspectionRules.values())
    for (const p of r.protocols) list(p.javaList, p.line, 'Java applets are permitted from everywhere');
  return warnings;
}

function unappliedRules(config: RouterConfig): Warning[] {
  const applied = new Set(config.interfaces.flatMap((i) => [i.inspectIn, i.inspectOut]));
  return [...config.inspectionRules.values()]
    .filter((r) => !applied.has(r.name))
    .map((r) => ({ line: r.protocols[0]?.line ?? 0, reason: `inspection rule ${r.name} is applied to no interface` }));
}

/** `ip inspect tcp max-incomplete host` where anybody can use it up. */
function shutOut({ interfaces, accessLists, inspectionRules, intercept, inspect }: RouterConfig): Warning[] {
  if (intercept.list !== undefined && intercept.mode === 'intercept') return [];
  const inspectsTcp = (rule: string | undefined): boolean =>
    inspectionRules.get(rule ?? '')?.protocols.some((p) => p.protocol !== 'udp' && p.protocol !== 'icmp') === true;
  const admitsAnybody = (list: string | undefined): boolean =>
    accessLists
      .get(list ?? '')
      ?.entries.some((e) => e.action === 'permit' && isTcp(e) && e.src.wildcard === -1 && !e.established) === true;
  return interfaces
    .filter((i) => inspectsTcp(i.inspectIn) && admitsAnybody(i.accessGroupIn))
    .map((i) => ({
      line: i.lines?.inspectIn ?? 0,
      reason:
        `${inspect.hostMaxIncomplete} half-open sessions to a host are the most ("ip inspect tcp max-incomplete host"), as ` +
        'on a 3640: a flood of SYNs shuts its clients out, unless "ip tcp intercept list" answers them',
    }));
}

const isTcp = (e: AclEntry): boolean => e.protocol === undefined || e.protocol === IPPROTO_TCP;

/** Translations that cannot be used: no interface for one side, or no list entry that lets their traffic in. */
function translations(config: RouterConfig): Warning[] {
  const { staticEntries, dynamic } = config.nat;
  const first = staticEntries[0] ?? dynamic[0];
  if (first === undefined) return [];
  const warnings: Warning[] = [];
  for (const side of ['inside', 'outside'] as const)
    if (!config.interfaces.some((i) => i.nat === side))
      warnings.push({ line: first.line ?? 0, reason: `no interface is "ip nat ${side}": nothing is translated` });
  for (const s of staticEntries)
    if (s.noPayload === true)
      warnings.push({
        line: s.line ?? 0,
        reason: 'no-payload: the addresses in FTP commands are translated all the same',
      });
  const lacksAddress = (name: string | undefined): boolean =>
    name !== undefined && config.interfaces.every((i) => i.name !== name || i.addresses.length === 0);
  const toNothing = (name: string | undefined, line: number | undefined, so: string): void => {
    if (lacksAddress(name)) warnings.push({ line: line ?? 0, reason: `${name ?? ''} has no address: ${so}` });
  };
  for (const s of staticEntries)
    toNothing(s.interfaceName, s.line, 'nothing is translated to it, the host stays as it is');
  for (const d of dynamic) toNothing(d.interfaceName, d.line, 'what should be translated to it is dropped');
  for (const i of config.interfaces) {
    const list = i.nat === 'outside' ? config.accessLists.get(i.accessGroupIn ?? '') : undefined;
    if (list === undefined || list.entries.length === 0) continue; // permits all
    const open = new OpenDestinations(list.entries);
    for (const { insideGlobal, ports, interfaceName, mask, line } of staticEntries) {
      if (interfaceName !== undefined || mask !== undefined || open.has(insideGlobal, ports?.insideGlobal)) continue;
      const what = `${formatAddress(insideGlobal)}${ports === undefined ? '' : ` ${ports.protocol} port ${ports.insideGlobal}`}`;
      warnings.push({ line: line ?? 0, reason: `access list ${list.name} lets nothing in to ${what} by ${i.name}` });
    }
  }
  return warnings;
}

/** What leads nowhere, though the configuration has a way: there is no Linux interface for it, or no next hop. */
function routesToNowhere(config: RouterConfig, mapped: ReadonlySet<string> | undefined): Warning[] {
  const resolved = resolveRoutes(config, mapped);
  const installed = new Set(resolved.map((r) => r.route));
  const warnings = resolved.flatMap(({ prefix, mask, out, route }): Warning[] => {
    if (out.kind !== 'unmapped') return [];
    const network = `${formatAddress(prefix)}/${prefixLength(mask)}`;
    const line = route?.line ?? config.interfaces.find((i) => i.name === out.name)?.line ?? 0;
    return [{ line, reason: `${out.name} is mapped to no Linux interface: packets to ${network} are dropped` }];
  });
  for (const r of config.routes) {
    if (installed.has(r) || config.interfaces.some((i) => i.name === r.interfaceName && i.shutdown)) continue;
    warnings.push({
      line: r.line ?? 0,
      reason: `the route to ${formatAddress(r.prefix)}/${prefixLength(r.mask)} is not installed: no way to its next hop`,
    });
  }
  return warnings;
}

/** Privilege levels between: no command is moved to one here. */
function levels(config: RouterConfig): Warning[] {
  const between = (level: number): boolean => level !== 1 && level !== 15;
  const reason = (who: string, level: number): string => `${who}: level ${level} has the commands of level 1 here`;
  return [
    ...config.users
      .filter((u) => between(u.privilege))
      .map((u) => ({ line: u.line ?? 0, reason: reason(`username ${u.name}`, u.privilege) })),
    ...config.lines
      .filter((l) => between(l.privilege))
      .map((l) => ({ line: l.lines?.privilege ?? 0, reason: reason(`line ${l.kind} ${l.first}`, l.privilege) })),
  ];
}

/** Mappings of services that nothing here reads. */
const portMaps = (config: RouterConfig): Warning[] =>
  config.portMaps
    .filter((m) => !isInspected(m))
    .map((m) => ({
      line: m.line ?? 0,
      reason: `${m.application}${m.protocol === 'udp' ? ' by udp' : ''} is inspected on no port here: the mapping does nothing`,
    }));

/** Reports of logins that are not made: there is no SNMP here. */
function loginTraps({ login }: RouterConfig): Warning[] {
  const { onFailure, onSuccess } = login;
  const reports = [
    { name: 'on-failure', report: onFailure },
    { name: 'on-success', report: onSuccess },
  ];
  return reports
    .filter(({ report }) => report?.trap === true)
    .map(({ name, report }) => ({
      line: report?.line ?? 0,
      reason: `login ${name} trap: no traps are sent here${report?.log === true ? '' : ', and nothing is logged: add log'}`,
    }));
}
