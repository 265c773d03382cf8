/** What a TcpStream does with single segments: hold, rewrite, drop, release. Offsets are counted from the first byte. */
import { beforeEach, describe, expect, test } from 'vitest';
import { StreamAction } from '../../src/core/inspect/inspector.js';
import { DEFAULT_LIMITS, ReassemblyMemory, type ReassemblyLimits } from '../../src/core/stream/reassembly-memory.js';
import { TcpStream } from '../../src/core/stream/reassembler.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { DROP, HOLD, PASS, type Verdict } from '../../src/core/verdict.js';
import { ACK, FIN, PSH, RST, SYN, URG } from '../../src/core/wire/tcp.js';
import { bytesOf, packetOf, received, textOf } from './segment.js';
import { ToyInspector } from './toy-inspector.js';

const FIRST = 0xfffffff0 | 0; // wraps after 16 bytes

let inspector: ToyInspector;
let memory: ReassemblyMemory;
let stream: TcpStream;
/** What the outlet was told, in order: `text` of a held segment, its verdict. */
let released: { text: string; v: Verdict; flags: number; token: number }[];
/** The ends have agreed on SACK. */
let selective: boolean;
let persisting: { expected: number; waitedMs: number }[];

function start(limits: Partial<ReassemblyLimits> = {}): void {
  inspector = new ToyInspector();
  memory = new ReassemblyMemory({ ...DEFAULT_LIMITS, ...limits });
  stream = new TcpStream(inspector, memory, {
    release: (p, _fromInitiator, v) => {
      const s = received(p);
      released.push({ text: textOf(s.data), v, flags: s.flags!, token: s.token! });
    },
    gapPersists: (_fromInitiator, expectedSeq, waitedMs) => {
      persisting.push({ expected: (expectedSeq - FIRST) | 0, waitedMs });
    },
    answerGap: () => undefined,
    get selective() {
      return selective;
    },
  });
  released = [];
  persisting = [];
  selective = false;
  stream.open(true, FIRST);
  stream.open(false, FIRST);
}

/** Sends `text` at offset `at`; gives the verdict, and what goes on if it is PASS. */
function send(at: number, text: string, flags = ACK, now = 0, up = true): [Verdict, string] {
  const p = packetOf({ fromInitiator: up, seq: seqAdd(FIRST, at), data: bytesOf(text), flags, token: at });
  const v = stream.admit(p, up, now);
  return [v, v === PASS ? textOf(received(p).data) : ''];
}
const verdict = (at: number, text: string, flags = ACK, now = 0): Verdict => send(at, text, flags, now)[0];
const acknowledge = (at: number): void => stream.acknowledge(true, seqAdd(FIRST, at));
const inspected = (): string => textOf(inspector.initiator.input);

beforeEach(() => start());

