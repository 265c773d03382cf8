/** The engine run dry over a copy of its memory says of each packet what the engine then does with it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DryRun } from '../../../src/ios/trace/dry-run.js';
import { PASS, type Verdict } from '../../../src/core/verdict.js';
import type { Packet } from '../../../src/core/wire/packet.js';
import { bring, make } from '../../attack/moves.js';
import { ORDERED_MOVES, SETTINGS, worldOf } from '../../attack/ordered.js';
import { sent } from '../../support/packets.js';

const scale = Number(process.env.FW3640_ATTACK_SCALE ?? 1);

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
  fc.assert(
    fc.property(SETTINGS, ORDERED_MOVES, (s, m) => {
      const w = worldOf(s);
      w.rehearse = (source, bytes, ingress) => {
        const { now, capacity, cookieKey } = w;
        const dry = new DryRun(w.config, undefined, { source, now, capacity, cookieKey });
        const { packet, verdict } = dry.judge(bytes, ingress);
        const said = outcome(packet, verdict);
        packets++;
        return (p, v) => expect(said).toEqual(outcome(p, v));
      };
      w.open();
      bring(w, s.to);
      for (const move of m) make(w, move);
    }),
    { numRuns: 8 * scale },
  );
  expect(packets).toBeGreaterThan(100);
}, 240_000);
