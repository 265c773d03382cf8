/**
 * One four-tuple, one connection after the other. What the server's application reads was inspected as bytes of that
 * connection, from its first one on; both ends come together again through the router, whichever of them has forgotten
 * the other; and a stranger who does not know the numbers costs a connection nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seqAdd } from '../../src/core/wire/seq.js';
import { i32, u8, u16 } from '../../src/core/wire/bytes.js';
import { dotted, tcpPacket } from '../support/packets.js';
import { PASS, Router3640 } from '../support/router-3640.js';
import { ModelClient, ModelServer, type ResetRule, type Segment } from './model-ends.js';

const CLIENT = { src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const SERVER = { src: '10.10.10.2', srcPort: 25, dst: '172.22.1.10', dstPort: 4000 };
const HOLD = 1;

function segmentOf(packet: Uint8Array): Segment {
  const flags = u8(packet, 33);
  const header = 20 + (u8(packet, 32) >>> 4) * 4;
  return {
    flags: Array.from('FSRPAU')
      .filter((_, bit) => (flags & (1 << bit)) !== 0)
      .join(''),
    seq: i32(packet, 24),
    ack: i32(packet, 28),
    text: Buffer.from(packet.subarray(header)).toString('latin1'),
  };
}

/** The router with the model server behind it. Its outside is the test. */
class Site {
  r = new Router3640();
  /** What has come out on the outside, and nobody has looked at yet. */
  readonly outside: Segment[] = [];
  /** What left the server and has not reached the router. */
  readonly fromServer: Segment[] = [];
  #held = new Map<number, Uint8Array>();
  #tokens = 0;

  constructor(readonly server: ModelServer) {}

  /** A segment of the client. @param lost it is lost behind the router */
  client(s: Segment, lost = false): number {
    const o = this.r.fromOutside(tcpPacket({ ...CLIENT, ...s, payload: s.text }), ++this.#tokens);
    if (o.verdict === PASS && !lost) this.#toServer(o.bytes);
    if (o.verdict === HOLD) this.#held.set(this.#tokens, o.bytes);
    this.#flush(lost);
    return o.verdict;
  }

  /** The oldest segment of the server reaches the router, or is lost before. False: there is none. */
  serverSegment(lost = false): boolean {
    const s = this.fromServer.shift();
    if (s === undefined) return false;
    if (lost) return true;
    const o = this.r.fromInside(tcpPacket({ ...SERVER, ...s, payload: s.text }), ++this.#tokens);
    if (o.verdict === PASS) this.outside.push(segmentOf(o.bytes));
    this.#flush(false);
    return true;
  }

  #toServer(packet: Uint8Array): void {
    this.fromServer.push(...this.server.receive(segmentOf(packet)));
  }

  /** Held segments that were released, and the router's own. */
  #flush(lost: boolean): void {
    for (const { token, verdict, bytes } of this.r.released.splice(0))
      if (verdict === PASS && !lost) this.#toServer(bytes ?? this.#held.get(token)!);
    for (const packet of this.r.injected.splice(0)) {
      if (dotted(i32(packet, 16)) === SERVER.src) this.#toServer(packet);
      else if (u16(packet, 22) === CLIENT.srcPort) this.outside.push(segmentOf(packet));
    }
  }
}

const isn = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 0x7fffffff, -0x80000000, -40));
const resets = fc.constantFrom<ResetRule>('any in the window', 'exact');

/** A number that may mean something to an end or to the router, and how far beside it. */
interface Guess {
  of: 'server expects' | 'client sent' | 'router has seen acknowledged' | 'client ISN' | 'any';
  beside: number;
}
const guess: fc.Arbitrary<Guess> = fc.record({
  of: fc.constantFrom('server expects', 'client sent', 'router has seen acknowledged', 'client ISN', 'any'),
  beside: fc.oneof(fc.constantFrom(0, 0, 0, 0, -1, 1), fc.integer({ min: -100, max: 100 })),
});

