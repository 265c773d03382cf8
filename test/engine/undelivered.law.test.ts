/**
 * Law: what does not go on has not happened. A conversation goes as it would have gone, whatever packets of the same
 * flow come between its own that our hop drops: TTL spent, too long, checksum wrong, options nobody can read, or from
 * an interface where their sender is not.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { isDrop } from '../../src/core/verdict.js';
import { icmpPacket, tcpPacket, withHeader, withIpOptions } from '../support/packets.js';
import { type Outcome, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const MAIL = '10.10.10.2';
const DONT_FRAGMENT = 0x4000;
const MTU = 600;

interface Said {
  fromClient: boolean;
  flags: string;
  payload?: string;
}
/** From the first SYN to the last ACK, and the SYN of the next connection. */
const CONVERSATION: readonly Said[] = [
  { fromClient: true, flags: 'S' },
  { fromClient: false, flags: 'SA' },
  { fromClient: true, flags: 'A' },
  { fromClient: false, flags: 'PA', payload: '220 mail ESMTP\r\n' },
  { fromClient: true, flags: 'PA', payload: 'HELO a.test\r\n' },
  { fromClient: false, flags: 'PA', payload: '250 ok\r\n' },
  { fromClient: true, flags: 'PA', payload: 'MAIL FROM:<a@b.test>\r\n' },
  { fromClient: false, flags: 'PA', payload: '250 ok\r\n' },
  { fromClient: true, flags: 'PA', payload: 'RCPT TO:<a@b.test>\r\n' },
  { fromClient: false, flags: 'PA', payload: '250 ok\r\n' },
  { fromClient: true, flags: 'PA', payload: 'EXPN root\r\nDA' },
  { fromClient: true, flags: 'PA', payload: 'TA\r\n' },
  { fromClient: false, flags: 'PA', payload: '502 no\r\n354 go\r\n' },
  { fromClient: true, flags: 'PA', payload: 'Subject: x\r\n\r\nEXPN\r\n.\r\n' },
  { fromClient: false, flags: 'PA', payload: '250 ok\r\n' },
  { fromClient: true, flags: 'FA' },
  { fromClient: false, flags: 'FA' },
  { fromClient: true, flags: 'A' },
];

interface Noise {
  before: number;
  kind: 'ttl' | 'long' | 'checksum' | 'ip-options' | 'source-route' | 'tcp-options' | 'interface' | 'error';
  fromClient: boolean;
  flags: string;
  /** From what is next. */
  seq: number;
  ack: number;
  payload: string;
}
const noise = fc.record<Noise>({
  before: fc.integer({ min: 1, max: CONVERSATION.length }), // before its SYN, a packet would be of no session
  kind: fc.constantFrom('ttl', 'long', 'checksum', 'ip-options', 'source-route', 'tcp-options', 'interface', 'error'),
  fromClient: fc.boolean(),
  flags: fc.constantFrom('S', 'SA', 'A', 'PA', 'R', 'RA', 'FA', 'F', ''),
  seq: fc.oneof(fc.constantFrom(0, -1, 1), fc.integer({ min: -70_000, max: 70_000 }), fc.integer()),
  ack: fc.oneof(fc.constant(0), fc.integer({ min: -20, max: 20 }), fc.integer()),
  payload: fc.constantFrom('', 'x', 'EXPN root\r\n', '354 go\r\n', '250 ok\r\n', 'DATA\r\n'),
});

/** When both have closed, the server may begin a connection of its own, which no inspector reads: options are its own. */
const beginsAnother = ({ before, kind, fromClient, flags }: Noise): boolean =>
  before > 16 && !fromClient && flags === 'S' && (kind === 'ip-options' || kind === 'tcp-options');

class Talk {
  readonly router = new Router3640();
  readonly seen: unknown[] = [];
  #client = 1000;
  #server = 5000;

