/** Segments of inspected streams are made such that every receiver takes them, and takes them alike. */
import type { Session } from '../session/session.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { IPV4_MIN_HEADER } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, SYN } from '../wire/tcp.js';
import { ALL_TCP_OPTIONS, normaliseOptions, UNREADABLE } from '../wire/tcp-options.js';
import { putTtl } from '../wire/ttl.js';

/** Some receivers drop a segment with such options, of IP or TCP, and others take it. */
export const isUnclear = (p: Packet): boolean =>
  p.headerLength > IPV4_MIN_HEADER || normaliseOptions(p, ALL_TCP_OPTIONS) === UNREADABLE;

/**
 * Makes a segment of an inspected stream such that every receiver takes it, and takes it alike. Its TTL is raised to the
 * highest that a SYN of its sender had, as by `min-ttl` of OpenBSD's scrub and `new_ttl` of Snort's normalizer, but to
 * a value that is known to arrive: a segment with less would be counted here and die behind us. Loops stay finite: one
 * through this router is cut by the sides of the session, others lower the TTL as ever. Options of IP make some servers
 * drop a segment that others take.
 */
export function normalise(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if (p.headerLength > IPV4_MIN_HEADER) return DROP.ipOptions;
  const syn = (p.flags & SYN) !== 0;
  const answer = syn && (p.flags & ACK) !== 0 && !fromInitiator;
  const options = normaliseOptions(p, answer ? s.offers : syn ? ALL_TCP_OPTIONS : s.agreed);
  if (options === UNREADABLE) return DROP.invalidSegment;
  const least = s.leastTtl(fromInitiator);
  if (p.ttl < least) putTtl(p, least);
  if (!syn) return PASS;
  s.raiseLeastTtl(fromInitiator, p.ttl);
  if (fromInitiator) s.offers |= options;
  else s.agreed |= options & s.offers;
  return PASS;
}
