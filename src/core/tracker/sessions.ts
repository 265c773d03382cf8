/**
 * CBAC sessions: opened by the first packet that an inspection rule names, followed by every later one in both
 * directions, ended by FIN, RST or a timer. What belongs to a session needs no access list (Firewall ACL Bypass).
 *
 * The door of the tracker: it finds a packet's session and hands both to the part that knows what to do (`opening`,
 * `tcp-tracker`, `datagrams`, `lifetimes`).
 */
import type { EndReason } from '../events.js';
import type { RuleEntry, RuleSet } from '../inspect/rules.js';
import { newSmtpCounters, type SmtpCounters, smtpRows } from '../inspect/smtp/finding.js';
import { SmtpTraffic } from '../inspect/smtp/traffic.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { StateIo } from '../memory/state-io.js';
import type { Translator } from '../nat/translator.js';
import type { DebugFlags } from '../observe/debug.js';
import type { Row } from '../observe/row.js';
import { SessionTrace } from '../observe/session-trace.js';
import type { Outbox } from '../outbox.js';
import type { InspectGlobals, InterceptPolicy } from '../policy.js';
import { sessionId } from '../session/endpoints.js';
import type { Flow } from '../session/flow.js';
import { FLAG, SESSION_WORDS, type Session, SIS } from '../session/session.js';
import { SessionTable } from '../session/session-table.js';
import { clientSeq, serverSeq } from '../session/splice.js';
import { NOTICE, type Notice, type Siblings } from '../shard/siblings.js';
import { SessionStatistics } from '../session/statistics.js';
import * as tcp from '../session/tcp-state.js';
import type { Names } from '../state/saved-names.js';
import type { ReassemblyMemory } from '../stream/reassembly-memory.js';
import type { Verdict } from '../verdict.js';
import { putSeq } from '../wire/own-segment.js';
import { IPPROTO_TCP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, FIN, RST, SYN } from '../wire/tcp.js';
import { adopt, type Adopted } from './adoption.js';
import type { TrackerContext } from './context.js';
import { DataConnections } from './data-connections.js';
import { DatagramTracker } from './datagrams.js';
import type { ExpectedFlow } from './expected-flows.js';
import type { Intercept } from './intercept.js';
import { Lifetimes, NONE } from './lifetimes.js';
import { Opening } from './opening.js';
import { OwnSegments } from './own-segments.js';
import type { Room } from './room.js';
import type { HostedStream, StreamHost } from './stream-host.js';
import { StreamTable } from './stream-table.js';
import type { ReleasedSegment } from './streams.js';
import { TcpTracker } from './tcp-tracker.js';
import type { Thresholds } from './thresholds.js';
import { Undo } from './undo.js';

export type { Adopted } from './adoption.js';

/** Streams looked at in one call of `expire`, so that a burst of gaps cannot stop the packets. */
const EXPIRE_BUDGET = 2000;

export class Sessions implements StreamHost {
  readonly table: SessionTable;
  readonly statistics = new SessionStatistics();
  readonly smtpCounters = newSmtpCounters();
  readonly smtpTraffic = new SmtpTraffic();
  readonly thresholds: Thresholds;
  readonly intercept: Intercept;
  /** Who had to go where a table was full. */
  readonly room: Room;
  /** `debug ip inspect`. */
  readonly trace: SessionTrace;
  /** A number in saved records has a new meaning. Set by the engine. */
  renamed: () => void = () => undefined;
  /** Whether an access list permits an address; undefined where the list is not defined. Set with the configuration. */
  permits: (list: string, address: number) => boolean | undefined = () => undefined;
  /** Whether the interface with this index in the configuration leads to an address. Set with the configuration. */
  leadsTo: (address: number, ingress: number) => boolean = () => false;
  /** The packet in hand is of the session that `find` found, but came in by an interface where its sender is not. */
  fromWrongInterface = false;
  /** Clock of the packet in hand, ms. */
  now: number;

  readonly #context: TrackerContext;
  readonly #streams: StreamTable;
  readonly #undo: Undo;
  readonly #data: DataConnections;
  readonly #own: OwnSegments;
  readonly #lifetimes: Lifetimes;
  readonly #opening: Opening;
  readonly #tcp: TcpTracker;
  readonly #datagrams: DatagramTracker;
  /** Cursor for the session of a held segment, which is released while another packet is in hand. */
  readonly #heldSession: Session;
  /** `find` has found the session of the packet in hand. */
  #found = false;
  /** The packet in hand is a SYN for another connection than that of the session that `find` found. */
  #opensAnew = false;

