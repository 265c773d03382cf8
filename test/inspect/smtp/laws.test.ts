/** What no client may achieve by the way it cuts, fills and times its stream. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';
import { differs } from './cutting.js';
import {
  clientGroups,
  cutAt,
  cuts,
  ENVELOPE,
  esmtpGroups,
  goodGroups,
  mailData,
  restlessSegments,
} from './dialogue-grammar.js';
import { isForbidden, legalWords } from './forbidden.js';
import { EXIM, HABITS, ModelServer, STRICT } from './model-servers.js';
import { Session } from './session.js';

const SMTP_WORDS = legalWords('smtp');

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

const ALLOWED = ['STARTTLS', 'BDAT', 'X-EXPS', 'XEXCH50'];
const esmtpOptions = { ...options, allow: ALLOWED };
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
        const server = new ModelServer(habits, { chunking, strictChunks: true, exchange: true });
        const session = new Session('esmtp', allowed ? esmtpOptions : options);
        converse(groups, lengths, eager, server, session);
        const words = legalWords('esmtp', allowed ? ALLOWED : []);
        expect(server.executed.filter((command) => isForbidden(command, words))).toEqual([]);
        // In the clear nothing but x goes out behind STARTTLS. What follows its 220 is TLS, and none of our business.
        if (session.action(true) !== 'opaque') expect(server.injected).toMatch(/^[xX\0\r\n]*$/);
      },
    ),
    { numRuns: RUNS, examples: [[AUTH_BEHIND_CR, [1], false, HABITS[3]!, true, true]] },
  );
});

/** What happens next: the client sends, the server's kernel gets a segment, its process reads one, the router gets a reply. */
const STEPS = { S: 'send', A: 'arrive', P: 'process', R: 'reply' } as const;
type Step = (typeof STEPS)[keyof typeof STEPS];
const schedule = fc.array(fc.constantFrom<Step>(...Object.values(STEPS)), { maxLength: 80 });
const scheduleOf = (letters: string): Step[] => Array.from(letters, (c) => STEPS[c as keyof typeof STEPS]);

/**
 * A client that waits for nothing. What it sends reaches the server when it likes (a segment of TTL 1 dies behind us, and
 * comes again); the server reads it when it likes, and a reply acknowledges what had arrived. At last, all comes.
 */
function scramble(segments: readonly string[], steps: readonly Step[], server: ModelServer, session: Session): void {
  const sending = [...segments];
  const up: string[] = [];
  const inbox: string[] = [];
  const down: [line: string, acknowledged: number][] = [['220 ready\r\n', 0]];
  let arrived = 0;
  const run = {
    send: (): void => {
      const segment = sending.shift();
      if (segment !== undefined) up.push(session.client(segment));
    },
    arrive: (): void => {
      const segment = up.shift();
      if (segment === undefined) return;
      arrived += segment.length;
      inbox.push(segment);
    },
    process: (): void => {
      const replies = server.receive(inbox.shift() ?? '');
      for (const line of replies.split(/(?<=\n)/)) if (line !== '') down.push([line, arrived]);
    },
    reply: (): void => {
      const [line, acknowledged] = down.shift() ?? ['', 0];
      session.server(line, undefined, session.toServer.length - acknowledged);
    },
  };
  for (const step of steps) run[step]();
  const left = (): number => sending.length + up.length + inbox.length + down.length;
  while (left() > 0) for (const step of Object.values(STEPS)) run[step]();
}

const AUTH = 'AUTH LOGIN\r\n';
const ESMTP_BEGINS = 'SRAPRRRR';
/**
 * A server that cuts the first line answers it twice, and the second answer seems to be that of the first AUTH. Then its
 * challenge seems to be that of the second one, which is a response to the server; the next line is another response,
 * and the one behind it a command.
 */
const CUT = ['EHLO c\r\n', `NOOP ${'a'.repeat(16_384)}\r\n`, AUTH, AUTH, 'EXPN x\r\n', 'EXPN y\r\n'];
const WHEN_CUT = ESMTP_BEGINS + 'SAPRSAPRSRSAPRSAPAP';
/** The same with a CR that ends a line for some servers; they had not got the first AUTH when it seemed to be answered. */
const TWO = ['EHLO c\r\n', 'NOOP x\r', 'x\r\n', AUTH, AUTH, 'EXPN x\r\n', 'EXPN y\r\n'];
const WHEN_LATE = ESMTP_BEGINS + 'SAPSAPSRRSAPRSAPRSAPAP';
/** Or had got it and not read it. */
const WHEN_SLOW = ESMTP_BEGINS + 'SASASAPPRRSAPRSPRSAPAP';

