/** What a session keeps between its packets. `Session` hands it from one inspector to another wherever it is at rest. */
import { expect, test } from 'vitest';
import { FlatMemory } from '../../../src/core/memory/flat-memory.js';
import { newSmtpCounters } from '../../../src/core/inspect/smtp/finding.js';
import { newSmtpSession, SMTP_WORDS, SmtpInspector } from '../../../src/core/inspect/smtp/inspector.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { bytes, Session } from './session.js';

const host = { debug: false, trace: () => undefined, report: () => undefined };
const inspector = (): SmtpInspector => new SmtpInspector('smtp', smtpDefaults(), host, newSmtpCounters());

/** Plays `client: …` and `server: …` by turns, each answered or asked in between. */
function play(s: Session, lines: readonly string[]): void {
  for (const line of lines) {
    const text = line.slice(2);
    if (line.startsWith('c ')) s.client(text);
    else s.server(text);
  }
}

const ENVELOPE = [
  'c MAIL FROM:<a@b>\r\n',
  's 250 ok\r\n',
  'c RCPT TO:<c@d>\r\n',
  's 250 ok\r\n',
] as const satisfies readonly string[];
const TO_DATA = ['s 220 hi\r\n', 'c HELO c\r\n', 's 250 hi\r\n', ...ENVELOPE, 'c DATA\r\n', 's 354 go\r\n'];

test('a session that begins is what a new inspector has', () => {
  const saved = new FlatMemory(SMTP_WORDS);
  inspector().save(saved, 0);
  const begun = new FlatMemory(SMTP_WORDS);
  begun.words.fill(-1);
  newSmtpSession(begun, 0);
  expect(begun.words).toEqual(saved.words);
});

test.each([
  ['between two lines', '', '', true],
  ['within a command', 'NOO', '', false],
  ['behind its CR', 'NOOP\r', '', false],
  ['within a reply', '', '25', false],
  ['within a reply of several lines', '', '250-more\r\n', true],
  ['with four replies to come', 'NOOP\r\n'.repeat(4), '', true],
  ['with five', 'NOOP\r\n'.repeat(5), '', false],
  ['reset', 'NO WIZ\r\nWIZ\r\nNO', '', true],
])('a session %s is at rest or not', (_, client, server, want) => {
  const one = inspector();
  for (const [fromClient, text] of [
    [false, '220 ready\r\n'],
    [true, client],
    [false, server],
  ] as const) {
    const b = bytes(text);
    if (fromClient) one.fromInitiator(b, 0, b.length);
    else one.fromResponder(b, 0, b.length, 0, 0);
  }
  expect(one.atRest).toBe(want);
});

test('chunks count together', () => {
  const s = new Session('esmtp', { ...smtpDefaults(), maxData: 10, allow: ['BDAT'] });
  play(s, ['s 220 hi\r\n', 'c EHLO c\r\n', 's 250-hi\r\n', 's 250 CHUNKING\r\n', ...ENVELOPE]);
  expect(['BDAT 6\r\n', '123', '456'].map((text) => s.client(text))).toEqual(['BDAT 6\r\n', '123', '456']);
  s.server('250 ok\r\n');
  expect(s.client('NOOP\r\n')).toBe('NOOP\r\n');
  s.server('250 ok\r\n');
  expect(s.client('BDAT 5 LAST\r\n')).toBe('');
  expect(s.kinds).toEqual(['max-data-exceeded']);
});

test('message data counts together', () => {
  const s = new Session('smtp', { ...smtpDefaults(), maxData: 18 });
  play(s, [...TO_DATA, 'c x: y\r\n\r\n', 'c 0123456789']);
  expect(s.reset).toBe(false);
  s.client('0');
  expect(s.kinds).toEqual(['max-data-exceeded']);
});

test('findings tell the position in the whole stream, of either side', () => {
  const s = new Session('smtp', smtpDefaults());
  play(s, ['s 220 hi\r\n', 'c NOOP\r\n', 's 250 ok\r\n', 'c EXPN x\r\n', 's 500 no\r\n', 's 250 what for?\r\n']);
  expect(s.reported.map((r) => [r.finding.kind, r.fromInitiator, r.offset])).toEqual([
    ['invalid-command', true, 6],
    ['unexpected-reply', false, 24],
  ]);
});

test('an offer of several lines counts as one, and so does a reply that is malformed', () => {
  const s = new Session('esmtp', smtpDefaults());
  play(s, ['s 220 hi\r\n', 'c EHLO c\r\n', 's 250-hi\r\n', 's 250-SIZE\r\n', 's 250 DSN\r\n']);
  expect(s.client('MAIL FROM:<a@b> SIZE=1 RET=HDRS\r\n')).toBe('MAIL FROM:<a@b> SIZE=1 RET=HDRS\r\n');
  play(s, ['s what\r\n', 's is\r\n', 's that\r\n', 's 250 ok\r\n']);
  expect(s.kinds).toEqual(['malformed-reply']);
});

test('what is said once a session is said once', () => {
  const s = new Session('smtp', smtpDefaults());
  play(s, ['c NOOP\r\n', 'c NOOP\r\n', 's 220 hi\r\n', 'c NOOP\r\n']);
  expect(s.kinds).toEqual(['early-command']);
});

test('a header is read on where it was left', () => {
  const s = new Session('smtp', smtpDefaults());
  play(s, [...TO_DATA, 'c Subject: x\r\n', 'c Reply-', 'c To', 'c : `', 'c /bin/sh']);
  expect(s.kinds).toEqual(['signature']);
});
