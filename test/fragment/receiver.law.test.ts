/**
 * The receiver gets what was inspected and nothing else: whatever fragments a sender makes, however they lie in the
 * batches, and whatever dies or is cut up behind the router.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOLD, PASS } from '../../src/core/verdict.js';
import { put16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { fragmentsAt } from './fragments.js';
import { forward, type Hop, Receiver } from './receiver.js';

const FROM = '10.10.10.9';
const TO = '172.22.1.77';

/**
 * Datagram `n` of a family: eight bytes at a time its words are those of the others in another order, so that each
 * part fits into each other datagram, checksum and all.
 */
function datagram(n: number, blocks: number, id: number, dontFragment: boolean): Uint8Array {
  let text = '';
  for (let i = 0; i < blocks; i++) {
    const words = ['aa', 'bb', 'cc', 'dd'];
    text += [...words.slice(n), ...words.slice(0, n)].join('');
  }
  return withHeader(udpPacket(FROM, 5000, TO, 4000, text), id, dontFragment ? 0x4000 : 0, 64);
}

function withHeader(packet: Uint8Array, id: number, flags: number, ttl: number): Uint8Array {
  const b = packet.slice();
  put16(b, 4, id);
  put16(b, 6, (b[6]! << 8) | b[7]! | flags);
  b[8] = ttl;
  writeIpv4Checksum(b, 0, (b[0]! & 15) * 4);
  return b;
}

/** The router as the queue edge drives it: in each batch the verdicts of slots go out first, then the late ones. */
class EdgeModel {
  readonly router = new Router3640();
  sent: Uint8Array[] = [];
  /** Payloads that the pipeline has seen whole. */
  readonly judged = new Set<string>();
  readonly #held = new Map<number, Uint8Array>();
  #tokens = 0;

  constructor() {
    const { sessions } = this.router.engine;
    const find = sessions.find.bind(sessions);
    sessions.find = (flow, p) => {
      if (p.fragmentOffset === 0 && !p.moreFragments) this.judged.add(payloadOf(p));
      return find(flow, p);
    };
  }

  /** Lets the router forget what is not complete. */
  rest(): void {
    this.router.wait(4000);
    this.router.released.length = 0;
    this.#held.clear();
    this.sent = [];
    this.judged.clear();
  }

  batch(packets: readonly Uint8Array[]): void {
    const { router } = this;
    for (const packet of packets) {
      const token = ++this.#tokens;
      const { verdict, bytes } = router.fromInside(packet, token);
      if (verdict === PASS) this.sent.push(bytes);
      if (verdict === HOLD) this.#held.set(token, packet);
    }
    for (const { token, verdict, bytes } of router.released.splice(0)) {
      const original = this.#held.get(token);
      if (original === undefined) throw new Error('released twice, or never held');
      this.#held.delete(token);
      if (verdict === PASS) this.sent.push(bytes ?? original);
    }
  }
}

const payloadOf = (p: Packet): string => Buffer.from(p.bytes.subarray(p.payload, p.end)).toString('latin1');

const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 4 });
const ttl = fc.constantFrom(1, 2, 3, 64);
const BLOCKS = 20;

/** One datagram: sent whole, or in fragments whose TTLs are the sender's choice, some of them twice. */
const sending = fc
  .record({ n: fc.nat(3), id: fc.constantFrom(7, 7, 7, 8), cuts, dontFragment: fc.boolean() })
  .chain(({ n, id, cuts: at, dontFragment }) => {
    const whole = datagram(n, BLOCKS, id, dontFragment);
    const parts = at.length === 0 ? [whole] : fragmentsAt(whole, at);
    return fc.tuple(
      ...parts.map((part) =>
        fc.tuple(ttl, fc.constantFrom(1, 1, 1, 1, 2)).map(([t, times]) => {
          return Array.from({ length: times }, () => withHeader(part, id, 0, t));
        }),
      ),
    );
  })
  .map((parts) => parts.flat());

const burst = fc
  .array(sending, { minLength: 2, maxLength: 6 })
  .map((all) => all.flat())
  .chain((packets) => fc.shuffledSubarray(packets, { minLength: packets.length }));

const path = fc.array(fc.record<Hop>({ mtu: fc.constantFrom(68, 92, 1500) }), { minLength: 1, maxLength: 3 });

test('no receiver assembles a datagram that was not judged as it is', () => {
  const edge = new EdgeModel();
  fc.assert(
    fc.property(burst, fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 5 }), path, (packets, sizes, hops) => {
      edge.rest();
      let at = 0;
      for (const size of [...sizes, packets.length]) {
        edge.batch(packets.slice(at, at + size));
        at += size;
      }
      const receiver = new Receiver();
      for (const packet of edge.sent) {
        let there = [packet];
        for (const hop of hops) there = there.flatMap((p) => forward(p, hop));
        for (const p of there) receiver.receive(p);
      }
      for (const d of receiver.delivered) {
        expect(edge.judged).toContain(Buffer.from(d.subarray(28)).toString('latin1'));
      }
    }),
    { numRuns: 1000 },
  );
});

test('no fragment leaves the router', () => {
  const edge = new EdgeModel();
  fc.assert(
    fc.property(burst, (packets) => {
      edge.rest();
      edge.batch(packets);
      for (const p of edge.sent) expect((((p[6]! << 8) | p[7]!) & 0x3fff).toString(16)).toBe('0');
    }),
  );
});
