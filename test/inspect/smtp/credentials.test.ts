/** Credentials reach no log: not in AUTH, not where a response comes astray, not in any other trace of the dialogue. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { Session } from './session.js';

const SECRET = 'c2VjcmV0cGFzc3dvcmQ=';
const PIECES = ['c2Vj', 'cmV0', 'cGFz', 'd29y'];

function begin(protocol: 'smtp' | 'esmtp' = 'esmtp', allow: string[] = []): Session {
  const s = new Session(protocol, { ...smtpDefaults(), allow });
  s.debug = true;
  s.server('220 ready\r\n');
  return s;
}

/** All that was said about the session. */
const told = (s: Session): string => JSON.stringify(s.reported) + s.lines.join('\n');

/** What happened before the client goes on sending base64. */
const STORIES: readonly {
  name: string;
  protocol?: 'smtp';
  allow?: string[];
  lines: readonly (readonly [boolean, string])[];
}[] = [
  {
    name: 'AUTH LOGIN refused',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '535 no\r\n'],
    ],
  },
  {
    name: 'AUTH masked',
    protocol: 'smtp',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '500 no\r\n'],
    ],
  },
  {
    name: 'AUTH with a blank before it',
    lines: [
      [true, ' AUTH LOGIN\r\n'],
      [false, '500 no\r\n'],
    ],
  },
  {
    name: 'AUTH refused by its challenge',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '334 VXNlcm5hbWU6\r\n'],
      [true, '*\r\n'],
      [false, '501 no\r\n'],
    ],
  },
  {
    name: 'an exchange that the server ended',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '334 VXNlcm5hbWU6\r\n'],
      [false, '454 slow\r\n'],
    ],
  },
  {
    name: 'AUTH done',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '334 VXNlcm5hbWU6\r\n'],
      [true, 'YQ==\r\n'],
      [false, '235 Ok\r\n'],
    ],
  },
  { name: 'AUTH not answered', lines: [[true, 'AUTH LOGIN\r\n']] },
  {
    name: 'X-EXPS masked',
    lines: [
      [true, 'X-EXPS LOGIN\r\n'],
      [false, '500 no\r\n'],
    ],
  },
  {
    name: 'X-EXPS refused',
    allow: ['X-EXPS'],
    lines: [
      [true, 'X-EXPS LOGIN\r\n'],
      [false, '535 no\r\n'],
    ],
  },
  {
    name: 'empty lines between',
    lines: [
      [true, 'AUTH LOGIN\r\n\r\n'],
      [false, '535 no\r\n500 no\r\n'],
    ],
  },
  {
    name: 'another unknown line between',
    lines: [
      [true, 'AUTH LOGIN\r\n'],
      [false, '535 no\r\n'],
      [true, 'dXNlcg==\r\n'],
      [false, '500 no\r\n'],
    ],
  },
];

describe.each(STORIES)('a password behind: $name', ({ protocol, allow, lines }) => {
  test.each([1, 3, 100])('in pieces of %i', (size) => {
    for (const sent of [`${SECRET}\r\n`, `${SECRET}\n`, SECRET, `${SECRET.repeat(40)}\r\n`, `HELP${SECRET}\r\n`]) {
      const s = begin(protocol, allow);
      for (const [fromClient, text] of lines) s.send(fromClient, text);
      s.client(sent, size);
      s.finish();
      for (const piece of PIECES) expect(told(s)).not.toContain(piece);
    }
  });
});

test('how long it is, and its first letters, are not told either', () => {
  const of = (secret: string): string => {
    const s = begin();
    s.client('AUTH LOGIN\r\n');
    s.server('535 no\r\n');
    s.client(`${secret}\r\n`, 1);
    return told(s);
  };
  expect(of('cXV1eA==')).toBe(of('SEVMUHNlY3JldHNlY3JldHNlY3JldA=='));
});

test('the next known verb ends it: unknown commands are told again', () => {
  const s = begin();
  s.client('AUTH LOGIN\r\n');
  s.server('535 no\r\n');
  s.client('NOOP\r\n');
  s.server('250 Ok\r\n');
  s.client('EXPN root\r\n');
  expect(s.reported.at(-1)!.finding).toMatchObject({ before: 'EXPN root', after: 'xxxxxxxxx' });
});

test.each([
  { line: 'AUTH PLAIN c2VjcmV0', before: 'AUTH PLAIN ***' },
  { line: 'AUTH c2VjcmV0', before: 'AUTH ***' },
  { line: '\tauth xoauth2 c2VjcmV0', before: '\tauth xoauth2 ***' },
  { line: 'xx AUTH LOGIN', before: 'xx AUTH ***' },
  { line: 'X-EXPS NTLM c2VjcmV0', before: 'X-EXPS NTLM ***' },
  { line: 'XAUTH LOGIN c2VjcmV0', before: 'XAUTH LOGIN ***' },
  { line: 'PASS c2VjcmV0', before: 'PASS ***' },
])('of the masked line $line, $before is told', ({ line, before }) => {
  const s = begin('smtp');
  s.client(line + '\r\n');
  expect(s.reported.map(({ finding }) => finding)).toMatchObject([{ before, after: '***' }]);
});

test('a mailbox that is called so is no secret', () => {
  const s = begin();
  s.client('MAIL FROM:<auth@pass> X=1\r\n');
  expect(s.reported[0]!.finding).toMatchObject({ before: 'MAIL FROM:<auth@pass> X=1' });
});

test('whatever a client sends around its responses, none of them is told', () => {
  const line = fc.constantFrom(
    'AUTH LOGIN\r\n',
    'auth login\r\n',
    'X-EXPS LOGIN\r\n',
    '\r\n',
    `${SECRET}\r\n`,
    `${SECRET}\n`,
    '*\r\n',
  );
  const reply = fc.constantFrom('334 a\r\n', '535 no\r\n', '500 no\r\n', '235 Ok\r\n', '454 no\r\n', '421 bye\r\n');
  const steps = fc.array(
    fc.oneof(
      line.map((l) => [true, l] as const),
      reply.map((r) => [false, r] as const),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 30 }), fc.constantFrom('smtp', 'esmtp'), (talk, size, protocol) => {
      const s = begin(protocol);
      s.client('AUTH LOGIN\r\n');
      for (const [fromClient, text] of talk) s.send(fromClient, text, size);
      s.finish();
      for (const piece of PIECES) expect(told(s)).not.toContain(piece);
    }),
    { numRuns: 1000 },
  );
});
