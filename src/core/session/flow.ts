/**
 * The flow a packet belongs to, in the terms of the session table: inside hosts by their inside local address, an ICMP
 * query by identifier and type, an ICMP error by the packet it quotes.
 */
import { quotesHeader } from '../nat/quote.js';
import type { Translator } from '../nat/translator.js';
import { requestOfReply } from '../wire/icmp.js';
import { IPPROTO_ICMP } from '../wire/ipv4.js';
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
  /** Number of the interface that the packet in hand came in by, and of the one it leaves by; 0: none. */
  from = 0;
  to = 0;
}

/** Reads the flow of `p` into `f`. `nat` has found the ends of `p`. */
export function readFlow(p: Packet, nat: Translator, f: Flow): void {
  f.quoted = quotesHeader(p);
  if (f.quoted) {
    const q = nat.quote;
    f.protocol = q.protocol;
    // The quoted packet went the other way: its source is whom the error is for.
    f.src = nat.quotedSrc;
    f.dst = q.dst;
    if (q.protocol === IPPROTO_ICMP) readQuery(f, q.icmpType, nat.quotedSrcPort);
    else {
      f.srcPort = nat.quotedSrcPort;
      f.dstPort = q.dstPort;
    }
    return;
  }
  f.protocol = p.protocol;
  f.src = p.src;
  f.dst = nat.dst;
  if (p.protocol === IPPROTO_ICMP) readQuery(f, p.srcPort >>> 8, nat.dstPort);
  else {
    f.srcPort = p.srcPort;
    f.dstPort = nat.dstPort;
  }
}

/** Request: identifier → type. Reply: type of its request → identifier. So a reply finds its request only. */
function readQuery(f: Flow, type: number, identifier: number): void {
  const request = requestOfReply(type);
  f.srcPort = request < 0 ? identifier : request;
  f.dstPort = request < 0 ? type : identifier;
}
