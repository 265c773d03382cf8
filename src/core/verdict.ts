/**
 * What the core can decide about one packet: pass, hold (the edge keeps it until the core releases it), or drop with
 * the reason. Each reason has one counter and one name, the words of `ip inspect log drop-pkt` where IOS has them.
 */
export const PASS = 0;
export const HOLD = 1;

/** Late verdict of a fragment whose bytes have gone on with its datagram: it goes nowhere, and nothing was dropped. */
export const ABSORBED = -1;

/** Reasons to drop, from 2 on. The order is that of DROP_REASONS. */
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

/** Text of each drop reason, for logs and `show`; index is the verdict. From `ip inspect log drop-pkt` where it has one. */
export const DROP_REASONS: readonly string[] = [
  '',
  '',
  'Invalid Header length',
  'Invalid Checksum',
  'Truncated packet',
  'Access list',
  'Segment matching no TCP connection',
  'Invalid Segment',
  'Invalid Seq#',
  'Invalid Ack (or no Ack)',
  'Invalid Flags',
  'SYN with data or with PSH/URG flags',
  'Out-Of-Order Segment',
  'Fragment',
  'Session limiting',
  'No translation',
  'Protocol inspection',
  'Internal error',
  'Taken by TCP intercept',
  // Inferred: IOS has no word for what follows.
  'Unexpected Interface',
  'Spoofed Source address',
  'Unroutable',
  'TTL expired in transit',
  'Fragmentation needed and DF set',
  'IP Options',
  'ICMP error about no session',
];

export const isDrop = (v: Verdict): boolean => v >= DROP.malformed;
