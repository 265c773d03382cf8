import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { INLINING } from '../../src/io/compiler.js';

test('this Node knows the limit that is set: it would say on standard error if it did not', () => {
  const set = (flag: string): string => {
    const script = `require('node:v8').setFlagsFromString(${JSON.stringify(flag)})`;
    return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stderr;
  };
  expect(set(INLINING)).toBe('');
  expect(set('--no-such-limit=1')).toContain('--no-such-limit');
});
