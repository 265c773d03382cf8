/** A session of one inspector: what goes in, what comes out on the other side, what it reports. */
import { StreamAction } from '../../../src/core/inspect/inspector.js';
import { newSmtpCounters, type SmtpFinding } from '../../../src/core/inspect/smtp/finding.js';
import type { SmtpOptions } from '../../../src/core/policy.js';
import type { Transcriber } from '../../../src/core/inspect/transcript.js';
import { ChangingHands } from './changing-hands.js';
import type { SmtpHost, SmtpStep } from '../../../src/core/inspect/smtp/step.js';
import { smtpLine } from '../../../src/ios/debug/smtp.js';

export interface Reported {
  finding: SmtpFinding;
  fromInitiator: boolean;
  offset: number;
}

/** Bytes as Latin-1 text and back, so that expectations can be read. */
export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
export const text = (b: Uint8Array): string => Array.from(b, (c) => String.fromCharCode(c)).join('');

export class Session implements SmtpHost {
  debug = false;
  transcript: Transcriber | undefined;
  readonly lines: string[] = [];
  readonly reported: Reported[] = [];
  readonly counters = newSmtpCounters();
  /** What went on to the server and to the client. */
  toServer = '';
  toClient = '';
  reset = false;
  /** Segments that the router has refused: their sender repeats them. */
  refused = 0;
  readonly #inspector: ChangingHands;
  readonly #opaque = [false, false];

  constructor(protocol: 'smtp' | 'esmtp', options: SmtpOptions) {
    this.#inspector = new ChangingHands(protocol, options, this, this.counters);
  }

  report(finding: SmtpFinding, fromInitiator: boolean, offset: number): void {
    this.reported.push({ finding, fromInitiator, offset });
  }

  trace(step: SmtpStep): void {
    this.lines.push(smtpLine(step));
  }

  get kinds(): string[] {
    return this.reported.map((r) => r.finding.kind);
  }

  /** What the router last said of a direction. */
  action(fromClient: boolean): 'pass' | 'reset' | 'opaque' {
    return this.reset ? 'reset' : this.#opaque[fromClient ? 1 : 0] === true ? 'opaque' : 'pass';
  }

  /**
   * Sends `segment` as one segment, or in parts of `size` bytes. As in the router, the inspector sees a window of a
   * larger buffer: bytes around it must not matter.
   */
  send(fromClient: boolean, segment: string, size = segment.length, unacknowledged = 0): string {
    let out = '';
    for (let at = 0; at < segment.length; at += size)
      out += this.#one(fromClient, segment.slice(at, at + size), unacknowledged);
    return out;
  }

  client(segment: string, size?: number): string {
    return this.send(true, segment, size);
  }

  /** @param unacknowledged bytes at the end of what went to the server that its segments do not acknowledge */
  server(segment: string, size?: number, unacknowledged?: number): string {
    return this.send(false, segment, size, unacknowledged);
  }

  /** The session is over. */
  finish(): void {
    this.#inspector.finish();
  }

  #one(fromClient: boolean, part: string, unacknowledged: number): string {
    if (this.reset) return '';
    const direction = fromClient ? 1 : 0;
    let out = part;
    if (this.#opaque[direction] !== true) {
      const b = bytes('.\r\n' + part + '\n.\r\n');
      const end = 3 + part.length;
      const action = fromClient
        ? this.#inspector.fromInitiator(b, 3, end)
        : this.#inspector.fromResponder(b, 3, end, 0, unacknowledged);
      if (text(b.subarray(0, 3)) !== '.\r\n' || text(b.subarray(end)) !== '\n.\r\n') throw new Error('wrote outside');
      out = text(b.subarray(3, end));
      if (this.#inspector.modified !== (out !== part)) throw new Error(`modified is wrong for ${JSON.stringify(part)}`);
      if (action === StreamAction.opaque) this.#opaque[direction] = true;
      if (action === StreamAction.refuse) {
        this.refused++;
        return '';
      }
      if (action === StreamAction.reset) {
        this.reset = true;
        return '';
      }
    }
    if (fromClient) this.toServer += out;
    else this.toClient += out;
    return out;
  }
}