describe('bytes in order', () => {
  test('are inspected once and go on as the inspector left them', () => {
    const [v, text] = send(0, 'abcDEFGHIJ');
    expect(v).toBe(PASS);
    expect(text).toBe(textOf(inspector.initiator.output));
    expect(text).toContain('x');
    expect(inspected()).toBe('abcDEFGHIJ');
  });

  test('leave the packet alone where the inspector changed nothing', () => {
    const p = packetOf({ fromInitiator: true, seq: FIRST, data: bytesOf('plain text') });
    const before = p.bytes.slice();
    expect(stream.admit(p, true, 0)).toBe(PASS);
    expect(p.modified).toBe(false);
    expect(p.checksumPartial).toBe(false);
    expect(p.bytes).toEqual(before);
  });

  test('of the two directions do not mix', () => {
    send(0, 'client', ACK, 0, true);
    send(0, 'server', ACK, 0, false);
    expect(textOf(inspector.initiator.input)).toBe('client');
    expect(textOf(inspector.responder.input)).toBe('server');
  });

  test('up to a GSO packet of 64 KB are one segment', () => {
    const text = 'abcdefghijklmnopqrstuvwxyzABCDEF'.repeat(2044);
    const [v, out] = send(0, text);
    expect(v).toBe(PASS);
    expect(out).toBe(textOf(inspector.initiator.output));
    expect(send(0, text.toLowerCase())[1]).toBe(out);
  });

  test('are dropped, not inspected, once 4 MB are unacknowledged, and pass again after an acknowledgment', () => {
    let inspectedBytes = 0;
    const count = (_b: Uint8Array, at: number, end: number): StreamAction => {
      inspectedBytes += end - at;
      return StreamAction.pass;
    };
    const counting = { modified: false, fromInitiator: count, fromResponder: count };
    const s = new TcpStream(counting, memory, {
      release: () => undefined,
      gapPersists: () => undefined,
      answerGap: () => undefined,
      selective: false,
    });
    s.open(true, FIRST);
    const big = new Uint8Array(60_000).fill(97);
    const sendBig = (at: number): Verdict =>
      s.admit(packetOf({ fromInitiator: true, seq: seqAdd(FIRST, at), data: big }), true, 0);
    let at = 0;
    while (at < 5 << 20 && sendBig(at) === PASS) at += big.length;
    expect(at).toBeGreaterThan((4 << 20) - 2 * big.length);
    expect(at).toBeLessThanOrEqual(4 << 20);
    expect(inspectedBytes).toBe(at);
    expect(sendBig(at)).toBe(DROP.sessionLimit);
    expect(memory.unacknowledgedFull).toBe(2);
    s.acknowledge(true, seqAdd(FIRST, at));
    expect(memory.ringBytes).toBe(0);
    expect(sendBig(at)).toBe(PASS);
  });

  test('cannot be taken from a packet that the queue did not deliver whole', () => {
    const p = packetOf({ fromInitiator: true, seq: FIRST, data: bytesOf('abc') });
    p.truncated = true;
    expect(stream.admit(p, true, 0)).toBe(DROP.truncated);
    expect(inspected()).toBe('');
  });

  test('cannot be taken from the first fragment of a segment', () => {
    const p = packetOf({ fromInitiator: true, seq: FIRST, data: bytesOf('abc') });
    p.moreFragments = true;
    expect(stream.admit(p, true, 0)).toBe(DROP.fragment);
    expect(inspected()).toBe('');
  });

  test('are refused before the direction is open', () => {
    const fresh = new TcpStream(inspector, memory, {
      release: () => undefined,
      gapPersists: () => undefined,
      answerGap: () => undefined,
      selective: false,
    });
    const p = packetOf({ fromInitiator: true, seq: FIRST, data: bytesOf('abc') });
    expect(fresh.admit(p, true, 0)).toBe(DROP.invalidSegment);
  });
});

describe('a retransmission', () => {
  test.each([
    { name: 'the same segment', at: 0, text: 'HELLOworld' },
    { name: 'other content', at: 0, text: '!!!!!!!!!!' },
    { name: 'other boundaries', at: 3, text: '!!!!' },
    { name: 'a zero-window probe of the last byte', at: 9, text: '!' },
  ])('becomes what went on before: $name', ({ at, text }) => {
    const [, first] = send(0, 'HELLOworld');
    expect(send(at, text)).toEqual([PASS, first.slice(at, at + text.length)]);
    expect(inspected()).toBe('HELLOworld');
  });

  test('with new bytes at its end: the old part is rewritten, the new part inspected', () => {
    send(0, 'hello');
    expect(send(2, '!!!world')).toEqual([PASS, 'lloworld']);
    expect(inspected()).toBe('helloworld');
    expect(memory.conflicting).toBe(1);
  });

  test('is right after a part of it was acknowledged, and where the ring grew and wrapped', () => {
    const text = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    send(0, text.slice(0, 1500));
    acknowledge(1000);
    send(1500, text.slice(1500, 2900));
    send(2900, text.slice(2900));
    acknowledge(1400);
    expect(send(1400, '!'.repeat(1600))).toEqual([PASS, text.slice(1400)]);
  });

  test('of acknowledged bytes carries an x for each: the receiver has them and ignores these', () => {
    send(0, 'hello');
    acknowledge(3);
    expect(send(0, 'hELLo')).toEqual([PASS, 'xxxlo']);
  });

  test.each([
    { name: 'without data', text: '' },
    { name: 'with one byte of garbage', text: '\0' },
  ])('that is a keep-alive passes: $name', ({ text }) => {
    expect(verdict(-1, text)).toBe(PASS);
    send(0, 'hello');
    expect(send(4, text)).toEqual([PASS, text === '' ? '' : 'o']);
    acknowledge(5);
    expect(verdict(4, text)).toBe(PASS);
    expect(inspected()).toBe('hello');
  });

  test('is not forgotten by an acknowledgment of what never went on', () => {
    send(0, 'hello');
    acknowledge(500);
    expect(send(5, 'more')).toEqual([PASS, 'more']);
  });
});

