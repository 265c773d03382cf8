/** fast-check grammar of what clients send: good, nearly good, hostile. As Latin-1 text. */
import fc from 'fast-check';

const LEGAL = ['HELO c', 'NOOP', 'noop x', 'VRFY a', 'HELP', 'RSET', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'QUIT'];
const FORBIDDEN = ['EXPN root', 'TURN', 'XYZZY', 'EHLO c', 'STARTTLS', 'BDAT 3', 'AUTH LOGIN', 'ETRN x', 'E', 'EX', ''];

const crlf = (line: string): string => line + '\r\n';

const legalLine = fc.constantFrom(...LEGAL).map(crlf);
const forbiddenLine = fc.constantFrom(...FORBIDDEN).map(crlf);
/** Pieces that hostile lines are made of: verbs glued together by what some server takes for a line end. */
const shard = fc.constantFrom(
  'EXPN x',
  'NOOP',
  'DATA',
  'RCPT TO:<c@d>',
  '\r',
  '\n',
  '\r\n',
  '\0',
  '.',
  ' ',
  'x',
  '\xe9',
);
const hostileLines = fc.array(shard, { maxLength: 8 }).map((shards) => crlf(shards.join('')));

/** Message data without an end: dense in what could be one. */
export const mailData = fc
  .array(fc.constantFrom('\r', '\n', '\r\n', '.', '..', '\0', 'a', 'EXPN x', '\r\n.\r', '\n.\n'), { maxLength: 30 })
  .map((shards) => shards.join(''));

export const ENVELOPE = 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n';
/** A whole mail: the client waits for the 354 between the two parts. */
const mail = mailData.map((data) => [ENVELOPE, data + '\r\n.\r\n']);

/**
 * What a client sends, as groups: it awaits the replies to one before it sends the next. `cuts` says at which lengths a
 * group is cut into segments; they are used over and over.
 */
export const clientGroups: fc.Arbitrary<string[]> = fc
  .array(
    fc.oneof(
      legalLine.map((l) => [l]),
      forbiddenLine.map((l) => [l]),
      hostileLines.map((l) => [l]),
      fc.array(fc.oneof(legalLine, forbiddenLine, hostileLines), { maxLength: 4 }).map((l) => [l.join('')]),
      mail,
      mail.map(([envelope, data]) => [envelope! + data!]),
    ),
    { maxLength: 6 },
  )
  .map((groups) => groups.flat());

/** ESMTP dialogues around the places where bytes are no commands: AUTH responses, chunks, what stands behind STARTTLS. */
const esmtpShard = fc.constantFrom(
  'EHLO c\r\n',
  'HELO c\r\n',
  'AUTH LOGIN\r\n',
  'AUTH LOGIN\r',
  'EXPN x\r\n',
  'EXPN x',
  'BDAT 8\r\n',
  'BDAT 0 LAST\r\n',
  'BDAT 16 LAST\r\n',
  'BDAT 0\r\n',
  'BDAT 6\r\nEXPN x',
  'BDAT 14\r\nRSET\r\nEXPN x\r\n',
  'BDAT 8',
  'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n',
  'MAIL FROM:<a@b>\r\nRCPT TO:<nobody>\r\n',
  'RSET\r\n',
  'X-EXPS LOGIN\r\n',
  'XEXCH50 8 2\r\n',
  'XEXCH50 8\r\n',
  'STARTTLS\r\n',
  'STARTTLS\r',
  'NOOP\r\n',
  '\r\n',
  '\n',
  '\r',
  '\0',
);
export const esmtpGroups: fc.Arbitrary<string[]> = fc
  .array(
    fc.array(esmtpShard, { minLength: 1, maxLength: 5 }).map((shards) => shards.join('')),
    { maxLength: 8 },
  )
  .map((groups) => ['EHLO c\r\n', ...groups]);

/** A line that only some servers read whole. `EXPN` stands where a server cuts at 16,384 bytes, or anywhere. */
const longLine = fc
  .tuple(fc.constantFrom('NOOP ', 'AUTH PLAIN ', 'VRFY a', 'x'), fc.integer({ min: 12_280, max: 16_390 }), fc.boolean())
  .map(([start, length, exact]) => {
    const filled = start.padEnd(exact ? 16_384 : length, 'a');
    return `${filled}EXPN x\r\n`;
  });

/** Segments of a client that waits for nothing, around the places where one reply could be taken for another. */
export const restlessSegments = fc
  .array(fc.oneof({ weight: 12, arbitrary: esmtpShard }, { weight: 1, arbitrary: longLine }), { maxLength: 14 })
  .map((segments) => ['EHLO c\r\n', ...segments]);

/** What a client that keeps to RFC 5321 sends. */
export const goodGroups: fc.Arbitrary<string[]> = fc
  .array(
    fc.oneof(
      legalLine.map((l) => [l]),
      fc.stringMatching(/^[ -~]{0,40}$/).map((body) => [ENVELOPE, body.replace(/^\./, '..') + '\r\n.\r\n']),
    ),
    { maxLength: 6 },
  )
  .map((groups) => groups.flat());

export const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });

/** Cuts `group` into segments of the given lengths, over and over. */
export function cutAt(group: string, lengths: readonly number[]): string[] {
  const segments: string[] = [];
  for (let at = 0, n = 0; at < group.length; n++) {
    const length = lengths[n % lengths.length]!;
    segments.push(group.slice(at, at + length));
    at += length;
  }
  return segments;
}
