/** POP3 and IMAP inspection: dialogues of the RFCs pass, what is none of them ends, however the streams are cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImapInspector } from '../../src/core/inspect/mailbox/imap.js';
import { Pop3Inspector } from '../../src/core/inspect/mailbox/pop3.js';
import { StreamAction } from '../../src/core/inspect/inspector.js';
import type { MailboxFinding } from '../../src/core/inspect/mailbox/mailbox.js';
import { StateReader, StateWriter } from '../../src/core/memory/state-io.js';
import { mailboxReason } from '../../src/ios/features/mailbox.js';
import { latin1 } from '../support/packets.js';

type Protocol = 'pop3' | 'imap';

/** `C: ` client, `S: ` server; a line of the transcript has CR LF, one with a backslash at its end has not. <LF>: one alone. */
interface Turn {
  client: boolean;
  bytes: string;
}
const transcript = (text: string): Turn[] =>
  text
    .trim()
    .split('\n')
    .map((l) => l.trim().replace('<LF>', '\n'))
    .map((l) => ({ client: l.startsWith('C:'), bytes: l.endsWith('\\') ? l.slice(3, -1) : `${l.slice(3)}\r\n` }));

interface Outcome {
  findings: string[];
  /** Of each side: how its bytes ended. */
  client: StreamAction;
  server: StreamAction;
}

const make = (protocol: Protocol, secureLogin: boolean, findings: string[]) => {
  const host = {
    report: (f: MailboxFinding) => findings.push(`${f.kind}: ${mailboxReason(protocol.toUpperCase(), f)}`),
  };
  return protocol === 'pop3' ? new Pop3Inspector({ secureLogin }, host) : new ImapInspector({ secureLogin }, host);
};

/** Plays a dialogue. @param cut gives the size of the next piece; @param rest moves to a new inspector between pieces */
function play(protocol: Protocol, turns: readonly Turn[], secureLogin = false, cut = () => 1e9, rest = false): Outcome {
  const findings: string[] = [];
  let inspector = make(protocol, secureLogin, findings);
  const outcome: Outcome = { findings, client: StreamAction.pass, server: StreamAction.pass };
  for (const { client, bytes } of turns) {
    const b = latin1(bytes);
    for (let at = 0, end = 0; at < b.length; at = end) {
      const side = client ? 'client' : 'server';
      if (outcome[side] !== StreamAction.pass || findings.length > 0) break;
      end = Math.min(b.length, at + cut());
      outcome[side] = client ? inspector.fromInitiator(b, at, end) : inspector.fromResponder(b, at, end, 0, 0);
      if (!rest) continue;
      const writer = new StateWriter();
      inspector.sync(writer);
      inspector = make(protocol, secureLogin, findings);
      const reader = new StateReader();
      reader.begin(writer.bytesOut, 0, writer.length);
      inspector.sync(reader);
      expect(reader.complete).toBe(true);
    }
  }
  return outcome;
}

const { pass, opaque, reset } = StreamAction;
const clean = (protocol: Protocol, text: string, secureLogin = false) =>
  expect(play(protocol, transcript(text), secureLogin).findings).toEqual([]);
const refused = (protocol: Protocol, text: string, finding: string, secureLogin = false) => {
  const o = play(protocol, transcript(text), secureLogin);
  expect(o.findings).toEqual([finding]);
  expect([o.client, o.server]).toContain(reset);
};

/** RFC 1939 §10. */
const POP3_MAIL = `
  S: +OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>
  C: APOP mrose c4c9334bac560ecc979e58001b3e22fb
  S: +OK mrose's maildrop has 2 messages (320 octets)
  C: STAT
  S: +OK 2 320
  C: LIST
  S: +OK 2 messages (320 octets)
  S: 1 120
  S: .
  C: RETR 1
  S: +OK 120 octets
  S: STLS
  S: .
  C: DELE 1
  S: +OK message 1 deleted
  C: QUIT
  S: +OK dewey POP3 server signing off (maildrop empty)`;

const POP3_LOGIN = `
  S: +OK ready
  C: CAPA
  S: +OK Capability list follows
  S: TOP
  S: +OK
  S: STLS
  S: .
  C: AUTH
  S: -ERR what?
  C: USER frated
  S: +OK
  C: pass secret with  spaces
  S: -ERR no
  C: USER frated
  C: PASS secret
  C: UIDL
  S: +OK
  S: +OK in
  S: +OK
  C: TOP 1 10
  C: QUIT`;

