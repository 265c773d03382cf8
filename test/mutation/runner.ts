/**
 * Runs each test as it is, twice, and notes which mutants it reaches and what it costs. `judge` then runs each mutant
 * under the tests that reach it, the cheap ones first, until one fails: that has killed it.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { TestRunner } from 'vitest';
import { LOOP, type Mutant, SWITCH } from './mutants.js';

type Test = Parameters<NonNullable<TestRunner['onBeforeTryTask']>>[0];

interface Use {
  name: string;
  run: () => unknown;
  /** Processor time, ms. */
  cost: number;
  steps: number;
  reached: Uint8Array;
}

const out = process.env['FW3640_MUTANTS']!;
const [shard, shards] = (process.env['FW3640_SHARD'] ?? '0/1').split('/').map(Number) as [number, number];
/** A test that costs more is not run under mutants, ms. */
const MOST_COST = 250;
/** Tests that a mutant is run under, most; 0: all that reach it. */
const MOST_TESTS = Number(process.env['FW3640_MOST_TESTS'] ?? 0);
const PATIENCE_MS = 5000;
/** As it is before a test puts a clock of its own in its place. */
const setTimer = setTimeout;
/** Tests that have killed a mutant of the same file lately are tried first. */
const REMEMBERED = 6;

const mutants = JSON.parse(readFileSync(`${out}/mutants.json`, 'utf8')) as Mutant[];
const results = `${out}/results-${shard}.jsonl`;
const current = `${out}/current-${shard}`;

/** Switches reached outside of tests: while modules are loaded. Those are never turned again. */
const outside = new Uint8Array(mutants.length);
let reached = outside;
let active = -1;
let steps = 0;
let most = Infinity;
const uses: Use[] = [];

function step(): void {
  if (++steps > most) throw new Error('the mutant runs in circles');
}
const world = globalThis as unknown as Record<string, unknown>;
world[SWITCH] = (id: number): boolean => {
  step();
  reached[id] = 1;
  return id === active;
};
world[LOOP] = step;
world['__judge'] = judge;

const note = (result: object): void => appendFileSync(results, JSON.stringify(result) + '\n');

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function passes(use: Use, mutant: number): Promise<boolean> {
  steps = 0;
  most = mutant < 0 ? Infinity : 20 * use.steps + 100_000;
  active = mutant;
  try {
    const running = use.run();
    if (running instanceof Promise) {
      const late = new Promise((_, fail) => setTimer(() => fail(new Error('late')), PATIENCE_MS).unref());
      await Promise.race([running, late]);
    }
    return true;
  } catch {
    return false;
  } finally {
    active = -1;
    most = Infinity;
  }
}

/** Called by the last test: all others have been run. */
async function judge(): Promise<void> {
  const ids = (flags: Uint8Array): number[] => mutants.flatMap(({ id }) => (flags[id] === 1 ? [id] : []));
  const ever = new Uint8Array(mutants.length);
  for (const use of uses) use.reached.forEach((is, id) => (ever[id]! |= is));
  writeFileSync(`${out}/reached-${shard}.json`, JSON.stringify({ load: ids(outside), ever: ids(ever) }));
  const judged = new Set<number>();
  const untidy = new Set<string>();
  if (existsSync(results))
    for (const line of readFileSync(results, 'utf8').split('\n').slice(0, -1)) {
      const { killed, alive, untidy: name } = JSON.parse(line) as { killed?: number; alive?: number; untidy?: string };
      judged.add(killed ?? alive ?? -1);
      if (name !== undefined) untidy.add(name);
    }
  const tidy = uses.filter((use) => !untidy.has(use.name)).sort((a, b) => a.cost - b.cost);
  let lately: Use[] = [];
  let file = '';
  for (const mutant of mutants) {
    const { id } = mutant;
    if (id % shards !== shard || judged.has(id) || ever[id] === 0) continue;
    if (mutant.file !== file) lately = [];
    ({ file } = mutant);
    const first = lately.filter((use) => use.reached[id] === 1);
    const others = spread(tidy.filter((use) => use.reached[id] === 1 && !first.includes(use)));
    writeFileSync(current, String(id));
    let killer: Use | undefined;
    for (const use of [...first, ...others])
      if (!(await passes(use, id))) {
        killer = use;
        break;
      }
    writeFileSync(current, '');
    if (killer === undefined) {
      note({ alive: id });
      continue;
    }
    note({ killed: id, by: killer.name });
    lately = [killer, ...lately.filter((use) => use !== killer)].slice(0, REMEMBERED);
    if (await passes(killer, -1)) continue;
    // It has left something behind: no further result could be trusted.
    note({ untidy: killer.name });
    writeFileSync(current, 'spoiled');
    await new Promise(() => undefined); // the main process begins anew
  }
}

/** As many of the tests as a mutant is run under: of each file the cheap ones first, one file after the other. */
function spread(tests: Use[]): Use[] {
  if (MOST_TESTS === 0 || tests.length <= MOST_TESTS) return tests;
  const byFile = new Map<string, Use[]>();
  for (const use of tests) {
    const file = use.name.slice(0, use.name.indexOf(':'));
    byFile.set(file, [...(byFile.get(file) ?? []), use]);
  }
  const picked: Use[] = [];
  for (let i = 0; picked.length < MOST_TESTS; i++) for (const of of byFile.values()) picked.push(...of.slice(i, i + 1));
  return picked.slice(0, MOST_TESTS).sort((a, b) => a.cost - b.cost);
}

/** The test with what its suites have before each; where they have nothing, at no more cost than its own. */
function withHooks(test: Test): () => unknown {
  const fn = TestRunner.getTestFn(test);
  const before: (() => unknown)[] = [];
  const suites = [];
  for (let suite = test.suite; suite !== undefined; suite = suite.suite) suites.unshift(suite);
  const { context } = test as {
    context: Parameters<ReturnType<typeof TestRunner.getSuiteHooks>['beforeEach'][number]>[0];
  };
  for (const suite of [test.file, ...suites])
    for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) before.push(() => hook(context, suite));
  if (before.length === 0) return fn;
  return async () => {
    for (const hook of before) await hook();
    await fn();
  };
}

export default class extends TestRunner {
  async runTask(test: Test): Promise<void> {
    const run = withHooks(test);
    const name = `${test.file.name}: ${test.name}`;
    reached = new Uint8Array(mutants.length);
    const use: Use = { name, run, cost: 0, steps: 0, reached };
    steps = 0;
    let began = cpuMs();
    try {
      try {
        await run();
      } catch (error) {
        note({ unused: name, why: 'fails as it is' });
        throw error;
      }
      use.steps = steps;
      reached = outside;
      if (!use.reached.includes(1) || cpuMs() - began > 4 * MOST_COST) return;
      began = cpuMs();
      if (await passes(use, -1)) {
        use.cost = cpuMs() - began;
        if (use.cost <= MOST_COST) uses.push(use);
        else note({ unused: name, why: `takes ${Math.round(use.cost)} ms` });
      } else note({ unused: name, why: 'fails when it is run twice' });
    } finally {
      reached = outside;
    }
  }
}
