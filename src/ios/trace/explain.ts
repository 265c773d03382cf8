/**
 * What the router would do with a packet, step by step in its order of operation, and which line of the configuration
 * decided each step. Says in words what engine.ts does; a test holds the two against each other.
 */
import type { AclEntry } from '../../core/acl/entry.js';
import { INSPECTED_AS, PortApplications } from '../../core/inspect/port-map.js';
import type { ExpectedSnapshot, RouterSnapshot, SessionSnapshot } from '../../core/state/snapshot.js';
import { formatExtended, formatStandard } from '../config/acl-text.js';
import { effectiveInspection } from '../config/effective.js';
import type { AccessList, InspectedProtocol, InterfaceConfig, RouterConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { TO_ROUTER } from '../../core/route/routing-table.js';
import { routingTable } from '../compile/policy.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import { entryMatches } from './probe.js';
import type { TracedPacket } from './probe.js';
import { findRoute } from './route.js';
import { NatView } from './translate.js';
import type { Translated } from './translate.js';

export interface TraceStep {
  /** `Input access list`, … */
  stage: string;
  /** What happens. */
  text: string;
  /** The configuration that decided it, as the running-config has it. */
  because?: string;
  /** Line of the file it stands on, from 1; absent where it was typed on the console. */
  line?: number;
}

export interface Trace {
  steps: TraceStep[];
  forwarded: boolean;
  /** The packet as it goes on, if it does. A port that the router chooses when the time comes is undefined. */
  ends?: { src: number; srcPort: number | undefined; dst: number; dstPort: number };
  /** One sentence. */
  result: string;
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;

/** ICMP messages that open a session: echo, timestamp, information and mask request. */
const ICMP_REQUESTS: readonly number[] = [8, 13, 15, 17];

/**
 * Explains one packet.
 * @param snapshot the running router's sessions; undefined: only the configuration is asked
 * @param mapped names of the interfaces that Linux has; undefined: all that can be
 */
export function explain(
  config: RouterConfig,
  probe: TracedPacket,
  snapshot?: RouterSnapshot,
  mapped: ReadonlySet<string> | undefined = snapshot?.mapped,
): Trace {
  const steps: TraceStep[] = [];
  const step = (stage: string, text: string, because?: string, line?: number): void => {
    steps.push({ stage, text, ...(because === undefined ? {} : { because }), ...(line ? { line } : {}) });
  };
  const dropped = (result: string): Trace => ({ steps, forwarded: false, result: `dropped: ${result}` });

  const ingress = config.interfaces.find((i) => i.name === probe.ingress);
  if (ingress === undefined) return dropped(`there is no interface ${probe.ingress}`);
  if (ingress.shutdown) {
    step('Interface', `${ingress.name} is administratively down`, 'shutdown');
    return dropped('the interface is shut down');
  }
  step('Interface', ingress.name + (ingress.nat === undefined ? '' : `, NAT ${ingress.nat}`));

  const nat = new NatView(config, snapshot?.translations() ?? []);
  const translates = ingress.nat !== undefined && nat.isGlobal(probe.dst);
  const inward = translates ? nat.destination(probe, ingress.nat === 'inside') : undefined;
  const inside =
    inward === undefined ? probe : { ...probe, dst: inward.address, dstPort: inward.port ?? probe.dstPort };

  const session = snapshot?.sessions().find((s) => belongsTo(s, inside));
  const announced = session === undefined && snapshot?.expected().some((e) => announces(e, inside)) === true;
  if (snapshot !== undefined)
    step(
      'Session',
      announced
        ? 'announced by a control session: access lists are bypassed, a session opens'
        : session === undefined
          ? 'none: this is the first packet of a flow'
          : `${describe(session)}: access lists are bypassed`,
    );
  const bypass = session !== undefined || announced;
  if (!bypass && ingress.nat === 'outside' && isInside(config, mapped, probe.src)) {
    step('Source', `${formatAddress(probe.src)} is inside, or the router: nobody outside has it`, 'ip nat outside');
    return dropped('a spoofed source address');
  }

  if (!bypass && !admit(config, ingress.accessGroupIn, 'Input access list', ingress, probe, step))
    return dropped('denied by access list');

  const hairpin = ingress.nat === 'inside' && inward !== undefined; // an inside host by its inside global address
  if (translates && inward === undefined && !nat.isOwn(probe.dst)) {
    step('NAT outside to inside', `${formatAddress(probe.dst)} is an inside global address without a translation`);
    return dropped('nothing is translated there');
  }
  if (ingress.nat === 'outside' || hairpin) note(step, 'NAT outside to inside', probe.dst, inward);

  const route = findRoute(config, inside.dst, mapped);
  const egress = route.kind === 'interface' ? config.interfaces.find((i) => i.name === route.name) : undefined;
  const leaves = ingress.nat === 'inside' && (hairpin || egress?.nat === 'outside');
  const outward = leaves ? nat.source(probe, hairpin ? ingress : undefined) : undefined;
  if (outward?.kind === 'exhausted') {
    note(step, 'NAT inside to outside', probe.src, outward);
    return dropped('no inside global address is left');
  }
  step('Route', route.text, route.because, route.line);
  if (!bypass && route.kind === 'nowhere') return dropped('unreachable');
  const ends = {
    src: outward?.address ?? probe.src,
    srcPort: outward === undefined ? probe.srcPort : outward.port,
    dst: inside.dst,
    dstPort: inside.dstPort,
  };
  if (route.kind === 'router')
    return { steps, forwarded: true, ends, result: 'delivered to the router itself; not inspected' };

  const seenOutside = { ...inside, src: ends.src, srcPort: ends.srcPort ?? probe.srcPort };
  if (
    !bypass &&
    egress !== undefined &&
    !admit(config, egress.accessGroupOut, 'Output access list', egress, seenOutside, step)
  )
    return dropped('denied by access list');

  const inspected = bypass ? undefined : inspection(config, ingress, egress, probe, inside, step);
  if (leaves) note(step, 'NAT inside to outside', probe.src, outward);

  const where = egress === undefined ? 'as the host routes it' : `by ${egress.name}`;
  const replies =
    bypass || inspected
      ? 'replies pass because of the session'
      : 'replies must be permitted by access lists of their own';
  return { steps, forwarded: true, ends, result: `forwarded ${where}; ${replies}` };
}

/** The route to the address, but for the default route, leads inside. */
function isInside(config: RouterConfig, mapped: ReadonlySet<string> | undefined, address: number): boolean {
  const at = routingTable(config, mapped).lookupSource(address);
  return at === TO_ROUTER || config.interfaces[at]?.nat === 'inside';
}

type Step = (stage: string, text: string, because?: string, line?: number) => void;

function admit(
  config: RouterConfig,
  name: string | undefined,
  stage: string,
  i: InterfaceConfig,
  probe: TracedPacket,
  step: Step,
): boolean {
  if (name === undefined) {
    step(stage, `none on ${i.name}`);
    return true;
  }
  const list = config.accessLists.get(name);
  if (list === undefined) {
    step(stage, `${name} is not defined: permitted`);
    return true;
  }
  if (list.entries.length === 0) {
    step(stage, `${name} has no entries: permitted`);
    return true;
  }
  const entry = list.entries.find((e) => entryMatches(e, probe));
  if (entry === undefined) {
    step(stage, `${name}: no entry matches: denied`, 'the implicit deny at the end of every list');
    return false;
  }
  const permitted = entry.action === 'permit';
  step(
    stage,
    `${name}, entry ${entry.sequence}: ${permitted ? 'permitted' : 'denied'}`,
    formatEntry(list, entry),
    entry.line,
  );
  return permitted;
}

const formatEntry = (list: AccessList, e: AclEntry): string =>
  `${/^\d+$/.test(list.name) ? `access-list ${list.name} ` : ''}${list.kind === 'standard' ? formatStandard(e) : formatExtended(e)}`;

/** Which rule opens a session for the packet; true where one does. */
function inspection(
  config: RouterConfig,
  ingress: InterfaceConfig,
  egress: InterfaceConfig | undefined,
  probe: TracedPacket,
  inside: TracedPacket,
  step: Step,
): boolean {
  const rules = [
    { name: ingress.inspectIn, where: `in on ${ingress.name}` },
    { name: egress?.inspectOut, where: `out on ${egress?.name ?? ''}` },
  ];
  for (const { name, where } of rules) {
    const found = name === undefined ? undefined : select(config, name, inside, probe);
    if (found === undefined) continue;
    const { timeout } = effectiveInspection(found, config.inspect);
    if (probe.protocol === ICMP && !ICMP_REQUESTS.includes(probe.icmp?.type ?? -1)) {
      step('Inspection', `${name ?? ''} (${where}): icmp, but only requests open a session`, undefined, found.line);
      return false;
    }
    const because = `ip inspect name ${name ?? ''} ${found.protocol}`;
    step(
      'Inspection',
      `${name ?? ''} (${where}): ${found.protocol}, a session of ${timeout} s opens`,
      because,
      found.line,
    );
    return true;
  }
  step('Inspection', rules.some((r) => r.name !== undefined) ? 'no rule names this protocol' : 'none on this path');
  return false;
}

/** An application protocol, by the port behind NAT or else the one before it, goes before generic tcp of the same rule. */
function select(
  config: RouterConfig,
  rule: string,
  p: TracedPacket,
  seen: TracedPacket,
): InspectedProtocol | undefined {
  const protocols = config.inspectionRules.get(rule)?.protocols ?? [];
  const generic = { [TCP]: 'tcp', [UDP]: 'udp', [ICMP]: 'icmp' }[p.protocol];
  const ports = new PortApplications(config.portMaps, (list, address) => {
    const entries = config.accessLists.get(list)?.entries;
    return entries?.find((e) => ((address ^ e.src.address) & ~e.src.wildcard) === 0)?.action === 'permit';
  });
  const applications = p.protocol === TCP ? [p, seen].flatMap((at) => INSPECTED_AS[ports.at(at.dstPort, at.dst)]!) : [];
  for (const name of [...applications, generic]) {
    const found = protocols.find((i) => i.protocol === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function note(step: Step, stage: string, address: number, t: Translated | undefined): void {
  if (t === undefined) step(stage, `${formatAddress(address)} has no translation and stays`);
  else step(stage, t.text, t.because, t.line);
}

/**
 * True where the packet belongs to the session, in either direction.
 * @param p behind NAT outside to inside: the session knows inside hosts by their inside local ends
 */
function belongsTo(s: SessionSnapshot, p: TracedPacket): boolean {
  if (s.protocol !== p.protocol) return false;
  const forward = p.src === s.initiator && p.dst === s.responderLocal;
  const back = p.src === s.responderLocal && p.dst === s.initiator;
  // A probe has no ICMP identifier: a request is a new one, a reply is one to any request.
  if (p.protocol === ICMP) return back && !ICMP_REQUESTS.includes(p.icmp?.type ?? -1);
  return (
    (forward && p.srcPort === s.initiatorPort && p.dstPort === s.responderPort) ||
    (back && p.srcPort === s.responderPort && p.dstPort === s.initiatorPort)
  );
}

const announces = (e: ExpectedSnapshot, p: TracedPacket): boolean =>
  p.protocol === TCP && e.src === p.src && e.dst === p.dst && e.dstPort === p.dstPort;

const describe = (s: SessionSnapshot): string =>
  `${formatSessionId(s.id)} (${formatAddress(s.initiator)}:${s.initiatorPort})=>(${formatAddress(s.responder)}:${s.responderPort}) ${s.service} ${s.state}`;