const LINES = ['HELO a.example\r\n', 'MAIL FROM:<a@a.example>\r\n', 'RCPT TO:<b@b.example>\r\n', 'DATA\r\n'];

type Move =
  | { do: 'data'; at: Guess; text: string; lost: boolean; answered: boolean }
  | { do: 'reset'; at: Guess; lost: boolean }
  | { do: 'open'; at: Guess; answered: boolean; again: boolean }
  | { do: 'acknowledge'; at: Guess }
  | { do: 'server timer'; answered: boolean }
  | { do: 'server dies' };

const kinds = {
  data: fc.record({
    do: fc.constant('data' as const),
    at: guess,
    text: fc.constantFrom('Hello\r\n', 'EXPN root\r\n', 'NOOP\r\n', 'x'),
    lost: fc.boolean(),
    answered: fc.boolean(),
  }),
  reset: fc.record({ do: fc.constant('reset' as const), at: guess, lost: fc.boolean() }),
  open: fc.record({
    do: fc.constant('open' as const),
    at: guess,
    answered: fc.boolean(),
    again: fc.boolean(),
  }),
  acknowledge: fc.record({ do: fc.constant('acknowledge' as const), at: guess }),
  timer: fc.record({ do: fc.constant('server timer' as const), answered: fc.boolean() }),
  death: fc.constant({ do: 'server dies' as const }),
};
const anything: fc.Arbitrary<Move> = fc.oneof(...Object.values(kinds));
const some = (a: fc.Arbitrary<Move>, maxLength: number): fc.Arbitrary<Move[]> => fc.array(a, { maxLength });

/** Moves in the order in which they could hurt, with others in between. */
const attack: fc.Arbitrary<Move[]> = fc
  .tuple(
    some(kinds.data, 3),
    fc.oneof(some(kinds.reset, 2), some(kinds.death, 1)),
    some(anything, 1),
    some(kinds.open, 2),
    some(anything, 1),
    some(kinds.acknowledge, 2),
    some(kinds.data, 2),
    some(anything, 4),
  )
  .map((parts) => parts.flat());

class Attacker {
  readonly site: Site;
  /** One past the last byte sent, and the latest ISN. */
  sndNxt: number;
  #iss: number;
  /** Highest acknowledgement that came through the router. */
  #acknowledged: number;

  /** @param nextIss where the server's next ISN will be, from its next sequence number */
  constructor(
    server: ModelServer,
    isnClient: number,
    isnServer: number,
    readonly nextIss: number,
  ) {
    this.site = new Site(server);
    this.#iss = isnClient;
    this.sndNxt = seqAdd(isnClient, 1);
    this.#acknowledged = this.sndNxt;
    server.nextIss = isnServer;
    this.#send('S', isnClient, '');
    this.#listen(true);
    this.#send('A', this.sndNxt, '');
    this.#listen(true);
    for (const line of LINES) {
      this.#send('PA', this.sndNxt, line);
      this.#listen(true);
    }
    expect(server.commands.at(-1)).toBe('DATA');
  }

  move(m: Move): void {
    const { server } = this.site;
    server.nextIss = seqAdd(server.sndNxt, this.nextIss);
    switch (m.do) {
      case 'data':
        this.#send('PA', this.#number(m.at), m.text, m.lost);
        this.#listen(m.answered);
        break;
      case 'reset':
        this.#send('R', this.#number(m.at), '', m.lost);
        this.#listen(true);
        break;
      case 'open': {
        const seq = m.again ? this.#iss : seqAdd(this.#number(m.at), -1);
        this.#send('S', seq, '');
        this.#iss = seq;
        this.sndNxt = seqAdd(seq, 1);
        this.#listen(m.answered);
        break;
      }
      case 'acknowledge':
        this.#send('A', this.#number(m.at), '');
        this.#listen(true);
        break;
      case 'server timer':
        this.site.fromServer.push(...server.retransmit());
        this.#listen(m.answered);
        break;
      case 'server dies':
        server.die();
        break;
    }
    this.site.r.wait(600);
  }

