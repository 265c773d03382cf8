/** `fw3640 console --json`: each show gives its values, and what has none is refused. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { SHOW_COMMANDS } from '../../../src/ios/exec/show-commands.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { JSON_SHOWS } from '../../../src/ios/json/shows.js';
import { NO_TRAFFIC } from '../../../src/ios/show/interfaces.js';
import type { SessionSnapshot, TranslationSnapshot } from '../../../src/core/state/snapshot.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';

const at = (text: string): number => parseAddress(text)!;
const SEED = readFileSync('config/3640.cfg', 'utf8');
let router: FakeRouter;

const session = {
  id: 0x66f96eb0,
  protocol: 6,
  service: 'smtp',
  state: 'SIS_OPEN',
  initiator: at('172.22.1.10'),
  initiatorPort: 4000,
  responder: at('172.22.1.110'),
  responderLocal: at('192.168.1.10'),
  responderPort: 25,
  createdAgo: 8_250,
  heardAgo: 4_000,
  initiatorBytes: 140,
  responderBytes: 298,
} satisfies SessionSnapshot;

const translation = {
  protocol: 'tcp',
  insideGlobal: at('172.22.1.110'),
  insideLocal: at('192.168.1.10'),
  insideGlobalPort: 1025,
  insideLocalPort: 4001,
  outside: at('172.22.1.10'),
  outsidePort: 80,
  static: false,
  createdAgo: 1000,
  usedAgo: 500,
  timeoutMs: 60_000,
  mapping: 0,
} satisfies TranslationSnapshot;

function run(command: string): { output: string; failed: boolean } {
  const console = new ConsoleSession(router, 'console', 15);
  console.json = true;
  return console.execute(command);
}
const json = (command: string): unknown => JSON.parse(run(command).output);

beforeEach(() => {
  router = fakeRouter(SEED);
  router.sessions = [session];
  router.translations = [
    translation,
    { protocol: '---', insideGlobal: at('172.22.1.111'), insideLocal: at('192.168.1.11'), static: true, createdAgo: 9000, usedAgo: 9000 }, // prettier-ignore
  ];
  router.system.interfaces = () => [{ ...NO_TRAFFIC, name: 'Ethernet2/0', lineUp: true, bytesIn: 17822, lastInputAgo: 31_000 }]; // prettier-ignore
});

test('every show that has JSON is a command, and its JSON is one line', () => {
  const known = SHOW_COMMANDS.map((c) => c.syntax);
  for (const syntax of Object.keys(JSON_SHOWS)) {
    expect(known).toContain(syntax);
    const command = syntax.replace(/ \[.*/, '');
    const { output, failed } = run(command);
    expect([command, failed]).toEqual([command, false]);
    expect(output).toMatch(/^\{.*\}\n$/);
    expect(Object.keys(JSON.parse(output) as object).length).toBeGreaterThan(0);
  }
});

test.each(['show clock', 'show running-config', 'configure terminal', 'reload', 'ping 10.0.0.1', 'clear counters'])(
  '%s has no JSON: it is refused, and nothing is done',
  (command) => {
    expect(run(command)).toEqual({ output: `% There is no JSON of "${command}"\n`, failed: true });
    expect(router.calls).toEqual([]);
  },
);

test('what is no command is refused as ever, and so is a filter', () => {
  expect(run('show nonsense').failed).toBe(true);
  expect(run('show version | include x')).toEqual({ output: '% JSON cannot be filtered by lines\n', failed: true });
});

test('without --json the same commands print their text', () => {
  expect(new ConsoleSession(router, 'console', 15).execute('show version').output).toMatch(/^Internetwork/);
});

