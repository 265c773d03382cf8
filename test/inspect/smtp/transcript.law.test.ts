/**
 * Transcripts of SMTP: what is told is what was said, and what nobody may read is never told, however a client cuts,
 * fills and times its stream, and whatever a server says.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { DialogueEntry } from '../../../src/core/inspect/transcript.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { dialogueLine } from '../../../src/ios/transcript/words.js';
import { cutAt, cuts } from './dialogue-grammar.js';
import { Session } from './session.js';

const RUNS = Number(process.env.SMTP_RUNS ?? 1000);
vi.setConfig({ testTimeout: 120_000 });

const ALLOWED = ['STARTTLS', 'BDAT', 'X-EXPS', 'XEXCH50'];
const RULES = {
  smtp: ['smtp', smtpDefaults()],
  esmtp: ['esmtp', smtpDefaults()],
  'esmtp allow': ['esmtp', { ...smtpDefaults(), allow: ALLOWED }],
  'smtp monitor-only': ['smtp', { ...smtpDefaults(), monitorOnly: true }],
  'esmtp monitor-only': ['esmtp', { ...smtpDefaults(), allow: ALLOWED, monitorOnly: true }],
} as const;
type RuleName = keyof typeof RULES;

function told(rule: RuleName): { session: Session; entries: DialogueEntry[] } {
  const entries: DialogueEntry[] = [];
  const [protocol, options] = RULES[rule];
  const session = new Session(protocol, options);
  session.transcript = { transcribe: (entry) => entries.push(structuredClone(entry)) };
  return { session, entries };
}

/** All of it, as whoever may read transcripts sees it, and as it goes through the outbox. */
const shown = (entries: readonly DialogueEntry[]): string =>
  JSON.stringify(entries) + JSON.stringify(entries.map((e) => dialogueLine(e, 0)));

// --- what is told ---

const word = fc.stringMatching(/^[a-z]{1,8}$/);
/** A line and its reply, or a mail. `says`: what of the line is told; undefined: all of it. */
type Exchange =
  | { kind: 'line'; line: string; says?: string; reply: readonly string[] }
  | { kind: 'mail'; body: string }
  | { kind: 'auth'; response: string };

const replyText = fc.stringMatching(/^[ -~]{0,160}$/);
const reply = (code: number): fc.Arbitrary<string[]> =>
  fc
    .array(replyText, { minLength: 1, maxLength: 3 })
    .map((texts) => texts.map((t, i) => `${code}${i < texts.length - 1 ? '-' : ' '}${t}`));
const good: fc.Arbitrary<Exchange> = fc
  .tuple(fc.constantFrom('NOOP', 'RSET', 'HELP', 'VRFY postmaster', 'MAIL FROM:<a@b>', 'noop x'), reply(250))
  .map(([line, r]) => ({ kind: 'line', line, reply: r }));
const bad: fc.Arbitrary<Exchange> = fc
  .tuple(fc.constantFrom('EXPN', 'TURN', 'XYZZY', 'ETRN2'), word, reply(502))
  .map(([verb, w, r]) => ({ kind: 'line', line: `${verb} ${w}`, reply: r }));
const mail: fc.Arbitrary<Exchange> = fc
  .array(fc.stringMatching(/^[ -~]{0,40}$/), { maxLength: 5 })
  .map((lines) => ({ kind: 'mail', body: lines.map((l) => `${l.startsWith('.') ? '.' : ''}${l}\r\n`).join('') }));
const auth: fc.Arbitrary<Exchange> = word.map((w) => ({ kind: 'auth', response: w }));

/**
 * What a reader of RFC 5321 writes down, of a client that waits for each reply. Behind AUTH, an unknown word may be a
 * password that came astray: it is not told, nor what a server says that has seen it.
 */
function written(exchanges: readonly Exchange[], monitorOnly: boolean): string[] {
  const lines: string[] = [];
  let astray = false;
  for (const e of exchanges) {
    if (e.kind === 'line') {
      const unknown = /^(EXPN|TURN|XYZZY|ETRN2)/.test(e.line);
      astray &&= unknown;
      const codeOnly = astray && monitorOnly;
      lines.push(astray ? '> ' : `> ${e.line}`, ...e.reply.map((r) => `< ${codeOnly ? '502' : r.slice(0, 128)}`));
    } else if (e.kind === 'auth') {
      lines.push('> AUTH LOGIN', '< 334', '> ', '< 235');
      astray = true;
    } else {
      astray = false;
      lines.push('> MAIL FROM:<a@b>', '< 250 Ok', '> RCPT TO:<c@d>', '< 250 Ok', '> DATA', '< 354 go');
      lines.push(`message ${e.body.length}`, '< 250 2.0.0 Queued');
    }
  }
  return lines;
}

