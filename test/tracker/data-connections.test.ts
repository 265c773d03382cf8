/** FTP: which packet an announcement lets in, and how control and data connections keep each other. */
import { describe, expect, test } from 'vitest';
import { DROP, PASS } from '../../src/core/verdict.js';
import { tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { ControlConnection, INSIDE, OUTSIDE } from '../inspect/ftp/control-connection.js';
import { state } from '../wiring/scene.js';

const FTP = 'ip inspect name IN-OUT ftp timeout 30';

/** A control connection whose client has announced its port 51210 to the server. */
const announced = (): ControlConnection => {
  const c = new ControlConnection(new Router3640(FTP), INSIDE, OUTSIDE).login();
  c.say('PORT 172,22,1,111,200,10');
  return c;
};

/** A data connection that the server opens from `port`. */
class Data {
  #moved = 0;

  constructor(
    readonly c: ControlConnection,
    readonly port: number,
    readonly to = 51_210,
  ) {
    expect(c.data(false, port, to).verdict).toBe(PASS);
    expect(this.client({ flags: 'SA', seq: 500, ack: 8 })).toBe(PASS);
    this.server('A', 8, 501);
  }

  client(more: Partial<TcpFields> & { flags: string }): number {
    const ends = { src: INSIDE.address, srcPort: this.to, dst: OUTSIDE.address, dstPort: this.port };
    return this.c.r.fromInside(tcpPacket({ ...ends, ...more })).verdict;
  }

  server(flags: string, seq: number, ack: number, payload = ''): void {
    const ends = { src: OUTSIDE.address, srcPort: this.port, dst: INSIDE.seen, dstPort: this.to };
    expect(this.c.r.fromOutside(tcpPacket({ ...ends, flags, seq, ack, payload })).verdict).toBe(PASS);
  }

  moves(): void {
    this.server('PA', 8 + this.#moved, 501, 'x');
    this.#moved++;
    expect(this.client({ flags: 'A', seq: 501, ack: 8 + this.#moved })).toBe(PASS);
  }

  ends(): void {
    expect(this.client({ flags: 'R', seq: 501 })).toBe(PASS);
  }
}

const there = (c: ControlConnection): string[] =>
  state(c.r).sessions().map((s) => `${s.service} ${s.initiatorPort}`).sort(); // prettier-ignore

describe('an announcement', () => {
  test('lasts as long as a handshake may', () => {
    const { r } = announced();
    const count = (after: number): number => r.engine.sessions.expectedFlows(r.now + after).length;
    expect([count(0), count(29_999), count(30_000)]).toEqual([1, 1, 0]);
  });

  test('takes the place of the one before', () => {
    const c = announced();
    c.say('PORT 172,22,1,111,200,11');
    expect(c.r.engine.sessions.expectedFlows(c.r.now).map((e) => e.dstPort)).toEqual([51_211]);
  });

  test('lets no datagram in', () => {
    const { r } = announced();
    const p = udpPacket(OUTSIDE.address, 20, INSIDE.seen, 51_210, 'x');
    expect([r.fromOutside(p).verdict, r.engine.sessions.expectedFlows(r.now).length]).toEqual([DROP.acl, 1]);
  });

  test('nor anything but a bare SYN, nor a SYN of another interface', () => {
    const c = announced();
    const { r } = c;
    const to = { src: OUTSIDE.address, srcPort: 20, dst: INSIDE.seen, dstPort: 51_210 };
    expect(r.fromOutside(tcpPacket({ ...to, flags: 'A', seq: 1, ack: 1 })).verdict).toBe(DROP.noSession);
    expect(r.fromOutside(tcpPacket({ ...to, flags: 'S', payload: 'x' })).verdict).toBe(DROP.synWithData);
    expect(r.fromInside(tcpPacket({ ...to, flags: 'S' })).verdict).not.toBe(PASS);
    expect(there(c)).toEqual(['ftp 40000']);
    expect(r.engine.sessions.expectedFlows(r.now).length).toBe(1);
    expect(c.data(false, 20, 51_210).verdict).toBe(PASS);
    expect(r.engine.sessions.expectedFlows(r.now)).toEqual([]);
  });
});

describe('a control connection', () => {
  test('lives while its data connection moves, and from its last segment on as long as from one of its own', () => {
    const c = announced();
    const data = new Data(c, 20);
    for (let n = 0; n < 8; n++) {
      data.moves();
      c.r.wait(10_000);
    }
    data.ends();
    expect(there(c)).toEqual(['ftp 40000']);
    c.r.wait(29_750);
    expect(there(c)).toEqual(['ftp 40000']);
    c.r.wait(500);
    expect(there(c)).toEqual([]);
  });

  test('whose data connection has ended is not kept by the session that has its record now', () => {
    const c = announced();
    const data = new Data(c, 20);
    data.ends();
    const query = (): number => c.r.fromInside(udpPacket(INSIDE.address, 4000, OUTSIDE.address, 5000, 'q')).verdict;
    for (let n = 0; n < 4; n++) {
      expect(query()).toBe(PASS);
      c.r.wait(10_000);
    }
    expect(there(c)).toEqual(['udp 4000']);
  });

  test('that moves does not keep a data connection that rests', () => {
    const c = announced();
    new Data(c, 20);
    for (let n = 0; n < 4; n++) {
      c.say('NOOP');
      c.reply('200 ok');
      c.r.wait(10_000);
    }
    expect(there(c)).toEqual(['ftp 40000']);
  });

  test('is kept by the data connection that came last, also when an older one ends later', () => {
    const c = announced();
    const first = new Data(c, 20);
    c.say('PORT 172,22,1,111,200,11');
    const second = new Data(c, 22, 51_211);
    first.ends();
    for (let n = 0; n < 8; n++) {
      second.moves();
      c.r.wait(10_000);
    }
    expect(there(c)).toEqual(['ftp 40000', 'ftp-data 22']);
    c.r.wait(30_000);
    expect(there(c)).toEqual([]);
  });

  test('that has ended is nobody to the data connection that goes on', () => {
    const c = announced();
    const data = new Data(c, 20);
    c.segment(true, 'R');
    expect(there(c)).toEqual(['ftp-data 20']);
    // Another session has its record now.
    new ControlConnection(c.r, INSIDE, OUTSIDE, 40_001).login();
    data.moves();
    c.r.wait(20_000);
    data.moves();
    c.r.wait(15_000);
    data.ends();
    expect(there(c)).toEqual([]);
  });
});
