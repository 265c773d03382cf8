/**
 * Dialogues of an attacker with a mail server, by kind. All choices come from a seed. Each tries to have the server
 * execute `EXPN` with a token of its own, so that the server's log tells which dialogue it was.
 */
import { fragmentsAt } from '../../fragment/fragments.js';
import { fitted } from '../../attack/fitted.js';
import { latin1, tcpPacket } from '../../support/packets.js';
import { put16 } from '../../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../../src/core/wire/checksum.js';
import type { Client, Fate, Sent } from './attacker.js';
import { ADDRESSES, type ServerName } from './mail-servers.js';
import type { Choice } from './random.js';

export interface Attack {
  client: Client;
  pick: Choice;
  server: ServerName;
  /** The line that must not be executed. */
  evil: string;
}

const LOST: readonly Fate[] = ['dies here', 'dies behind', 'bad sum', 'signed', 'old'];

/** How bytes are put into packets. */
interface Manner {
  /** Lengths of segments, used over and over. */
  cut: readonly number[];
  /** Of so many segments one has a lie beside it: the same numbers, other bytes. 0: none. */
  lies: number;
  fates: readonly Fate[];
  disorder: boolean;
  fragments: boolean;
  sent: Partial<Sent>;
}

const PLAIN: Manner = { cut: [1400], lies: 0, fates: ['arrives'], disorder: false, fragments: false, sent: {} };

const CUTS: readonly (readonly number[])[] = [[1], [2], [3, 1], [7], [1, 10], [5, 2, 40], [536], [1400], [1400]];

function anyManner(pick: Choice): Manner {
  return {
    cut: pick.of(CUTS),
    lies: pick.of([0, 2, 3, 6]),
    fates: pick.of([['arrives'], LOST, [...LOST, 'arrives']]),
    disorder: pick.oneIn(3),
    fragments: pick.oneIn(6),
    sent: {},
  };
}

/** What a lie says from the same place: the line over and over. */
const lieOf = (evil: string, at: number, length: number): string =>
  evil.repeat(Math.ceil((at + length) / evil.length) + 1).slice(at % evil.length, (at % evil.length) + length);

/** Sends `text` in that manner, and lets its answer come. */
async function emit(a: Attack, text: string, manner: Partial<Manner> = {}, settle = true): Promise<void> {
  const { client, pick, evil } = a;
  const m = { ...PLAIN, ...manner };
  const from = client.nxt;
  const queue: Sent[] = [];
  for (let at = 0, n = 0; at < text.length; n++) {
    const length = m.cut[n % m.cut.length]!;
    const seq = (from + at) | 0;
    const truth = { ...m.sent, seq, payload: text.slice(at, at + length) };
    queue.push(truth);
    if (m.lies > 0 && pick.oneIn(m.lies)) {
      const back = Math.min(at, pick.of([0, 0, 1, 4, 9]));
      const lie = lieOf(
        evil,
        pick.below(evil.length),
        Math.min(truth.payload.length + back + pick.of([0, 0, 3]), 1400),
      );
      const packet = { seq: (seq - back) | 0, payload: lie, fate: pick.of(m.fates) };
      queue.splice(pick.oneIn(2) ? queue.length - 1 : queue.length, 0, packet);
    }
    at += length;
  }
  const order = m.disorder ? inDisorder(pick, queue) : queue;
  for (const s of order) {
    if (m.fragments && (s.payload?.length ?? 0) > 0) sendInFragments(a, s);
    else client.send(s);
  }
  if (settle) await client.settle();
}

/** Neighbours change places, over a few segments at most: the queue of a router is short. */
function inDisorder(pick: Choice, queue: readonly Sent[]): Sent[] {
  const out: Sent[] = [];
  for (let at = 0; at < queue.length; at += 6) out.push(...pick.shuffled(queue.slice(at, at + 6)));
  return out;
}

function sendInFragments(a: Attack, s: Sent): void {
  const { client, pick } = a;
  const pieces = fragmentsAt(client.segment(s), [3 + pick.below(3), 6 + pick.below(40)]);
  for (const piece of pick.oneIn(2) ? pick.shuffled(pieces) : pieces) client.inject(piece, 'fragment');
  const end = ((s.seq ?? client.nxt) + (s.payload?.length ?? 0)) | 0;
  if (((end - client.nxt) | 0) > 0) client.nxt = end;
}