  #number(g: Guess): number {
    const { server } = this.site;
    const base = {
      'server expects': server.rcvNxt,
      'client sent': this.sndNxt,
      'router has seen acknowledged': this.#acknowledged,
      'client ISN': this.#iss,
      any: 0,
    }[g.of];
    return seqAdd(base, g.beside);
  }

  /** The attacker guesses the server's numbers right, always. */
  #send(flags: string, seq: number, text: string, lost = false): void {
    this.site.client({ flags, seq, ack: flags.includes('A') ? this.site.server.sndNxt : 0, text }, lost);
    const end = seqAdd(seq, text.length);
    if (((end - this.sndNxt) | 0) > 0 && text !== '') this.sndNxt = end;
  }

  #listen(answered: boolean): void {
    while (this.site.serverSegment(!answered));
    for (const s of this.site.outside.splice(0)) if (s.flags.includes('A')) this.#acknowledged = s.ack;
  }
}

const right = (of: Guess['of']): Guess => ({ of, beside: 0 });
/** The server is reset by a number between what it acknowledged and what went on; the next ISN is known. */
const blindlyReset: Move[] = [
  { do: 'data', at: right('client sent'), text: 'Hello\r\n', lost: false, answered: false },
  { do: 'data', at: right('client sent'), text: 'Hello\r\n', lost: true, answered: false },
  { do: 'reset', at: right('server expects'), lost: false },
];
const execute: Move = { do: 'data', at: right('server expects'), text: 'EXPN root\r\n', lost: false, answered: true };

test('no connection begins in the dialogue of the one before, whatever is lost, reset, forgotten and guessed', () => {
  const nextIss = fc.oneof(fc.constant(-1), fc.integer({ min: -80, max: 2 }));
  const again: Move = { do: 'open', at: right('client sent'), answered: false, again: false };
  fc.assert(
    fc.property(resets, isn, isn, nextIss, attack, (rule, isnClient, isnServer, next, moves) => {
      const server = new ModelServer(rule);
      const attacker = new Attacker(server, isnClient, isnServer, next);
      for (const m of moves) attacker.move(m);
      expect(server.commands.filter((c) => c.startsWith('EXPN'))).toEqual([]);
    }),
    {
      numRuns: 1000,
      examples: [
        ['exact', 1000, 5000, -1, [...blindlyReset, again, execute]],
        // The SYN ACK is seen, and has the number of the old one: SYN cookies.
        ['exact', 1000, 5000, -1, [...blindlyReset, { ...again, answered: true, again: true }, execute]],
        ['exact', 1000, 5000, -1, [{ do: 'server dies' }, { ...again, answered: true }, execute]],
      ],
    },
  );
});

/** What both ends had said when one of them forgot it. */
interface Past {
  isnClient: number;
  isnServer: number;
  lines: number;
  /** The last line was lost behind the router, or the server's answer before it. */
  loss: 'none' | 'line' | 'answer';
  forgets: 'client' | 'client and server' | 'client and router' | 'client, and the server closes';
}
const past: fc.Arbitrary<Past> = fc.record({
  isnClient: isn,
  isnServer: isn,
  lines: fc.integer({ min: 0, max: LINES.length }),
  loss: fc.constantFrom('none', 'line', 'answer'),
  forgets: fc.constantFrom('client', 'client and server', 'client and router', 'client, and the server closes'),
});

