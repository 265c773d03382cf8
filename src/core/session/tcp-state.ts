/**
 * What both ends of a TCP connection believe, as far as a router in between can know: handshake, windows with their
 * scale, FIN and RST (RFC 9293 §3.10, RFC 7323, RFC 5961). `check` only looks; a segment that is forwarded is then
 * noted, so that one which is held or dropped later never moved the state.
 *
 * Law: no segment of another connection goes on under a session. What ends a connection at its receiver ends the
 * session: a RST goes on only with exactly the number that is expected. A SYN for another connection goes on only if no
 * segment of that one could pass for one of this session, and its SYN ACK puts the new session into the place of the
 * old. Any other SYN or RST is dropped, and its sender is asked as a live receiver would ask it (challenge ACK, RFC 5961
 * §3 and §4): who has lost the connection answers with the RST that ends it.
 */
import { FLAG, PEER, PENDING_SYN, type Session, SIS } from './session.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { ACK, FIN, PSH, RST, SYN, tcpWindowScale, URG } from '../wire/tcp.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

// Words of one end, from PEER.initiator or PEER.responder.
/** SND.NXT: one past the last sequence number that was forwarded. */
const NXT = 0;
/** One past the last sequence number this end has allowed its peer to send: highest ACK + window. */
const EDGE = 1;
/** Largest window this end has announced, bytes. */
const MAX_WINDOW = 2;
/** Window shift of this end's announcements. */
const SCALE = 3;
/** Initial sequence number. */
const ISN = 4;
/** Highest acknowledgement this end has sent. */
const ACKED = 5;

/** From so many bytes on, the difference of two sequence numbers no longer tells how many there were. */
const WRAP = 2 ** 31;

/** What a noted segment did to the connection; `closed`: both sides have sent FIN. */
export const TRANSITION = { none: 0, opened: 1, closing: 2, closed: 3, reset: 4 } as const;

const peerOf = (s: Session, initiator: boolean): number => s.at + (initiator ? PEER.initiator : PEER.responder);

/** Sequence space a segment takes: payload, SYN and FIN. */
export function segmentLength(p: Packet): number {
  return p.end - p.payload + (p.flags & SYN ? 1 : 0) + (p.flags & FIN ? 1 : 0);
}

/** A first segment may open a session: a bare SYN (RFC 9293 §3.5; IOS drops data, PSH and URG with it). */
export function checkOpening(p: Packet): Verdict {
  if ((p.flags & (SYN | ACK | RST | FIN)) !== SYN) return DROP.noSession;
  return synIsBare(p) ? PASS : DROP.synWithData;
}

const synIsBare = (p: Packet): boolean => p.payload === p.end && (p.flags & (PSH | URG | FIN | RST)) === 0;

/** Notes the SYN that opened the session under `s`. */
export function noteOpening(s: Session, p: Packet): void {
  startPeer(s, true, p.seq, p.window, tcpWindowScale(p.bytes, p.l4));
}

function startPeer(s: Session, initiator: boolean, isn: number, window: number, scale: number): void {
  const w = s.words;
  const at = peerOf(s, initiator);
  w[at + ISN] = isn;
  w[at + NXT] = isn + 1;
  w[at + MAX_WINDOW] = Math.max(window, 1);
  w[at + SCALE] = scale;
}

/** Decides whether a segment of session `s` is acceptable. Changes nothing. */
export function checkSegment(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  const flags = p.flags;
  if (flags & SYN) return checkSyn(s, p, fromInitiator);
  if (!s.has(FLAG.responderSyn)) return checkBeforeAnswer(s, p, fromInitiator);
  if (flags & RST) return checkReset(s, p, fromInitiator);
  if ((flags & ACK) === 0) return DROP.invalidFlags; // null, FIN and Xmas scans among them
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const receiver = peerOf(s, !fromInitiator);
  const end = seqAdd(p.seq, segmentLength(p));
  // One beyond the edge: a window probe (RFC 9293 §3.8.6.1), or a FIN at a full window.
  if (seqDiff(end, w[receiver + EDGE]!) > 1) return DROP.invalidSeq;
  if (seqDiff(p.seq, w[sender + NXT]!) < -w[receiver + MAX_WINDOW]! - 1) return DROP.invalidSeq;
  // Nothing comes after a FIN.
  const finished = s.has(fromInitiator ? FLAG.initiatorFin : FLAG.responderFin);
  if (finished && seqDiff(end, w[sender + NXT]!) > 0) return DROP.invalidSeq;
  if (seqDiff(p.ack, w[receiver + NXT]!) > 0) return DROP.invalidAck;
  const behind = seqDiff(w[sender + ACKED]!, p.ack);
  return behind > 0 && behind > oldestAck(s, fromInitiator) ? DROP.invalidAck : PASS;
}

