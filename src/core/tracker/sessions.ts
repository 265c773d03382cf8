/**
 * CBAC sessions: opened by the first packet that an inspection rule names, followed by every later one in both
 * directions, ended by FIN, RST or a timer. What belongs to a session needs no access list (Firewall ACL Bypass).
 */
import type { EndReason, Event } from '../events.js';
import * as dns from '../session/dns.js';
import { noteRequest, takeReply } from '../session/icmp.js';
import { isNormalised, opensSession, type RuleEntry, type RuleSet, SERVICES } from '../inspect/rules.js';
import { newSmtpCounters, type SmtpCounters } from '../inspect/smtp/finding.js';
import type { InspectGlobals, InterceptPolicy } from '../policy.js';
import type { Translator } from '../nat/translator.js';
import type { Outbox } from '../outbox.js';
import type { ReassemblyMemory } from '../stream/reassembly-memory.js';
import { ownSegment, putSeq } from '../wire/own-segment.js';
import { resetPacket } from '../wire/reset.js';
import { seqAdd } from '../wire/seq.js';
import { clientSeq, noteServerIsn, serverSeq, spliceIncoming } from '../session/splice.js';
import * as tcp from '../session/tcp-state.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPV4_MIN_HEADER } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, FIN, RST, SYN } from '../wire/tcp.js';
import { ALL_TCP_OPTIONS, normaliseOptions, UNREADABLE } from '../wire/tcp-options.js';
import { putTtl } from '../wire/ttl.js';
import { endpointsOf, sessionId } from '../session/endpoints.js';
import { type ExpectedFlow, ExpectedFlows } from './expected-flows.js';
import type { Flow } from '../session/flow.js';
import { HalfOpenList } from '../session/half-open.js';
import { Intercept, type InterceptHost } from './intercept.js';
import { FLAG, SESSION_WORDS, type Session, SIS } from '../session/session.js';
import { OwnAcks } from './own-acks.js';
import { SessionTable } from '../session/session-table.js';
import { SessionTrace } from '../observe/session-trace.js';
import { SessionStatistics } from '../session/statistics.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { StateIo } from '../memory/state-io.js';
import type { Names } from '../state/saved-names.js';
import type { HostedStream, StreamHost } from './stream-host.js';
import { StreamTable } from './stream-table.js';
import type { ReleasedSegment, SessionStream } from './streams.js';
import { Thresholds } from './thresholds.js';
import type { TimerWheel } from '../memory/timer-wheel.js';
import type { DebugFlags } from '../observe/debug.js';

/** Sessions looked at in one call of `expire`, so that a burst of timeouts cannot stop the packets. */
const EXPIRE_BUDGET = 2000;

/** Connections that no rule inspects get this part of the table at most: a flood of them must not close the rest. */
const UNINSPECTED_SHARE = 4;

