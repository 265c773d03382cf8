/** What SMTP inspection is told by TCP: up to where the server had acknowledged, and that a session is over. */
import { expect, test } from 'vitest';
import { HOLD } from '../../src/core/verdict.js';
import { latin1, tcpPacket } from '../support/packets.js';
import { DROP, PASS, Router3640, type Outcome } from '../support/router-3640.js';

const ENDS = { src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const BACK = { src: '10.10.10.2', srcPort: 25, dst: '172.22.1.10', dstPort: 4000 };
/** Numbers become negative, and pass 0, within the dialogue. */
const FIRST = [1000, 0x7fffffff - 20, -20];

class Dialogue {
  readonly r = new Router3640();

  constructor(private readonly first: number) {
    this.r.fromOutside(tcpPacket({ ...ENDS, flags: 'S', seq: first - 1, ack: 0 }));
    this.r.fromInside(tcpPacket({ ...BACK, flags: 'SA', seq: first - 1, ack: first }));
    this.r.fromOutside(tcpPacket({ ...ENDS, flags: 'A', seq: first, ack: first }));
  }

  /** `at`: position in its stream; `acknowledged`: position of the other's. */
  client(at: number, text: string, acknowledged: number): Outcome {
    return this.r.fromOutside(this.#segment(ENDS, at, text, acknowledged));
  }
  server(at: number, text: string, acknowledged: number): Outcome {
    return this.r.fromInside(this.#segment(BACK, at, text, acknowledged));
  }

  /** Kinds of what was reported. */
  get kinds(): string[] {
    return this.r.events.flatMap((e) => (e.type === 'smtp' ? [e.finding.kind] : []));
  }

  #segment(ends: typeof ENDS, at: number, text: string, acknowledged: number): Uint8Array {
    const numbers = { seq: (this.first + at) | 0, ack: (this.first + acknowledged) | 0 };
    return tcpPacket({ ...ends, flags: 'PA', ...numbers, payload: latin1(text) });
  }
}

test.each(FIRST)('a reply that acknowledges its line passes, also behind a gap; numbers from %i', (first) => {
  const d = new Dialogue(first);
  d.server(0, '220 hi\r\n', 0);
  d.client(0, 'NOOP\r\nNOOP\r\n', 8);
  expect(d.server(16, '250 ok\r\n', 12).verdict).toBe(HOLD);
  // Sent before the second line came, and late: it answers the first.
  expect(d.server(8, '250 ok\r\n', 6).verdict).toBe(PASS);
  expect(d.r.released.map(({ verdict }) => verdict)).toEqual([PASS]);
  expect(d.kinds).toEqual([]);
});

test.each(FIRST)('one that does not is no answer, whatever was acknowledged later; numbers from %i', (first) => {
  const d = new Dialogue(first);
  d.server(0, '220 hi\r\n', 0);
  d.client(0, 'NOOP\r\n', 8);
  d.server(8, '250 ok\r\n', 6);
  d.client(6, 'NOOP\r\n', 16);
  d.server(16, '', 12);
  expect(d.server(16, '250 for what?\r\n', 6).verdict).toBe(DROP.inspection);
  expect(d.kinds).toEqual(['unexpected-reply']);
  expect(d.r.sessionCount).toBe(0);
});

test('what waits for the end of a line is reported when the session ends without it', () => {
  const d = new Dialogue(1000);
  d.server(0, '220 hi\r\n', 0);
  d.client(0, 'EXPN ro', 8);
  expect(d.kinds).toEqual([]);
  d.r.fromOutside(tcpPacket({ ...ENDS, flags: 'R', seq: 1007, ack: 0 }));
  expect([d.r.sessionCount, d.kinds]).toEqual([0, ['invalid-command']]);
});

test('or when both ends have closed', () => {
  const d = new Dialogue(1000);
  d.server(0, '220 hi\r\n', 0);
  d.client(0, 'EXPN ro', 8);
  d.r.fromOutside(tcpPacket({ ...ENDS, flags: 'FA', seq: 1007, ack: 1008 }));
  d.r.fromInside(tcpPacket({ ...BACK, flags: 'FA', seq: 1008, ack: 1008 }));
  d.r.fromOutside(tcpPacket({ ...ENDS, srcPort: 4001, flags: 'S', seq: 5, ack: 0 }));
  d.r.wait(60_000);
  expect(d.kinds).toEqual(['invalid-command']);
});