const POP3_TLS = `
  S: +OK ready
  C: STLS
  S: -ERR not now
  C: STLS
  S: +OK Begin TLS negotiation`;

/** RFC 3501 §8, and what clients do today. */
const IMAP_MAIL = `
  S: * OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE] Service Ready
  C: a001 login mrc secret
  S: a001 OK LOGIN completed
  C: a002 select inbox
  S: * 18 EXISTS
  S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
  S: a002 OK [READ-WRITE] SELECT completed
  C: a003 fetch 12 full
  S: * 12 FETCH (FLAGS (\\Seen) BODY[HEADER] {22}
  S: a009 OK STARTTLS {7}
  S: )
  S: a003 OK FETCH completed
  C: a004 UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (DATE "FROM")])
  S: a004 OK done
  C: a005 APPEND saved-messages (\\Seen) {12}
  S: + Ready for literal data
  C: x STARTTLS
  C: 
  S: a005 OK APPEND completed
  C: a006 IDLE
  S: + idling
  S: * 4 EXISTS
  C: DONE
  C: a007 NOOP
  S: a006 OK IDLE terminated
  S: a007 OK
  C: a008 UID EXPUNGE 3
  C: a009 ID ("name" "x y")
  C: a010 SEARCH CHARSET UTF-8 SUBJECT {3+}
  C: ab"\\
  C:  TEXT "a\\"b {3}"
  S: a008 OK
  S: a009 OK
  S: a010 OK
  C: a011 LOGOUT
  S: * BYE IMAP4rev1 server terminating connection
  S: a011 OK LOGOUT completed`;

const IMAP_TLS = `
  S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready
  C: a CAPABILITY
  S: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
  S: a OK done
  C: b STARTTLS
  S: b OK Begin TLS`;

const IMAP_SASL = `
  S: * OK ready
  C: a AUTHENTICATE CRAM-MD5
  S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
  C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
  S: a OK CRAM authentication successful
  C: b LIST "" "*"`;

describe('POP3', () => {
  test('the dialogues of the RFCs pass', () => {
    clean('pop3', POP3_MAIL);
    clean('pop3', POP3_LOGIN);
    clean('pop3', `S: +OK\nC: AUTH PLAIN\nS: + \nC: AHRlc3QAdGVzdA==\nS: +OK in\nC: STAT`);
  });

  test('behind STLS both directions are opaque, and its refusal changes nothing', () => {
    const o = play('pop3', [
      ...transcript(POP3_TLS),
      { client: true, bytes: '\x16\x03' },
      { client: false, bytes: 'x' },
    ]);
    expect(o).toEqual({ findings: [], client: opaque, server: opaque });
  });

  test.each([
    ['an unknown verb', 'C: HELO x', 'Invalid verb'],
    ['an empty line', 'C: ', 'Invalid verb'],
    ['HTTP', 'C: GET / HTTP/1.1', 'Invalid verb'],
    ['a mail before the login', 'C: RETR 1', 'Not authenticated'],
    ['an argument where none is', 'C: STLS now', 'Invalid argument'],
    ['a bare LF', 'C: CAPA<LF>\\', 'Bare CR, LF or NUL'],
    ['a bare CR', 'C: USER a\rb', 'Bare CR, LF or NUL'],
    ['a line over 255 bytes', `C: USER ${'a'.repeat(255)}`, 'Line too long'],
    ['a command behind STLS', 'C: STLS\nC: USER x', 'Data ahead of the reply'],
    ['a command behind AUTH', 'C: AUTH PLAIN\nC: STLS', 'Data ahead of the reply'],
    ['a command as the response to a challenge', 'C: AUTH CRAM-MD5\nS: + abc\nC: STAT 1', 'Invalid argument'],
    ['bytes behind the cancelling of a challenge', 'C: AUTH CRAM-MD5\nS: + abc\nC: *x', 'Invalid argument'],
    ['an initial response that is no base64', 'C: AUTH PLAIN {4}', 'Invalid argument'],
    ['a second initial response', 'C: AUTH PLAIN abc def', 'Invalid argument'],
    ['a command behind QUIT', 'C: QUIT\nC: NOOP', 'Command behind QUIT'],
    ['a login behind a login', 'C: USER a\nS: +OK\nC: PASS b\nS: +OK\nC: USER c', 'Already authenticated'],
    ['an unknown verb behind the login', 'C: APOP a b\nS: +OK\nC: XYZZ', 'Invalid verb'],
  ])('%s ends it', (_, text, why) => refused('pop3', `S: +OK ready\n${text}`, `invalid-command: ${why}`));

  test.each([
    ['a reply to nothing', 'S: +OK\nS: +OK', 'Reply to nothing'],
    ['a greeting that is none', 'S: SSH-2.0-OpenSSH', 'Invalid reply'],
    [
      'data of the server behind its +OK to STLS',
      'S: +OK\nC: STLS\nS: +OK\nS: +OK in',
      'Data behind the reply to STLS',
    ],
  ])('%s ends it', (_, text, why) => refused('pop3', text, `invalid-reply: ${why}`));

  test.each([
    ['USER', 'C: USER a', 'USER'],
    ['PASS', 'C: PASS a', 'PASS'],
    ['AUTH PLAIN with its response', 'C: AUTH PLAIN AHRlc3QAdGVzdA==', 'AUTH PLAIN'],
    ['AUTH LOGIN', 'C: auth login', 'AUTH LOGIN'],
    ['an unknown mechanism', 'C: AUTH hunter2', 'AUTH'],
  ])('secure-login refuses %s', (_, text, why) => refused('pop3', `S: +OK\n${text}`, `insecure-login: ${why}`, true));

  test('secure-login passes APOP and challenges', () => {
    clean('pop3', POP3_MAIL, true);
    clean('pop3', 'S: +OK\nC: AUTH CRAM-MD5\nS: + abc\nC: abc\nS: +OK\nC: STAT', true);
  });
});

