/**
 * Segments that the router sends to one end of a session in the name of the other: a question whether an end lives
 * (challenge ACK, RFC 5961), what the receiver of a segment that we hold would say (duplicate ACK), the RSTs that end a
 * connection, and a handshake in its ends' place (`ip tcp intercept`). Each end knows the other by the address and the
 * numbers it sees.
 */
import type { Translator } from '../nat/translator.js';
import type { Outbox } from '../outbox.js';
import { DuplicateAck } from '../stream/duplicate-ack.js';
import type { TcpStream } from '../stream/reassembler.js';
import { ownSegment } from '../wire/own-segment.js';
import { ackPacket, resetPacket } from '../wire/reset.js';
import type { SequenceShift } from '../stream/sequence-shift.js';
import { clientSeq } from '../session/splice.js';
import * as tcp from '../session/tcp-state.js';
import { IPPROTO_TCP } from '../wire/ipv4.js';
import { TCP_OPTION } from '../wire/tcp-options.js';
import { FLAG, type Session } from '../session/session.js';

export class OwnSegments {
  readonly #duplicate = new DuplicateAck();
  // Ends of the segment in hand, as `#address` finds them.
  #src = 0;
  #srcPort = 0;
  #dst = 0;
  #dstPort = 0;

  constructor(
    private readonly nat: Translator,
    private readonly outbox: Outbox,
  ) {}

  /** The responder's port as the initiator knows it. */
  seenPort(s: Session): number {
    const { nat } = this;
    const translated = nat.findGlobalOf(s.protocol, s.responder, s.responderPort, s.initiator, s.initiatorPort);
    return translated && nat.global === s.seenResponder ? nat.globalPort : s.responderPort;
  }

  /**
   * Sends a bare ACK to one end that acknowledges what the other one has acknowledged.
   * @param sent sequence number, as the other one counts
   */
  ask(s: Session, initiator: boolean, sent: number, shift: SequenceShift | undefined): void {
    const seq = seenSeq(s, initiator, sent, shift);
    const ack = tcp.rcvNxt(s, !initiator);
    const window = tcp.announcedWindow(s, !initiator);
    this.#address(s, initiator);
    this.outbox.inject(ackPacket(this.#src, this.#srcPort, this.#dst, this.#dstPort, seq, ack, window));
  }

  /**
   * Answers `count` segments that one end has sent behind a gap, each with a copy of the last acknowledgement of the
   * other one. It and the SACK blocks are as the sender counts.
   */
  duplicate(s: Session, initiator: boolean, count: number, stream: TcpStream, shift: SequenceShift | undefined): void {
    const a = this.#duplicate;
    const { agreed } = s;
    a.seq = seenSeq(s, initiator, tcp.sndNxt(s, !initiator), shift);
    a.ack = tcp.rcvNxt(s, !initiator);
    a.window = tcp.announcedWindow(s, !initiator);
    stream.fillDuplicateAck(a, initiator, (agreed & TCP_OPTION.timestamps) !== 0, (agreed & TCP_OPTION.sack) !== 0);
    this.#address(s, initiator);
    const packet = a.packet(this.#src, this.#srcPort, this.#dst, this.#dstPort);
    for (let i = 0; i < count; i++) this.outbox.inject(packet);
  }

  /** Resets a connection towards both ends; the responder only where it has answered. */
  reset(s: Session, shift: SequenceShift | undefined): void {
    this.#address(s, true);
    const ack = tcp.sndNxt(s, true);
    for (const sent of resetSeqs(s, true)) this.#reset(seenSeq(s, true, sent, shift), ack);
    if (!s.has(FLAG.responderSyn)) return;
    this.#address(s, false);
    for (const sent of resetSeqs(s, false)) this.#reset(seenSeq(s, false, sent, shift));
  }

  /** A segment of the router's own in the initiator's name. */
  toResponder(s: Session, flags: number, seq: number, ack: number, window: number, mss: number): void {
    this.#address(s, false);
    const segment = ownSegment(this.#src, this.#srcPort, this.#dst, this.#dstPort, flags, seq, ack, window, mss);
    this.outbox.inject(segment);
  }

  /** A segment of the router's own in the responder's name, as the initiator counts. */
  toInitiator(s: Session, flags: number, seq: number, ack: number): void {
    this.#address(s, true);
    this.outbox.inject(ownSegment(this.#src, this.#srcPort, this.#dst, this.#dstPort, flags, seq, ack));
  }

  #reset(seq: number, ack?: number): void {
    this.outbox.inject(resetPacket(this.#src, this.#srcPort, this.#dst, this.#dstPort, seq, ack));
  }

  #address(s: Session, initiator: boolean): void {
    const { nat } = this;
    const seenPort = this.seenPort(s);
    if (initiator) {
      this.#src = s.seenResponder;
      this.#srcPort = seenPort;
      this.#dst = s.initiator;
      this.#dstPort = s.initiatorPort;
      return;
    }
    nat.findGlobalOf(IPPROTO_TCP, s.initiator, s.initiatorPort, s.seenResponder, seenPort);
    this.#src = nat.global;
    this.#srcPort = nat.globalPort;
    this.#dst = s.responder;
    this.#dstPort = s.responderPort;
  }
}

/** The number by which one end knows the other's `sent`. */
function seenSeq(s: Session, initiator: boolean, sent: number, shift: SequenceShift | undefined): number {
  const shifted = shift?.toReceiver(!initiator, sent) ?? sent;
  return initiator ? clientSeq(s, shifted) : shifted;
}

/**
 * Sequence numbers of the RSTs to one end, which takes exactly what it expects (RFC 5961 §3.2): that is one past what was
 * forwarded if all of that arrives, or what it last acknowledged if what followed was lost.
 */
function resetSeqs(s: Session, toInitiator: boolean): number[] {
  const forwarded = tcp.sndNxt(s, !toInitiator);
  const acknowledged = tcp.rcvNxt(s, toInitiator);
  return forwarded === acknowledged ? [forwarded] : [forwarded, acknowledged];
}
