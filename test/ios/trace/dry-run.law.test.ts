/** The engine run dry over a copy of its memory says of each packet what the engine then does with it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DryRun } from '../../../src/ios/trace/dry-run.js';
import { PASS, type Verdict } from '../../../src/core/verdict.js';
import type { Packet } from '../../../src/core/wire/packet.js';
import { MAIL_SERVERS } from '../../attack/mail-application.js';
import { bring, make, MOVES, WAYS } from '../../attack/moves.js';
import { RULES, World } from '../../attack/world.js';
import { sent } from '../../support/packets.js';

const scale = Number(process.env.FW3640_ATTACK_SCALE ?? 1);

// What is held is not in that memory: segments come in order, as in adoption.law.test.ts.
const inOrder = MOVES.sayAny.map((m) => ({ ...m, at: 0, fate: 'arrives' as const }));
const { turn, read, catchUp, acknowledge, retransmit, wait } = MOVES;

const settings = fc.record({
  rule: fc.constantFrom(...RULES),
  server: fc.constantFrom(...MAIL_SERVERS.keys()),
  to: fc.constantFrom(...WAYS),
  stamps: fc.boolean(),
  intercept: fc.boolean(),
});

/** Identification and header checksum: a datagram gets a number of the router's own, which begins anywhere. */
function withoutIdentification(packet: Uint8Array): number[] {
  const bytes = [...packet];
  bytes.fill(0, 4, 6);
  bytes.fill(0, 10, 12);
  return bytes;
}

const outcome = (p: Packet, v: Verdict): unknown => [v, v === PASS && withoutIdentification(sent(p))];

test('a dialogue, packet by packet', () => {
  let packets = 0;
  const moves = fc.array(fc.oneof(inOrder, turn, read, catchUp, acknowledge, retransmit, wait), { maxLength: 8 });
  fc.assert(
    fc.property(settings, moves, (s, m) => {
      const w = new World(s.rule, MAIL_SERVERS[s.server]!, false, s.intercept);
      w.rehearse = (source, bytes, ingress) => {
        const { now, capacity, cookieKey } = w;
        const dry = new DryRun(w.config, undefined, { source, now, capacity, cookieKey });
        const { packet, verdict } = dry.judge(bytes, ingress);
        const said = outcome(packet, verdict);
        packets++;
        return (p, v) => expect(said).toEqual(outcome(p, v));
      };
      if (s.stamps) w.timestamp = 1000;
      w.open();
      bring(w, s.to);
      for (const move of m) make(w, move);
    }),
    { numRuns: 12 * scale },
  );
  expect(packets).toBeGreaterThan(100);
}, 60_000);
