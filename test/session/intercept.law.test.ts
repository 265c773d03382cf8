/** Law: behind both handshakes, the ends of an intercepted connection say the same to each other as without the router. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seqAdd, seqDiff } from '../../src/core/wire/seq.js';
import { PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const INSIDE = '10.10.10.2';
const GLOBAL = '172.22.1.110';
const SERVER = '172.22.1.80';
const PORT = 8080;

/** A connection from inside to a server outside, through NAT and TCP inspection. */
class Connection {
  /** The server's ISN as the client knows it. */
  readonly known: number;
  readonly r: Router3640;

  constructor(
    intercepted: boolean,
    readonly isn: number,
    readonly serverIsn: number,
  ) {
    this.r = new Router3640(intercepted ? 'ip tcp intercept list 150\naccess-list 150 permit tcp any any' : '', 16);
    this.#fromClient('S', 0, 0, '');
    this.known = intercepted ? i32(this.r.injected[0]!, 24) : serverIsn;
    if (intercepted) this.#fromClient('A', 1, seqAdd(this.known, 1), '');
    this.#fromServer('SA', 0, 1, '');
    if (!intercepted) this.#fromClient('A', 1, seqAdd(this.known, 1), '');
  }

  /** @param at, acked offsets, from the first byte of each stream */
  client(flags: string, at: number, acked: number, payload: string): unknown {
    return this.#seen(
      this.#fromClient(flags, 1 + at, seqAdd(this.known, 1 + acked), payload),
      this.isn,
      this.serverIsn,
    );
  }

  server(flags: string, at: number, acked: number, payload: string): unknown {
    return this.#seen(this.#fromServer(flags, 1 + at, 1 + acked, payload), this.known, this.isn);
  }

  #fromClient(flags: string, at: number, ack: number, payload: string): Uint8Array | number {
    const fields = { src: INSIDE, srcPort: 4000, dst: SERVER, dstPort: PORT, window: 5000 };
    const { verdict, bytes } = this.r.fromInside(
      tcpPacket({ ...fields, flags, seq: seqAdd(this.isn, at), ack, payload }),
    );
    return verdict === PASS ? bytes : verdict;
  }

  #fromServer(flags: string, at: number, acked: number, payload: string): Uint8Array | number {
    const fields = { src: SERVER, srcPort: PORT, dst: GLOBAL, dstPort: 4000, window: 4000 };
    const numbers = { seq: seqAdd(this.serverIsn, at), ack: seqAdd(this.isn, acked) };
    const { verdict, bytes } = this.r.fromOutside(tcpPacket({ ...fields, ...numbers, flags, payload }));
    return verdict === PASS ? bytes : verdict;
  }

  /** What arrives, its numbers counted from the ISNs that its receiver knows; or why nothing does. */
  #seen(b: Uint8Array | number, isn: number, ackedIsn: number): unknown {
    if (typeof b === 'number') return b;
    expect(checksumsOk(b)).toBe(true);
    return {
      flags: b[33],
      at: seqDiff(i32(b, 24), isn),
      acked: (b[33]! & 16) === 0 ? 'none' : seqDiff(i32(b, 28), ackedIsn),
      window: u16(b, 34),
      addresses: [i32(b, 12), i32(b, 16), i32(b, 20)],
      payload: Buffer.from(b.subarray(40)).toString('latin1'),
    };
  }
}

const step = fc.record({
  fromClient: fc.boolean(),
  flags: fc.constantFrom('A', 'PA', 'A', 'PA', 'A', 'FA', 'RA', 'R', 'F'),
  back: fc.nat(30),
  length: fc.nat(40),
  unacked: fc.nat(20),
});
// Numbers that wrap around within a few bytes, too.
const isn = fc.oneof(fc.integer(), fc.integer({ min: -60, max: 0 }), fc.integer({ min: 0x7fffffc0, max: 0x7fffffff }));

test('the same bytes, numbers, flags and windows arrive at both ends, and the same segments are dropped', () => {
  fc.assert(
    fc.property(isn, isn, fc.array(step, { maxLength: 25 }), (clientIsn, serverIsn, steps) => {
      const both = [new Connection(true, clientIsn, serverIsn), new Connection(false, clientIsn, serverIsn)] as const;
      const sent = { client: 0, server: 0 };
      for (const s of steps) {
        const [me, other] = s.fromClient ? (['client', 'server'] as const) : (['server', 'client'] as const);
        const at = Math.max(sent[me] - s.back, 0);
        const payload = 'x'.repeat(s.flags.includes('R') ? 0 : s.length);
        const acked = Math.max(sent[other] - s.unacked, 0);
        const [a, b] = both.map((c) => c[me](s.flags, at, acked, payload));
        expect(a).toEqual(b);
        sent[me] = Math.max(sent[me], at + payload.length);
        const [x, y] = both.map(({ r }) => [r.sessionCount, r.engine.sessions.statistics.established]);
        expect(x).toEqual(y);
        // Behind the end, the first acknowledgement would open it again as long as the cookie is good.
        if (x![0] === 0) return;
      }
    }),
    { numRuns: 60 },
  );
});
