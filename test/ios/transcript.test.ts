/** The transcripts that are kept: how many, how much of each, in which words. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TranscriptEntry } from '../../src/core/events.js';
import { finish, NO_TERMINAL } from '../../src/ios/exec/one-command.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { showDialogue } from '../../src/ios/show/transcripts.js';
import type { DialogueChange } from '../../src/ios/transcript/dialogue.js';
import { MOST_OF_ALL, MOST_OF_ONE, TranscriptStore } from '../../src/ios/transcript/store.js';
import type { TranscriptEvent } from '../../src/ios/transcript/words.js';
import { fakeRouter } from './support/fake-router.js';

const AT = Date.UTC(2026, 9, 18, 21, 51, 35, 886);
const CLIENT = 0xac16010a | 0;
const SERVER = 0xac16016e | 0;

const event = (sessionId: number, entry: TranscriptEntry, leftOut = 0): TranscriptEvent => ({
  type: 'transcript',
  endpoints: {
    sessionId,
    service: 'smtp',
    initiator: CLIENT,
    initiatorPort: 4000,
    responder: SERVER,
    responderPort: 25,
  },
  at: 0,
  entry,
  leftOut,
});
const BEGIN: TranscriptEntry = { what: 'begin' };
const END: TranscriptEntry = { what: 'end', reason: 'timeout', closed: true };
const said = (fromInitiator: boolean, text: string, more: object = {}): TranscriptEntry => ({
  what: 'line',
  fromInitiator,
  text,
  more: 0,
  ...more,
});

function store(most: number): TranscriptStore {
  const s = new TranscriptStore();
  s.most = most;
  return s;
}
const A = 0x63000000;
const B = 0x63000170;
const C = 0x630002e0;
const numbers = (s: TranscriptStore): number[] => s.list().map((d) => d.number);

/** One dialogue with something of everything. */
function filled(s: TranscriptStore): void {
  const tell = (entry: TranscriptEntry, leftOut = 0): void => s.take(event(A, entry, leftOut), AT);
  tell(BEGIN);
  tell(said(false, '220 mail ESMTP'));
  tell(said(true, 'EXPN root', { became: 'xxxxxxxxx' }));
  tell({
    what: 'finding',
    protocol: 'smtp',
    fromInitiator: true,
    finding: { kind: 'invalid-command', action: 'masked', altered: true, before: '', after: '', why: 'unknown' },
  });
  tell(said(true, 'AUTH PLAIN', { hidden: 'credentials' }));
  tell(said(false, '235 2.7.0', { hidden: 'credentials' }));
  tell(said(true, 'NOOP a\x07\\"\xe9', { more: 20 }));
  tell(said(true, 'DATA'));
  tell({ what: 'data', of: 'message', fromInitiator: true, bytes: 512, whole: true });
  tell(said(true, 'QUIT'), 3);
  tell({ what: 'opaque' });
  tell(END);
}

test('a dialogue as it is shown', () => {
  const s = store(1);
  filled(s);
  expect(showDialogue(s.of('63000000')!)).toBe(
    [
      ' Session 63000000 (172.22.1.10:4000)=>(172.22.1.110:25) smtp',
      '  21:51:35.886   Session begins',
      '  21:51:35.886 < 220 mail ESMTP',
      '  21:51:35.886 > EXPN root  became  xxxxxxxxx',
      '  21:51:35.886 ! unknown command, masked',
      '  21:51:35.886 > AUTH PLAIN <credentials>',
      '  21:51:35.886 < 235 2.7.0 <credentials>',
      '  21:51:35.886 > NOOP a\\x07\\\\"\\xe9 ... 20 bytes more',
      '  21:51:35.886 > DATA',
      '  21:51:35.886 > <message, 512 bytes>',
      '  21:51:35.886   ... 3 lines left out',
      '  21:51:35.886 > QUIT',
      '  21:51:35.886   <opaque from here>',
      '  21:51:35.886   Session ends: closed by both ends',
      '',
    ].join('\n'),
  );
});

