/** What the queue edge checks before it touches the kernel; packets are in test/lab/queue.test.ts. */
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import {
  HEADROOM,
  LETTER_BYTES,
  LETTERS,
  layoutDifference,
  layoutFor,
  STRIDE,
  VERSION,
} from '../../../src/io/queue/layout.js';
import { PacketQueue } from '../../../src/io/queue/packet-queue.js';
import { QueueError } from '../../../src/io/queue/queue-error.js';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

// The layouts are compared before C looks at its arguments, so its complaint about them means that they agree.
test.each([1, 2, 127, 128, 512])('TypeScript and the library agree where things lie with %i slots', (slots) => {
  const error = thrownBy(() => PacketQueue.open({ queue: -1, slots }));
  expect(error).toBeInstanceOf(QueueError);
  expect(error).toMatchObject({ call: 'arguments', code: 'EINVAL' });
});

test.each([0, 513, 1.5, -1])('%d slots are refused', (slots) => {
  expect(() => PacketQueue.open({ queue: 0, slots })).toThrow(RangeError);
});

test('a library built from another header is told apart, by the first value that differs', () => {
  const { size, letters, letterBytes, data } = layoutFor(128);
  const native = Int32Array.of(VERSION, size, letters, letterBytes, data, STRIDE, LETTERS, LETTER_BYTES, HEADROOM);
  expect(layoutDifference(128, native)).toBeUndefined();
  expect(layoutDifference(127, native)).toBe('size');
  expect(layoutDifference(128, native.with(0, VERSION + 1))).toBe('version');
  expect(layoutDifference(128, native.with(8, 0))).toBe('headroom');
  expect(layoutDifference(128, native.slice(0, 8))).toBe('headroom');
});

test('packets of neighbouring slots do not share cache sets', () => {
  expect((STRIDE / 64) % 2).toBe(1);
});

const { EPERM, EBUSY, EINVAL, EPROTONOSUPPORT, ENOMEM, EIO } = constants.errno;
test.each([
  { call: 'bind', errno: EPERM, message: 'queue 5: bind: EPERM (is another program bound to queue 5?)' },
  { call: 'bind', errno: EBUSY, message: 'queue 5: bind: EBUSY (is another program bound to queue 5?)' },
  { call: 'bind', errno: EINVAL, message: /EINVAL \(does this kernel have nfnetlink_queue\?/ },
  { call: 'socket', errno: EPROTONOSUPPORT, message: /EPROTONOSUPPORT \(does this kernel have nfnetlink_queue\?/ },
  { call: 'socket buffers', errno: EPERM, message: /EPERM \(run as root: CAP_NET_ADMIN/ },
  { call: 'raw socket', errno: EPERM, message: /EPERM \(run as root: .*CAP_NET_RAW/ },
  { call: 'waiter thread', errno: ENOMEM, message: /ENOMEM \(out of memory/ },
  { call: 'exchange', errno: EIO, message: 'queue 5: exchange: EIO' },
])('the operator is told what to do about $call', ({ call, errno, message }) => {
  const error = new QueueError(call, -errno, 5);
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
});
