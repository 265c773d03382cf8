/**
 * Whether the data plane does its work: it answers when asked, and packets that the kernel hands to it are judged. Counted
 * in questions, not in seconds: a control plane that was stopped for a while has asked nothing meanwhile.
 */

export const ASK_EVERY_MS = 1000;
/** Questions without an answer, or answers without a packet though there were some, until it is said to hang. */
export const MOST_MISSED = 5;

export class Heartbeat {
  #asked = 0;
  #answered = 0;
  /** Packets judged at the last answer, and put into the queue by then. */
  #judged = 0;
  #queued = 0;
  /** Answers in a row that told of no packet more, though more had been queued. */
  #idle = 0;

  /** @param queued how many packets the kernel has put into the queue so far; undefined where it does not say */
  constructor(private readonly queued: () => number | undefined) {}

  /** Another process, or the same one for another control plane: begins to count anew. */
  restart(): void {
    this.#answered = this.#asked;
    this.#judged = this.#queued = this.#idle = 0;
  }

  /** The number of the next question. */
  ask(): number {
    return ++this.#asked;
  }

  /** @param packets judged since it began */
  answer(number: number, packets: number): void {
    this.#answered = Math.max(this.#answered, number);
    const queued = this.queued() ?? this.#queued;
    // Once in a while a packet comes just before the answer. Not each time.
    const stands = packets === this.#judged && queued > this.#queued;
    this.#idle = stands ? this.#idle + 1 : 0;
    this.#judged = packets;
    this.#queued = queued;
  }

  /** It answers neither us nor packets. */
  get hangs(): boolean {
    return this.#asked - this.#answered >= MOST_MISSED || this.#idle >= MOST_MISSED;
  }

  /** The last question was answered in time, and packets are judged. */
  get beats(): boolean {
    return this.#asked - this.#answered <= 1 && this.#idle <= 1;
  }
}
