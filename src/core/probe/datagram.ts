/** Builds probes: whole IPv4 datagrams with their checksums (RFC 791, 792, 768), and cuts them into fragments. */
import { put16, put32 } from '../wire/bytes.js';
import { addWords, fold, pseudoHeaderSum, writeIpv4Checksum } from '../wire/checksum.js';
import { ECHO, ICMP_CHECKSUM, ICMP_HEADER, ICMP_IDENTIFIER, ICMP_SEQUENCE } from '../wire/icmp.js';
import * as ipv4 from '../wire/ipv4.js';
import * as udp from '../wire/udp.js';
import type { Probe } from './probe.js';

const L4 = ipv4.IPV4_MIN_HEADER;

/** What tells one probe from another: an echo's identifier and sequence number, a UDP datagram's source port. */
export interface ProbeMark {
  identifier: number;
  sequence: number;
}

/**
 * The datagram of a probe.
 * @param mark of an echo; of a UDP datagram the identifier is its source port
 * @param identification of the IPv4 header, which all its fragments share
 */
export function buildProbe(probe: Probe, mark: ProbeMark, identification: number): Uint8Array {
  const b = new Uint8Array(Math.max(probe.size, L4 + ICMP_HEADER));
  b[0] = 0x45;
  b[1] = probe.tos;
  put16(b, ipv4.IPV4_TOTAL_LENGTH, b.length);
  put16(b, ipv4.IPV4_IDENTIFICATION, identification);
  put16(b, ipv4.IPV4_FRAGMENT, probe.dontFragment ? ipv4.DONT_FRAGMENT : 0);
  b[ipv4.IPV4_TTL] = probe.ttl;
  b[ipv4.IPV4_PROTOCOL] = probe.kind === 'echo' ? ipv4.IPPROTO_ICMP : ipv4.IPPROTO_UDP;
  put32(b, ipv4.IPV4_SRC, probe.source);
  put32(b, ipv4.IPV4_DST, probe.destination);
  writeIpv4Checksum(b, 0, L4);
  if (probe.kind === 'echo') writeEcho(b, probe.pattern, mark);
  else writeUdp(b, probe, mark.identifier);
  return b;
}

function writeEcho(b: Uint8Array, pattern: number, { identifier, sequence }: ProbeMark): void {
  b[L4] = ECHO;
  put16(b, L4 + ICMP_IDENTIFIER, identifier);
  put16(b, L4 + ICMP_SEQUENCE, sequence);
  for (let i = L4 + ICMP_HEADER; i < b.length; i++) b[i] = (i & 1) === 0 ? pattern >>> 8 : pattern;
  put16(b, L4 + ICMP_CHECKSUM, ~fold(addWords(b, L4, b.length, 0)) & 0xffff);
}

/**
 * Writes the UDP header of a datagram without IPv4 options, whose data is there. `port`: of the destination.
 */
export function writeUdp(
  b: Uint8Array,
  { source, destination, port }: Pick<Probe, 'source' | 'destination' | 'port'>,
  sourcePort: number,
): void {
  const length = b.length - L4;
  put16(b, L4 + udp.UDP_SRC_PORT, sourcePort);
  put16(b, L4 + udp.UDP_DST_PORT, port);
  put16(b, L4 + udp.UDP_LENGTH, length);
  const sum = ~fold(addWords(b, L4, b.length, pseudoHeaderSum(source, destination, ipv4.IPPROTO_UDP, length))) & 0xffff;
  put16(b, L4 + udp.UDP_CHECKSUM, sum === 0 ? 0xffff : sum);
}

/**
 * The fragments that a datagram of `buildProbe` goes out in.
 * @param mtu bytes, 28 at least
 * @returns the datagram itself where it fits; nothing where it must not be fragmented
 */
export function fragmentsOf(datagram: Uint8Array, mtu: number): Uint8Array[] {
  if (datagram.length <= mtu) return [datagram];
  if (ipv4.dontFragment(datagram, 0)) return [];
  const step = (mtu - L4) & ~7;
  const fragments: Uint8Array[] = [];
  for (let at = L4; at < datagram.length; at += step) {
    const end = Math.min(at + step, datagram.length);
    const b = new Uint8Array(L4 + end - at);
    b.set(datagram.subarray(0, L4));
    b.set(datagram.subarray(at, end), L4);
    put16(b, ipv4.IPV4_TOTAL_LENGTH, b.length);
    put16(b, ipv4.IPV4_FRAGMENT, ((at - L4) >>> 3) | (end < datagram.length ? ipv4.MORE_FRAGMENTS : 0));
    writeIpv4Checksum(b, 0, L4);
    fragments.push(b);
  }
  return fragments;
}
