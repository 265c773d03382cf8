/** Which blocks of our own modules have run, from V8 itself: an input that reaches new ones is worth keeping. */
import { Session, type Profiler } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();
  readonly #isOurs: (url: string) => boolean;

  /** @param isOurs whether the module at `url` counts */
  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks known. */
  get size(): number {
    return this.#known.size;
  }

  /** @returns the blocks that have run since the last call and are not known */
  take(): string[] {
    let result: Profiler.ScriptCoverage[] = [];
    // Posts to one's own thread are answered within the call.
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      result = coverage.result;
    });
    const blocks: string[] = [];
    for (const script of result) {
      if (!this.#isOurs(script.url)) continue;
      for (const f of script.functions) {
        for (const { count, startOffset, endOffset } of f.ranges) {
          const block = `${script.scriptId}:${startOffset}:${endOffset}`;
          if (count > 0 && !this.#known.has(block)) blocks.push(block);
        }
      }
    }
    return blocks;
  }

  /** Makes blocks known. */
  learn(blocks: readonly string[]): void {
    for (const block of blocks) this.#known.add(block);
  }
}
