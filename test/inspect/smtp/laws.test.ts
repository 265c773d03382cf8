/** What no client may achieve by the way it cuts, fills and times its stream. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { COMMANDS } from '../../../src/inspect/smtp/grammar.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { differs } from './cutting.js';
import { clientGroups, cutAt, cuts, ENVELOPE, esmtpGroups, goodGroups, mailData } from './dialogue-grammar.js';
import { isForbidden, legalWords } from './forbidden.js';
import { HABITS, ModelServer, STRICT } from './model-servers.js';
import { Session } from './session.js';

const SMTP_WORDS = legalWords('smtp', false);

const options = smtpDefaults();

/** Dialogues a law; SMTP_RUNS=50000 for a longer hunt. A failure prints the seed. */
const RUNS = Number(process.env.SMTP_RUNS ?? 1000);
vi.setConfig({ testTimeout: 120_000 });

/**
 * A client, the router and a server talk.
 * @param eager the server answers each segment when it comes; else the client's whole group
 */
function converse(
  groups: readonly string[],
  lengths: readonly number[],
  eager: boolean,
  server: ModelServer,
  session = new Session('smtp', options),
): Session {
  session.server('220 ready\r\n');
  for (const group of groups) {
    let arrived = '';
    for (const segment of cutAt(group, lengths)) {
      arrived += session.client(segment);
      if (!eager) continue;
      session.server(server.receive(arrived), 3);
      arrived = '';
    }
    session.server(server.receive(arrived));
  }
  return session;
}

const someHabits = fc.constantFrom(...HABITS);

test('no way to cut and time the stream makes any server execute a command that the rule forbids', () => {
  fc.assert(
    fc.property(clientGroups, cuts, fc.boolean(), someHabits, (groups, lengths, eager, habits) => {
      const server = new ModelServer(habits);
      converse(groups, lengths, eager, server);
      expect(server.executed.filter((command) => isForbidden(command, SMTP_WORDS))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

const esmtpOptions = { ...options, allow: ['STARTTLS', 'BDAT'] };
const ESMTP_WORDS = Object.keys(COMMANDS);
/** Cut behind its CR, the second line begins an AUTH exchange with some servers, which then take the next for a response. */
const AUTH_BEHIND_CR = ['EHLO c\r\n', 'AUTH LOGIN\rEHLO c\r\n', 'BDAT 16 LAST\r\nEXPN x\r\n'];

test('nor do AUTH responses, chunks and TLS open a way, allowed or not', () => {
  fc.assert(
    fc.property(
      esmtpGroups,
      cuts,
      fc.boolean(),
      someHabits,
      fc.boolean(),
      fc.boolean(),
      (groups, lengths, eager, habits, chunking, allowed) => {
        const server = new ModelServer(habits, chunking);
        const session = new Session('esmtp', allowed ? esmtpOptions : options);
        converse(groups, lengths, eager, server, session);
        const words = ESMTP_WORDS.filter((w) => allowed || COMMANDS[w as keyof typeof COMMANDS].rule !== 'allow');
        expect(server.executed.filter((command) => isForbidden(command, words))).toEqual([]);
        // In the clear nothing but x goes out behind STARTTLS. What follows its 220 is TLS, and none of our business.
        if (session.action(true) !== 'opaque') expect(server.injected).toMatch(/^[xX\0\r\n]*$/);
      },
    ),
    { numRuns: RUNS, examples: [[AUTH_BEHIND_CR, [1], false, HABITS[3]!, true, true]] },
  );
});

test('no server finds the end of a mail where the router finds none', () => {
  fc.assert(
    fc.property(mailData, cuts, someHabits, (data, lengths, habits) => {
      const server = new ModelServer(habits);
      const groups = ['HELO c\r\n', ENVELOPE, data + '\r\n.\r\n'];
      const session = converse(groups, lengths, false, server);
      // CR LF . CR in a segment of its own may be an end to the server; then nothing comes behind it any more.
      if (session.reset) expect(session.toServer).toMatch(/\r\n\.\r$/);
      else expect([server.mails, server.inData]).toEqual([1, false]);
    }),
    { numRuns: RUNS },
  );
});

test('cutting changes nothing but letters of a masked verb and a bare CR that had to go out', () => {
  fc.assert(
    fc.property(clientGroups, cuts, (groups, lengths) => {
      const whole = new Session('smtp', options);
      const cut = new Session('smtp', options);
      const server = new ModelServer(STRICT);
      for (const s of [whole, cut]) s.server('220 ready\r\n');
      for (const group of groups) {
        const out = whole.client(group);
        const pieces = cutAt(group, lengths)
          .map((segment) => cut.client(segment))
          .join('');
        if (cut.reset) {
          // Only where CR LF . CR went out before anybody could know what follows, or where the whole was reset too.
          expect(whole.reset || (/(^|\r\n)\.x/.test(out) && cut.toServer.endsWith('\r\n.\r'))).toBe(true);
          return;
        }
        expect(whole.reset).toBe(false);
        expect(differs(group, out, pieces, { fromClient: true, words: SMTP_WORDS })).toBeUndefined();
        const replies = server.receive(out);
        for (const s of [whole, cut]) s.server(replies);
        expect(cut.kinds).toEqual(whole.kinds);
      }
    }),
    { numRuns: RUNS },
  );
});

test('what keeps to RFC 5321 passes untouched and unreported, however it is cut', () => {
  fc.assert(
    fc.property(goodGroups, cuts, (groups, lengths) => {
      const session = converse(groups, lengths, true, new ModelServer(STRICT));
      expect(session.toServer).toBe(groups.join(''));
      expect(session.kinds.filter((kind) => kind !== 'bad-sequence')).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test('monitor-only alters nothing and resets nothing', () => {
  fc.assert(
    fc.property(clientGroups, cuts, (groups, lengths) => {
      const session = new Session('smtp', { ...options, monitorOnly: true });
      const server = new ModelServer(STRICT);
      session.server('220 ready\r\n');
      for (const group of groups) {
        for (const segment of cutAt(group, lengths)) session.server(server.receive(session.client(segment)));
      }
      expect(session.toServer).toBe(groups.join(''));
      expect(session.reset).toBe(false);
      expect(session.reported.filter(({ finding }) => finding.altered)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test.each(['smtp', 'esmtp'] as const)('%s: any bytes in any order are survived; lengths stay', (protocol) => {
  const soup = fc.oneof(
    fc.string({
      unit: fc.constantFrom('\r\n', '\n', '.', '354 a', '334 a', '220 a', '250-', 'DATA', 'BDAT 9', 'AUTH A'),
    }),
    fc.uint8Array({ maxLength: 200 }).map((b) => String.fromCharCode(...b)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), soup), { maxLength: 20 }), fc.boolean(), (segments, debug) => {
      const session = new Session(protocol, { ...options, allow: ['STARTTLS', 'BDAT', 'XFOO'] });
      session.debug = debug;
      for (const [fromClient, segment] of segments) {
        const out = session.send(fromClient, segment);
        expect(out.length === segment.length || session.reset).toBe(true);
      }
    }),
    { numRuns: RUNS },
  );
});
