/** `ip tcp intercept` through the whole engine: what client and server see of each other, and what a flood costs. */
import { describe, expect, test } from 'vitest';
import { messageOf } from '../../src/ios/messages.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { DROP, isDrop, PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, icmpPacket, tcpPacket, type TcpFields } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.50';
const GLOBAL = '172.22.1.110';
const SERVER = '10.10.10.2';
const ON = 'access-list 150 permit tcp any host 10.10.10.2 eq 25\nip tcp intercept list 150';

/** The fields of a TCP packet, as text and numbers. */
function read(b: Uint8Array): TcpFields & { seq: number; ack: number; window: number } {
  expect(checksumsOk(b)).toBe(true);
  const l4 = 20;
  const flags = Array.from('FSRPAU').filter((_, i) => (b[l4 + 13]! >> i) & 1);
  const header = (b[l4 + 12]! >> 4) * 4;
  return {
    src: dotted(i32(b, 12)),
    srcPort: u16(b, l4),
    dst: dotted(i32(b, 16)),
    dstPort: u16(b, l4 + 2),
    flags: flags.join(''),
    seq: i32(b, l4 + 4),
    ack: i32(b, l4 + 8),
    window: u16(b, l4 + 14),
    options: [...b.subarray(l4 + 20, l4 + header)],
    payload: Buffer.from(b.subarray(l4 + header)).toString('latin1'),
  };
}

/** A client outside and the server inside, with what each of them got. */
class Pair {
  readonly r: Router3640;
  readonly atClient: ReturnType<typeof read>[] = [];
  readonly atServer: ReturnType<typeof read>[] = [];

  constructor(
    extra = ON,
    readonly port = 1025,
    r = new Router3640(extra),
  ) {
    this.r = r;
  }

  client(f: Partial<TcpFields> & { flags: string }): number {
    const b = tcpPacket({ src: CLIENT, srcPort: this.port, dst: GLOBAL, dstPort: 25, ...f });
    const { verdict, bytes } = this.r.fromOutside(b);
    if (verdict === PASS) this.atServer.push(read(bytes));
    this.#collect();
    return verdict;
  }

  server(f: Partial<TcpFields> & { flags: string }): number {
    const b = tcpPacket({ src: SERVER, srcPort: 25, dst: CLIENT, dstPort: this.port, ...f });
    const { verdict, bytes } = this.r.fromInside(b);
    if (verdict === PASS) this.atClient.push(read(bytes));
    this.#collect();
    return verdict;
  }

  wait(ms: number): void {
    this.r.wait(ms);
    this.#collect();
  }

  #collect(): void {
    for (const b of this.r.injected.splice(0)) {
      const s = read(b);
      (s.dst === CLIENT ? this.atClient : this.atServer).push(s);
    }
  }

  /** The client's SYN and acknowledgement. @returns the ISN that the router has chosen */
  connect(isn: number, mss = 1460): number {
    const options = [2, 4, mss >> 8, mss & 255, 4, 2, 1, 3, 3, 7]; // MSS, SACK permitted, window scale
    this.client({ flags: 'S', seq: isn, options: [...options, 1, 1] });
    const cookie = this.atClient.at(-1)!.seq;
    this.client({ flags: 'A', seq: isn + 1, ack: seqAdd(cookie, 1), window: 29200 });
    return cookie;
  }

  /** All of it: both handshakes. @returns the ISN that the client knows */
  open(isn: number, serverIsn: number): number {
    const cookie = this.connect(isn);
    this.server({ flags: 'SA', seq: serverIsn, ack: isn + 1, window: 64000, options: [2, 4, 5, 180] });
    return cookie;
  }
}

const said = (r: Router3640): string[] => r.events.map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);

