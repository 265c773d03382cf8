/** Small configurations that were read wrongly once: each of a kind. What the router did with them is in docs/security.md. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import type { ParsedConfig } from '../../../src/ios/config/parse.js';

const read = (name: string): ParsedConfig =>
  parseConfig(readFileSync(`test/ios/config/cases/${name}.cfg`, 'utf8'), `${name}.cfg`);
const errors = (parsed: ParsedConfig): string[] =>
  parsed.errors.filter((e) => e.severity === 'error').map((e) => `${e.line}: ${e.reason}`);

test('an interface of another kind keeps its lines to itself', () => {
  const parsed = read('unknown-interface-swallowed');
  expect(errors(parsed)).toEqual([]);
  const [outside, backup] = parsed.config.interfaces;
  expect(outside).toMatchObject({
    name: 'FastEthernet0/0',
    accessGroupIn: '101',
    nat: 'outside',
    description: 'outside',
  });
  expect(backup).toMatchObject({ name: 'Cellular0', accessGroupIn: '150' });
});

test('each range of terminal lines has its own settings', () => {
  const { config } = read('unknown-line-swallowed');
  expect(config.lines.map((l) => [l.kind, l.first, l.last, l.login, l.accessClassIn])).toEqual([
    ['con', 0, 0, 'none', undefined],
    ['vty', 0, 4, 'line', '10'],
    ['vty', 5, 924, 'none', '20'],
  ]);
});

test('a terminal line has the transport and the class that its file gives it', () => {
  expect(read('vty-silent').config.lines).toMatchObject([{ transportInput: ['ssh'], accessClassIn: '10' }]);
});