/**
 * How far behind its own latest one an acknowledgement may lie: SEG.ACK >= SND.UNA - MAX.SND.WND (RFC 5961 §5). Nobody
 * acknowledges more than there was: Linux adds that (6.18: `bytes_acked`), and so a guess is no way into a handshake.
 */
function oldestAck(s: Session, fromInitiator: boolean): number {
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const window = w[sender + MAX_WINDOW]!;
  // The count of sequence numbers wraps around, that of bytes does not.
  if (s.bytes(!fromInitiator) >= WRAP) return window;
  return Math.min(window, seqDiff(w[sender + ACKED]!, firstDataSeq(s, !fromInitiator)));
}

/**
 * No sign of life of this connection, though it passes: a SYN when it is open; an acknowledgement older than the last
 * one, without data, which came late or from somebody who guesses.
 */
export function saysNothing(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if ((p.flags & SYN) !== 0) return s.state !== SIS.opening;
  if (p.payload !== p.end || (p.flags & (FIN | RST)) !== 0 || !s.has(FLAG.responderSyn)) return false;
  return seqDiff(p.ack, s.words[peerOf(s, fromInitiator) + ACKED]!) < 0;
}

function checkSyn(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if (!synIsBare(p)) return DROP.synWithData;
  const again = p.seq === s.words[peerOf(s, fromInitiator) + ISN]!;
  const opening = s.state === SIS.opening;
  if ((p.flags & ACK) === 0) {
    // First, again, or anew with another ISN while nobody has answered. Later not even the old number is taken for a
    // repetition: an end that has been reset would begin anew, and with SYN cookies its SYN ACK would be the old one to
    // the bit.
    if (opening && (again || !s.has(FLAG.responderSyn))) return PASS;
    return fromInitiator && standsApart(s, p.seq) ? PASS : DROP.invalidFlags;
  }
  if (answersPending(s, p, fromInitiator)) return DROP.invalidFlags; // whatever its number: not of this connection
  // From the responder while the session opens: its answer, or another one. Later: again, its acknowledgement was lost.
  // From the initiator: the second half of a simultaneous open.
  if (fromInitiator || !opening ? again && s.has(FLAG.responderSyn) : true) return checkSynAck(s, p, fromInitiator);
  return DROP.invalidFlags;
}

/** Most that a receiver can offer: 65,535 << 14 (RFC 7323 §2.3). */
const LARGEST_WINDOW = 2 ** 30;

/**
 * No segment of a connection that begins with `isn` could pass for one of this session. It carries sequence numbers
 * from its ISN up to as far as a window can reach, and is acknowledged with the like; the session takes sequence numbers
 * and acknowledgements from a window before the last acknowledgement to a window behind what was forwarded. Three of
 * four ISNs are far enough. Until the responder answers, such a SYN changes nothing.
 */
function standsApart(s: Session, isn: number): boolean {
  const w = s.words;
  const responder = peerOf(s, false);
  const low = w[responder + ACKED]! - w[responder + MAX_WINDOW]! - 1;
  const high = w[peerOf(s, true) + NXT]! + (0xffff << Math.max(w[responder + SCALE]!, 0)) + 1;
  const distance = (isn - low) >>> 0;
  return distance > (high - low) >>> 0 && distance < 2 ** 32 - LARGEST_WINDOW - 2;
}

/** The responder's answer to a pending SYN, which is what shows that it has no older connection. */
function answersPending(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if (fromInitiator || !s.has(FLAG.pendingSyn) || (p.flags & ACK) === 0) return false;
  return p.ack === seqAdd(s.words[s.at + PENDING_SYN]!, 1);
}

/** A SYN ACK that takes up the pending SYN. The session ends, and `noteReopening` begins the next one in its place. */
export const reopens = (s: Session, p: Packet, fromInitiator: boolean): boolean =>
  (p.flags & (SYN | ACK)) === (SYN | ACK) && synIsBare(p) && answersPending(s, p, fromInitiator);

