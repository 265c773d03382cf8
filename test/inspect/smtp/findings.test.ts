/** What is reported of an intervention: the line before and after, why, where, and how much memory a line can cost. */
import { expect, test } from 'vitest';
import { AUTH_LINE_LIMIT, COMMAND_LINE_LIMIT, PIPELINE_LIMIT } from '../../../src/inspect/smtp/grammar.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { Session } from './session.js';

function session(protocol: 'smtp' | 'esmtp' = 'smtp'): Session {
  const s = new Session(protocol, smtpDefaults());
  s.server('220 ready\r\n');
  return s;
}

test('a masked command tells the line before and after, the reason and the stream position', () => {
  const s = session();
  s.client('NOOP\r\nEXPN root\r\n');
  expect(s.reported).toEqual([
    {
      finding: {
        kind: 'invalid-command',
        before: 'EXPN root',
        after: 'xxxxxxxxx',
        why: 'unknown command',
        action: 'masked',
        altered: true,
      },
      fromInitiator: true,
      offset: 6,
    },
  ]);
  expect(s.counters).toMatchObject({ 'invalid-command': 1, 'bare-line-break': 0 });
});

test('typed letter by letter, what went out before the fault stays, and the finding says so', () => {
  const s = session();
  expect(s.client('RCPX TO:<a>\r\n', 1)).toBe('RCPxxxxxxxx\r\n');
  expect(s.reported.at(-1)).toMatchObject({ finding: { before: 'RCPX TO:<a>', after: 'RCPxxxxxxxx' }, offset: 3 });
  expect(s.client('NOOPX\r\n', 1)).toBe('NOOPx\r\n');
  expect(s.client('EHLO\r\n', 1)).toBe('xxxx\r\n');
  expect(s.reported.at(-1)!.finding).toMatchObject({ why: 'command not allowed' });
});

test('a legal verb typed letter by letter is never masked', () => {
  const s = session('esmtp');
  for (const verb of [
    'AUTH X',
    'EHLO c',
    'ETRN c',
    'HELO c',
    'HELP',
    'NOOP',
    'RSET',
    'VRFY c',
    'SAML FROM:<>',
    'QUIT',
  ]) {
    expect(s.client(verb + '\r\n', 1)).toBe(verb + '\r\n');
    s.server('500 no\r\n');
  }
  expect(s.kinds.filter((kind) => kind !== 'bad-sequence')).toEqual([]);
});

test('dry run: the finding says masked and not altered, and the line goes on as it came', () => {
  const s = new Session('smtp', { ...smtpDefaults(), monitorOnly: true });
  s.server('220 ready\r\n');
  s.client('EXPN root\r\n');
  const text = { before: 'EXPN root', after: 'EXPN root' };
  expect(s.reported[0]!.finding).toMatchObject({ kind: 'invalid-command', action: 'masked', altered: false, ...text });
});

test.each([
  { line: 'AUTH PLAIN AGFsaWNl', before: 'AUTH PLAIN ***' },
  { line: 'auth  plain\tAGFsaWNl', before: 'auth  plain ***' },
  { line: 'AUTHAGFsaWNl', before: 'AUTH ***' },
  { line: 'AUTH', before: 'AUTH ***' },
])('credentials of the masked line $line are not reported', ({ line, before }) => {
  const s = session();
  s.client(line + '\r\n');
  const { finding } = s.reported[0]!;
  expect(JSON.stringify(finding)).not.toContain('AGFsaWNl');
  expect(finding).toMatchObject({ before });
});

test('what is sent behind AUTH is not reported, nor a response with a bare line break', () => {
  const s = session('esmtp');
  s.client('AUTH LOGIN\r\nc2VjcmV0\r\n');
  expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'command-behind', command: 'AUTH', before: '***' });
  const t = session('esmtp');
  t.client('AUTH LOGIN\r\n');
  t.server('334 x\r\n');
  t.client('c2VjcmV0\nEXPN\r\n');
  expect(t.reported.at(-1)!.finding).toMatchObject({ kind: 'bare-line-break', before: '***', after: '***' });
});

test('a bare CR in an AUTH response is overwritten; one that went out already ends the session', () => {
  const s = session('esmtp');
  s.client('AUTH LOGIN\r\n');
  s.server('334 x\r\n');
  expect(s.client('c2Vj\rEXPN\r\n')).toBe('c2Vjxxxxx\r\n');
  expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'bare-line-break', action: 'masked' });
  s.server('334 x\r\n');
  s.client('c2Vj\r');
  s.client('EXPN\r\n');
  expect(s.reset).toBe(true);
  expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'bare-line-break', before: '***', action: 'reset' });
});

test('responses of an AUTH exchange leave no trace', () => {
  const s = session('esmtp');
  s.client('AUTH LOGIN\r\n');
  s.server('334 x\r\n');
  s.debug = true;
  s.client('c2VjcmV0\r\n', 1);
  expect(s.lines).toEqual([]);
});

