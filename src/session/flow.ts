/**
 * The flow a packet belongs to, in the terms of the session table: inside hosts by their inside local address, an ICMP
 * query by identifier and type, an ICMP error by the packet it quotes.
 */
import { quotesHeader } from '../nat/rewrite.js';
import type { StaticTranslations } from '../nat/static-nat.js';
import { i32, u16, u8 } from '../wire/bytes.js';
import { ICMP_HEADER, requestOfReply } from '../wire/icmp.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPV4_DST, IPV4_PROTOCOL, IPV4_SRC } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

/** Filled again for each packet. */
export class Flow {
  src = 0;
  srcPort = 0;
  dst = 0;
  dstPort = 0;
  protocol = 0;
  /** The flow of the packet that an ICMP error quotes, as that packet went. */
  quoted = false;
}

/**
 * Reads the flow of `p` into `f`.
 * @param fromOutside the packet came in on an `ip nat outside` interface: its destination may be inside global
 */
export function readFlow(p: Packet, fromOutside: boolean, nat: StaticTranslations, f: Flow): void {
  f.protocol = p.protocol;
  if (quotesHeader(p)) {
    readQuotedFlow(p, fromOutside, nat, f);
    return;
  }
  f.quoted = false;
  f.src = p.src;
  f.dst = fromOutside ? nat.toLocal(p.dst) : p.dst;
  if (p.protocol === IPPROTO_ICMP) {
    // Request: identifier → type. Reply: type of its request → identifier. So a reply finds its request only.
    const type = p.srcPort >>> 8;
    const request = requestOfReply(type);
    f.srcPort = request < 0 ? p.dstPort : request;
    f.dstPort = request < 0 ? type : p.dstPort;
  } else {
    f.srcPort = p.srcPort;
    f.dstPort = p.dstPort;
  }
}

function readQuotedFlow(p: Packet, fromOutside: boolean, nat: StaticTranslations, f: Flow): void {
  const b = p.bytes;
  const at = p.l4 + ICMP_HEADER;
  const src = i32(b, at + IPV4_SRC);
  const dst = i32(b, at + IPV4_DST);
  f.quoted = true;
  // The quoted packet went the other way: what comes from outside quotes a packet from inside, as it was outside.
  f.src = fromOutside ? nat.toLocal(src) : src;
  f.dst = dst;
  f.protocol = u8(b, at + IPV4_PROTOCOL);
  f.srcPort = 0;
  f.dstPort = 0;
  const l4 = at + (u8(b, at) & 15) * 4;
  if (l4 + 8 > p.end) return;
  if (f.protocol === IPPROTO_TCP || f.protocol === IPPROTO_UDP) {
    f.srcPort = u16(b, l4);
    f.dstPort = u16(b, l4 + 2);
  } else if (f.protocol === IPPROTO_ICMP) {
    const type = u8(b, l4);
    const request = requestOfReply(type);
    const identifier = u16(b, l4 + 4);
    f.srcPort = request < 0 ? identifier : request;
    f.dstPort = request < 0 ? type : identifier;
  }
}