/** The responder refuses the pending SYN: it has no connection, neither the old one. */
export const refusesPending = (s: Session, p: Packet, fromInitiator: boolean): boolean =>
  (p.flags & (SYN | RST)) === RST && answersPending(s, p, fromInitiator);

/** A SYN that would begin another connection than session `s` is, so that the access list must permit it. */
export const wouldReopen = (s: Session, p: Packet, fromInitiator: boolean): boolean =>
  s.has(FLAG.responderSyn) && (s.state !== SIS.opening || p.seq !== s.words[peerOf(s, fromInitiator) + ISN]!);

/** Remembers the SYN of another connection. */
function notePending(s: Session, p: Packet): void {
  const w = s.words;
  s.set(FLAG.pendingSyn);
  w[s.at + PENDING_SYN] = p.seq;
  w[s.at + PENDING_SYN + 1] = p.window | ((tcpWindowScale(p.bytes, p.l4) + 1) << 16);
}

/** The pending SYN of session `s` becomes the one that opens the session that takes its place. */
export function noteReopening(s: Session, now: number): void {
  const w = s.words;
  const isn = w[s.at + PENDING_SYN]!;
  const offer = w[s.at + PENDING_SYN + 1]!;
  s.renew(now);
  startPeer(s, true, isn, offer & 0xffff, (offer >> 16) - 1);
}

/** A SYN ACK must acknowledge exactly the other side's SYN. */
function checkSynAck(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  return p.ack === seqAdd(s.words[peerOf(s, !fromInitiator) + ISN]!, 1) ? PASS : DROP.invalidAck;
}

/**
 * Only the initiator's SYN is known. The initiator may give up, the responder refuse; or the responder still has a
 * connection that we know nothing of (the router was restarted) and says so with a challenge ACK, whereupon the
 * initiator ends that one with a RST and repeats its SYN. Nobody may send data.
 */
function checkBeforeAnswer(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if ((p.flags & RST) === 0) return !fromInitiator && isBareAck(p) ? PASS : DROP.invalidSegment;
  if (fromInitiator) return givesUp(s, p) || answersChallenge(s, p) ? PASS : DROP.invalidSeq;
  return (p.flags & ACK) !== 0 && p.ack === s.words[peerOf(s, true) + NXT]! ? PASS : DROP.invalidAck;
}

const isBareAck = (p: Packet): boolean =>
  (p.flags & (SYN | FIN | RST | PSH | URG | ACK)) === ACK && p.payload === p.end;

/** The initiator's RST is about its own SYN, with the number of it or behind it. */
function givesUp(s: Session, p: Packet): boolean {
  const behind = seqDiff(s.words[peerOf(s, true) + NXT]!, p.seq);
  return behind === 0 || behind === 1;
}

const answersChallenge = (s: Session, p: Packet): boolean => s.has(FLAG.challenged) && p.seq === s.challengeAck;

/**
 * A RST must have exactly the number that its receiver expects (RFC 5961 §3.2): what it has last acknowledged, or one
 * past what was forwarded, if all of that arrives. With any other number one receiver takes it and another does not, and
 * we would not know.
 */
function checkReset(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  const w = s.words;
  const expected = p.seq === w[peerOf(s, !fromInitiator) + ACKED]! || p.seq === w[peerOf(s, fromInitiator) + NXT]!;
  return expected ? PASS : DROP.invalidSeq;
}

/**
 * A segment that was dropped may come from an end that has lost the connection: a SYN, or a RST in the window. That end
 * is to be asked. A SYN that nobody has answered yet needs no question.
 */
export function callsForChallenge(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if (!s.has(FLAG.responderSyn)) return false;
  if ((p.flags & (SYN | ACK)) === SYN) return synIsBare(p);
  if ((p.flags & (SYN | RST)) !== RST) return false;
  const w = s.words;
  const receiver = peerOf(s, !fromInitiator);
  return seqDiff(p.seq, w[receiver + ACKED]!) >= 0 && seqDiff(p.seq, w[receiver + EDGE]!) <= 0;
}

/** A question to the ends of one session each so many ms at most, as Linux limits its own (tcp_invalid_ratelimit). */
const ASK_INTERVAL_MS = 500;

