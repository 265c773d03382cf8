/** What the SMTP inspector says, with the addresses and sequence numbers of its session. */
import type { DebugFlags } from '../observe/debug.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { SmtpFinding } from '../inspect/smtp/finding.js';
import type { Outbox } from '../outbox.js';
import { seqAdd } from '../wire/seq.js';
import { firstDataSeq } from '../session/tcp-state.js';
import { endpointsOf } from '../session/endpoints.js';
import type { StreamHost, StreamSession } from './stream-host.js';
import type { SmtpHost, SmtpStep } from '../inspect/smtp/step.js';
import type { TranscriptEntry } from '../events.js';
import type { Transcriber } from '../inspect/transcript.js';
import { isTranscribing, transcribe } from './transcribing.js';

export class SmtpSession implements SmtpHost, StreamSession, Transcriber {
  readonly hasTranscript = true;
  /** Number of the record of the session in hand. */
  #slot = -1;

  constructor(
    private readonly sessions: StreamHost,
    private readonly rule: RuleEntry,
    private readonly outbox: Outbox,
    private readonly debugFlags: DebugFlags,
  ) {}

  carry(slot: number): void {
    this.#slot = slot;
  }

  get debug(): boolean {
    return this.debugFlags.smtp;
  }

  trace(step: SmtpStep): void {
    this.outbox.event({ type: 'debug', facility: 'smtp', step });
  }

  get transcript(): Transcriber | undefined {
    return isTranscribing(this.sessions) ? this : undefined;
  }

  transcribe(entry: TranscriptEntry): void {
    transcribe(this.sessions, this.outbox, this.#slot, entry);
  }

  report(finding: SmtpFinding, fromInitiator: boolean, offset: number): void {
    if (isTranscribing(this.sessions))
      this.transcribe({ what: 'finding', protocol: 'smtp', fromInitiator, finding: withoutLines(finding) });
    if (!this.rule.alert) return;
    const s = this.sessions.at(this.#slot);
    this.outbox.event({
      type: 'smtp',
      endpoints: endpointsOf(s),
      finding,
      fromInitiator,
      seq: seqAdd(firstDataSeq(s, fromInitiator), offset),
    });
  }
}

/** The transcript has the lines by themselves, without what nobody may read there. */
function withoutLines(f: SmtpFinding): SmtpFinding {
  if ('before' in f) return { ...f, before: '', after: '' };
  if ('reply' in f) return { ...f, reply: '' };
  return 'line' in f ? { ...f, line: '' } : f;
}