describe('mode intercept', () => {
  test('the router answers a SYN with a shut window and MSS alone, and keeps nothing', () => {
    const p = new Pair();
    const { table } = p.r.engine.nat.translations;
    const before = table.size;
    expect(p.client({ flags: 'S', seq: 1000, options: [2, 4, 5, 180] })).toBe(DROP.intercepted);
    expect(p.atServer).toEqual([]);
    expect(p.atClient).toMatchObject([
      { src: GLOBAL, srcPort: 25, flags: 'SA', ack: 1001, window: 0, options: [2, 4, 5, 180] },
    ]);
    expect(p.r.sessionCount).toBe(0);
    expect(table.size).toBe(before);
  });

  test('the acknowledgement becomes the SYN to the server, with the MSS of the client rounded down', () => {
    const p = new Pair();
    p.connect(1000, 1412);
    expect(p.atServer).toMatchObject([
      {
        src: CLIENT,
        srcPort: 1025,
        dst: SERVER,
        flags: 'S',
        seq: 1000,
        ack: 0,
        window: 29200,
        options: [2, 4, 5, 120],
      },
    ]);
    expect(p.r.sessionCount).toBe(1);
  });

  test("the server's SYN ACK is acknowledged by the router, and opens the client's window", () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    expect(p.atServer.at(-1)).toMatchObject({ src: CLIENT, flags: 'A', seq: 1001, ack: 5001, window: 29200 });
    expect(p.atClient.at(-1)).toMatchObject({
      src: GLOBAL,
      flags: 'A',
      seq: seqAdd(cookie, 1),
      ack: 1001,
      window: 64000,
      options: [],
    });
    expect(p.r.engine.sessions.statistics.established).toBe(1);
  });

  test('both sides count as they are used to, and SMTP is inspected', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    p.server({ flags: 'PA', seq: 5001, ack: 1001, payload: '220 mail\r\n' });
    expect(p.atClient.at(-1)).toMatchObject({ seq: seqAdd(cookie, 1), ack: 1001, payload: '220 mail\r\n' });
    p.client({ flags: 'PA', seq: 1001, ack: seqAdd(cookie, 11), payload: 'EXPN root\r\n' });
    expect(p.atServer.at(-1)).toMatchObject({ seq: 1001, ack: 5011 });
    expect(p.atServer.at(-1)!.payload).not.toContain('EXPN');
    p.client({ flags: 'FA', seq: 1012, ack: seqAdd(cookie, 11) });
    p.server({ flags: 'FA', seq: 5011, ack: 1013 });
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'FA', seq: seqAdd(cookie, 11), ack: 1013 });
  });

  test('segments of the server that were held are renumbered, too', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    p.server({ flags: 'PA', seq: 5006, ack: 1001, payload: 'ail\r\n' });
    p.server({ flags: 'PA', seq: 5001, ack: 1001, payload: '220 m' });
    const late = read(p.r.released[0]!.bytes!);
    expect([p.atClient.at(-1)!.seq, late.seq]).toEqual([seqAdd(cookie, 1), seqAdd(cookie, 6)]);
  });

  test('an acknowledgement that fits no cookie opens nothing', () => {
    const p = new Pair();
    p.client({ flags: 'S', seq: 1000 });
    const cookie = p.atClient.at(-1)!.seq;
    for (const [seq, ack] of [
      [1001, cookie],
      [1001, cookie + 2],
      [1002, cookie + 1],
      [999, cookie + 1],
    ] as const)
      expect(isDrop(p.client({ flags: 'A', seq, ack: seqAdd(ack, 0) }))).toBe(true);
    p.wait(130_000);
    expect(isDrop(p.client({ flags: 'A', seq: 1001, ack: seqAdd(cookie, 1) }))).toBe(true);
    expect([p.r.sessionCount, p.atServer.length]).toEqual([0, 0]);
  });

  test.each([
    { what: 'data that came too early', seq: 1001, payload: 'EHLO', flags: 'PA' },
    { what: 'a probe of the window that is shut (Linux)', seq: 1000, payload: '', flags: 'A' },
    { what: 'a FIN', seq: 1001, payload: '', flags: 'FA' },
  ])('the first that comes is $what: it opens the session, and is repeated', ({ seq, payload, flags }) => {
    const p = new Pair();
    p.client({ flags: 'S', seq: 1000 });
    expect(p.client({ flags, seq, ack: seqAdd(p.atClient[0]!.seq, 1), payload })).toBe(PASS);
    expect(p.atServer).toMatchObject([{ flags: 'S', seq: 1000, payload: '' }]);
  });

  test('what the client sends before the server is there waits', () => {
    const p = new Pair();
    const cookie = p.connect(1000);
    p.client({ flags: 'A', seq: 1001, ack: seqAdd(cookie, 1) });
    p.client({ flags: 'S', seq: 1000 });
    expect(p.atServer.length).toBe(1);
  });

  test('a server that refuses: the client is reset in its own numbers', () => {
    const p = new Pair();
    const cookie = p.connect(1000);
    p.server({ flags: 'RA', seq: 0, ack: 1001 });
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'RA', seq: seqAdd(cookie, 1), ack: 1001 });
    expect(p.r.sessionCount).toBe(0);
  });

  test('a server that is silent gets the SYN again after 1, 2, 4, 8 s; after 30 the client is reset', () => {
    const p = new Pair();
    const cookie = p.connect(1000);
    const times: number[] = [];
    for (let s = 1; s <= 31; s++) {
      const before = p.atServer.length;
      p.wait(1000);
      if (p.atServer.length > before) times.push(s);
    }
    expect(times.length).toBe(4);
    expect(p.atServer.every((s) => s.flags === 'S' && s.seq === 1000 && s.options![3] === 180)).toBe(true);
    expect(p.atClient.at(-1)).toMatchObject({ src: GLOBAL, flags: 'RA', seq: seqAdd(cookie, 1), ack: 1001 });
    expect(p.r.sessionCount).toBe(0);
  });

  test('a SYN ACK that comes again is acknowledged again, and says nothing new to the client', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    p.server({ flags: 'SA', seq: 5000, ack: 1001, window: 64000 });
    expect(p.atServer.at(-1)).toMatchObject({ flags: 'A', seq: 1001, ack: 5001 });
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'A', seq: seqAdd(cookie, 1), ack: 1001 });
  });

  test('a server with an older connection says so: the router resets that one, and repeats the SYN', () => {
    const p = new Pair();
    p.connect(1000);
    expect(p.server({ flags: 'A', seq: 777, ack: 888 })).toBe(DROP.intercepted);
    expect(p.atServer.at(-1)).toMatchObject({ flags: 'R', seq: 888 });
    p.wait(1200);
    expect(p.atServer.at(-1)).toMatchObject({ flags: 'S', seq: 1000 });
  });

  test('a client that has lost the connection and begins anew speaks to the server itself', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    expect(p.client({ flags: 'S', seq: 1_500_000_000 })).toBe(PASS);
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'A', seq: seqAdd(cookie, 1), ack: 1001 }); // asked, in its numbers
    p.server({ flags: 'SA', seq: 9000, ack: 1_500_000_001 });
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'SA', seq: 9000, ack: 1_500_000_001 });
    p.client({ flags: 'A', seq: 1_500_000_001, ack: 9001 });
    p.server({ flags: 'PA', seq: 9001, ack: 1_500_000_001, payload: '220 mail\r\n' });
    expect(p.atClient.at(-1)).toMatchObject({ seq: 9001, payload: '220 mail\r\n' });
  });

  test('resets of the router fit both ends', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    p.r.engine.sessions.clear();
    p.wait(0);
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'RA', seq: seqAdd(cookie, 1) });
    expect(p.atServer.at(-1)).toMatchObject({ flags: 'R', seq: 1001 });
  });

  test('an ICMP error about a segment of the server quotes the number that the server knows', () => {
    const p = new Pair();
    const cookie = p.open(1000, 5000);
    p.server({ flags: 'PA', seq: 5001, ack: 1001, payload: '220 mail\r\n' });
    const quoted = tcpPacket({ ...p.atClient.at(-1)!, src: GLOBAL, dst: CLIENT });
    expect(i32(quoted, 24)).toBe(seqAdd(cookie, 1));
    const { verdict, bytes } = p.r.fromOutside(
      icmpPacket(CLIENT, GLOBAL, 3, 4, [0, 0, 5, 0, ...quoted.subarray(0, 28)]),
    );
    expect(verdict).toBe(PASS);
    expect(checksumsOk(bytes)).toBe(true);
    expect(i32(bytes, 20 + 8 + 20 + 4)).toBe(5001);
  });

  test('a session that may not open: the client is reset, which believes that it is connected', () => {
    const p = new Pair(`${ON}\nip inspect tcp max-incomplete host 1 block-time 2`);
    p.connect(1000);
    const other = new Pair('', 1026, p.r);
    const cookie = other.connect(2000);
    expect(other.atServer).toEqual([]);
    expect(other.atClient.filter((s) => s.dstPort === 1026).at(-1)).toMatchObject({
      src: GLOBAL,
      flags: 'RA',
      seq: seqAdd(cookie, 1),
      ack: 2001,
    });
  });

  test('connections that the list does not permit, or the access list denies, are none of it', () => {
    const p = new Pair();
    expect(p.client({ flags: 'S', seq: 1, dstPort: 80 })).not.toBe(DROP.intercepted);
    expect(p.atClient.filter((s) => s.flags === 'SA')).toEqual([]);
    const none = new Pair('');
    expect(none.client({ flags: 'S', seq: 1 })).toBe(PASS);
    expect(none.atClient).toEqual([]);
  });

  test('a flood of spoofed SYNs makes no session, no translation and no half-open count; a client gets through', () => {
    const p = new Pair();
    const translations = p.r.engine.nat.translations.table.size;
    for (let i = 0; i < 5000; i++)
      expect(p.client({ flags: 'S', src: `172.22.${2 + (i >> 8)}.${i & 255}`, seq: i })).toBe(DROP.intercepted);
    const { sessions, nat } = p.r.engine;
    expect([p.r.sessionCount, nat.translations.table.size, sessions.statistics.created]).toEqual([0, translations, 0]);
    p.open(1000, 5000);
    expect(sessions.statistics.established).toBe(1);
    expect(said(p.r)).toEqual([]);
  });
});

