/**
 * What the attacker does, as moves that fast-check makes: numbers that get their meaning from where the dialogue is.
 * A move is a step of an attack that was found, or that somebody could think of; a law is a mixture of some.
 */
import fc from 'fast-check';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { latin1, tcpPacket } from '../support/packets.js';
import { fitted } from './fitted.js';
import { ATTACKER, type Fate, FATES, MAIL_GLOBAL, MAIL_LOCAL, type World } from './world.js';

export const EVIL = 'EXPN root\r\n';

/** What a client may say. `y*90` stands for so many letters. */
const PLAIN = [
  'EHLO c\r\n',
  'HELO c\r\n',
  'MAIL FROM:<a@b>\r\n',
  'MAIL FROM:<refused@b>\r\n',
  'RCPT TO:<c@d>\r\n',
  'RCPT TO:<refused@d>\r\n',
  'DATA\r\n',
  'NOOP\r\n',
  'RSET\r\n',
  'VRFY a\r\n',
  'HELP\r\n',
  '\r\n',
  '.\r\n',
  'text\r\n',
  'y*600\r\n',
  'NOOP\r',
  `NOOP\n${EVIL}`,
  `NOOP\r${EVIL}`,
  EVIL,
] as const;
const CHUNKS = [`BDAT ${EVIL.length}\r\n`, `BDAT ${EVIL.length} LAST\r\n`, 'BDAT 0 LAST\r\n', 'BDAT 4\r\n'] as const;
const AUTHS = [
  'AUTH LOGIN\r\n',
  'AUTH LOGIN dXNlcg==\r\n',
  'dXNlcg==\r\n',
  '*\r\n',
  'AUTH LOGIN y*2100\r\n',
  'AUTH LOGIN y*4085EXPN\r\n',
  'AUTH LOGIN y*12300\r\n',
  'AUTH LOGIN y*16390\r\n',
  'y*12300\r\n',
  'y*16390\r\n',
] as const;
const LONG = ['NOOP y*2050\r\n', 'NOOP y*4100\r\n', 'NOOP y*16390\r\n', 'STARTTLS\r\n'] as const;
const ANY = [...PLAIN, ...CHUNKS, ...AUTHS, ...LONG] as const;

/** Writes out the abbreviation. */
const spell = (word: string): string => word.replace(/y\*(\d+)/, (_, n: string) => 'y'.repeat(Number(n)));

/** Where the dialogue is brought to before the attack. */
const LINES = {
  greeted: [],
  hello: ['HELO c\r\n'],
  ehlo: ['EHLO c\r\n'],
  mail: ['EHLO c\r\n', 'MAIL FROM:<a@b>\r\n'],
  rcpt: ['EHLO c\r\n', 'MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n'],
  data: ['HELO c\r\n', 'MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'DATA\r\n'],
  auth: ['EHLO c\r\n', 'AUTH LOGIN\r\n'],
} as const;
export type Way = keyof typeof LINES;
export const WAYS = Object.keys(LINES) as Way[];

export type Move =
  /** Text, from the next new byte or from elsewhere. */
  | { do: 'say'; words: readonly string[]; cut: number; fate: Fate; at: number; window: number; latest: boolean }
  /** All that the server lacks, as the truth has it or not. */
  | { do: 'catch up'; lie: boolean }
  /** A line, whose reply is then let out as far as so many lines. */
  | { do: 'turn'; word: string; lines: number }
  /** Lets the server say so many lines, or none. */
  | { do: 'read'; lines: number }
  /** `lost`: behind a segment that the server has not acknowledged yet, and one that it never gets. */
  | { do: 'reset'; where: 'server' | 'ours' | 'between'; fate: Fate; lost: boolean }
  /** A SYN of the same four-tuple. `iss` of the server, against the number it would have sent next. */
  | { do: 'reopen'; seq: 'next' | 'old' | 'far'; iss: number; ms: number; fate: Fate; answer: boolean }
  /** A segment of the server's, by the outside interface. */
  | { do: 'forge'; text: string; local: boolean; flags: string; at: number }
  /** Two datagrams of one identification, whose pieces fit together crosswise. */
  | { do: 'fragments'; die: number; order: readonly number[]; burst: boolean; swap: boolean }
  /** Segments that MPTCP puts in another order. */
  | { do: 'map'; kind: number }
  | { do: 'acknowledge' }
  | { do: 'retransmit' }
  | { do: 'wait'; ms: number }
  /** The data plane dies, and another one takes over. */
  | { do: 'die' };

const fate = fc.constantFrom<Fate>('arrives', 'arrives', 'arrives', ...FATES);

const saying = (words: readonly string[]) =>
  fc.record({
    do: fc.constant('say' as const),
    words: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }),
    cut: fc.constantFrom(1400, 1400, 1400, 1, 4, 7),
    fate,
    at: fc.constantFrom(0, 0, 0, 0, -1, -4, -11, 3, 11),
    window: fc.constantFrom(-1, -1, 0),
    latest: fc.boolean(),
  });

