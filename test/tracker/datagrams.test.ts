/** UDP and ICMP sessions behind their first packet: what is a sign of life, what makes them open, and when they end. */
import { describe, expect, test } from 'vitest';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { icmpPacket, received, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { CLIENT, MAIL, query, SERVER, sessionLasts, state } from '../wiring/scene.js';

const OUTSIDE = 0;
const INSIDE = 2;

/** A DNS message without questions. */
const message = (id: number, response: boolean): string =>
  String.fromCharCode(id >> 8, id & 255, response ? 0x80 : 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const asked = (id: number): Uint8Array => udpPacket(SERVER, 4000, CLIENT, 53, message(id, false));
const answered = (id: number): Uint8Array => udpPacket(CLIENT, 53, MAIL, 4000, message(id, true));
const ask = (r: Router3640, id: number): Verdict => r.fromInside(asked(id)).verdict;
const answer = (r: Router3640, id: number): Verdict => r.fromOutside(answered(id)).verdict;

const states = (r: Router3640): unknown => state(r).inspection().current;
const only = (r: Router3640): ReturnType<ReturnType<typeof state>['sessions']>[number] => state(r).sessions()[0]!;

describe('UDP', () => {
  const reply = (r: Router3640, payload = 'answer'): Verdict =>
    r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4000, payload)).verdict;

  test('is half-open until the responder has said something', () => {
    const r = new Router3640();
    query(r, 4000);
    query(r, 4000);
    expect(states(r)).toEqual([0, 1, 0]);
    expect(reply(r)).toBe(PASS);
    expect(states(r)).toEqual([1, 0, 0]);
    reply(r);
    query(r, 4000);
    expect(states(r)).toEqual([1, 0, 0]);
  });

  test('each packet is a sign of life, of whichever side, and is counted', () => {
    const r = new Router3640();
    query(r, 4000);
    r.wait(20_000);
    reply(r, 'abc');
    expect(only(r)).toMatchObject({ heardAgo: 0, createdAgo: 20_000, initiatorBytes: 5, responderBytes: 3 });
    r.wait(20_000);
    expect(only(r)).toMatchObject({ heardAgo: 20_000 });
    query(r, 4000);
    expect(only(r)).toMatchObject({ heardAgo: 0, initiatorBytes: 10, responderBytes: 3 });
    expect(sessionLasts(r)).toBe(30);
  });
});

describe('DNS', () => {
  test('waits for its answer as long as dns-timeout says, and lasts a second behind it', () => {
    const r = new Router3640('ip inspect dns-timeout 7');
    ask(r, 1);
    expect(sessionLasts(r)).toBe(7);
    ask(r, 1);
    expect(answer(r, 1)).toBe(PASS);
    expect(sessionLasts(r)).toBe(1);
  });

  test('waits on while one of its queries has no answer', () => {
    const r = new Router3640('ip inspect dns-timeout 7');
    ask(r, 1);
    ask(r, 2);
    answer(r, 2);
    expect(sessionLasts(r)).toBe(7);
  });

  test('waits anew when another query comes behind the last answer, each time', () => {
    const r = new Router3640('ip inspect dns-timeout 7');
    ask(r, 1);
    answer(r, 1);
    ask(r, 2);
    r.wait(6000);
    ask(r, 3);
    expect(sessionLasts(r)).toBe(7);
  });

  test('an answer to no query is dropped, counts for nothing and is no sign of life', () => {
    const r = new Router3640();
    ask(r, 1);
    r.wait(3000);
    expect(answer(r, 2)).toBe(DROP.inspection);
    expect(only(r)).toMatchObject({ heardAgo: 3000, responderBytes: 0 });
    expect(states(r)).toEqual([0, 1, 0]);
    expect(sessionLasts(r)).toBe(2);
  });

  test('several messages in one buffer cannot be told apart, and go from neither side', () => {
    const r = new Router3640();
    ask(r, 1);
    for (const [bytes, ingress] of [[asked(2), INSIDE], [answered(1), OUTSIDE]] as const) {
      const p = received(bytes, ingress);
      p.gso = true;
      expect(r.engine.handle(p, r.now)).toBe(DROP.inspection);
    } // prettier-ignore
    expect(answer(r, 1)).toBe(PASS);
  });

  test('is what goes to port 53 by UDP', () => {
    const r = new Router3640();
    r.fromInside(udpPacket(SERVER, 53, CLIENT, 5000, message(1, false)));
    expect(r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 53, message(9, true))).verdict).toBe(PASS);
    expect(sessionLasts(r)).toBe(30);
  });
});

describe('ICMP', () => {
  const echo = (r: Router3640, sequence: number, type = 8): Verdict =>
    r.fromInside(icmpPacket(SERVER, CLIENT, type, 0, [0, 9, 0, sequence])).verdict;
  const reply = (r: Router3640, sequence: number, type = 0): Verdict =>
    r.fromOutside(icmpPacket(CLIENT, MAIL, type, 0, [0, 9, 0, sequence, 1, 2])).verdict;

  test('each request has one reply, of its number, and nobody but the responder replies', () => {
    const r = new Router3640();
    echo(r, 1);
    expect(reply(r, 2)).toBe(DROP.inspection);
    expect(states(r)).toEqual([0, 1, 0]);
    expect([reply(r, 1), reply(r, 1)]).toEqual([PASS, DROP.inspection]);
    expect(states(r)).toEqual([1, 0, 0]);
    echo(r, 2);
    expect(reply(r, 2)).toBe(PASS);
  });

  test('what is no request opens nothing, though the rule inspects it', () => {
    const r = new Router3640();
    expect([echo(r, 1, 0), r.sessionCount]).toEqual([PASS, 0]);
  });

  test('lasts from its last packet on', () => {
    const r = new Router3640();
    echo(r, 1);
    r.wait(8000);
    reply(r, 1);
    expect(only(r)).toMatchObject({ heardAgo: 0 });
    expect(sessionLasts(r)).toBe(10);
  });
});
