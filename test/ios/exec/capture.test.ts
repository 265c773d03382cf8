/** `monitor capture` and its shows, typed at a console: the router behind it keeps real buffers. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Captures } from '../../../src/control/captures.js';
import { STAGE, TAP, type TapBatch, type TapSettings } from '../../../src/core/capture/tap.js';
import { captureMessage } from '../../../src/ios/capture/messages.js';
import { readVerdictLines } from '../../../src/ios/capture/verdict-lines.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { Capture } from '../../../src/io/capture/capture.js';
import { icmpPacket } from '../../support/packets.js';
import { fakeRouter, type FakeRouter } from '../support/fake-router.js';
import { CONFIG_TEXT } from '../../support/router-3640.js';

const INTERFACES = ['Ethernet2/0', 'Serial2/0', 'Ethernet2/1'];
const ECHO = icmpPacket('172.22.1.10', '172.22.1.110', 8, 0, [0xbe, 0xbc, 0xd9, 0xab]);
/** 13:35:46.019 UTC Nov 29 2025 */
const THEN = Date.UTC(2025, 10, 29, 13, 35, 46, 19);

let router: FakeRouter;
let session: ConsoleSession;
let captures: Captures;
let told: TapSettings[];
let log: string[];
let now: number;
let sent: { url: string; bytes: Uint8Array }[];

beforeEach(() => {
  told = [];
  log = [];
  sent = [];
  now = 1000;
  captures = new Captures({
    tap: (settings) => told.push(settings),
    say: (event, point) => {
      const { mnemonic, text } = captureMessage(event, point);
      log.push(`${mnemonic}: ${text}`);
    },
    timeOf: (ms) => THEN + ms - 1000,
    now: () => now,
  });
  router = fakeRouter(CONFIG_TEXT);
  router.snapshot.captures = () => captures.snapshot();
  router.snapshot.captured = (name) => captures.packets().get(name) ?? [];
  router.actions.capture = (change) => captures.change(change);
  router.actions.verdicts = (from) => Promise.resolve(captures.verdicts.ask(from));
  router.system.interfaces = () =>
    [
      ['Ethernet2/0', '5254.0067.bc6b'],
      ['Ethernet2/1', '0050.0f0b.8181'],
    ].map(([name, hardwareAddress]) => ({ name, hardwareAddress }) as never);
  router.files.send = (to, bytes) => {
    sent.push({ url: `${to.scheme}:${to.path}`, bytes });
    return Promise.resolve();
  };
  session = new ConsoleSession(router, 'console', 15);
});

/** Types lines. @returns what they print, and the jobs they leave */
async function type(...lines: string[]): Promise<string> {
  let screen = '';
  for (const line of lines) {
    screen += session.execute(line).output;
    while (session.isBusy())
      await new Promise<void>((done) =>
        session.runJob(
          (text) => (screen += text),
          (_, output) => {
            screen += output;
            done();
          },
        ),
      );
  }
  return screen;
}

const CAPTURE = [
  'monitor capture buffer test-buffer size 128',
  'monitor capture point ip cef capture-p1 Ethernet2/0 both',
  'monitor capture point associate capture-p1 test-buffer',
];

/** The data plane has seen a packet. */
function sees(
  bytes = ECHO,
  { bits, stage, egress, lost, ms }: { [K in 'bits' | 'stage' | 'egress' | 'lost' | 'ms']?: number } = {},
): void {
  const records = new Int32Array(TAP.ints);
  const fields: Partial<Record<keyof typeof TAP, number>> = {
    points: bits ?? 1,
    stage: stage ?? STAGE.came,
    token: 7,
    ingress: stage === STAGE.own ? -1 : 0,
    egress: egress ?? -1,
    length: bytes.length,
    captured: bytes.length,
    head: bytes.length,
  };
  for (const [name, value] of Object.entries(fields)) records[TAP[name as keyof typeof TAP]] = value;
  const batch: TapBatch = { interfaces: INTERFACES, now: ms ?? 1000, records, bytes, lost: lost ?? 0 };
  captures.take(batch, 0);
}

