/** The last test of a run of `scripts/mutate`: see runner.ts. Of no use in any other run, in which it does nothing. */
import { test } from 'vitest';

test('the mutants are judged', async () => {
  await (globalThis as { __judge?: () => Promise<void> }).__judge?.();
});
