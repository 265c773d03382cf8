/**
 * ICMP queries (RFC 792, RFC 950): which sequence numbers of a session still wait for their reply. The identifier is
 * the session's; the numbers are bits of a window behind the newest one, in the protocol words of its record.
 */
import { PROTOCOL_WORDS, type Session } from '../session/session.js';
import { u16 } from '../wire/bytes.js';
import { ICMP_SEQUENCE, isIcmpRequest, requestOfReply } from '../wire/icmp.js';
import type { Packet } from '../wire/packet.js';

/** Sequence numbers that may wait at a time: more than `ping -f` has under way. A power of two. */
const WINDOW = 256;
const NEWEST = PROTOCOL_WORDS.at;
const BITS = PROTOCOL_WORDS.at + 1; // by sequence number modulo WINDOW

/** Notes the request in `p`. False: the initiator sent something else. */
export function noteRequest(s: Session, p: Packet): boolean {
  if (!isIcmpRequest(p.srcPort >>> 8)) return false;
  const w = s.words;
  const sequence = u16(p.bytes, p.l4 + ICMP_SEQUENCE);
  const newest = w[s.at + NEWEST]!;
  const ahead = ((sequence - newest) << 16) >> 16;
  if (ahead >= WINDOW || ahead <= -WINDOW) {
    w.fill(0, s.at + BITS, s.at + BITS + WINDOW / 32); // a sender that starts anew
    w[s.at + NEWEST] = sequence;
  } else if (ahead > 0) {
    for (let n = newest + 1; n < newest + ahead; n++) w[wordOf(s, n)]! &= ~bitOf(n);
    w[s.at + NEWEST] = sequence;
  }
  w[wordOf(s, sequence)]! |= bitOf(sequence);
  return true;
}

/** True when `p` is the reply to a request that waits, which it then does no longer. */
export function takeReply(s: Session, p: Packet): boolean {
  if (requestOfReply(p.srcPort >>> 8) !== s.responderPort) return false;
  const w = s.words;
  const sequence = u16(p.bytes, p.l4 + ICMP_SEQUENCE);
  if (((w[s.at + NEWEST]! - sequence) & 0xffff) >= WINDOW) return false;
  const at = wordOf(s, sequence);
  const bit = bitOf(sequence);
  if ((w[at]! & bit) === 0) return false;
  w[at]! &= ~bit;
  return true;
}

const wordOf = (s: Session, sequence: number): number => s.at + BITS + ((sequence & (WINDOW - 1)) >> 5);
const bitOf = (sequence: number): number => 1 << (sequence & 31);
