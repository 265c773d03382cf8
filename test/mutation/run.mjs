// `scripts/mutate`: starts the runs, ends what runs in circles, and says which mutants live.
import { spawn } from 'node:child_process';
import console from 'node:console';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { parseArgs } from 'node:util';

/** What is mutated unless files are named: the files that only join parts. */
const WIRING = [
  'src/core/engine.ts',
  'src/core/tracker',
  'src/core/ports.ts',
  'src/core/rule-choice.ts',
  'src/core/acl/packet-filter.ts',
  'src/data/data-plane.ts',
  'src/data/serve.ts',
  'src/data/control-link.ts',
  'src/control/router.ts',
  'src/control/shards.ts',
  'src/control/supervisor.ts',
  'src/control/takeover.ts',
  'src/ios/compile',
];
/** The tests that look at them: whole unit tests, but for those that need seconds or start processes. */
const TESTS = [
  'test/{debug,drop-log,engine,mss-clamp,outgoing,route.law,unreachable}.test.ts',
  'test/{acl,engine,fragment,nat,observe,session,wiring}/**/*.test.ts',
  'test/inspect/**/*.test.ts',
  'test/ios/compile/*.test.ts',
  'test/tcp/{state-reuse,monitor-only}.test.ts',
  'test/shard/together.test.ts',
  'test/tracker/*.test.ts',
  'test/control/{router,shards,supervisor,takeover}.test.ts',
  'test/data/{control-link,data-plane,serve}.test.ts',
];
const OUT = 'node_modules/.cache/fw3640/mutants';
const STUCK_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'string', multiple: true },
    jobs: { type: 'string', default: '2' },
    most: { type: 'string', default: '0' },
    resume: { type: 'boolean', default: false },
  },
});
const files = (positionals.length > 0 ? positionals : WIRING).flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((f) => f.endsWith('.ts'))
        .map((f) => `${path}/${f}`)
    : [path],
);
const jobs = Number(values.jobs);

if (!values.resume) rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(1);
  });

/** One run over the mutants of a shard. @returns whether it came to its end */
function run(shard) {
  const current = `${OUT}/current-${shard}`;
  rmSync(current, { force: true });
  const env = {
    ...process.env,
    FW3640_MUTANTS: OUT,
    FW3640_MUTATE: files.join(' '),
    FW3640_TESTS: (values.tests ?? TESTS).join(' '),
    FW3640_MOST_TESTS: values.most,
    FW3640_SHARD: `${shard}/${jobs}`,
  };
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/mutation/vitest.config.ts',
    '--reporter=dot',
  ];
  const child = spawn(process.execPath, vitest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said = (said + text).slice(-4000)));
  return new Promise((done, fail) => {
    const watch = setInterval(() => {
      if (!existsSync(current)) return;
      const id = readFileSync(current, 'utf8');
      if (id === '' || (id !== 'spoiled' && Date.now() - statSync(current).mtimeMs < STUCK_MS)) return;
      if (id !== 'spoiled')
        appendFileSync(`${OUT}/results-${shard}.jsonl`, JSON.stringify({ killed: Number(id), by: 'no end' }) + '\n');
      clearInterval(watch);
      child.removeAllListeners('exit');
      child.on('exit', () => {
        children.delete(child);
        done(false);
      });
      child.kill('SIGKILL');
    }, 1000);
    child.on('exit', (code) => {
      children.delete(child);
      clearInterval(watch);
      if (code === 0) done(true);
      else fail(new Error(`the tests fail as they are:\n${said}`));
    });
  });
}

await Promise.all(
  Array.from({ length: jobs }, async (_, shard) => {
    while (!(await run(shard)));
  }),
);

const read = (name) => JSON.parse(readFileSync(`${OUT}/${name}`, 'utf8'));
const killed = new Map();
for (let shard = 0; shard < jobs; shard++) {
  const path = `${OUT}/results-${shard}.jsonl`;
  if (!existsSync(path)) continue;
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const result = JSON.parse(line);
    if (result.killed !== undefined) killed.set(result.killed, result.by);
    else if (result.unused !== undefined && shard === 0) console.log(`not used: ${result.unused}: ${result.why}`);
  }
}
const reached = Array.from({ length: jobs }, (_, shard) => read(`reached-${shard}.json`));
const ever = new Set(reached.flatMap((r) => r.ever));
const load = new Set(reached.flatMap((r) => r.load));

const rows = [];
const text = new Map();
for (const m of read('mutants.json')) {
  const row =
    text.get(m.file) ?? text.set(m.file, { file: m.file, killed: 0, alive: 0, unreached: 0, atLoad: 0 }).get(m.file);
  if (killed.has(m.id)) row.killed++;
  else if (ever.has(m.id)) row.alive++;
  else if (load.has(m.id)) row.atLoad++;
  else row.unreached++;
  const state = killed.has(m.id) ? '' : ever.has(m.id) ? 'alive' : load.has(m.id) ? '' : 'unreached';
  if (state !== '') console.log(`${state} ${m.file}:${m.line}:${m.column}  ${short(m.before)}  ->  ${short(m.after)}`);
}
for (const row of text.values()) {
  const counted = row.killed + row.alive + row.unreached;
  rows.push({ ...row, percent: counted === 0 ? 100 : Math.round((1000 * row.killed) / counted) / 10 });
}
console.table(rows);

function short(code) {
  const line = code.replace(/\s+/g, ' ');
  return line.length > 90 ? `${line.slice(0, 60)} … ${line.slice(-25)}` : line;
}
