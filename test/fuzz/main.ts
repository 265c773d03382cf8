/**
 * scripts/fuzz: fuzzes each target for a while, guided by coverage. In a thread, so that one that hangs can be told: the
 * input in hand lies in memory that both threads see. Exit code 1 and the input in base64 where a law was broken.
 *
 *   main.js SECONDS [TARGET [SEED | INPUT-IN-BASE64]]
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import { fuzz, FuzzFailure, type Progress } from './fuzz.js';
import { TARGETS } from './targets.js';

const HANG_MS = 10_000;
/** Growth of the heap and of buffers that is no leak: the corpus, and what V8 likes to keep. */
const GROWTH_BYTES = 100 << 20;
const INPUT_BYTES = 4096;

interface Job {
  name: string;
  seed: number;
  seconds: number;
  /** Count of inputs, length, and the bytes of the one in hand. */
  shared: SharedArrayBuffer;
}

interface Outcome {
  progress?: Progress & { blocks: number };
  failure?: string;
}

function used(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function work({ name, seed, seconds, shared }: Job): Outcome {
  const counters = new Int32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared, 8);
  const coverage = new Coverage((url) => url.includes('/src/'));
  const until = performance.now() + seconds * 1000;
  let memory = 0;
  try {
    const progress = fuzz(
      TARGETS[name]!,
      seed,
      () => {
        if (memory === 0) memory = used(); // after the first batch: all is loaded and compiled
        return performance.now() < until;
      },
      coverage,
      (input) => {
        bytes.set(input);
        Atomics.store(counters, 1, input.length);
        Atomics.add(counters, 0, 1);
      },
    );
    const growth = used() - memory;
    if (growth > GROWTH_BYTES) return { failure: `memory grew by ${growth} bytes` };
    return { progress: { ...progress, blocks: coverage.size } };
  } catch (error) {
    if (error instanceof FuzzFailure) return { failure: `${error.message}\n${(error.cause as Error).stack ?? ''}` };
    throw error;
  }
}

/** @returns true when no law was broken */
async function watch(name: string, seed: number, seconds: number): Promise<boolean> {
  const shared = new SharedArrayBuffer(8 + INPUT_BYTES);
  const counters = new Int32Array(shared, 0, 2);
  const job: Job = { name, seed, seconds, shared };
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  let last = -1;
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    const watchdog = setInterval(() => {
      const count = Atomics.load(counters, 0);
      if (count === last && count > 0) {
        const input = Buffer.from(new Uint8Array(shared, 8, counters[1])).toString('base64');
        resolve({ failure: `no end after ${HANG_MS} ms; input: ${input}` });
      }
      last = count;
    }, HANG_MS);
    worker.on('message', resolve).on('error', reject);
    worker.on('exit', () => clearInterval(watchdog));
  });
  await worker.terminate();
  if (outcome.failure !== undefined) console.log(`${name}, seed ${seed}: ${outcome.failure}`);
  else if (outcome.progress !== undefined) {
    const { runs, corpus, blocks } = outcome.progress;
    console.log(`${name}, seed ${seed}: ${runs} inputs, ${corpus} of them kept, ${blocks} blocks of code reached`);
  }
  return outcome.failure === undefined;
}

async function main(args: readonly string[]): Promise<number> {
  const [seconds = '60', only, seedOrInput] = args;
  const names = only === undefined ? Object.keys(TARGETS) : [only];
  if (!(Number(seconds) > 0) || !names.every((name) => name in TARGETS)) {
    console.error(`usage: scripts/fuzz [SECONDS [${Object.keys(TARGETS).join('|')} [SEED | INPUT-IN-BASE64]]]`);
    return 2;
  }
  if (seedOrInput !== undefined && !/^\d+$/.test(seedOrInput)) {
    TARGETS[names[0]!]!.run(Uint8Array.from(Buffer.from(seedOrInput, 'base64')));
    console.log('no law was broken');
    return 0;
  }
  let good = true;
  for (const name of names) {
    const seed = seedOrInput === undefined ? Date.now() & 0x7fffffff : Number(seedOrInput);
    good = (await watch(name, seed, Number(seconds) / names.length)) && good;
  }
  return good ? 0 : 1;
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else parentPort!.postMessage(work(workerData as Job));