describe('buffers and points', () => {
  test('are made, joined, started and stopped, and say so in the log', async () => {
    expect(await type(...CAPTURE, 'monitor capture point start capture-p1')).toBe('');
    expect(told.at(-1)).toEqual({
      points: [{ bit: 0, path: 'cef', interface: 'Ethernet2/0', direction: 'both', list: undefined, most: 54 }],
      verdicts: false,
    });
    expect(await type('mon cap poi stop capture-p1')).toBe('');
    expect(told.at(-1)!.points).toEqual([]);
    expect(log).toEqual([
      '%BUFCAP-6-CREATE: Capture Point capture-p1 created.',
      '%BUFCAP-6-ENABLE: Capture Point capture-p1 enabled.',
      '%BUFCAP-6-DISABLE: Capture Point capture-p1 disabled.',
    ]);
  });

  test.each([
    ['monitor capture point associate capture-p1 B', 'Capture Buffer B does not exist\n'],
    ['monitor capture point associate P test-buffer', 'Capture point P does not exist\n'],
    ['monitor capture point start P', 'Capture point P does not exist\n'],
    ['monitor capture point stop P', 'Capture point P does not exist\n'],
    ['monitor capture point disassociate P', 'Capture point P does not exist\n'],
    ['no monitor capture point ip cef P Ethernet2/0 both', 'Capture point P does not exist\n'],
    ['no monitor capture buffer B', 'Capture Buffer B does not exist\n'],
    ['monitor capture buffer B clear', 'Capture Buffer B does not exist\n'],
    ['monitor capture buffer B filter access-list 101', 'Capture Buffer B does not exist\n'],
    ['monitor capture buffer B limit duration 5', 'Capture Buffer B does not exist\n'],
    ['monitor capture buffer B export tftp://10.10.10.2/x.pcap', 'Capture Buffer B does not exist\n'],
    ['show monitor capture buffer B parameters', 'Capture Buffer B does not exist\n'],
    ['show monitor capture buffer B dump', 'Capture Buffer B does not exist\n'],
    ['show monitor capture point P', 'Capture point P does not exist\n'],
    ['monitor capture point ip cef capture-p1 all in', 'Capture point capture-p1 already exists\n'],
    ['monitor capture buffer test-buffer export http://10.10.10.2/x', '%Error parsing filename (No such device)\n'],
    ['monitor capture buffer test-buffer export tftp://10.10.10.2', '%Error parsing filename (No such device)\n'],
    ['show monitor capture buffer all dump', ''],
  ])('%s', async (line, answer) => {
    await type(...CAPTURE);
    expect(await type(line)).toBe(answer);
  });

  test.each([
    'monitor capture buffer B size 513',
    'monitor capture buffer B max-size 9501',
    'monitor capture buffer B square',
    'monitor capture point ip cef P Ethernet9/0 both',
    'monitor capture point ip cef P all from-us',
    'monitor capture point ip process-switched P all',
  ])('refused at the caret: %s', async (line) => {
    expect(await type(line)).toContain('^\n% Invalid input detected');
    expect(captures.snapshot()).toEqual({ buffers: [], points: [] });
  });

  test('a point without a buffer cannot start; one that is active keeps its buffer', async () => {
    await type('monitor capture point ip process-switched P from-us', 'monitor capture buffer B circular');
    expect(await type('monitor capture point start P')).toContain('not associated');
    await type('monitor capture point associate P B', 'monitor capture point start P');
    expect(await type('monitor capture point associate P B')).toContain('active');
    await type('no monitor capture buffer B');
    expect(captures.snapshot()).toMatchObject({ buffers: [], points: [{ active: false, buffer: undefined }] });
  });

  test('start all, stop all; more than there may be are refused; a reload takes all away', async () => {
    await type('monitor capture buffer B');
    const names = Array.from({ length: 24 }, (_, i) => `P${i}`);
    for (const n of names)
      await type(`monitor capture point ip cef ${n} all in`, `monitor capture point associate ${n} B`);
    expect(await type('monitor capture point ip cef Q all in')).toContain('No more than 24');
    await type('monitor capture point start all');
    expect(told.at(-1)!.points.map((p) => p.bit)).toEqual(names.map((_, i) => i));
    await type('monitor capture point stop all');
    expect(captures.snapshot().points.filter((p) => p.active)).toEqual([]);
    await type('monitor capture point start all');
    captures.reset();
    expect(told.at(-1)!.points).toEqual([]);
  });

  test('settings are combined in one line, in any order; no undoes', async () => {
    await type(
      'monitor capture buffer BUF size 512 max-size 1518 circular',
      'monitor capture buffer BUF filter access-list CAPTURE-FILTER',
      'monitor capture buffer BUF limit packets-per-sec 9',
      'monitor capture buffer BUF limit allow-nth-pak 3',
    );
    expect(captures.snapshot().buffers[0]!.settings).toEqual({
      circular: true,
      sizeKb: 512,
      maxSize: 1518,
      list: 'CAPTURE-FILTER',
      nth: 3,
      duration: 0,
      packets: 0,
      packetsPerSecond: 9,
    });
    await type('no monitor capture buffer BUF filter access-list', 'no monitor capture buffer BUF limit allow-nth-pak');
    expect(captures.snapshot().buffers[0]!.settings).toMatchObject({ list: undefined, nth: 0, packetsPerSecond: 9 });
  });
});

