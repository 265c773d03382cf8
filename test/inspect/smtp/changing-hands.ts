/**
 * One SMTP session in the hands of several inspectors: between any two calls it is saved, and another inspector goes on
 * with it that has just had a stranger's session. What is not saved, or not loaded, then shows in the laws. At rest it is
 * saved in the small form, every other time in the one that has cut lines, too.
 */
import { FlatMemory } from '../../../src/core/memory/flat-memory.js';
import { StateReader, StateWriter } from '../../../src/core/memory/state-io.js';
import type { StreamAction, StreamInspector } from '../../../src/core/inspect/inspector.js';
import type { SmtpCounters } from '../../../src/core/inspect/smtp/finding.js';
import { newSmtpSession, SMTP_WORDS, SmtpInspector } from '../../../src/core/inspect/smtp/inspector.js';
import type { SmtpOptions } from '../../../src/core/policy.js';
import type { SmtpHost } from '../../../src/core/inspect/smtp/step.js';

/** [from the client?, bytes]: each leaves something in hand. */
const STRANGERS: readonly (readonly (readonly [boolean, string])[])[] = [
  [
    [false, '220 hi\r\n250-SIZE\r\n250-CHUNKING'],
    [true, 'NOOP\r\nEHLO x\r\nMAIL FROM:<a'],
  ],
  [
    [false, '220 hi\r\n'],
    [true, 'EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n'],
    [false, '250-x\r\n250 SIZE\r\n250 Ok\r\n250 Ok\r\n354 go\r\n'],
    [true, 'Subject: x\r\nReply-To: `'],
    [false, '451 no\r\n'],
    [true, 'X\r\n.'],
  ],
  [
    [false, '220 hi\r\n'],
    [true, 'EHLO x\r\nAUTH LOGIN\r\n'],
    [false, '250 x\r\n334 \r\n'],
    [true, 'c2VjcmV0\r'],
  ],
  [
    [true, 'NOOP\r\n'.repeat(30)],
    [false, '220-hi\r\nwhat?'],
  ],
  [[true, 'WIZ\r\n']],
];

const WRITER = new StateWriter();
const READER = new StateReader();

export class ChangingHands implements StreamInspector {
  /** How often it was handed on. */
  times = 0;
  #inHand: SmtpInspector;
  #next: SmtpInspector;
  readonly #counters: SmtpCounters;
  readonly #record = new FlatMemory(SMTP_WORDS + 2);
  readonly #strangers = new FlatMemory(SMTP_WORDS);
  #saved = new Uint8Array(0);
  #muted = false;

  constructor(protocol: 'smtp' | 'esmtp', options: SmtpOptions, host: SmtpHost, counters: SmtpCounters) {
    const isMuted = (): boolean => this.#muted;
    const mutable: SmtpHost = {
      get debug() {
        return !isMuted() && host.debug;
      },
      get transcript() {
        return isMuted() ? undefined : host.transcript;
      },
      trace: (step) => host.trace(step),
      report: (finding, fromInitiator, offset) => {
        if (!isMuted()) host.report(finding, fromInitiator, offset);
      },
    };
    this.#inHand = new SmtpInspector(protocol, options, mutable, counters);
    this.#next = new SmtpInspector(protocol, options, mutable, counters);
    this.#counters = counters;
    this.#haveStranger(this.#next);
  }

  get modified(): boolean {
    return this.#inHand.modified;
  }

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    this.#handOn();
    return this.#inHand.fromInitiator(b, at, end);
  }

  fromResponder(b: Uint8Array, at: number, end: number, now = 0, unacknowledged = 0): StreamAction {
    this.#handOn();
    return this.#inHand.fromResponder(b, at, end, now, unacknowledged);
  }

  finish(): void {
    this.#inHand.finish();
  }

  #handOn(): void {
    const before = this.#inHand;
    const atRest = before.atRest && this.times % 2 === 0;
    if (atRest) before.save(this.#record, 2);
    else if (!this.#gathered(before)) return; // too many lines wait
    this.#haveStranger(before);
    this.#inHand = this.#next;
    if (atRest) this.#inHand.load(this.#record, 2);
    else this.#spread(this.#inHand);
    this.#next = before;
    this.times++;
  }

  #gathered(inspector: SmtpInspector): boolean {
    WRITER.begin();
    inspector.sync(WRITER);
    this.#saved = WRITER.bytesOut.slice(0, WRITER.length);
    return WRITER.sound;
  }

  #spread(inspector: SmtpInspector): void {
    READER.begin(this.#saved, 0, this.#saved.length);
    inspector.sync(READER);
    if (!READER.complete) throw new Error('what was saved cannot be loaded');
  }

  #haveStranger(inspector: SmtpInspector): void {
    const counted = { ...this.#counters };
    this.#muted = true;
    newSmtpSession(this.#strangers, 0);
    inspector.load(this.#strangers, 0);
    for (const [fromClient, text] of STRANGERS[this.times % STRANGERS.length]!) {
      const b = Uint8Array.from(Buffer.from(text));
      if (fromClient) inspector.fromInitiator(b, 0, b.length);
      else inspector.fromResponder(b, 0, b.length, 0, 0);
    }
    this.#muted = false;
    Object.assign(this.#counters, counted);
  }
}
