/**
 * The transcripts that are kept: in memory, of a bounded number of dialogues and bytes. Who is full loses the oldest
 * dialogue that has ended; where none has, the oldest. Nothing of it outlives the control plane.
 */
import { formatAddress } from '../ipv4-text.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import type { Dialogue, DialogueChange, DialogueHead, DialogueLine, Transcripts } from './dialogue.js';
import { dialogueLine, endWords, leftOutLine, type TranscriptEvent } from './words.js';

/** Bytes of one dialogue, about: the lines in its middle go. */
export const MOST_OF_ONE = 65_536;
/** Bytes of all, about. */
export const MOST_OF_ALL = 16 * 1024 * 1024;
/** What a line takes besides its texts, about. */
const LINE_BYTES = 96;
/** Of a dialogue that is too long, these bytes at its beginning stay. */
const HEAD_BYTES = MOST_OF_ONE / 4;

interface Kept {
  head: DialogueHead;
  /** The beginning, which stays. */
  first: DialogueLine[];
  firstBytes: number;
  /** Lines between `first` and `rest` that are not kept any more, and when the first of them came. */
  gap: number;
  gapAt: number;
  rest: DialogueLine[];
  /** Of all its lines. */
  bytes: number;
}

export class TranscriptStore implements Transcripts {
  /** By number, in the order in which they began. */
  readonly #kept = new Map<number, Kept>();
  /** The latest of each session, by its number. */
  readonly #latest = new Map<string, Kept>();
  readonly #listeners = new Set<(change: DialogueChange) => void>();
  #next = 1;
  #bytes = 0;
  #most = 0;

  /** Bytes that are kept, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `ip inspect transcript N`; 0: none is kept. */
  set most(dialogues: number) {
    this.#most = dialogues;
    while (this.#kept.size > dialogues) this.#forget(this.#expendable()!);
  }

  /** All are forgotten. */
  clear(): void {
    this.#kept.clear();
    this.#latest.clear();
    this.#bytes = 0;
  }

  /** Takes what the data plane tells. @param at when it happened, ms since 1970 */
  take({ endpoints, entry, leftOut }: TranscriptEvent, at: number): void {
    if (this.#most === 0) return;
    const session = formatSessionId(endpoints.sessionId);
    const known = this.#latest.get(session);
    if (entry.what === 'begin' && known !== undefined) this.#end(known, at, 'not told');
    const goesOn = known !== undefined && known.head.ended === undefined;
    // One that is not known has begun before we did, or has gone for others: then it must not take their place.
    if (!goesOn && (entry.what === 'end' || (entry.what !== 'begin' && this.#kept.size >= this.#most))) return;
    const kept = goesOn ? known : this.#begin(session, endpoints, at, entry.what === 'begin');
    if (leftOut > 0) this.#add(kept, leftOutLine(at, leftOut));
    const line = dialogueLine(entry, at);
    if (line !== undefined) this.#add(kept, line);
    if (entry.what === 'end') this.#end(kept, at, endWords(entry));
  }

  list(): DialogueHead[] {
    return [...this.#kept.values()].map(({ head }) => ({ ...head }));
  }

  of(session: string): Dialogue | undefined {
    return dialogueOf(this.#latest.get(session));
  }

  byNumber(number: number): Dialogue | undefined {
    return dialogueOf(this.#kept.get(number));
  }

  onChange(listener: (change: DialogueChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #begin(session: string, e: TranscriptEvent['endpoints'], at: number, whole: boolean): Kept {
    while (this.#kept.size >= this.#most) this.#forget(this.#expendable()!);
    const head: DialogueHead = {
      number: this.#next++,
      session,
      service: e.service,
      client: `${formatAddress(e.initiator)}:${e.initiatorPort}`,
      server: `${formatAddress(e.responder)}:${e.responderPort}`,
      began: at,
      whole,
      lines: 0,
      masked: 0,
      findings: 0,
    };
    const kept: Kept = { head, first: [], firstBytes: 0, gap: 0, gapAt: 0, rest: [], bytes: 0 };
    this.#kept.set(head.number, kept);
    this.#latest.set(session, kept);
    this.#tell(kept);
    return kept;
  }

  #end(kept: Kept, at: number, reason: string): void {
    if (kept.head.ended !== undefined) return;
    kept.head.ended = at;
    kept.head.reason = reason;
    this.#tell(kept);
  }

  #add(kept: Kept, line: DialogueLine): void {
    const size = sizeOf(line);
    const { head } = kept;
    if (kept.rest.length === 0 && kept.gap === 0 && kept.firstBytes + size <= HEAD_BYTES) {
      kept.first.push(line);
      kept.firstBytes += size;
    } else kept.rest.push(line);
    kept.bytes += size;
    this.#bytes += size;
    head.lines++;
    if (line.became !== undefined) head.masked++;
    if (line.kind === 'finding') head.findings++;
    if (kept.bytes > MOST_OF_ONE) this.#shorten(kept);
    while (this.#bytes > MOST_OF_ALL) {
      const other = this.#expendable();
      if (other === undefined || other === kept) break;
      this.#forget(other);
    }
    this.#tell(kept, line);
  }

  /** Gives up lines behind the beginning, some at once. */
  #shorten(kept: Kept): void {
    if (kept.gap === 0) kept.gapAt = kept.rest[0]!.at;
    let freed = 0;
    let n = 0;
    while (n < kept.rest.length - 1 && freed < HEAD_BYTES) freed += sizeOf(kept.rest[n++]!);
    kept.rest.splice(0, n);
    kept.gap += n;
    kept.head.lines -= n;
    kept.bytes -= freed;
    this.#bytes -= freed;
  }

  /** The oldest that has ended, else the oldest. */
  #expendable(): Kept | undefined {
    let oldest: Kept | undefined;
    for (const kept of this.#kept.values()) {
      if (kept.head.ended !== undefined) return kept;
      oldest ??= kept;
    }
    return oldest;
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept.head.number);
    if (this.#latest.get(kept.head.session) === kept) this.#latest.delete(kept.head.session);
    this.#bytes -= kept.bytes;
  }

  #tell(kept: Kept, line?: DialogueLine): void {
    if (this.#listeners.size === 0) return;
    const change = { head: { ...kept.head }, ...(line !== undefined && { line }) };
    for (const listener of this.#listeners) listener(change);
  }
}

function dialogueOf(kept: Kept | undefined): Dialogue | undefined {
  if (kept === undefined) return undefined;
  const gap = kept.gap === 0 ? [] : [leftOutLine(kept.gapAt, kept.gap)];
  return { ...kept.head, lines: [...kept.first, ...gap, ...kept.rest] };
}

const sizeOf = ({ text, left = '', became = '' }: DialogueLine): number =>
  LINE_BYTES + text.length + left.length + became.length;
