/** What the HTTP inspector says, with the addresses of its session, and what the audit trail keeps of it. */
import type { HttpHost } from '../inspect/http.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { Outbox } from '../outbox.js';
import { endpointsOf, sessionId } from '../session/endpoints.js';
import type { StateIo } from '../memory/state-io.js';
import type { StreamHost, StreamSession } from './stream-host.js';

/** Bytes of a request line that are kept. */
const MOST_KEPT = 256;

export class HttpSession implements HttpHost, StreamSession {
  friendly = false;
  /** Number of the record of the session in hand. */
  #slot = -1;
  #requests = 0;
  #first = '';

  constructor(
    private readonly sessions: StreamHost,
    private readonly rule: RuleEntry,
    private readonly outbox: Outbox,
  ) {}

  carry(slot: number): void {
    this.#slot = slot;
  }

  begin(): void {
    // A list that is named and not defined is a placeholder: all applets are blocked (Configuration Guide, CBAC).
    const { rule, sessions } = this;
    const list = rule.javaList;
    this.friendly = list !== undefined && sessions.permits(list, sessions.at(this.#slot).seenResponder) === true;
    const { trace } = sessions;
    const { friendly } = this;
    if (trace.flags.http && trace.flags.detailed)
      trace.say({ type: 'debug', facility: 'http', what: 'site', sis: this.#sis, friendly, javaList: list });
  }

  sync(io: StateIo): void {
    this.friendly = io.flag(this.friendly);
    this.#requests = io.int(this.#requests);
    this.#first = io.text(this.#first, MOST_KEPT);
  }

  request(line: string): void {
    const { trace } = this.sessions;
    if (trace.flags.http) trace.say({ type: 'debug', facility: 'http', what: 'request', sis: this.#sis, line });
    if (this.#requests++ === 0) this.#first = line;
  }

  javaBlocked(): void {
    const { trace } = this.sessions;
    if (trace.flags.http) trace.say({ type: 'debug', facility: 'http', what: 'applet-blocked', sis: this.#sis });
    if (!this.rule.alert) return;
    this.outbox.event({ type: 'java-blocked', endpoints: endpointsOf(this.sessions.at(this.#slot)) });
  }

  /** How many requests there were, and the first of them. */
  audit(): { requests: number; request: string } {
    return { requests: this.#requests, request: this.#first };
  }

  get #sis(): number {
    return sessionId(this.sessions.at(this.#slot));
  }
}