export class Sessions implements StreamHost {
  readonly table: SessionTable;
  readonly statistics = new SessionStatistics();
  readonly smtpCounters = newSmtpCounters();
  readonly #streams: StreamTable;
  readonly thresholds: Thresholds;
  readonly intercept: Intercept;
  readonly #halfOpen: HalfOpenList;
  readonly #ownAcks: OwnAcks;
  readonly #timers: TimerWheel<Session>;
  readonly #timeOut: (s: Session) => void;
  /** Cursor for the session of a held segment, which is released while another packet is in hand. */
  readonly #heldSession: Session;
  /** Cursor for the session that belongs to the one in hand: FTP. */
  readonly #related: Session;
  #uninspected = 0;
  /** Data connections that FTP has announced. */
  readonly #expected: ExpectedFlows;
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
  /** The one that the packet in hand fulfils, as `expects` found. */
  #fulfilled: ExpectedFlow | undefined = undefined;
  /** The packet in hand is a SYN for another connection than that of the session that `find` found. */
  #opensAnew = false;
  /** Record of a session that both sides have closed, which the packet in hand may take the place of. */
  #closed = NONE;
  /** Clock of the packet in hand, ms. */
  now: number;

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
    public globals: InspectGlobals,
    intercept: InterceptPolicy,
    readonly nat: Translator,
    readonly memory: ReassemblyMemory,
    private readonly outbox: Outbox,
    release: ReleasedSegment,
    private readonly debug: DebugFlags,
    cookieKey: Int32Array,
    source: MemorySource = heapMemory,
  ) {
    this.now = now;
    this.trace = new SessionTrace(debug, outbox);
    this.table = new SessionTable(capacity, seed, source);
    this.#expected = new ExpectedFlows(source);
    this.#streams = new StreamTable(
      capacity,
      () => this.renamed(),
      { sessions: this, outbox, released: release },
      source,
    );
    this.#timers = this.table.timers(now);
    this.#heldSession = this.table.cursor();
    this.#related = this.table.cursor();
    this.#ownAcks = new OwnAcks(nat, outbox, (s) => this.#seenPort(s));
    this.#halfOpen = new HalfOpenList(this.table.cursor());
    this.thresholds = new Thresholds(globals, this.#halfOpen, this.statistics, outbox, this.table.cursor(), (s, why) =>
      this.reset(s, why),
    );
    this.#timeOut = (s) => this.#timedOut(s);
    this.intercept = new Intercept(intercept, cookieKey, outbox, this.table.cursor(), this.#interceptHost());
  }

  /**
   * Finds the session of a packet's flow. A new SYN is no part of a session that both sides have closed, but the first
   * packet of another one, which the access list must let in; see `makeWay`.
   */
  find(f: Flow, p: Packet): boolean {
    this.#opensAnew = false;
    this.fromWrongInterface = false;
    this.#closed = NONE;
    if (!this.table.find(f.src, f.srcPort, f.dst, f.dstPort, f.protocol)) return false;
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
      this.#closed = s.slot;
      return false;
    }
    this.#opensAnew = tcp.wouldReopen(s, p, fromInitiator);
    return true;
  }

  /** The SYN in hand goes on: the closed session of its flow, if there is one, ends. */
  makeWay(): void {
    if (this.#closed === NONE) return;
    this.end(this.at(this.#closed), 'replaced');
    this.#closed = NONE;
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
  open(p: Packet, f: Flow, rule: RuleEntry, seenDst: number, now: number, serviceIndex = rule.serviceIndex): Verdict {
    const { debug, trace } = this;
    if (debug.detailed) trace.lookup(p);
    if (p.protocol === IPPROTO_TCP) {
      const v = tcp.checkOpening(p);
      if (v !== PASS) return v;
    } else if (!opensSession(p)) return PASS;
    const { table } = this;
    const normalised = p.protocol === IPPROTO_TCP && isNormalised(serviceIndex, rule);
    if (normalised && p.headerLength > IPV4_MIN_HEADER) return DROP.ipOptions;
    const offers = normalised ? normaliseOptions(p, ALL_TCP_OPTIONS) : 0;
    if (offers === UNREADABLE) return DROP.invalidSegment;
    const v = this.thresholds.admit(p.protocol, f.dst, seenDst, rule.alert, now);
    if (v !== PASS) return v;
    this.makeWay();
    if (!table.create(f.src, f.srcPort, f.dst, f.dstPort, f.protocol, serviceIndex, now)) return DROP.sessionLimit;
    const s = table.session;
    if (!this.#streams.hasRoom(s.slot)) {
      table.remove(s);
      return DROP.sessionLimit;
    }
    s.setSides(f.from, f.to);
    s.origin = f.from;
    s.rule = rule.index;
    if (normalised) s.startNormalising(offers, p.ttl);
    s.seenResponder = seenDst;
    if (p.protocol === IPPROTO_TCP) {
      tcp.noteOpening(s, p);
      s.timeoutMs = this.globals.tcpSynwait * 1000;
    } else {
      s.addBytes(true, p.end - p.payload);
      if (p.protocol === IPPROTO_ICMP) noteRequest(s, p);
      else if (isDns(s)) dns.noteQuery(s, p);
      s.timeoutMs = isDns(s) ? this.globals.dnsTimeout * 1000 : rule.idleMs;
    }
    this.statistics.packets[serviceIndex]!++;
    this.#begun(s, rule, now);
    if (debug.events) trace.opened(s, p, this.#seenPort(s));
    if (debug.timers) trace.timerInit(s);
    trace.firstPacket(s, p);
    return PASS;
  }

  /** The session in record `s` is there: it is timed, counted and told of. */
  #begun(s: Session, rule: RuleEntry, now: number): void {
    this.#timers.schedule(s, now);
    this.statistics.noteCreated(now);
    this.statistics.enter(SIS.opening);
    if (s.protocol !== IPPROTO_ICMP) this.#noteHalfOpen(s);
    if (rule.auditTrail) this.outbox.event({ type: 'session-start', endpoints: endpointsOf(s) });
    if (this.debug.objectCreation) this.trace.created(s);
  }

  /** The packet in hand is the first of a data connection that FTP has announced. */
  expects(f: Flow, p: Packet, now: number): boolean {
    if (p.protocol !== IPPROTO_TCP) return false;
    this.#fulfilled = this.#expected.find(f, now);
    return this.#fulfilled !== undefined;
  }

  /** Announced data connections that have not come yet. */
  expectedFlows(now: number): ExpectedFlow[] {
    return [...this.#expected.all()].filter((e) => e.until > now);
  }

  /** Opens the session of the packet that `expects` knew. It is expected once. */
  openExpected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    const e = this.#fulfilled!;
    // It begins where the control connection has that end.
    const control = this.at(e.control);
    if (f.from !== control.side(e.src === control.initiator) && !this.leadsTo(e.src, p.ingress))
      return DROP.wrongInterface;
    const v = this.open(p, f, e.rule, seenDst, now, FTP_DATA);
    if (v === PASS) {
      this.#expected.fulfil(e);
      this.trace.unexpected(e.control);
      this.#relate(this.table.session, e.control);
    }
    return v;
  }

  /**
   * Lets one connection in: from the server of the session in record `control` to `port` of its client, or from the
   * client to the server. Inferred: it may take as long as a handshake (`ip inspect tcp synwait-time`).
   * @param besides those announced before may still come; else this one takes their place
   */
  expectData(control: number, toClient: boolean, port: number, besides: boolean): void {
    const s = this.at(control);
    const ms = this.globals.tcpSynwait * 1000;
    const e: ExpectedFlow = {
      src: toClient ? s.responder : s.initiator,
      dst: toClient ? s.initiator : s.responder,
      dstPort: port,
      rule: this.rules.entries[s.rule]!,
      control,
      until: this.now + ms,
    };
    if (!besides) this.#expectNothing(control);
    this.#expected.add(e);
    this.trace.expected(e, ms);
  }

  #expectNothing(control: number): void {
    for (let n = this.#expected.forget(control); n > 0; n--) this.trace.unexpected(control);
  }

  /**
   * Remembers a TCP connection that the access lists permit and no rule inspects, so that its answers are known where
   * a rule would ask for a session. Inferred: a 3640 lets a permitted server answer; we let it answer nothing else.
   */
  openUninspected(p: Packet, f: Flow, seenDst: number, now: number): Verdict {
    this.makeWay();
    if (tcp.checkOpening(p) !== PASS) return PASS; // as any router: no rule asks
    if (this.#uninspected >= this.table.capacity / UNINSPECTED_SHARE) return DROP.sessionLimit;
    if (!this.table.create(f.src, f.srcPort, f.dst, f.dstPort, f.protocol, 0, now)) return DROP.sessionLimit;
    const s = this.table.session;
    s.set(FLAG.uninspected);
    s.setSides(f.from, f.to);
    s.origin = f.from;
    s.seenResponder = seenDst;
    tcp.noteOpening(s, p);
    s.timeoutMs = this.globals.tcpSynwait * 1000;
    this.#timers.schedule(s, now);
    this.#uninspected++;
    return PASS;
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
    this.table.inHand = s.slot;
    this.now = now;
    if (!s.has(FLAG.uninspected)) {
      this.statistics.packets[s.service]!++;
      this.trace.packet(s, p, fromInitiator);
    }
    if (p.protocol === IPPROTO_TCP) {
      const v = this.#trackTcp(s, p, fromInitiator, now);
      this.#streams.store();
      return v;
    }
    const v = this.#checkDatagram(s, p, fromInitiator, now);
    if (this.debug.detailed) this.trace.checked(s, p, v);
    if (v !== PASS) return v;
    s.heard = now;
    s.since = now;
    s.addBytes(fromInitiator, p.end - p.payload);
    if (!fromInitiator && s.state === SIS.opening) {
      s.state = SIS.open;
      this.#moved(s, SIS.opening);
    }
    return PASS;
  }

  /** Ends the sessions whose time is up and the waits of streams for missing segments. */
  expire(now: number): void {
    this.now = now;
    this.#timers.expire(now, EXPIRE_BUDGET, this.#timeOut);
    this.memory.expire(now, EXPIRE_BUDGET);
    this.thresholds.tick(now);
    if (this.intercept.aggressive) this.intercept.review(now);
  }

  #timedOut(s: Session): void {
    const waits = s.has(FLAG.incomplete) && this.intercept.timedOut(s, this.globals.tcpSynwait * 1000, this.now);
    if (!waits && !this.#dataMoves(s)) this.end(s, 'timeout');
  }

  /** Session `data` carries data of the FTP session in record `control`. */
  #relate(data: Session, control: number): void {
    const c = this.#related;
    c.at = control * SESSION_WORDS;
    c.related = data.slot + 1;
    data.related = control + 1;
  }

  /**
   * The time of session `s` is up, but it is an FTP session whose data connection has moved since. Asked only then, so
   * that no packet of the data connection has to know of it.
   */
  #dataMoves(s: Session): boolean {
    if (s.related === 0 || s.service === FTP_DATA || !isOpen(s)) return false;
    const data = this.#related;
    data.at = (s.related - 1) * SESSION_WORDS;
    noteMoved(s, data.since);
    if (s.timeoutMs - ((this.now - s.since) | 0) <= 0) return false;
    this.#timers.schedule(s, this.now);
    return true;
  }

  /** Session `s` ends. An FTP session goes on from when its data connection moved last. */
  #unrelate(s: Session): void {
    const other = this.#related;
    other.at = (s.related - 1) * SESSION_WORDS;
    if (other.related !== s.slot + 1) return; // another data connection came later
    other.related = 0;
    if (s.service === FTP_DATA && isOpen(other)) noteMoved(other, s.since);
  }

  /** Ends a session: no packet belongs to it any longer. `why` goes to the audit trail. */
  end(s: Session, why: EndReason): void {
    const { table } = this;
    const { slot } = s;
    const before = table.inHand;
    table.inHand = slot;
    this.#finish(s, why);
    if (s.has(FLAG.uninspected)) this.#uninspected--;
    table.remove(s);
    table.inHand = before === slot ? NONE : before;
  }

  /** The packet in hand has been judged, and all that it has changed is written. */
  letGo(): void {
    this.table.inHand = NONE;
  }

  /** All of `end` but that the record is still that of this flow. */
  #finish(s: Session, why: EndReason): void {
    this.#timers.cancel(s);
    this.intercept.incomplete.remove(s);
    if (s.has(FLAG.uninspected)) return;
    if (s.related !== 0) this.#unrelate(s);
    this.#noteNotHalfOpen(s);
    this.statistics.leave(s.state);
    const rule = this.rules.entries[s.rule]!;
    const stream = this.#streamOf(s);
    if (rule.auditTrail) {
      const event: Event = {
        type: 'session-stop',
        endpoints: endpointsOf(s),
        sent: s.initiatorBytes,
        received: s.responderBytes,
        reason: why,
        ...stream?.audit(),
      };
      this.outbox.event(event);
    }
    if (stream !== undefined) {
      this.#expectNothing(s.slot);
      this.#streams.end(s.slot);
    }
    if (this.debug.objectDeletion) this.trace.deleted(s);
    if (this.debug.timers) this.trace.timerStopped(s);
  }

  /** Ends a session and resets the connection towards both ends, as IOS does for signatures and thresholds. */
  reset(s: Session, why: EndReason): void {
    if (s.protocol === IPPROTO_TCP) {
      // Each end knows the other by the address it sees: an inside host by its inside global one, from outside.
      const { nat } = this;
      const { initiatorPort, responderPort } = s;
      const seenPort = this.#seenPort(s);
      const ack = tcp.sndNxt(s, true);
      const shift = this.#streamOf(s)?.shift;
      for (const sent of resetSeqs(s, true)) {
        const seq = clientSeq(s, shift?.toReceiver(false, sent) ?? sent);
        this.outbox.inject(resetPacket(s.seenResponder, seenPort, s.initiator, initiatorPort, seq, ack));
      }
      if (s.has(FLAG.responderSyn)) {
        nat.findGlobalOf(IPPROTO_TCP, s.initiator, initiatorPort, s.seenResponder, seenPort);
        for (const sent of resetSeqs(s, false)) {
          const seq = shift?.toReceiver(true, sent) ?? sent;
          this.outbox.inject(resetPacket(nat.global, nat.globalPort, s.responder, responderPort, seq));
        }
      }
    }
    this.end(s, why);
  }

  /** The responder's port as the initiator knows it. */
  #seenPort(s: Session): number {
    const { nat } = this;
    const translated = nat.findGlobalOf(s.protocol, s.responder, s.responderPort, s.initiator, s.initiatorPort);
    return translated && nat.global === s.seenResponder ? nat.globalPort : s.responderPort;
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
    this.#noteForwarded(this.at(slot), p, fromInitiator, now);
  }

  /** The same segment goes out. */
  spliceReleased(slot: number, p: Packet, fromInitiator: boolean): void {
    if (!fromInitiator) putSeq(p, clientSeq(this.at(slot), p.seq));
  }

  /** The stream's sender is to hear of segments behind a gap, as `SegmentOutlet` has it. */
  answerGap(stream: HostedStream, toInitiator: boolean, count: number): void {
    this.#ownAcks.duplicate(this.at(stream.slot), toInitiator, count, stream.segments, stream.shift);
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

  #checkDatagram(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const fits =
      p.protocol === IPPROTO_ICMP
        ? fromInitiator
          ? noteRequest(s, p)
          : takeReply(s, p)
        : !isDns(s) || this.#trackDns(s, p, fromInitiator, now);
    return fits ? PASS : DROP.inspection;
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
    for (const kind of Object.keys(this.smtpCounters) as (keyof SmtpCounters)[])
      this.smtpCounters[kind] = io.double(this.smtpCounters[kind]);
  }

  /**
   * Takes over the sessions that another process has left in this memory, under the rules now in force. One that a packet
   * was changing as the process died, whose stream cannot go on or whose rule is gone is reset at both ends.
   */
  adopt(pools: Names['pools'], now: number): Adopted {
    const { table } = this;
    const { inHand } = table;
    this.now = now;
    const lost = table.adopt((s) => this.#isSound(s));
    const poolOf = new Map(pools.map((p) => [p.number, p]));
    const doomed: number[] = [];
    const halfOpen: number[] = [];
    const incomplete: number[] = [];
    let adopted = 0;
    table.forEach((s) => {
      const rule = this.rules.entries[s.rule]!;
      if (s.has(FLAG.halfOpen)) halfOpen.push(s.slot);
      if (s.has(FLAG.incomplete)) incomplete.push(s.slot);
      s.unset(FLAG.halfOpen | FLAG.incomplete);
      if (!this.#isRelated(s)) s.related = 0;
      let sound = s.slot !== inHand && rule.inForce;
      if (s.has(FLAG.streamed) && !this.#streams.adopt(s, rule, poolOf)) {
        s.unset(FLAG.streamed);
        sound = false;
      }
      this.#timers.schedule(s, now);
      if (s.has(FLAG.uninspected)) this.#uninspected++;
      else this.statistics.enter(s.state);
      if (sound) adopted++;
      else doomed.push(s.slot);
    });
    this.#streams.adopted();
    this.#inOrder(halfOpen, now, (s) => this.#noteHalfOpen(s));
    this.#inOrder(incomplete, now, (s) => this.intercept.incomplete.add(s));
    this.#expected.adopt(now, (control) => this.#ruleOfControl(control));
    for (const slot of doomed) this.reset(this.at(slot), 'adoption');
    this.letGo();
    return { adopted, reset: doomed.length, lost };
  }

  /** Gives up all that another process has left in this memory. */
  discard(): void {
    this.table.adopt(() => false);
    this.#expected.adopt(this.now, () => undefined);
  }

  /** What a record that another process has left must have, so that nothing goes astray with it. */
  #isSound(s: Session): boolean {
    const known = s.service < SERVICES.length && s.rule < this.rules.entries.length;
    return known && s.state <= SIS.closing && s.timeoutMs > 0;
  }

  /** FTP: control and data connection name each other. */
  #isRelated(s: Session): boolean {
    if (s.related <= 0 || s.related > this.table.records) return s.related === 0;
    this.#related.at = (s.related - 1) * SESSION_WORDS;
    return this.#related.protocol !== 0 && (this.#related.related === s.slot + 1 || s.service === FTP_DATA);
  }

  #inOrder(slots: number[], now: number, enter: (s: Session) => void): void {
    const ageOf = (slot: number): number => (now - this.at(slot).created) | 0;
    slots.sort((a, b) => ageOf(b) - ageOf(a));
    for (const slot of slots) enter(this.at(slot));
  }

  #ruleOfControl(slot: number): RuleEntry | undefined {
    if (slot >= this.table.records) return undefined;
    const s = this.at(slot);
    const rule = this.rules.entries[s.rule];
    return s.has(FLAG.streamed) && rule?.service === 'ftp' ? rule : undefined;
  }

  /** Gives a session a new timeout from now on. */
  #restartTimer(s: Session, timeoutMs: number, now: number): void {
    this.#timers.restart(s, timeoutMs, now);
    if (this.debug.timers && !s.has(FLAG.uninspected)) this.trace.timerStarted(s);
  }

  /** `ip inspect dns-timeout`: the session ends shortly after its last answer. False: an answer to no query. */
  #trackDns(s: Session, p: Packet, fromInitiator: boolean, now: number): boolean {
    if (p.gso) return false; // several messages in one buffer
    if (fromInitiator) {
      dns.noteQuery(s, p);
      if (s.timeoutMs === dns.DNS_LINGER_MS) this.#restartTimer(s, this.globals.dnsTimeout * 1000, now);
      return true;
    }
    if (!dns.takeAnswer(s, p)) return false;
    if (dns.outstanding(s) === 0) this.#restartTimer(s, dns.DNS_LINGER_MS, now);
    return true;
  }

  #trackTcp(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    return s.has(FLAG.intercepted)
      ? this.#trackIntercepted(s, p, fromInitiator, now)
      : this.#trackSegment(s, p, fromInitiator, now);
  }

  /** A segment of a session whose ends count the server's bytes differently (`ip tcp intercept`). */
  #trackIntercepted(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const answered = s.has(FLAG.responderSyn);
    if (fromInitiator) {
      // The client waits for its window to open, and repeats what it says before.
      if (!answered && (p.flags & RST) === 0) return DROP.intercepted;
      spliceIncoming(s, p);
      return this.#trackSegment(s, p, true, now);
    }
    const syn = (p.flags & SYN) !== 0;
    if (!answered && (p.flags & RST) === 0) {
      const v = tcp.checkSegment(s, p, false);
      if (v !== PASS) return v;
      if (!syn) this.intercept.endStranger(s, p);
      if (!syn || (p.flags & ACK) === 0) return DROP.intercepted;
      s.set(FLAG.responderSynAcked);
    }
    // Before the session may end with this segment.
    const seq = clientSeq(s, p.seq);
    const v = this.#trackSegment(s, p, false, now);
    if (v !== PASS) return v;
    if (!syn) {
      putSeq(p, seq);
      return PASS;
    }
    // The client has begun anew, without the router's help.
    if (!s.has(FLAG.intercepted)) return PASS;
    if (!answered) noteServerIsn(s, p.seq);
    this.intercept.complete(s, p);
    return PASS;
  }

  #trackSegment(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const opening = s.state === SIS.opening;
    const stream = this.#streamOf(s);
    stream?.shift?.translateIncoming(p, fromInitiator);
    let v = tcp.checkSegment(s, p, fromInitiator);
    if (this.debug.detailed && !s.has(FLAG.uninspected)) this.trace.checked(s, p, v);
    if (v !== PASS) return (p.flags & (SYN | RST)) === 0 ? v : this.#contradicted(s, p, fromInitiator, v, now);
    if (s.isNormalised) {
      v = normalise(s, p, fromInitiator);
      if (v !== PASS) return v;
    }
    if (!tcp.saysNothing(s, p, fromInitiator)) {
      s.heard = now;
      if (s.state !== SIS.opening && !(s.has(FLAG.initiatorFin) && s.has(FLAG.responderFin))) s.since = now;
    }
    tcp.noteAcknowledgement(s, p, fromInitiator);
    if (stream !== undefined) {
      const { service } = s;
      v = this.#admitToStream(stream, s, p, fromInitiator, now);
      if (this.debug.tcp && p.end > p.payload) this.trace.inspected(sessionId(s), service, v);
      if (v !== PASS) return v;
      stream.segments.noteSent(p, fromInitiator, now);
    }
    this.#noteForwarded(s, p, fromInitiator, now);
    if (opening && (p.flags & SYN) !== 0 && s.has(FLAG.responderSyn)) this.#openStream(s);
    // As with a segment that is lost behind us: its sender will repeat what we drop now.
    return stream === undefined || stream.translate(p, fromInitiator) ? PASS : DROP.inspection;
  }

  /** A SYN or RST that is not of this connection. `v`: why it is to be dropped, if there is nothing more to it. */
  #contradicted(s: Session, p: Packet, fromInitiator: boolean, v: Verdict, now: number): Verdict {
    // Nothing ends with a segment of which nobody knows whether its receiver takes it.
    if (s.isNormalised && isUnclear(p)) return v;
    if (tcp.reopens(s, p, fromInitiator)) return this.#reopen(s, p, now);
    if (tcp.refusesPending(s, p, fromInitiator)) {
      this.end(s, 'reset');
      return PASS;
    }
    if (tcp.responderBeganAnew(s, p, fromInitiator)) this.reset(s, 'responder-began-anew');
    else if (tcp.callsForChallenge(s, p, fromInitiator) && tcp.mayAsk(s, now)) this.#askEnds(s, p, fromInitiator);
    return v;
  }

  /**
   * The responder has answered a SYN that came under session `s`: there is another connection now, and a new session for
   * it in the same place. The ends know that themselves: a RST for the old one could only hit the new one.
   */
  #reopen(s: Session, p: Packet, now: number): Verdict {
    const rule = this.rules.entries[s.rule]!;
    const inspected = !s.has(FLAG.uninspected);
    this.#finish(s, 'replaced');
    tcp.noteReopening(s, now);
    s.timeoutMs = this.globals.tcpSynwait * 1000;
    if (inspected) {
      const v = this.thresholds.admit(s.protocol, s.responder, s.seenResponder, rule.alert, now);
      if (v !== PASS) {
        this.table.remove(s);
        return v;
      }
      this.#begun(s, rule, now);
      if (this.debug.timers) this.trace.timerInit(s);
    } else this.#timers.schedule(s, now);
    return this.#trackTcp(s, p, false, now);
  }

  #askEnds(s: Session, p: Packet, fromInitiator: boolean): void {
    const shift = this.#streamOf(s)?.shift;
    // What the other end would answer. Who has lost the connection resets it; who has not takes it for a copy.
    this.#ownAcks.ask(s, fromInitiator, tcp.sndNxt(s, !fromInitiator), shift);
    // The other end may be the one that has nothing any more, while the sender cannot reset: a number that was
    // acknowledged long ago makes a live end say what it expects, to the sender, and a dead one reset (a keep-alive,
    // RFC 9293 §3.8.4).
    if ((p.flags & SYN) !== 0) this.#ownAcks.ask(s, !fromInitiator, seqAdd(tcp.rcvNxt(s, !fromInitiator), -1), shift);
  }

  /** Both SYNs are known: bytes may come. Not before, so that a flood of SYNs costs a record each and no more. */
  #openStream(s: Session): void {
    if (!s.has(FLAG.streamed)) {
      if (!this.#streams.create(s, this.rules.entries[s.rule]!)) return;
      s.set(FLAG.streamed);
    }
    const stream = this.#streams.find(s.slot);
    stream.segments.open(true, tcp.firstDataSeq(s, true));
    stream.segments.open(false, tcp.firstDataSeq(s, false));
  }

  #streamOf(s: Session): SessionStream | undefined {
    return s.has(FLAG.streamed) ? this.#streams.find(s.slot) : undefined;
  }

  #admitToStream(stream: SessionStream, s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const { segments } = stream;
    if ((p.flags & (ACK | RST)) === ACK) {
      segments.acknowledge(!fromInitiator, p.ack);
      stream.shift?.acknowledged(!fromInitiator, p.ack);
    }
    stream.now = now;
    const v = segments.admit(p, fromInitiator, now);
    if (!segments.resetRequested) return v;
    if (stream.silent) this.end(s, 'inspection');
    else this.reset(s, 'inspection');
    return DROP.inspection;
  }

  #noteForwarded(s: Session, p: Packet, fromInitiator: boolean, now: number): void {
    s.addBytes(fromInitiator, tcp.newBytes(s, p, fromInitiator));
    const before = s.state;
    const transition = tcp.noteForwarded(s, p, fromInitiator);
    if (s.state !== before) {
      this.#moved(s, before);
      if (before === SIS.opening) {
        this.intercept.incomplete.remove(s);
        this.#restartTimer(s, this.#idleMs(s), now);
      }
    }
    if (this.debug.detailed && !s.has(FLAG.uninspected)) this.trace.forwarded(s, p);
    // Both have sent FIN; what is left is their last ACK (ip inspect tcp finwait-time).
    if (transition === tcp.TRANSITION.closed) this.#restartTimer(s, this.#finwaitMs(s), now);
    else if (transition === tcp.TRANSITION.reset) this.end(s, 'reset');
  }

  /** Inferred: the timeouts of `ip tcp intercept` are for what no rule inspects. */
  #idleMs(s: Session): number {
    const { connectionTimeout } = this.intercept.config;
    return isOnlyIntercepted(s) ? connectionTimeout * 1000 : this.rules.entries[s.rule]!.idleMs;
  }

  #finwaitMs(s: Session): number {
    return (isOnlyIntercepted(s) ? this.intercept.config.finrstTimeout : this.globals.tcpFinwait) * 1000;
  }

  #interceptHost(): InterceptHost {
    const { nat, outbox } = this;
    return {
      toServer: (s, flags, seq, ack, window, mss) => {
        nat.findGlobalOf(IPPROTO_TCP, s.initiator, s.initiatorPort, s.seenResponder, this.#seenPort(s));
        const { global, globalPort } = nat;
        outbox.inject(ownSegment(global, globalPort, s.responder, s.responderPort, flags, seq, ack, window, mss));
      },
      toClient: (s, flags, seq, ack) =>
        outbox.inject(ownSegment(s.seenResponder, this.#seenPort(s), s.initiator, s.initiatorPort, flags, seq, ack)),
      restart: (s, timeoutMs, now) => this.#restartTimer(s, timeoutMs, now),
      end: (s, why) => this.end(s, why),
    };
  }

  /** The session has gone from state `before` to another. */
  #moved(s: Session, before: number): void {
    if (s.has(FLAG.uninspected)) return;
    this.statistics.leave(before);
    this.statistics.enter(s.state);
    if (before === SIS.opening) this.#noteNotHalfOpen(s);
  }

  #noteHalfOpen(s: Session): void {
    this.#halfOpen.add(s);
    this.thresholds.noteHalfOpen(s, 1);
  }

  #noteNotHalfOpen(s: Session): void {
    if (!s.has(FLAG.halfOpen)) return;
    this.#halfOpen.remove(s);
    this.thresholds.noteHalfOpen(s, -1);
  }
}