export const MOVES = {
  die: fc.constant({ do: 'die' as const }),
  say: saying(PLAIN),
  sayChunks: saying([...PLAIN, ...CHUNKS, ...CHUNKS]),
  sayAny: saying(ANY),
  evil: fc.record({
    do: fc.constant('say' as const),
    words: fc.constantFrom([EVIL], [EVIL], ['\r\n', EVIL], ['\r\n.\r\n', EVIL], ['.\r\n', EVIL]),
    cut: fc.constantFrom(1400, 1400, 1),
    fate: fc.constant<Fate>('arrives'),
    at: fc.constantFrom(0, 0, 0, -11),
    window: fc.constant(-1),
    latest: fc.boolean(),
  }),
  /** What must be answered before anything else may be said, and is not. */
  await: fc.record({
    do: fc.constant('say' as const),
    words: fc.constantFrom('DATA\r\n', 'AUTH LOGIN\r\n', 'STARTTLS\r\n').map((word) => [word]),
    cut: fc.constant(1400),
    fate: fc.constant<Fate>('arrives'),
    at: fc.constant(0),
    window: fc.constant(0),
    latest: fc.boolean(),
  }),
  turn: fc.record({
    do: fc.constant('turn' as const),
    word: fc.oneof(
      fc.constant('AUTH LOGIN\r\n'),
      fc.constantFrom('AUTH LOGIN y*16390\r\n', 'NOOP y*1030\r\n', 'AUTH LOGIN y*2100\r\n'),
      fc.constantFrom(...AUTHS, ...LONG, 'DATA\r\n', '\r\n', 'NOOP\r\n', 'NOOP\r', 'AUTH LOGIN\r'),
    ),
    lines: fc.constantFrom(0, 1, 1, 1, 1, 2),
  }),
  catchUp: fc.record({ do: fc.constant('catch up' as const), lie: fc.boolean() }),
  read: fc.record({ do: fc.constant('read' as const), lines: fc.constantFrom(0, 1, 1, 1, 2, 99) }),
  reset: fc.record({
    do: fc.constant('reset' as const),
    where: fc.constantFrom('server', 'server', 'ours', 'between'),
    fate,
    lost: fc.constantFrom(true, true, false),
  }),
  reopen: fc.record({
    do: fc.constant('reopen' as const),
    seq: fc.constantFrom('next', 'next', 'old', 'far'),
    iss: fc.constantFrom(-60_000, -10_000, -1000, -100, -1, 0, 1, 500, 100_000, 1 << 30),
    ms: fc.constantFrom(0, 1000, 20_000, 207_000, 275_000),
    fate,
    answer: fc.constantFrom(true, true, false),
  }),
  forge: fc.record({
    do: fc.constant('forge' as const),
    text: fc.constantFrom(
      '354 Go\r\n',
      '334 a\r\n',
      '220 Go\r\n',
      '250 Ok\r\n',
      '250-x\r\n250 CHUNKING\r\n',
      '500 no\r\n',
      '',
    ),
    local: fc.boolean(),
    flags: fc.constantFrom('PA', 'PA', 'SA', 'RA', 'FA', 'A'),
    at: fc.constantFrom(0, 0, 0, 8, -8),
  }),
  fragments: fc.record({
    do: fc.constant('fragments' as const),
    die: fc.integer({ min: 0, max: 15 }),
    order: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    burst: fc.boolean(),
    swap: fc.boolean(),
  }),
  map: fc.record({ do: fc.constant('map' as const), kind: fc.constantFrom(30, 30, 30, 34, 253) }),
  acknowledge: fc.record({ do: fc.constant('acknowledge' as const) }),
  retransmit: fc.record({ do: fc.constant('retransmit' as const) }),
  wait: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(300, 5000, 26_000) }),
};

/** Brings a dialogue there as any client would. */
export function bring(w: World, to: Way): void {
  for (const line of LINES[to]) {
    w.send({ payload: line });
    w.send({ flags: 'A' });
  }
}

export function make(w: World, m: Move): void {
  switch (m.do) {
    case 'say':
      say(w, m);
      return;
    case 'catch up':
      catchUp(w, m.lie);
      return;
    case 'turn':
      w.window = 0;
      say(w, { do: 'say', words: [m.word], cut: 1400, fate: 'arrives', at: 0, window: 0, latest: true });
      read(w, m.lines);
      return;
    case 'read':
      read(w, m.lines);
      return;
    case 'reset': {
      if (m.lost) {
        w.host.acknowledge();
        w.pump();
        w.send({ payload: 'text\r\n' });
        w.send({ payload: 'text\r\n', fate: 'dies behind' });
      }
      const server = w.host.connection?.rcvNxt ?? w.nxt;
      const seq = m.where === 'server' ? server : m.where === 'ours' ? w.nxt : (server + ((w.nxt - server) >> 1)) | 0;
      w.send({ flags: 'R', seq, fate: m.fate });
      return;
    }
    case 'reopen':
      reopen(w, m);
      return;
    case 'forge':
      forge(w, m);
      return;
    case 'fragments':
      fragments(w, m);
      return;
    case 'map':
      map(w, m.kind);
      return;
    case 'acknowledge':
      w.host.acknowledge();
      w.pump();
      return;
    case 'retransmit':
      w.host.retransmit();
      w.pump();
      return;
    case 'wait':
      w.wait(m.ms);
      return;
    case 'die':
      w.die();
  }
}

