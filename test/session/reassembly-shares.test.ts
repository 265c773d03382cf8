/** Reassembly memory through the whole engine: one client's sessions cannot take another's, and the log says so once. */
import { expect, test } from 'vitest';
import { messageOf } from '../../src/ios/messages.js';
import { HOLD, PASS } from '../../src/core/verdict.js';
import { tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const SERVER = '10.10.10.2';
const GLOBAL = '172.22.1.110';

/** Opens an SMTP session from outside; the server's greeting is not acknowledged. */
function open(r: Router3640, src: string, srcPort: number): void {
  const client = { src, srcPort, dst: GLOBAL, dstPort: 25 };
  const server = { src: SERVER, srcPort: 25, dst: src, dstPort: srcPort };
  r.fromOutside(tcpPacket({ ...client, flags: 'S', seq: 1000 }));
  r.fromInside(tcpPacket({ ...server, flags: 'SA', seq: 5000, ack: 1001 }));
  r.fromOutside(tcpPacket({ ...client, flags: 'A', seq: 1001, ack: 5001 }));
  r.fromInside(tcpPacket({ ...server, flags: 'PA', seq: 5001, ack: 1001, payload: '220 mail ESMTP\r\n' }));
}

const send = (r: Router3640, src: string, srcPort: number, at: number, payload: string): number =>
  r.fromOutside(tcpPacket({ src, srcPort, dst: GLOBAL, dstPort: 25, flags: 'PA', seq: 1001 + at, ack: 5017, payload }))
    .verdict;

test('32 sessions of one client take all memory for held segments; another client goes on, in order and out of it', () => {
  const r = new Router3640('ip inspect tcp reassembly memory limit 1024');
  for (let n = 0; n < 32; n++) {
    open(r, '172.22.1.66', 2000 + n);
    for (let i = 0; i < 16; i++) send(r, '172.22.1.66', 2000 + n, 50 + 10 * i, 'x');
  }
  const { memory } = r.engine.sessions;
  expect(memory.heldBytes).toBe(memory.limits.memoryBytes);
  open(r, '172.22.1.77', 3000);
  expect(send(r, '172.22.1.77', 3000, 6, 'ient.example\r\n')).toBe(HOLD);
  expect(send(r, '172.22.1.77', 3000, 0, 'HELO c')).toBe(PASS);
  const said = r.events.filter((e) => e.type === 'tcp-memory').map((e) => messageOf(e).text);
  expect(said).toEqual([
    'TCP reassembly memory: sessions of host 172.22.1.66 have used up their share, 1 segment dropped',
  ]);
});