describe('a capture ends', () => {
  test.each([
    { name: 'when limit duration has passed', line: 'limit duration 5', end: () => (now += 5000) },
    {
      name: 'when limit packet-count is reached',
      line: 'limit packet-count 2',
      end: () => [1, 2].forEach(() => sees()),
    },
    { name: 'when a linear buffer is full', line: 'size 1', end: () => Array.from({ length: 20 }, () => sees()) },
  ])('$name, and says so', async ({ line, end }) => {
    await type(...CAPTURE, `monitor capture buffer test-buffer ${line}`, 'monitor capture point start all');
    captures.tick();
    expect(captures.snapshot().points[0]!.active).toBe(true);
    end();
    captures.tick();
    expect(captures.snapshot().points[0]!.active).toBe(false);
    expect(log.at(-1)).toBe('%BUFCAP-6-DISABLE: Capture Point capture-p1 disabled.');
    expect(told.at(-1)!.points).toEqual([]);
    const { packets } = captures.snapshot().buffers[0]!;
    sees(); // was under way
    expect(captures.snapshot().buffers[0]!.packets).toBe(packets);
  });

  test('a circular buffer goes on', async () => {
    await type(...CAPTURE, 'monitor capture buffer test-buffer circular size 1', 'monitor capture point start all');
    for (let i = 0; i < 50; i++) sees();
    expect(captures.snapshot().points[0]!.active).toBe(true);
  });
});

describe('show monitor capture', () => {
  test('buffer all parameters, as a router printed it', async () => {
    await type(...CAPTURE);
    expect(await type('show monitor capture buffer all parameters')).toBe(
      [
        'Capture buffer test-buffer (linear buffer)',
        'Buffer Size : 131072 bytes, Max Element Size : 68 bytes, Packets : 0',
        'Allow-nth-pak : 0, Duration : 0 (seconds), Max packets : 0, pps : 0',
        'Associated Capture Points:',
        'Name : capture-p1, Status : Inactive',
        'Configuration:',
        'monitor capture buffer test-buffer size 128',
        'monitor capture point associate capture-p1 test-buffer',
        '',
      ].join('\n'),
    );
  });

  test('buffer B parameters of a circular one with a filter; what was lost is said where something was', async () => {
    await type(
      'monitor capture buffer BUF size 512 max-size 1518 circular',
      'monitor capture point ip process-switched POINT both',
      'monitor capture point associate POINT BUF',
      'monitor capture buffer BUF filter access-list CAPTURE-FILTER',
      'monitor capture buffer BUF limit packet-count 100',
      'monitor capture point start all',
    );
    for (let i = 0; i < 6; i++) sees(ECHO, { lost: i > 3 ? 12 : 0 });
    expect(await type('show monitor capture buffer BUF parameters')).toBe(
      [
        'Capture buffer BUF (circular buffer)',
        'Buffer Size : 524288 bytes, Max Element Size : 1518 bytes, Packets : 6',
        'Allow-nth-pak : 0, Duration : 0 (seconds), Max packets : 100, pps : 0',
        'Packets lost : 12',
        'Associated Capture Points:',
        'Name : POINT, Status : Active',
        'Configuration:',
        'monitor capture buffer BUF size 512 max-size 1518 circular',
        'monitor capture point associate POINT BUF',
        'monitor capture buffer BUF filter access-list CAPTURE-FILTER',
        'monitor capture buffer BUF limit packet-count 100',
        '',
      ].join('\n'),
    );
    expect(await type('show monitor capture buffer BUF parameters | include lost')).toBe('Packets lost : 12\n');
  });

  test('point, with its buffer and without', async () => {
    await type(...CAPTURE, 'monitor capture point ip process-switched POINT both', 'monitor capture point start all');
    expect(await type('show monitor capture point all')).toBe(
      [
        'Status Information for Capture Point capture-p1',
        'IPv4 CEF',
        'Switch Path: IPv4 CEF            , Capture Buffer: test-buffer',
        'Status : Active',
        '',
        'Configuration:',
        'monitor capture point ip cef capture-p1 Ethernet2/0 both',
        '',
        'Status Information for Capture Point POINT',
        'IPv4 Process',
        'Switch Path: IPv4 Process        , Capture Buffer: None',
        'Status : Inactive',
        '',
        'Configuration:',
        'monitor capture point ip process-switched POINT both',
        '',
      ].join('\n'),
    );
  });

  test('dump: layer 2, rows at multiples of sixteen, letters without their highest bit', async () => {
    await type(...CAPTURE, 'monitor capture point start all');
    sees();
    sees(ECHO, { stage: STAGE.left, egress: 2, ms: 1011 });
    expect(await type('show monitor capture buffer test-buffer dump')).toBe(
      [
        '13:35:46.019 UTC Nov 29 2025 : IPv4 LES CEF    : Et2/0 None',
        '',
        '0D98B860:                   52540067 BC6B0000          RT.g<k..',
        '0D98B870: 00000000 08004500 001C1234 00004001  ......E....4..@.',
        '0D98B880: 0E09AC16 010AAC16 016E0800 5F97BEBC  ..,...,..n.._.><',
        '0D98B890: D9AB00                               Y+.             ',
        '',
        '13:35:46.030 UTC Nov 29 2025 : IPv4 LES CEF    : Et2/0 Et2/1',
        '',
        '0D98B860:                   00000000 00000050          .......P',
        '0D98B870: 0F0B8181 08004500 001C1234 00004001  ......E....4..@.',
        '0D98B880: 0E09AC16 010AAC16 016E0800 5F97BEBC  ..,...,..n.._.><',
        '0D98B890: D9AB00                               Y+.             ',
        '',
      ].join('\n'),
    );
  });

  test('? tells what there is', () => {
    expect(session.help('monitor capture ')).toContain('Control Capture Buffers');
    expect(session.help('monitor capture buffer B ')).toMatch(/circular +Circular Buffer\n[^]*linear +Linear Buffer/);
  });
});

