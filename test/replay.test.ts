import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Capture } from '../src/io/capture/capture.js';
import { mergeCaptures } from '../src/io/capture/merge.js';
import { Replay } from '../src/app/replay.js';
import { ReplayOutput } from '../src/app/replay-output.js';
import { ethernet, pcap } from './io/capture/files.js';
import { checksumsOk, dotted, icmpPacket, tcpPacket } from './support/packets.js';
import { config3640 } from './support/router-3640.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A capture file of Ethernet frames, one a second. */
function capture(name: string, packets: readonly Uint8Array[], fromMs = 1_700_000_000_000): string {
  const file = join(folder, name);
  writeFileSync(file, pcap(packets.map((p, i) => ({ timeMs: fromMs + i * 1000, bytes: ethernet(p) }))));
  return file;
}

/** What the router says of captures, line by line. @param files by interface index */
async function replayed(files: readonly (readonly [ingress: number, file: string])[]): Promise<string[]> {
  const replay = new Replay(config3640());
  const lines: string[] = [];
  for await (const a of mergeCaptures(files.map(([, file]) => new Capture(file)))) {
    lines.push(...replay.take({ ...a, ingress: files[a.capture]![0] }));
  }
  return [...lines, ...replay.summary()];
}

const CLIENT = '172.22.1.10';
const client = { src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const server = { src: '10.10.10.2', srcPort: 25, dst: CLIENT, dstPort: 4000 };
const OUTSIDE = 0;
const INSIDE = 2;

describe('replay of captures', () => {
  test('says what the router would have said, in the time of the capture, and counts verdicts', async () => {
    const outside = capture('outside.pcap', [
      tcpPacket({ ...client, flags: 'S', seq: 100 }),
      tcpPacket({ ...client, flags: 'A', seq: 101, ack: 201 }),
      tcpPacket({ ...client, flags: 'PA', seq: 101, ack: 217, payload: 'EXPN root\r\n' }),
      icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 1, 0, 1]),
      tcpPacket({ src: '172.22.1.110', srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'A' }), // left the router
    ]);
    const inside = capture(
      'inside.pcap',
      [
        tcpPacket({ ...server, flags: 'SA', seq: 200, ack: 101 }),
        tcpPacket({ ...server, flags: 'PA', seq: 201, ack: 101, payload: '220 mail ready\r\n' }),
      ],
      1_700_000_000_500,
    );
    const lines = await replayed([
      [OUTSIDE, outside],
      [INSIDE, inside],
    ]);
    expect(lines[0]).toMatch(/^\*Nov 14 22:13:22\.000: %FW-4-SMTP_INVALID_COMMAND: .*"EXPN root" became "xxxxxxxxx"$/);
    expect(
      lines
        .slice(1)
        .map((l) => l.trim())
        .sort(),
    ).toEqual(
      [
        '1  dropped: Access list',
        '1  left the router, not judged',
        '1  sent by the router itself',
        '5  forwarded, changed',
      ].sort(),
    );
  });

  test('what times out while nothing comes does so in its own time, also where the clock jumps by a year', () => {
    const replay = new Replay(config3640('ip inspect audit-trail'));
    const began = performance.now();
    const lines = [4000, 4001, 4002].flatMap((srcPort, year) =>
      replay.take({
        bytes: tcpPacket({ ...client, srcPort, flags: 'S', seq: 100 }),
        timeMs: 1_700_000_000_000 + year * 31_536_000_000,
        truncated: false,
        ingress: OUTSIDE,
      }),
    );
    expect(performance.now() - began).toBeLessThan(5000);
    // A SYN waits for 30 s (ip inspect tcp synwait-time); steps are a sixteenth of that by then.
    expect(lines.filter((l) => l.includes('Stop smtp')).map((l) => l.slice(0, 15))).toEqual([
      '*Nov 14 22:13:5',
      '*Nov 13 22:13:5',
    ]);
  });
});

