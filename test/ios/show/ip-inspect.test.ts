import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { showInspectAll } from '../../../src/ios/show/ip-inspect.js';
import { fakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');

test('every line of 3640.cfg is understood', () => {
  expect(parseConfig(seed, '3640.cfg').errors).toEqual([]);
});

test('show ip inspect all on 3640.cfg prints what the 3640 printed', () => {
  const router = fakeRouter(seed);
  expect(showInspectAll(router.config(), router.snapshot)).toBe(
    readFileSync('test/golden/show-ip-inspect-all.txt', 'utf8'),
  );
});

test('words of a mail rule are printed once', () => {
  const router = fakeRouter(
    'ip inspect name M esmtp max-data 9 line-length 1024 mask-ehlo off allow BDAT\ninterface Ethernet2/0\n ip inspect M in',
  );
  expect(showInspectAll(router.config(), router.snapshot)).toContain(
    'esmtp max-data 9 line-length 1024 mask-ehlo off allow BDAT alert is on',
  );
});
