/** Hears what the router tells, says when it cannot, and tries again. A page that nobody sees asks for nothing. */
import type { LiveFrame } from '../../ios/live/frame.js';
import type { FirstSight } from './page-module.js';

/** Frames come every second: after so long without one the connection is taken for lost. */
const SILENCE_MS = 5000;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 10_000;

export interface Listener {
  whole(first: FirstSight): void;
  news(frame: LiveFrame): void;
  lost(): void;
}

export class Feed {
  #source: EventSource | undefined;
  #timer: number | undefined;
  #waitMs = FIRST_WAIT_MS;
  #paused = false;

  constructor(
    private readonly url: string,
    private readonly listener: Listener,
  ) {
    document.addEventListener('visibilitychange', () => this.#turn());
    this.#turn();
  }

  /** @returns whether it is paused now */
  pause(): boolean {
    this.#paused = !this.#paused;
    this.#turn();
    return this.#paused;
  }

  #turn(): void {
    this.#close();
    if (!document.hidden && !this.#paused) this.#open();
  }

  #open(): void {
    const source = new EventSource(this.url);
    this.#source = source;
    source.addEventListener('whole', (e: MessageEvent<string>) => {
      this.#waitMs = FIRST_WAIT_MS;
      this.#heard();
      this.listener.whole(JSON.parse(e.data) as FirstSight);
    });
    source.addEventListener('news', (e: MessageEvent<string>) => {
      this.#heard();
      this.listener.news(JSON.parse(e.data) as LiveFrame);
    });
    // It is not lost: the server has one begin anew now and then.
    source.addEventListener('again', () => {
      this.#close();
      this.#open();
    });
    source.addEventListener('error', () => this.#again());
    this.#heard();
  }

  #heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#again(), SILENCE_MS);
  }

  #again(): void {
    this.#close();
    this.listener.lost();
    this.#timer = setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(MOST_WAIT_MS, this.#waitMs * 2);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }
}
