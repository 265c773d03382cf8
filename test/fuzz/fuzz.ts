/** Runs a target on ever new inputs. What reaches code that no other did, if somebody measures that, is changed further. */
import type { Coverage } from './coverage.js';
import { mutate } from './mutate.js';
import { Random } from './random.js';
import type { Target } from './targets.js';

/** Inputs between two looks at the coverage. */
const BATCH = 500;

/** An input that broke a law. */
export class FuzzFailure extends Error {
  constructor(
    readonly input: Uint8Array,
    cause: unknown,
  ) {
    super(`${(cause as Error).message}; input: ${Buffer.from(input).toString('base64')}`, { cause });
  }
}

export interface Progress {
  runs: number;
  corpus: number;
}

/**
 * @param more     asked after each batch: go on?
 * @param coverage without it every input is as good as another
 * @param before   called with each input before it runs
 * @throws FuzzFailure
 */
export function fuzz(
  target: Target,
  seed: number,
  more: (progress: Progress) => boolean,
  coverage?: Coverage,
  before: (input: Uint8Array) => void = () => undefined,
): Progress {
  const random = new Random(seed);
  const corpus: Uint8Array[] = [...target.seeds];
  const progress = { runs: 0, corpus: corpus.length };
  const run = (input: Uint8Array): void => {
    before(input);
    progress.runs++;
    try {
      target.run(input);
    } catch (error) {
      throw new FuzzFailure(input, error);
    }
  };
  corpus.forEach(run);
  coverage?.learn(coverage.take());
  do {
    const batch = Array.from({ length: BATCH }, () => mutate(random.pick(corpus), random.pick(corpus), random));
    batch.forEach(run);
    if (coverage !== undefined) attribute(coverage, batch, run, corpus);
    progress.corpus = corpus.length;
  } while (more(progress));
  return progress;
}

/**
 * Adds those inputs of a batch to the corpus that reached unknown blocks. They run again by halves: a look at the coverage
 * costs as much as some hundred inputs.
 */
function attribute(
  coverage: Coverage,
  inputs: readonly Uint8Array[],
  run: (input: Uint8Array) => void,
  corpus: Uint8Array[],
): void {
  const blocks = coverage.take();
  if (blocks.length === 0) return;
  if (inputs.length === 1) {
    coverage.learn(blocks);
    corpus.push(inputs[0]!);
    return;
  }
  for (const half of [inputs.slice(0, inputs.length >> 1), inputs.slice(inputs.length >> 1)]) {
    half.forEach(run);
    attribute(coverage, half, run, corpus);
  }
}
