import { expect, test } from 'vitest';
import {
  type EndpointText,
  formatEprt,
  formatSixNumbers,
  parseEprt,
  parsePassivePort,
  parseSixNumbers,
} from '../../../src/core/inspect/ftp/endpoint-text.js';
import { ip } from '../../support/packets.js';

const at = (e: EndpointText | undefined): unknown => e && [e.address, e.port, e.start, e.end];

test.each([
  ['PORT 10,10,10,5,19,137', [ip('10.10.10.5'), 5001, 5, 22]],
  ['PORT 255,255,255,255,255,255', [-1, 65_535, 5, 28]],
  ['PORT 10,10,10,256,19,137', undefined],
  ['PORT 10,10,10,5,19', undefined],
  ['PORT', undefined],
])('%s', (line, want) => expect(at(parseSixNumbers(line, 5))).toEqual(want));

test('a 227 is searched for its six numbers, with and without parentheses', () => {
  const address = ip('10.10.10.2');
  expect(at(parseSixNumbers('227 Entering Passive Mode (10,10,10,2,4,1).', 3))).toEqual([address, 1025, 27, 41]);
  expect(at(parseSixNumbers('227 =10,10,10,2,4,1', 3))).toEqual([address, 1025, 5, 19]);
});

test.each([
  ['EPRT |1|10.10.10.5|5001|', [ip('10.10.10.5'), 5001, 5, 24]],
  ['EPRT !1!10.10.10.5!5001!', [ip('10.10.10.5'), 5001, 5, 24]],
  ['EPRT |2|::1|5001|', undefined],
  ['EPRT |1|10.10.10.5|70000|', undefined],
  ['EPRT |1|10.10.10.5|5001', undefined],
])('%s', (line, want) => expect(at(parseEprt(line, 5))).toEqual(want));

test.each([
  ['229 Entering Extended Passive Mode (|||5001|)', [0, 5001, 39, 43]],
  ['229 ok (!!!5!)', [0, 5, 11, 12]],
  ['229 ok (|||70000|)', undefined],
  ['229 ok (|1||5001|)', undefined],
])('%s', (line, want) => expect(at(parsePassivePort(line))).toEqual(want));

test('what is written is read again', () => {
  const address = ip('172.22.1.111');
  expect(formatSixNumbers(address, 5001)).toBe('172,22,1,111,19,137');
  expect(formatEprt(address, 5001)).toBe('|1|172.22.1.111|5001|');
});
