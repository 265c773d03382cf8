import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CaptureError, readCapture } from '../src/io/pcap.js';
import { replayArrivals } from '../src/replay.js';
import { icmpPacket, tcpPacket } from './support/packets.js';
import { config3640 } from './support/router-3640.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A capture file of Ethernet frames, one a second. */
function capture(name: string, packets: readonly Uint8Array[], linkType = 1): string {
  const parts = [Buffer.alloc(24)];
  parts[0]!.writeUInt32LE(0xa1b2c3d4, 0);
  parts[0]!.writeUInt16LE(2, 4);
  parts[0]!.writeUInt16LE(4, 6);
  parts[0]!.writeUInt32LE(65535, 16);
  parts[0]!.writeUInt32LE(linkType, 20);
  packets.forEach((p, i) => {
    const record = Buffer.alloc(16 + 14);
    record.writeUInt32LE(1_700_000_000 + i, 0);
    record.writeUInt32LE(p.length + 14, 8);
    record.writeUInt32LE(p.length + 14, 12);
    record.writeUInt16BE(0x0800, 28);
    parts.push(record, Buffer.from(p));
  });
  const file = join(folder, name);
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

const CLIENT = '172.22.1.10';
const client = { src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const server = { src: '10.10.10.2', srcPort: 25, dst: CLIENT, dstPort: 4000 };
const OUTSIDE = 0;
const INSIDE = 2;

describe('replay of captures', () => {
  test('says what the router would have said, in the time of the capture, and counts verdicts', async () => {
    const outside = await readCapture(
      capture('outside.pcap', [
        tcpPacket({ ...client, flags: 'S', seq: 100 }),
        tcpPacket({ ...client, flags: 'A', seq: 101, ack: 201 }),
        tcpPacket({ ...client, flags: 'PA', seq: 101, ack: 217, payload: 'EXPN root\r\n' }),
        icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 1, 0, 1]),
        tcpPacket({ src: '172.22.1.110', srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'A' }), // left the router
      ]),
    );
    const inside = await readCapture(
      capture('inside.pcap', [
        tcpPacket({ ...server, flags: 'SA', seq: 200, ack: 101 }),
        tcpPacket({ ...server, flags: 'PA', seq: 201, ack: 101, payload: '220 mail ready\r\n' }),
      ]),
    );
    const arrivals = [
      ...outside.map((p) => ({ ...p, ingress: OUTSIDE })),
      ...inside.map((p) => ({ ...p, timeMs: p.timeMs + 500, ingress: INSIDE })),
    ].sort((a, b) => a.timeMs - b.timeMs);
    const lines = replayArrivals(config3640(), arrivals);
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

  test.each([
    { name: 'text', bytes: Buffer.from('this is not a capture at all'), reason: /unknown magic number/ },
    { name: 'nothing', bytes: Buffer.alloc(0), reason: /shorter than its header/ },
  ])('a file of $name is refused with its name', async ({ name, bytes, reason }) => {
    const file = join(folder, `${name}.pcap`);
    writeFileSync(file, bytes);
    await expect(readCapture(file)).rejects.toThrow(CaptureError);
    await expect(readCapture(file)).rejects.toThrow(reason);
  });

  test('a capture that was cut short is refused, and the place is named', async () => {
    const file = capture('cut.pcap', [icmpPacket(CLIENT, '10.10.10.2', 8, 0, [0, 1, 0, 1])]);
    writeFileSync(file, readFileSync(file).subarray(0, -3));
    await expect(readCapture(file)).rejects.toThrow('cut short in the packet at byte 24');
  });

  test('a capture of another link type is refused', async () => {
    await expect(readCapture(capture('wlan.pcap', [], 105))).rejects.toThrow('link type 105 is not supported');
  });
});