  /**
   * @param capacity most sessions at a time
   * @param seed     of the hash of the table
   * @param cookieKey four words that nobody else knows, for `ip tcp intercept`
   * @param release  gets the segments that streams release late, to go on through NAT and out
   */
  constructor(
    capacity: number,
    seed: number,
    now: number,
    private readonly rules: RuleSet,
    globals: InspectGlobals,
    intercept: InterceptPolicy,
    readonly nat: Translator,
    readonly memory: ReassemblyMemory,
    outbox: Outbox,
    release: ReleasedSegment,
    debug: DebugFlags,
    cookieKey: Int32Array,
    source: MemorySource = heapMemory,
  ) {
    this.now = now;
    const { statistics } = this;
    const table = new SessionTable(capacity, seed, source);
    const trace = new SessionTrace(debug, outbox);
    this.table = table;
    this.trace = trace;
    const leadsTo = (address: number, ingress: number): boolean => this.leadsTo(address, ingress);
    this.#heldSession = table.cursor();
    const streamContext = { sessions: this, outbox, released: release };
    this.#streams = new StreamTable(capacity, () => this.renamed(), streamContext, source);
    this.#undo = new Undo(table, this.#streams.records, source);
    const undo = this.#undo;
    const context = { table, rules, nat, outbox, debug, trace, statistics, undo, globals, leadsTo };
    this.#context = context;
    this.#data = new DataConnections(context, source);
    this.#own = new OwnSegments(nat, outbox);
    this.#lifetimes = new Lifetimes(context, this.#streams, this.#data, this.#own, intercept, cookieKey, now);
    this.thresholds = this.#lifetimes.thresholds;
    this.intercept = this.#lifetimes.intercept;
    this.#opening = new Opening(context, this.#streams, this.#lifetimes, this.#data, this.#own);
    this.room = this.#opening.room;
    // Not in the midst of a session, which might be the one to go.
    nat.makeRoom = (t) => {
      if (!this.#found) this.room.makeTranslation(t);
    };
    this.#tcp = new TcpTracker(context, this.#streams, this.#lifetimes, this.#own);
    this.#datagrams = new DatagramTracker(context, this.#lifetimes);
  }

  get globals(): InspectGlobals {
    return this.#context.globals;
  }
  set globals(globals: InspectGlobals) {
    this.#context.globals = globals;
  }

  /**
   * Finds the session of a packet's flow. A new SYN is no part of a session that both sides have closed, but the first
   * packet of another one, which the access list must let in; see `makeWay`.
   */
  find(f: Flow, p: Packet): boolean {
    this.#opensAnew = false;
    this.fromWrongInterface = false;
    this.#lifetimes.replaceable = NONE;
    this.#found = this.table.find(f.src, f.srcPort, f.dst, f.dstPort, f.protocol);
    if (!this.#found) return false;
    const s = this.table.session;
    const { fromInitiator } = this.table;
    // An error about a packet comes from where that one went.
    const sender = fromInitiator !== f.quoted;
    if (s.side(sender) !== f.from && !this.#hasMoved(s, sender, f.from, p.ingress)) {
      this.fromWrongInterface = true;
      return true;
    }
    if (p.protocol !== IPPROTO_TCP || (p.flags & (SYN | ACK | RST | FIN)) !== SYN) return true;
    if (tcp.mayBeReplaced(s, p, fromInitiator)) {
      this.#lifetimes.replaceable = s.slot;
      this.#found = false;
      return false;
    }
    this.#opensAnew = tcp.wouldReopen(s, p, fromInitiator);
    return true;
  }

  /** The SYN in hand goes on: the closed session of its flow, if there is one, ends. */
  makeWay(): void {
    this.#opening.makeWay();
  }

  /**
   * A side of a session speaks through another interface than it did. Good where the routes say that this one leads to
   * it: they have changed, or there are several. Somebody else who writes its address into his packets cannot bring
   * that about.
   */
  #hasMoved(s: Session, initiator: boolean, from: number, ingress: number): boolean {
    if (!this.leadsTo(initiator ? s.initiator : s.responder, ingress)) return false;
    s.setSides(initiator ? from : s.side(true), initiator ? s.side(false) : from);
    return true;
  }

  /**
   * Opens a session for a first packet under the rule entry `rule`.
   * @param seenDst the destination where the packet came in, before NAT
   */
  open(p: Packet, f: Flow, rule: RuleEntry, seenDst: number, now: number): Verdict {
    return this.#opening.open(p, f, rule, seenDst, now);
  }

  /** The packet in hand is the first of a data connection that FTP has announced. */
  expects(f: Flow, p: Packet, now: number): boolean {
    return this.#data.expects(f, p, now);
  }

  /** Announced data connections that have not come yet. */
  expectedFlows(now: number): ExpectedFlow[] {
    return this.#data.announced(now);
  }

  /** Opens the session of the packet that `expects` knew. It is expected once. */
  openExpected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    return this.#opening.openExpected(p, f, seenDst, now);
  }

