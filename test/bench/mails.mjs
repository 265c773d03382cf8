// Mails from smtp-source outside to smtp-sink inside, for scripts/bench.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { execIn, start, SYSTEMS } from './systems.mjs';

export const SERVER = '10.10.10.2';
/** By static NAT. */
export const SERVER_GLOBAL = '172.22.1.110';
export const PARALLEL = 20;
const BODY_BYTES = 4096;
const BACKLOG = 500;
/** Mails before those that count: what runs in Node is compiled by then. */
export const WARM_UP = 8000;

/** Twenty connections at once, thousands a minute: by default the router takes that for an attack, as a 3640 does. */
const THRESHOLDS = ['max-incomplete', 'one-minute'].map((what) => `ip inspect ${what} high 10000000`);
const folder = mkdtempSync(join(tmpdir(), 'fw3640-bench-'));
/** A configuration that does not. It goes with the process. */
export const config = join(folder, 'bench.cfg');
process.on('exit', () => rmSync(folder, { recursive: true }));
const text = readFileSync(SYSTEMS.fw3640.config, 'utf8');
writeFileSync(
  config,
  [
    text.replace(/\nend\s*$/, ''),
    ...THRESHOLDS,
    'ip inspect tcp max-incomplete host 10000000 block-time 0',
    'end',
    '',
  ].join('\n'),
);

export async function startSink() {
  const sink = start('inside', ['smtp-sink', '-u', 'nobody', `inet:${SERVER}:25`, String(BACKLOG)]);
  sink.stdout.resume();
  while (!execIn('inside', 'ss', '-Htln', 'sport = :25').includes(':25')) {
    if (sink.exitCode !== null) throw new Error('smtp-sink did not start (postfix is missing?)');
    await delay(50);
  }
  return sink;
}

/** Sends so many mails of 4 kB, 20 at a time. @returns mails a second */
export async function send(to, mails) {
  const args = ['-s', PARALLEL, '-m', mails, '-l', BODY_BYTES, '-f', 'a@client.test', '-t', 'b@example.test', to];
  const from = performance.now();
  const source = start('outside', ['smtp-source', ...args.map(String)]);
  source.stdout.resume();
  const [code] = await once(source, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return (mails * 1000) / (performance.now() - from);
}
