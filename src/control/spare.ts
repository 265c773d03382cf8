/**
 * A data plane that has been born and waits beside the one at work. A program takes some tenths of a second to start:
 * where the one at work ends, the spare one begins at once. It has no queue and no tables until then.
 */
import { type PlaneProcess, RefusedError } from './data-plane-process.js';

/** So long after the begin of a data plane: who ends again and again has no spare one. */
const AFTER_MS = 1000;
/** Where none can be born it is tried again later, twice as late each time. */
const MOST_WAIT_MS = 60_000;

export class Spare {
  #process: PlaneProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = AFTER_MS;
  /** Of the wait in hand; another one, or the end, makes what is born for it unwanted. */
  #turn = 0;

  /** @param bear starts a spare process */
  constructor(private readonly bear: () => Promise<PlaneProcess>) {}

  /** A data plane has begun its work: soon there is a spare one. */
  prepare(): void {
    this.#waitMs = AFTER_MS;
    if (this.#process === undefined) this.#wait();
  }

  #wait(): void {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#fetch(turn), this.#waitMs).unref();
    this.#waitMs = Math.min(this.#waitMs * 2, MOST_WAIT_MS);
  }

  async #fetch(turn: number): Promise<void> {
    try {
      const process = await this.bear();
      if (turn !== this.#turn) {
        await process.kill();
        return;
      }
      this.#process = process;
      process.closed = () => {
        this.#process = undefined;
        this.#wait();
      };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (turn === this.#turn) this.#wait();
    }
  }

  /** Takes the spare one, if there is one. The next is for `prepare`. */
  take(): PlaneProcess | undefined {
    const process = this.#process;
    this.#forget();
    return process;
  }

  /** There is no need of one any more. @returns when it has gone */
  async end(): Promise<void> {
    const process = this.#process;
    this.#forget();
    await process?.kill();
  }

  #forget(): void {
    this.#turn++;
    clearTimeout(this.#timer);
    if (this.#process !== undefined) this.#process.closed = () => undefined;
    this.#process = undefined;
  }
}
