/** Access-list entries as IOS writes them, in the running-config and in `show access-lists`. */
import type { AclAddress, AclEntry, AclPort } from '../../core/acl/entry.js';
import { formatAddress } from '../ipv4-text.js';
import {
  CODE_POINTS,
  ICMP_MESSAGES,
  IP_PROTOCOLS,
  PRECEDENCES,
  TCP_PORTS,
  TYPES_OF_SERVICE,
  UDP_PORTS,
  nameOf,
} from '../number-names.js';
import type { Named } from '../number-names.js';
import type { AccessList } from './model.js';

const TCP = 6;
const UDP = 17;
const ICMP = 1;

function endpoint(a: AclAddress): string {
  if (a.wildcard === -1) return 'any';
  return a.wildcard === 0
    ? `host ${formatAddress(a.address)}`
    : `${formatAddress(a.address)} ${formatAddress(a.wildcard)}`;
}

function port(p: AclPort | undefined, names: readonly Named[]): string {
  if (p === undefined) return '';
  return ` ${p.op} ${nameOf(names, p.from)}${p.op === 'range' ? ` ${nameOf(names, p.to)}` : ''}`;
}

function icmpMessage(icmp: AclEntry['icmp']): string {
  if (icmp === undefined) return '';
  const named = ICMP_MESSAGES.find((m) => m.type === icmp.type && m.code === icmp.code);
  if (named !== undefined) return ` ${named.name}`;
  return ` ${icmp.type}${icmp.code === undefined ? '' : ` ${icmp.code}`}`;
}

/** Undefined: `ip`. */
export function protocolName(protocol: number | undefined): string {
  if (protocol === undefined) return 'ip';
  if (protocol === TCP) return 'tcp';
  if (protocol === UDP) return 'udp';
  return protocol === ICMP ? 'icmp' : nameOf(IP_PROTOCOLS, protocol);
}

/** @returns an entry of an extended list, from `permit` on, e.g. `permit tcp any host 172.22.1.110 eq smtp`. */
export function formatExtended(e: AclEntry): string {
  const names = e.protocol === UDP ? UDP_PORTS : TCP_PORTS;
  return (
    `${e.action} ${protocolName(e.protocol)} ${endpoint(e.src)}${port(e.srcPort, names)}` +
    ` ${endpoint(e.dst)}${port(e.dstPort, names)}${icmpMessage(e.icmp)}` +
    (e.established ? ' established' : '') +
    (e.precedence === undefined ? '' : ` precedence ${nameOf(PRECEDENCES, e.precedence)}`) +
    (e.tos === undefined ? '' : ` tos ${nameOf(TYPES_OF_SERVICE, e.tos)}`) +
    (e.dscp === undefined ? '' : ` dscp ${nameOf(CODE_POINTS, e.dscp)}`) +
    (e.log === 'none' ? '' : ` ${e.log}`) +
    (e.fragments ? ' fragments' : '')
  );
}

/** @returns an entry of a standard list as the running-config has it; `deny` is padded to the width of `permit`. */
function formatStandard(e: AclEntry): string {
  const { address, wildcard } = e.src;
  const source = wildcard === 0 ? formatAddress(address) : endpoint(e.src);
  return `${e.action.padEnd(6)} ${source}${e.log === 'none' ? '' : ' log'}`;
}

/** How the entries of a list are written. */
export const entryFormat = ({ kind }: Pick<AccessList, 'kind'>): ((e: AclEntry) => string) =>
  kind === 'standard' ? formatStandard : formatExtended;

/** The lines of a list in order, remarks among the entries; `entry` and `remark` say how each is written. */
export function listLines(
  list: AccessList,
  entry: (e: AclEntry) => string,
  remark: (text: string) => string,
): string[] {
  const remarks = [...(list.remarks ?? [])].sort((a, b) => a.after - b.after);
  const lines: string[] = [];
  let written = 0;
  const remarksBefore = (sequence: number): void => {
    for (; written < remarks.length && remarks[written]!.after < sequence; written++)
      lines.push(remark(remarks[written]!.text));
  };
  for (const e of list.entries) {
    remarksBefore(e.sequence);
    lines.push(entry(e));
  }
  remarksBefore(Infinity);
  return lines;
}
