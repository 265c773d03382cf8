/**
 * `debug ip inspect`: says what happens to sessions. Whoever calls has read the flag; where a line needs more than one
 * (`detailed` tells more of whatever else is on, and nothing by itself), the other is read here.
 */
import type { DebugFlag, DebugFlags } from '../observe/debug.js';
import * as lines from '../observe/debug-inspect.js';
import { SERVICES } from '../inspect/rules.js';
import type { Outbox } from '../outbox.js';
import * as tcp from '../tcp/state.js';
import { PASS, type Verdict } from '../verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { BLOCK_SIZE, printedPorts, sessionId } from './endpoints.js';
import type { ExpectedFlow } from './expected-flows.js';
import { type Session, SIS_NAMES } from './session.js';

/** A control connection expects one connection at a time; this is the number of its block. */
const PRE_GENERATED_BASE = 0x62000000;
const preGeneratedId = (control: number): number => PRE_GENERATED_BASE + control * BLOCK_SIZE;

export class SessionTrace {
  /** Addresses, interfaces and length of a packet, as `debug ip packet` begins. Set by who knows the interfaces. */
  datagramText: (p: Packet) => string = () => '';

  constructor(
    readonly flags: DebugFlags,
    private readonly outbox: Outbox,
  ) {}

  /** The switch of the packet's protocol is on. */
  #wanted(p: Packet): boolean {
    const { flags } = this;
    return p.protocol === IPPROTO_TCP ? flags.tcp : p.protocol === IPPROTO_ICMP ? flags.icmp : flags.udp;
  }

  say(facility: DebugFlag, text: string): void {
    this.outbox.event({ type: 'debug', facility, text });
  }

  /** A packet of a session, in front of any check. */
  packet(s: Session, p: Packet, fromInitiator: boolean): void {
    if (!this.#wanted(p)) return;
    if (this.flags.detailed) this.lookup(p, s);
    this.#show(s, p, fromInitiator);
  }

  /** The packet that has opened session `s`. */
  firstPacket(s: Session, p: Packet): void {
    if (!this.#wanted(p)) return;
    this.#show(s, p, true);
    if (this.flags.detailed) this.checked(s, p, PASS);
  }

  #show(s: Session, p: Packet, fromInitiator: boolean): void {
    const sis = sessionId(s);
    if (p.protocol !== IPPROTO_TCP) {
      this.say(facilityOf(p), lines.datagramLine(sis, p));
      return;
    }
    this.say('tcp', lines.tcpLine(sis, p, fromInitiator));
    if (this.flags.detailed) this.say('tcp', lines.segmentStateLine(sis, p, stateText(s)));
  }

  /** `detailed`: a packet is looked up. `s`: what was found. */
  lookup(p: Packet, s?: Session): void {
    if (!this.#wanted(p)) return;
    const facility = facilityOf(p);
    const found = s && { sis: sessionId(s), state: SIS_NAMES[s.state]! };
    for (const line of lines.lookupLines(p, facility, this.datagramText(p), found)) this.say(facility, line);
  }

  /** `detailed`: what the session made of a packet. */
  checked(s: Session, p: Packet, v: Verdict): void {
    if (!this.#wanted(p)) return;
    this.say(facilityOf(p), lines.packetResultLine(sessionId(s), p, SERVICES[s.service]!, v));
  }

  /** `detailed`: a segment has moved the state of its session, or not. */
  forwarded(s: Session, p: Packet): void {
    if (!this.flags.tcp) return;
    const end = (initiator: boolean): lines.TcpEnd => ({
      isn: tcp.isn(s, initiator),
      rcvNxt: tcp.rcvNxt(s, initiator),
      sndNxt: tcp.sndNxt(s, initiator),
      rcvWnd: tcp.rcvWnd(s, initiator),
    });
    const numbers = { state: stateText(s), initiator: end(true), responder: end(false) };
    this.say('tcp', lines.newStateLine(sessionId(s), p, numbers));
  }

  /** `tcp`: what the inspector made of a segment with data; the session may have ended by it. */
  inspected(sis: number, service: number, v: Verdict): void {
    this.say('tcp', lines.streamResultLine(sis, SERVICES[service]!, v));
  }

  /** `events`: a new session. `p`: its first packet; `seenPort`: the responder's where the packet came in. */
  opened(s: Session, p: Packet, seenPort: number): void {
    const own = { initiator: s.initiator, responder: s.responder, ...printedPorts(s) };
    const seen = { ...own, initiator: p.globalSrc, responder: s.seenResponder };
    if (s.protocol !== IPPROTO_ICMP) Object.assign(seen, { initiatorPort: p.globalSrcPort, responderPort: seenPort });
    this.say('events', lines.endpointsLine(sessionId(s), own, seen));
  }

  created(s: Session): void {
    this.say('objectCreation', lines.objectLine(sessionId(s), true));
  }

  deleted(s: Session): void {
    this.say('objectDeletion', lines.objectLine(sessionId(s), false));
  }

  timerInit(s: Session): void {
    this.say('timers', lines.timerInitLine(sessionId(s)));
    this.timerStarted(s);
  }

  timerStarted(s: Session): void {
    this.say('timers', lines.timerStartLine(sessionId(s), s.timeoutMs));
  }

  timerStopped(s: Session): void {
    this.say('timers', lines.timerStopLine(sessionId(s)));
  }

  /** A connection is expected from now on, for `ms`. Reads the flags itself: this is rare. */
  expected(e: ExpectedFlow, ms: number): void {
    const { flags } = this;
    const id = preGeneratedId(e.control);
    if (flags.objectCreation) this.say('objectCreation', lines.preGeneratedObjectLine(id, true));
    if (flags.events) for (const line of lines.preGeneratedLines({ id, ...e })) this.say('events', line);
    if (flags.timers) for (const line of lines.preGeneratedTimerStartLines(id, ms)) this.say('timers', line);
  }

  /** The control connection in record `control` does not expect it any longer. Reads the flags itself. */
  unexpected(control: number): void {
    const id = preGeneratedId(control);
    if (this.flags.objectDeletion) this.say('objectDeletion', lines.preGeneratedObjectLine(id, false));
    if (this.flags.timers) this.say('timers', lines.preGeneratedTimerStopLine(id));
  }
}

const facilityOf = (p: Packet): 'tcp' | 'icmp' | 'udp' =>
  p.protocol === IPPROTO_TCP ? 'tcp' : p.protocol === IPPROTO_ICMP ? 'icmp' : 'udp';

const stateText = (s: Session): string => `${SIS_NAMES[s.state]!}/${tcp.connectionState(s)}`;
