// The second half of scripts/bench config: how long packets wait while a running fw3640 is configured. Pings cross it
// every two milliseconds; the longest round trip is what counts, the median of some rounds of it.
import console from 'node:console';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { configuration } from './config-text.mjs';
import { atConsole, down, forwardWith, median, start, SYSTEMS, up } from './systems.mjs';

const SIZES = [100, 10_000];
const ROUNDS = 3;
const LINES = 10;
const folder = mkdtempSync(join(tmpdir(), 'fw3640-bench-'));
const file = join(folder, 'bench.cfg');

/** Lines that are typed one after the other, others in each round. */
const typed = (line) => (round) =>
  atConsole('configure terminal', ...Array.from({ length: LINES }, (_, i) => line(round * LINES + i)), 'end');
const DISTURBANCES = {
  nothing: () => delay(1000),
  'ten lines: hostname': typed((i) => `hostname h${i}`),
  'ten lines: access-list': typed((i) => `access-list 101 permit tcp any host 192.0.2.${i} eq 25`),
  'ten lines: ip nat inside source static': typed(
    (i) => `ip nat inside source static 10.10.9.${i + 1} 172.22.9.${i + 1}`,
  ),
  'ten lines: ip route': typed((i) => `ip route 10.99.${i}.0 255.255.255.0 172.22.1.10`),
  'show running-config': () => atConsole('show running-config'),
  SIGHUP: async (round, pid, size) => {
    writeFileSync(file, configuration(size).replace('hostname bench', `hostname bench${round}`));
    process.kill(pid, 'SIGHUP');
    for (let known = ''; known.trim() !== `hostname bench${round}`; await delay(100))
      known = atConsole('show running-config | include ^hostname');
  },
};

/** @returns the longest round trip while `disturb` runs, ms */
async function longestPing(disturb) {
  const ping = start('inside', ['ping', '-q', '-i', '0.002', '172.22.1.10']);
  let summary = '';
  ping.stdout.on('data', (d) => (summary += d));
  await delay(200);
  await disturb();
  ping.kill('SIGINT');
  await once(ping, 'close');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(summary) ?? [];
  const longest = Number(/= [\d.]+\/[\d.]+\/([\d.]+)\//.exec(summary)?.[1]);
  // The last one may still be on its way.
  if (!(Number(sent) - Number(received) <= 1)) throw new Error(`pings were lost: ${summary}`);
  return longest;
}

const row = (title, cells) => console.log(title.padEnd(52) + cells.map((cell) => cell.padStart(10)).join(''));
const results = Object.fromEntries(Object.keys(DISTURBANCES).map((name) => [name, []]));
up();
try {
  for (const size of SIZES) {
    writeFileSync(file, configuration(size));
    const { pid, end } = await forwardWith({ ...SYSTEMS.fw3640, config: file });
    try {
      for (const [name, disturb] of Object.entries(DISTURBANCES)) {
        const longest = [];
        for (let round = 0; round < ROUNDS; round++) longest.push(await longestPing(() => disturb(round, pid, size)));
        results[name].push(median(longest));
      }
    } finally {
      await end();
    }
  }
  row('longest ping, ms, by lines of the configuration', [...SIZES.map(String), 'last/first']);
  for (const [name, times] of Object.entries(results))
    row(name, [...times.map((t) => t.toFixed(1)), (times.at(-1) / times[0]).toFixed(1)]);
} finally {
  down();
  rmSync(folder, { recursive: true });
}
