/**
 * Reads an input as a hostile network around one stream with the SMTP inspector in it, and throws where the law of the
 * stream is broken: whatever comes, the receivers get the bytes that were inspected, as the inspector left them, and
 * memory stays within its limits and goes back at the end.
 *
 *   input = policy first steps     policy: of both receivers; first: sequence numbers; a step is five bytes
 *   step  = do near length content flags
 */
import { StreamAction, type StreamInspector } from '../../src/core/inspect/inspector.js';
import { newSmtpCounters } from '../../src/core/inspect/smtp/finding.js';
import { smtpDefaults } from '../../src/ios/config/defaults.js';
import { ReassemblyMemory } from '../../src/core/stream/reassembly-memory.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { HOLD, PASS } from '../../src/core/verdict.js';
import { ACK, FIN, URG } from '../../src/core/wire/tcp.js';
import { ChangingHands as ChangingInspectors } from '../inspect/smtp/changing-hands.js';
import { ChangingHands } from '../tcp/changing-hands.js';
import { POLICIES, Receiver } from '../tcp/receiver.js';
import { packetOf, received, type Segment } from '../tcp/segment.js';

const LIMITS = { queueLength: 4, timeoutMs: 5000, memoryBytes: 5 * 2048 };
const OPTIONS = { ...smtpDefaults(), maxData: 2000 };
/** What both sides say; a segment is cut out of one of these, so that lies differ from the truth and are dialogues too. */
const CLIENT = [
  'HELO c\r\nNOOP\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\n..\r\nbody\r\n.\r\nEXPN x\r\n',
  'EXPN root\r\nTURN\r\n\r\n.\r\n\n.\nXYZZY\r\nEXPN\r\n',
  '\r\n.\r\n',
].map((text) => Uint8Array.from(Buffer.from(text.repeat(8))));
const SERVER = [
  '220 hi\r\n250 c\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n500 no\r\n',
  '354 go\r\n',
].map((text) => Uint8Array.from(Buffer.from(text.repeat(8))));

/** Keeps what the inspector let pass. */
class Recorder implements StreamInspector {
  modified = false;
  readonly up: number[] = [];
  readonly down: number[] = [];
  readonly #inner = new ChangingInspectors(
    'esmtp',
    OPTIONS,
    { debug: false, report() {}, trace() {} },
    newSmtpCounters(),
  );

  fromInitiator(b: Uint8Array, at: number, end: number): StreamAction {
    return this.#note(this.up, this.#inner.fromInitiator(b, at, end), b, at, end);
  }
  fromResponder(b: Uint8Array, at: number, end: number, now: number, unacknowledged: number): StreamAction {
    return this.#note(this.down, this.#inner.fromResponder(b, at, end, now, unacknowledged), b, at, end);
  }
  #note(to: number[], action: StreamAction, b: Uint8Array, at: number, end: number): StreamAction {
    this.modified = this.#inner.modified;
    if (action !== StreamAction.reset) for (let i = at; i < end; i++) to.push(b[i]!);
    return action;
  }
}

export function fuzzStream(input: Uint8Array): void {
  const policy = POLICIES[(input[0] ?? 0) % POLICIES.length]!;
  const first = ((input[1] ?? 0) << 24) - 20; // with 0 and 128 the numbers wrap around soon, unsigned or signed
  const recorder = new Recorder();
  const memory = new ReassemblyMemory(LIMITS);
  const inFlight: { up: Segment[]; down: Segment[] } = { up: [], down: [] };
  const receivers = { up: new Receiver(first, policy), down: new Receiver(first, policy) };
  const held = new Set<number>();
  const stream = new ChangingHands(recorder, memory, {
    release: (p, fromInitiator, v) => {
      check(held.delete(p.token), 'released twice, or never held');
      if (v === PASS) inFlight[fromInitiator ? 'up' : 'down'].push(received(p));
    },
    gapPersists: () => undefined,
    answerGap: () => undefined,
    selective: false,
  });
  stream.open(true, first);
  stream.open(false, first);
  let now = 0;
  let token = 0;

  const send = (up: boolean, at: number, data: Uint8Array, flags: number): void => {
    const list = inFlight[up ? 'up' : 'down'];
    const before = list.length;
    const numbers = { seq: seqAdd(first, at), ack: receivers[up ? 'down' : 'up'].rcvNxt };
    const p = packetOf({ fromInitiator: up, ...numbers, data, flags, token: ++token, urgentPointer: 1 });
    held.add(token);
    const v = stream.admit(p, up, now);
    if (v === HOLD) return;
    held.delete(token);
    if (v !== PASS) return;
    const s = received(p);
    check(s.data.length === data.length, 'a length changed');
    check((s.flags! & URG) === 0, 'urgent data went on');
    list.splice(before, 0, s);
  };

  for (let i = 2; i + 5 <= input.length; i += 5) {
    const [what, near, length, content, flags] = input.subarray(i, i + 5) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const up = (what & 1) === 0;
    const side = up ? 'up' : 'down';
    switch ((what >> 1) % 6) {
      case 0:
      case 1:
      case 2: {
        const texts = up ? CLIENT : SERVER;
        const text = texts[content % texts.length]!;
        const at = recorder[side].length + ((near << 24) >> 24);
        const data = text.slice(Math.max(at, 0) % text.length).slice(0, length);
        send(up, at, data, ACK | ((flags & 7) === 7 ? FIN : 0) | ((flags & 24) === 24 ? URG : 0));
        break;
      }
      case 3: {
        const s = inFlight[side][near % Math.max(inFlight[side].length, 1)];
        if (s !== undefined) receivers[side].receive(s, (flags & 1) !== 0 ? length : undefined);
        break;
      }
      case 4:
        stream.acknowledge(up, receivers[side].rcvNxt);
        break;
      default:
        now += near * 50;
        memory.expire(now, 10);
    }
    check(memory.heldBytes <= LIMITS.memoryBytes, 'more is held than allowed');
    check(memory.heldSegments === held.size && held.size <= 2 * LIMITS.queueLength, 'held segments miscounted');
    check(memory.ringBytes <= 16384, 'more is kept than was ever sent');
    for (const [name, receiver] of Object.entries(receivers) as ['up' | 'down', Receiver][]) {
      const passed = recorder[name];
      check(receiver.delivered.length <= passed.length, 'something was received that was not inspected');
      check(
        receiver.delivered.every((byte, n) => byte === passed[n]),
        'something else was received than was inspected',
      );
    }
  }
  stream.close();
  check(memory.heldBytes === 0 && memory.ringBytes === 0 && held.size === 0, 'memory was kept');
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