test('a line over the limit is masked from there on, reported once, and costs no more memory', () => {
  const s = session();
  const good = 'NOOP ' + 'a'.repeat(COMMAND_LINE_LIMIT - 2 - 5);
  expect(s.client(good + '\r\n')).toBe(good + '\r\n');
  expect(s.reported).toEqual([]);
  expect(s.client(good + 'bb')).toBe(good + 'xx');
  for (let i = 0; i < 100; i++) expect(s.client('c'.repeat(1000))).toBe('x'.repeat(1000));
  expect(s.client('c\r\n')).toBe('x\r\n');
  expect(s.kinds).toEqual(['line-too-long']);
  const { finding, offset } = s.reported[0]!;
  expect(finding).toMatchObject({ limit: COMMAND_LINE_LIMIT, action: 'masked' });
  expect(offset).toBe(good.length + 2 + good.length);
  expect(finding.kind === 'line-too-long' && finding.before.length).toBe(512);
  expect(s.client('NOOP\r\n')).toBe('NOOP\r\n');
});

test('line-length raises the limit of every command', () => {
  const s = new Session('smtp', { ...smtpDefaults(), lineLength: 600 });
  const good = 'NOOP ' + 'a'.repeat(600 - 2 - 5);
  s.server('220 ready\r\n');
  expect(s.client(good + '\r\n')).toBe(good + '\r\n');
  expect(s.client(good + 'b\r\n')).toBe(good + 'x\r\n');
});

test('parameters may make MAIL longer, not other commands', () => {
  const s = session();
  const mail = `MAIL FROM:<${'a'.repeat(600)}@b>\r\n`;
  expect(s.client(mail)).toBe(mail);
  expect(s.client(`VRFY ${'a'.repeat(600)}\r\n`)).toMatch(/xxx\r\n$/);
});

test('an AUTH response may have 12288 bytes, and is masked beyond', () => {
  const s = session('esmtp');
  s.client('AUTH GSSAPI\r\n');
  s.server('334 \r\n');
  const response = 'A'.repeat(AUTH_LINE_LIMIT - 2);
  expect(s.client(response, 1000)).toBe(response);
  expect(s.client('AAA\r\n')).toBe('xxx\r\n');
  expect(s.kinds).toEqual(['bad-sequence', 'line-too-long']);
});

test('a reply line over its limit is noted once and passes', () => {
  const s = session();
  s.client('NOOP\r\n');
  const reply = `250 ${'a'.repeat(5000)}\r\n`;
  expect(s.server(reply, 100)).toBe(reply);
  expect(s.kinds).toEqual(['long-reply']);
});

test('more commands than replies can be followed for: reported and reset', () => {
  const s = session();
  const room = PIPELINE_LIMIT;
  s.client('NOOP\r\n'.repeat(room));
  expect([s.reset, s.kinds]).toEqual([false, []]);
  s.server('250 Ok\r\n'.repeat(3));
  s.client('NOOP\r\n'.repeat(3));
  expect(s.reset).toBe(false);
  s.client('NOOP\r\n');
  expect(s.reset).toBe(true);
  expect(s.reported.at(-1)!.finding).toMatchObject({
    kind: 'pipeline-overflow',
    limit: PIPELINE_LIMIT,
    action: 'reset',
  });
});

test('an inspector that has reset its session passes nothing more', () => {
  const s = session();
  s.client('WIZ\r\n');
  s.reset = false; // as if the session layer had not listened
  expect(s.client('NOOP\r\n')).toBe('');
  expect(s.server('250 Ok\r\n')).toBe('');
});

test('a mail over max-data in chunks is refused before its octets', () => {
  const s = new Session('esmtp', { ...smtpDefaults(), maxData: 10, allow: ['BDAT'] });
  s.server('220 ready\r\n');
  s.client('EHLO c\r\n');
  s.server('250-m\r\n250 CHUNKING\r\n');
  s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6\r\n123456BDAT 4 LAST\r\n1234');
  expect(s.reset).toBe(false);
  s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6\r\n123456');
  s.client('BDAT 5\r\n');
  expect(s.reset).toBe(true);
  expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'max-data-exceeded', limit: 10 });
});

test('a longer verb that is allowed does not open the way for a shorter one', () => {
  const s = new Session('esmtp', { ...smtpDefaults(), allow: ['BDAT', 'BDATX', 'EXPNS'] });
  s.server('220 ready\r\n');
  expect(s.client('BDATX 5\r\n')).toBe('BDATX 5\r\n');
  expect(s.client('BDAT 5\r\n')).toBe('xxxxxx\r\n'); // CHUNKING was not offered
  expect(s.client('EXPN a\r\n')).toBe('xxxxxx\r\n');
  expect(s.client('EXPNS a\r\n', 1)).toBe('EXPNS a\r\n');
});

test('a server that counts otherwise cannot lock the client out: the count finds back', () => {
  const s = session('esmtp');
  // The empty line is passed over in silence, so DATA's refusal seems to be its answer.
  s.client('\r\nDATA\r\n');
  s.server('503 no\r\n');
  expect(s.client('RSET\r\n')).toBe('xxxx\r\n');
  s.server('500 no\r\n');
  expect(s.client('RSET\r\n')).toBe('RSET\r\n');
  s.server('250 Ok\r\n');
  expect(s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n')).toMatch(/DATA\r\n$/);
  s.server('250 Ok\r\n250 Ok\r\n354 go\r\n');
  expect(s.client('EXPN\r\n.\r\n')).toBe('EXPN\r\n.\r\n');
});
