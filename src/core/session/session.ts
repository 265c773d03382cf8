/**
 * One CBAC session: a record of 48 words in the session table's memory, and the cursor that reads and writes it.
 * Flat memory, because a million objects would keep the garbage collector busy, and because a table that is plain
 * bytes can outlive the process. A cursor is moved from record to record (`at`); nothing keeps one.
 *
 * All state knows an inside host by its inside local address; the responder as the inspection point saw it is kept
 * for `show ip inspect sessions`.
 */
export const SESSION_WORDS = 48; // 192 bytes, three cache lines: a packet touches the first two

/** `SIS_…` states as IOS prints them. Index is the state. */
export const SIS = { opening: 0, open: 1, closing: 2 } as const;
export const SIS_NAMES = ['SIS_OPENING', 'SIS_OPEN', 'SIS_CLOSING'] as const;

// Words of a record. What each packet reads or writes comes first.
const HASH_NEXT = 0;
const WHEEL_NEXT = 1;
const WHEEL_PREVIOUS = 2;
const WHEEL_SLOT = 3; // -1: not in the wheel
const INITIATOR = 4;
const RESPONDER = 5;
const PORTS = 6;
const KIND = 7; // protocol | service << 8 | state << 16
const FLAGS = 8;
const HEARD = 9;
const SINCE = 10;
const TIMEOUT = 11;
const SIDES = 12; // number of the initiator's interface << 16 | of the responder's
const RULE = 13; // rule | ttl of the initiator << 16 | ttl of the responder << 24
const ORIGIN = 14;
const NORMALISED = 15; // TCP options that the initiator offers | that both agree on << 8 | yes << 16
const INITIATOR_PEER = 16; // six words each, laid out by tcp-state.ts
const RESPONDER_PEER = 22;
const INITIATOR_BYTES = 28; // float64: words 28 and 29
const RESPONDER_BYTES = 30; // float64: words 30 and 31
// Rarely used.
const CREATED = 32;
const SEEN_RESPONDER = 33;
const HALF_OPEN_NEXT = 34;
const HALF_OPEN_PREVIOUS = 35;
const ASKED = 36;
const CHALLENGE_ACK = 37;
const PENDING = 38; // ISN, window | scale + 1 << 16: a SYN under a session that lives, laid out by tcp-state.ts

const RELATED = 40; // number of the record of a related session + 1, 0: none

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
  /** `ip tcp intercept`: the router has answered the SYN; it has let it pass, and watches; the handshake isn't complete. */
  intercepted: 0x10000,
  watched: 0x20000,
  incomplete: 0x40000,
} as const;

export class Session {
  /** Word offset of the record in `memory`. */
  at = 0;
  readonly #m: Int32Array;
  readonly #f: Float64Array;

  constructor(memory: Int32Array, floats: Float64Array) {
    this.#m = memory;
    this.#f = floats;
  }

