/**
 * The law of the shift: whatever is lost, repeated, cut anew and disordered, the receiver assembles the sender's stream
 * with its texts replaced, and the sender learns of nothing that has not arrived.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seqAdd, seqDiff } from '../../src/core/wire/seq.js';
import { SequenceShift } from '../../src/core/stream/sequence-shift.js';
import { i32, put16, put32, u16, u8 } from '../../src/core/wire/bytes.js';
import { completePartial, ipv4ChecksumOk, pseudoHeaderSum, writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { ACK, TCP_ACK, TCP_CHECKSUM } from '../../src/core/wire/tcp.js';
import { packetOf, received, textOf } from './segment.js';
import { firstSeq } from './wire.js';

interface Replacement {
  /** Offsets in the sender's stream. */
  at: number;
  end: number;
  text: string;
}

interface Model {
  stream: string;
  edits: Replacement[];
}

/** A stream of pieces, some of them replaced. Letters say where they come from, so that a mix-up shows. */
const model: fc.Arbitrary<Model> = fc
  .array(
    fc.record({
      plain: fc.integer({ min: 0, max: 12 }),
      old: fc.integer({ min: 1, max: 9 }),
      text: fc.integer({ min: 0, max: 14 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => {
    let stream = '';
    const edits: Replacement[] = [];
    const letters = (n: number, from: number): string =>
      Array.from({ length: n }, (_, i) => String.fromCharCode(from + ((i + stream.length) % 26))).join('');
    for (const piece of pieces) {
      stream += letters(piece.plain, 97);
      const at = stream.length;
      stream += letters(piece.old, 48);
      edits.push({ at, end: stream.length, text: letters(piece.text, 65) });
    }
    return { stream: `${stream}.end`, edits };
  });

type Step =
  | { do: 'new'; length: number }
  | { do: 'again'; at: number; length: number }
  | { do: 'deliver'; which: number; keep: boolean; room: number }
  | { do: 'lose'; which: number }
  | { do: 'ack'; late: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('new' as const), length: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('again' as const),
      at: fc.nat(80),
      length: fc.integer({ min: 0, max: 20 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      which: fc.nat(20),
      keep: fc.boolean(),
      room: fc.oneof(fc.constant(100), fc.nat(12)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), which: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ack' as const), late: fc.nat(3) }) },
);

class Ends {
  readonly shift = new SequenceShift();
  /** What the receiver must get. */
  readonly wanted: string;
  /** Sender: next new offset, first not acknowledged. */
  nxt = 0;
  una = 0;
  /** Receiver: bytes by offset, in its own numbers. */
  readonly got: (string | undefined)[] = [];
  readonly inFlight: { seq: number; text: string }[] = [];
  /** Acknowledgements on their way, as the receiver numbers them. */
  readonly acks: number[] = [];
  #registered = 0;

  constructor(
    readonly first: number,
    readonly m: Model,
  ) {
    let wanted = '';
    let at = 0;
    for (const e of m.edits) {
      wanted += m.stream.slice(at, e.at) + e.text;
      at = e.end;
    }
    this.wanted = wanted + m.stream.slice(at);
  }

  get rcvNxt(): number {
    const gap = this.got.findIndex((c) => c === undefined);
    return gap < 0 ? this.got.length : gap;
  }

  /** Sends stream[at..at+length); what is acknowledged comes as x, as the reassembler forwards it. */
  send(at: number, length: number): void {
    const end = Math.min(at + length, this.m.stream.length);
    // The inspector says what is to be replaced before its first byte goes on.
    for (let e = this.m.edits[this.#registered]; e !== undefined && e.at < end; e = this.m.edits[++this.#registered]) {
      const text = Uint8Array.from(Buffer.from(e.text, 'latin1'));
      expect(this.shift.replace(true, seqAdd(this.first, e.at), e.end - e.at, text)).toBe(true);
    }
    const stale = Math.min(Math.max(this.una - at, 0), Math.max(end - at, 0));
    const data = 'x'.repeat(stale) + this.m.stream.slice(at + stale, Math.max(end, at));
    const p = roomy(packetOf({ fromInitiator: true, seq: seqAdd(this.first, at), data: Buffer.from(data, 'latin1') }));
    expect(this.shift.translateOutgoing(p, true)).toBe(true);
    expect(p.end - p.at).toBe(u16(p.bytes, p.at + 2));
    expect(ipv4ChecksumOk(p.bytes, p.at, p.l4)).toBe(true);
    expect(i32(p.bytes, p.l4 + 4)).toBe(p.seq);
    const s = received(p); // checks the transport checksum
    this.inFlight.push({ seq: seqDiff(s.seq, this.first), text: textOf(s.data) });
    this.nxt = Math.max(this.nxt, end);
  }

  /** The network brings a segment, and may bring it again; the receiver takes `room` bytes of it. */
  deliver(which: number, keep: boolean, room = 100): void {
    const i = which % Math.max(this.inFlight.length, 1);
    const s = this.inFlight[i];
    if (s === undefined) return;
    if (!keep) this.inFlight.splice(i, 1);
    const rcvNxt = this.rcvNxt;
    Array.from(s.text.slice(0, room)).forEach((c, k) => {
      const at = s.seq + k;
      if (at < rcvNxt) return; // has been delivered: what comes again is not looked at
      while (this.got.length <= at) this.got.push(undefined);
      const old = this.got[at];
      if (old !== undefined) expect(c).toBe(old); // two segments never disagree
      this.got[at] = c;
    });
    this.acks.push(this.rcvNxt);
  }

  /** One of the receiver's acknowledgements, with a SACK block, comes back. */
  acknowledge(late: number): void {
    const ack = this.acks[Math.max(this.acks.length - 1 - late, 0)] ?? 0;
    const blockStart = this.got.findIndex((c, i) => i > this.rcvNxt && c !== undefined);
    let blockEnd = blockStart;
    while (blockStart >= 0 && this.got[blockEnd] !== undefined) blockEnd++;
    const p = ackPacket(seqAdd(this.first, ack), seqAdd(this.first, blockStart), seqAdd(this.first, blockEnd));
    this.shift.translateIncoming(p, false);
    received(p); // checks the checksum
    expect(i32(p.bytes, p.l4 + TCP_ACK)).toBe(p.ack);
    const acked = seqDiff(p.ack, this.first);
    expect(this.arrived(acked)).toBe(true);
    if (blockStart >= 0 && acked >= this.una) {
      const start = seqDiff(i32(p.bytes, p.l4 + 24), this.first);
      const end = seqDiff(i32(p.bytes, p.l4 + 28), this.first);
      for (let at = Math.max(start, this.una); at < end; at++) expect(this.sacked(at, blockStart, blockEnd)).toBe(true);
    }
    if (acked > this.una) {
      this.una = acked;
      this.shift.acknowledged(true, p.ack);
    }
  }

  /** The receiver has all of the sender's stream before offset `acked`. */
  arrived(acked: number): boolean {
    return this.receiverOffset(acked) <= this.rcvNxt;
  }

  /** The byte at the sender's offset `at`, or the whole text that replaces it, lies in the receiver's block. */
  sacked(at: number, blockStart: number, blockEnd: number): boolean {
    const e = this.m.edits.find((x) => at >= x.at && at < x.end);
    const [from, to] = e === undefined ? [at, at + 1] : [e.at, e.end];
    return this.receiverOffset(from) >= blockStart && this.receiverOffset(to) <= blockEnd;
  }

  receiverOffset(at: number): number {
    let shift = 0;
    for (const e of this.m.edits) {
      if (at >= e.end) shift += e.text.length - (e.end - e.at);
      else return (at > e.at ? e.at : at) + shift;
    }
    return at + shift;
  }

  run(s: Step): void {
    switch (s.do) {
      case 'new':
        if (this.nxt < this.m.stream.length) this.send(this.nxt, s.length);
        return;
      case 'again':
        this.send(s.at % (this.nxt + 1), Math.min(s.length, this.nxt - (s.at % (this.nxt + 1))));
        return;
      case 'deliver':
        this.deliver(s.which, s.keep, s.room);
        return;
      case 'lose':
        this.inFlight.splice(s.which % Math.max(this.inFlight.length, 1), 1);
        return;
      case 'ack':
        this.acknowledge(s.late);
    }
  }

  /** The sender repeats until all is acknowledged. */
  finish(chunk: number): void {
    for (let rounds = 0; rounds < 300 && this.una < this.m.stream.length; rounds++) {
      const before = this.una;
      // A real sender repeats more where nothing is acknowledged, until a text comes whole.
      this.send(this.una, chunk + rounds);
      this.deliver(this.inFlight.length - 1, false);
      this.acknowledge(0);
      expect(this.una).toBeGreaterThanOrEqual(before);
    }
  }
}

/** The packet in memory that goes on behind it, as in a batch. */
function roomy(p: Packet): Packet {
  const b = new Uint8Array(p.bytes.length + 100);
  b.set(p.bytes);
  p.bytes = b;
  return p;
}

/** An acknowledgement with one SACK block behind two NOPs. */
function ackPacket(ack: number, left: number, right: number): Packet {
  const p = packetOf({ fromInitiator: false, seq: 77, data: new Uint8Array(12), flags: ACK });
  const b = p.bytes;
  b.set([1, 1, 5, 10], p.l4 + 20);
  put32(b, p.l4 + 24, left);
  put32(b, p.l4 + 28, right);
  put32(b, p.l4 + TCP_ACK, ack);
  b[p.l4 + 12] = 0x80;
  p.payload = p.l4 + 32;
  p.ack = ack;
  put16(b, p.l4 + TCP_CHECKSUM, pseudoHeaderSum(p.src, p.dst, 6, p.end - p.l4));
  completePartial(b, p.l4, p.end, TCP_CHECKSUM);
  writeIpv4Checksum(b, p.at, p.l4);
  expect(u8(b, p.at)).toBe(0x45);
  return p;
}

test('loss, repetition, other cuts and disorder: both ends see one stream', () => {
  fc.assert(
    fc.property(
      firstSeq,
      model,
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      (first, m, steps, chunk) => {
        const ends = new Ends(first, m);
        for (const s of steps) ends.run(s);
        ends.finish(chunk);
        expect(ends.una).toBe(m.stream.length);
        expect(ends.got.slice(0, ends.rcvNxt).join('')).toBe(ends.wanted);
      },
    ),
    { numRuns: 500 },
  );
});
