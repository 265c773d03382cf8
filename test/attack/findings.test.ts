/** The ways round the inspection that were found, one by one, against models of the servers that took them. */
import { expect, test } from 'vitest';
import { put16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { latin1, tcpPacket } from '../support/packets.js';
import { isForbidden, legalWords } from '../inspect/smtp/forbidden.js';
import { EXIM, POSTFIX, POSTFIX_THAT_GIVES_UP } from './mail-application.js';
import { fitted } from './fitted.js';
import { ALLOWED, ATTACKER, MAIL_GLOBAL, MAIL_LOCAL, World } from './world.js';

const EVIL = 'EXPN root\r\n';

function expectNothingForbidden(w: World, esmtp = true): void {
  const words = legalWords(esmtp ? 'esmtp' : 'smtp', ALLOWED);
  expect(w.host.executed.filter((line) => isForbidden(line, words))).toEqual([]);
}

/** Says lines and lets the server answer. */
function say(w: World, ...lines: string[]): void {
  for (const line of lines) {
    w.send({ payload: `${line}\r\n` });
    w.send({ flags: 'A' });
  }
}

test('fragments of two datagrams with one identification are not joined behind the router', () => {
  const w = new World('smtp', EXIM);
  w.open();
  // First pieces end behind 12 bytes of text. The second ones have the same sum, so either makes a whole segment.
  const evil = ' EXPN root \r\n'.slice(1);
  const one = w.segment({ payload: `NOOP 12345\r\n${fitted('NOOP ', evil)}`, id: 77 });
  w.nxt += 12 + evil.length;
  const two = w.segment({ payload: `NOOP        ${evil}`, id: 77 });
  const [first, second] = fragmentsAt(one, [4]);
  const [third, fourth] = fragmentsAt(two, [4]);
  for (const lost of [second!, third!]) {
    lost[8] = 1;
    writeIpv4Checksum(lost, 0, 20);
  }
  w.burst([first!, second!, third!, fourth!]);
  expectNothingForbidden(w);
});

test('nor when they are all sent in one burst and leave in another order', () => {
  const w = new World('smtp', EXIM);
  w.open();
  const evil = 'EXPN root \r\n';
  const one = w.segment({ payload: `NOOP 12345\r\n${fitted('NOOP ', evil)}`, id: 77 });
  w.nxt += 12 + evil.length;
  const two = w.segment({ payload: `NOOP        ${evil}`, id: 77 });
  w.burst([...fragmentsAt(one, [4]), ...fragmentsAt(two, [4])], [0, 3, 3, 1]);
  expectNothingForbidden(w);
});

test('MPTCP: what was inspected is read in that order', () => {
  const w = new World('smtp', EXIM, true);
  w.open([30, 4, 1, 1]);
  const mapping = (at: number, length: number): number[] => [
    ...[30, 14, 0x20, 4, 0, 0, 0, at, 0, 0, 0, at + 1, 0, length],
    ...[1, 1],
  ];
  // In the order of the segments one legal line; in that of the data: NOOP, and then EXPN.
  w.send({ payload: 'NOOP ', options: mapping(0, 5) });
  w.send({ payload: EVIL, options: mapping(7, EVIL.length) });
  w.send({ payload: '\r\n', options: mapping(5, 2) });
  expectNothingForbidden(w);
});

test('a four-tuple opened anew is inspected from its first byte', () => {
  const w = new World('smtp', EXIM);
  w.open();
  say(w, 'HELO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA');
  w.host.acknowledge();
  w.send({ payload: 'Subject: x\r\n' }); // not acknowledged at once
  const server = w.host.connection!.rcvNxt;
  w.send({ payload: 'lost', fate: 'dies here' });
  w.send({ flags: 'R', seq: server });
  w.wait(207_000);
  w.host.nextIss = w.rcvNxt - 10_000;
  w.send({ flags: 'S', seq: w.nxt - 1 });
  w.rcvNxt = w.host.nextIss + 1;
  w.send({ flags: 'A' });
  w.rcvNxt = w.host.nextIss + 1;
  w.send({ payload: EVIL });
  expectNothingForbidden(w, false);
});

test('a reply to part of a long line is not taken for the reply to the next command', () => {
  const w = new World('esmtp', EXIM);
  w.open();
  say(w, 'EHLO c');
  w.window = 0;
  // A line that Exim answers twice: two replies, which wait at the server, for one command.
  for (const part of `AUTH LOGIN ${'x'.repeat(16_500)}\r\n`.match(/[^]{1,1400}/g)!) w.send({ payload: part });
  const next = (): void => {
    // Opens the window for just what the server has to say next; nothing where the router has reset it.
    const reply = /^[^\n]*\n/.exec(w.host.connection?.sending ?? '')?.[0] ?? '';
    w.window = reply.length;
    w.send({ flags: 'A' });
    w.host.retransmit();
    w.pump();
    w.window = 0;
    w.send({ flags: 'A' });
  };
  next(); // 500 to the first part
  w.send({ payload: 'AUTH LOGIN\r\n' });
  next(); // 500 to the second part, and we take AUTH for refused
  w.send({ payload: 'AUTH LOGIN\r\n' }); // to the server a response, and no base64: 501
  next(); // 334 to the AUTH before
  w.send({ payload: EVIL });
  expectNothingForbidden(w);
});

test('BDAT where the server refuses it: its octets are not executed', () => {
  const w = new World('esmtp allow BDAT,STARTTLS', EXIM);
  w.open();
  say(w, 'EHLO c');
  w.send({ payload: `BDAT ${EVIL.length}\r\n${EVIL}` });
  expectNothingForbidden(w);
});

test('BDAT behind a sender that the server refuses', () => {
  const w = new World('esmtp allow BDAT,STARTTLS', EXIM);
  w.open();
  say(w, 'EHLO c', 'MAIL FROM:<refused@b>', 'RCPT TO:<c@d>');
  w.send({ payload: `BDAT ${EVIL.length}\r\n${EVIL}` });
  expectNothingForbidden(w);
});

for (const src of [MAIL_LOCAL, MAIL_GLOBAL]) {
  test(`a reply of the server's address ${src} that comes in by the outside interface is none`, () => {
    const w = new World('smtp', POSTFIX);
    w.open();
    say(w, 'HELO c');
    w.window = 0;
    w.send({ payload: 'DATA\r\n' }); // 503, which the window does not let out
    const { sndNxt } = w.host.connection!;
    const forged = tcpPacket({
      src,
      srcPort: 25,
      dst: ATTACKER,
      dstPort: 40_000,
      flags: 'PA',
      seq: sndNxt,
      ack: w.nxt,
      payload: latin1('354 Go\r\n'),
    });
    put16(forged, 4, 99);
    writeIpv4Checksum(forged, 0, 20);
    w.burst([forged]);
    w.send({ payload: EVIL, ack: sndNxt });
    expectNothingForbidden(w, false);
  });
}

test('a long AUTH line, of which a server reads so much and takes the rest for the next command', () => {
  const w = new World('esmtp', POSTFIX_THAT_GIVES_UP);
  w.open();
  say(w, 'EHLO c');
  const line = `AUTH LOGIN ${'A'.repeat(4085)}EXPN\r\n`;
  for (let at = 0; at < line.length; at += 1024) w.send({ payload: line.slice(at, at + 1024) });
  w.send({ flags: 'A' });
  expectNothingForbidden(w);
});