/** The ends may be asked now. Who calls does so. */
export function mayAsk(s: Session, now: number): boolean {
  const since = (now - s.asked) | 0;
  if (since >= 0 && since < ASK_INTERVAL_MS) return false;
  s.asked = now;
  return true;
}

/**
 * A SYN ACK with another ISN that acknowledges the initiator's SYN: the responder has no old connection, or it would
 * not answer a SYN so. Only a copy of our SYN that was long under way can have caused it. A stranger cannot know the
 * initiator's ISN.
 */
export function responderBeganAnew(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if (fromInitiator || s.state === SIS.opening || (p.flags & (SYN | ACK)) !== (SYN | ACK) || !synIsBare(p))
    return false;
  return p.seq !== s.words[peerOf(s, false) + ISN]! && checkSynAck(s, p, false) === PASS;
}

/**
 * Notes what the segment says about the other direction: acknowledgement and window. For a segment that was accepted,
 * even if it is held: its sender has received what it acknowledges.
 */
export function noteAcknowledgement(s: Session, p: Packet, fromInitiator: boolean): void {
  // Before the responder's SYN an acknowledgement is one of another connection, or the SYN ACK, which `noteSyn` notes.
  if ((p.flags & (ACK | RST)) !== ACK || !s.has(FLAG.responderSyn)) return;
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  // An older one says nothing, about the window neither (RFC 9293 §3.10.7.4: SND.UNA =< SEG.ACK).
  if (seqDiff(p.ack, w[sender + ACKED]!) < 0) return;
  const window = p.flags & SYN ? p.window : p.window << Math.max(w[sender + SCALE]!, 0);
  const edge = seqAdd(p.ack, window);
  if (seqDiff(edge, w[sender + EDGE]!) > 0) w[sender + EDGE] = edge;
  if (window > w[sender + MAX_WINDOW]!) w[sender + MAX_WINDOW] = window;
  w[sender + ACKED] = p.ack;
}

/** Payload bytes of a segment that is about to be noted as forwarded, without those that were sent before it. */
export function newBytes(s: Session, p: Packet, fromInitiator: boolean): number {
  const length = p.end - p.payload;
  if (length === 0 || !s.has(FLAG.responderSyn)) return 0;
  const end = seqAdd(p.seq, length);
  // Where segments overtake each other, the gap counts with the later one: it will be filled.
  return Math.max(seqDiff(end, s.words[peerOf(s, fromInitiator) + NXT]!), 0);
}

/** Notes that the segment goes on to its receiver. Returns a TRANSITION. */
export function noteForwarded(s: Session, p: Packet, fromInitiator: boolean): number {
  const flags = p.flags;
  if (flags & SYN) return noteSyn(s, p, fromInitiator);
  if (flags & RST) return noteReset(s, p, fromInitiator);
  if (!s.has(FLAG.responderSyn)) {
    s.set(FLAG.challenged);
    s.challengeAck = p.ack;
    return TRANSITION.none;
  }
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const end = seqAdd(p.seq, segmentLength(p));
  if (seqDiff(end, w[sender + NXT]!) > 0) w[sender + NXT] = end;
  const opened = s.state === SIS.opening ? noteHandshakeAck(s, p, fromInitiator) : TRANSITION.none;
  return flags & FIN ? noteFin(s, fromInitiator) : opened;
}

function noteSyn(s: Session, p: Packet, fromInitiator: boolean): number {
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const receiver = peerOf(s, !fromInitiator);
  if (fromInitiator && (p.flags & ACK) === 0) {
    if (!s.has(FLAG.responderSyn)) noteOpening(s, p);
    else if (s.state !== SIS.opening || p.seq !== w[sender + ISN]!) notePending(s, p);
    return TRANSITION.none;
  }
  if (s.state !== SIS.opening) return TRANSITION.none;
  if (!fromInitiator && (!s.has(FLAG.responderSyn) || p.seq !== w[sender + ISN]!)) {
    startPeer(s, false, p.seq, p.window, tcpWindowScale(p.bytes, p.l4));
    s.set(FLAG.responderSyn);
    // What the initiator's SYN announced counts from the responder's first byte. Its window is never scaled.
    w[receiver + ACKED] = p.seq + 1;
    w[receiver + EDGE] = p.seq + 1 + w[receiver + MAX_WINDOW]!;
    w[sender + ACKED] = w[receiver + ISN]! + 1;
    w[sender + EDGE] = w[receiver + ISN]! + 1 + w[sender + MAX_WINDOW]!;
    // Scaling holds only if both offer it (RFC 7323 §2.2).
    if (w[sender + SCALE]! < 0 || w[receiver + SCALE]! < 0) {
      w[sender + SCALE] = 0;
      w[receiver + SCALE] = 0;
    }
  }
  return p.flags & ACK ? noteHandshakeAck(s, p, fromInitiator) : TRANSITION.none;
}

