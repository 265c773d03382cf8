/** Captures of real packets: by the router's capture points, and by `fw3640 capture` beside it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Capture } from '../../src/io/capture/capture.js';
import { configVariant, Fw3640, fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { smtpServer } from './support/smtp-server.js';
import { type Connection, openTcp } from './support/tcp.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';
const MAIN = join(ROOT, 'dist/main.js');

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, { config: configVariant(lab) });
  await smtpServer(lab);
});
afterAll(() => lab.down());

const socket = (): string[] => ['--socket', join(lab.folder, 'console.sock')];

/** A mail client that says what is not allowed, and a ping from inside. */
async function traffic(): Promise<void> {
  const client: Connection = await openTcp(lab, 'outside', MAIL, 25);
  await client.receive(/^220 .*\r\n/);
  client.write('EXPN root\r\n');
  await client.receive(/\r\n5\d\d .*\r\n/);
  client.end();
  lab.exec('inside', 'ping', ['-c', '2', '-i', '0.2', '-s', '40', '-p', 'abcd', '172.22.1.10']);
  // Denied by list 101.
  lab.exec('outside', 'ping', ['-c', '1', '-W', '1', MAIL]);
}

async function packetsOf(file: string): Promise<string[]> {
  const capture = new Capture(file);
  const all: string[] = [];
  for await (const some of capture.packets()) all.push(...some.map((p) => Buffer.from(p.bytes).toString('latin1')));
  expect(capture.fault).toBeUndefined();
  return all;
}

interface Frame {
  interface: number;
  bytes: Buffer;
  comment: string | undefined;
}

/** Packets of a pcapng file of ours, with their comments. */
function framesOf(file: string): Frame[] {
  const b = readFileSync(file);
  const frames: Frame[] = [];
  for (let at = 0; at < b.length; at += b.readUInt32LE(at + 4)) {
    if (b.readUInt32LE(at) !== 6) continue;
    const length = b.readUInt32LE(at + 20);
    const options = at + 28 + ((length + 3) & ~3);
    const hasComment = options < at + b.readUInt32LE(at + 4) - 4 && b.readUInt16LE(options) === 1;
    const comment = hasComment ? b.toString('utf8', options + 4, options + 4 + b.readUInt16LE(options + 2)) : undefined;
    frames.push({ interface: b.readUInt32LE(at + 8), bytes: b.subarray(at + 28, at + 28 + length), comment });
  }
  return frames;
}

test('a capture point sees a masked command as it came and as it leaves; the buffer is shown and exported', async () => {
  expect(
    router.console(
      'monitor capture buffer B size 512 max-size 1518 circular',
      'monitor capture point ip cef P all both',
      'monitor capture point associate P B',
      'monitor capture point start P',
    ),
  ).toBe('');
  await router.logged('%BUFCAP-6-ENABLE', /Capture Point P enabled\./);
  await traffic();
  expect(router.console('monitor capture point stop P')).toBe('');
  const shown = router.console('show monitor capture buffer B parameters');
  expect(Number(/Packets : (\d+)/.exec(shown)?.[1])).toBeGreaterThan(15);
  expect(shown).not.toContain('lost');
  const dump = router.console('show monitor capture buffer B dump');
  expect(dump).toMatch(/^\d\d:\d\d:\d\d\.\d{3} UTC \w{3} \d+ \d{4} : IPv4 LES CEF {4}: Et2\/0 None\n\n0D98B860: /);
  expect(dump).toContain(': Et2/0 Et2/1\n');
  expect(dump).toContain('ABCDABCD ABCDABCD');
  expect(router.console('monitor capture buffer B export flash:b.pcap')).toMatch(/bytes copied/);
  const all = await packetsOf(join(lab.folder, 'flash/b.pcap'));
  expect(all.filter((p) => p.endsWith('EXPN root\r\n'))).toHaveLength(1);
  expect(all.filter((p) => p.endsWith('xxxxxxxxx\r\n'))).toHaveLength(1);
  const echoes = all.filter((p) => p.includes('\xab\xcd\xab\xcd\xab\xcd'));
  expect(echoes).toHaveLength(8); // two, and their answers, each as it came and as it leaves
  // With nobody looking, nothing more comes.
  const count = /Packets : \d+/.exec(shown)![0];
  lab.exec('inside', 'ping', ['-c', '1', '172.22.1.10']);
  expect(router.console('show monitor capture buffer B parameters')).toContain(count);
  router.console('no monitor capture point ip cef P all both', 'no monitor capture buffer B');
  expect(router.console('show monitor capture buffer B dump')).toBe('Capture Buffer B does not exist\n');
});

