#!/usr/bin/env node
// Runs the checks of checks.mjs on the machine outside. On inside and inside2 inside.mjs has to run.
//   run-checks.mjs [--list] [--only TEXT]
// One line a check, `N passed, N failed` last; exit code 1 if one failed.
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Agents } from './agents.mjs';
import { CHECKS } from './checks.mjs';
import { within } from './wait.mjs';

const CHECK_LIMIT_MS = 4 * 60_000;

const { values: options } = parseArgs({
  options: { list: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const print = (text) => process.stdout.write(`${text}\n`);
const chosen = Object.entries(CHECKS).filter(([name]) => name.includes(options.only));
if (options.list) {
  for (const [name] of chosen) print(name);
  process.exit();
}

const agents = await Agents.listen();
let passed = 0;
let failed = 0;
for (const [name, check] of chosen) {
  const began = performance.now();
  const attempt = async () => {
    const [inside, inside2] = [await agents.named('inside'), await agents.named('inside2')];
    await check({ agents, inside, inside2 });
  };
  let failure;
  try {
    await within('the check to end', attempt(), CHECK_LIMIT_MS);
  } catch (error) {
    failure = error;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (failure === undefined) {
    passed++;
    print(`ok      ${name} (${seconds} s)`);
  } else {
    failed++;
    print(`FAILED  ${name} (${seconds} s)`);
    print(String(failure.message).replace(/^/gm, '        '));
  }
}
print(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