const HELLO = ['EHLO c.test\r\n', 'HELO c.test\r\n'] as const;
const MAIL = 'MAIL FROM:<a@c.test>\r\n';
const RCPT = 'RCPT TO:<b@example.test>\r\n';

/** Opens, and goes some way. @returns false where the connection did not come about */
async function begin(a: Attack, options: readonly number[] = []): Promise<boolean> {
  const { client } = a;
  if (!(await client.open(options))) return false;
  return client.until(() => client.text.includes('220 ') || client.closed, 10_000);
}

async function lines(a: Attack, texts: readonly string[], manner?: Partial<Manner>): Promise<void> {
  for (const text of texts) await emit(a, text, manner);
}

async function envelope(a: Attack): Promise<void> {
  await lines(a, [a.pick.of(HELLO), MAIL, RCPT].slice(0, 1 + a.pick.below(3)));
}

const untilData = (a: Attack): Promise<void> => lines(a, [a.pick.of(HELLO), MAIL, RCPT, 'DATA\r\n']);

/** Sends again what the server lacks, with the truth or a lie, and says some more. */
async function finish(a: Attack): Promise<void> {
  const { client, pick, evil } = a;
  client.window = 65_535;
  client.prompt = true;
  client.send({ flags: 'A' });
  for (let rounds = 0; rounds < 4 && !client.closed; rounds++) {
    const missing = (client.nxt - client.acked) | 0;
    if (missing <= 0 || missing > 60_000) break;
    client.send({ seq: client.acked, payload: lieOf(evil, pick.below(evil.length), Math.min(missing, 1400)) });
    await client.settle();
  }
  if (client.closed) return;
  for (const text of [pick.of(['', '\r\n', '.\r\n', '\r\n.\r\n']), evil, 'QUIT\r\n'])
    if (text !== '') await emit(a, text);
}

const legalLines = (pick: Choice): string[] =>
  Array.from({ length: 1 + pick.below(4) }, () =>
    pick.of(['NOOP\r\n', 'NOOP with some words behind\r\n', 'RSET\r\n', 'VRFY somebody\r\n', 'HELP\r\n', MAIL, RCPT]),
  );

async function segments(a: Attack): Promise<void> {
  await envelope(a);
  const manner = { ...anyManner(a.pick), fates: ['arrives'] as const };
  for (const text of [...legalLines(a.pick), a.evil]) await emit(a, text, manner);
}

async function lost(a: Attack): Promise<void> {
  await envelope(a);
  const { client, pick, evil } = a;
  for (const text of legalLines(pick)) {
    if (pick.oneIn(2)) {
      client.send({ payload: pick.of([evil, text, 'DATA\r\n', 'AUTH LOGIN\r\n', 'RSET\r\n']), fate: pick.of(LOST) });
      if (pick.oneIn(2)) await client.settle();
    }
    await emit(a, text, { ...anyManner(pick), fates: LOST });
  }
}

const ODD_OPTIONS: readonly (readonly number[])[] = [
  [30, 4, 0x20, 1],
  [30, 14, 0x20, 4, 0, 0, 0, 7, 0, 0, 0, 1, 0, 5, 1, 1],
  [34, 6, 1, 2, 3, 4, 1, 1],
  [19, 18, ...new Array<number>(16).fill(3), 1, 1],
  [29, 4, 1, 1],
  [253, 4, 1, 2],
  [8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1],
  [5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1],
  [2, 4, 0, 1],
  [3, 3, 14, 1],
  [30, 0, 1, 1],
  [30, 99, 1, 1],
  [0, 30, 4, 1],
  [1, 1, 1, 1],
];

async function options(a: Attack): Promise<void> {
  await envelope(a);
  const { client, pick, evil } = a;
  for (const text of legalLines(pick)) {
    if (pick.oneIn(2))
      client.send({ seq: client.nxt, payload: evil.slice(0, text.length), options: pick.of(ODD_OPTIONS) });
    await emit(a, text, { ...anyManner(pick), sent: { options: pick.of(ODD_OPTIONS) } });
  }
}

