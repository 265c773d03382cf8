/** A TcpStream under `monitor-only`: it sees all it can, and no receiver can tell that it is there. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { StreamAction } from '../../src/core/inspect/inspector.js';
import { DEFAULT_LIMITS, ReassemblyMemory, type ReassemblyLimits } from '../../src/core/stream/reassembly-memory.js';
import { TcpStream } from '../../src/core/stream/reassembler.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { PASS, type Verdict } from '../../src/core/verdict.js';
import { ACK, FIN, TCP_FLAGS, TCP_URGENT, URG } from '../../src/core/wire/tcp.js';
import { bytesOf, packetOf, textOf } from './segment.js';
import { ToyInspector } from './toy-inspector.js';

const FIRST = 0xfffffff0 | 0; // wraps after 16 bytes

/** Never alters anything, as an inspector under monitor-only. */
class Onlooker extends ToyInspector {
  override fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    const action = super.fromInitiator(b.slice(), at, end);
    this.modified = false;
    return action;
  }
  override fromResponder(b: Uint8Array, at: number, end: number): StreamAction {
    const action = super.fromResponder(b.slice(), at, end);
    this.modified = false;
    return action;
  }
}

let inspector: Onlooker;
let memory: ReassemblyMemory;
let stream: TcpStream;

function start(limits: Partial<ReassemblyLimits> = {}): void {
  inspector = new Onlooker();
  memory = new ReassemblyMemory({ ...DEFAULT_LIMITS, ...limits });
  const never = (): never => {
    throw new Error('nothing is held, so nothing can be released');
  };
  const outlet = { release: never, gapPersists: never, answerGap: never, selective: true };
  stream = new TcpStream(inspector, memory, outlet, true);
  stream.open(true, FIRST);
  stream.open(false, FIRST);
}
beforeEach(() => start());

interface Sent {
  at: number;
  text: string;
  flags?: number;
  now?: number;
  up?: boolean;
  change?: (p: ReturnType<typeof packetOf>) => void;
}

/** Sends a segment that must go on, byte for byte as it came. */
function send({ at, text, flags = ACK, now = 0, up = true, change }: Sent): void {
  const p = packetOf({ fromInitiator: up, seq: seqAdd(FIRST, at), data: bytesOf(text), flags, urgentPointer: 1 });
  change?.(p);
  const before = p.bytes.slice();
  const v: Verdict = stream.admit(p, up, now);
  expect(v).toBe(PASS);
  expect(p.modified).toBe(false);
  expect(p.checksumPartial).toBe(false);
  expect(p.bytes).toEqual(before);
}
const seen = (): string => textOf(inspector.initiator.input);

describe('a segment that is not the next one', () => {
  test('goes on at once, and is inspected when its turn comes', () => {
    send({ at: 3, text: 'DEF' });
    send({ at: 6, text: 'GHI' });
    expect(seen()).toBe('');
    send({ at: 0, text: 'ABC' });
    expect(seen()).toBe('ABCDEFGHI');
    expect(memory.heldBytes).toBe(0);
  });

  test('is kept beyond the queue length, which is counted', () => {
    start({ queueLength: 2 });
    for (const at of [4, 3, 2, 1]) send({ at, text: 'EDCBA'[4 - at]! });
    expect(memory.queueFull).toBe(2);
    send({ at: 0, text: 'A' });
    expect(seen()).toHaveLength(5);
  });

  test('ends the inspection of both directions where memory is short', () => {
    start({ memoryBytes: 2048 });
    send({ at: 3, text: 'DEF' });
    send({ at: 6, text: 'GHI' });
    send({ at: 0, text: 'ABC' });
    send({ at: 0, text: 'reply', up: false });
    expect([seen(), textOf(inspector.responder.input)]).toEqual(['', '']);
    expect([memory.memoryFull, memory.heldBytes]).toEqual([1, 0]);
  });

  test('ends the inspection when the one before it does not come', () => {
    send({ at: 3, text: 'DEF' });
    memory.expire(DEFAULT_LIMITS.timeoutMs, 10);
    expect([memory.timedOut, memory.heldBytes]).toEqual([1, 0]);
    send({ at: 0, text: 'ABC', now: 5001 });
    expect(seen()).toBe('');
    memory.expire(60_000, 10);
  });
});

test('a retransmission with other content goes on as it came, and is counted', () => {
  send({ at: 0, text: 'ABCD' });
  send({ at: 2, text: 'xyEF' });
  expect(memory.conflicting).toBe(1);
  expect(seen()).toBe('ABCDEF');
});

test('acknowledged bytes that come again stay what they are', () => {
  send({ at: 0, text: 'ABCD' });
  stream.acknowledge(true, seqAdd(FIRST, 4));
  send({ at: 0, text: 'abcd' });
  expect(seen()).toBe('ABCD');
});

test('the urgent flag stays, and is counted', () => {
  send({ at: 0, text: 'AB', flags: ACK | URG, change: (p) => expect(p.bytes[p.l4 + TCP_FLAGS]! & URG).toBe(URG) });
  send({ at: 2, text: 'CD', flags: ACK | URG, change: (p) => (p.bytes[p.l4 + TCP_URGENT] = 0) });
  expect(memory.urgentCleared).toBe(2);
  expect(seen()).toBe('ABCD');
});

test('data after FIN goes on, uninspected and counted', () => {
  send({ at: 0, text: 'AB', flags: ACK | FIN });
  send({ at: 2, text: 'CD' });
  expect([seen(), memory.afterFin]).toEqual(['AB', 1]);
});

test.each(['truncated', 'moreFragments'] as const)('a segment that is %s goes on, and ends the inspection', (what) => {
  send({ at: 0, text: 'AB' });
  send({ at: 2, text: 'CD', change: (p) => (p[what] = true) });
  send({ at: 4, text: 'EF' });
  expect(seen()).toBe('AB');
});

test('an inspector that asks for a reset only ends the inspection', () => {
  inspector.answer = StreamAction.reset;
  send({ at: 0, text: 'AB' });
  send({ at: 2, text: 'CD' });
  expect(stream.resetRequested).toBe(false);
  expect(seen()).toBe('AB');
});

test('whatever segments come: all go on untouched, what is inspected is what was sent, and no memory stays', () => {
  const segment = fc.record({
    at: fc.integer({ min: -5, max: 60 }),
    length: fc.integer({ min: 0, max: 20 }),
    up: fc.boolean(),
    flags: fc.constantFrom(ACK, ACK, ACK, ACK | URG, ACK | FIN),
    ack: fc.boolean(),
    wait: fc.constantFrom(0, 0, 0, 1000, 6000),
  });
  const text = 'The quick brown fox jumps over the lazy dog, and the lazy dog sleeps on and on and on and on.';
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 40 }), fc.constantFrom(2048, 8192, 1 << 20), (segments, memoryBytes) => {
      start({ memoryBytes, queueLength: 3 });
      let now = 0;
      for (const s of segments) {
        now += s.wait;
        memory.expire(now, 10);
        const from = Math.max(s.at, 0);
        send({ at: from, text: text.slice(from, from + s.length), flags: s.flags, up: s.up, now });
        if (s.ack) stream.acknowledge(s.up, seqAdd(FIRST, from + s.length));
      }
      expect(text.startsWith(seen())).toBe(true);
      expect(text.startsWith(textOf(inspector.responder.input))).toBe(true);
      stream.close();
      expect([memory.heldBytes, memory.heldSegments, memory.ringBytes]).toEqual([0, 0, 0]);
    }),
    { numRuns: 2000 },
  );
});
