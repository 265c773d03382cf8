/** `debug ip inspect smtp`: the session that was recorded on a real router, replayed into the inspector. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { replayRecordedSession } from './recorded-session.js';

test('the recorded session prints the 117 lines that the router printed', () => {
  const csv = readFileSync(new URL('../../golden/debug-trace.csv', import.meta.url), 'latin1');
  const recorded = csv
    .trim()
    .split('\r\n')
    .slice(1)
    .map((row) => row.split(',').slice(7).join(',').replace(/^"|"$/g, ''));
  expect(recorded).toHaveLength(117);
  expect(replayRecordedSession()).toEqual(recorded);
});
