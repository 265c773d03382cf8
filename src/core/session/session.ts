/**
 * One CBAC session: a record of 48 words in the session table's memory, and the cursor that reads and writes it.
 * Flat memory, because a million objects would keep the garbage collector busy, and because a table that is plain
 * bytes can outlive the process. A cursor is moved from record to record (`at`); nothing keeps one.
 *
 * All state knows an inside host by its inside local address; the responder as the inspection point saw it is kept
 * for `show ip inspect sessions`.
 */
import { bits, double, high16, low16, record, word } from '../memory/record.js';

export const SESSION_WORDS = 48; // 192 bytes, three cache lines: a packet touches the first two

/** `SIS_…` states as IOS prints them. Index is the state. */
export const SIS = { opening: 0, open: 1, closing: 2 } as const;
export const SIS_NAMES = ['SIS_OPENING', 'SIS_OPEN', 'SIS_CLOSING'] as const;

const INITIATOR_PEER = 16; // six words each, laid out by tcp-state.ts
const RESPONDER_PEER = 22;
const CREATED = 32;
const ASKED = 36;

/** The layout. What each packet reads or writes comes first. */
export const SESSION_FIELDS = {
  hashNext: word(0),
  wheelNext: word(1),
  wheelPrevious: word(2),
  /** -1: not in the wheel. */
  wheelSlot: word(3),
  initiator: word(4),
  responder: word(5),
  initiatorPort: high16(6),
  responderPort: low16(6),
  /** 0: the record is not in use. */
  protocol: bits(7, 0, 8),
  /** Index into SERVICES. */
  service: bits(7, 8, 8),
  /** SIS. */
  state: bits(7, 16, 8),
  flags: word(8),
  heard: word(9),
  /** Start of the running timeout, ms: the last packet for an idle timer, the event otherwise. */
  since: word(10),
  timeoutMs: word(11),
  /** Number of the interface that leads to the initiator, or to the responder. */
  initiatorSide: high16(12),
  responderSide: low16(12),
  /** Index of the inspection rule entry that opened the session (see inspect/rules.ts). */
  rule: low16(13),
  initiatorTtl: bits(13, 16, 8),
  responderTtl: bits(13, 24, 8),
  /** Number of the interface that the first packet came in by. Unlike the side of the initiator, it stays. */
  origin: word(14),
  /** Bits of TCP_OPTION in the SYNs of the initiator, and in the SYN ACKs that answered them. */
  offers: bits(15, 0, 8),
  agreed: bits(15, 8, 8),
  normalised: bits(15, 16, 1),
  /** Which shard the session is in: part of its printed id. */
  shard: bits(15, 17, 4),
  /** Payload bytes seen from each side. */
  initiatorBytes: double(28),
  responderBytes: double(30),
  // Rarely used from here on. ms of the engine's clock, int32; compare by difference only.
  created: word(CREATED),
  /** The responder's address where the first packet came in (inside global, seen from outside). */
  seenResponder: word(33),
  halfOpenNext: word(34),
  halfOpenPrevious: word(35),
  /** When the router last asked the ends whether they live, ms; see `tcp-state.ts`. */
  asked: word(ASKED),
  challengeAck: word(37),
  // 38, 39: a SYN under a session that lives: ISN, window | scale + 1 << 16. Laid out by tcp-state.ts.
  /** FTP: the record of the data connection that came last, or of its control connection, + 1. 0: there is none. */
  related: word(40),
  expendableNext: word(41),
  expendablePrevious: word(42),
} as const;

const PENDING = 38;

/** Words of `ip tcp intercept`, for session/intercept.ts. */
export const INTERCEPT = { splice: 44, mss: 45, next: 46, previous: 47 } as const;

/** Offsets of the two TCP ends inside a record, for `tcp-state.ts`. */
export const PEER = { initiator: INITIATOR_PEER, responder: RESPONDER_PEER } as const;

/** Offset of the numbers of a pending SYN inside a record, for `tcp-state.ts`. */
export const PENDING_SYN = PENDING;

/** The same words in sessions that are not TCP, for the inspector of their protocol. Zero when a session begins. */
export const PROTOCOL_WORDS = { at: INITIATOR_PEER, count: 12 } as const;

