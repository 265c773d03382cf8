/**
 * Events on their way to the control plane: limited where they arise, so that a flood of them costs no more than the
 * question, sent in batches, and bounded: where the control plane does not read, they are counted and told of later.
 */
import type { Event } from '../core/events.js';
import { EventLimiter } from '../core/limit/event-limiter.js';
import type { Row } from '../core/observe/row.js';
import { type TranscriptEvent, TranscriptGaps } from './transcript-gaps.js';

/** Events that may be on their way, most: some seconds of what the limits let through. */
export const MOST_UNHEARD = 20_000;
/** Lines of transcripts give way to what the log is for. */
const MOST_BEFORE_TRANSCRIPTS = MOST_UNHEARD / 2;
/** How often gaps are told that no line has told, ms. */
const GAPS_MS = 1000;

export class EventOutbox {
  #waiting: Event[] = [];
  /** Number of the last event sent, and of the last that was heard. */
  #sent = 0;
  #heard = 0;
  #lost = 0;
  #lostSince = 0;
  #lostInAll = 0;
  readonly #limiter: EventLimiter;
  readonly #gaps = new TranscriptGaps();
  #nextGaps = 0;

  /**
   * @param seed of the limiter's hash
   * @param send hands a batch over; `number` is that of its last event
   */
  constructor(
    seed: number,
    private readonly send: (events: readonly Event[], number: number) => void,
  ) {
    this.#limiter = new EventLimiter(seed);
  }

  /** Takes an event, unless that is too much. `now`: ms. */
  event(e: Event, now: number): void {
    if (e.type === 'transcript') this.#transcribe(e, now);
    else if (this.#limiter.admits(e, now)) this.#put(e, now);
  }

  /** Says what was left out. To be called now and then. */
  report(now: number): void {
    this.#limiter.report(now, (e) => this.#put(e, now));
    if (!this.#gaps.isEmpty && now >= this.#nextGaps && this.#hasRoomForTranscripts) {
      this.#nextGaps = now + GAPS_MS;
      for (const e of this.#gaps.due()) this.#put(e, now);
    }
    if (this.#lost === 0 || !this.#hasRoom) return;
    const seconds = Math.max(1, Math.round((now - this.#lostSince) / 1000));
    this.#waiting.push({ type: 'left-out', kind: 'any', messages: this.#lost, seconds });
    this.#lost = 0;
  }

  /** Sends what has come together. To be called behind each batch of packets. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    this.#sent += events.length;
    this.send(events, this.#sent);
  }

  /** The control plane has written the events up to this number. */
  heard(number: number): void {
    this.#heard = Math.max(this.#heard, Math.min(number, this.#sent));
  }

  rows(): Row[] {
    return this.#limiter.rows();
  }

  /** Messages left out since the start. */
  get leftOut(): number {
    return this.#limiter.leftOut + this.#lostInAll;
  }

  /** Events that were sent, and that nobody has heard so far. */
  get unheard(): number {
    return this.#sent - this.#heard;
  }

  get #hasRoom(): boolean {
    return this.unheard + this.#waiting.length < MOST_UNHEARD;
  }

  get #hasRoomForTranscripts(): boolean {
    return this.unheard + this.#waiting.length < MOST_BEFORE_TRANSCRIPTS;
  }

  #transcribe(e: TranscriptEvent, now: number): void {
    if (!this.#hasRoomForTranscripts || !this.#limiter.admits(e, now)) {
      this.#gaps.note(e);
      return;
    }
    if (!this.#gaps.isEmpty) {
      const before = this.#gaps.settle(e);
      if (before !== undefined) this.#put(before, now);
    }
    this.#put(e, now);
  }

  #put(e: Event, now: number): void {
    if (this.#hasRoom) {
      this.#waiting.push(e);
      return;
    }
    if (this.#lost++ === 0) this.#lostSince = now;
    this.#lostInAll++;
  }
}
