/**
 * What the core can decide about one packet: pass, hold (the edge keeps it until the core releases it), or drop with
 * the reason. Each reason has one counter and one name, the words of `ip inspect log drop-pkt` where IOS has them.
 */
import type { Row } from './observe/row.js';

export const PASS = 0;
export const HOLD = 1;

/** Late verdict of a fragment whose bytes have gone on with its datagram: it goes nowhere, and nothing was dropped. */
export const ABSORBED = -1;

/** Reasons to drop, from 2 on. `ios/drop-reasons.ts` has their words, in this order. */
export const DROP = {
  malformed: 2,
  badChecksum: 3,
  truncated: 4,
  acl: 5,
  noSession: 6,
  invalidSegment: 7,
  invalidSeq: 8,
  invalidAck: 9,
  invalidFlags: 10,
  synWithData: 11,
  outOfOrder: 12,
  fragment: 13,
  sessionLimit: 14,
  noTranslation: 15,
  inspection: 16,
  internal: 17,
  /** Not lost: the router has answered in the place of the server, or speaks to it (`ip tcp intercept`). */
  intercepted: 18,
  wrongInterface: 19,
  spoofed: 20,
  unroutable: 21,
  ttlExpired: 22,
  tooLong: 23,
  ipOptions: 24,
  strayError: 25,
} as const;

export type Verdict = number;

/** One more than the last verdict: the length of what is indexed by verdicts. */
export const VERDICTS = 26;

export const isDrop = (v: Verdict): boolean => v >= DROP.malformed;

/** What each reason means, in a line. */
const HELP: Readonly<Record<keyof typeof DROP, string>> = {
  malformed: 'a header that cannot be: IP, TCP, UDP or ICMP',
  badChecksum: 'a wrong IP or transport checksum',
  truncated: 'a packet that the kernel has not handed over whole',
  acl: 'an access list denies it',
  noSession: 'a TCP segment of no session',
  invalidSegment: 'a segment that fits no state of its session',
  invalidSeq: 'a sequence number outside the window',
  invalidAck: 'an acknowledgement outside the window, or none',
  invalidFlags: 'flags that do not go together',
  synWithData: 'a SYN with data, PSH or URG',
  outOfOrder: 'a segment out of order that is not held',
  fragment: 'a fragment, or a datagram of fragments, that virtual reassembly refuses',
  sessionLimit: 'no room for a session, or too many half-open ones',
  noTranslation: 'no address or port to translate it to',
  inspection: 'refused by the inspector of its application',
  internal: 'an error of the router itself',
  intercepted: 'taken by TCP intercept, which answers it',
  wrongInterface: 'a packet of a session from another interface than before',
  spoofed: 'a source address that cannot come from where it came',
  unroutable: 'no route to its destination',
  ttlExpired: 'its time to live has ended',
  tooLong: "longer than the next link takes, with Don't Fragment",
  ipOptions: 'IP options that are not let through',
  strayError: 'an ICMP error about no session',
};

/** A row for each reason. `drops`: how many packets were dropped, by verdict. */
export const dropRows = (drops: ArrayLike<number>): Row[] =>
  (Object.keys(DROP) as (keyof typeof DROP)[]).map((name) => ({
    family: 'drop',
    name,
    help: `Packets dropped: ${HELP[name]}`,
    kind: 'counter',
    read: () => drops[DROP[name]]!,
  }));
