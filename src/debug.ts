/** `debug`: which output is wanted, one object, read in the hot path before anything is built; and the lines themselves. */
import { formatAddress } from './ios/ipv4-text.js';
import { IPPROTO_ICMP } from './wire/ipv4.js';
import type { Packet } from './wire/packet.js';
import { ACK } from './wire/tcp.js';

export interface DebugFlags {
  smtp: boolean;
  tcp: boolean;
  udp: boolean;
  icmp: boolean;
  objectCreation: boolean;
  objectDeletion: boolean;
  nat: boolean;
  packet: boolean;
}

export const noDebug = (): DebugFlags => ({
  smtp: false,
  tcp: false,
  udp: false,
  icmp: false,
  objectCreation: false,
  objectDeletion: false,
  nat: false,
  packet: false,
});

const place = (address: number, name: string): string => `${formatAddress(address)} (${name})`;

/** `debug ip packet`: what became of a packet. Inferred: form of 12.x, without the flow's gateway. */
export function packetLine(p: Packet, ingress: string, egress: string | undefined, fate: string): string {
  const to = egress === undefined ? formatAddress(p.dst) : place(p.dst, egress);
  return `IP: s=${place(p.src, ingress)}, d=${to}, len ${p.end - p.at}, ${fate}`;
}

/** `debug ip nat`: a translated packet with its identification. */
export function natLine(p: Packet, src: number, dst: number): string {
  const arrow = (before: number, now: number): string =>
    before === now ? formatAddress(now) : `${formatAddress(before)}->${formatAddress(now)}`;
  return `NAT: s=${arrow(src, p.src)}, d=${arrow(dst, p.dst)} [${p.identification}]`;
}

const FLAG_LETTERS = ['F', 'S', 'R', 'P', '', 'U'];

/** `debug ip inspect tcp`, the form of Cisco's own sample; `sis` is the session, `pak` the packet. */
export function tcpLine(sis: number, p: Packet): string {
  const flags = FLAG_LETTERS.filter((_, bit) => (p.flags & (1 << bit)) !== 0).join('') || '.';
  const ack = p.flags & ACK ? ` ack ${p.ack >>> 0}` : '';
  return (
    `CBAC sis ${hex(sis)} pak ${hex(p.token)} TCP ${flags}${ack} seq ${p.seq >>> 0}(${p.end - p.payload}) ` +
    `(${formatAddress(p.src)}:${p.srcPort}) => (${formatAddress(p.dst)}:${p.dstPort})`
  );
}

/** `debug ip inspect udp` and `icmp`. Inferred: no sample was found; the form follows that of tcp. */
export function datagramLine(sis: number, p: Packet): string {
  const head = `CBAC sis ${hex(sis)} pak ${hex(p.token)}`;
  const from = formatAddress(p.src);
  const to = formatAddress(p.dst);
  if (p.protocol === IPPROTO_ICMP) return `${head} ICMP type ${p.srcPort >>> 8} (${from}) => (${to})`;
  return `${head} UDP (${from}:${p.srcPort}) => (${to}:${p.dstPort}) length ${p.end - p.payload}`;
}

/** `debug ip inspect object-creation` and `object-deletion`. */
export const objectLine = (sis: number, created: boolean): string =>
  `CBAC OBJ_${created ? 'CREATE: create' : 'DELETE: delete'} sis ${hex(sis)}`;

const hex = (n: number): string => (n >>> 0).toString(16).toUpperCase();