  constructor() {
    this.router.engine.setMtus(new Map(this.router.config.interfaces.map((i) => [i.name, MTU])));
  }

  say({ fromClient, flags, payload = '' }: Said): void {
    const o = this.#send(fromClient, this.#segment(fromClient, flags, 0, 0, payload));
    const length = payload.length + (/[SF]/.test(flags) ? 1 : 0);
    if (fromClient) this.#client += length;
    else this.#server += length;
    this.seen.push([o.verdict, Buffer.from(o.bytes).toString('hex')]);
  }

  disturb(n: Noise): void {
    const { kind, fromClient, flags } = n;
    const payload = kind === 'long' ? 'x'.repeat(MTU) : n.payload;
    const options = kind === 'tcp-options' ? [5, 9, 1, 1] : [];
    let packet = this.#segment(fromClient, flags, n.seq, n.ack, payload, options);
    if (kind === 'error') {
      const quoted = this.#segment(!fromClient, 'A', n.seq, n.ack, '').subarray(0, 28);
      packet = fromClient ? icmpPacket(CLIENT, GLOBAL, 3, 3, [0, 0, 0, 0, ...quoted]) : icmpPacket(MAIL, CLIENT, 3, 3, [0, 0, 0, 0, ...quoted]); // prettier-ignore
    }
    if (kind === 'ttl') packet = withHeader(packet, { ttl: 1 });
    if (kind === 'long') packet = withHeader(packet, { fragment: DONT_FRAGMENT });
    if (kind === 'checksum') packet[37]! ^= 1;
    if (kind === 'ip-options') packet = withIpOptions(packet, [7, 7, 4, 0, 0, 0, 0, 0]);
    if (kind === 'source-route') packet = withIpOptions(packet, [131, 7, 4, 10, 10, 10, 9, 0]);
    const o = this.#send(kind === 'interface' || kind === 'error' ? !fromClient : fromClient, packet);
    // A RST with data, or with a number that nobody knows, is dropped all the same.
    expect([kind, isDrop(o.verdict)]).toEqual([kind, true]);
  }

  /** What is known of sessions and what was released late. */
  get state(): unknown {
    const { engine, released, now } = this.router;
    const { established, halfOpen, terminating, created } = engine.sessions.statistics;
    return [new RouterState(engine, () => now).sessions(), [established, halfOpen, terminating, created], released];
  }

  #segment(
    fromClient: boolean,
    flags: string,
    seq: number,
    ack: number,
    payload: string,
    options: number[] = [],
  ): Uint8Array {
    const ends = fromClient
      ? { src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25 }
      : { src: MAIL, srcPort: 25, dst: CLIENT, dstPort: 4000 };
    const [own, other] = fromClient ? [this.#client, this.#server] : [this.#server, this.#client];
    const acked = flags.includes('A') ? (other + ack) | 0 : 0;
    return tcpPacket({ ...ends, flags, seq: (own + seq) | 0, ack: acked, options, payload });
  }

  #send(outside: boolean, packet: Uint8Array): Outcome {
    return outside ? this.router.fromOutside(packet) : this.router.fromInside(packet);
  }
}

test('a conversation goes as it would have gone without what was dropped', () => {
  const alone = new Talk();
  const states = CONVERSATION.map((said) => {
    alone.say(said);
    return alone.state;
  });
  fc.assert(
    fc.property(fc.array(noise, { minLength: 1, maxLength: 12 }), (all) => {
      const talk = new Talk();
      CONVERSATION.forEach((said, i) => {
        for (const n of all) if (n.before === i && !beginsAnother(n)) talk.disturb(n);
        talk.say(said);
        expect(talk.state).toEqual(states[i]);
      });
      for (const n of all) if (n.before === CONVERSATION.length && !beginsAnother(n)) talk.disturb(n);
      expect([talk.seen, talk.state]).toEqual([alone.seen, alone.state]);
    }),
    { numRuns: 200 },
  );
}, 60_000);