test('what the router sends itself is seen by a process-switched point', () => {
  router.console(
    'monitor capture buffer S',
    'monitor capture point ip process-switched S both',
    'monitor capture point associate S S',
    'monitor capture point start all',
    'ping 10.10.10.2 repeat 2',
    'monitor capture point stop all',
  );
  const dump = router.console('show monitor capture buffer S dump');
  expect(dump.match(/: IPv4 Process {4}: None Et2\/1$/gm)).toHaveLength(2);
  expect(dump.match(/: IPv4 Process {4}: Et2\/1 None$/gm)).toHaveLength(2);
});

test('fw3640 capture: frames of both interfaces, each with what the router made of it', async () => {
  const file = join(lab.folder, 'c.pcapng');
  const args = ['capture', ...socket(), '-i', 'Ethernet2/0', '-i', 'e2/1', '-w', file];
  const capture = new LabProcess(lab, 'router', process.execPath, [MAIN, ...args]);
  await until('the capture has begun', () => capture.stderr.includes('^C ends it'));
  await traffic();
  expect(await capture.stop('SIGINT')).toBe(0);
  const frames = framesOf(file);
  expect(capture.stderr).toContain(`${frames.length} packets captured`);
  const with_ = (text: string, on: number): Frame[] =>
    frames.filter((f) => f.interface === on && f.bytes.toString('latin1').includes(text));
  const masked = /^changed \(bytes 0-8 of the payload masked\), destination 172\.22\.1\.110 became 10\.10\.10\.2$/;
  expect(with_('EXPN root\r\n', 0).map((f) => f.comment)).toEqual([expect.stringMatching(masked)]);
  expect(with_('xxxxxxxxx\r\n', 1).map((f) => f.comment)).toEqual([expect.stringMatching(masked)]);
  const echoes = frames.filter((f) => f.bytes.includes(Buffer.from('abcdabcdabcd', 'hex')));
  expect(echoes).toHaveLength(8);
  for (const { comment } of echoes) expect(comment).toMatch(/^passed/);
  expect(frames.map((f) => f.comment)).toContain('dropped (Access list)');
  // ARP and the like are no packets of the router's.
  for (const f of frames) if (f.bytes.readUInt16BE(12) !== 0x0800) expect(f.comment).toBeUndefined();
});

test('fw3640 capture: --count and --filter by an access list; what cannot be is said', () => {
  const file = join(lab.folder, 'd.pcapng');
  const none = fw3640(lab, 'capture', ...socket(), '-i', 'Ethernet9/0', '-w', file);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no such interface')]);
  const list = fw3640(lab, 'capture', ...socket(), '-i', 'Ethernet2/0', '-w', file, '--filter', 'access-list 199');
  expect([list.code, list.stderr]).toEqual([2, expect.stringContaining('no access list 199')]);
  const wrong = fw3640(lab, 'capture', ...socket(), '-i', 'Ethernet2/0', '-w', file, '--filter', 'tcp and and');
  expect([wrong.code, framesOf(file)]).toEqual([2, []]);
  const brief = fw3640(
    lab,
    'capture',
    ...socket(),
    '-i',
    'Ethernet2/0',
    '-w',
    file,
    '--filter',
    'access-list 101',
    '--seconds',
    '1',
  );
  expect([brief.code, brief.stderr]).toEqual([0, expect.stringContaining('0 packets captured')]);
});

test('fw3640 capture: a full disk ends it with exit code 1, and what the file holds is whole', async () => {
  const folder = join(lab.folder, 'tiny');
  mkdirSync(folder);
  lab.run('router', 'mount', ['-t', 'tmpfs', '-o', 'size=16k', 'none', folder]);
  lab.onDown(() => void lab.exec('router', 'umount', ['-l', folder]));
  const file = join(folder, 'e.pcapng');
  const args = ['capture', ...socket(), '-i', 'Ethernet2/0', '-w', file];
  const capture = new LabProcess(lab, 'router', process.execPath, [MAIN, ...args]);
  await until('the capture has begun', () => capture.stderr.includes('^C ends it'));
  lab.exec('inside', 'ping', ['-c', '40', '-i', '0.01', '-s', '1000', '172.22.1.10']);
  await until('it has said so', () => capture.stderr.includes('no space left on device'));
  expect(await capture.stop('SIGINT')).toBe(1);
});
