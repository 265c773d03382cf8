/** The law of the stream: no sender makes a receiver assemble other bytes than those that were inspected. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS, ReassemblyMemory } from '../../src/tcp/reassembly-memory.js';
import { TcpStream } from '../../src/tcp/reassembler.js';
import { seqAdd, seqDiff } from '../../src/tcp/seq.js';
import { HOLD, isDrop, PASS } from '../../src/verdict.js';
import { ACK, FIN, URG } from '../../src/wire/tcp.js';
import { POLICIES, Receiver, type Policy } from './receiver.js';
import { packetOf, received, textOf, type Segment } from './segment.js';
import { inspectedWhole, ToyInspector } from './toy-inspector.js';

type Step =
  | { do: 'send'; up: boolean; near: boolean; at: number; length: number; lie: number; fin: boolean; urgent: boolean }
  | { do: 'deliver'; up: boolean; which: number; room: number }
  | { do: 'lose'; up: boolean; which: number }
  | { do: 'ack'; up: boolean }
  | { do: 'wait'; ms: number };

/** The byte at offset `at` of a stream: letters of both cases. `lie` 0 is the truth, another number another content. */
const contentAt = (up: boolean, at: number, lie: number): number => {
  const mix = Math.imul(at + 77, 2654435761 + lie * 97) + (up ? 5 : 11);
  return ((mix >>> 13) & 1 ? 65 : 97) + ((mix >>> 16) % 26);
};

const LIES = [0, 1, 2, 3];

const contentOf = (up: boolean, at: number, length: number, lie: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => contentAt(up, at + i, lie));

/** Client, firewall, network and server, both directions. */
class Wire {
  readonly inspector = new ToyInspector();
  readonly memory: ReassemblyMemory;
  readonly stream: TcpStream;
  readonly receivers: { up: Receiver; down: Receiver };
  /** Forwarded and neither received nor lost. */
  readonly inFlight: { up: Segment[]; down: Segment[] } = { up: [], down: [] };
  readonly held = new Set<number>();
  now = 0;
  #token = 0;

  constructor(
    readonly firstUp: number,
    readonly firstDown: number,
    policy: Policy,
    queueLength: number,
    memoryBytes: number,
  ) {
    this.memory = new ReassemblyMemory({ queueLength, timeoutMs: 5000, memoryBytes });
    this.stream = new TcpStream(this.inspector, this.memory, {
      release: (p, fromInitiator, v) => {
        if (!this.held.delete(p.token)) throw new Error('released twice, or never held');
        if (v === PASS) this.inFlight[fromInitiator ? 'up' : 'down'].push(received(p));
      },
      gapPersists: () => undefined,
    });
    this.stream.open(true, firstUp);
    this.stream.open(false, firstDown);
    this.receivers = { up: new Receiver(firstUp, policy), down: new Receiver(firstDown, policy) };
  }

  send(up: boolean, at: number, data: Uint8Array, flags: number): number {
    const token = ++this.#token;
    const seq = seqAdd(up ? this.firstUp : this.firstDown, at);
    const p = packetOf({ fromInitiator: up, seq, data, flags, token, urgentPointer: (flags & URG) !== 0 ? 1 : 0 });
    this.held.add(token);
    const released = this.inFlight[up ? 'up' : 'down'].length;
    const v = this.stream.admit(p, up, this.now);
    if (v !== HOLD) this.held.delete(token);
    if (v === PASS) {
      const s = received(p);
      if (s.data.length !== data.length) throw new Error('a length changed');
      if ((s.flags! & URG) !== 0) throw new Error('urgent data went on');
      // The edge sends it before those that the call released.
      this.inFlight[up ? 'up' : 'down'].splice(released, 0, s);
    }
    return v;
  }

  acknowledge(up: boolean): void {
    this.stream.acknowledge(up, this.receivers[up ? 'up' : 'down'].rcvNxt);
  }

  run(step: Step): void {
    switch (step.do) {
      case 'send': {
        const side = step.up ? this.inspector.initiator : this.inspector.responder;
        const at = step.near ? side.input.length + (step.at >> 3) - 6 : step.at;
        const data = contentOf(step.up, at, Math.max(Math.min(step.length, STREAM - at), 0), step.lie);
        this.send(step.up, at, data, ACK | (step.fin ? FIN : 0) | (step.urgent ? URG : 0));
        return;
      }
      case 'deliver': {
        const list = this.inFlight[step.up ? 'up' : 'down'];
        const s = list[step.which % Math.max(list.length, 1)];
        // A segment stays in flight: the network may bring it again, late.
        if (s !== undefined) this.receivers[step.up ? 'up' : 'down'].receive(s, step.room);
        return;
      }
      case 'lose': {
        const list = this.inFlight[step.up ? 'up' : 'down'];
        if (list.length > 0) list.splice(step.which % list.length, 1);
        return;
      }
      case 'ack':
        this.acknowledge(step.up);
        return;
      case 'wait':
        this.now += step.ms;
        this.memory.expire(this.now, 10);
    }
  }

  /** The sender repeats what is not acknowledged, in any way it likes, until its receiver has all that was inspected. */
  finish(up: boolean, total: number, lie: number, chunk: number): void {
    const receiver = this.receivers[up ? 'up' : 'down'];
    const side = up ? this.inspector.initiator : this.inspector.responder;
    this.now += 60_000;
    this.memory.expire(this.now, 10);
    for (let rounds = 0; rounds < 400 && !receiver.finished; rounds++) {
      const at = receiver.delivered.length;
      const goal = Math.max(total, side.input.length);
      if (at >= goal) break;
      const v = this.send(up, at, contentOf(up, at, Math.min(chunk, goal - at), lie), ACK);
      const list = this.inFlight[up ? 'up' : 'down'];
      // Past a FIN that went on but was lost, only the FIN is left to send.
      if (isDrop(v)) {
        const left = side.input.length - at;
        expect(this.send(up, at, contentOf(up, at, left, lie), ACK | FIN)).toBe(PASS);
      }
      for (const s of list) receiver.receive(s);
      this.acknowledge(up);
    }
    this.acknowledge(up);
  }
}

const STREAM = 90; // bytes that an honest sender has to say

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      up: fc.boolean(),
      /** Around the next new byte, or anywhere. */
      near: fc.boolean(),
      at: fc.integer({ min: -4, max: STREAM }),
      length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3 })),
      lie: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 })),
      fin: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
      urgent: fc.integer({ min: 0, max: 10 }).map((n) => n === 0),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      up: fc.boolean(),
      which: fc.nat(30),
      room: fc.oneof(fc.constant(1000), fc.nat(20)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('lose' as const), up: fc.boolean(), which: fc.nat(30) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 3000, 6000) }) },
);

/** Any, with those that make the numbers wrap around within a few bytes more often. */
const firstSeq = fc.oneof(
  fc.integer(),
  fc.integer({ min: -100, max: 0 }),
  fc.integer({ min: 0x7fffff90, max: 0x7fffffff }),
);

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
        const wire = new Wire(firstUp, firstDown, policy, queueLength, memoryBytes);
        let mostHeld = 0;
        for (const s of steps) {
          wire.run(s);
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
        const wire = new Wire(first, first, policy, 16, DEFAULT_LIMITS.memoryBytes);
        for (const s of steps) wire.run(s);
        wire.finish(true, STREAM, 0, chunk);
        const said = [...contentOf(true, 0, STREAM, 0)];
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
        const wire = new Wire(first, first, policy, 16, DEFAULT_LIMITS.memoryBytes);
        for (const [s, forged] of steps) {
          wire.run(s);
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