describe('IMAP', () => {
  test('the dialogues of the RFCs pass', () => {
    clean('imap', IMAP_MAIL);
    clean('imap', IMAP_SASL, true);
  });

  test('behind STARTTLS both directions are opaque', () => {
    const o = play('imap', [
      ...transcript(IMAP_TLS),
      { client: true, bytes: '\x16\x03' },
      { client: false, bytes: 'x' },
    ]);
    expect(o).toEqual({ findings: [], client: opaque, server: opaque });
  });

  test('behind COMPRESS both directions are opaque', () => {
    const text = 'S: * PREAUTH hi\nC: a COMPRESS DEFLATE\nS: a OK\nS: zzz\nC: zzz';
    expect(play('imap', transcript(text))).toEqual({ findings: [], client: opaque, server: opaque });
  });

  test.each([
    ['an unknown verb', 'C: a HELO x', 'Invalid verb'],
    ['a line without a tag', 'C: ', 'Invalid tag'],
    ['a tag of illegal characters', 'C: + NOOP', 'Invalid tag'],
    ['HTTP', 'C: GET / HTTP/1.1', 'Invalid verb'],
    ['a mailbox before the login', 'C: a SELECT INBOX', 'Not authenticated'],
    ['a command behind STARTTLS', 'C: a STARTTLS\nC: b NOOP', 'Data ahead of the reply'],
    ['a literal that does not wait', 'C: a LOGIN {3}\nC: abc', 'Data ahead of the reply'],
    ['a brace within a word', 'C: a LOGIN x{3+}', 'Invalid literal'],
    ['a count without digits', 'C: a LOGIN {+}', 'Invalid literal'],
    ['a count that is too great', 'C: a LOGIN {99999999999}', 'Invalid literal'],
    ['a quoted string that does not end', 'C: a LOGIN "x {3+}', 'Invalid quoted string'],
    ['a quote within a word', 'C: a LOGIN x"y" z', 'Invalid quoted string'],
    ['an escape that is none', 'C: a LOGIN "x\\y" z', 'Invalid quoted string'],
    ['a literal as the initial response', 'C: a AUTHENTICATE PLAIN {5}', 'Invalid argument'],
    ['a command as the response to a challenge', 'C: a AUTHENTICATE PLAIN\nS: + \nC: b NOOP', 'Invalid argument'],
    ['bytes behind the cancelling of a challenge', 'C: a AUTHENTICATE PLAIN\nS: + \nC: *x', 'Invalid argument'],
    ['a bare LF', 'C: a NOOP<LF>\\', 'Bare CR, LF or NUL'],
    ['a mechanism that is a literal', 'C: a AUTHENTICATE {5}', 'Invalid argument'],
    ['UID with a stranger behind it', 'C: a LOGIN b c\nS: a OK\nC: b UID STARTTLS', 'Invalid verb'],
    ['STARTTLS behind the login', 'C: a LOGIN b c\nS: a OK\nC: b STARTTLS', 'Already authenticated'],
    ['a command behind LOGOUT', 'C: a LOGOUT\nC: b NOOP', 'Command behind LOGOUT'],
    ['a command within IDLE', 'C: a LOGIN b c\nS: a OK\nC: b IDLE\nS: + ok\nC: c NOOP', 'Invalid verb'],
  ])('%s ends it', (_, text, why) => refused('imap', `S: * OK ready\n${text}`, `invalid-command: ${why}`));

  /** What a server without it takes for the end of a command, and the literal for the next ones. */
  describe('a literal that does not wait for leave', () => {
    const offers = [
      ['in its greeting', 'S: * OK [CAPABILITY IMAP4rev1 LITERAL+] hi'],
      ['in its greeting, as the first one', 'S: * OK [CAPABILITY LITERAL+ IMAP4rev1] hi'],
      ['when it is asked', 'S: * OK hi\nC: x CAPABILITY\nS: * CAPABILITY IMAP4rev1 literal+\nS: x OK'],
      ['with the login', 'S: * OK hi\nC: x LOGIN a b\nS: x OK [CAPABILITY IMAP4rev1 LITERAL+] in'],
      ['for IMAP4rev2', 'S: * OK [CAPABILITY IMAP4rev2] hi'],
      ['for short ones', 'S: * OK [CAPABILITY LITERAL-] hi'],
    ];
    const literal = 'C: y ID ({4096+}\nC: ' + 'a'.repeat(4096) + ' "x")\nS: y OK';
    test.each(offers)('passes where the server offers it %s', (_, text) => clean('imap', `${text}\n${literal}`));

    test.each([
      ['says nothing', 'S: * OK hi'],
      ['offers something else', 'S: * OK [CAPABILITY IMAP4rev1 LITERAL+X XLITERAL+ LITERAL] hi'],
      ['says so outside of its list', 'S: * OK [ALERT] CAPABILITY LITERAL+'],
      ['says so behind its list', 'S: * OK [CAPABILITY IMAP4rev1] LITERAL+'],
      ['offers it no longer', 'S: * OK [CAPABILITY LITERAL+] hi\nC: x NOOP\nS: * CAPABILITY IMAP4rev1\nS: x OK'],
      ['has it in a mail', 'S: * PREAUTH hi\nC: x FETCH 1 ALL\nS: * 1 FETCH (SUBJECT "CAPABILITY LITERAL+")\nS: x OK'],
      ['has it in a literal', 'S: * PREAUTH hi\nS: * 1 FETCH (X {28}\nS: * OK [CAPABILITY LITERAL+]\nS: )'],
    ])('ends it where the server %s', (_, text) =>
      refused('imap', `${text}\nC: y ID ({3+}`, 'invalid-command: Invalid literal'),
    );

    test('that is longer than LITERAL- allows ends it', () =>
      refused('imap', 'S: * OK [CAPABILITY LITERAL-] hi\nC: y ID ({4097+}', 'invalid-command: Invalid literal'));

    test('that some server cannot count ends it', () =>
      refused('imap', 'S: * OK [CAPABILITY LITERAL+] hi\nC: y ID ({2147483648+}', 'invalid-command: Invalid literal'));
  });

  test('the reply to another command of the same tag does not accept STARTTLS', () => {
    const text = 'S: * OK\nC: a NOOP\nC: a STARTTLS\nS: a OK NOOP\nC: b LOGIN x y';
    refused('imap', text, 'invalid-command: Data ahead of the reply');
  });

  test.each([
    ['a reply to nothing', 'S: * OK\nS: a OK', 'Reply to nothing'],
    ['a greeting that is none', 'S: +OK POP3', 'Invalid greeting'],
    [
      'data of the server behind its OK to STARTTLS',
      'S: * OK\nC: a STARTTLS\nS: a OK\nS: * OK',
      'Data behind the reply to STARTTLS',
    ],
  ])('%s ends it', (_, text, why) => refused('imap', text, `invalid-reply: ${why}`));

  test.each([
    ['LOGIN', 'C: a LOGIN b c', 'LOGIN'],
    ['LOGIN with literals', 'C: a login {3}', 'LOGIN'],
    ['AUTHENTICATE PLAIN with its response', 'C: a AUTHENTICATE PLAIN AHRlc3QAdGVzdA==', 'AUTHENTICATE PLAIN'],
    ['AUTHENTICATE LOGIN', 'C: a authenticate login', 'AUTHENTICATE LOGIN'],
    ['an unknown mechanism', 'C: a AUTHENTICATE hunter2', 'AUTHENTICATE'],
  ])('secure-login refuses %s', (_, text, why) => refused('imap', `S: * OK\n${text}`, `insecure-login: ${why}`, true));
});