describe('which dialogues are kept', () => {
  test('the oldest that has ended goes first, and the oldest where none has', () => {
    const s = store(2);
    for (const id of [A, B]) s.take(event(id, BEGIN), AT);
    s.take(event(B, END), AT);
    s.take(event(C, BEGIN), AT);
    expect(numbers(s)).toEqual([1, 3]);
    s.take(event(B, BEGIN), AT);
    expect(numbers(s)).toEqual([3, 4]);
  });

  test('one that has gone does not come back in the place of others', () => {
    const s = store(1);
    s.take(event(A, BEGIN), AT);
    s.take(event(B, BEGIN), AT);
    s.take(event(A, said(true, 'NOOP')), AT);
    expect(s.list().map((d) => d.session)).toEqual(['63000170']);
  });

  test('one whose beginning was not seen is kept where there is room', () => {
    const s = store(1);
    s.take(event(A, said(true, 'NOOP')), AT);
    expect(s.list()).toMatchObject([{ whole: false, lines: 1 }]);
  });

  test('a session of the same number is another dialogue, also where the end of the first was not told', () => {
    const s = store(3);
    for (let i = 0; i < 2; i++) {
      s.take(event(A, BEGIN), AT);
      s.take(event(A, said(true, `NOOP ${i}`)), AT);
    }
    expect(s.list().map((d) => [d.number, d.ended !== undefined])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(s.of('63000000')!.lines.map((l) => l.text)).toEqual(['NOOP 1']);
  });

  test('fewer are kept once fewer are wanted, and none where it is off', () => {
    const s = store(3);
    for (const id of [A, B, C]) s.take(event(id, BEGIN), AT);
    s.most = 1;
    expect(numbers(s)).toEqual([3]);
    s.most = 0;
    s.take(event(A, BEGIN), AT);
    expect([s.list(), s.bytes]).toEqual([[], 0]);
  });
});

test('of a dialogue that is too long the beginning and the end stay, and what is missing is said', () => {
  const s = store(1);
  s.take(event(A, BEGIN), AT);
  const count = 5000;
  for (let i = 0; i < count; i++) s.take(event(A, said(true, `NOOP ${i}`)), AT);
  const { lines } = s.of('63000000')!;
  expect([lines[0]!.text, lines.at(-1)!.text]).toEqual(['NOOP 0', `NOOP ${count - 1}`]);
  const [missing, ...none] = lines.filter((l) => l.kind === 'left-out');
  expect(none).toEqual([]);
  expect(missing!.text).toBe(`... ${count - (lines.length - 1)} lines left out`);
});

test('whatever comes, as many dialogues and bytes are kept as may be, and the sums are right', () => {
  const entry = fc.oneof(
    fc.constant(BEGIN),
    fc.constant(END),
    fc.constant<TranscriptEntry>({ what: 'gap' }),
    fc.nat(3).map((n) => said(n > 1, 'a\0'.repeat(n * 200), { became: 'x'.repeat(n * 200) })),
  );
  const events = fc.array(
    fc.tuple(fc.nat(40), entry, fc.nat(2), fc.nat(300)).map(([id, e, leftOut, repeat]) => ({ id, e, leftOut, repeat })),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 30 }), (all, most) => {
      const s = store(most);
      for (const { id, e, leftOut, repeat } of all)
        for (let i = 0; i < (e.what === 'line' ? repeat : 1); i++) s.take(event(A + id * 0x170, e, leftOut), AT);
      const kept = s.list().map(({ number }) => s.byNumber(number)!);
      expect(kept.length).toBeLessThanOrEqual(most);
      const texts = (d: (typeof kept)[number]): number =>
        d.lines.reduce((n, l) => n + l.text.length + (l.left?.length ?? 0) + (l.became?.length ?? 0), 0);
      for (const d of kept) expect(texts(d)).toBeLessThanOrEqual(MOST_OF_ONE + 128);
      expect(s.bytes).toBeLessThanOrEqual(MOST_OF_ALL + MOST_OF_ONE);
      s.clear();
      expect(s.bytes).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('all of them together have their bound, too', () => {
  const s = store(1000);
  const line = event(0, said(true, 'a'.repeat(500), { became: 'x'.repeat(500) }));
  for (let id = 0; id < 1000; id++) {
    s.take(event(id * 0x170, BEGIN), AT);
    for (let i = 0; i < 60; i++) s.take({ ...line, endpoints: { ...line.endpoints, sessionId: id * 0x170 } }, AT);
  }
  expect(s.bytes).toBeLessThanOrEqual(MOST_OF_ALL);
  expect(s.bytes).toBeGreaterThan(MOST_OF_ALL / 2);
  expect(numbers(s).at(-1)).toBe(1000);
});

test('who listens hears each line as it comes, and no more once he does not', () => {
  const s = store(1);
  const heard: DialogueChange[] = [];
  const end = s.onChange((change) => heard.push(change));
  filled(s);
  end();
  filled(s);
  expect(heard.map(({ line, head }) => line?.text ?? (head.ended === undefined ? 'begins' : 'ends'))).toEqual([
    'begins',
    ...s.of('63000000')!.lines.map((l) => l.text),
    'ends',
  ]);
});

describe('on the console', () => {
  const ON = 'hostname R\nip inspect transcript 5\n';

  test('they are shown to privilege 15 alone', () => {
    const router = fakeRouter(ON);
    router.transcripts.most = 5;
    filled(router.transcripts);
    const show = (privilege: number, line: string): string =>
      new ConsoleSession(router, 'console', privilege).execute(line).output;
    expect(show(15, 'show ip inspect sessions 63000000 transcript')).toContain('EXPN root');
    expect(show(15, 'show ip inspect transcript')).toContain('EXPN root');
    expect(JSON.parse(show(15, 'show ip inspect transcript json'))).toMatchObject({ session: '63000000' });
    for (const line of ['sessions 63000000 transcript', 'transcript', 'transcript json', 'transcript follow'])
      expect(show(1, `show ip inspect ${line}`)).toMatch(/% Invalid input/);
    expect(show(15, 'show ip inspect sessions 1 transcript')).toBe('%No transcript of session: 00000001\n');
  });

  test('where none are kept, that is said', () => {
    const session = new ConsoleSession(fakeRouter('hostname R\n'), 'console', 15);
    expect(session.execute('show ip inspect transcript').output).toMatch(/^% No transcripts are kept/);
  });

  test('follow is nothing for who waits for the end of a command', async () => {
    const session = new ConsoleSession(fakeRouter(ON), 'console', 15);
    expect(await finish(session, 'show ip inspect transcript follow', 1000)).toEqual({
      output: NO_TERMINAL,
      failed: true,
    });
    expect(session.isBusy()).toBe(false);
  });

  test('follow prints what happens until the escape sequence', () => {
    const router = fakeRouter(ON);
    router.transcripts.most = 5;
    const session = new ConsoleSession(router, 'console', 15);
    session.execute('show ip inspect transcript follow session 63000000');
    let text = '';
    let done = false;
    session.runJob(
      (more) => void (text += more),
      () => void (done = true),
    );
    expect(session.isStreaming()).toBe(true);
    router.transcripts.take(event(B, BEGIN), AT);
    filled(router.transcripts);
    expect(text.split('\n').slice(0, 4)).toEqual([
      '   2 Session 63000000 (172.22.1.10:4000)=>(172.22.1.110:25) smtp',
      '   2 21:51:35.886   Session begins',
      '   2 21:51:35.886 < 220 mail ESMTP',
      '   2 21:51:35.886 > EXPN root  became  xxxxxxxxx',
    ]);
    expect(text).toMatch(/\n {3}2 21:51:35\.886 {3}Session ends: closed by both ends\n$/);
    session.interrupt();
    expect(done).toBe(true);
    const before = text;
    router.transcripts.take(event(A, BEGIN), AT);
    expect(text).toBe(before);
  });
});