const asWritten = (entries: readonly DialogueEntry[]): string[] =>
  entries.flatMap((e) => {
    if (e.what === 'line') return [`${e.fromInitiator ? '>' : '<'} ${e.text}`];
    return e.what === 'data' ? [`message ${e.bytes}`] : [];
  });

function play(session: Session, exchanges: readonly Exchange[], lengths: readonly number[]): void {
  const client = (text: string): void => cutAt(text, lengths).forEach((s) => void session.client(s));
  const server = (text: string): void => cutAt(text, lengths).forEach((s) => void session.server(s));
  for (const e of exchanges) {
    if (e.kind === 'line') {
      client(`${e.line}\r\n`);
      server(e.reply.map((r) => `${r}\r\n`).join(''));
    } else if (e.kind === 'auth') {
      client('AUTH LOGIN\r\n');
      server('334 VXNlcm5hbWU6\r\n');
      client(`${e.response}\r\n`);
      server('235 welcome\r\n');
    } else {
      client('MAIL FROM:<a@b>\r\n');
      server('250 Ok\r\n');
      client('RCPT TO:<c@d>\r\n');
      server('250 Ok\r\n');
      client('DATA\r\n');
      server('354 go\r\n');
      client(`${e.body}.\r\n`);
      server('250 2.0.0 Queued\r\n');
    }
  }
}

test.each(['smtp', 'esmtp', 'smtp monitor-only', 'esmtp monitor-only'] as const)(
  '%s: commands and replies are told as they were said, wherever they are cut',
  (rule) => {
    const esmtp = rule.startsWith('esmtp');
    fc.assert(
      fc.property(
        fc.array(esmtp ? fc.oneof(good, bad, mail, auth) : fc.oneof(good, bad, mail), { maxLength: 8 }),
        cuts,
        (exchanges, lengths) => {
          const { session, entries } = told(rule);
          session.server('220 ready\r\n');
          play(session, exchanges, lengths);
          expect(asWritten(entries)).toEqual(['< 220 ready', ...written(exchanges, rule.endsWith('monitor-only'))]);
        },
      ),
      { numRuns: RUNS / 4 },
    );
  },
);

test('a group that is sent at once is told line by line, and so are its replies', () => {
  const { session, entries } = told('esmtp');
  session.server('220 ready\r\n');
  session.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nEXPN root\r\nDATA\r\n');
  session.server('250 2.1.0 sender\r\n250 2.1.5 recipient\r\n502 5.5.2 unknown\r\n354 go\r\n');
  session.client('Subject: x\r\n\r\nsecret\r\n.\r\nQUIT\r\n');
  session.server('250 2.0.0 Queued\r\n221 bye\r\n');
  expect(asWritten(entries)).toEqual([
    '< 220 ready',
    '> MAIL FROM:<a@b>',
    '> RCPT TO:<c@d>',
    '> EXPN root',
    '> DATA',
    '< 250 2.1.0 sender',
    '< 250 2.1.5 recipient',
    '< 502 5.5.2 unknown',
    '< 354 go',
    'message 22',
    '> QUIT',
    '< 250 2.0.0 Queued',
    '< 221 bye',
  ]);
});

test('a masked line is told as it came and as it went on', () => {
  const { session, entries } = told('smtp');
  session.server('220 ready\r\n');
  session.client('EXPN root\r\n');
  expect(entries.at(-1)).toEqual({
    what: 'line',
    fromInitiator: true,
    text: 'EXPN root',
    more: 0,
    became: 'xxxxxxxxx',
  });
});

test.each([
  ['AUTH PLAIN AGEAYg==', 'AUTH PLAIN'],
  ['auth login YQ==', 'auth login'],
  ['AUTH c2VjcmV0', 'AUTH'],
])('of %s, %s is told', (line, text) => {
  const { session, entries } = told('esmtp');
  session.server('220 ready\r\n');
  session.client(`${line}\r\n`);
  expect(entries.at(-1)).toEqual({ what: 'line', fromInitiator: true, text, more: 0, hidden: 'credentials' });
});

test('of a line that is longer than what is kept of it, how much more there was is told', () => {
  const { session, entries } = told('esmtp');
  session.server('220 ready\r\n');
  session.client('NOOP\r\n');
  session.server(`250 ${'b'.repeat(296)}\r\n`);
  session.client(`NOOP ${'a'.repeat(995)}\r\n`);
  expect(entries.filter((e) => e.what === 'line').map(({ text, more }) => [text.length, more])).toEqual([
    [9, 0],
    [4, 0],
    [128, 172],
    [512, 488],
  ]);
});

