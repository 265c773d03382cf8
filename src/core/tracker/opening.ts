/** How a first packet opens a session: one of an inspection rule, one that FTP has announced, one that no rule names. */
import * as dns from '../session/dns.js';
import { noteRequest } from '../session/icmp.js';
import { isNormalised, opensSession, type RuleEntry } from '../inspect/rules.js';
import * as tcp from '../session/tcp-state.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPV4_MIN_HEADER } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ALL_TCP_OPTIONS, normaliseOptions, UNREADABLE } from '../wire/tcp-options.js';
import type { Flow } from '../session/flow.js';
import { PLACE } from '../session/expendable.js';
import { FLAG, SESSION_WORDS, type Session } from '../session/session.js';
import type { TrackerContext } from './context.js';
import { type DataConnections, FTP_DATA } from './data-connections.js';
import { isDns } from './datagrams.js';
import { type Lifetimes, NONE } from './lifetimes.js';
import type { OwnSegments } from './own-segments.js';
import { Room } from './room.js';
import type { StreamTable } from './stream-table.js';

/** Connections that no rule inspects get this part of the table at most: a flood of them must not close the rest. */
const UNINSPECTED_SHARE = 4;

export class Opening {
  readonly room: Room;
  /** Cursor for a session whose place the packet in hand takes, and for a control connection. */
  readonly #other: Session;

  constructor(
    private readonly context: TrackerContext,
    private readonly streams: StreamTable,
    private readonly lifetimes: Lifetimes,
    private readonly data: DataConnections,
    private readonly own: OwnSegments,
  ) {
    this.room = new Room(context, lifetimes, own);
    this.#other = context.table.cursor();
  }

  /** The SYN in hand goes on: the closed session of its flow, if there is one, ends. */
  makeWay(): void {
    const { lifetimes } = this;
    if (lifetimes.replaceable !== NONE) lifetimes.end(this.#at(lifetimes.replaceable), 'replaced');
  }

  /**
   * Opens a session for a first packet under the rule entry `rule`.
   * @param seenDst the destination where the packet came in, before NAT
   */
  open(p: Packet, f: Flow, rule: RuleEntry, seenDst: number, now: number, serviceIndex = rule.serviceIndex): Verdict {
    const { debug, trace, table, globals } = this.context;
    if (debug.detailed) trace.lookup(p);
    if (p.protocol === IPPROTO_TCP) {
      const v = tcp.checkOpening(p);
      if (v !== PASS) return v;
    } else if (!opensSession(p)) return PASS;
    const normalised = p.protocol === IPPROTO_TCP && isNormalised(serviceIndex, rule);
    if (normalised && p.headerLength > IPV4_MIN_HEADER) return DROP.ipOptions;
    const offers = normalised ? normaliseOptions(p, ALL_TCP_OPTIONS) : 0;
    if (offers === UNREADABLE) return DROP.invalidSegment;
    const v = this.lifetimes.thresholds.admit(p.protocol, f.dst, seenDst, rule.alert, now);
    if (v !== PASS) return v;
    this.makeWay();
    if (!this.#create(f, serviceIndex, true, now)) return DROP.sessionLimit;
    const s = table.session;
    this.#note(s, f, seenDst);
    s.rule = rule.index;
    if (normalised) s.startNormalising(offers, p.ttl);
    if (p.protocol === IPPROTO_TCP) {
      tcp.noteOpening(s, p);
      s.timeoutMs = globals.tcpSynwait * 1000;
    } else {
      s.addBytes(true, p.end - p.payload);
      if (p.protocol === IPPROTO_ICMP) noteRequest(s, p);
      else if (isDns(s)) dns.noteQuery(s, p);
      s.timeoutMs = isDns(s) ? globals.dnsTimeout * 1000 : rule.idleMs;
    }
    this.context.statistics.packets[serviceIndex]!++;
    this.lifetimes.begin(s, rule, now);
    if (debug.events) trace.opened(s, p, this.own.seenPort(s));
    if (debug.timers) trace.timerInit(s);
    trace.firstPacket(s, p);
    return PASS;
  }

  /** Opens the session of the packet that `data.expects` knew. */
  openExpected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    const e = this.data.fulfilled;
    if (e === undefined) return DROP.sessionLimit; // its control connection has had to go for it
    // It begins where the control connection has that end.
    const control = this.#at(e.control);
    if (f.from !== control.side(e.src === control.initiator) && !this.context.leadsTo(e.src, p.ingress))
      return DROP.wrongInterface;
    const v = this.open(p, f, e.rule, seenDst, now, FTP_DATA);
    if (v === PASS) this.data.fulfil(this.context.table.session);
    return v;
  }

  /**
   * Remembers a TCP connection that the access lists permit and no rule inspects, so that its answers are known where
   * a rule would ask for a session. Inferred: a 3640 lets a permitted server answer; we let it answer nothing else.
   */
  openUninspected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    const { table, globals } = this.context;
    const { lifetimes } = this;
    this.makeWay();
    if (tcp.checkOpening(p) !== PASS) return PASS; // as any router: no rule asks
    const full = lifetimes.uninspectedInAll >= table.capacity / UNINSPECTED_SHARE;
    if (full && !this.room.make(PLACE.uninspected, now)) return DROP.sessionLimit;
    if (!this.#create(f, 0, false, now)) return DROP.sessionLimit;
    const s = table.session;
    s.set(FLAG.uninspected);
    this.#note(s, f, seenDst);
    tcp.noteOpening(s, p);
    s.timeoutMs = globals.tcpSynwait * 1000;
    lifetimes.uninspected++;
    lifetimes.beginUninspected(s, now);
    return PASS;
  }

  /** Makes the record of a session, if need be in the place of another one. @param streamed it may get a stream */
  #create(f: Flow, service: number, streamed: boolean, now: number): boolean {
    if (this.#tryCreate(f, service, streamed, now)) return true;
    return this.room.make(PLACE.any, now) && this.#tryCreate(f, service, streamed, now);
  }

  #tryCreate(f: Flow, service: number, streamed: boolean, now: number): boolean {
    const { table } = this.context;
    if (!table.create(f.src, f.srcPort, f.dst, f.dstPort, f.protocol, service, now)) return false;
    this.context.undo.made(table.session.slot);
    if (!streamed || this.streams.hasRoom(table.session.slot)) return true;
    table.remove(table.session);
    return false;
  }

  /** Notes where session `s` begins and goes, as its first packet says. */
  #note(s: Session, f: Flow, seenDst: number): void {
    s.setSides(f.from, f.to);
    s.origin = f.from;
    s.seenResponder = seenDst;
    if (this.context.nat.usesFlow) s.set(FLAG.translated);
  }

  #at(slot: number): Session {
    this.#other.at = slot * SESSION_WORDS;
    return this.#other;
  }
}
