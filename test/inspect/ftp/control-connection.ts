/** An FTP control connection through the whole router, each end with its own idea of the sequence numbers. */
import { expect } from 'vitest';
import { i32, u16 } from '../../../src/core/wire/bytes.js';
import { checksumsOk, dotted, tcpPacket, type TcpFields } from '../../support/packets.js';
import { type Outcome, PASS, type Router3640 } from '../../support/router-3640.js';

export interface Place {
  inside: boolean;
  /** The address it has, and the one that the other side knows. */
  address: string;
  seen: string;
}

export const INSIDE: Place = { inside: true, address: '10.10.10.5', seen: '172.22.1.111' };
export const OUTSIDE: Place = { inside: false, address: '172.22.1.10', seen: '172.22.1.10' };

interface End {
  place: Place;
  port: number;
  sndNxt: number;
  rcvNxt: number;
}

export class ControlConnection {
  readonly client: End;
  readonly server: End;

  constructor(
    readonly r: Router3640,
    client: Place,
    server: Place,
    port = 40_000,
  ) {
    this.client = { place: client, port, sndNxt: 1000, rcvNxt: 0 };
    this.server = { place: server, port: 21, sndNxt: 50_000, rcvNxt: 0 };
  }

  /** Handshake, greeting, login. */
  login(): this {
    this.open();
    for (const [command, reply] of [
      ['USER anna', '331 Please specify the password.'],
      ['PASS secret', '230 Login successful.'],
    ] as const) {
      expect(this.say(command)).toBe(`${command}\r\n`);
      expect(this.reply(reply)).toBe(`${reply}\r\n`);
    }
    return this;
  }

  open(): this {
    this.deliver(this.segment(true, 'S'), false);
    this.deliver(this.segment(false, 'SA'), true);
    this.deliver(this.segment(true, 'A'), false);
    expect(this.reply('220 ready')).toBe('220 ready\r\n');
    return this;
  }

  /** The client says a line. @returns what the server reads */
  say(line: string): string {
    return this.deliver(this.segment(true, 'PA', { payload: `${line}\r\n` }), false);
  }

  /** The server replies a line. @returns what the client reads */
  reply(line: string): string {
    return this.deliver(this.segment(false, 'PA', { payload: `${line}\r\n` }), true);
  }

  /** A segment of one end goes to the router. Without `seq` it is new: its bytes count as sent. */
  segment(fromClient: boolean, flags: string, more: Partial<TcpFields> = {}): Outcome {
    const [from, to] = fromClient ? [this.client, this.server] : [this.server, this.client];
    const bytes = tcpPacket({
      src: from.place.address,
      srcPort: from.port,
      dst: to.place.seen,
      dstPort: to.port,
      flags,
      seq: from.sndNxt,
      ack: flags.includes('A') ? from.rcvNxt : 0,
      ...more,
    });
    if (more.seq === undefined) from.sndNxt += (more.payload?.length ?? 0) + (/[SF]/.test(flags) ? 1 : 0);
    return from.place.inside ? this.r.fromInside(bytes) : this.r.fromOutside(bytes);
  }

  /** What passed arrives. The receiving end checks that it is just what it waits for. @returns the text */
  deliver(o: Outcome, toClient: boolean): string {
    expect(o.verdict).toBe(PASS);
    expect(checksumsOk(o.bytes)).toBe(true);
    expect(u16(o.bytes, 2)).toBe(o.bytes.length);
    const [to, from] = toClient ? [this.client, this.server] : [this.server, this.client];
    expect([dotted(i32(o.bytes, 12)), dotted(i32(o.bytes, 16))]).toEqual([from.place.seen, to.place.address]);
    const flags = o.bytes[33]!;
    const text = textOf(o);
    if ((flags & 2) === 0) expect(i32(o.bytes, 24)).toBe(to.rcvNxt);
    if ((flags & 16) !== 0) expect(i32(o.bytes, 28)).toBeLessThanOrEqual(to.sndNxt);
    to.rcvNxt = i32(o.bytes, 24) + text.length + (flags & 3 ? 1 : 0);
    return text;
  }

  /** The first segment of a data connection. */
  data(fromClient: boolean, srcPort: number, dstPort: number): Outcome {
    const [from, to] = fromClient ? [this.client, this.server] : [this.server, this.client];
    const bytes = tcpPacket({ src: from.place.address, srcPort, dst: to.place.seen, dstPort, flags: 'S', seq: 7 });
    return from.place.inside ? this.r.fromInside(bytes) : this.r.fromOutside(bytes);
  }
}

export const textOf = (o: Outcome): string =>
  Buffer.from(o.bytes.subarray(20 + (o.bytes[32]! >>> 4) * 4)).toString('latin1');