async function flags(a: Attack): Promise<void> {
  if (a.pick.oneIn(3)) await untilData(a);
  else await envelope(a);
  const { client, pick, evil } = a;
  const start = client.nxt;
  for (const text of legalLines(pick)) {
    await emit(a, text, { ...anyManner(pick), sent: { flags: pick.of(['PA', 'A', 'PAU', 'UA', 'P', '', 'PA']) } });
    const seq = pick.of([client.nxt, client.acked, start, (client.nxt - 3) | 0, (client.nxt + 5) | 0]);
    const letters = pick.of(['R', 'RA', 'S', 'SA', 'F', 'FA', 'SF', 'U', 'FPU', 'A']);
    const at = client.nxt;
    client.send({ flags: letters, seq, fate: pick.of(['arrives', ...LOST]), payload: pick.oneIn(3) ? evil : '' });
    if (!pick.oneIn(4)) client.nxt = at;
  }
}

async function fragments(a: Attack): Promise<void> {
  if (a.pick.oneIn(4)) await untilData(a);
  else await envelope(a);
  const { client, pick, evil } = a;
  for (let n = 1 + pick.below(3); n > 0; n--) {
    const id = pick.of([77, 77, 78]);
    const line = evil.length % 2 === 0 ? evil : ` ${evil}`;
    const harmless = fitted('NOOP ', line);
    const swap = pick.oneIn(2);
    const texts = [`NOOP 12345\r\n${harmless}`, `NOOP        ${line}`];
    const pieces: Uint8Array[] = [];
    for (const text of swap ? texts.reverse() : texts) {
      pieces.push(...fragmentsAt(client.segment({ payload: text, id }), pick.oneIn(3) ? [4, 5] : [4]));
      client.nxt = (client.nxt + text.length) | 0;
    }
    for (const piece of pieces) {
      if (!pick.oneIn(4)) continue;
      piece[8] = pick.of([1, 2]);
      writeIpv4Checksum(piece, 0, 20);
    }
    if (pick.oneIn(3)) pieces.push(pick.of(pieces));
    for (const piece of pick.oneIn(2) ? pick.shuffled(pieces) : pieces)
      client.inject(piece, `fragment ${id} ttl ${piece[8]}`);
    await client.settle();
    await finishGap(a);
  }
}

/** The first gap is filled with the truth, as far as anybody knows it: the router does. */
async function finishGap(a: Attack): Promise<void> {
  const { client } = a;
  const missing = (client.nxt - client.acked) | 0;
  if (missing <= 0 || missing > 60_000) return;
  client.send({ seq: client.acked, payload: 'NOOP xxxxxx\r\n'.repeat(200).slice(0, Math.min(missing, 1400)) });
  await client.settle();
}

const LIMITS = [500, 511, 512, 513, 1000, 1024, 2047, 2048, 2049, 4095, 4096, 4100, 8000] as const;
const LONG_LIMITS = [12_287, 12_288, 12_289, 16_383, 16_384, 16_385, 16_400, 65_535, 65_540] as const;

async function longLines(a: Attack): Promise<void> {
  await envelope(a);
  const { client, pick, evil } = a;
  for (let n = 1 + pick.below(2); n > 0; n--) {
    const start = pick.of(['NOOP ', 'AUTH LOGIN ', 'VRFY ', 'MAIL FROM:<', '', 'EXPN ', 'HELO ', 'AUTH PLAIN ']);
    const length = pick.oneIn(3) ? pick.of(LONG_LIMITS) : pick.of(LIMITS);
    const filler = pick.of(['y', ' ', '=', 'A']).repeat(Math.max(length - start.length, 0));
    await emit(a, `${start}${filler}${pick.of([evil, '\r\n', `\r${evil}`, `\n${evil}`])}`, {
      cut: [pick.of([1400, 1024])],
    });
    await client.settle(15);
    if (pick.oneIn(2)) await emit(a, pick.of(['AUTH LOGIN\r\n', 'NOOP\r\n', 'DATA\r\n', evil]));
  }
}

