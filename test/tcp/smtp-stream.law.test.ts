/** The law of the stream with the real inspector: an SMTP dialogue over a hostile network. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamAction, type StreamInspector } from '../../src/core/inspect/inspector.js';
import { newSmtpCounters } from '../../src/core/inspect/smtp/finding.js';
import { SmtpInspector } from '../../src/core/inspect/smtp/inspector.js';
import { smtpDefaults } from '../../src/ios/config/defaults.js';
import type { SmtpOptions } from '../../src/core/policy.js';
import { ChangingHands } from '../inspect/smtp/changing-hands.js';
import { POLICIES } from './receiver.js';
import { bytesOf, textOf } from './segment.js';
import { firstSeq, step, Wire, type Step } from './wire.js';

const OPTIONS: SmtpOptions = smtpDefaults();

const host = { debug: false, report: () => undefined, trace: () => undefined };
const smtpInspector = (protocol: 'smtp' | 'esmtp'): StreamInspector =>
  new SmtpInspector(protocol, OPTIONS, host, newSmtpCounters());

/** Keeps what the inspector was given and what it let pass. */
class Recorder implements StreamInspector {
  modified = false;
  readonly initiator = { input: [] as number[], output: [] as number[] };
  readonly responder = { input: [] as number[], output: [] as number[] };

  constructor(readonly inner: StreamInspector) {}

  fromInitiator(b: Uint8Array, at: number, end: number, now: number): StreamAction {
    const input = b.slice(at, end);
    const action = this.inner.fromInitiator(b, at, end, now);
    return this.#record(this.initiator, input, b.slice(at, end), action);
  }

  fromResponder(b: Uint8Array, at: number, end: number, now: number, unacknowledged: number): StreamAction {
    const input = b.slice(at, end);
    const action = this.inner.fromResponder(b, at, end, now, unacknowledged);
    return this.#record(this.responder, input, b.slice(at, end), action);
  }

  #record(
    side: { input: number[]; output: number[] },
    input: Uint8Array,
    output: Uint8Array,
    action: StreamAction,
  ): StreamAction {
    this.modified = this.inner.modified;
    if (action === StreamAction.reset) return action;
    side.input.push(...input);
    side.output.push(...output);
    return action;
  }
}

interface Exchange {
  client: string;
  server: string;
}

/** Commands that the inspector passes, and their replies. */
const legal = fc.constantFrom<Exchange>(
  { client: 'HELO client.example\r\n', server: '250 server.example\r\n' },
  { client: 'NOOP\r\nnoop\r\nRSET\r\n', server: '250 OK\r\n250 OK\r\n250 OK\r\n' },
  { client: 'VRFY root\r\n', server: '252 Perhaps\r\n' },
  { client: 'MAIL FROM:<a@client.example>\r\n', server: '250 OK\r\n' },
  { client: 'RCPT TO:<b@server.example>\r\n', server: '250 OK\r\n' },
);

/** A mail; its command needs none before it for the inspector. */
const mail = fc
  .array(fc.constantFrom('Subject: EXPN\r\n', '\r\n', 'QUIT\r\n', '..\r\n', 'text . text\r\n', '.x\r\n'), {
    maxLength: 4,
  })
  .map((lines): Exchange[] => [
    { client: 'DATA\r\n', server: '354 Go ahead\r\n' },
    { client: lines.join('') + '.\r\n', server: '250 Queued\r\n' },
  ]);

const illegal = fc.constantFrom<Exchange>(
  { client: 'EXPN root\r\n', server: '500 What?\r\n' },
  { client: 'NOOPS\r\n', server: '500 What?\r\n' },
  { client: 'XEXCH50 1 2\r\nRSET\r\n', server: '500 What?\r\n250 OK\r\n' },
  { client: 'STARTTLS\r\n', server: '500 What?\r\n' },
  { client: 'Quux\r\n', server: '500 What?\r\n' },
);

const dialogue = fc
  .array(
    fc.oneof(
      legal.map((e) => [e]),
      illegal.map((e) => [e]),
      mail,
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts): Exchange[] => [{ client: '', server: '220 server.example ESMTP\r\n' }, ...parts.flat()]);

/** What stands in place of the truth in a lie: other verbs, other line ends. */
const LIES = ['', 'EXPN root\r\n', '\r\n.\r\n', 'xXxX'];

/** Plays the dialogue: each side speaks when it has received all of what the other said before. */
function play(
  exchanges: readonly Exchange[],
  steps: readonly (readonly Step[])[],
  protocol: 'smtp' | 'esmtp',
  options: { first: number; policy: (typeof POLICIES)[number]; chunk: number; lie: number; honest: boolean },
): { wire: Wire<Recorder>; turns: { up: boolean; end: number }[] } {
  const said = { up: '', down: '' };
  const recorder = new Recorder(new ChangingHands(protocol, OPTIONS, host, newSmtpCounters()));
  const content = (up: boolean, at: number, lie: number): number => {
    const side = up ? recorder.initiator : recorder.responder;
    // An honest sender may lie about bytes that it has sent before, which is only to be rewritten.
    const text = lie === 0 || (options.honest && at >= side.input.length) ? said[up ? 'up' : 'down'] : LIES[lie]!;
    return at < 0 ? 0 : (text.charCodeAt(at % text.length) || 0) & 255;
  };
  const wire = new Wire(options.first, options.first, options.policy, {}, recorder, content);
  const turns: { up: boolean; end: number }[] = [];
  exchanges.forEach((e, i) => {
    for (const up of [true, false]) {
      const text = up ? e.client : e.server;
      if (text === '') continue;
      const side = up ? 'up' : 'down';
      said[side] += text;
      for (const s of steps[i % steps.length]!) {
        const own = 'up' in s ? { ...s, up } : s;
        wire.run(own.do === 'send' ? { ...own, fin: false } : own, said[side].length);
      }
      wire.finish(up, said[side].length, options.lie, options.chunk);
      turns.push({ up, end: (up ? recorder.initiator : recorder.responder).input.length });
    }
  });
  return { wire, turns };
}

