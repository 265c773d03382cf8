/** CBAC's mail signatures: a hit is reported and the connection reset, wherever the bytes are cut. */
import { expect, test } from 'vitest';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { Session } from './session.js';

const ENVELOPE = 'MAIL FROM:<a@b>\r\nRCPT TO:<majordomo@d>\r\nDATA\r\n';

function session(monitorOnly = false): Session {
  const s = new Session('smtp', { ...smtpDefaults(), monitorOnly });
  s.server('220 ready\r\n');
  return s;
}

function inMail(s: Session): Session {
  s.client(ENVELOPE);
  s.server('250 Ok\r\n250 Ok\r\n354 go\r\n');
  s.reported.length = 0;
  return s;
}

test.each([
  { id: 3101, sent: 'RCPT TO:<|/bin/sh>\r\n' },
  { id: 3101, sent: 'RCPT TO:|/bin/sh\r\n' },
  { id: 3101, sent: 'rcpt to: "|/usr/bin/tail"\r\n' },
  { id: 3101, sent: 'RCPT |x\r\n' },
  { id: 3102, sent: 'MAIL FROM:<|/bin/sh>\r\n' },
  { id: 3102, sent: 'SOML FROM: |x\r\n' },
  { id: 3104, sent: 'WIZ\r\n' },
  { id: 3104, sent: 'wiz pass\r\n' },
  { id: 3104, sent: 'DEBUG\r\n' },
  { id: 3104, sent: 'Debug\n\r\n' },
  { id: 3105, sent: 'RCPT TO:<decode@d>\r\n' },
  { id: 3105, sent: 'RCPT TO:<UUDECODE>\r\n' },
  { id: 3105, sent: 'RCPT TO: decode\r\n' },
  { id: 3105, sent: 'RCPT TO:<"decode"@d>\r\n' },
  { id: 3105, sent: 'RCPT TO:<@x:decode@d>\r\n' },
])('signature $id on $sent', ({ id, sent }) => {
  for (const size of [1, 2, 5, 100]) {
    const s = session();
    s.client(sent, size);
    expect(s.reset).toBe(true);
    expect(s.reported.at(-1)?.finding).toMatchObject({ kind: 'signature', id, action: 'reset', altered: true });
    expect(s.counters.signature).toBe(1);
  }
});

test.each([
  { id: 3105, sent: 'To: decode@host\r\n' },
  { id: 3105, sent: 'Subject: x\r\nCc:decode@host\r\n' },
  { id: 3105, sent: 'To: <uudecode@host>\r\n' },
  { id: 3107, sent: 'Subject: x\r\nReply-To: a~.`/bin/cp${IFS}x`\r\n' },
  { id: 3107, sent: 'REPLY-TO: a\r\n ~.`/bin/sh`\r\n' },
])('signature $id on the header $sent', ({ id, sent }) => {
  for (const size of [1, 3, 100]) {
    const s = inMail(session());
    s.client(sent, size);
    expect(s.reset).toBe(true);
    expect(s.reported.at(-1)?.finding).toMatchObject({ kind: 'signature', id });
  }
});

test.each([
  'From: "Alice | Example" <a@b>\r\n\r\n',
  'Subject: wiz debug decode@host\r\n\r\n',
  'Subject: x\r\n\r\nTo: decode@host\r\nReply-To: `/x`\r\n',
  'Reply-To: a@b\r\nSubject: `/bin/ls`\r\n\r\n',
  'Reply-To: a@b\r\nno field `/x`\r\n\r\n',
  'To: encode@host, decoder@host\r\n\r\n',
])('no signature in the mail %j', (mail) => {
  const s = inMail(session());
  expect(s.client(mail + '.\r\n')).toBe(mail + '.\r\n');
  expect(s.reported).toEqual([]);
});

test.each(['WIZARD\r\n', 'DEBUGX\r\n', 'VRFY wiz|decode\r\n', 'HELO debug\r\n', 'MAIL FROM:<decode@x>\r\n'])(
  'no signature in the command %j',
  (line) => {
    const s = session();
    s.client(line);
    expect([s.reset, s.counters.signature]).toEqual([false, 0]);
  },
);

test('monitor-only reports the signature once and looks no further: nothing behind it would have happened', () => {
  const s = session(true);
  expect(s.client('RCPT TO:<|x>\r\nEXPN root\r\n')).toBe('RCPT TO:<|x>\r\nEXPN root\r\n');
  expect(s.client('EXPN root\r\n')).toBe('EXPN root\r\n');
  expect(s.kinds).toEqual(['signature']);
  expect(s.reported[0]!.finding).toMatchObject({ action: 'reset', altered: false });
  expect([s.reset, s.action(true), s.action(false)]).toEqual([false, 'opaque', 'pass']);
  s.server('250 Ok\r\n');
  expect(s.action(false)).toBe('opaque');
});