/** The server's replies come when the attacker lets them, line by line. */
async function replies(a: Attack): Promise<void> {
  const { client, pick, evil } = a;
  await lines(a, [pick.of(HELLO), ...(pick.oneIn(3) ? [MAIL, RCPT] : [])]);
  client.prompt = false;
  const words = [
    ...[
      'AUTH LOGIN\r\n',
      'AUTH LOGIN\r\n',
      'AUTH LOGIN dXNlcg==\r\n',
      'DATA\r\n',
      'NOOP\r\n',
      '\r\n',
      'RSET\r\n',
      MAIL,
      RCPT,
    ],
    ...[
      'dXNlcg==\r\n',
      '*\r\n',
      'EHLO c.test\r\n',
      `AUTH LOGIN ${'x'.repeat(16_500)}\r\n`,
      `NOOP ${'x'.repeat(16_500)}\r\n`,
    ],
  ];
  for (let n = 2 + pick.below(5); n > 0; n--) {
    client.window = 0;
    await emit(a, pick.of(words), { cut: [1400], sent: { window: 0, ack: client.rcvNxt } });
    if (pick.oneIn(5)) client.send({ payload: 'text\r\n', fate: pick.of(LOST) });
    await readOne(a, pick.of([10, 18, 24, 40, 90, 0]));
  }
  client.send({ payload: evil });
  await client.settle();
}

/** Opens the window for so many bytes. */
async function readOne(a: Attack, bytes: number): Promise<void> {
  const { client } = a;
  if (bytes === 0) return;
  client.send({ flags: 'A', window: bytes });
  await client.settle(6, 60);
  client.send({ flags: 'A', window: 0 });
}

async function pipelines(a: Attack): Promise<void> {
  const { pick, evil } = a;
  const parts: string[] = [pick.of(HELLO)];
  for (let n = 2 + pick.below(5); n > 0; n--) {
    parts.push(
      pick.of([
        ...[
          'NOOP\r\n',
          'RSET\r\n',
          MAIL,
          RCPT,
          'DATA\r\n',
          'AUTH LOGIN\r\n',
          'STARTTLS\r\n',
          '.\r\n',
          '\r\n.\r\n',
          evil,
        ],
        ...['AUTH LOGIN dXNlcg==\r\n', '*\r\n', 'text\r\n', 'HELP\r\n', 'QUIT\r\n', 'DATA', 'AUTH LOGIN\r', '\n'],
      ]),
    );
  }
  const text = [...parts, evil].join('');
  await emit(a, text, { ...anyManner(pick), lies: 0 });
  await a.client.settle(15);
}

async function smuggling(a: Attack): Promise<void> {
  await untilData(a);
  const { pick, evil } = a;
  const byte = [
    '\r',
    '\n',
    '.',
    '\0',
    'a',
    ' ',
    '\r\n',
    '\r\n.',
    '\n.\n',
    '\r.\r',
    '\r\n.\r',
    '\n.\r\n',
    '\r\n.\n',
    '..',
  ];
  const form = Array.from({ length: 1 + pick.below(4) }, () => pick.of(byte)).join('');
  const text = `Subject: x\r\n\r\nbody${form}${pick.of(['', '\r\n', 'NOOP\r\n'])}${evil}body\r\n`;
  await emit(a, text, { ...anyManner(pick), lies: pick.of([0, 3]) });
  await emit(a, evil);
  await emit(a, pick.of(['\r\n.\r\n', '.\r\n']));
}

async function wrongSide(a: Attack): Promise<void> {
  const { client, pick, evil } = a;
  await lines(a, [pick.of(HELLO), ...(pick.oneIn(2) ? [MAIL] : [])]);
  client.prompt = false;
  client.window = 0;
  const awaited = pick.of(['DATA\r\n', 'AUTH LOGIN\r\n', 'STARTTLS\r\n', 'NOOP\r\n']);
  const ack = client.rcvNxt;
  client.send({ payload: awaited, window: 0 });
  if (pick.oneIn(2)) await client.settle();
  for (let n = 1 + pick.below(2); n > 0; n--) {
    const packet = tcpPacket({
      src: pick.of([ADDRESSES[a.server], client.server]),
      srcPort: 25,
      dst: client.address,
      dstPort: client.port,
      flags: pick.of(['PA', 'PA', 'PA', 'SA', 'RA', 'FA']),
      seq: (ack + pick.of([0, 0, 0, -5, 7])) | 0,
      ack: client.nxt,
      payload: latin1(pick.of(['354 Go\r\n', '334 a\r\n', '220 Go\r\n', '250-x\r\n250 CHUNKING\r\n', '500 no\r\n'])),
    });
    put16(packet, 4, 9);
    writeIpv4Checksum(packet, 0, 20);
    client.inject(packet, 'a reply of the other side');
    await client.settle(4, 30);
  }
  client.send({ payload: evil, ack, window: 0 });
  await client.settle();
  client.rcvNxt = ack;
}

