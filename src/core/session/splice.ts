/**
 * Two ends that number the server's stream differently by a constant, because the router has answered the client's SYN
 * before the server did (`ip tcp intercept`). Everything inside the router counts as the server does: the client's
 * acknowledgement is translated as it comes in, the server's segment as it goes out. There is no SACK to translate.
 */
import { FLAG, INTERCEPT, type Session } from './session.js';
import { ACK } from '../wire/tcp.js';
import type { Packet } from '../wire/packet.js';
import { putAck } from '../wire/own-segment.js';
import { seqAdd } from '../wire/seq.js';

/** What is added to the server's numbers. As long as the server has not answered: the ISN that the client knows. */
const spliceOf = (s: Session): number => s.words[s.at + INTERCEPT.splice]!;

/** The server has answered with `isn`. */
export function noteServerIsn(s: Session, isn: number): void {
  s.words[s.at + INTERCEPT.splice] = seqAdd(spliceOf(s), -isn);
}

/**
 * The client's number for the server's `seq`, in any session. As long as the server has not answered, the first number
 * that the client expects.
 */
export function clientSeq(s: Session, seq: number): number {
  if (!s.has(FLAG.intercepted)) return seq;
  return seqAdd(spliceOf(s), s.has(FLAG.responderSyn) ? seq : 1);
}

/** The server's number for the client's `seq`, in any session whose server has answered. */
export const serverSeq = (s: Session, seq: number): number =>
  s.has(FLAG.intercepted) && s.has(FLAG.responderSyn) ? seqAdd(seq, -spliceOf(s)) : seq;

/** Translates what the client acknowledges in `p`, which has come in. */
export function spliceIncoming(s: Session, p: Packet): void {
  if ((p.flags & ACK) !== 0) putAck(p, serverSeq(s, p.ack));
}
