/** SMTP sessions side by side in one router: each is what it would be alone, whoever else speaks between its packets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientGroups } from '../inspect/smtp/dialogue-grammar.js';
import { STRICT, ModelServer } from '../inspect/smtp/model-servers.js';
import { latin1, tcpPacket } from '../support/packets.js';
import { config3640, DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const LOCAL = '10.10.10.2';
const FIRST = 0x7fffff00; // numbers become negative soon

/** The two ends of one connection to the mail server; they acknowledge all they get. */
class Connection {
  toServer = '';
  toClient = '';
  #clientSeq = FIRST;
  #serverSeq = FIRST;

  constructor(
    readonly r: Router3640,
    readonly port: number,
  ) {
    this.#client('S', '', -1, 0);
    this.#server('SA', '', -1);
    this.#client('A', '');
  }

  /** A segment of the client. @param ahead bytes before it that come later */
  client(text: string, ahead = 0, seq = this.#clientSeq): Outcome {
    const o = this.#client('PA', text, 0, undefined, seq + ahead);
    if (ahead === 0) this.#clientSeq = (seq + text.length) | 0;
    if (o.verdict === PASS) this.toServer += payload(o);
    return o;
  }

  server(text: string): Outcome {
    const o = this.#server('PA', text);
    this.#serverSeq = (this.#serverSeq + text.length) | 0;
    if (o.verdict === PASS) this.toClient += payload(o);
    return o;
  }

  /** Counts bytes that the client has sent ahead. */
  sent(bytes: number): void {
    this.#clientSeq = (this.#clientSeq + bytes) | 0;
  }

  reset(): void {
    this.#client('R', '');
  }

  #client(flags: string, text: string, shift = 0, ack = this.#serverSeq, seq = this.#clientSeq): Outcome {
    const ends = { src: CLIENT, srcPort: this.port, dst: GLOBAL, dstPort: 25 };
    return this.r.fromOutside(tcpPacket({ ...ends, flags, seq: seq + shift, ack, payload: latin1(text) }));
  }

  #server(flags: string, text: string, shift = 0): Outcome {
    const ends = { src: LOCAL, srcPort: 25, dst: CLIENT, dstPort: this.port };
    const numbers = { seq: this.#serverSeq + shift, ack: this.#clientSeq };
    return this.r.fromInside(tcpPacket({ ...ends, flags, ...numbers, payload: latin1(text) }));
  }
}

const payload = (o: Outcome): string => Buffer.from(o.bytes.subarray(40)).toString('latin1');
const kept = (r: Router3640): number => r.engine.sessions.memory.ringBytes + r.engine.sessions.memory.heldBytes;

/** Sends the client's groups in pieces, and has each answered: yields behind every packet. */
function* dialogue(c: Connection, groups: readonly string[], size: number): Generator<void> {
  const server = new ModelServer(STRICT);
  c.server('220 ready\r\n');
  yield;
  for (const group of groups) {
    let arrived = '';
    for (let at = 0; at < group.length; at += size) {
      const o = c.client(group.slice(at, at + size));
      if (o.verdict !== PASS) return;
      arrived += payload(o);
      yield;
    }
    const replies = server.receive(arrived);
    if (replies !== '') c.server(replies);
    yield;
  }
}

test('sessions whose packets come in any order between those of others get what each would get alone', () => {
  const talk = fc.record({ groups: clientGroups, size: fc.integer({ min: 1, max: 200 }) });
  fc.assert(
    fc.property(fc.array(talk, { minLength: 2, maxLength: 5 }), fc.array(fc.nat(4)), (talks, turns) => {
      const together = new Router3640();
      const open = talks.map(({ groups, size }, n) => {
        const c = new Connection(together, 4000 + n);
        return { c, steps: dialogue(c, groups, size) };
      });
      for (const turn of turns) open[turn % open.length]!.steps.next();
      for (const { steps } of open) while (steps.next().done !== true);
      talks.forEach(({ groups, size }, n) => {
        const alone = new Router3640();
        const c = new Connection(alone, 4000 + n);
        for (const steps = dialogue(c, groups, size); steps.next().done !== true;);
        expect([open[n]!.c.toServer, open[n]!.c.toClient]).toEqual([c.toServer, c.toClient]);
        const findings = (r: Router3640): unknown[] =>
          r.events.flatMap((e) =>
            e.type === 'smtp' && e.endpoints.initiatorPort === c.port ? [[e.finding, e.fromInitiator, e.seq]] : [],
          );
        expect(findings(together)).toEqual(findings(alone));
      });
      for (const { c } of open) c.reset();
      expect([together.sessionCount, kept(together)]).toEqual([0, 0]);
    }),
    { numRuns: 150 },
  );
});