const WATCH = `${ON}\nip tcp intercept mode watch\nip tcp intercept watch-timeout 10`;

describe('mode watch', () => {
  test('the SYN passes as it is, and the connection as any other', () => {
    const p = new Pair(WATCH);
    expect(p.client({ flags: 'S', seq: 1000 })).toBe(PASS);
    p.server({ flags: 'SA', seq: 5000, ack: 1001 });
    expect(p.atClient.at(-1)).toMatchObject({ flags: 'SA', seq: 5000 });
    p.client({ flags: 'A', seq: 1001, ack: 5001 });
    p.wait(40_000);
    expect(p.r.sessionCount).toBe(1);
    expect(p.r.engine.sessions.intercept.incomplete.count).toBe(0);
  });

  test('a handshake that is not complete after the watch-timeout: the server is reset, the spoofed client is not', () => {
    const p = new Pair(WATCH);
    p.client({ flags: 'S', seq: 1000 });
    p.server({ flags: 'SA', seq: 5000, ack: 1001 });
    const heard = p.atClient.length;
    p.wait(9000);
    expect(p.r.sessionCount).toBe(1);
    p.wait(1500);
    expect(p.atServer.at(-1)).toMatchObject({ src: CLIENT, dst: SERVER, flags: 'R', seq: 1001 });
    expect([p.r.sessionCount, p.atClient.length]).toEqual([0, heard]);
  });
});