/** What has become of the sessions that another process had: go on, were reset, could not be read. */
export interface Adopted {
  adopted: number;
  reset: number;
  lost: number;
}

const NONE = -1;
const FTP_DATA = SERVICES.indexOf('ftp-data');

const isOnlyIntercepted = (s: Session): boolean => s.has(FLAG.uninspected) && s.has(FLAG.intercepted | FLAG.watched);

/** Neither opening nor closed by both sides: it has an idle timer. */
const isOpen = (s: Session): boolean =>
  s.state !== SIS.opening && !(s.has(FLAG.initiatorFin) && s.has(FLAG.responderFin));

/** The idle time of `s` begins at `since`, if that is later. */
function noteMoved(s: Session, since: number): void {
  if (((since - s.since) | 0) > 0) s.since = since;
}

const isDns = (s: Session): boolean => s.protocol === IPPROTO_UDP && s.responderPort === dns.DNS_PORT;

/**
 * Sequence numbers of the RSTs to one end, which takes exactly what it expects (RFC 5961 §3.2): that is one past what was
 * forwarded if all of that arrives, or what it last acknowledged if what followed was lost.
 */
function resetSeqs(s: Session, toInitiator: boolean): number[] {
  const forwarded = tcp.sndNxt(s, !toInitiator);
  const acknowledged = tcp.rcvNxt(s, toInitiator);
  return forwarded === acknowledged ? [forwarded] : [forwarded, acknowledged];
}

