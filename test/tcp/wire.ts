/**
 * A client, the router's stream, a network that loses, repeats and disorders, and a server; both directions. Steps are
 * made by fast-check.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { StreamInspector } from '../../src/core/inspect/inspector.js';
import { DEFAULT_LIMITS, ReassemblyMemory, type ReassemblyLimits } from '../../src/core/stream/reassembly-memory.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { DROP, HOLD, isDrop, PASS } from '../../src/core/verdict.js';
import { ACK, FIN, URG } from '../../src/core/wire/tcp.js';
import { ChangingHands } from './changing-hands.js';
import { Receiver, type Policy } from './receiver.js';
import { packetOf, received, type Segment } from './segment.js';

export type Step =
  | { do: 'send'; up: boolean; near: boolean; at: number; length: number; lie: number; fin: boolean; urgent: boolean }
  | { do: 'deliver'; up: boolean; which: number; room: number }
  | { do: 'lose'; up: boolean; which: number }
  | { do: 'ack'; up: boolean }
  | { do: 'wait'; ms: number };

/** An inspector that keeps what it was given and what it made of it. */
export interface RecordedInspector extends StreamInspector {
  readonly initiator: { input: number[] };
  readonly responder: { input: number[] };
}

/** The byte that a sender has at offset `at` of its stream. `lie` 0 is the truth, another number another content. */
export type ContentAt = (up: boolean, at: number, lie: number) => number;

/** Client, firewall, network and server, both directions. */
export class Wire<I extends RecordedInspector> {
  readonly memory: ReassemblyMemory;
  readonly stream: ChangingHands;
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
    limits: Partial<ReassemblyLimits>,
    readonly inspector: I,
    readonly contentAt: ContentAt,
  ) {
    this.memory = new ReassemblyMemory({ ...DEFAULT_LIMITS, ...limits });
    this.stream = new ChangingHands(inspector, this.memory, {
      release: (p, fromInitiator, v) => {
        if (!this.held.delete(p.token)) throw new Error('released twice, or never held');
        if (v === PASS) this.inFlight[fromInitiator ? 'up' : 'down'].push(received(p));
      },
      gapPersists: () => undefined,
      answerGap: () => undefined,
      selective: false,
    });
    this.stream.open(true, firstUp);
    this.stream.open(false, firstDown);
    this.receivers = { up: new Receiver(firstUp, policy), down: new Receiver(firstDown, policy) };
  }

  contentOf(up: boolean, at: number, length: number, lie: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.contentAt(up, at + i, lie));
  }

  send(up: boolean, at: number, data: Uint8Array, flags: number): number {
    const token = ++this.#token;
    const seq = seqAdd(up ? this.firstUp : this.firstDown, at);
    const ack = this.receivers[up ? 'down' : 'up'].rcvNxt;
    const p = packetOf({ fromInitiator: up, seq, ack, data, flags, token, urgentPointer: (flags & URG) !== 0 ? 1 : 0 });
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

  /** @param total bytes that this direction has to say by now: nothing is sent beyond them */
  run(step: Step, total: number): void {
    switch (step.do) {
      case 'send': {
        const side = step.up ? this.inspector.initiator : this.inspector.responder;
        const at = step.near ? side.input.length + (step.at >> 3) - 6 : step.at;
        const data = this.contentOf(step.up, at, Math.max(Math.min(step.length, total - at), 0), step.lie);
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
    for (let rounds = 0; rounds < 400 && !receiver.finished && !this.stream.resetRequested; rounds++) {
      const at = receiver.delivered.length;
      const goal = Math.max(total, side.input.length);
      if (at >= goal) break;
      const v = this.send(up, at, this.contentOf(up, at, Math.min(chunk, goal - at), lie), ACK);
      const list = this.inFlight[up ? 'up' : 'down'];
      // Past a FIN that went on but was lost, only the FIN is left to send.
      if (v !== DROP.inspection && isDrop(v)) {
        const left = side.input.length - at;
        expect(this.send(up, at, this.contentOf(up, at, left, lie), ACK | FIN)).toBe(PASS);
      }
      for (const s of list) receiver.receive(s);
      this.acknowledge(up);
    }
    this.acknowledge(up);
  }
}

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      up: fc.boolean(),
      /** Around the next new byte, or anywhere. */
      near: fc.boolean(),
      at: fc.integer({ min: -4, max: 90 }),
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
export const firstSeq = fc.oneof(
  fc.integer(),
  fc.integer({ min: -100, max: 0 }),
  fc.integer({ min: 0x7fffff90, max: 0x7fffffff }),
);
