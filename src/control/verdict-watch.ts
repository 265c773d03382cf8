/**
 * Keeps what became of the last packets, while somebody asks for it. Who asks too seldom loses some, and hears how many;
 * when nobody asks any more, the data plane no longer tells.
 */
import { HEAD_BYTES, STAGE, TAP, type TapBatch } from '../core/capture/tap.js';
import type { VerdictBatch, VerdictRecord } from '../core/capture/verdict.js';
import { HOLD } from '../core/verdict.js';

/** Records that are kept: a second of a busy link, two megabytes. */
export const MOST_VERDICTS = 8192;
/** Of one answer. */
const MOST_ANSWERED = 1024;
const PATIENCE_MS = 5000;
const NOTHING = new Uint8Array(0);

export class VerdictWatch {
  /** Somebody asks. */
  isWatched = false;
  #askedAt = 0;
  #records: VerdictRecord[] = [];
  #next = 1;
  readonly #held = new Map<string, VerdictRecord>();

  /** @param changed called when somebody begins to ask, or nobody does any more */
  constructor(
    private readonly now: () => number,
    private readonly changed: () => void,
  ) {}

  /** @param from the number to begin with; 0: what comes from now on */
  ask(from: number): VerdictBatch {
    this.#askedAt = this.now();
    if (!this.isWatched) {
      this.isWatched = true;
      this.changed();
    }
    if (from === 0) return { next: this.#next, lost: 0, records: [] };
    const first = this.#records.findIndex((r) => r.number >= from);
    const records = first < 0 ? [] : this.#records.slice(first, first + MOST_ANSWERED);
    const next = records.length > 0 ? records.at(-1)!.number + 1 : this.#next;
    return { next, lost: Math.max(0, next - from - records.length), records };
  }

  /** So many packets were lost on the way here. */
  lose(packets: number): void {
    this.#next += packets;
  }

  tick(): void {
    if (!this.isWatched || this.now() - this.#askedAt < PATIENCE_MS) return;
    this.isWatched = false;
    this.#next += 1; // who comes back hears that something is missing
    this.#records = [];
    this.#held.clear();
    this.changed();
  }

  /** Takes the record at `at` of a batch. */
  take({ records: r, bytes, interfaces }: TapBatch, at: number, timeMs: number, shard: number): void {
    const late = r[at + TAP.stage] === STAGE.released;
    const verdict = r[at + TAP.verdict]!;
    const key = `${shard} ${r[at + TAP.token]!}`;
    const held = late ? this.#held.get(key) : undefined;
    const from = r[at + TAP.offset]!;
    const to = from + r[at + TAP.captured]!;
    const head = late ? 0 : r[at + TAP.head]!;
    const record: VerdictRecord = {
      number: this.#next++,
      timeMs,
      ingress: interfaces[r[at + TAP.ingress]!],
      egress: interfaces[r[at + TAP.egress]!],
      verdict,
      late,
      held: held?.number,
      heldMs: held === undefined ? 0 : timeMs - held.timeMs,
      came: held?.came ?? (late ? NOTHING : bytes.slice(from, from + head)),
      leaves: bytes.slice(from + head, Math.min(to, from + head + HEAD_BYTES)),
      length: held?.length ?? r[at + TAP.length]!,
      changedFrom: r[at + TAP.changedFrom]!,
      changedTo: r[at + TAP.changedTo]!,
    };
    if (late) this.#held.delete(key);
    else if (verdict === HOLD && this.#held.size < MOST_VERDICTS) this.#held.set(key, record);
    this.#records.push(record);
    // In one go now and then: shifting a long list for each packet would cost.
    if (this.#records.length > MOST_VERDICTS) this.#records = this.#records.slice(MOST_VERDICTS / 4);
  }
}