function say(w: World, { words, cut, fate: what, at, window, latest }: Move & { do: 'say' }): void {
  if (window >= 0) w.window = window;
  const text = words.map(spell).join('');
  const from = (w.nxt + at) | 0;
  for (let i = 0; i < text.length; i += cut) {
    w.send({ seq: (from + i) | 0, payload: text.slice(i, i + cut), fate: what });
  }
  if (latest) w.send({ flags: 'A' });
}

function catchUp(w: World, lie: boolean): void {
  const c = w.host.connection;
  if (c === undefined) return;
  for (let rounds = 0; rounds < 20; rounds++) {
    const missing = (w.nxt - c.rcvNxt) | 0;
    if (missing <= 0 || missing > 40_000) return;
    const text = (lie ? EVIL : 'NOOP\r\n').repeat(Math.ceil(missing / 6)).slice(0, Math.min(missing, 1400));
    const before = c.rcvNxt;
    w.send({ seq: c.rcvNxt, payload: text });
    if (c.rcvNxt === before) return;
  }
}

/** The window lets out just so many lines of what the server has to say. */
function read(w: World, lines: number): void {
  const waiting = w.host.connection?.sending.split(/(?<=\n)/) ?? [];
  w.window = lines === 99 ? 65_535 : waiting.slice(0, lines).join('').length;
  w.send({ flags: 'A' });
  w.host.retransmit();
  w.pump();
  if (lines !== 99) w.window = 0;
  w.send({ flags: 'A' });
}

function reopen(w: World, m: Move & { do: 'reopen' }): void {
  if (m.ms > 0) w.wait(m.ms);
  const server = w.host.connection?.sndNxt ?? w.rcvNxt;
  w.host.nextIss = (server + m.iss) | 0;
  const seq = m.seq === 'next' ? (w.nxt - 1) | 0 : m.seq === 'old' ? w.iss : (w.nxt + 100_000_000) | 0;
  w.send({ flags: 'S', seq, fate: m.fate });
  if (m.seq === 'far') w.nxt = (seq + 1) | 0;
  if (m.answer && w.host.connection !== undefined) w.rcvNxt = w.seen((w.host.connection.iss + 1) | 0);
  w.send({ flags: 'A' });
  w.send({ flags: 'A' });
  // Blind, if the answer was dropped: he knows the number all the same.
  if (m.answer && w.host.connection !== undefined) w.rcvNxt = w.seen(w.host.connection.sndNxt);
}

function forge(w: World, m: Move & { do: 'forge' }): void {
  const c = w.host.connection;
  const honest = w.rcvNxt;
  const packet = tcpPacket({
    src: m.local ? MAIL_LOCAL : MAIL_GLOBAL,
    srcPort: 25,
    dst: ATTACKER,
    dstPort: 40_000,
    flags: m.flags,
    seq: ((c?.sndNxt ?? w.rcvNxt) + m.at) | 0,
    ack: w.nxt,
    payload: latin1(/[SR]/.test(m.flags) ? '' : m.text),
  });
  w.burst([packet]);
  w.rcvNxt = honest;
}

function fragments(w: World, { die, order, burst, swap }: Move & { do: 'fragments' }): void {
  const evil = 'EXPN root \r\n';
  const harmless = fitted('NOOP ', evil);
  const first = `NOOP 12345\r\n${swap ? evil : harmless}`;
  const one = w.segment({ payload: swap ? `NOOP        ${evil}` : first, id: 77 });
  w.nxt = (w.nxt + first.length) | 0;
  const two = w.segment({ payload: swap ? `NOOP 12345\r\n${harmless}` : `NOOP        ${evil}`, id: 77 });
  w.nxt = (w.nxt + first.length) | 0;
  const pieces = [...fragmentsAt(one, [4]), ...fragmentsAt(two, [4])];
  pieces.forEach((piece, i) => {
    if ((die & (1 << i)) === 0) return;
    piece[8] = 1;
    writeIpv4Checksum(piece, 0, 20);
  });
  if (burst) w.burst(pieces, order);
  else for (const i of pieces.keys()) w.burst([pieces[i]!]);
}

function map(w: World, kind: number): void {
  const c = w.host.connection;
  if (c === undefined) return;
  const at = c.dataNxt;
  const dss = (from: number, length: number): number[] => [
    ...[kind, 14, 0x20, 4, (from >> 24) & 255, (from >> 16) & 255, (from >> 8) & 255, from & 255],
    ...[0, 0, 0, 1, 0, length, 1, 1],
  ];
  w.send({ payload: 'NOOP ', options: dss(at, 5) });
  w.send({ payload: EVIL, options: dss(at + 7, EVIL.length) });
  w.send({ payload: '\r\n', options: dss(at + 5, 2) });
}
