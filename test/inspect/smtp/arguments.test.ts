/** Arguments of MAIL, RCPT, ETRN and BDAT: what passes, and the first byte that does not. */
import { expect, test } from 'vitest';
import { ChunkArgument } from '../../../src/core/inspect/smtp/chunk.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import type { SmtpOptions } from '../../../src/core/policy.js';
import { bytes, Session } from './session.js';

const OFFER =
  '250-m\r\n250-SIZE\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-DSN\r\n250-ETRN\r\n250-SMTPUTF8\r\n250 AUTH X\r\n';

function esmtp(options: Partial<SmtpOptions> = {}): Session {
  const session = new Session('esmtp', { ...smtpDefaults(), ...options });
  session.server('220 ready\r\n');
  session.client('EHLO c\r\n');
  session.server(OFFER);
  session.reported.length = 0;
  return session;
}

test.each([
  'MAIL FROM:<>',
  'MAIL FROM: <a@b>',
  'MAIL From:<a@b> ',
  'MAIL FROM:a@b SIZE=1',
  'mail from:<a@b> size=1 body=binarymime',
  'MAIL FROM:<@x,@y:a@b> RET=FULL ENVID=+2B+3Db',
  'MAIL FROM:<"a b> SIZE=x"@c> SIZE=1',
  'MAIL FROM:<"a\\"> X=1"@c> SIZE=12345678901234567890',
  'MAIL FROM:<a@b> AUTH=<> SIZE=0',
  'MAIL FROM:<\u00fc@b>',
  'SEND FROM:<a@b> SIZE=1',
  'SAML FROM:<a@b>',
  'RCPT TO:<a@b> NOTIFY=FAILURE,SUCCESS,DELAY ORCPT=utf-8;a+40b',
  'RCPT TO:<Postmaster>',
  'RCPT TO:<a+decode@b>',
  'RCPT TO:<decoder@b>',
  'RCPT  TO : <a@b>',
  'ETRN example.org',
  'ETRN @example.org',
  'ETRN #queue',
  'VRFY a b=c|d',
])('esmtp passes %s', (line) => {
  const session = esmtp();
  expect(session.client(line + '\r\n')).toBe(line + '\r\n');
  expect(session.kinds.filter((kind) => kind !== 'bad-sequence')).toEqual([]);
});

test.each([
  ['MAIL FROM:<a@b> SIZE=12x', 'MAIL FROM:<a@b> SIZE=12x'], // x for x
  ['MAIL FROM:<a@b> SIZE=1k RET=FULL', 'MAIL FROM:<a@b> SIZE=1xxxxxxxxxx'],
  ['MAIL FROM:<a@b> SIZE=123456789012345678901', 'MAIL FROM:<a@b> SIZE=12345678901234567890x'],
  ['MAIL FROM:<a@b> SIZE= RET=FULL', 'MAIL FROM:<a@b> SIZE=xxxxxxxxx'],
  ['MAIL FROM:<a@b> SIZE RET=FULL', 'MAIL FROM:<a@b> SIZExxxxxxxxx'],
  ['MAIL FROM:<a@b> SIZE=1 SIZE=2', 'MAIL FROM:<a@b> SIZE=1 xxxxxx'],
  ['MAIL FROM:<a@b>SIZE=1', 'MAIL FROM:<a@b>xxxxxx'],
  ['MAIL FROM:<a@b> BODY=8BIT RET=FULL', 'MAIL FROM:<a@b> BODY=8BITxxxxxxxxx'],
  ['MAIL FROM:<a@b> BODY=9BIT', 'MAIL FROM:<a@b> BODY=xxxx'],
  ['MAIL FROM:<a@b> ENVID=a+4', 'MAIL FROM:<a@b> ENVID=a+4'], // incomplete: the server will say so
  ['MAIL FROM:<a@b> ENVID=a+4g', 'MAIL FROM:<a@b> ENVID=a+4x'],
  ['MAIL FROM:<a@b> ENVID=a=b', 'MAIL FROM:<a@b> ENVID=axx'],
  ['MAIL FROM:<a@b> ENVID=\u00fc', 'MAIL FROM:<a@b> ENVID=x'],
  ['MAIL FROM:<a@b> NOTIFY=NEVER', 'MAIL FROM:<a@b> xxxxxxxxxxxx'],
  ['MAIL FROM:<a@b> X=1', 'MAIL FROM:<a@b> xxx'],
  ['MAIL FROM:<a@b> SIZ', 'MAIL FROM:<a@b> SIZ'],
  ['MAIL TO:<a@b>', 'MAIL xxxxxxxx'],
  ['MAIL FORM:<a@b>', 'MAIL Fxxxxxxxxx'],
  ['RCPT TO:<a@b> NOTIFY=NEVER,DELAY', 'RCPT TO:<a@b> NOTIFY=NEVERxxxxxx'],
  ['RCPT TO:<a@b> NOTIFY=DELAY,NEVER', 'RCPT TO:<a@b> NOTIFY=DELAY,xxxxx'],
  ['RCPT TO:<a@b> NOTIFY=DELAY,', 'RCPT TO:<a@b> NOTIFY=DELAY,'],
  ['RCPT TO:<a@b> ORCPT=a@b', 'RCPT TO:<a@b> ORCPT=a@b'],
  ['RCPT TO:<a@b> ORCPT=;a@b', 'RCPT TO:<a@b> ORCPT=xxxx'],
  ['RCPT TO:<a@b> ORCPT=rfc822; X', 'RCPT TO:<a@b> ORCPT=rfc822;xx'],
  ['RCPT TO:<a@b> RET=FULL', 'RCPT TO:<a@b> xxxxxxxx'],
  ['ETRN example.org;rm', 'ETRN example.orgxxx'],
  ['ETRN a|b', 'ETRN axx'],
])('esmtp makes of %s: %s', (line, forwarded) => {
  for (const size of [1, 2, 3, 100]) {
    const session = esmtp();
    expect(session.client(line + '\r\n', size)).toBe(forwarded + '\r\n');
    expect(session.kinds).toEqual(expect.arrayContaining(['invalid-parameter']));
    const { finding } = session.reported.find((r) => r.finding.kind === 'invalid-parameter')!;
    // Overwriting an x with x alters nothing that one could see.
    expect(finding).toMatchObject({ before: line, after: forwarded });
  }
});

