/**
 * Samples the router for the live page: while somebody watches, once a second, and at once where a line was masked, but
 * never more than twice a second. There is one sample, however many watch: a viewer more costs the data plane nothing.
 */
import type { ViewName } from '../core/state/snapshot.js';
import type { LiveFrame } from '../ios/live/frame.js';
import { LiveSampler } from '../ios/live/sampler.js';
import type { System } from '../host/system.js';
import type { Router } from './router.js';

const LOOK_EVERY_MS = 100;
const SAMPLE_MS = 1000;
const SOONEST_MS = 500;
/** Sessions that the data plane looks through in a second, for all who watch; with more it does so less often. */
const SESSIONS_A_SECOND = 50_000;
const VIEWS: readonly ViewName[] = ['counters', 'inspection', 'aclMatches'];

/** Who is told. */
export interface LiveReaders {
  isWatched(channel: 'live'): boolean;
  push(channel: 'live', frame: LiveFrame): void;
}

export class LiveWatch {
  readonly #sampler: LiveSampler;
  readonly #timer: NodeJS.Timeout;
  #latest: LiveFrame | undefined;
  #latestAt = -Infinity;
  /** The sample that is being made. */
  #making: Promise<LiveFrame> | undefined;
  #sessionsAt = -Infinity;
  #masked = 0;

  /** @param readers told of each frame, while they watch */
  constructor(
    private readonly router: Router,
    private readonly system: System,
    private readonly readers: () => LiveReaders,
  ) {
    this.#sampler = new LiveSampler(system.release, router.recent);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** A whole frame, half a second old at most. */
  frame(): Promise<LiveFrame> {
    const { maskedTotal } = this.router.recent;
    const isFresh = performance.now() - this.#latestAt < SOONEST_MS && maskedTotal === this.#masked;
    if (this.#latest !== undefined && isFresh) return Promise.resolve(this.#latest);
    this.#making ??= this.#sample().finally(() => (this.#making = undefined));
    return this.#making;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const since = performance.now() - this.#latestAt;
    const isDue = since >= SAMPLE_MS || (since >= SOONEST_MS && this.router.recent.maskedTotal !== this.#masked);
    if (!isDue || this.#making !== undefined || !this.readers().isWatched('live')) return;
    void this.frame().then((frame) => this.readers().push('live', frame));
  }

  async #sample(): Promise<LiveFrame> {
    const { router, system } = this;
    const now = performance.now();
    const known = this.#latest === undefined ? 0 : this.#latest.sessionsMore + (this.#latest.sessions?.length ?? 0);
    const sessions = now - this.#sessionsAt >= (known / SESSIONS_A_SECOND) * 1000;
    if (sessions) this.#sessionsAt = now;
    const snapshot = await router.views(sessions ? [...VIEWS, 'recent'] : VIEWS);
    this.#masked = router.recent.maskedTotal;
    this.#latestAt = performance.now();
    this.#latest = this.#sampler.sample({
      at: Date.now(),
      uptimeMs: system.uptimeMs(),
      well: router.isWell,
      config: router.config,
      mapped: router.mapped,
      snapshot,
      sessions,
      lines: system.lines(),
      load: router.load,
    });
    return this.#latest;
  }
}