describe('values', () => {
  const OPEN = {
    id: '66F96EB0',
    service: 'smtp',
    protocol: 'tcp',
    state: 'SIS_OPEN',
    initiator: '172.22.1.10',
    initiatorPort: 4000,
    responder: '172.22.1.110',
    responderPort: 25,
    responderLocal: '192.168.1.10',
    ageSeconds: 8.25,
    idleSeconds: 4,
    initiatorBytes: 140,
    responderBytes: 298,
  };
  const FLOW = {
    protocol: 'tcp',
    insideGlobal: '172.22.1.110',
    insideGlobalPort: 1025,
    insideLocal: '192.168.1.10',
    insideLocalPort: 4001,
    outside: '172.22.1.10',
    outsidePort: 80,
    static: false,
    ageSeconds: 1,
    idleSeconds: 0.5,
    timeoutSeconds: 60,
    useCount: 0,
  };
  const STATIC = {
    protocol: null,
    insideGlobal: '172.22.1.111',
    insideGlobalPort: null,
    insideLocal: '192.168.1.11',
    insideLocalPort: null,
    outside: null,
    outsidePort: null,
    static: true,
    ageSeconds: 9,
    idleSeconds: 9,
    timeoutSeconds: null,
    useCount: 0,
  };

  test.each<[string, unknown]>([
    ['show ip inspect sessions', { sessions: [OPEN] }],
    ['show ip inspect sessions recent', { sessions: [OPEN] }],
    ['show ip nat translations', { translations: [FLOW, STATIC] }],
    ['show ip nat translations tcp', { translations: [FLOW] }],
    ['show ip nat translations udp', { translations: [] }],
    ['show access-lists 99', { accessLists: [] }],
    ['show processes cpu', { fiveSecondsPercent: 3, oneMinutePercent: 2, fiveMinutesPercent: 1, runtimeSeconds: null }],
    [
      'show version',
      {
        hostname: expect.any(String) as unknown,
        release: '0.1.0',
        iosVersion: expect.any(String) as unknown,
        uptimeSeconds: 1_311_000,
        returnedBy: 'power-on',
        memoryTotalBytes: 130_023_424,
        memoryUsedBytes: 30_000_000,
      },
    ],
  ])('%s', (command, expected) => {
    expect(json(command)).toEqual(expected);
  });

  test('statistics have sessions by state and all counters by family', () => {
    expect(json('show ip inspect statistics')).toMatchObject({
      packets: { tcp: 616668, http: 178912 },
      sessionsCreated: 42940,
      maximum: { established: 98, halfOpen: 68, terminating: 50 },
      lastResetSeconds: null,
      lastCreatedSeconds: 507_600,
      counters: { smtp: { masked: 3 }, drop: { fragment: 0 }, nat: { hits: 7, misses: 1, expired: 2 } },
    });
  });

  test('NAT statistics count translations by kind', () => {
    const kinds = { active: 2, static: 1, dynamic: 1, extended: 1, hits: 7, misses: 1, expired: 2, poolMisses: 0 };
    expect(json('show ip nat statistics')).toMatchObject(kinds);
  });

  test('entries of access lists have the text of the command, and their matches', () => {
    router.matches.set('101', [3, 1]);
    const { accessLists } = json('show ip access-lists 101') as { accessLists: { name: string; entries: unknown[] }[] };
    expect(accessLists.map((l) => l.name)).toEqual(['101']);
    const text = new ConsoleSession(router, 'console', 15).execute('show access-lists 101').output.split('\n');
    expect(accessLists[0]!.entries[0]).toEqual({
      sequence: 10,
      action: 'permit',
      text: text[1]!.trim().replace(/^10 /, '').replace(/ \(3 matches\)$/, ''), // prettier-ignore
      matches: 3,
    });
  });

  test('an interface has its state, its address and its counters; one that is not bound has none', () => {
    const { interfaces } = json('show interfaces Ethernet2/0') as { interfaces: unknown[] };
    expect(interfaces).toMatchObject([
      { name: 'Ethernet2/0', link: 'up', lineProtocol: 'up', inputBytes: 17822, lastInputSeconds: 31, lastOutputSeconds: null },
    ]); // prettier-ignore
    const all = (json('show interfaces') as { interfaces: { name: string; link: string }[] }).interfaces;
    expect(all.find((i) => i.name === 'Ethernet2/1')!.link).toBe('down');
  });

  test('the configuration of inspection has thresholds and rules', () => {
    expect(json('show ip inspect config')).toMatchObject({
      maxIncomplete: { low: router.config().inspect.maxIncompleteLow, high: router.config().inspect.maxIncompleteHigh },
      rules: [...router.config().inspectionRules.keys()].map((name) => ({ name })),
    });
  });

  test('routes have their next hops', () => {
    const { routes } = json('show ip route') as { routes: { prefix: string; nextHops: unknown[] }[] };
    for (const r of routes) {
      expect(r.prefix).toMatch(/^\d+\.\d+\.\d+\.\d+\/\d+$/);
      expect(r.nextHops.length).toBeGreaterThan(0);
    }
  });
});
