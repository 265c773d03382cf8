/**
 * The flow a packet belongs to, in the terms of the session table: inside hosts by their inside local address, an ICMP
 * query by identifier and type, an ICMP error by the packet it quotes.
 */
import { quotesHeader } from '../nat/quote.js';
import type { Translator } from '../nat/translator.js';
import { IPPROTO_ICMP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { PacketEnds } from '../wire/packet-ends.js';
import { readQuery } from './icmp.js';

/** Filled again for each packet. */
export class Flow extends PacketEnds {
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
  if (p.protocol === IPPROTO_ICMP) readQuery(f, p.icmpType, nat.dstPort);
  else {
    f.srcPort = p.srcPort;
    f.dstPort = nat.dstPort;
  }
}