describe('export', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fw3640-export-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('writes a pcap file that holds the bytes put in, at their time, cut to max-size', async () => {
    await type(...CAPTURE, 'monitor capture point start all');
    const long = Uint8Array.from([...ECHO, ...new Uint8Array(200).fill(7)]);
    sees();
    sees(long, { ms: 2500.25 });
    const screen = await type('monitor capture buffer test-buffer export tftp://10.10.10.2/x.pcap');
    expect(screen).toMatch(/bytes copied in/);
    expect(sent.map((s) => s.url)).toEqual(['tftp:x.pcap']);
    const file = join(folder, 'x.pcap');
    writeFileSync(file, sent[0]!.bytes);
    const packets = [];
    const capture = new Capture(file);
    for await (const some of capture.packets()) packets.push(...some);
    expect(capture.fault).toBeUndefined();
    expect(packets).toEqual([
      { timeMs: THEN, bytes: ECHO, truncated: false },
      { timeMs: THEN + 1500.25, bytes: long.slice(0, 54), truncated: true },
    ]);
    // Ethernet, with the router's own address.
    expect(Buffer.from(sent[0]!.bytes.subarray(40, 54)).toString('hex')).toBe('52540067bc6b0000000000000800');
  });

  test('to flash: as well; what a server refuses is said', async () => {
    await type(...CAPTURE);
    expect(await type('monitor capture buffer test-buffer export flash:x.pcap')).toMatch(/^24 bytes copied in/);
    router.files.send = () => Promise.reject(new Error('Timed out'));
    expect(await type('monitor capture buffer test-buffer export ftp://10.10.10.2/x.pcap')).toContain(
      '%Error opening ftp://10.10.10.2/x.pcap (Timed out)',
    );
  });
});

test('verdicts are told from where one asks on, and the data plane tells no more when nobody asks', async () => {
  const ask = async (from: number) => readVerdictLines(await type(`monitor capture verdicts ${from}`));
  const first = await ask(0);
  expect(told.at(-1)!.verdicts).toBe(true);
  sees(ECHO, { stage: STAGE.judged, egress: 2 });
  const { records, next, lost } = await ask(first.next);
  expect([records.length, lost]).toEqual([1, 0]);
  expect(records[0]).toMatchObject({ ingress: 'Ethernet2/0', egress: 'Ethernet2/1', timeMs: THEN, verdict: 0 });
  expect(Uint8Array.from(records[0]!.came)).toEqual(ECHO);
  expect((await ask(next)).records).toEqual([]);
  now += 4000;
  captures.tick();
  expect(told.at(-1)!.verdicts).toBe(true);
  now += 2000;
  captures.tick();
  expect(told.at(-1)!.verdicts).toBe(false);
});
