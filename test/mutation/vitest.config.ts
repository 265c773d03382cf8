/** The run of `scripts/mutate`: FW3640_MUTATE names the files to mutate, FW3640_TESTS the tests that are to see it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { instrument, type Mutant } from './mutants.js';

const root = resolve(import.meta.dirname, '../..');
const out = process.env['FW3640_MUTANTS']!;
const JUDGE = resolve(import.meta.dirname, 'judge.ts');
const listed = (name: string): string[] => process.env[name]!.split(' ').filter((word) => word !== '');

mkdirSync(out, { recursive: true });
const mutants: Mutant[] = [];
const texts = new Map<string, string>();
for (const file of listed('FW3640_MUTATE')) {
  const made = instrument(file, readFileSync(resolve(root, file), 'utf8'), mutants.length);
  mutants.push(...made.mutants);
  texts.set(resolve(root, file), made.code);
}
writeFileSync(`${out}/mutants.json`, JSON.stringify(mutants));

/** The judge comes last. */
class JudgeLast extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isJudge = ({ moduleId }: TestSpecification): number => (moduleId === JUDGE ? 1 : 0);
    return Promise.resolve(files.toSorted((a, b) => isJudge(a) - isJudge(b)));
  }
}

export default defineConfig({
  root,
  plugins: [{ name: 'mutants', enforce: 'pre', transform: (_, id) => texts.get(id.replace(/\?.*/, '')) }],
  test: {
    include: [...listed('FW3640_TESTS'), JUDGE],
    sequence: { sequencer: JudgeLast },
    runner: resolve(import.meta.dirname, 'runner.ts'),
    setupFiles: [resolve(import.meta.dirname, 'short-laws.ts')],
    // One process, one module graph: a mutant costs a test and nothing else.
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    fileParallelism: false,
    bail: 1,
    testTimeout: 3_600_000,
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
