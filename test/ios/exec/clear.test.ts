/** `clear …`: what is asked of the router, and what is asked back. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const at = (text: string): number => parseAddress(text)!;
let router: FakeRouter;
let session: ConsoleSession;

beforeEach(() => {
  router = fakeRouter(seed);
  session = new ConsoleSession(router, 'console', 15);
});

const type = (...lines: string[]): string => lines.map((l) => session.execute(l).output).join('');

describe('clear ip nat translation', () => {
  const GLOBAL = at('172.22.1.16');
  const LOCAL = at('10.10.10.5');
  const OUTSIDE = at('172.22.1.10');
  const pair = { insideGlobal: GLOBAL, insideLocal: LOCAL };
  const ports = { insideGlobalPort: 2000, insideLocalPort: 1000 };
  beforeEach(() => {
    const times = { static: false, createdAgo: 0, usedAgo: 0 };
    router.translations.push({ ...pair, ...ports, ...times, protocol: 'tcp', outside: OUTSIDE, outsidePort: 80 });
  });

  test.each([
    { which: '*', chosen: undefined },
    { which: '* forced', chosen: undefined },
    { which: 'forced', chosen: undefined },
    { which: 'inside 172.22.1.16 10.10.10.5', chosen: pair },
    { which: 'inside 172.22.1.16 10.10.10.5 forced', chosen: pair },
    { which: 'outside 172.22.1.10 172.22.1.10', chosen: { outside: OUTSIDE } },
    {
      which: 'inside 172.22.1.16 10.10.10.5 outside 172.22.1.10 172.22.1.10',
      chosen: { ...pair, outside: OUTSIDE },
    },
    {
      which: 'tcp inside 172.22.1.16 2000 10.10.10.5 1000',
      chosen: { protocol: 6, ...pair, ...ports },
    },
    {
      which: 'tcp in 172.22.1.16 2000 10.10.10.5 1000 out 172.22.1.10 80 172.22.1.10 80 forced',
      chosen: { protocol: 6, ...pair, ...ports, outside: OUTSIDE, outsidePort: 80 },
    },
  ])('$which', ({ which, chosen }) => {
    expect(type(`clear ip nat translation ${which}`)).toBe('');
    const [call, ...more] = router.calls;
    expect(more).toEqual([]);
    expect(JSON.parse(call!.replace(/^clear translations ?/, '') || 'null')).toEqual(chosen ?? null);
  });

  test.each([
    'inside 172.22.1.17 10.10.10.5',
    'udp inside 172.22.1.16 2000 10.10.10.5 1000',
    'tcp inside 172.22.1.16 2001 10.10.10.5 1000',
    'inside 172.22.1.16 10.10.10.5 outside 172.22.1.11 172.22.1.10', // outside addresses are the same on both sides
    'outside 172.22.1.99 172.22.1.99',
  ])('%s is not found', (which) => {
    expect(type(`clear ip nat translation ${which}`)).toBe('%Translation not found\n');
    expect(router.calls).toEqual([]);
  });
});

test.each([
  ['clear ip nat statistics', 'clear nat-statistics'],
  ['clear arp-cache', 'clearArp'],
  ['clear arp', 'clearArp'],
])('%s', (command, call) => {
  expect(type(command)).toBe('');
  expect(router.calls).toEqual([call]);
});

describe('clear line', () => {
  let caller: ConsoleSession;
  let gone: boolean;
  beforeEach(() => {
    gone = false;
    caller = new ConsoleSession(router, { vty: 2, from: at('10.10.10.5') });
    caller.hangUp = () => (gone = true);
  });

  test.each(['clear line 132', 'clear line vty 2', 'cle lin v 2'])('%s hangs up who is there', (command) => {
    type(command);
    expect([session.prompt, gone]).toEqual(['[confirm]', false]);
    expect([type(''), gone]).toEqual([' [OK]\n', true]);
  });

  test('nobody else, and not without the confirmation', () => {
    type('clear line vty 2', 'n', 'clear line vty 1', '', 'clear line aux 0', '');
    expect(gone).toBe(false);
  });

  test("not one's own", () => expect(type('clear line 0', '')).toBe('% Not allowed to clear current line\n'));
});
