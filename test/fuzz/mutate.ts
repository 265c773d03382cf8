/** Makes a new input of known ones: bytes changed, taken away, repeated, words of SMTP put in, two inputs joined. */
import type { Random } from './random.js';

const MAX_LENGTH = 600;

const bytes = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));

/** What random bytes would hardly ever come upon. */
const WORDS: readonly number[][] = [
  ...['HELO c\r\n', 'EHLO c\r\n', 'NOOP\r\n', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA\r\n', 'QUIT\r\n', 'RSET\r\n'],
  ...[
    'AUTH LOGIN',
    'BDAT 3',
    ' LAST\r\n',
    'STARTTLS\r\n',
    'ETRN x',
    'EXPN',
    'DEBUG',
    'WIZ',
    '\r\n',
    '\r\n.\r\n',
    '\n.\n',
  ],
  ...[
    '220 hi\r\n',
    '250-SIZE\r\n',
    '250 DSN\r\n',
    '354 go\r\n',
    '334 a\r\n',
    '250 ok\r\n',
    '500 no\r\n',
    '\r',
    '\n',
    '.',
  ],
  ...[
    ' SIZE=1',
    ' BODY=8BITMIME',
    ' RET=FULL',
    ' NOTIFY=NEVER',
    ' ORCPT=a;b+2B',
    ' ENVID=x',
    '|',
    '"',
    '\\',
    'decode@',
  ],
  ...['250-CHUNKING\r\n', '250 STARTTLS\r\n', 'Reply-To: `/bin/sh', 'Subject: x\r\n\r\n', '\0', ' ', '<', '>'],
].map(bytes);

/** @returns a changed copy of `input`, at most MAX_LENGTH bytes. @param other another known input, to take parts from */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const b = Array.from(input);
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) {
    const at = random.below(b.length + 1);
    switch (random.below(9)) {
      case 0:
        if (at < b.length) b[at] = random.below(256);
        break;
      case 1:
        if (at < b.length) b[at]! ^= 1 << random.below(8);
        break;
      case 2:
        b.splice(at, 0, random.below(256));
        break;
      case 3:
        b.splice(at, 1 + random.below(16));
        break;
      case 4:
        b.splice(at, 0, ...b.slice(at, at + 1 + random.below(32)));
        break;
      case 5: {
        const from = random.below(other.length + 1);
        b.splice(at, random.below(8), ...other.subarray(from, from + random.below(64)));
        break;
      }
      default: {
        const word = random.pick(WORDS);
        // As a chunk of its own where inputs are made of chunks, or in the middle of one.
        if (random.below(2) === 0) b.splice(at, 0, word.length, ...word);
        else b.splice(at, random.below(2) * word.length, ...word);
      }
    }
  }
  return Uint8Array.from(b.slice(0, MAX_LENGTH));
}