/** Leads a site to where the client is gone. */
function leftBehind(h: Past, rule: ResetRule): Site {
  const server = new ModelServer(rule);
  server.nextIss = h.isnServer;
  const site = new Site(server);
  const client = new ModelClient(h.isnClient);
  site.client(client.syn());
  const settle = (lost: boolean): void => {
    while (site.serverSegment(lost));
    for (const s of site.outside.splice(0)) for (const answer of client.receive(s)) site.client(answer);
    if (site.fromServer.length > 0) settle(lost);
  };
  settle(false);
  LINES.slice(0, h.lines).forEach((text, n) => {
    const last = n === h.lines - 1;
    site.client({ flags: 'PA', seq: client.sndNxt, ack: client.rcvNxt, text }, last && h.loss === 'line');
    client.sndNxt = seqAdd(client.sndNxt, text.length);
    settle(last && h.loss === 'answer');
  });
  if (h.forgets === 'client and router') site.r = new Router3640();
  if (h.forgets === 'client and server') server.die();
  if (h.forgets === 'client, and the server closes') {
    site.fromServer.push(server.close());
    while (site.serverSegment());
    site.outside.splice(0);
    server.die();
  }
  return site;
}

test('a client that has forgotten all is connected again within a round trip, a question and an answer, at its second SYN', () => {
  fc.assert(
    fc.property(past, resets, isn, (h, rule, isnAgain) => {
      // With the very numbers of the old connection nobody could tell, with or without a router.
      fc.pre(seqAdd(isnAgain, -h.isnClient) >>> 0 > 200);
      const site = leftBehind(h, rule);
      site.r.wait(1000);
      site.server.nextIss = seqAdd(site.server.sndNxt, 777);
      const client = new ModelClient(isnAgain);
      site.client(client.syn());
      for (let timeouts = 0; !client.established && timeouts < 2; timeouts++) {
        if (timeouts > 0) site.client(client.syn());
        for (let turn = 0; turn < 12; turn++) {
          while (site.serverSegment());
          for (const s of site.outside.splice(0)) for (const answer of client.receive(s)) site.client(answer);
        }
        site.r.wait(1000);
      }
      expect([client.established, site.server.state, site.server.irs]).toEqual([true, 'established', isnAgain]);
      expect(site.r.sessionCount).toBe(1);
      // It is a session like any other: the first line is a command.
      site.client({ flags: 'PA', seq: client.sndNxt, ack: client.rcvNxt, text: 'EXPN root\r\n' });
      expect(site.server.commands.at(-1)).toBe('xxxxxxxxx');
      expect(client.syns).toBeLessThanOrEqual(4);
    }),
    { numRuns: 500 },
  );
});

test('who does not know the numbers ends nothing with a SYN or RST, stalls nothing and keeps nothing alive', () => {
  const forged = fc.record({
    flags: fc.constantFrom('S', 'S', 'R', 'RA', 'SA', 'SF', 'A'),
    fromServer: fc.boolean(),
    /** From what the receiver expects; a RST with just that number is no guess. */
    beside: fc.oneof(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 70_000, max: 0x7fffffff }),
      fc.integer({ max: -70_000 }),
    ),
    ack: fc.integer({ min: 100_000, max: 0x7fffffff }),
  });
  fc.assert(
    fc.property(past, fc.array(forged, { minLength: 1, maxLength: 12 }), (h, all) => {
      const site = leftBehind({ ...h, forgets: 'client', loss: 'none' }, 'exact');
      const { server, r } = site;
      const clientNxt = server.rcvNxt;
      const serverNxt = server.sndNxt;
      for (const f of all) {
        r.wait(400);
        const [seq, ack] = f.fromServer ? [serverNxt, clientNxt] : [clientNxt, serverNxt];
        const s = { flags: f.flags, seq: seqAdd(seq, f.beside), ack: seqAdd(ack, f.ack), text: '' };
        if (f.fromServer) {
          site.fromServer.push(s);
          site.serverSegment();
        } else site.client(s);
        expect(r.engine.sessions.table.session.since).not.toBe(r.now);
        while (site.serverSegment());
      }
      expect([r.sessionCount, server.state, server.rcvNxt]).toEqual([1, 'established', clientNxt]);
      expect(site.client({ flags: 'PA', seq: clientNxt, ack: serverNxt, text: 'NOOP\r\n' })).toBe(PASS);
      expect(server.rcvNxt).toBe(seqAdd(clientNxt, 6));
    }),
    { numRuns: 300 },
  );
});
