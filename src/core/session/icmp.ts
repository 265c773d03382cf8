/**
 * ICMP queries (RFC 792, RFC 950): which sequence numbers of a session still wait for their reply. The identifier is
 * the session's; the numbers are bits of a window behind the newest one, in the protocol words of its record. Of
 * requests that the window has left behind only the number is known: as many replies pass, whatever theirs.
 *
 * A record has the identifier as the port of the initiator, and the type of the requests as that of the responder. So a
 * reply finds its request only, and two hosts may ask each other under the same identifier.
 */
import { PROTOCOL_WORDS, type Session } from './session.js';
import { u16 } from '../wire/bytes.js';
import { ICMP_SEQUENCE, isIcmpRequest, requestOfReply } from '../wire/icmp.js';
import type { Packet } from '../wire/packet.js';
import type { PacketEnds } from '../wire/packet-ends.js';

/** Sequence numbers that are remembered: more than `ping -f` has under way on most paths. A power of two. */
const WINDOW = 256;
const NEWEST = PROTOCOL_WORDS.at;
const BITS = PROTOCOL_WORDS.at + 1; // by sequence number modulo WINDOW
const FORGOTTEN = BITS + WINDOW / 32; // requests that wait, behind the window
/** Where their number stops, up and down: from there on it is not known. */
const MOST_FORGOTTEN = 0xffff;

/** Puts the numbers of a query into `e` as a record has them. `type`: of a request or a reply. */
export function readQuery(e: PacketEnds, type: number, identifier: number): void {
  const request = requestOfReply(type);
  e.srcPort = request < 0 ? identifier : request;
  e.dstPort = request < 0 ? type : identifier;
}

export const identifierOf = (s: Session): number => s.initiatorPort;
export const requestTypeOf = (s: Session): number => s.responderPort;

/** Notes the request in `p`. False: the initiator sent something else. */
export function noteRequest(s: Session, p: Packet): boolean {
  if (!isIcmpRequest(p.icmpType)) return false;
  const w = s.words;
  const sequence = u16(p.bytes, p.l4 + ICMP_SEQUENCE);
  const newest = w[s.at + NEWEST]!;
  const ahead = ((sequence - newest) << 16) >> 16;
  // A sender that starts anew leaves all of the window behind.
  const left = ahead <= -WINDOW ? WINDOW : Math.min(ahead, WINDOW);
  for (let n = sequence - left + 1; n <= sequence; n++) forget(s, n);
  if (left > 0) w[s.at + NEWEST] = sequence;
  w[wordOf(s, sequence)]! |= bitOf(sequence);
  return true;
}

/** True when `p` is the reply to a request that waits, which it then does no longer. */
export function takeReply(s: Session, p: Packet): boolean {
  if (requestOfReply(p.icmpType) !== requestTypeOf(s)) return false;
  const w = s.words;
  const sequence = u16(p.bytes, p.l4 + ICMP_SEQUENCE);
  if (((w[s.at + NEWEST]! - sequence) & 0xffff) >= WINDOW) return takeForgotten(s);
  const at = wordOf(s, sequence);
  const bit = bitOf(sequence);
  if ((w[at]! & bit) === 0) return false;
  w[at]! &= ~bit;
  return true;
}

/** The sequence number of a request that waits for its reply; where none does, of the newest one. */
export function waitingSequence(s: Session): number {
  const newest = s.words[s.at + NEWEST]!;
  for (let n = newest; n > newest - WINDOW; n--) if ((s.words[wordOf(s, n)]! & bitOf(n)) !== 0) return n & 0xffff;
  return newest;
}

/** The place of sequence number `n` is for another request; the one that waits there, if any, is only counted. */
function forget(s: Session, n: number): void {
  const w = s.words;
  const at = wordOf(s, n);
  const bit = bitOf(n);
  if ((w[at]! & bit) === 0) return;
  w[at]! &= ~bit;
  if (w[s.at + FORGOTTEN]! < MOST_FORGOTTEN) w[s.at + FORGOTTEN]!++;
}

function takeForgotten(s: Session): boolean {
  const w = s.words;
  const forgotten = w[s.at + FORGOTTEN]!;
  if (forgotten === 0) return false;
  if (forgotten < MOST_FORGOTTEN) w[s.at + FORGOTTEN]!--;
  return true;
}

const wordOf = (s: Session, sequence: number): number => s.at + BITS + ((sequence & (WINDOW - 1)) >> 5);
const bitOf = (sequence: number): number => 1 << (sequence & 31);
