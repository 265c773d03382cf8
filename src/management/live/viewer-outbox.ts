/** What a viewer is still to be sent: while he takes one message another one may wait. More he has missed. */
import type { LiveFrame, LiveHistory } from '../../ios/live/frame.js';
import type { Viewer } from './broadcast.js';

export interface ViewerMessage {
  /** `again`: he is to begin anew, as he has missed something, or has looked long enough. */
  event: 'whole' | 'news' | 'again';
  data: string;
}

const AGAIN: ViewerMessage = { event: 'again', data: '' };

export class ViewerOutbox implements Viewer {
  #waiting: ViewerMessage | undefined;
  #missed = false;
  #closed = false;
  #wake: () => void = () => undefined;

  whole(frame: LiveFrame, history: LiveHistory): void {
    this.#waiting = { event: 'whole', data: JSON.stringify({ frame, history }) };
    this.#wake();
  }

  news(data: string): void {
    if (this.#waiting !== undefined) this.#missed = true;
    else this.#waiting = { event: 'news', data };
    this.#wake();
  }

  /** He has gone. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * The next message, as soon as there is one; the last one is `again`. Undefined: he has gone.
   * @param endsAt when he is to begin anew, ms on the clock of performance.now
   */
  async next(endsAt: number): Promise<ViewerMessage | undefined> {
    if (this.#waiting === undefined && !this.#closed) await this.#something(endsAt - performance.now());
    if (this.#closed) return undefined;
    const next = this.#waiting;
    if (next === undefined || this.#missed || performance.now() >= endsAt) return AGAIN;
    this.#waiting = undefined;
    return next;
  }

  #something(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
