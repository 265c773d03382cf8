/** `fw3640 replay` of a capture that is longer than its memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pcap } from '../io/capture/files.js';
import { icmpPacket } from '../support/packets.js';
import { ROOT } from './support/lab.js';

const HEAP_MB = 40;
const PACKETS = 45_000;
/** Of the process, its buffers and its program included. */
const MOST_RESIDENT_KB = 300_000;

test(
  'a stream of more than the heap may hold goes through, and all of it is written',
  { timeout: 120_000 },
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'fw3640-replay-'));
    try {
      const args = ['replay', '-c', 'config/3640.cfg', '--capture', 'Ethernet2/1=-', '--out', out];
      const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, 'dist/main.js', ...args], {
        cwd: ROOT,
      });
      const ended = once(child, 'close') as Promise<[number]>;
      let said = '';
      child.stderr.on('data', (text: Buffer) => (said += text.toString()));
      child.stdout.resume();
      const bytes = icmpPacket('10.10.10.2', '172.22.1.10', 8, 0, new Array<number>(1364).fill(7));
      let residentKb = 0;
      for (let i = 0; i < PACKETS; i += 100) {
        const frames = Array.from({ length: 100 }, (_, n) => ({ timeMs: 1.7e12 + i + n, bytes }));
        const part = pcap(frames, { linkType: 101 });
        if (!child.stdin.write(i === 0 ? part : part.subarray(24))) await once(child.stdin, 'drain');
        if (i % 5000 === 0) {
          const status = readFileSync(`/proc/${child.pid!}/status`, 'utf8');
          residentKb = Math.max(residentKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]));
        }
      }
      child.stdin.end();
      expect([(await ended)[0], said]).toEqual([0, expect.not.stringContaining('heap')]);
      expect(PACKETS * bytes.length).toBeGreaterThan(HEAP_MB * 1024 * 1024);
      expect(residentKb).toBeLessThan(MOST_RESIDENT_KB);
      expect(readFileSync(join(out, 'verdicts.jsonl'), 'utf8').match(/\n/g)).toHaveLength(PACKETS);
      expect(readFileSync(join(out, 'summary.txt'), 'utf8')).toContain(String(PACKETS));
      expect(statSync(join(out, 'Ethernet2-0.pcapng')).size).toBeGreaterThan(PACKETS * bytes.length);
    } finally {
      rmSync(out, { recursive: true });
    }
  },
);
