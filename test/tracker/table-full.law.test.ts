/** Whatever comes: where the table is full, no session that is established goes for a new one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Session, SIS } from '../../src/core/session/session.js';
import { PASS } from '../../src/core/verdict.js';
import { icmpPacket, tcpPacket, udpPacket } from '../support/packets.js';
import { type Outcome, Router3640 } from '../support/router-3640.js';
import { dynamic } from '../wiring/scene.js';

const CAPACITY = 8;
const CLIENT = '172.22.1.10';
const SERVER = '10.10.10.2';
const HOST = '10.10.10.7';
const GLOBAL = '172.22.1.110';
const CONFIG = [
  'ip inspect max-incomplete high 2000',
  'ip inspect max-incomplete low 1900',
  'access-list 101 permit tcp any host 172.22.1.110 eq www',
  'access-list 7 permit 10.10.10.0 0.0.0.255',
  'ip nat inside source list 7 interface Ethernet2/0 overload',
].join('\n');

/** The kinds of connections: inspected from outside, inspected from inside and translated, not inspected. */
const KINDS = ['mail', 'browse', 'web'] as const;
const PORTS = { mail: 25, browse: 443, web: 80 } as const;
const STEPS = ['SYN', 'SYN ACK', 'ACK', 'data', 'FIN', 'FIN back', 'RST'] as const;

const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom(...KINDS), n: fc.nat(7), step: fc.constantFrom(...STEPS) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom(...KINDS), n: fc.nat(11), step: fc.constant('open' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('query', 'ping'), n: fc.nat(3), step: fc.constantFrom('ask', 'answer') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), n: fc.nat(40), step: fc.constant('') }) },
); // prettier-ignore
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

class Traffic {
  readonly r = new Router3640(CONFIG, CAPACITY);
  readonly #next = new Map<string, { true: number; false: number }>();

  /** @returns the verdict on a SYN, and its port */
  make({ kind, n, step }: Move): { verdict: number; port: number } | undefined {
    switch (kind) {
      case 'wait':
        this.r.wait(n * 100);
        return undefined;
      case 'query':
        if (step === 'ask') this.r.fromInside(udpPacket(SERVER, 3000 + n, CLIENT, 5000, 'q'));
        else this.r.fromOutside(udpPacket(CLIENT, 5000, GLOBAL, 3000 + n, 'a'));
        return undefined;
      case 'ping':
        if (step === 'ask') this.r.fromInside(icmpPacket(SERVER, CLIENT, 8, 0, [0, n, 0, 1]));
        else this.r.fromOutside(icmpPacket(CLIENT, GLOBAL, 0, 0, [0, n, 0, 1]));
        return undefined;
      case 'mail':
      case 'browse':
      case 'web':
        return this.#connection(kind, n, step);
    }
  }

