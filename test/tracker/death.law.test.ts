/**
 * A law: whatever instruction the process dies at, the one that takes over goes on as if the packet in hand had not come.
 * Its sender repeats it; from then on every verdict and every byte is what it would have been, and nobody is reset.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlatMemory, type MemorySource } from '../../src/core/memory/flat-memory.js';
import { LeftMemory } from '../support/left-memory.js';
import { Router3640 } from '../support/router-3640.js';
import { tcpPacket } from '../support/packets.js';
import { CLIENT, MAIL, SERVER } from '../wiring/scene.js';

const CAPACITY = 16;
const RUNS = Number(process.env['FW3640_LAW_RUNS'] ?? 60);
class Death extends Error {}

/** Memory that outlives who writes there, and who dies at a write. */
class MortalMemory {
  readonly left = new LeftMemory();
  /** Writes until then. */
  livesFor = Infinity;
  /** Words of memory, each of whose writes counts. */
  readonly source: MemorySource = (name, words, tail) => {
    const real = this.left.source(name, words, tail);
    const mortal = Object.create(FlatMemory.prototype) as FlatMemory;
    return Object.assign(mortal, real, { words: this.#watch(real.words) });
  };
  #watch(words: Int32Array): Int32Array {
    return new Proxy(words, {
      set: (target, key, value: number) => {
        if (this.livesFor-- <= 0) throw new Death();
        target[Number(key)] = value;
        return true;
      },
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

interface Step {
  fromClient: boolean;
  flags: string;
  seq: number;
  ack: number;
  payload: string;
}

/** A connection in which both sides speak in turn, each text cut anywhere. */
function stepsOf(texts: readonly (readonly [boolean, string])[], cut: number): Step[] {
  const next = { true: 1001, false: 5001 };
  const steps: Step[] = [
    { fromClient: true, flags: 'S', seq: 1000, ack: 0, payload: '' },
    { fromClient: false, flags: 'SA', seq: 5000, ack: 1001, payload: '' },
    { fromClient: true, flags: 'A', seq: 1001, ack: 5001, payload: '' },
  ];
  const say = (fromClient: boolean, flags: string, payload: string): void => {
    steps.push({ fromClient, flags, seq: next[`${fromClient}`], ack: next[`${!fromClient}`], payload });
    next[`${fromClient}`] += payload.length + (flags.includes('F') ? 1 : 0);
  };
  for (const [fromClient, text] of texts)
    for (let at = 0; at < text.length; at += cut) say(fromClient, 'PA', text.slice(at, at + cut));
  say(true, 'FA', '');
  say(false, 'FA', '');
  say(true, 'A', '');
  return steps;
}

const DIALOGUES = {
  smtp: {
    port: 25,
    texts: [
      [false, '220 mail.test ESMTP\r\n'],
      [true, 'EHLO client.test\r\n'],
      [false, '250-mail.test\r\n250 PIPELINING\r\n'],
      [true, 'MAIL FROM:<a@b.test>\r\nEXPN root\r\nRCPT TO:<c@d.test>\r\nDATA\r\n'],
      [false, '250 ok\r\n500 no\r\n250 ok\r\n354 go on\r\n'],
      [true, `Subject: a\r\n\r\n${'a line of the mail\r\n'.repeat(20)}..\r\nVRFY x\r\n.\r\n`],
      [false, '250 queued\r\n'],
      [true, 'QUIT\r\n'],
      [false, '221 bye\r\n'],
    ],
  },
  http: {
    port: 80,
    texts: [
      [true, 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'],
      [false, `HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n${'x'.repeat(40)}`],
      [true, 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n'],
      [false, 'HTTP/1.1 204 No Content\r\n\r\n'],
    ],
  },
  pop3: {
    port: 110,
    texts: [
      [false, '+OK ready\r\n'],
      [true, 'CAPA\r\nUSER a\r\n'],
      [false, '+OK\r\nUSER\r\n.\r\n+OK\r\n'],
      [true, 'PASS b\r\n'],
      [false, '+OK\r\n'],
      [true, 'QUIT\r\n'],
    ],
  },
  plain: {
    port: 4711,
    texts: [
      [true, 'hello\r\n'],
      [false, 'hello yourself\r\n'],
    ],
  },
} as const;
const EXTRA = [
  'ip inspect name OUT-IN http',
  'ip inspect name OUT-IN pop3',
  'ip inspect name OUT-IN tcp',
  ...[80, 110, 4711].map((port) => `access-list 101 permit tcp any host ${MAIL} eq ${port}`),
].join('\n');

/** Passes a packet. @returns what becomes of it */
function pass(r: Router3640, { fromClient, flags, seq, ack, payload }: Step, port: number): string {
  const ends = fromClient
    ? { src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: port }
    : { src: SERVER, srcPort: port, dst: CLIENT, dstPort: 4000 };
  const bytes = tcpPacket({ ...ends, flags, seq, ack, payload });
  const o = fromClient ? r.fromOutside(bytes) : r.fromInside(bytes);
  const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');
  // Whoever takes over counts identifications anew: they and the checksum of the header are not compared.
  for (const at of [4, 5, 10, 11]) o.bytes[at] = 0;
  return `${flags} ${payload.slice(0, 20)}: ${o.verdict} ${hex(o.bytes)} ${r.injected.splice(0).map(hex).join()}`;
}

test.each(Object.keys(DIALOGUES) as (keyof typeof DIALOGUES)[])(
  '%s: who takes over goes on as if the packet in hand had not come',
  (name) => {
    const { port, texts } = DIALOGUES[name];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.nat(), fc.nat({ max: 400 }), (cut, which, writes) => {
        const steps = stepsOf(texts, cut);
        const living = new Router3640(EXTRA, CAPACITY);
        const expected = steps.map((step) => pass(living, step, port));
        const memory = new MortalMemory();
        const mortal = new Router3640(EXTRA, CAPACITY, memory.source);
        const last = which % steps.length;
        for (const step of steps.slice(0, last)) pass(mortal, step, port);
        memory.livesFor = writes;
        let died = false;
        try {
          pass(mortal, steps[last]!, port);
        } catch (error) {
          if (!(error instanceof Death)) throw error;
          died = true;
        }
        memory.livesFor = Infinity;
        const heir = new Router3640(EXTRA, CAPACITY, memory.left.source, mortal.now);
        expect([heir.engine.takenOver.reset, heir.injected.length]).toEqual([0, 0]);
        const rest = steps.slice(died ? last : last + 1);
        expect(rest.map((step) => pass(heir, step, port))).toEqual(expected.slice(steps.length - rest.length));
      }),
      { numRuns: RUNS },
    );
  },
);