test('what will not end any more is told as far as it came', () => {
  const { session, entries } = told('esmtp');
  session.server('220 ready\r\n');
  session.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
  session.server('250 Ok\r\n250 Ok\r\n354 go\r\n');
  session.client('Subject: x\r\nsec');
  session.server('45');
  session.finish();
  session.finish();
  expect(entries.slice(-2)).toEqual([
    { what: 'data', of: 'message', fromInitiator: true, bytes: 15, whole: false },
    { what: 'line', fromInitiator: false, text: '', more: 0, hidden: 'reply', cut: true },
  ]);
});

test('behind STARTTLS nothing is told', () => {
  const { session, entries } = told('esmtp allow');
  session.server('220 ready\r\n');
  session.client('EHLO c\r\n');
  session.server('250-x\r\n250 STARTTLS\r\n');
  session.client('STARTTLS\r\n');
  session.server('220 go\r\n');
  session.client('secret');
  expect(entries.at(-1)).toEqual({ what: 'opaque' });
});

// --- what is never told ---

const SECRET = 'c2VjcmV0cGFzc3dvcmQ=';
const SECRET_PIECES = ['c2Vj', 'cmV0', 'cGFz', 'd29y'];
/** Stands in each line of each mail. */
const MARK = 'Zq7';

/** Says back whatever it can, as loudly as it can. */
class EchoServer {
  #unread = '';
  #mode: 'command' | 'data' | 'auth' = 'command';
  #octets = 0;
  #last = '';

  /** @param takes it accepts AUTH, DATA and chunks @param lf a bare LF, or CR, ends a line */
  constructor(
    private readonly takes: boolean,
    private readonly lf: boolean,
  ) {}

