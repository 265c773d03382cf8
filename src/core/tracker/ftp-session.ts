/**
 * What the FTP inspector may ask of its session: who is who on both sides of NAT, data connections, replaced text.
 */
import type { Announcement, EndpointCommand, FtpFinding, FtpHost } from '../inspect/ftp/inspector.js';
import { withoutPassword } from '../inspect/ftp/secrets.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { Outbox } from '../outbox.js';
import { seqAdd } from '../wire/seq.js';
import type { SequenceShift } from '../stream/sequence-shift.js';
import { firstDataSeq } from '../session/tcp-state.js';
import { IPPROTO_TCP } from '../wire/ipv4.js';
import { endpointsOf, sessionId } from '../session/endpoints.js';
import type { StateIo } from '../memory/state-io.js';
import type { StreamHost, StreamSession } from './stream-host.js';

export class FtpSession implements FtpHost, StreamSession {
  /** Number of the record of the session in hand. */
  #slot = -1;
  /** Inside local or outside addresses. */
  #client = 0;
  #server = 0;
  /** As the other party knows them. */
  #clientSeen = 0;
  #serverSeen = 0;

  constructor(
    private readonly sessions: StreamHost,
    private readonly rule: RuleEntry,
    private readonly outbox: Outbox,
    private readonly shift: SequenceShift,
  ) {}

  carry(slot: number): void {
    const s = this.sessions.at(slot);
    this.#slot = slot;
    this.#client = s.initiator;
    this.#server = s.responder;
    this.#serverSeen = s.seenResponder;
  }

  begin(): void {
    const { nat } = this.sessions;
    const s = this.sessions.at(this.#slot);
    nat.findGlobalOf(IPPROTO_TCP, s.initiator, s.initiatorPort, s.seenResponder, s.responderPort);
    this.#clientSeen = nat.global;
  }

  sync(io: StateIo): void {
    this.#clientSeen = io.int(this.#clientSeen);
  }

  get clientTranslated(): boolean {
    return this.#clientSeen !== this.#client;
  }

  get serverTranslated(): boolean {
    return this.#serverSeen !== this.#server;
  }

  isClient(address: number): boolean {
    return address === this.#client || address === this.#clientSeen;
  }

  isServer(address: number): boolean {
    return address === this.#server || address === this.#serverSeen;
  }

  announceClient(port: number): Announcement | undefined {
    return this.#announce(this.#client, port, this.sessions.at(this.#slot).initiatorPort);
  }

  announceServer(port: number): Announcement | undefined {
    return this.#announce(this.#server, port, this.sessions.at(this.#slot).responderPort);
  }

  expect(toClient: boolean, port: number, besides: boolean): void {
    this.sessions.expectData(this.#slot, toClient, port, besides);
  }

  replace(fromInitiator: boolean, position: number, length: number, text: string): boolean {
    const seq = seqAdd(firstDataSeq(this.sessions.at(this.#slot), fromInitiator), position);
    return this.shift.replace(fromInitiator, seq, length, Buffer.from(text, 'latin1'));
  }

  report(finding: FtpFinding): void {
    if (!this.rule.alert) return;
    this.outbox.event({ type: 'ftp', endpoints: endpointsOf(this.sessions.at(this.#slot)), finding });
  }

  get debug(): boolean {
    return this.sessions.trace.flags.ftp;
  }

  traceLine(fromClient: boolean, line: string): void {
    const shown = fromClient ? withoutPassword(line) : line;
    this.sessions.trace.say({ type: 'debug', facility: 'ftp', what: 'line', sis: this.#sis, fromClient, line: shown });
  }

  traceEndpoint(command: EndpointCommand, toClient: boolean, port: number, now: Announcement): void {
    const { trace } = this.sessions;
    const own = { address: toClient ? this.#client : this.#server, port };
    const seen = trace.flags.detailed ? { address: now.address, port: now.port } : undefined;
    trace.say({ type: 'debug', facility: 'ftp', what: 'announced', sis: this.#sis, command, own, seen });
  }

  get #sis(): number {
    return sessionId(this.sessions.at(this.#slot));
  }

  #announce(address: number, port: number, controlPort: number): Announcement | undefined {
    const { nat } = this.sessions;
    if (!nat.reserve(IPPROTO_TCP, address, port, controlPort, this.sessions.now)) return undefined;
    return { address: nat.global, port: nat.globalPort };
  }
}