test('nor do replies that come late, or one for each part of a line', () => {
  const cr = HABITS.find(({ name }) => name === 'CR LF or CR')!;
  fc.assert(
    fc.property(restlessSegments, schedule, someHabits, fc.boolean(), (segments, steps, habits, chunking) => {
      const server = new ModelServer(habits, { chunking, strictChunks: true, exchange: true });
      const session = new Session('esmtp', esmtpOptions);
      scramble(segments, steps, server, session);
      expect(server.executed.filter((command) => isForbidden(command, legalWords('esmtp', ALLOWED)))).toEqual([]);
    }),
    {
      numRuns: 2 * RUNS,
      examples: [
        [CUT, scheduleOf(WHEN_CUT), EXIM, false],
        [TWO, scheduleOf(WHEN_LATE), cr, false],
        [TWO, scheduleOf(WHEN_SLOW), cr, false],
      ],
    },
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
      let bareCr = false;
      for (const s of [whole, cut]) s.server('220 ready\r\n');
      for (const group of groups) {
        const out = whole.client(group);
        const pieces = cutAt(group, lengths)
          .map((segment) => cut.client(segment))
          .join('');
        bareCr ||= /\r(?!\n)/.test(pieces);
        if (cut.reset) {
          // Only where CR LF . CR went out before anybody could know what follows, or any CR in a command, or where the
          // whole was reset too.
          const atDot = /(^|\r\n)\.x/.test(out) && cut.toServer.endsWith('\r\n.\r');
          expect(whole.reset || atDot || bareCr).toBe(true);
          return;
        }
        expect(whole.reset).toBe(false);
        expect(differs(group, out, pieces, { fromClient: true, words: SMTP_WORDS })).toBeUndefined();
        const replies = server.receive(out);
        for (const s of [whole, cut]) s.server(replies);
        // Behind that CR no reply is believed.
        if (bareCr) return;
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

/** A mail in chunks, one in octets of Exchange, a login: the client waits for every reply. */
const goodEsmtp = fc.constantFrom(
  ['NOOP\r\n', '\r\n', 'RSET\r\n'],
  ['AUTH LOGIN\r\n', 'RVhQTg==\r\n', 'NOOP\r\n'],
  ['X-EXPS LOGIN\r\n', 'EXPN\r\n', 'NOOP\r\n'],
  ['AUTH LOGIN\r\n', '*\r\n'],
  ['MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'BDAT 8\r\nEXPN x\r\n', 'NOOP\r\n', 'BDAT 4 LAST\r\nTURN'],
  ['MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'BDAT 2\r\nabBDAT 6 LAST\r\nEXPN x'],
  [
    'MAIL FROM:<a@b>\r\n',
    'RCPT TO:<nobody>\r\n',
    'RCPT TO:<c@d>\r\n',
    'XEXCH50 8 2\r\n',
    'EXPN\r\n\0x',
    'BDAT 0 LAST\r\n',
  ],
  ['MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<nobody>\r\nDATA\r\n', 'EXPN x\r\n.\r\nQUIT\r\n'],
  ['MAIL FROM:<a@b>\r\nRCPT TO:<nobody>\r\nDATA\r\n', 'RSET\r\n'],
);

test('a client that waits for its replies gets its dialogue with every server, however late segments come', () => {
  const talk = fc.array(goodEsmtp, { maxLength: 5 }).map((parts) => ['EHLO c\r\n', ...parts.flat()]);
  fc.assert(
    fc.property(talk, cuts, someHabits, fc.boolean(), fc.boolean(), (groups, lengths, habits, strictChunks, eager) => {
      const server = new ModelServer(habits, { chunking: true, strictChunks, exchange: true });
      const session = converse(
        groups,
        lengths,
        eager && !habits.lineEnds.includes('\r'),
        server,
        new Session('esmtp', esmtpOptions),
      );
      expect(session.toServer).toBe(groups.join(''));
      expect(session.reported.filter(({ finding }) => finding.action === 'reset')).toEqual([]);
      expect(server.executed.filter((command) => isForbidden(command, legalWords('esmtp', ALLOWED)))).toEqual([]);
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