  receive(part: string): string {
    let replies = '';
    this.#unread += part;
    for (;;) {
      if (this.#octets > 0) {
        const n = Math.min(this.#octets, this.#unread.length);
        this.#unread = this.#unread.slice(n);
        this.#octets -= n;
        if (n === 0) return replies;
        if (this.#octets === 0) replies += '250 chunk\r\n';
        continue;
      }
      const at = this.lf ? this.#unread.search(/[\r\n]/) : this.#unread.indexOf('\r\n');
      if (at < 0) return replies;
      const line = this.#unread.slice(0, at);
      this.#unread = this.#unread.slice(at + (this.#unread.startsWith('\r\n', at) ? 2 : 1));
      replies += this.#take(line);
      this.#last = line;
    }
  }

  #take(line: string): string {
    if (this.#mode === 'data') {
      if (line !== '.') return '';
      this.#mode = 'command';
      return '250 Queued\r\n';
    }
    if (this.#mode === 'auth') {
      this.#mode = 'command';
      return `535-no ${line}\r\n535 not ${this.#last}\r\n`;
    }
    if (/^(AUTH|X-EXPS)/i.test(line) && this.takes) {
      this.#mode = 'auth';
      return `334 ${line}\r\n`;
    }
    if (/^DATA/i.test(line) && this.takes) {
      this.#mode = 'data';
      return '354 go\r\n';
    }
    const chunk = /^BDAT (\d+)/i.exec(line);
    if (chunk !== null && this.takes) {
      this.#octets = Number(chunk[1]);
      return this.#octets === 0 ? '250 chunk\r\n' : '';
    }
    if (/^(MAIL|RCPT|RSET|NOOP)/i.test(line)) return '250 Ok\r\n';
    if (/^EHLO/i.test(line)) return '250-x\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n';
    return `500-unrecognized "${line}"\r\n500 ${line}\r\n`;
  }
}

const LINE_ENDS = ['\r\n', '\r\n', '\r\n', '\n', '\r', '\0\r\n'] as const;
const secretLine = fc
  .constantFrom(
    `AUTH LOGIN ${SECRET}`,
    `AUTH PLAIN ${SECRET}`,
    `auth ${SECRET}`,
    'AUTH LOGIN',
    `X-EXPS LOGIN ${SECRET}`,
    `PASS ${SECRET}`,
    `USER bob\r\nPASS ${SECRET}`,
    `a1 LOGIN bob ${SECRET}`,
    `XCLIENT LOGIN=${SECRET}`,
    ` AUTH PLAIN ${SECRET}`,
    `XAUTH ${SECRET}`,
    `AUTH LOGIN\r\n${SECRET}`,
    `AUTH PLAIN ${SECRET.repeat(40)}`,
  )
  .map((l) => l);
const plainLine = fc.constantFrom('EHLO c', 'NOOP', 'EXPN root', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'QUIT', 'RSET', '', 'STARTTLS', 'HELP', '*', '.'); // prettier-ignore
/** Lines of a message, with what could be commands in them. */
const bodyLine = fc.constantFrom(
  `Subject: ${MARK}`,
  MARK,
  `HELP me, ${MARK}`,
  `VRFY ${MARK}`,
  `NOOP ${MARK}`,
  `EHLO ${MARK}`,
  `MAIL your ${MARK}`,
  `EXPN ${MARK}`,
  `DATA ${MARK}`,
  `AUTH ${MARK}`,
  `..${MARK}`,
  `QUIT ${MARK}`,
  `BDAT 5 ${MARK}`,
  `XYZ\r${MARK}`,
  MARK.repeat(200),
);
const bodyOf = fc.array(bodyLine, { minLength: 1, maxLength: 5 });
const ENVELOPE = 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n';
/** A message, sent without regard to what the server says; or with a bare LF behind each line. */
const message = fc
  .tuple(bodyOf, fc.constantFrom('\r\n', '\r\n', '\n'), fc.constantFrom(ENVELOPE, ''), fc.boolean())
  .map(([lines, eol, envelope, atOnce]) => {
    const head = `${envelope}DATA\r\n`.replaceAll('\r\n', eol);
    const body = `${lines.join(eol)}${eol}.${eol}`;
    return atOnce ? [head + body] : [head, body];
  });
const chunk = fc.tuple(bodyOf, fc.constantFrom(ENVELOPE, ''), fc.boolean()).map(([lines, envelope, atOnce]) => {
  const body = `${lines.join('\r\n')}\r\n`;
  const head = `${envelope}BDAT ${body.length} LAST\r\n`;
  return atOnce ? [head + body] : [head, body];
});
const secrets = fc.tuple(secretLine, fc.constantFrom(...LINE_ENDS)).map(([l, end]) => [l + end]);
const response = fc.constantFrom(...LINE_ENDS).map((end) => [`${SECRET}${end}`]);
const plain = fc.tuple(plainLine, fc.constantFrom(...LINE_ENDS)).map(([l, end]) => [l + end]);

const hostile = {
  credentials: fc.array(fc.oneof(secrets, plain, secrets.chain((s) => response.map((r) => [...s, ...r]))), { maxLength: 8 }), // prettier-ignore
  'message data': fc.array(fc.oneof(message, message, chunk, plain), { maxLength: 5 }),
};

const setting = fc.record({
  rule: fc.constantFrom(...(Object.keys(RULES) as RuleName[])),
  takes: fc.boolean(),
  lf: fc.boolean(),
  eager: fc.boolean(),
});

test.each([
  { what: 'credentials', pieces: SECRET_PIECES },
  { what: 'message data', pieces: [MARK] },
] as const)('whatever is sent, and however loudly a server repeats it: no $what', ({ what, pieces }) => {
  fc.assert(
    fc.property(hostile[what], cuts, setting, (groups, lengths, { rule, takes, lf, eager }) => {
      const { session, entries } = told(rule);
      const server = new EchoServer(takes, lf);
      session.server('220 ready\r\n');
      for (const group of groups.flat()) {
        let arrived = '';
        for (const segment of cutAt(
          group,
          lengths.map((n) => n * 4),
        )) {
          arrived += session.client(segment);
          if (!eager) continue;
          session.server(server.receive(arrived), 7);
          arrived = '';
        }
        session.server(server.receive(arrived));
      }
      session.finish();
      const text = shown(entries);
      for (const piece of pieces) expect(text).not.toContain(piece);
    }),
    { numRuns: RUNS },
  );
});

test('a message that came before the reply to DATA is not told behind a line of it that looks like a command', () => {
  const { session, entries } = told('smtp');
  session.server('220 ready\r\n');
  session.client(`DATA\r\nRSET\r\n${MARK}\r\n`);
  session.server('503 no\r\n500 what\r\n500 what\r\n');
  session.client(`RSET\r\n${MARK}\r\n`);
  session.server('250 Ok\r\n500 what\r\n');
  expect(shown(entries)).not.toContain(MARK);
  // The dot ends it for a client that has heard all.
  session.client('.\r\n');
  session.server('500 what\r\n');
  session.client('RSET\r\n');
  session.server('250 Ok\r\n');
  session.client('VRFY b\r\n');
  expect(asWritten(entries).at(-1)).toBe('> VRFY b');
});

test('nor are the words of a server that has refused a chunk, and takes its octets for commands', () => {
  const { session, entries } = told('esmtp allow');
  session.server('220 ready\r\n');
  session.client('EHLO c\r\n');
  session.server('250-x\r\n250 CHUNKING\r\n');
  session.client('MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n');
  session.server('250 Ok\r\n250 Ok\r\n');
  session.client(`BDAT ${MARK.length + 2} LAST\r\n${MARK}\r\n`);
  session.server('503 no\r\n');
  session.client('NOOP\r\n');
  session.server(`500 what is ${MARK}\r\n`);
  expect(shown(entries)).not.toContain(MARK);
});
