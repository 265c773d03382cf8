/** What is reported of an intervention: the line before and after, why, where, and how much memory a line can cost. */
import { describe, expect, test } from 'vitest';
import { COMMAND_LINE_LIMIT, LONGEST_LINE, PIPELINE_LIMIT } from '../../../src/core/inspect/smtp/grammar.js';
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
        why: 'unknown',
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
  expect(s.reported.at(-1)!.finding).toMatchObject({ why: 'not-allowed' });
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
  for (let i = 0; i < 11; i++) expect(s.client('c'.repeat(1000))).toBe('x'.repeat(1000));
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

describe('a line of more than 12288 bytes, which some server cuts in two and answers twice, resets', () => {
  const why = 'too-long';

  test.each([1000, LONGEST_LINE + 1])('a command, in pieces of %i', (size) => {
    const longest = `EXPN ${'a'.repeat(LONGEST_LINE - 7)}\r\n`;
    const s = session('esmtp');
    expect(s.client(longest, size)).toMatch(/^x+\r\n$/);
    s.server('500 no\r\n');
    s.client(`a${longest}`, size);
    expect(s.reset).toBe(true);
    expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'line-too-long', limit: LONGEST_LINE, why });
    expect(s.toServer.length).toBeLessThanOrEqual(2 * LONGEST_LINE);
  });

  test.each([1000, LONGEST_LINE + 1])('an AUTH response, in pieces of %i', (size) => {
    const s = session('esmtp');
    s.client('AUTH GSSAPI\r\n');
    s.server('334 \r\n');
    const response = 'A'.repeat(LONGEST_LINE - 2) + '\r\n';
    expect(s.client(response, size)).toBe(response);
    s.server('334 \r\n');
    s.client(`A${response}`, size);
    expect(s.reset).toBe(true);
    expect(s.kinds).toEqual(['bad-sequence', 'line-too-long']);
    expect(s.reported.at(-1)!.finding).toMatchObject({ before: '***', after: '***', why, action: 'reset' });
  });

  test('AUTH too, whatever line-length says', () => {
    const s = new Session('esmtp', { ...smtpDefaults(), lineLength: LONGEST_LINE });
    s.server('220 ready\r\n');
    s.client(`AUTH PLAIN ${'A'.repeat(LONGEST_LINE)}\r\n`);
    expect([s.reset, s.toServer]).toEqual([true, '']);
  });
});

test('a reply line over its limit is noted once and passes', () => {
  const s = session();
  s.client('NOOP\r\n');
  const reply = `250 ${'a'.repeat(5000)}\r\n`;
  expect(s.server(reply, 100)).toBe(reply);
  expect(s.kinds).toEqual(['long-reply']);
});

test('more commands than replies can be followed for wait until there is room: TCP repeats them', () => {
  const s = session();
  let sent = 0;
  let answered = 0;
  for (let rounds = 0; sent < 10_000; rounds++) {
    const group = Math.min(241, 10_000 - sent); // a segment of 1,448 bytes
    if (s.client('NOOP\r\n'.repeat(group)) === '') {
      expect(sent - answered).toBeGreaterThan(PIPELINE_LIMIT - group);
      expect(s.server('250 Ok\r\n'.repeat(100))).not.toBe('');
      answered += 100;
    } else sent += group;
    expect(rounds).toBeLessThan(1000);
  }
  s.server('250 Ok\r\n'.repeat(sent - answered));
  expect([s.reset, s.kinds, s.toServer.length]).toEqual([false, [], 6 * 10_000]);
  expect(s.refused).toBeGreaterThan(0);
  expect(s.client('EXPN x\r\n')).toBe('xxxxxx\r\n');
});

test('a segment of more lines than can be followed at all waits to come in smaller ones; message data has no lines', () => {
  const s = session();
  const group = '\r\n'.repeat(PIPELINE_LIMIT + 1);
  expect([s.client(group), s.refused]).toEqual(['', 1]);
  expect(s.client(group.slice(2), 1460)).toBe(group.slice(2));
  s.server('500 no\r\n'.repeat(PIPELINE_LIMIT));
  s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
  s.server('250 Ok\r\n250 Ok\r\n354 go\r\n');
  const mail = `${group.repeat(10)}.\r\nNOOP\r\n`;
  expect(s.client(mail)).toBe(mail);
  expect([s.reset, s.kinds]).toEqual([false, ['bad-sequence']]);
});

test('where a mail ends in a segment with more lines than can be followed, the session is reset', () => {
  const s = session();
  s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
  s.server('250 Ok\r\n250 Ok\r\n354 go\r\n');
  s.client('.\r\n' + 'NOOP\r\n'.repeat(PIPELINE_LIMIT));
  expect(s.reported.at(-1)!.finding).toMatchObject({ kind: 'pipeline-overflow', limit: PIPELINE_LIMIT });
  expect(s.reset).toBe(true);
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
  s.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n');
  s.server('250 Ok\r\n250 Ok\r\n');
  s.client('BDAT 6\r\n123456BDAT 4 LAST\r\n1234MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n');
  s.server('250 Ok\r\n'.repeat(4));
  expect(s.reset).toBe(false);
  s.client('BDAT 6\r\n123456');
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

test('where a server counts otherwise, the session ends: nothing is made of replies whose line is not known', () => {
  const s = session('esmtp');
  // The empty line is passed over in silence, so DATA's refusal seems to be its answer, and so on.
  s.client('\r\nDATA\r\n');
  s.server('503 no\r\n');
  expect(s.client('RSET\r\n')).toBe('xxxx\r\n');
  s.server('500 no\r\n');
  expect(s.client('RSET\r\n')).toBe('RSET\r\n');
  s.server('250 Ok\r\n');
  expect([s.reset, s.kinds.at(-1)]).toEqual([true, 'unexpected-reply']);
});

describe('what is found is reported when it is made', () => {
  test('lines that end with LF alone', () => {
    const s = session();
    expect(s.client('EXPN root\n')).toBe('xxxxxxxxxx');
    expect(s.reported).toMatchObject([{ finding: { kind: 'invalid-command', before: 'EXPN root\n' }, offset: 0 }]);
    s.client('NOOP\n'.repeat(50));
    expect(s.kinds).toEqual(['invalid-command']);
  });

  test.each([
    { name: 'a command that never ends', send: (s: Session) => s.client('EXPN ro'), kinds: ['invalid-command'] },
    { name: 'a good one', send: (s: Session) => s.client('NOO'), kinds: [] },
    { name: 'an offer that never ends', send: offer, kinds: ['extension-masked'] },
  ])('$name: at the end of the session', ({ send, kinds }) => {
    const s = session('esmtp');
    send(s);
    expect(s.kinds).toEqual([]);
    s.finish();
    s.finish();
    expect(s.kinds).toEqual(kinds);
  });

  test('a command that never ends, where a reply resets the session', () => {
    const s = session();
    s.client('EXPN ro');
    s.server('250 what?\r\n');
    expect(s.kinds).toEqual(['invalid-command', 'unexpected-reply']);
  });

  test('an AUTH response that never ends', () => {
    const s = session('esmtp');
    s.client('AUTH LOGIN\r\n');
    s.server('334 x\r\n');
    s.client('c2VjcmV0\n');
    expect(s.kinds.at(-1)).toBe('bare-line-break');
  });

  function offer(s: Session): void {
    s.client('EHLO c\r\n');
    s.server('250-m\r\n250-STARTTLS');
  }
});