/** Some receivers drop a segment with such options, of IP or TCP, and others take it. */
const isUnclear = (p: Packet): boolean =>
  p.headerLength > IPV4_MIN_HEADER || normaliseOptions(p, ALL_TCP_OPTIONS) === UNREADABLE;

/**
 * Makes a segment of an inspected stream such that every receiver takes it, and takes it alike. Its TTL is raised to the
 * highest that a SYN of its sender had, as by `min-ttl` of OpenBSD's scrub and `new_ttl` of Snort's normalizer, but to
 * a value that is known to arrive: a segment with less would be counted here and die behind us. Loops stay finite: one
 * through this router is cut by the sides of the session, others lower the TTL as ever. Options of IP make some servers
 * drop a segment that others take.
 */
function normalise(s: Session, p: Packet, fromInitiator: boolean): Verdict {
  if (p.headerLength > IPV4_MIN_HEADER) return DROP.ipOptions;
  const syn = (p.flags & SYN) !== 0;
  const answer = syn && (p.flags & ACK) !== 0 && !fromInitiator;
  const options = normaliseOptions(p, answer ? s.offers : syn ? ALL_TCP_OPTIONS : s.agreed);
  if (options === UNREADABLE) return DROP.invalidSegment;
  const least = s.leastTtl(fromInitiator);
  if (p.ttl < least) putTtl(p, least);
  if (!syn) return PASS;
  s.raiseLeastTtl(fromInitiator, p.ttl);
  if (fromInitiator) s.offers |= options;
  else s.agreed |= options & s.offers;
  return PASS;
}