describe('a connection that no rule inspects', () => {
  const LIST = 'no ip inspect name OUT-IN\naccess-list 150 permit tcp any any\nip tcp intercept list 150';

  test.each(['intercept', 'watch'])('is followed in mode %s, for the connection-timeout', (mode) => {
    const p = new Pair(`${LIST}\nip tcp intercept mode ${mode}\nip tcp intercept connection-timeout 60`);
    if (mode === 'intercept') p.open(1000, 5000);
    else {
      p.client({ flags: 'S', seq: 1000 });
      p.server({ flags: 'SA', seq: 5000, ack: 1001 });
      p.client({ flags: 'A', seq: 1001, ack: 5001 });
    }
    p.server({ flags: 'PA', seq: 5001, ack: 1001, payload: 'hello' });
    expect(p.atClient.at(-1)!.payload).toBe('hello');
    p.wait(59_000);
    expect(p.r.sessionCount).toBe(1);
    p.wait(2000);
    expect(p.r.sessionCount).toBe(0);
  });
});

describe('aggressive mode', () => {
  const LIMITS = 'ip tcp intercept max-incomplete high 3\nip tcp intercept max-incomplete low 2';
  const clients = (r: Router3640): number[] => {
    const ports: number[] = [];
    r.engine.sessions.table.forEach((s) => ports.push(s.initiatorPort));
    return ports.sort();
  };

  test('above high, each new connection costs the oldest incomplete one, until there are less than low', () => {
    const p = new Pair(`${ON}\n${LIMITS}`);
    for (let i = 0; i < 6; i++) new Pair('', 2000 + i, p.r).connect(1000);
    expect(said(p.r)).toEqual(['%TCP-6-INTERCEPT: getting aggressive, count (4/3) 1 min 5']);
    expect(clients(p.r)).toEqual([2002, 2003, 2004, 2005]);
    for (let i = 2; i < 5; i++)
      p.r.fromInside(
        tcpPacket({ src: SERVER, srcPort: 25, dst: CLIENT, dstPort: 2000 + i, flags: 'SA', seq: 1, ack: 1001 }),
      );
    p.wait(200);
    expect(said(p.r)[1]).toBe('%TCP-6-INTERCEPT: calming down, count (1/2) 1 min 6');
    expect(clients(p.r)).toEqual([2002, 2003, 2004, 2005]);
  });

  test('drop-mode random: any of them', () => {
    const p = new Pair(`${ON}\n${LIMITS}\nip tcp intercept drop-mode random`);
    for (let i = 0; i < 40; i++) new Pair('', 2000 + i, p.r).connect(1000);
    expect(clients(p.r).length).toBe(4);
  });

  test('SYNs that are only answered do not make it so, however many', () => {
    const p = new Pair(`${ON}\nip tcp intercept one-minute high 3\nip tcp intercept one-minute low 2`);
    for (let i = 0; i < 50; i++) p.client({ flags: 'S', srcPort: 3000 + i, seq: i });
    expect(said(p.r)).toEqual([]);
    for (let i = 0; i < 4; i++) new Pair('', 2000 + i, p.r).open(1000, 5000);
    expect(said(p.r)).toEqual(['%TCP-6-INTERCEPT: getting aggressive, count (0/1100) 1 min 4']);
    p.wait(61_000);
    expect(said(p.r)[1]).toBe('%TCP-6-INTERCEPT: calming down, count (0/900) 1 min 0');
  });
});
