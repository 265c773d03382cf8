/**
 * FTP: the data connections that a control connection has announced, and the one that came last. The two know each other
 * through their records, so that a transfer keeps its control connection alive.
 */
import { type RuleEntry, SERVICES } from '../inspect/rules.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { Flow } from '../session/flow.js';
import { FLAG, SESSION_WORDS, type Session } from '../session/session.js';
import { IPPROTO_TCP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import type { TrackerContext } from './context.js';
import { type ExpectedFlow, ExpectedFlows } from './expected-flows.js';

/** The service of a data connection. */
export const FTP_DATA = SERVICES.indexOf('ftp-data');

export class DataConnections {
  /** The one that the packet in hand fulfils, as `expects` found. */
  fulfilled: ExpectedFlow | undefined = undefined;
  readonly #expected: ExpectedFlows;
  /** Cursor for the session that belongs to the one in hand. */
  readonly #related: Session;

  constructor(
    private readonly context: TrackerContext,
    source: MemorySource = heapMemory,
  ) {
    this.#expected = new ExpectedFlows(source);
    this.#related = context.table.cursor();
  }

  /** Announced data connections that have not come yet. */
  announced(now: number): ExpectedFlow[] {
    return [...this.#expected.all()].filter((e) => e.until > now);
  }

  /** The packet in hand is the first of a data connection that FTP has announced. */
  expects(f: Flow, p: Packet, now: number): boolean {
    if (p.protocol !== IPPROTO_TCP) return false;
    this.fulfilled = this.#expected.find(f, now);
    return this.fulfilled !== undefined;
  }

  /**
   * Lets one connection in: from the server of the control connection `s` to `port` of its client, or from the client to
   * the server. Inferred: it may take as long as a handshake (`ip inspect tcp synwait-time`).
   * @param besides those announced before may still come; else this one takes their place
   */
  expect(s: Session, toClient: boolean, port: number, besides: boolean, now: number): void {
    const { globals, rules, trace } = this.context;
    const ms = globals.tcpSynwait * 1000;
    const e: ExpectedFlow = {
      src: toClient ? s.responder : s.initiator,
      dst: toClient ? s.initiator : s.responder,
      dstPort: port,
      rule: rules.entries[s.rule]!,
      control: s.slot,
      until: now + ms,
    };
    if (!besides) this.expectNothing(s.slot);
    this.#expected.add(e);
    trace.expected(e, ms);
  }

  /** The control connection in record `control` expects nothing more. */
  expectNothing(control: number): void {
    if (this.fulfilled?.control === control) this.fulfilled = undefined;
    for (let n = this.#expected.forget(control); n > 0; n--) this.context.trace.unexpected(control);
  }

  /** Session `data` is the connection that `expects` knew. It is expected once. */
  fulfil(data: Session): void {
    const e = this.fulfilled;
    if (e === undefined) return; // its control connection has had to go for it
    this.#expected.fulfil(e);
    this.context.trace.unexpected(e.control);
    const control = this.#at(e.control);
    control.related = data.slot + 1;
    data.related = e.control + 1;
  }

  /**
   * The time of session `s` is up, but it is a control connection whose data connection has moved since: it has more.
   * Asked only then, so that no packet of the data connection has to know of it.
   */
  keepsAlive(s: Session, now: number): boolean {
    if (s.related === 0 || s.service === FTP_DATA || !s.isOpen) return false;
    noteMoved(s, this.#at(s.related - 1).since);
    return s.timeoutMs - ((now - s.since) | 0) > 0;
  }

  /** Session `s` ends. A control connection goes on from when its data connection moved last. */
  unrelate(s: Session): void {
    if (s.related === 0) return;
    const other = this.#at(s.related - 1);
    if (other.related !== s.slot + 1) return; // another data connection came later
    other.related = 0;
    if (s.service === FTP_DATA && other.isOpen) noteMoved(other, s.since);
  }

  /** Session `s` was left by another process: control and data connection must name each other. */
  adoptRelation(s: Session): void {
    if (!this.#isRelated(s)) s.related = 0;
  }

  /** Takes over the expectations that another process has left, as far as their control connection is there. */
  adopt(now: number): void {
    const { table, rules } = this.context;
    this.#expected.adopt(now, (slot) => {
      if (slot >= table.records) return undefined;
      const s = this.#at(slot);
      const rule: RuleEntry | undefined = rules.entries[s.rule];
      return s.has(FLAG.streamed) && rule?.service === 'ftp' ? rule : undefined;
    });
  }

  /** Gives up all that another process has left. */
  discard(now: number): void {
    this.#expected.adopt(now, () => undefined);
  }

  #isRelated(s: Session): boolean {
    if (s.related <= 0 || s.related > this.context.table.records) return s.related === 0;
    const other = this.#at(s.related - 1);
    return other.protocol !== 0 && (other.related === s.slot + 1 || s.service === FTP_DATA);
  }

  #at(slot: number): Session {
    this.#related.at = slot * SESSION_WORDS;
    return this.#related;
  }
}

/** The idle time of `s` begins at `since`, if that is later. */
function noteMoved(s: Session, since: number): void {
  if (((since - s.since) | 0) > 0) s.since = since;
}