  #connection(kind: (typeof KINDS)[number], n: number, step: Move['step']): ReturnType<Traffic['make']> {
    const port = PORTS[kind];
    const key = `${kind} ${n}`;
    if (step === 'open') {
      this.#next.set(key, { true: 1001, false: 5001 });
      const first = this.#send(kind, n, true, 'S', 1000, 0);
      this.#send(kind, n, false, 'SA', 5000, 1001);
      this.#send(kind, n, true, 'A', 1001, 5001);
      return { verdict: first.verdict, port };
    }
    const next = this.#next.get(key) ?? { true: 1001, false: 5001 };
    this.#next.set(key, next);
    switch (step) {
      case 'SYN':
        return { verdict: this.#send(kind, n, true, 'S', 1000, 0).verdict, port };
      case 'SYN ACK':
        this.#send(kind, n, false, 'SA', 5000, 1001);
        break;
      case 'ACK':
        this.#send(kind, n, true, 'A', 1001, 5001);
        break;
      case 'data':
        if (this.#send(kind, n, true, 'PA', next.true, next.false, 'NOOP\r\n').verdict === PASS) next.true += 6;
        break;
      case 'RST':
        this.#send(kind, n, true, 'R', next.true, 0);
        break;
      default: {
        const back = step === 'FIN back';
        if (this.#send(kind, n, !back, 'FA', next[`${!back}`], next[`${back}`]).verdict === PASS) next[`${!back}`]++;
      }
    }
    return undefined;
  }

  #send(
    kind: (typeof KINDS)[number],
    n: number,
    initiator: boolean,
    flags: string,
    seq: number,
    ack: number,
    payload = '',
  ): Outcome {
    const port = PORTS[kind];
    const ports = initiator ? { srcPort: 2000 + n, dstPort: port } : { srcPort: port, dstPort: 2000 + n };
    const outside = initiator === (kind !== 'browse');
    const inside = kind === 'browse' ? HOST : SERVER;
    // PAT keeps the port while nobody else has it.
    const seen = kind === 'browse' ? '172.22.1.16' : GLOBAL;
    const ends = outside ? { src: CLIENT, dst: seen } : { src: inside, dst: CLIENT };
    const b = tcpPacket({ ...ends, ...ports, seq, ack, flags, payload });
    return outside ? this.r.fromOutside(b) : this.r.fromInside(b);
  }
}

interface Seen {
  name: string;
  /** Of the responder, and which of the connections to it. */
  port: number;
  number: number;
  kind: 'half-open' | 'established' | 'ended';
  created: number;
  since: number;
}

const BOTH_FINS = 4 | 8;

function sessions(r: Router3640): Seen[] {
  const all: Seen[] = [];
  r.engine.sessions.table.forEach((s: Session) => {
    const kind =
      s.state === SIS.opening
        ? 'half-open'
        : s.protocol === 6 && (s.flags & BOTH_FINS) === BOTH_FINS
          ? 'ended'
          : 'established';
    const name = [s.protocol, s.initiator, s.initiatorPort, s.responder, s.responderPort].join(' ');
    all.push({ name, port: s.responderPort, number: s.initiatorPort - 2000, kind, created: s.created, since: s.since });
  });
  return all;
}

/** Sessions of one group may stand in for each other, whatever a new one of theirs lacks. */
const groupOf = (s: Seen): string => ({ 80: 'web', 443: 'browse' })[s.port] ?? 'other';

test('a new session gets in while one is there that is half-open or has ended, and no other one goes for it', () => {
  let runs = 0;
  let replaced = 0;
  fc.assert(
    fc.property(fc.array(move, { minLength: 20, maxLength: 80, size: 'max' }), (moves) => {
      const t = new Traffic();
      runs++;
      for (const m of moves) {
        // Each packet at a time of its own, so that there is an oldest one.
        t.r.now += 1;
        const before = sessions(t.r);
        const translations = dynamic(t.r);
        const first = t.make(m);
        const after = sessions(t.r);
        expect(after.length).toBeLessThanOrEqual(CAPACITY);
        if (m.kind === 'wait' || m.step === 'RST') continue;
        const gone = before.filter((s) => !after.some((o) => o.name === s.name));
        expect(gone.filter((s) => s.kind === 'established')).toEqual([]);
        expect(gone.length).toBeLessThanOrEqual(1);
        for (const g of gone) {
          replaced++;
          const peers = before.filter((s) => groupOf(s) === groupOf(g));
          const halfOpen = peers.filter((s) => s.kind === 'half-open').map((s) => s.created);
          if (g.kind === 'half-open') expect(g.created).toBe(Math.min(...halfOpen));
          else {
            expect(halfOpen).toEqual([]);
            expect(g.since).toBe(Math.min(...peers.filter((s) => s.kind === 'ended').map((s) => s.since)));
          }
        }
        if (first === undefined || before.some((s) => s.port === first.port && s.number === m.n)) continue;
        const mayGo = before.filter((s) => s.kind !== 'established');
        const mine = mayGo.some((s) => groupOf(s) === m.kind);
        const lacks = m.kind === 'web' ? !mine : m.kind === 'browse' && translations === CAPACITY && !mine;
        if ((before.length < CAPACITY || mayGo.length > 0) && !lacks) expect(first.verdict).toBe(PASS);
      }
    }),
    { numRuns: 150 },
  );
  expect(replaced).toBeGreaterThanOrEqual(Math.floor(runs / 4)); // not in vain
});
