/** What SMTP inspection counts besides findings: mails by the server's answer, masked commands by verb. */
import { expect, test } from 'vitest';
import { SmtpTraffic } from '../../../src/core/inspect/smtp/traffic.js';
import { Router3640 } from '../../support/router-3640.js';
import { Talk } from '../../wiring/scene.js';
import { readRows } from '../../../src/core/observe/row.js';

const counted = (t: SmtpTraffic): Record<string, number> =>
  Object.fromEntries(readRows(t.rows()).filter((r) => r.value > 0).map((r) => [r.name, r.value])); // prettier-ignore

test('a masked command is counted by its verb, whatever its case, and unknown ones together', () => {
  const t = new SmtpTraffic();
  for (const line of ['EXPN root', 'expn', 'EHLO a', 'TURN', 'X-EXPS GSSAPI', 'FOO bar', '', '\u00ff', 'x'.repeat(500)])
    t.noteMasked(line);
  expect(counted(t)).toEqual({ EXPN: 2, EHLO: 1, TURN: 1, 'X-EXPS': 1, other: 4 });
});

test('a stranger who sends many words makes no row more', () => {
  const t = new SmtpTraffic();
  const before = t.rows().length;
  for (let i = 0; i < 1000; i++) t.noteMasked(`WORD${i} x`);
  expect(t.rows().length).toBe(before);
});

test('mails are counted by what the server says to their end', () => {
  const t = new SmtpTraffic();
  for (const code of [250, 250, 354, 452, 554]) t.noteMail(code);
  expect(counted(t)).toEqual({ accepted: 2, refused: 2 });
  t.clear();
  expect(counted(t)).toEqual({});
});

test('a dialogue through the router: one command masked, one mail accepted; the first counts no more where it is only watched', () => {
  const happens = (extra: string): Record<string, number> => {
    const r = new Router3640(extra);
    const talk = new Talk(r, true, 25);
    const says: readonly (readonly [fromClient: boolean, text: string])[] = [
      [false, '220 mail\r\n'],
      [true, 'HELO a\r\n'],
      [false, '250 mail\r\n'],
      [true, 'EXPN root\r\n'],
      [false, '500 what\r\n'],
      [true, 'MAIL FROM:<a@b.example>\r\n'],
      [false, '250 ok\r\n'],
      [true, 'RCPT TO:<c@d.example>\r\n'],
      [false, '250 ok\r\n'],
      [true, 'DATA\r\n'],
      [false, '354 go on\r\n'],
      [true, 'Subject: x\r\n\r\ny\r\n.\r\n'],
      [false, '250 queued\r\n'],
    ];
    for (const [fromClient, text] of says) talk.says(fromClient, text);
    return counted(r.engine.sessions.smtpTraffic);
  };
  expect(happens('')).toEqual({ EXPN: 1, accepted: 1 });
  expect(happens('ip inspect name OUT-IN smtp monitor-only')).toEqual({ accepted: 1 });
});
