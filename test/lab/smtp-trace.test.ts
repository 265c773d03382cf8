/**
 * The trace test: the session that was recorded on a real router, written segment by segment through real kernels, makes
 * `debug ip inspect smtp` print the recorded lines. Only the clock differs. The pure core does the same in
 * test/inspect/smtp/trace.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RECORDED_SEGMENTS } from '../inspect/smtp/recorded-session.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

/** `service timestamps debug datetime msec`, with the asterisk of a clock that nobody has set. */
const TIME_STAMP = /^\*?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: /;
const SMTP_LINE = /CBAC SMTP: /;

let lab: Lab;
let router: Fw3640;
let server: TcpServer;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, { args: ['--log-format', 'ios'] });
  server = await TcpServer.listen(lab, 'inside', 25);
});
afterAll(() => lab.down());

function recordedLines(): string[] {
  const rows = readFileSync(join(ROOT, 'test/golden/debug-trace.csv'), 'latin1').trim().split('\r\n').slice(1);
  return rows.map((row) => row.split(',').slice(7).join(',').replace(/^"|"$/g, ''));
}

const printedLines = (): string[] => router.process.stdout.split('\n').filter((line) => SMTP_LINE.test(line));

test('the recorded session prints the recorded 117 lines', async () => {
  expect(router.console('debug ip inspect smtp')).toContain('INSPECT SMTP Inspection debugging is on');
  const client = await openTcp(lab, 'outside', '172.22.1.110', 25);
  const accepted = await server.connection(1);
  for (const [fromClient, segment] of RECORDED_SEGMENTS) {
    const [from, to] = fromClient ? [client, accepted] : [accepted, client];
    const whole = to.text.length + segment.length;
    from.write(segment);
    // Only when it has arrived does the next one leave: what is typed quickly could share a segment.
    await until(JSON.stringify(segment), () => to.text.length === whole);
  }
  const recorded = recordedLines();
  expect(recorded).toHaveLength(117);
  await until('the last line', () => printedLines().length >= recorded.length);
  for (const line of printedLines()) expect(line).toMatch(TIME_STAMP);
  expect(printedLines().map((line) => line.replace(TIME_STAMP, ''))).toEqual(
    recorded.map((line) => `CBAC SMTP: ${line}`),
  );
});

test('`undebug all` ends it', async () => {
  expect(router.console('undebug all')).toContain('All possible debugging has been turned off');
  const before = printedLines().length;
  const n = server.connections.length + 1;
  const client = await openTcp(lab, 'outside', '172.22.1.110', 25);
  const accepted = await server.connection(n);
  client.write('EXPN\r\n');
  await until('the masked line', () => accepted.text === 'xxxx\r\n');
  await until('its message', () => router.process.stdout.includes('"EXPN" became "xxxx"'));
  expect(printedLines().length).toBe(before);
});