/** Flags of a session: bits of one word. */
export const FLAG = {
  /** SYN of the initiator, of the responder, was acknowledged. */
  initiatorSynAcked: 1,
  responderSynAcked: 2,
  initiatorFin: 4,
  responderFin: 8,
  responderSyn: 16,
  /** No rule inspects this connection: access lists apply to each packet, and nobody is told of it. */
  uninspected: 32,
  /** Counted among the half-open sessions. */
  halfOpen: 64,
  /** Bytes of this session go through a TcpStream. */
  streamed: 128,
  /** The responder answered the SYN with an ACK of another connection, `challengeAck`. */
  challenged: 256,
  /** The initiator has sent a SYN for another connection, and nobody has answered it. */
  pendingSyn: 512,
  /** It may have to go for a new session: it is half-open, or `ended`. See `Expendable`. */
  expendable: 1024,
  /** Both sides have sent FIN. */
  ended: 2048,
  /** It has a translation that no other session uses. */
  translated: 4096,
  /** `ip tcp intercept`: the router has answered the SYN; it has let it pass, and watches; the handshake isn't complete. */
  intercepted: 0x10000,
  watched: 0x20000,
  incomplete: 0x40000,
} as const;

const SessionRecord = record(SESSION_WORDS, SESSION_FIELDS);

export class Session extends SessionRecord {
  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
  set(flag: number): void {
    this.flags |= flag;
  }
  unset(flag: number): void {
    this.flags &= ~flag;
  }
  /** Number of the interface that leads to the initiator, or to the responder. */
  side(initiator: boolean): number {
    return initiator ? this.initiatorSide : this.responderSide;
  }
  setSides(initiator: number, responder: number): void {
    this.initiatorSide = initiator;
    this.responderSide = responder;
  }
  /**
   * The segments of this session are made what every receiver understands alike: it has, or will have, a stream that is
   * inspected. @param offers bits of TCP_OPTION in its first SYN @param ttl of that SYN
   */
  startNormalising(offers: number, ttl: number): void {
    this.offers = offers;
    this.agreed = 0;
    this.normalised = 1;
    this.raiseLeastTtl(true, ttl);
  }
  get isNormalised(): boolean {
    return this.normalised !== 0;
  }
  /** Both sides have sent FIN. */
  get isClosed(): boolean {
    return this.has(FLAG.initiatorFin) && this.has(FLAG.responderFin);
  }
  /** Neither opening nor closed by both sides: it has an idle timer. */
  get isOpen(): boolean {
    return this.state !== SIS.opening && !this.isClosed;
  }
  /** Highest TTL of a SYN of this side; 0: none, or the session is not normalised. */
  leastTtl(initiator: boolean): number {
    return initiator ? this.initiatorTtl : this.responderTtl;
  }
  raiseLeastTtl(initiator: boolean, ttl: number): void {
    if (initiator) this.initiatorTtl = ttl;
    else this.responderTtl = ttl;
  }
  bytes(fromInitiator: boolean): number {
    return fromInitiator ? this.initiatorBytes : this.responderBytes;
  }
  addBytes(fromInitiator: boolean, count: number): void {
    if (fromInitiator) this.initiatorBytes += count;
    else this.responderBytes += count;
  }
  /** Clears what belongs to one connection, so that the next one of the same flow can begin in its place. */
  renew(now: number): void {
    const { at, words } = this;
    this.state = SIS.opening;
    words.fill(0, at + INITIATOR_PEER, at + CREATED);
    words.fill(0, at + ASKED, at + SESSION_WORDS);
    this.flags &= FLAG.uninspected | FLAG.translated;
    this.agreed = 0; // the next SYN ACK agrees anew
    this.created = now;
    this.heard = now;
    this.since = now;
  }
  /** Clears the record: it is not in use. */
  clear(): void {
    this.protocol = 0; // first, for who adopts a table amid this
    this.words.fill(0, this.at, this.at + SESSION_WORDS);
  }
  /** Clears the record and writes what identifies the flow. Link words are the table's. */
  begin(
    initiator: number,
    initiatorPort: number,
    responder: number,
    responderPort: number,
    protocol: number,
    service: number,
    now: number,
  ): void {
    this.clear();
    this.initiator = initiator;
    this.responder = responder;
    this.initiatorPort = initiatorPort;
    this.responderPort = responderPort;
    this.wheelSlot = -1;
    this.created = now;
    this.heard = now;
    this.since = now;
    this.service = service;
    this.protocol = protocol; // last, likewise
  }
}
