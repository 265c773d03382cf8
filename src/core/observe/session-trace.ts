/**
 * `debug ip inspect`: says what happens to sessions. Whoever calls has read the flag; where a line needs more than one
 * (`detailed` tells more of whatever else is on, and nothing by itself), the other is read here.
 */
import type { DebugFlags } from './debug.js';
import { type DebugEvent, headerOf, type PacketPath, type TcpEnd } from './debug-event.js';
import { SERVICES } from '../inspect/rules.js';
import type { Outbox } from '../outbox.js';
import * as tcp from '../session/tcp-state.js';
import { PASS, type Verdict } from '../verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { blockNumber, printedPorts, sessionId } from '../session/endpoints.js';
import { type Session, SIS_NAMES } from '../session/session.js';

/** A control connection expects one connection at a time; this is the number of its block. */
const PRE_GENERATED_BASE = 0x62000000;

/** What FTP has announced: who it is from and to, and the record number of the control connection. */
interface AnnouncedConnection {
  readonly control: number;
  readonly src: number;
  readonly dst: number;
  readonly dstPort: number;
}

export class SessionTrace {
  /** The interfaces that a packet goes by. Set by who knows them. */
  pathOf: (p: Packet) => PacketPath = () => ({ ingress: '', egress: undefined });
  /** The shard whose sessions these are. */
  shard = 0;

  constructor(
    readonly flags: DebugFlags,
    private readonly outbox: Outbox,
  ) {}

  /** The switch of the packet's protocol is on. */
  #wanted(p: Packet): boolean {
    const { flags } = this;
    return p.protocol === IPPROTO_TCP ? flags.tcp : p.protocol === IPPROTO_ICMP ? flags.icmp : flags.udp;
  }

  say(e: DebugEvent): void {
    this.outbox.event(e);
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
    const facility = facilityOf(p);
    const state = facility === 'tcp' && this.flags.detailed ? stateText(s) : undefined;
    const sis = sessionId(s);
    this.say({ type: 'debug', facility, what: 'packet', sis, packet: headerOf(p), fromInitiator, state });
  }

  /** `detailed`: a packet is looked up. `s`: what was found. */
  lookup(p: Packet, s?: Session): void {
    if (!this.#wanted(p)) return;
    const found = s && { sis: sessionId(s), state: SIS_NAMES[s.state]! };
    const path = this.pathOf(p);
    this.say({ type: 'debug', facility: facilityOf(p), what: 'lookup', packet: headerOf(p), path, found });
  }

  /** `detailed`: what the session made of a packet. */
  checked(s: Session, p: Packet, verdict: Verdict): void {
    if (!this.#wanted(p)) return;
    const [sis, service] = [sessionId(s), SERVICES[s.service]!];
    this.say({ type: 'debug', facility: facilityOf(p), what: 'checked', sis, packet: headerOf(p), service, verdict });
  }

  /** `detailed`: a segment has moved the state of its session, or not. */
  forwarded(s: Session, p: Packet): void {
    if (!this.flags.tcp) return;
    const end = (initiator: boolean): TcpEnd => ({
      isn: tcp.isn(s, initiator),
      rcvNxt: tcp.rcvNxt(s, initiator),
      sndNxt: tcp.sndNxt(s, initiator),
      rcvWnd: tcp.rcvWnd(s, initiator),
    });
    const numbers = { state: stateText(s), initiator: end(true), responder: end(false) };
    this.say({ type: 'debug', facility: 'tcp', what: 'forwarded', sis: sessionId(s), packet: headerOf(p), numbers });
  }

  /** `tcp`: what the inspector made of a segment with data; the session may have ended by it. */
  inspected(sis: number, service: number, verdict: Verdict): void {
    this.say({ type: 'debug', facility: 'tcp', what: 'inspected', sis, service: SERVICES[service]!, verdict });
  }

  /** `events`: a new session. `p`: its first packet; `seenPort`: the responder's where the packet came in. */
  opened(s: Session, p: Packet, seenPort: number): void {
    const own = { initiator: s.initiator, responder: s.responder, ...printedPorts(s) };
    const seen = { ...own, initiator: p.globalSrc, responder: s.seenResponder };
    if (s.protocol !== IPPROTO_ICMP) Object.assign(seen, { initiatorPort: p.globalSrcPort, responderPort: seenPort });
    this.say({ type: 'debug', facility: 'events', what: 'session', sis: sessionId(s), own, seen });
  }

  created(s: Session): void {
    this.say({ type: 'debug', facility: 'objectCreation', what: 'session', sis: sessionId(s) });
  }

  deleted(s: Session): void {
    this.say({ type: 'debug', facility: 'objectDeletion', what: 'session', sis: sessionId(s) });
  }

  timerInit(s: Session): void {
    this.say({ type: 'debug', facility: 'timers', what: 'session', sis: sessionId(s), did: 'created' });
    this.timerStarted(s);
  }

  timerStarted(s: Session): void {
    const ms = s.timeoutMs;
    this.say({ type: 'debug', facility: 'timers', what: 'session', sis: sessionId(s), did: 'started', ms });
  }

  timerStopped(s: Session): void {
    this.say({ type: 'debug', facility: 'timers', what: 'session', sis: sessionId(s), did: 'stopped' });
  }

  /** Of the connection that the control connection in record `control` expects. */
  #idOf(control: number): number {
    return blockNumber(PRE_GENERATED_BASE, control, this.shard);
  }

  /** A connection is expected from now on, for `ms`. Reads the flags itself: this is rare. */
  expected({ control, src, dst, dstPort }: AnnouncedConnection, ms: number): void {
    const { flags } = this;
    const about = { type: 'debug', what: 'expected', id: this.#idOf(control) } as const;
    if (flags.objectCreation) this.say({ ...about, facility: 'objectCreation' });
    if (flags.events) this.say({ ...about, facility: 'events', src, dst, dstPort });
    if (flags.timers) this.say({ ...about, facility: 'timers', did: 'started', ms });
  }

  /** The control connection in record `control` does not expect it any longer. Reads the flags itself. */
  unexpected(control: number): void {
    const { flags } = this;
    const about = { type: 'debug', what: 'expected', id: this.#idOf(control) } as const;
    if (flags.objectDeletion) this.say({ ...about, facility: 'objectDeletion' });
    if (flags.timers) this.say({ ...about, facility: 'timers', did: 'stopped' });
  }
}

const facilityOf = (p: Packet): 'tcp' | 'icmp' | 'udp' =>
  p.protocol === IPPROTO_TCP ? 'tcp' : p.protocol === IPPROTO_ICMP ? 'icmp' : 'udp';

const stateText = (s: Session): string => `${SIS_NAMES[s.state]!}/${tcp.connectionState(s)}`;
