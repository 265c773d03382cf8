/** The packet that `packet-tracer` and `fw3640 trace` ask about: the first of a flow, as it would come in. */
import type { AclEntry } from '../../core/acl/entry.js';
import { entryAdmitsPort } from '../acl-cover.js';
import type { Help } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { ICMP_MESSAGES } from '../number-names.js';

export interface TracedPacket {
  /** Canonical name of the interface it comes in by. */
  ingress: string;
  /** IP protocol number. */
  protocol: number;
  /** Addresses int32, host order. */
  src: number;
  dst: number;
  /** 0 without ports. */
  srcPort: number;
  dstPort: number;
  icmp?: { type: number; code: number };
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;

/** Behind `packet-tracer input INTERFACE` and `fw3640 trace --in INTERFACE`. */
export const PROBE_SYNTAX =
  '{tcp SRC:ADDRESS SRC-PORT:TCP-PORT DST:ADDRESS DST-PORT:TCP-PORT | ' +
  'udp SRC:ADDRESS SRC-PORT:UDP-PORT DST:ADDRESS DST-PORT:UDP-PORT | ' +
  'icmp SRC:ADDRESS DST:ADDRESS {TYPE:<0-255> [CODE:<0-255>] | MESSAGE:ICMP-MESSAGE} | ' +
  'ip PROTOCOL:PROTOCOL SRC:ADDRESS DST:ADDRESS}';

export const PROBE_HELP: Help = {
  tcp: 'The opening segment of a TCP connection',
  udp: 'A UDP datagram',
  icmp: 'An ICMP message',
  ip: 'A packet of another protocol',
  SRC: 'Source address',
  DST: 'Destination address',
  TYPE: 'ICMP type',
  CODE: 'ICMP code',
};

/** @param ingress canonical interface name; `m` a match of PROBE_SYNTAX */
export function readProbe(ingress: string, m: Match): TracedPacket {
  const protocol = m.has('tcp') ? TCP : m.has('udp') ? UDP : m.has('icmp') ? ICMP : m.number('PROTOCOL');
  const probe: TracedPacket = {
    ingress,
    protocol,
    src: m.number('SRC'),
    dst: m.number('DST'),
    srcPort: m.optionalNumber('SRC-PORT') ?? 0,
    dstPort: m.optionalNumber('DST-PORT') ?? 0,
  };
  if (protocol !== ICMP || !m.has('icmp')) return probe;
  const named = m.has('MESSAGE') ? ICMP_MESSAGES.find((i) => i.name === m.word('MESSAGE')) : undefined;
  return {
    ...probe,
    icmp: { type: named?.type ?? m.number('TYPE'), code: named?.code ?? m.optionalNumber('CODE') ?? 0 },
  };
}

/** True where the entry matches the probe: a first, whole packet with TOS 0; of TCP, a SYN. */
export function entryMatches(e: AclEntry, p: TracedPacket): boolean {
  if (e.protocol !== undefined && e.protocol !== p.protocol) return false;
  if (((p.src ^ e.src.address) & ~e.src.wildcard) !== 0 || ((p.dst ^ e.dst.address) & ~e.dst.wildcard) !== 0)
    return false;
  if (e.fragments || e.established) return false;
  if ((e.precedence ?? 0) !== 0 || (e.tos ?? 0) !== 0 || (e.dscp ?? 0) !== 0) return false;
  if (e.icmp !== undefined && (e.icmp.type !== p.icmp?.type || (e.icmp.code ?? p.icmp.code) !== p.icmp.code))
    return false;
  return entryAdmitsPort(e.srcPort, p.srcPort) && entryAdmitsPort(e.dstPort, p.dstPort);
}
