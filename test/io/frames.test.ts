/** Messages on a stream: however it is cut, they come whole; what is none of them ends it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, FrameReader, MOST_BYTES, NotAMessage } from '../../src/io/frames.js';

const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });

test('however a stream is cut, its messages come whole and in order', () => {
  fc.assert(
    fc.property(bodies, fc.array(fc.nat()), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(frame));
      const places = [0, ...cuts.map((c) => c % (stream.length + 1)), stream.length].sort((a, b) => a - b);
      const reader = new FrameReader();
      const got: Uint8Array[] = [];
      for (let i = 1; i < places.length; i++)
        reader.take(stream.subarray(places[i - 1], places[i]), (body) => got.push(Uint8Array.from(body)));
      expect(got).toEqual(messages);
    }),
  );
});

test('a length that none of ours has is refused before anything of it is kept', () => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(MOST_BYTES + 1);
  const reader = new FrameReader();
  expect(() => reader.take(head, () => undefined)).toThrow(NotAMessage);
});
