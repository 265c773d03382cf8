/**
 * Hands what is sampled to all who look: what is new goes as the same text to everybody, who comes begins with a whole
 * frame and the curves of the last minutes. Nobody is waited for: who does not take what he gets has the next one begin
 * anew.
 */
import type { LiveFrame, LiveHistory } from '../../ios/live/frame.js';
import { addPoint, emptyHistory } from '../../ios/live/history.js';
import { newsIn } from '../../ios/live/reader.js';
import type { Channels } from '../control-channel.js';

/** Of the curves that whoever comes sees at once, ms. */
const KEEP_MS = 300_000;

/** Who is told. `whole`: begins anew with this. */
export interface Viewer {
  whole(frame: LiveFrame, history: LiveHistory): void;
  /** @param text of the news as JSON */
  news(text: string): void;
}

export class Broadcast {
  readonly history = emptyHistory();
  #latest: LiveFrame | undefined;
  readonly #viewers = new Set<Viewer>();
  /** Those that have not begun. */
  readonly #new = new Set<Viewer>();
  #stop: (() => void) | undefined;

  constructor(private readonly control: Pick<Channels, 'watch'>) {}

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Tells a viewer, until the function that is returned is called. */
  add(viewer: Viewer): () => void {
    this.#viewers.add(viewer);
    this.#new.add(viewer);
    this.#stop ??= this.control.watch('live', (frame) => this.#take(frame));
    return () => {
      this.#viewers.delete(viewer);
      this.#new.delete(viewer);
      if (this.#viewers.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
      this.#latest = undefined;
    };
  }

  #take(frame: LiveFrame): void {
    const before = this.#latest;
    addPoint(this.history, frame, KEEP_MS);
    const text = before === undefined ? undefined : JSON.stringify(newsIn(frame, before));
    this.#latest = frame;
    for (const viewer of this.#viewers) {
      if (this.#new.delete(viewer) || text === undefined) viewer.whole(frame, this.history);
      else viewer.news(text);
    }
  }
}
