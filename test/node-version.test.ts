import { expect, test } from 'vitest';
import { nodeComplaint } from '../src/app/node-version.js';

test.each([
  { version: '18.20.4', complains: true },
  { version: '9.0.0', complains: true },
  { version: '20.0.0', complains: false },
  { version: '26.1.0', complains: false },
])('Node $version: complains is $complains', ({ version, complains }) => {
  const text = nodeComplaint(version);
  expect(text !== undefined).toBe(complains);
  if (complains) expect(text).toContain(`Node.js ${version}`);
});