async function reopen(a: Attack): Promise<void> {
  const { client, pick, evil } = a;
  if (pick.oneIn(2)) await untilData(a);
  else await lines(a, [...HELLO.slice(0, 1), 'AUTH LOGIN\r\n']);
  client.send({ payload: 'text\r\n' });
  const server = client.nxt;
  if (pick.oneIn(2)) client.send({ payload: 'lost\r\n', fate: pick.of(LOST) });
  client.send({ flags: pick.of(['R', 'R', 'RA', 'FA']), seq: pick.of([server, server, client.nxt, client.acked]) });
  await client.settle(4, 30);
  const seq = pick.of([(client.nxt - 1) | 0, (client.nxt - 1) | 0, client.iss, (client.nxt + 70_000) | 0]);
  client.opened = false;
  client.closed = false;
  client.send({ flags: 'S', seq });
  client.nxt = (seq + 1) | 0;
  await client.until(() => client.opened, 60);
  client.send({ flags: 'A' });
  await client.settle(6, 60);
  client.send({ payload: evil });
  await client.settle();
}

async function chunks(a: Attack): Promise<void> {
  const { pick, evil } = a;
  await emit(a, pick.of(HELLO));
  for (let n = 2 + pick.below(4); n > 0; n--) {
    const octets = pick.of([evil, evil, `RSET\r\n${evil}`]);
    const size = pick.of([octets.length, octets.length, octets.length + 2, 4, 0, 100]);
    const last = pick.of(['', '', ' LAST']);
    const text = pick.of([
      ...[MAIL, RCPT, 'MAIL FROM:<refused\r\n', 'RCPT TO:<x@elsewhere.test>\r\n', 'RSET\r\n', 'DATA\r\n', 'NOOP\r\n'],
      ...new Array<string>(4).fill(`BDAT ${size}${last}\r\n${octets}`),
      ...[`HELO c.test\r\nBDAT ${size}${last}\r\n${octets}`, `RSET\r\nBDAT ${size}${last}\r\n${octets}`],
      ...[`BDAT ${size}${last}\r\n`, `BDAT 0${size}\r\n${evil}`, `BDAT ${size} ${evil}`, `BDAT -1\r\n${evil}`],
    ]);
    await emit(a, text, { ...anyManner(pick), lies: 0 });
  }
}

export const KINDS = {
  segments,
  lost,
  options,
  flags,
  fragments,
  'long lines': longLines,
  replies,
  pipelines,
  smuggling,
  'wrong side': wrongSide,
  reopen,
  chunks,
} as const;
export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** Options of the SYN: any that is negotiated there, or none. */
const SYN_OPTIONS: readonly (readonly number[])[] = [
  [],
  [],
  [2, 4, 5, 0xb4],
  [3, 3, 14, 1],
  [2, 4, 5, 0xb4, 3, 3, 7, 1, 4, 2, 1, 1],
  [30, 4, 1, 1],
  [34, 2, 1, 1],
  [30, 4, 0x01, 0x81],
];

/** Has one dialogue of that kind. */
export async function have(kind: Kind, a: Attack): Promise<void> {
  const { client, pick } = a;
  if (pick.oneIn(3) || kind === 'lost') client.stamp = 1_000_000;
  if (await begin(a, pick.of(SYN_OPTIONS))) {
    await KINDS[kind](a);
    await finish(a);
  }
  client.send({ flags: 'RA', seq: client.acked });
  client.send({ flags: 'RA' });
}
