/** The packet that `packet-tracer` and `fw3640 trace` ask about: the first of a flow, as it would come in. */
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../../core/wire/ipv4.js';
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
  const protocol = m.has('tcp')
    ? IPPROTO_TCP
    : m.has('udp')
      ? IPPROTO_UDP
      : m.has('icmp')
        ? IPPROTO_ICMP
        : m.number('PROTOCOL');
  const probe: TracedPacket = {
    ingress,
    protocol,
    src: m.number('SRC'),
    dst: m.number('DST'),
    srcPort: m.optionalNumber('SRC-PORT') ?? 0,
    dstPort: m.optionalNumber('DST-PORT') ?? 0,
  };
  if (protocol !== IPPROTO_ICMP || !m.has('icmp')) return probe;
  const named = m.has('MESSAGE') ? ICMP_MESSAGES.find((i) => i.name === m.word('MESSAGE')) : undefined;
  return {
    ...probe,
    icmp: { type: named?.type ?? m.number('TYPE'), code: named?.code ?? m.optionalNumber('CODE') ?? 0 },
  };
}
