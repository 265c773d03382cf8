/**
 * One line of an EHLO reply behind `250-`: a keyword and its parameters (RFC 5321 §4.1.1.1). What the rule does not
 * pass is overwritten with x from the keyword on, so that client and server agree on what is spoken. As with commands,
 * letters that went out earlier are the start of a keyword that passes, and no more.
 */
import type { StateIo } from '../../memory/state-io.js';
import { CLASSES, CLASS_OF, OTHER, START } from './dfa.js';
import type { SmtpRule } from './rule.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const EQUALS = 0x3d; // `AUTH=LOGIN`, of clients before RFC 2554

export class OfferedExtension {
  /** The keyword does not pass. */
  refused = false;
  /** Its bit, when it passed or the rule masks nothing; 0: none that matters here. */
  bit = 0;
  readonly #rule: SmtpRule;
  #state = START;
  #ended = false;

  constructor(rule: SmtpRule) {
    this.#rule = rule;
  }

  begin(): void {
    this.refused = false;
    this.bit = 0;
    this.#state = START;
    this.#ended = false;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.refused = io.flag(this.refused);
    this.bit = io.int(this.bit);
    this.#state = io.below(this.#state, this.#rule.extensions.accept.length);
    this.#ended = io.flag(this.#ended);
  }

  /** Takes the next byte behind `250-`. Look at `refused` after each. */
  step(c: number): void {
    if (this.#ended) return;
    if (c === SPACE || c === TAB || c === EQUALS || c === CR || c === LF) {
      this.#ended = true;
      const id = this.#rule.extensions.accept[this.#state]!;
      const passes = id !== 0 && this.#rule.extensionPassed[id] !== 0;
      if (!passes) this.refused = true;
      if (id !== 0 && (passes || !this.#rule.maskEhlo || this.#rule.monitorOnly))
        this.bit = this.#rule.extensionBit[id]!;
      return;
    }
    this.#state = this.#rule.extensions.next[this.#state * CLASSES + CLASS_OF[c]!]!;
    if (this.#rule.extensionLeads[this.#state] === 0) this.refused = true;
    if (this.#state === OTHER) this.#ended = true;
  }
}