describe('--out', () => {
  /** A dialogue with a masked command, a segment out of order, a ping that is denied. */
  const story: readonly (readonly [number, Uint8Array])[] = [
    [OUTSIDE, tcpPacket({ ...client, flags: 'S', seq: 100 })],
    [INSIDE, tcpPacket({ ...server, flags: 'SA', seq: 200, ack: 101 })],
    [OUTSIDE, tcpPacket({ ...client, flags: 'A', seq: 101, ack: 201 })],
    [INSIDE, tcpPacket({ ...server, flags: 'PA', seq: 201, ack: 101, payload: '220 mail ready\r\n' })],
    [OUTSIDE, tcpPacket({ ...client, flags: 'PA', seq: 105, ack: 217, payload: ' root\r\n' })],
    [OUTSIDE, tcpPacket({ ...client, flags: 'PA', seq: 101, ack: 217, payload: 'EXPN' })],
    [OUTSIDE, icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 1, 0, 1])],
    [OUTSIDE, tcpPacket({ src: '172.22.1.110', srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'A' })],
  ];

  async function written(): Promise<{ lines: Record<string, unknown>[]; out: string }> {
    const out = join(folder, 'out');
    const output = new ReplayOutput(out, ['Ethernet2/0', 'Ethernet2/1']);
    const replay = new Replay(config3640(), output);
    story.forEach(([ingress, bytes], i) =>
      replay.take({ bytes: bytes.slice(), ingress, timeMs: 1_700_000_000_000 + i * 100, truncated: false }),
    );
    output.close(replay.summary());
    const lines = readFileSync(join(out, 'verdicts.jsonl'), 'utf8').trim().split('\n');
    return Promise.resolve({ lines: lines.map((l) => JSON.parse(l) as Record<string, unknown>), out });
  }

  test('a line of JSON for each packet, and another one where a packet was held', async () => {
    const { lines, out } = await written();
    expect(readdirSync(out).sort()).toEqual(['Ethernet2-0.pcapng', 'Ethernet2-1.pcapng', 'summary.txt', 'verdicts.jsonl']); // prettier-ignore
    const short = lines.map((l) => [l.packet, l.verdict, l.reason ?? l.egress, l.late].filter((x) => x !== undefined));
    expect(short).toEqual([
      [1, 'passed', 'Ethernet2/1'],
      [2, 'passed', 'Ethernet2/0'],
      [3, 'passed', 'Ethernet2/1'],
      [4, 'passed', 'Ethernet2/0'],
      [5, 'held'],
      [5, 'passed', 'Ethernet2/1', true],
      [6, 'passed', 'Ethernet2/1'],
      [7, 'dropped', 'Access list'],
      [8, 'not judged', 'left the router'],
    ]);
    expect(lines[0]).toEqual({
      packet: 1,
      time: '2023-11-14T22:13:20.000Z',
      interface: 'Ethernet2/0',
      length: 40,
      protocol: 6,
      source: '172.22.1.10:4000',
      destination: '172.22.1.110:25',
      verdict: 'passed',
      changed: true,
      egress: 'Ethernet2/1',
    });
    expect(readFileSync(join(out, 'summary.txt'), 'utf8')).toContain('1  dropped: Access list\n');
  });

  test('what would leave by each interface, as it would be on the wire', async () => {
    const { out } = await written();
    const packetsOf = async (name: string): Promise<Uint8Array[]> => {
      const all: Uint8Array[] = [];
      for await (const some of new Capture(join(out, name)).packets()) all.push(...some.map((p) => p.bytes));
      return all;
    };
    const inside = await packetsOf('Ethernet2-1.pcapng');
    const outside = await packetsOf('Ethernet2-0.pcapng');
    for (const p of [...inside, ...outside]) expect(checksumsOk(p)).toBe(true);
    const toServer = inside.filter((p) => dotted(new DataView(p.buffer, p.byteOffset).getInt32(16)) === '10.10.10.2');
    const texts = toServer.map((p) => Buffer.from(p).toString('latin1', 40)).filter((t) => t !== '');
    expect(texts.sort()).toEqual([' root\r\n', 'EXPN'].map((t) => t.replace(/[A-Za-z ]/g, 'x')).sort());
    expect(new Set(toServer.map((p) => p[8]))).toEqual(new Set([63]));
  });
});
