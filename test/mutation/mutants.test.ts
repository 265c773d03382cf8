/** The mutants of `scripts/mutate`: without one the text does what it did, and each of them does something else. */
import ts from 'typescript';
import { expect, test } from 'vitest';
import { instrument, LOOP, SWITCH } from './mutants.js';

const TEXT = `
  export function sum(list: readonly number[], most?: number): string {
    let total = 0;
    // Both branches are statements without braces.
    for (const n of list) if (n > 0) total += n; else total -= 2 * n;
    const limit = most ?? 100;
    return total >= limit && !list.includes(7) ? 'much' : \`\${total}\`;
  }`;

const javascript = (code: string): string =>
  ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS } }).outputText;

/** What the text returns with one mutant; below 0: none. */
function run(outputText: string, active: number): string[] {
  const exports: { sum?: (list: readonly number[], most?: number) => string } = {};
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is our own text, above
  const load = new Function('exports', SWITCH, LOOP, outputText) as (...args: unknown[]) => void;
  load(
    exports,
    (id: number) => id === active,
    () => undefined,
  );
  return [exports.sum!([1, -2, 3]), exports.sum!([60, 40]), exports.sum!([7], 5), exports.sum!([8], 5)];
}

test('without a mutant the text does what it did, and each mutant something else', () => {
  const { code: typescript, mutants } = instrument('sum.ts', TEXT, 100);
  const code = javascript(typescript);
  const before = run(javascript(TEXT), -1);
  expect(before).toEqual(['8', 'much', '7', 'much']);
  expect(run(code, -1)).toEqual(before);
  expect(mutants.map((m) => m.id)).toEqual(mutants.map((_, i) => 100 + i));
  const alive = mutants.filter((m) => JSON.stringify(run(code, m.id)) === JSON.stringify(before));
  expect(alive.map((m) => `${m.before} -> ${m.after}`)).toEqual(['n > 0 -> n >= 0']);
});