describe('a session that begins in the record of another', () => {
  const TO_MAIL = ['HELO c\r\n', 'MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'DATA\r\n'];
  test.each([
    ['with a cut line', ['NOO']],
    ['with a cut reply', ['NOOP\r\n'], '250-part'],
    ['with a long pipeline', ['NOOP\r\n'.repeat(40)]],
    ['amid message data', [...TO_MAIL, 'Subject: x\r\n'], '354 go\r\n'],
    ['with much that is not acknowledged', ['NOOP\r\n'.repeat(400)]],
  ])('knows nothing of it: one that ended %s', (_, segments, reply = '') => {
    const r = new Router3640();
    const first = new Connection(r, 4000);
    first.server('220 ready\r\n250 ok\r\n250 ok\r\n250 ok\r\n');
    for (const segment of segments) first.client(segment);
    if (reply !== '') first.server(reply);
    first.reset();
    expect([r.sessionCount, kept(r)]).toEqual([0, 0]);
    const second = new Connection(r, 5000);
    second.server('220 ready\r\n');
    second.client('EXPN x\r\n');
    second.client('P\r\n');
    expect(second.toServer).toBe('xxxxxx\r\nx\r\n');
    expect(r.sessionCount).toBe(1);
  });

  test('or was reset for a signature', () => {
    const r = new Router3640();
    expect(new Connection(r, 4000).client('WIZ\r\n').verdict).toBe(DROP.inspection);
    const second = new Connection(r, 5000);
    expect(second.client('NOOP\r\n').verdict).toBe(PASS);
    expect(second.client('NOOP\r\n').verdict).toBe(PASS);
  });
});

test('segments of one session stay held while others speak, and go on in their place', () => {
  const r = new Router3640();
  const [a, b] = [new Connection(r, 4000), new Connection(r, 4001)];
  a.client('EXPN', 2);
  b.client('EXPN x\r\n');
  b.server('500 what?\r\n');
  expect(a.client('NO').verdict).toBe(PASS);
  a.sent(4);
  expect(r.released.map((x) => Buffer.from(x.bytes!.subarray(40)).toString())).toEqual(['xxxx']);
  expect(a.client('\r\nNOOP\r\n').verdict).toBe(PASS);
  expect(a.toServer).toBe('NO\r\nNOOP\r\n');
  expect(b.toServer).toBe('xxxxxx\r\n');
});

describe('a changed configuration', () => {
  const BEFORE = 'ip inspect name OUT-IN smtp max-data 40';
  const AFTER = 'ip inspect name OUT-IN smtp max-data 4000';
  const mail = (c: Connection): Outcome => {
    if (c.toClient === '') c.server('220 ready\r\n');
    c.client('HELO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
    c.server('250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n');
    return c.client(`\r\n${'x'.repeat(100)}\r\n`);
  };

  test('leaves sessions under the limits they began with, and gives new ones the new', () => {
    const r = new Router3640(BEFORE);
    const old = [new Connection(r, 4000), new Connection(r, 4001)];
    r.configure(config3640(AFTER));
    expect(mail(new Connection(r, 5000)).verdict).toBe(PASS);
    old[0]!.client('NO');
    expect(mail(old[1]!).verdict).toBe(DROP.inspection);
    old[0]!.client('OP\r\n');
    old[0]!.server('220 ready\r\n250 ok\r\n');
    expect(mail(old[0]!).verdict).toBe(DROP.inspection);
    // None of the old ones is left, and others take their place, as often as the file is read again.
    for (let n = 0; n < 20; n++) {
      r.configure(config3640(n % 2 === 0 ? BEFORE : AFTER));
      expect(mail(new Connection(r, 6000 + n)).verdict).toBe(n % 2 === 0 ? DROP.inspection : PASS);
    }
  });
});