  /** The words of the table, for the TCP tracker, which works on `at + PEER.…`. */
  get words(): Int32Array {
    return this.#m;
  }
  /** Number of the record in the table. */
  get slot(): number {
    return this.at / SESSION_WORDS;
  }
  get hashNext(): number {
    return this.#m[this.at + HASH_NEXT]!;
  }
  set hashNext(v: number) {
    this.#m[this.at + HASH_NEXT] = v;
  }
  get wheelNext(): number {
    return this.#m[this.at + WHEEL_NEXT]!;
  }
  set wheelNext(v: number) {
    this.#m[this.at + WHEEL_NEXT] = v;
  }
  get wheelPrevious(): number {
    return this.#m[this.at + WHEEL_PREVIOUS]!;
  }
  set wheelPrevious(v: number) {
    this.#m[this.at + WHEEL_PREVIOUS] = v;
  }
  get wheelSlot(): number {
    return this.#m[this.at + WHEEL_SLOT]!;
  }
  set wheelSlot(v: number) {
    this.#m[this.at + WHEEL_SLOT] = v;
  }
  get initiator(): number {
    return this.#m[this.at + INITIATOR]!;
  }
  get responder(): number {
    return this.#m[this.at + RESPONDER]!;
  }
  get initiatorPort(): number {
    return this.#m[this.at + PORTS]! >>> 16;
  }
  get responderPort(): number {
    return this.#m[this.at + PORTS]! & 0xffff;
  }
  get protocol(): number {
    return this.#m[this.at + KIND]! & 255;
  }
  /** Index into SERVICES. */
  get service(): number {
    return (this.#m[this.at + KIND]! >>> 8) & 255;
  }
  get state(): number {
    return (this.#m[this.at + KIND]! >>> 16) & 255;
  }
  set state(v: number) {
    const at = this.at + KIND;
    this.#m[at] = (this.#m[at]! & ~0xff0000) | (v << 16);
  }
  has(flag: number): boolean {
    return (this.#m[this.at + FLAGS]! & flag) !== 0;
  }
  set(flag: number): void {
    this.#m[this.at + FLAGS]! |= flag;
  }
  unset(flag: number): void {
    this.#m[this.at + FLAGS]! &= ~flag;
  }
  /** ms of the engine's clock, int32; compare by difference only. */
  get created(): number {
    return this.#m[this.at + CREATED]!;
  }
  get heard(): number {
    return this.#m[this.at + HEARD]!;
  }
  set heard(v: number) {
    this.#m[this.at + HEARD] = v;
  }
  /** Start of the running timeout: the last packet for an idle timer, the event otherwise. */
  get since(): number {
    return this.#m[this.at + SINCE]!;
  }
  set since(v: number) {
    this.#m[this.at + SINCE] = v;
  }
  get timeoutMs(): number {
    return this.#m[this.at + TIMEOUT]!;
  }
  set timeoutMs(v: number) {
    this.#m[this.at + TIMEOUT] = v;
  }
  /** The responder's address where the first packet came in (inside global, seen from outside). */
  get seenResponder(): number {
    return this.#m[this.at + SEEN_RESPONDER]!;
  }
  set seenResponder(v: number) {
    this.#m[this.at + SEEN_RESPONDER] = v;
  }
  /** Number of the interface that leads to the initiator, or to the responder. */
  side(initiator: boolean): number {
    return initiator ? this.#m[this.at + SIDES]! >>> 16 : this.#m[this.at + SIDES]! & 0xffff;
  }
  /** Number of the interface that the first packet came in by. Unlike the side of the initiator, it stays. */
  get origin(): number {
    return this.#m[this.at + ORIGIN]!;
  }
  set origin(v: number) {
    this.#m[this.at + ORIGIN] = v;
  }
  setSides(initiator: number, responder: number): void {
    this.#m[this.at + SIDES] = (initiator << 16) | responder;
  }
  /** Index of the inspection rule entry that opened the session (see inspect/rules.ts). */
  get rule(): number {
    return this.#m[this.at + RULE]! & 0xffff;
  }
  set rule(v: number) {
    this.#m[this.at + RULE] = (this.#m[this.at + RULE]! & ~0xffff) | v;
  }
  /**
   * The segments of this session are made what every receiver understands alike: it has, or will have, a stream that is
   * inspected. @param offers bits of TCP_OPTION in its first SYN @param ttl of that SYN
   */
  startNormalising(offers: number, ttl: number): void {
    this.#m[this.at + NORMALISED] = offers | (1 << 16);
    this.raiseLeastTtl(true, ttl);
  }
  get isNormalised(): boolean {
    return this.#m[this.at + NORMALISED]! !== 0;
  }
  /** Bits of TCP_OPTION in the SYNs of the initiator. */
  get offers(): number {
    return this.#m[this.at + NORMALISED]! & 0xff;
  }
  addOffers(options: number): void {
    this.#m[this.at + NORMALISED]! |= options;
  }
  /** Bits of TCP_OPTION in the SYN ACKs that answered them. */
  get agreed(): number {
    return (this.#m[this.at + NORMALISED]! >>> 8) & 0xff;
  }
  addAgreed(options: number): void {
    this.#m[this.at + NORMALISED]! |= options << 8;
  }
  /** Highest TTL of a SYN of this side; 0: none, or the session is not normalised. */
  leastTtl(initiator: boolean): number {
    const word = this.#m[this.at + RULE]!;
    return initiator ? (word >>> 16) & 0xff : word >>> 24;
  }
  raiseLeastTtl(initiator: boolean, ttl: number): void {
    const shift = initiator ? 16 : 24;
    const at = this.at + RULE;
    this.#m[at] = (this.#m[at]! & ~(0xff << shift)) | (ttl << shift);
  }
  get halfOpenNext(): number {
    return this.#m[this.at + HALF_OPEN_NEXT]!;
  }
  set halfOpenNext(v: number) {
    this.#m[this.at + HALF_OPEN_NEXT] = v;
  }
  get halfOpenPrevious(): number {
    return this.#m[this.at + HALF_OPEN_PREVIOUS]!;
  }
  set halfOpenPrevious(v: number) {
    this.#m[this.at + HALF_OPEN_PREVIOUS] = v;
  }
  /** When the router last asked the ends whether they live, ms; see `tcp-state.ts`. */
  get asked(): number {
    return this.#m[this.at + ASKED]!;
  }
  set asked(v: number) {
    this.#m[this.at + ASKED] = v;
  }
  /** FTP: the record of the data connection that came last, or of its control connection, + 1. 0: there is none. */
  get related(): number {
    return this.#m[this.at + RELATED]!;
  }
  set related(v: number) {
    this.#m[this.at + RELATED] = v;
  }
  get challengeAck(): number {
    return this.#m[this.at + CHALLENGE_ACK]!;
  }
  set challengeAck(v: number) {
    this.#m[this.at + CHALLENGE_ACK] = v;
  }
  /** Payload bytes seen from each side. */
  get initiatorBytes(): number {
    return this.#f[(this.at + INITIATOR_BYTES) >> 1]!;
  }
  get responderBytes(): number {
    return this.#f[(this.at + RESPONDER_BYTES) >> 1]!;
  }
  bytes(fromInitiator: boolean): number {
    return fromInitiator ? this.initiatorBytes : this.responderBytes;
  }
  addBytes(fromInitiator: boolean, count: number): void {
    this.#f[(this.at + (fromInitiator ? INITIATOR_BYTES : RESPONDER_BYTES)) >> 1]! += count;
  }
  /** Clears what belongs to one connection, so that the next one of the same flow can begin in its place. */
  renew(now: number): void {
    const m = this.#m;
    const at = this.at;
    const uninspected = m[at + FLAGS]! & FLAG.uninspected;
    this.state = SIS.opening;
    m.fill(0, at + INITIATOR_PEER, at + CREATED);
    m.fill(0, at + ASKED, at + SESSION_WORDS);
    m[at + FLAGS] = uninspected;
    m[at + NORMALISED]! &= ~0xff00; // the next SYN ACK agrees anew
    m[at + CREATED] = now;
    m[at + HEARD] = now;
    m[at + SINCE] = now;
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
    const m = this.#m;
    const at = this.at;
    m.fill(0, at, at + SESSION_WORDS);
    m[at + INITIATOR] = initiator;
    m[at + RESPONDER] = responder;
    m[at + PORTS] = (initiatorPort << 16) | responderPort;
    m[at + KIND] = protocol | (service << 8);
    m[at + WHEEL_SLOT] = -1;
    m[at + CREATED] = now;
    m[at + HEARD] = now;
    m[at + SINCE] = now;
  }
}