describe('a segment behind a gap', () => {
  test('is held, and released in sequence order by the segment that closes the gap', () => {
    expect(verdict(6, 'three', PSH | ACK)).toBe(HOLD);
    expect(verdict(3, 'two')).toBe(HOLD);
    expect(inspected()).toBe('');
    expect(send(0, 'one')).toEqual([PASS, 'one']);
    expect(released.map((r) => [r.token, r.text, r.v])).toEqual([
      [3, 'two', PASS],
      [6, 'three', PASS],
    ]);
    expect(inspected()).toBe('onetwothree');
    expect(memory.heldBytes).toBe(0);
  });

  test('is masked as if it had come in order, and goes out with a right checksum', () => {
    send(5, 'FGHIJ');
    send(0, 'ABCDE');
    expect(released[0]!.text).toBe(textOf(inspector.initiator.output.slice(5)));
    expect(released[0]!.text).not.toBe('FGHIJ');
  });

  test('does not overrule one held before it: overlaps resolve by sequence number, then by arrival', () => {
    send(4, 'EEEe');
    send(3, 'ddddd');
    send(3, 'cccccc');
    send(0, 'abc');
    expect(inspected()).toBe('abcdddddc');
    expect(released.map((r) => r.text.length)).toEqual([5, 6, 4]);
  });

  test.each([
    { name: 'the same', at: 3, text: 'held' },
    { name: 'a part of it', at: 4, text: '!!' },
    { name: 'other content', at: 3, text: '!!!!' },
  ])('is not held twice: $name', ({ at, text }) => {
    send(3, 'held');
    expect(verdict(at, text)).toBe(DROP.outOfOrder);
    expect(memory.duplicateHeld).toBe(1);
    send(0, 'abc');
    expect(inspected()).toBe('abcheld');
  });

  test('is released, rewritten, when a longer retransmission has brought its bytes first', () => {
    send(3, 'HELD');
    send(0, 'abcdefghi');
    expect(released).toMatchObject([{ text: 'defg', v: PASS }]);
    expect(inspected()).toBe('abcdefghi');
  });

  test('stays held while another gap is before it', () => {
    send(3, 'd');
    send(6, 'g');
    send(0, 'abc');
    expect(released.map((r) => r.token)).toEqual([3]);
    send(4, 'ef');
    expect(released.map((r) => r.token)).toEqual([3, 6]);
  });

  test('is dropped as the 17th of a direction where the queue length is 16, unless it closes the gap; the other direction has its own 16', () => {
    start({ queueLength: 16 });
    for (let i = 1; i <= 16; i++) expect(verdict(i, 'a')).toBe(HOLD);
    expect(verdict(17, 'a')).toBe(DROP.outOfOrder);
    expect(memory.queueFull).toBe(1);
    expect(send(1, 'a', ACK, 0, false)[0]).toBe(HOLD);
    expect(verdict(0, 'a')).toBe(PASS);
    expect(released.length).toBe(16);
  });

  test('takes memory from the end of its own queue at the memory limit', () => {
    start({ memoryBytes: 4 * 2048 });
    for (const at of [10, 20, 30, 40]) send(at, 'a');
    expect(verdict(50, 'a')).toBe(DROP.outOfOrder);
    expect(memory.memoryFull).toBe(1);
    expect(verdict(5, 'a')).toBe(HOLD);
    expect(released).toMatchObject([{ token: 40, v: DROP.outOfOrder }]);
    expect(memory.evicted).toBe(1);
  });

  test('is refused at the memory limit where its sender has been told what is held: none of that is given up', () => {
    start({ memoryBytes: 4 * 2048 });
    selective = true;
    for (const at of [10, 20, 30, 40]) send(at, 'a');
    expect(verdict(5, 'a')).toBe(DROP.outOfOrder);
    expect([memory.memoryFull, memory.evicted, released]).toEqual([1, 0, []]);
  });

  test('is refused when other sessions hold all the memory', () => {
    start({ memoryBytes: 2048 });
    const other = new TcpStream(new ToyInspector(), memory, {
      release: () => undefined,
      gapPersists: () => undefined,
      answerGap: () => undefined,
      selective: false,
    });
    other.open(true, FIRST);
    other.admit(packetOf({ fromInitiator: true, seq: FIRST + 5, data: bytesOf('a') }), true, 0);
    expect(verdict(5, 'a')).toBe(DROP.outOfOrder);
    other.close();
    expect(verdict(5, 'a')).toBe(HOLD);
  });

  test('is dropped after 5 seconds, and its retransmission held again', () => {
    expect(verdict(5, 'a', ACK, 1000)).toBe(HOLD);
    memory.expire(5999, 10);
    expect(released).toEqual([]);
    memory.expire(6000, 10);
    expect(released).toMatchObject([{ token: 5, v: DROP.outOfOrder }]);
    expect(memory.timedOut).toBe(1);
    expect(verdict(5, 'a', ACK, 6001)).toBe(HOLD);
    expect(persisting).toEqual([]);
  });

  test('waits anew when the missing segment came but another is missing', () => {
    verdict(5, 'f', ACK, 0);
    verdict(9, 'j', ACK, 0);
    verdict(0, 'abcde', ACK, 4000);
    memory.expire(8999, 10);
    expect(released.map((r) => r.token)).toEqual([5]);
    memory.expire(9000, 10);
    expect(released).toMatchObject([
      { token: 5, v: PASS },
      { token: 9, v: DROP.outOfOrder },
    ]);
  });

  test('that keeps coming for 25 seconds is reported: IOS then deletes the session', () => {
    for (let now = 0; now <= 25_000; now += 5000) {
      verdict(5, 'a', ACK, now);
      memory.expire(now + 5000, 10);
    }
    expect(persisting).toEqual([
      { expected: 0, waitedMs: 25_000 },
      { expected: 0, waitedMs: 30_000 },
    ]);
  });

  test('expires in the order of waiting, no more streams at a time than the budget allows', () => {
    const order: string[] = [];
    const open = (name: string, now: number): void => {
      const s = new TcpStream(new ToyInspector(), memory, {
        release: () => order.push(name),
        gapPersists: () => undefined,
        answerGap: () => undefined,
        selective: false,
      });
      s.open(true, FIRST);
      s.admit(packetOf({ fromInitiator: true, seq: FIRST + 5, data: bytesOf('a') }), true, now);
    };
    open('a', 0);
    open('b', 10);
    open('c', 20);
    memory.expire(5010, 1);
    expect(order).toEqual(['a']);
    memory.expire(5010, 10);
    expect(order).toEqual(['a', 'b']);
    memory.expire(99_999, 10);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  test('ends once when its session is closed while the lasting gap is reported', () => {
    const s: TcpStream = new TcpStream(inspector, memory, {
      release: (p, _fromInitiator, v) => released.push({ text: '', v, flags: p.flags, token: p.token }),
      gapPersists: () => s.close(),
      answerGap: () => undefined,
      selective: false,
    });
    s.open(true, FIRST);
    s.open(false, FIRST);
    for (const now of [0, 5000, 10_000, 15_000, 20_000]) {
      s.admit(packetOf({ fromInitiator: true, seq: FIRST + 5, data: bytesOf('a') }), true, now);
      s.admit(packetOf({ fromInitiator: false, seq: FIRST + 5, data: bytesOf('a') }), false, now);
      memory.expire(now + 5000, 10);
    }
    expect(released.length).toBe(10);
    expect([memory.heldBytes, memory.heldSegments]).toEqual([0, 0]);
    memory.expire(99_999, 10);
    expect(released.length).toBe(10);
  });

  test('does not survive its session', () => {
    send(5, 'a');
    send(0, 'b');
    stream.close();
    expect(released).toMatchObject([{ token: 5, v: DROP.noSession }]);
    expect([memory.heldBytes, memory.heldSegments, memory.ringBytes]).toEqual([0, 0, 0]);
    expect(verdict(1, 'c')).toBe(DROP.noSession);
    memory.expire(99_999, 10);
    expect(released.length).toBe(1);
  });
});

describe('FIN', () => {
  test('of both sides ends inspection, but not the rewriting of what is sent again', () => {
    expect(verdict(0, 'bye', FIN | ACK)).toBe(PASS);
    expect(send(0, 'ok', FIN | ACK, 0, false)[0]).toBe(PASS);
    expect(send(0, 'abc')).toEqual([PASS, 'bye']);
    expect(verdict(3, 'more')).toBe(DROP.invalidSegment);
    expect(send(0, 'okay', ACK, 0, false)[0]).toBe(DROP.invalidSegment);
    expect(inspected()).toBe('bye');
  });

  test('ends the stream: data after it is dropped, its retransmission passes', () => {
    expect(verdict(0, 'bye', FIN | ACK)).toBe(PASS);
    expect(verdict(3, 'more')).toBe(DROP.invalidSegment);
    expect(verdict(4, 'more')).toBe(DROP.invalidSegment);
    expect(verdict(9, 'more')).toBe(DROP.invalidSegment);
    expect(verdict(0, 'bye', FIN | ACK)).toBe(PASS);
    expect(verdict(3, '', FIN | ACK)).toBe(PASS);
    expect(send(1, '!!')).toEqual([PASS, 'ye']);
    expect(inspected()).toBe('bye');
  });

  test('waits out of order for the bytes before it', () => {
    expect(verdict(3, '', FIN | ACK)).toBe(HOLD);
    expect(verdict(0, 'bye')).toBe(PASS);
    expect(released).toMatchObject([{ token: 3, text: '', v: PASS, flags: FIN | ACK }]);
    expect(verdict(3, 'x')).toBe(DROP.invalidSegment);
  });

  test('drops what was held beyond it', () => {
    send(5, 'beyond');
    expect(verdict(0, 'bye', FIN | ACK)).toBe(PASS);
    expect(released).toMatchObject([{ token: 5, v: DROP.invalidSegment }]);
  });

  test.each([
    { name: 'before bytes that went on', at: 0, text: 'ab' },
    { name: 'inside them, without data', at: 4, text: '' },
  ])('cannot come $name', ({ at, text }) => {
    send(0, 'hello');
    expect(verdict(at, text, FIN | ACK)).toBe(DROP.invalidSegment);
    expect(memory.afterFin).toBe(1);
    expect(verdict(5, '', FIN | ACK)).toBe(PASS);
  });

  test('cannot move once it was sent', () => {
    send(0, 'hello', FIN | ACK);
    expect(verdict(2, 'l', FIN | ACK)).toBe(DROP.invalidSegment);
    expect(verdict(6, '', FIN | ACK)).toBe(DROP.invalidSegment);
  });
});

describe('segments that carry no stream', () => {
  test.each([
    { name: 'a pure acknowledgment, even beyond a gap', at: 40, text: '', flags: ACK, want: PASS },
    { name: 'a reset', at: 0, text: '', flags: RST, want: PASS },
    { name: 'a SYN ACK retransmission', at: -1, text: '', flags: SYN | ACK, want: PASS },
    { name: 'a SYN with data', at: -1, text: 'abc', flags: SYN | ACK, want: DROP.synWithData },
  ])('$name', ({ at, text, flags, want }) => {
    expect(verdict(at, text, flags)).toBe(want);
    expect(inspected()).toBe('');
  });

  test.each(['abc', ''])('lose URG and the urgent pointer, so that no byte leaves the stream: %j', (text) => {
    const p = packetOf({
      fromInitiator: true,
      seq: FIRST,
      data: bytesOf(text),
      flags: ACK | URG,
      urgentPointer: 2,
    });
    expect(stream.admit(p, true, 0)).toBe(PASS);
    expect(p.modified).toBe(true);
    expect(p.flags).toBe(ACK);
    expect(received(p)).toMatchObject({ flags: ACK, urgentPointer: 0 });
    expect(memory.urgentCleared).toBe(1);
  });

  test('a SYN of a new attempt moves the start, until data came', () => {
    stream.open(true, FIRST + 100);
    expect(send(100, 'abc')).toEqual([PASS, 'abc']);
    stream.open(true, FIRST);
    expect(send(103, 'def')).toEqual([PASS, 'def']);
  });
});

describe('an inspector', () => {
  test('that resets: nothing of the call goes on, nor anything later, nor what is held', () => {
    send(0, 'fine');
    send(8, 'held');
    inspector.answer = StreamAction.reset;
    expect(verdict(4, 'evil')).toBe(DROP.inspection);
    expect(stream.resetRequested).toBe(true);
    expect(released).toMatchObject([{ token: 8, v: DROP.inspection }]);
    inspector.answer = StreamAction.pass;
    expect(verdict(0, 'fine')).toBe(DROP.inspection);
    expect(verdict(4, 'more')).toBe(DROP.inspection);
    expect(send(0, 'reply', ACK, 0, false)[0]).toBe(DROP.inspection);
  });

  test('that resets at a held segment: the one that closed the gap still passes', () => {
    send(4, 'evil');
    send(8, 'more');
    const step = inspector.fromInitiator.bind(inspector);
    inspector.fromInitiator = (b, at, end) => {
      step(b, at, end);
      return inspected().includes('evil') ? StreamAction.reset : StreamAction.pass;
    };
    expect(send(0, 'fine')).toEqual([PASS, 'fine']);
    expect(stream.resetRequested).toBe(true);
    expect(released.map((r) => r.v)).toEqual([DROP.inspection, DROP.inspection]);
    expect(memory.heldSegments).toBe(0);
  });

  test('that lets a direction be opaque sees no more of it; what it saw is still rewritten', () => {
    inspector.answer = StreamAction.opaque;
    expect(verdict(0, 'starttls')).toBe(PASS);
    expect(send(8, 'SECRET')).toEqual([PASS, 'SECRET']);
    expect(send(30, 'LATER')).toEqual([PASS, 'LATER']);
    expect(send(4, '!!!!!!')).toEqual([PASS, 'ttls!!']);
    expect(inspected()).toBe('starttls');
    acknowledge(10);
    expect(memory.ringBytes).toBe(0);
    expect(send(0, 'STARTTLSsecret')).toEqual([PASS, 'xxxxxxxxxxcret']);
    inspector.answer = StreamAction.pass;
    expect(send(0, 'reply', ACK, 0, false)[0]).toBe(PASS);
    expect(textOf(inspector.responder.input)).toBe('reply');
  });

  test('that lets a direction be opaque frees what is held of it, gaps or not', () => {
    send(8, 'TLS1');
    send(20, 'TLS3');
    inspector.answer = StreamAction.opaque;
    send(0, 'starttls');
    expect(released).toMatchObject([
      { text: 'TLS1', v: PASS },
      { text: 'TLS3', v: PASS },
    ]);
  });
});
