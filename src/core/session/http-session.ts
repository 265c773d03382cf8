/** What the HTTP inspector says, with the addresses of its session, and what the audit trail keeps of it. */
import { httpLine } from '../observe/debug-inspect.js';
import type { HttpHost } from '../inspect/http.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { Outbox } from '../outbox.js';
import { endpointsOf, sessionId } from './endpoints.js';
import type { Sessions } from './sessions.js';

export class HttpSession implements HttpHost {
  readonly friendly: boolean;
  #requests = 0;
  #first = '';

  constructor(
    private readonly sessions: Sessions,
    private readonly slot: number,
    private readonly rule: RuleEntry,
    private readonly outbox: Outbox,
  ) {
    // A list that is named and not defined is a placeholder: all applets are blocked (Configuration Guide, CBAC).
    const list = rule.javaList;
    this.friendly = list !== undefined && sessions.permits(list, sessions.at(slot).seenResponder) === true;
    const { flags } = sessions.trace;
    if (flags.http && flags.detailed)
      this.#trace(`${this.friendly ? 'friendly' : 'hostile'} site, java-list ${list ?? 'none'}`);
  }

  request(line: string): void {
    if (this.sessions.trace.flags.http) this.#trace(line);
    if (this.#requests++ === 0) this.#first = line;
  }

  javaBlocked(): void {
    if (this.sessions.trace.flags.http) this.#trace('Java applet, connection reset');
    if (!this.rule.alert) return;
    this.outbox.event({ type: 'java-blocked', endpoints: endpointsOf(this.sessions.at(this.slot)) });
  }

  /** How many requests there were, and the first of them. */
  audit(): { requests: number; request: string } {
    return { requests: this.#requests, request: this.#first };
  }

  #trace(text: string): void {
    this.sessions.trace.say('http', httpLine(sessionId(this.sessions.at(this.slot)), text));
  }
}
