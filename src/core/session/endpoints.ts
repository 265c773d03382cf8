/** How a session is named to people: its number, and the addresses and ports at its ends. */
import type { Endpoints } from '../events.js';
import { SERVICES } from '../inspect/rules.js';
import * as icmp from '../wire/icmp.js';
import { IPPROTO_ICMP } from '../wire/ipv4.js';
import { identifierOf, requestTypeOf } from './icmp.js';
import type { Session } from './session.js';

/** Session ids are printed as the address of a session block; ours are record numbers in that shape. */
const BLOCK_BASE = 0x63000000;
const BLOCK_SIZE = 0x170;

/** Blocks of other shards lie between those of the first: there are no more than 23 (`MOST_SHARDS`). */
const SHARD_STEP = 0x10;

/** The number of record `slot` of a shard, in blocks from `base` on. */
export const blockNumber = (base: number, slot: number, shard: number): number =>
  base + slot * BLOCK_SIZE + shard * SHARD_STEP;

/** The printed id of a session. */
export const sessionId = (s: Session): number => blockNumber(BLOCK_BASE, s.slot, s.shard);

/** Reply type of each ICMP request type. */
const ICMP_REPLY_OF: Readonly<Record<number, number>> = {
  [icmp.ECHO]: icmp.ECHO_REPLY,
  [icmp.TIMESTAMP]: icmp.TIMESTAMP_REPLY,
  [icmp.INFORMATION_REQUEST]: icmp.INFORMATION_REPLY,
  [icmp.MASK_REQUEST]: icmp.MASK_REPLY,
};

/** What IOS prints as the ports of initiator and responder: for ICMP the types of request and reply. */
export function printedPorts(s: Session): { initiatorPort: number; responderPort: number } {
  if (s.protocol !== IPPROTO_ICMP) return { initiatorPort: s.initiatorPort, responderPort: s.responderPort };
  const type = requestTypeOf(s);
  return { initiatorPort: type, responderPort: ICMP_REPLY_OF[type] ?? 0 };
}

/** The number at the responder's end, as in `PacketEnds`. */
export const responderNumber = (s: Session): number =>
  s.protocol === IPPROTO_ICMP ? identifierOf(s) : s.responderPort;

/** Addresses of a session as its inspection point saw them, copied out for an event. */
export function endpointsOf(s: Session): Endpoints {
  return {
    sessionId: sessionId(s),
    service: SERVICES[s.service]!,
    initiator: s.initiator,
    responder: s.seenResponder,
    ...printedPorts(s),
  };
}
