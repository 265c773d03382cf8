/**
 * The session of test/golden/debug-trace.csv as bytes: the client's segments as long as the `match_len` column says,
 * and replies of the recorded lengths. Their texts are reconstructed (a server that answers so fits every length).
 */
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { Session } from './session.js';

/** [from the client?, segment]. */
export const RECORDED_SEGMENTS: readonly (readonly [boolean, string])[] = [
  server('220 mail.cisco.com ESMTP server ready Tue, 18 Oct 2005 21:51:'.padEnd(62, '0') + '\r\n'),
  ...typed('HELO', ' ', 'c', 'i', 'sc', 'o', '\r\n'),
  server('250 cisco\r\n'),
  ...typed('VRFY', ' ', 'c', 'i', '|', 'o', '\r\n'),
  server('502 unimplemented\r\n'),
  ...typed('VRFY', ' ', 'c', 'i', 'sc', 'o', '\r\n'),
  server('502 unimplemented\r\n'),
  ...typed('HELP', '\r\n'),
  server(
    [
      '214-The following commands are recognized by this se',
      'HELO <domain>',
      'EHLO <domain>',
      'NOOP',
      'MAIL FROM: <path>',
      'RCPT TO: <path>',
      'DATA',
      'VRFY',
      'QUIT',
      '.',
    ]
      .map((line) => line + '\r\n')
      .join(''),
  ),
  [true, 'Q'],
  [true, 'UI'],
  ...typed('T', '\r\n'),
  server('221 Service closing\r\n'),
];

function server(text: string): readonly [boolean, string] {
  return [false, text];
}

/** The first word letter by letter, the others as they are. */
function typed(word: string, ...segments: string[]): (readonly [boolean, string])[] {
  return Array.from(word)
    .concat(segments)
    .map((segment) => [true, segment] as const);
}

/** @returns the debug lines, without their prefix */
export function replayRecordedSession(): string[] {
  const session = new Session('smtp', smtpDefaults());
  session.debug = true;
  for (const [fromClient, segment] of RECORDED_SEGMENTS) session.send(fromClient, segment);
  return session.lines;
}