/** The connection is established once both SYNs are acknowledged. */
function noteHandshakeAck(s: Session, p: Packet, fromInitiator: boolean): number {
  if (!s.has(FLAG.responderSyn)) return TRANSITION.none;
  const otherIsn = s.words[peerOf(s, !fromInitiator) + ISN]!;
  if (seqDiff(p.ack, otherIsn) > 0) s.set(fromInitiator ? FLAG.responderSynAcked : FLAG.initiatorSynAcked);
  if (!s.has(FLAG.initiatorSynAcked) || !s.has(FLAG.responderSynAcked)) return TRANSITION.none;
  s.state = SIS.open;
  return TRANSITION.opened;
}

function noteFin(s: Session, fromInitiator: boolean): number {
  s.set(fromInitiator ? FLAG.initiatorFin : FLAG.responderFin);
  if (s.isClosed) {
    s.state = SIS.closing;
    return TRANSITION.closed;
  }
  if (s.state === SIS.closing) return TRANSITION.none;
  s.state = SIS.closing;
  return TRANSITION.closing;
}

/** A RST that passes ends the session, but for the one that ends another connection before this one begins. */
function noteReset(s: Session, p: Packet, fromInitiator: boolean): number {
  const ofAnother = !s.has(FLAG.responderSyn) && fromInitiator && !givesUp(s, p);
  return ofAnother ? TRANSITION.none : TRANSITION.reset;
}

/**
 * A new SYN may take the place of this session: both sides have sent FIN and have acknowledged the other's, so that
 * nothing of the old connection is missed.
 */
export function mayBeReplaced(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if ((p.flags & (SYN | ACK | RST | FIN)) !== SYN) return false;
  if (!s.isClosed) return false;
  const w = s.words;
  const initiator = peerOf(s, true);
  const responder = peerOf(s, false);
  if (w[initiator + ACKED] !== w[responder + NXT] || w[responder + ACKED] !== w[initiator + NXT]) return false;
  return p.seq !== w[peerOf(s, fromInitiator) + ISN]!;
}

/** RCV.NXT of one end, as far as it has acknowledged: the sequence number it takes a RST with. */
export const rcvNxt = (s: Session, initiator: boolean): number =>
  s.has(FLAG.responderSyn) ? s.words[peerOf(s, initiator) + ACKED]! : sndNxt(s, !initiator);
/** SND.NXT of one end. */
export const sndNxt = (s: Session, initiator: boolean): number => s.words[peerOf(s, initiator) + NXT]!;
/** Sequence number of the first data byte of one end. */
export const firstDataSeq = (s: Session, initiator: boolean): number => seqAdd(s.words[peerOf(s, initiator) + ISN]!, 1);
/** Initial sequence number of one end; 0: its SYN has not come. */
export const isn = (s: Session, initiator: boolean): number => s.words[peerOf(s, initiator) + ISN]!;
/** Bytes that one end lets its peer send, from what it has acknowledged on. */
export function rcvWnd(s: Session, initiator: boolean): number {
  const w = s.words;
  const peer = peerOf(s, initiator);
  return s.has(FLAG.responderSyn) ? seqDiff(w[peer + EDGE]!, w[peer + ACKED]!) : w[peer + MAX_WINDOW]!;
}
/** The window field of a segment that repeats what one end has last announced. */
export const announcedWindow = (s: Session, initiator: boolean): number =>
  Math.min(rcvWnd(s, initiator) >>> Math.max(s.words[peerOf(s, initiator) + SCALE]!, 0), 0xffff);
/** The handshake and the end of a connection in one word. Inferred but for ESTAB: the names that IOS has for it. */
export function connectionState(s: Session): string {
  if (!s.has(FLAG.responderSyn)) return 'SYNSENT';
  if (s.state === SIS.opening) return 'SYNRCVD';
  if (s.state === SIS.open) return 'ESTAB';
  return s.isClosed ? 'CLOSED' : 'CLOSEWAIT';
}
