/**
 * The bytes of a probe. What the words leave open is filled in: of a flow that no session is for, as its first packet
 * has it; of a session, as its next packet might.
 */
import { writeUdp } from '../../core/probe/datagram.js';
import * as dns from '../../core/session/dns.js';
import { waitingSequence } from '../../core/session/icmp.js';
import { FLAG, type Session } from '../../core/session/session.js';
import { clientSeq } from '../../core/session/splice.js';
import * as tcpState from '../../core/session/tcp-state.js';
import { put16, put32 } from '../../core/wire/bytes.js';
import { addWords, fold, writeIpv4Checksum } from '../../core/wire/checksum.js';
import { ICMP_CHECKSUM, ICMP_HEADER, ICMP_IDENTIFIER, ICMP_SEQUENCE, isIcmpError } from '../../core/wire/icmp.js';
import * as ipv4 from '../../core/wire/ipv4.js';
import { ownSegment } from '../../core/wire/own-segment.js';
import { ACK, SYN } from '../../core/wire/tcp.js';
import * as udp from '../../core/wire/udp.js';
import type { TracedPacket } from './probe.js';

const L4 = ipv4.IPV4_MIN_HEADER;
const TTL = 64;
const WINDOW = 8192;
/** Anything: a first SYN may have any. */
const ISN = 1;

/** Of which session a probe is, and from which of its ends. */
export interface Known {
  readonly session: Session;
  readonly fromInitiator: boolean;
}

/** @param known undefined: of none */
export function probeBytes(probe: TracedPacket, known?: Known, identifier = 1): Uint8Array {
  switch (probe.protocol) {
    case ipv4.IPPROTO_TCP:
      return segment(probe, known);
    case ipv4.IPPROTO_UDP:
      return datagram(probe, known);
    case ipv4.IPPROTO_ICMP:
      return message(probe, identifier, known);
    default:
      return packet(probe, 8);
  }
}

/** An IPv4 packet with this much behind its header, which is zero. */
function packet({ src, dst, protocol }: TracedPacket, length: number): Uint8Array {
  const b = new Uint8Array(L4 + length);
  b[0] = 0x45;
  put16(b, ipv4.IPV4_TOTAL_LENGTH, b.length);
  put16(b, ipv4.IPV4_FRAGMENT, ipv4.DONT_FRAGMENT);
  b[ipv4.IPV4_TTL] = TTL;
  b[ipv4.IPV4_PROTOCOL] = protocol;
  put32(b, ipv4.IPV4_SRC, src);
  put32(b, ipv4.IPV4_DST, dst);
  writeIpv4Checksum(b, 0, L4);
  return b;
}

/** A SYN, its answer, or an acknowledgement of what the other side has sent. */
function segment({ src, srcPort, dst, dstPort }: TracedPacket, known: Known | undefined): Uint8Array {
  let [flags, seq, ack] = [SYN, ISN, 0];
  if (known !== undefined) {
    const { session: s, fromInitiator } = known;
    const answered = s.has(FLAG.responderSyn);
    if (fromInitiator && !answered) seq = tcpState.isn(s, true);
    else {
      flags = answered ? ACK : SYN | ACK;
      if (answered) seq = tcpState.sndNxt(s, fromInitiator);
      ack = tcpState.sndNxt(s, !fromInitiator);
      if (fromInitiator) ack = clientSeq(s, ack);
    }
  }
  return ownSegment(src, srcPort, dst, dstPort, flags, seq, ack, WINDOW);
}

function datagram(probe: TracedPacket, known: Known | undefined): Uint8Array {
  const b = packet(probe, udp.UDP_HEADER + dns.DNS_HEADER);
  if (known?.fromInitiator === false && probe.srcPort === dns.DNS_PORT) writeDnsAnswer(b, known.session);
  writeUdp(b, { source: probe.src, destination: probe.dst, port: probe.dstPort }, probe.srcPort);
  return b;
}

/** To a query that waits. */
function writeDnsAnswer(b: Uint8Array, s: Session): void {
  const at = L4 + udp.UDP_HEADER;
  put16(b, at, dns.waitingId(s) ?? 0);
  put16(b, at + 2, dns.RESPONSE);
}

/** An error quotes a datagram that its receiver might have sent: nobody knows of it. */
function message(probe: TracedPacket, identifier: number, known: Known | undefined): Uint8Array {
  const { type, code } = probe.icmp ?? { type: 0, code: 0 };
  const quote = { ...probe, protocol: ipv4.IPPROTO_UDP, src: probe.dst, dst: probe.src, srcPort: 1, dstPort: 1 };
  const quoted = isIcmpError(type) ? datagram(quote, undefined) : new Uint8Array(0);
  const b = packet(probe, ICMP_HEADER + quoted.length);
  b[L4] = type;
  b[L4 + 1] = code;
  if (quoted.length === 0) {
    put16(b, L4 + ICMP_IDENTIFIER, identifier);
    put16(
      b,
      L4 + ICMP_SEQUENCE,
      known === undefined ? 1 : waitingSequence(known.session) + (known.fromInitiator ? 1 : 0),
    );
  }
  b.set(quoted, L4 + ICMP_HEADER);
  put16(b, L4 + ICMP_CHECKSUM, ~fold(addWords(b, L4, b.length, 0)) & 0xffff);
  return b;
}