const network = fc.record({
  steps: fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
  protocol: fc.constantFrom('smtp' as const, 'esmtp' as const),
  first: firstSeq,
  policy: fc.constantFrom(...POLICIES),
  chunk: fc.integer({ min: 1, max: 40 }),
  lie: fc.integer({ min: 0, max: LIES.length - 1 }),
});

test('a server gets the bytes that the SMTP inspector let pass, and no others, also from a lying client', () => {
  fc.assert(
    fc.property(dialogue, network, (exchanges, n) => {
      const { wire } = play(exchanges, n.steps, n.protocol, { ...n, honest: false });
      const reset = wire.stream.resetRequested;
      for (const up of [true, false]) {
        const passed = textOf((up ? wire.inspector.initiator : wire.inspector.responder).output);
        const got = textOf(wire.receivers[up ? 'up' : 'down'].delivered);
        expect(reset ? passed.slice(0, got.length) : passed).toBe(got);
      }
      if (!reset) expect(wire.memory.ringBytes).toBe(0);
      expect(wire.held.size).toBe(wire.memory.heldSegments);
    }),
    { numRuns: 1500 },
  );
}, 60_000);

test('the stream is the one that the inspector makes of the whole, but for letters gone before a line was illegal', () => {
  fc.assert(
    fc.property(dialogue, network, (exchanges, n) => {
      const { wire, turns } = play(exchanges, n.steps, n.protocol, { ...n, honest: true });
      expect(wire.stream.resetRequested).toBe(false);
      const whole = smtpInspector(n.protocol);
      const at = { up: 0, down: 0 };
      for (const { up, end } of turns) {
        const side = up ? wire.inspector.initiator : wire.inspector.responder;
        const key = up ? 'up' : 'down';
        const b = Uint8Array.from(side.input.slice(at[key], end));
        const said = exchangesText(exchanges, up);
        expect(textOf(side.input.slice(at[key], end))).toBe(said.slice(at[key], end));
        const action = up ? whole.fromInitiator(b, 0, b.length, 0) : whole.fromResponder(b, 0, b.length, 0, 0);
        expect(action).toBe(StreamAction.pass);
        expectSameButForStarts(textOf(side.output.slice(at[key], end)), textOf(b), said.slice(at[key], end));
        at[key] = end;
      }
      expect(textOf(wire.receivers.up.delivered)).toBe(textOf(wire.inspector.initiator.output));
      expect(at.up).toBe(exchangesText(exchanges, true).length);
    }),
    { numRuns: 1500 },
  );
}, 60_000);

const exchangesText = (exchanges: readonly Exchange[], up: boolean): string =>
  exchanges.map((e) => (up ? e.client : e.server)).join('');

/** Line by line: equal, or masked in `whole` and in `cut`, there perhaps behind the first letters of a legal verb. */
function expectSameButForStarts(cut: string, whole: string, said: string): void {
  const lines = said.split(/(?<=\n)/);
  let at = 0;
  for (const line of lines) {
    const inCut = cut.slice(at, at + line.length);
    const inWhole = whole.slice(at, at + line.length);
    at += line.length;
    if (inCut === inWhole) continue;
    const kept = inCut.indexOf('x');
    expect(inWhole).toMatch(/^x+\r\n$/);
    expect(inCut.slice(kept)).toMatch(/^x+\r\n$/);
    expect(inCut.slice(0, kept)).toBe(line.slice(0, kept));
    expect(kept).toBeLessThanOrEqual(4);
  }
}

test('the dialogues of these laws hold masked lines and whole mails', () => {
  const exchanges = [
    { client: '', server: '220 hi\r\n' },
    { client: 'EXPN root\r\n', server: '500 What?\r\n' },
    { client: 'DATA\r\n', server: '354 Go\r\n' },
    { client: 'EXPN\r\n.\r\n', server: '250 OK\r\n' },
  ];
  const n = { first: -5, policy: 'first' as const, chunk: 100, lie: 0, honest: true };
  const { wire } = play(exchanges, [[]], 'smtp', n);
  expect(textOf(wire.receivers.up.delivered)).toBe('xxxxxxxxx\r\nDATA\r\nEXPN\r\n.\r\n');
  expect(wire.receivers.up.delivered).toEqual([...bytesOf('xxxxxxxxx\r\nDATA\r\nEXPN\r\n.\r\n')]);
});
