/**
 * What both ends of a TCP connection believe, as far as a router in between can know: handshake, windows with their
 * scale, FIN and RST (RFC 9293 §3.10, RFC 7323, RFC 5961). `check` only looks; a segment that is forwarded is then
 * noted, so that one which is held or dropped later never moved the state.
 */
import { FLAG, PEER, type Session, SIS } from '../session/session.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { ACK, FIN, PSH, RST, SYN, tcpWindowScale, URG } from '../wire/tcp.js';
import { seqAdd, seqDiff } from './seq.js';

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

/** How far an ACK may lie behind what was sent: a whole unscaled window, since old ACKs are harmless. */
const OLD_ACK = 66_000;

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
  startPeer(s, p, true);
}

function startPeer(s: Session, p: Packet, initiator: boolean): void {
  const w = s.words;
  const at = peerOf(s, initiator);
  w[at + ISN] = p.seq;
  w[at + NXT] = p.seq + 1;
  w[at + MAX_WINDOW] = Math.max(p.window, 1);
  w[at + SCALE] = tcpWindowScale(p.bytes, p.l4);
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
  const ackAhead = seqDiff(p.ack, w[receiver + NXT]!);
  if (ackAhead > 0 || ackAhead < -Math.max(w[sender + MAX_WINDOW]!, OLD_ACK)) return DROP.invalidAck;
  return PASS;
}

function checkSyn(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if (!synIsBare(p)) return DROP.synWithData;
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  if (s.state === SIS.opening) {
    if (fromInitiator) {
      if ((p.flags & ACK) === 0) return PASS; // first, again, or anew with another ISN
      // Second half of a simultaneous open.
      return s.has(FLAG.responderSyn) && p.seq === w[sender + ISN]! ? checkSynAck(s, p, true) : DROP.invalidFlags;
    }
    return p.flags & ACK ? checkSynAck(s, p, false) : PASS;
  }
  // A repeated SYN or SYN ACK passes without effect; so does the SYN of a host that has restarted, for the challenge
  // ACK it gets lets it reset the old connection (RFC 5961 §4).
  return p.seq === w[sender + ISN]! || ((p.flags & ACK) === 0 && fromInitiator) ? PASS : DROP.invalidFlags;
}

/** A SYN ACK must acknowledge exactly the other side's SYN. */
function checkSynAck(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  return p.ack === seqAdd(s.words[peerOf(s, !fromInitiator) + ISN]!, 1) ? PASS : DROP.invalidAck;
}

/** Only the initiator's SYN is known: the initiator may give up, the responder refuse; nobody may send data. */
function checkBeforeAnswer(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if ((p.flags & RST) === 0) return DROP.invalidSegment;
  const nxt = s.words[peerOf(s, true) + NXT]!;
  if (fromInitiator) return seqDiff(p.seq, nxt) === 0 || seqDiff(p.seq, nxt) === -1 ? PASS : DROP.invalidSeq;
  return (p.flags & ACK) !== 0 && p.ack === nxt ? PASS : DROP.invalidAck;
}

/** RST must lie in the window (RFC 9293 §3.10.7.4). */
function checkReset(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  const w = s.words;
  const receiver = peerOf(s, !fromInitiator);
  const low = w[receiver + ACKED]!;
  return seqDiff(p.seq, low) < 0 || seqDiff(p.seq, w[receiver + EDGE]!) > 0 ? DROP.invalidSeq : PASS;
}

/**
 * Notes what the segment says about the other direction: acknowledgement and window. For a segment that was accepted,
 * even if it is held: its sender has received what it acknowledges.
 */
export function noteAcknowledgement(s: Session, p: Packet, fromInitiator: boolean): void {
  if ((p.flags & (ACK | RST)) !== ACK) return;
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const window = p.flags & SYN ? p.window : p.window << Math.max(w[sender + SCALE]!, 0);
  const edge = seqAdd(p.ack, window);
  if (seqDiff(edge, w[sender + EDGE]!) > 0) w[sender + EDGE] = edge;
  if (window > w[sender + MAX_WINDOW]!) w[sender + MAX_WINDOW] = window;
  if (seqDiff(p.ack, w[sender + ACKED]!) > 0) w[sender + ACKED] = p.ack;
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
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const end = seqAdd(p.seq, segmentLength(p));
  if (seqDiff(end, w[sender + NXT]!) > 0) w[sender + NXT] = end;
  const opened = s.state === SIS.opening ? noteHandshakeAck(s, p, fromInitiator) : TRANSITION.none;
  return flags & FIN ? noteFin(s, fromInitiator) : opened;
}

function noteSyn(s: Session, p: Packet, fromInitiator: boolean): number {
  if (s.state !== SIS.opening) return TRANSITION.none;
  const w = s.words;
  const sender = peerOf(s, fromInitiator);
  const receiver = peerOf(s, !fromInitiator);
  if (fromInitiator) {
    if ((p.flags & ACK) === 0 && !s.has(FLAG.responderSyn)) startPeer(s, p, true);
  } else if (!s.has(FLAG.responderSyn) || p.seq !== w[sender + ISN]!) {
    startPeer(s, p, false);
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
  if (s.has(FLAG.initiatorFin) && s.has(FLAG.responderFin)) {
    s.state = SIS.closing;
    return TRANSITION.closed;
  }
  if (s.state === SIS.closing) return TRANSITION.none;
  s.state = SIS.closing;
  return TRANSITION.closing;
}

/** A RST ends the session if its receiver is sure to take it: the sequence number is just what it expects (RFC 5961 §3). */
function noteReset(s: Session, p: Packet, fromInitiator: boolean): number {
  if (!s.has(FLAG.responderSyn)) return TRANSITION.reset;
  const w = s.words;
  const expected = p.seq === w[peerOf(s, !fromInitiator) + ACKED]! || p.seq === w[peerOf(s, fromInitiator) + NXT]!;
  return expected ? TRANSITION.reset : TRANSITION.none;
}

/** A new SYN may take the place of this session: it is closing on both sides, or its SYN was never answered. */
export function mayBeReplaced(s: Session, p: Packet, fromInitiator: boolean): boolean {
  if ((p.flags & (SYN | ACK | RST | FIN)) !== SYN) return false;
  if (s.has(FLAG.initiatorFin) && s.has(FLAG.responderFin)) {
    return p.seq !== s.words[peerOf(s, fromInitiator) + ISN]!;
  }
  return false;
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
/** The handshake and the end of a connection in one word. Inferred but for ESTAB: the names that IOS has for it. */
export function connectionState(s: Session): string {
  if (!s.has(FLAG.responderSyn)) return 'SYNSENT';
  if (s.state === SIS.opening) return 'SYNRCVD';
  if (s.state === SIS.open) return 'ESTAB';
  return s.has(FLAG.initiatorFin) && s.has(FLAG.responderFin) ? 'CLOSED' : 'CLOSEWAIT';
}