/** Dialogues of real lines in any order: most of them go wrong somewhere. */
const POP3_LINES = [
  ...transcript(`${POP3_LOGIN}\n${POP3_TLS}`),
  ...transcript('C: AUTH PLAIN\nS: + \nC: AHRl\nC: RETR 1\nC: APOP a b\nC: USER a\rb\nC: FOO\nS: bla\nS: -ERR'),
];
const IMAP_LINES = [
  ...transcript(`${IMAP_MAIL}\n${IMAP_TLS}\n${IMAP_SASL}`),
  ...transcript(
    'C: a001 APPEND x {3}\nC: a001 APPEND x {3+}\nC: abc\\\nS: + go\nS: a001 OK\nS: * 1 FETCH (X {5}\nC: a001 IDLE\nC: DONE',
  ),
];

describe.each(['pop3', 'imap'] as const)('%s: law', (protocol) => {
  const lines = protocol === 'pop3' ? POP3_LINES : IMAP_LINES;
  const whole = transcript(protocol === 'pop3' ? POP3_LOGIN : IMAP_MAIL);
  // A dialogue that goes right up to somewhere, and on with anything.
  const dialogue = fc
    .tuple(fc.nat(whole.length), fc.array(fc.constantFrom(...lines), { maxLength: 12 }))
    .map(([n, more]) => [...whole.slice(0, n), ...more]);
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
  const cutter = (of: readonly number[]) => {
    let i = 0;
    return () => of[i++ % of.length]!;
  };

  test('no cut changes what is found, nor how a stream ends', () => {
    fc.assert(
      fc.property(dialogue, sizes, fc.boolean(), (turns, cuts, secure) => {
        const uncut = play(protocol, turns, secure);
        expect(play(protocol, turns, secure, cutter(cuts))).toEqual(uncut);
        expect(uncut.findings.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });

  test('a session that is saved and loaded between any two pieces goes on the same', () => {
    fc.assert(
      fc.property(dialogue, sizes, fc.boolean(), (turns, cuts, secure) => {
        expect(play(protocol, turns, secure, cutter(cuts), true)).toEqual(play(protocol, turns, secure));
      }),
      { numRuns: 500 },
    );
  });

  test('nothing the client says gets into a finding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('Hunter2', ' ', '\r\n', 'a ', 'PASS ', 'AUTH ', 'LOGIN ', '{7}', 'AUTHENTICATE ')),
        (parts) => {
          const greeting = { client: false, bytes: protocol === 'pop3' ? '+OK\r\n' : '* OK\r\n' };
          const { findings } = play(protocol, [greeting, { client: true, bytes: parts.join('') }], true);
          expect(findings.join()).not.toContain('Hunter2');
        },
      ),
    );
  });

  test('random bytes do no harm', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 40 }))), (pieces) => {
        const turns = pieces.map(([client, b]) => ({ client, bytes: Buffer.from(b).toString('latin1') }));
        play(protocol, turns);
      }),
    );
  });

  test('what stands behind the command for TLS before its reply never passes', () => {
    const head = protocol === 'pop3' ? 'S: +OK\nC: STLS' : 'S: * OK\nC: a STARTTLS';
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 30 }), sizes, (injected, cuts) => {
        const turns = transcript(head);
        turns[1]!.bytes += Buffer.from(injected).toString('latin1');
        const o = play(protocol, turns, false, cutter(cuts));
        expect(o).toMatchObject({ client: reset, findings: ['invalid-command: Data ahead of the reply'] });
      }),
    );
  });
});

test('what passes to the end is passed, not opaque', () => {
  expect(play('imap', transcript(IMAP_MAIL))).toEqual({ findings: [], client: pass, server: pass });
});