  /** Lets one data connection of the session in record `control` in. */
  expectData(control: number, toClient: boolean, port: number, besides: boolean): void {
    this.#data.expect(this.at(control), toClient, port, besides, this.now);
  }

  /** Remembers a TCP connection that the access lists permit and no rule inspects, for its answers. */
  openUninspected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    return this.#opening.openUninspected(p, f, seenDst, now);
  }

  /** The session that `find` found stands in for the access lists (Firewall ACL Bypass), but for no other connection. */
  get bypassesAccessLists(): boolean {
    return !this.#opensAnew && !this.table.session.has(FLAG.uninspected);
  }

  /** Whether a packet of flow `f` bypasses the access lists: its session is known or expected. Changes nothing. */
  bypasses(f: Flow, p: Packet, now: number): boolean {
    const known = this.table.find(f.src, f.srcPort, f.dst, f.dstPort, f.protocol);
    // What opens another connection is judged as a whole, behind this.
    return known ? !this.table.session.has(FLAG.uninspected) : this.expects(f, p, now);
  }

  /** Follows a packet of the session that `find` found. */
  track(p: Packet, now: number): Verdict {
    const s = this.table.session;
    const fromInitiator = this.table.fromInitiator;
    // Of others all that a half-done change leaves doubtful is a number of a window.
    if (s.has(FLAG.streamed | FLAG.intercepted) || s.state === SIS.opening) this.#undo.keep(s.slot);
    this.table.inHand = s.slot;
    this.now = now;
    if (!s.has(FLAG.uninspected)) {
      this.statistics.packets[s.service]!++;
      this.trace.packet(s, p, fromInitiator);
    }
    if (p.protocol !== IPPROTO_TCP) return this.#datagrams.track(s, p, fromInitiator, now);
    const v = this.#tcp.track(s, p, fromInitiator, now);
    this.#streams.store();
    return v;
  }

  /** The packet in hand has been judged, and all that it has changed is written. */
  letGo(): void {
    this.table.inHand = NONE;
    this.#undo.forget();
    this.memory.reuse();
  }

  /** The session in hand cannot be brought back to what it was before its packet. */
  forgetUndo(): void {
    this.#undo.forget();
  }

  /** Ends the sessions whose time is up and the waits of streams for missing segments. */
  expire(now: number): void {
    this.now = now;
    this.#lifetimes.expire(now);
    this.memory.expire(now, EXPIRE_BUDGET);
    this.thresholds.tick(now);
    this.room.tick(now);
    if (this.intercept.aggressive) this.intercept.review(now);
  }

  /** Ends a session: no packet belongs to it any longer. `why` goes to the audit trail. */
  end(s: Session, why: EndReason): void {
    this.#lifetimes.end(s, why);
  }

  /** Ends a session and resets the connection towards both ends, as IOS does for signatures and thresholds. */
  reset(s: Session, why: EndReason): void {
    this.#lifetimes.reset(s, why);
  }

  /**
   * Resets one session, or all (`clear ip inspect session`).
   * @param id as printed
   * @returns how many there were
   */
  clear(id?: number): number {
    let cleared = 0;
    this.forEach((s) => {
      if (id !== undefined && id !== sessionId(s)) return;
      this.reset(s, 'cleared');
      cleared++;
    });
    return cleared;
  }

  /** `clear ip inspect statistics`: counts start again; the sessions that exist still count. */
  clearStatistics(now: number): void {
    this.statistics.clear(now);
    for (const kind of Object.keys(this.smtpCounters) as (keyof SmtpCounters)[]) this.smtpCounters[kind] = 0;
    this.smtpTraffic.clear();
  }

  /**
   * Calls `visit` for each session that is inspected, in the records from `from` up to `to`. The visitor may end the
   * session it is shown.
   */
  forEach(visit: (s: Session) => void, from?: number, to?: number): void {
    const see = (s: Session): void => {
      if (!s.has(FLAG.uninspected)) visit(s);
    };
    this.table.forEach(see, from, to);
  }

  /** Whether the rule of `s` wants alerts. */
  alertsOf(s: Session): boolean {
    return this.rules.entries[s.rule]!.alert;
  }

  /** The session in record `slot`, for the stream that belongs to it. */
  at(slot: number): Session {
    this.#heldSession.at = slot * SESSION_WORDS;
    return this.#heldSession;
  }

  /** A held segment of the session in record `slot` goes on now. */
  noteReleased(slot: number, p: Packet, fromInitiator: boolean, now: number): void {
    this.#tcp.noteForwarded(this.at(slot), p, fromInitiator, now);
  }

  /** The same segment goes out. */
  spliceReleased(slot: number, p: Packet, fromInitiator: boolean): void {
    if (!fromInitiator) putSeq(p, clientSeq(this.at(slot), p.seq));
  }

  /** The stream's sender is to hear of segments behind a gap, as `SegmentOutlet` has it. */
  answerGap(stream: HostedStream, toInitiator: boolean, count: number): void {
    this.#own.duplicate(this.at(stream.slot), toInitiator, count, stream.segments, stream.shift);
  }

  /** `ip tcp intercept` follows the connection of session `f`, which the packet in hand has opened, if it has. */
  beginIntercept(f: Flow, now: number): void {
    if (!this.table.find(f.src, f.srcPort, f.dst, f.dstPort, f.protocol)) return;
    this.intercept.begin(this.table.session, this.globals.tcpSynwait * 1000, now);
  }

  /** The number by which the sender of a segment of the found session knows it, which a receiver has quoted. */
  quotedSeq(seq: number): number {
    return this.table.fromInitiator ? seq : serverSeq(this.table.session, seq);
  }

  /** There are other shards: what counts over all of them counts theirs, too. Before the first session. */
  join(siblings: Siblings): void {
    this.#lifetimes.join(siblings);
  }

  /** Tells the other shards what there is here. */
  publish(siblings: Siblings): void {
    this.#lifetimes.publish(siblings);
  }

  /** Does what another shard wants done. */
  take(notice: Notice, now: number): void {
    this.now = now;
    if (notice.kind === NOTICE.resetIncomplete) this.intercept.resetOne(notice.detail);
    else this.thresholds.take(notice, now);
  }

  /** What is counted here, and by its parts. */
  rows(): Row[] {
    const uninspected: Row = {
      family: 'session',
      name: 'none/open',
      help: 'Sessions that no rule inspects',
      kind: 'gauge',
      read: () => this.#lifetimes.uninspected,
    };
    const { memory, room, smtpCounters, smtpTraffic, statistics, thresholds } = this;
    return [
      ...memory.rows(),
      ...thresholds.rows(),
      ...room.rows(),
      ...smtpRows(smtpCounters),
      ...smtpTraffic.rows(),
      ...statistics.rows(),
      uninspected,
    ];
  }

  /** Pools of streams, for who adopts the records. */
  get pools(): Names['pools'] {
    return this.#streams.names();
  }

  /** Saves or loads what is counted, and the state of the thresholds. */
  sync(io: StateIo): void {
    this.statistics.sync(io);
    this.thresholds.sync(io);
    this.intercept.sync(io);
    this.memory.sync(io);
    this.room.sync(io);
    for (const kind of Object.keys(this.smtpCounters) as (keyof SmtpCounters)[])
      this.smtpCounters[kind] = io.double(this.smtpCounters[kind]);
    this.smtpTraffic.sync(io);
  }

  /** Takes over what another process has left in this memory, under the rules now in force: see `adoption`. */
  adopt(pools: Names['pools'], now: number): Adopted {
    this.now = now;
    const heirs = { context: this.#context, streams: this.#streams, lifetimes: this.#lifetimes, data: this.#data };
    const adopted = adopt(heirs, pools, now);
    this.letGo();
    return adopted;
  }

  /** Gives up all that another process has left in this memory. */
  discard(): void {
    this.table.adopt(() => false);
    this.#data.discard(this.now);
  }
}
