/** What SMTP inspection counts besides its findings: mails, and commands that it masked, by verb. One for the router. */
import { type Row, rowsOf } from '../../observe/row.js';
import type { StateIo } from '../../memory/state-io.js';
import { COMMANDS, NOT_ALLOWABLE } from './grammar.js';

/**
 * Verbs that are counted by name; all others are one. A client chooses what it sends: a name for each would be as many
 * rows as it likes. Those beyond our grammar: RFC 5321 §4.1.1.7, sendmail, Postfix, Courier.
 */
const FOREIGN = ['EXPN', 'VERB', 'ONEX', 'WIZ', 'DEBUG', 'XCLIENT', 'XFORWARD', 'XADR', 'XSTA', 'XCIR'] as const;
const OTHER = 'other';
const VERBS = [...Object.keys(COMMANDS), ...FOREIGN, ...NOT_ALLOWABLE, OTHER];
const PLACE = new Map(VERBS.map((verb, i) => [verb, i]));
/** Behind it no verb is looked for. */
const LONGEST_VERB = Math.max(...VERBS.map((verb) => verb.length));

const MAILS = {
  accepted: { kind: 'counter', help: 'Mails that the server has accepted behind inspection' },
  refused: { kind: 'counter', help: 'Mails that the server has refused behind their end' },
} as const;

export class SmtpTraffic {
  accepted = 0;
  refused = 0;
  readonly #masked = new Float64Array(VERBS.length);

  /** A server has answered the end of a mail. @param code of its reply */
  noteMail(code: number): void {
    if (code < 300) this.accepted++;
    else if (code >= 400) this.refused++;
  }

  /** A command line was masked, or a part of it. @param line as the client sent it */
  noteMasked(line: string): void {
    const head = line.slice(0, LONGEST_VERB + 1);
    const blank = head.search(/[^A-Za-z0-9-]/);
    const verb = (blank < 0 ? head : head.slice(0, blank)).toUpperCase();
    this.#masked[PLACE.get(verb) ?? VERBS.length - 1]!++;
  }

  /** Sets all to nothing. */
  clear(): void {
    this.accepted = this.refused = 0;
    this.#masked.fill(0);
  }

  /** Saves or loads what is counted. */
  sync(io: StateIo): void {
    this.accepted = io.double(this.accepted);
    this.refused = io.double(this.refused);
    for (let i = 0; i < VERBS.length; i++) this.#masked[i] = io.double(this.#masked[i]!);
  }

  rows(): Row[] {
    return [
      ...rowsOf('mail', MAILS, (name) => this[name]),
      ...VERBS.map((name, i): Row => ({
        family: 'masked',
        name,
        help: `Commands of mail clients that were masked: ${name}`,
        kind: 'counter',
        read: () => this.#masked[i]!,
      })),
    ];
  }
}