test('under smtp parameters are the server’s business', () => {
  const session = new Session('smtp', smtpDefaults());
  session.server('220 ready\r\n');
  for (const line of ['MAIL FROM:<a@b> SIZE=x FOO', 'MAIL foo', 'RCPT TO:<a@b>x=1']) {
    expect(session.client(line + '\r\n')).toBe(line + '\r\n');
  }
  expect(session.kinds).not.toContain('invalid-parameter');
});

test('a parameter that the administrator allows passes with any value', () => {
  const session = esmtp({ allow: ['SMTPUTF8', 'XORIG', 'BY', 'BYX'] });
  const line = 'MAIL FROM:<\u00c3\u00bc@b> SMTPUTF8 XORIG=1;2 BY=120;R SIZE=1\r\n';
  expect(session.client(line)).toBe(line);
  expect(session.client('MAIL FROM:<a@b> XORIG= BY\r\n')).toBe('MAIL FROM:<a@b> XORIG=xxx\r\n');
  expect(session.client('MAIL FROM:<a@b> BY=1 BY=2 BYX\r\n')).toBe('MAIL FROM:<a@b> BY=1 BYxxxxxx\r\n');
  expect(session.client('MAIL FROM:<a@b> SMTPUTF8=1\r\n')).toBe('MAIL FROM:<a@b> SMTPUTF8xx\r\n');
});

test.each([
  { text: ' 86', size: 86, last: false },
  { text: ' 0 LAST', size: 0, last: true },
  { text: ' 123456789012345 last', size: 123456789012345, last: true },
])('BDAT$text is a chunk of $size', ({ text, size, last }) => {
  const chunk = new ChunkArgument();
  chunk.begin(false);
  expect(Array.from(bytes(text)).every((c) => chunk.step(c))).toBe(true);
  expect([chunk.complete, chunk.size, chunk.last]).toEqual([true, size, last]);
});

test.each([
  '',
  ' ',
  ' 0',
  '  5',
  ' +5',
  ' -5',
  ' 05',
  ' 00',
  ' 5x',
  ' 5 ',
  ' 5  LAST',
  ' 5 LAS',
  ' 5 LASTX',
  ' 5 LAST ',
  ' 0x5',
  '\t5',
  ' 1234567890123456',
])('BDAT%j is no chunk: servers read it differently', (text) => {
  const chunk = new ChunkArgument();
  chunk.begin(false);
  const fits = Array.from(bytes(text)).every((c) => chunk.step(c));
  expect(fits && chunk.complete).toBe(false);
  // ... and ends the session, wherever it is cut.
  for (const size of [1, 100]) {
    const session = new Session('esmtp', { ...smtpDefaults(), allow: ['BDAT'] });
    session.server('220 ready\r\n');
    session.client('EHLO c\r\n');
    session.server('250-m\r\n250 CHUNKING\r\n');
    session.client(`BDAT${text}\r\n`, size);
    expect(session.reset).toBe(true);
    expect(session.reported.at(-1)?.finding).toMatchObject({ kind: 'invalid-parameter', action: 'reset' });
  }
});
