/** The law of the stream: no sender makes a receiver assemble other bytes than those that were inspected. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/stream/reassembly-memory.js';
import { seqAdd, seqDiff } from '../../src/core/wire/seq.js';
import { POLICIES } from './receiver.js';
import { textOf } from './segment.js';
import { inspectedWhole, ToyInspector } from './toy-inspector.js';
import { firstSeq, step, Wire } from './wire.js';

/** The byte at offset `at` of a stream: letters of both cases. `lie` 0 is the truth, another number another content. */
const contentAt = (up: boolean, at: number, lie: number): number => {
  const mix = Math.imul(at + 77, 2654435761 + lie * 97) + (up ? 5 : 11);
  return ((mix >>> 13) & 1 ? 65 : 97) + ((mix >>> 16) % 26);
};

const LIES = [0, 1, 2, 3];

const STREAM = 90; // bytes that an honest sender has to say

test('whatever the sender does, a receiver of any overlap policy assembles the inspected stream', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      firstSeq,
      firstSeq,
      fc.constantFrom(...POLICIES),
      fc.constantFrom(1, 3, 16),
      fc.constantFrom(2048, 3 * 2048, DEFAULT_LIMITS.memoryBytes),
      fc.nat(2),
      fc.integer({ min: 1, max: 25 }),
      (steps, firstUp, firstDown, policy, queueLength, memoryBytes, lie, chunk) => {
        const wire = new Wire(firstUp, firstDown, policy, { queueLength, memoryBytes }, new ToyInspector(), contentAt);
        let mostHeld = 0;
        for (const s of steps) {
          wire.run(s, STREAM);
          mostHeld = Math.max(mostHeld, wire.memory.heldBytes);
        }
        expect(mostHeld).toBeLessThanOrEqual(memoryBytes);
        wire.finish(true, STREAM, lie, chunk);
        wire.finish(false, STREAM, lie, chunk);
        for (const up of [true, false]) {
          const side = up ? wire.inspector.initiator : wire.inspector.responder;
          const receiver = wire.receivers[up ? 'up' : 'down'];
          expect(textOf(receiver.delivered)).toBe(textOf(inspectedWhole(side.input)));
          expect(receiver.finished || receiver.delivered.length >= STREAM).toBe(true);
          expect(side.input.findIndex((c, i) => !LIES.some((l) => c === contentAt(up, i, l)))).toBe(-1);
        }
        // All is received and acknowledged: an idle stream holds nothing, and every held packet had its verdict.
        expect(wire.memory.ringBytes).toBe(0);
        expect(wire.memory.heldSegments).toBe(0);
        expect(wire.memory.heldBytes).toBe(0);
        expect(wire.held.size).toBe(0);
      },
    ),
    { numRuns: 5000 },
  );
}, 60_000);

test('an honest sender gets its stream through in spite of loss, disorder and repetition', () => {
  fc.assert(
    fc.property(
      fc.array(
        step.filter((s) => s.do !== 'send' || (s.lie === 0 && !s.fin)),
        { maxLength: 60 },
      ),
      firstSeq,
      fc.constantFrom(...POLICIES),
      fc.integer({ min: 1, max: 25 }),
      (steps, first, policy, chunk) => {
        const wire = new Wire(first, first, policy, {}, new ToyInspector(), contentAt);
        for (const s of steps) wire.run(s, STREAM);
        wire.finish(true, STREAM, 0, chunk);
        const said = [...wire.contentOf(true, 0, STREAM, 0)];
        expect(textOf(wire.receivers.up.delivered)).toBe(textOf(inspectedWhole(said)));
      },
    ),
    { numRuns: 2000 },
  );
}, 60_000);

test('a forged acknowledgment lets no byte through that was not inspected: it is the inspected one or an x', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(step, fc.option(fc.nat(STREAM), { freq: 4 })), { maxLength: 60 }),
      firstSeq,
      fc.constantFrom(...POLICIES),
      (steps, first, policy) => {
        const wire = new Wire(first, first, policy, {}, new ToyInspector(), contentAt);
        for (const [s, forged] of steps) {
          wire.run(s, STREAM);
          if (forged !== null) wire.stream.acknowledge(true, seqAdd(first, forged));
        }
        for (const s of wire.inFlight.up) wire.receivers.up.receive(s);
        const want = inspectedWhole(wire.inspector.initiator.input);
        expect(wire.receivers.up.delivered.findIndex((byte, i) => byte !== want[i] && byte !== 120)).toBe(-1);
        expect(seqDiff(wire.receivers.up.rcvNxt, first)).toBeLessThanOrEqual(want.length + 1);
      },
    ),
    { numRuns: 2000 },
  );
}, 60_000);
