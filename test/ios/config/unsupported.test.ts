import { expect, test } from 'vitest';
import { unsupported } from '../../../src/ios/config/unsupported.js';
import { config3640 } from '../../support/router-3640.js';

test('3640.cfg asks for nothing that is missing', () =>
  expect(unsupported(config3640()).map((u) => u.reason)).toEqual([]));

test('router-traffic is refused where its rule is applied to an interface', () => {
  expect(unsupported(config3640('ip inspect name IN-OUT tcp router-traffic')).map((u) => u.reason)).toEqual([
    'ip inspect name IN-OUT tcp router-traffic: sessions of the router itself are not inspected; ' +
      'leave the keyword out and permit their answers in an access list',
  ]);
  expect(unsupported(config3640('ip inspect name SPARE tcp router-traffic')).map((u) => u.reason)).toEqual([]);
});

test('more static translations than there is room for are refused', () => {
  const config = config3640();
  config.nat.staticEntries = Array(5000).fill(config.nat.staticEntries[0]!) as typeof config.nat.staticEntries;
  expect(unsupported(config).map((u) => u.reason)).toEqual([
    'ip nat inside source static: 5000 entries, at most 4096 are supported',
  ]);
});
