/** The files of `copy` for real: a directory for flash:, and servers of TFTP and FTP on the loopback. */
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Flash } from '../../src/io/flash.js';
import { ftpGet, ftpPut } from '../../src/io/ftp-client.js';
import { tftpGet, tftpPut } from '../../src/io/tftp.js';

const bytes = (n: number): Buffer => Buffer.from(Array.from({ length: n }, (_, i) => i & 255));

describe('flash:', () => {
  let folder: string;
  let flash: Flash;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'flash-')), 'flash');
    flash = new Flash(folder);
  });
  afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

  test('is made with its first file; files come whole', async () => {
    expect([await flash.list(), flash.has('a')]).toEqual([[], false]);
    await flash.write('a', bytes(10));
    await flash.write('a', bytes(3));
    expect((await flash.list()).map((f) => [f.name, f.size])).toEqual([['a', 3]]);
    expect([flash.has('a'), Buffer.from(await flash.read('a'))]).toEqual([true, bytes(3)]);
    expect(readdirSync(folder)).toEqual(['a']);
    await flash.remove('a');
    await expect(flash.read('a')).rejects.toThrow('No such file or directory');
  });

  test.each(['../startup-config', '.hidden', 'a/b', '', 'x'.repeat(64), 'a\0b'])('%j is no name', async (name) => {
    await expect(flash.write(name, bytes(1))).rejects.toThrow('Bad file name');
    await expect(flash.read(name)).rejects.toThrow('Bad file name');
    expect(flash.has(name)).toBe(false);
  });

  test('is as large as that of a 3640', async () => {
    await flash.write('a', bytes(10));
    await expect(flash.write('b', new Uint8Array(flash.capacity - 9))).rejects.toThrow('No space left on device');
    await flash.write('a', bytes(20)); // takes the place of the one before
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('what lies there beside files is not shown', async () => {
    await flash.write('a', bytes(1));
    writeFileSync(join(folder, '.b.new'), 'half');
    expect((await flash.list()).map((f) => f.name)).toEqual(['a']);
  });
});

/** A TFTP server of one file, as wicked as a test wants it. */
class TftpServer {
  readonly #listener = createSocket('udp4');
  readonly #transfer = createSocket('udp4');
  received: Buffer[] = [];
  requests: string[] = [];
  /** What it does with a packet it has got, in place of the right answer. */
  answer: (packet: Buffer, send: (packet: Buffer) => void, port: number) => boolean = () => false;

  constructor(private readonly file: Buffer) {}

  async start(): Promise<number> {
    const reply = (bytes: Buffer, port: number): void => {
      const send = (packet: Buffer): void => this.#transfer.send(packet, port, '127.0.0.1');
      if (!this.answer(bytes, send, port)) this.#serve(bytes, send);
    };
    for (const socket of [this.#listener, this.#transfer]) socket.on('message', (b, from) => reply(b, from.port));
    await new Promise<void>((done) => this.#transfer.bind(0, '127.0.0.1', done));
    return new Promise((done) => this.#listener.bind(0, '127.0.0.1', () => done(portOf(this.#listener))));
  }

  #serve(packet: Buffer, send: (packet: Buffer) => void): void {
    const [, opcode, high, low] = packet;
    const number = (high! << 8) | low!;
    if (opcode === 1 || opcode === 2) this.requests.push(packet.toString('latin1', 2));
    if (opcode === 1) send(this.#block(1));
    else if (opcode === 4 && number * 512 <= this.file.length) send(this.#block(number + 1));
    else if (opcode === 2) send(Buffer.from([0, 4, 0, 0]));
    else if (opcode === 3) {
      this.received[number] = packet.subarray(4);
      send(Buffer.from([0, 4, high!, low!]));
    }
  }

  #block(n: number): Buffer {
    return Buffer.concat([Buffer.from([0, 3, n >> 8, n & 255]), this.file.subarray((n - 1) * 512, n * 512)]);
  }

  stop(): void {
    this.#listener.close();
    this.#transfer.close();
  }
}

const portOf = (socket: Socket): number => socket.address().port;

describe('tftp', () => {
  let server: TftpServer;
  let marks: string;
  const start = async (file: Buffer) => {
    server = new TftpServer(file);
    marks = '';
    return {
      host: '127.0.0.1',
      port: await server.start(),
      path: 'r1-confg',
      progress: (mark: string) => void (marks += mark),
      signal: new AbortController().signal,
      timeoutMs: 20_000, // a busy machine is no silence
    };
  };
  afterEach(() => server.stop());

  test.each([0, 1, 511, 512, 513, 6000])('%i bytes come and go', async (length) => {
    const options = await start(bytes(length));
    expect(await tftpGet(options)).toEqual(bytes(length));
    await tftpPut(options, bytes(length));
    expect(Buffer.concat(server.received.slice(1))).toEqual(bytes(length));
    expect(server.requests).toEqual(['r1-confg\0octet\0', 'r1-confg\0octet\0']);
    expect(marks).toBe(length === 6000 ? '!!!!' : '!!');
  });

  test('what is lost is sent again, with a mark for the silence', async () => {
    const options = await start(bytes(700));
    let lost = 0;
    server.answer = (packet) => packet[1] === 4 && packet[3] === 1 && lost++ === 0;
    expect(await tftpGet({ ...options, timeoutMs: 40 })).toEqual(bytes(700));
    expect(marks).toMatch(/^\.+!$/);
  });

  test('a block or an acknowledgement that comes twice does no harm', async () => {
    const options = await start(bytes(1200));
    server.answer = (packet, send) => {
      if (packet[1] === 3) send(Buffer.from([0, 4, packet[2]!, packet[3]!]));
      if (packet[1] === 4 && packet[3] === 1) send(Buffer.concat([Buffer.from([0, 3, 0, 1]), bytes(512)]));
      return false;
    };
    expect(await tftpGet(options)).toEqual(bytes(1200));
    await tftpPut(options, bytes(1200));
    expect(Buffer.concat(server.received.slice(1))).toEqual(bytes(1200));
  });

  test('refusals in the words of IOS', async () => {
    const options = await start(bytes(1));
    server.answer = (_packet, send) => {
      send(Buffer.from([0, 5, 0, 1, 0]));
      return true;
    };
    await expect(tftpGet(options)).rejects.toThrow('No such file or directory');
    server.answer = (_packet, send) => {
      send(Buffer.from([0, 5, 0, 2, 0]));
      return true;
    };
    await expect(tftpPut(options, bytes(1))).rejects.toThrow('Permission denied');
  });

  test('a server that is silent, and the escape sequence', async () => {
    const options = await start(bytes(1));
    server.answer = () => true;
    await expect(tftpGet({ ...options, timeoutMs: 40 })).rejects.toThrow('Timed out');
    expect(marks).toBe('....');
    const stop = new AbortController();
    const waiting = tftpGet({ ...options, signal: stop.signal });
    stop.abort();
    await expect(waiting).rejects.toThrow('Interrupted');
  });

  test('a block from another port than the first one came from is refused, and not taken', async () => {
    const options = await start(bytes(600));
    const stranger = createSocket('udp4');
    const refused = new Promise<number>((resolve) => stranger.on('message', (packet) => resolve(packet[3]!)));
    server.answer = (packet, _send, port) => {
      // The server is silent about its second block until the stranger has been there.
      if (packet[1] !== 4 || packet[3] !== 1) return false;
      stranger.send(Buffer.from([0, 3, 0, 2, 88]), port, '127.0.0.1');
      server.answer = () => false;
      return true;
    };
    expect(await tftpGet(options)).toEqual(bytes(600));
    expect(await refused).toBe(5); // unknown transfer
    stranger.close();
  });
});

describe('ftp', () => {
  let control: Server;
  let data: Server;
  const files = new Map<string, Buffer>();
  let said: string[];
  let marks: string;

  const start = async (refuses?: RegExp) => {
    const lines: string[] = [];
    said = lines;
    marks = '';
    let connected: (socket: TcpSocket) => void = () => undefined;
    data = createServer((socket) => connected(socket));
    await new Promise<void>((done) => data.listen(0, '127.0.0.1', done));
    const { port } = data.address() as AddressInfo;
    control = createServer((socket) => {
      const say = (line: string): void => void socket.write(`${line}\r\n`);
      let channel = new Promise<TcpSocket>(() => undefined);
      const serve = async (line: string): Promise<void> => {
        lines.push(line);
        const [verb = '', name = ''] = line.split(' ');
        if (refuses?.test(line) === true) say('550 no');
        else if (verb === 'USER') say('331 password?');
        else if (verb === 'PASS') say('230-Welcome\r\n230 in');
        else if (verb === 'TYPE') say('200 binary');
        else if (verb === 'PASV') {
          channel = new Promise((resolve) => (connected = resolve));
          say(`227 Entering Passive Mode (10,9,8,7,${port >> 8},${port & 255})`);
        } else if (verb === 'RETR') {
          say('150 here it comes');
          (await channel).end(files.get(name) ?? '');
          say('226 done');
        } else if (verb === 'STOR') {
          say('150 go on');
          const chunks: Buffer[] = [];
          for await (const chunk of await channel) chunks.push(chunk as Buffer);
          files.set(name, Buffer.concat(chunks));
          say('226 done');
        }
      };
      say('220 ready');
      socket.on('error', () => undefined);
      let rest = '';
      socket.on('data', (b) => {
        const typed = (rest + b.toString()).split('\r\n');
        rest = typed.pop()!;
        for (const line of typed) void serve(line);
      });
    });
    await new Promise<void>((done) => control.listen(0, '127.0.0.1', done));
    return {
      host: '127.0.0.1',
      port: (control.address() as AddressInfo).port,
      path: 'r1',
      user: 'joe',
      password: 'pw',
      progress: (mark: string) => void (marks += mark),
      signal: new AbortController().signal,
    };
  };
  afterEach(() => {
    control.close();
    data.close();
  });

  test.each([0, 10, 100_000])('%i bytes come and go, in binary and passive, to the server itself', async (length) => {
    const options = await start();
    await ftpPut(options, bytes(length));
    expect(files.get('r1')).toEqual(bytes(length));
    expect(await ftpGet(options)).toEqual(bytes(length));
    expect(said.slice(0, 5)).toEqual(['USER joe', 'PASS pw', 'TYPE I', 'PASV', 'STOR r1']);
    expect(said).toContain('RETR r1');
    expect(marks.length).toBeGreaterThanOrEqual(2);
  });

  test.each([
    [/^RETR/, 'No such file or directory'],
    [/^PASS/, 'No such file or directory'],
  ])('a refusal of %s ends it', async (what, why) => {
    await expect(ftpGet(await start(what))).rejects.toThrow(why);
  });

  test('a name with a line end in it is no command', async () => {
    await expect(ftpGet({ ...(await start()), path: 'a\r\nDELE b' })).rejects.toThrow('Bad file name');
    expect(said.join()).not.toContain('DELE');
  });

  test('no server, and the escape sequence', async () => {
    const options = await start(/never/);
    const stop = new AbortController();
    stop.abort();
    await expect(ftpGet({ ...options, signal: stop.signal })).rejects.toThrow('Interrupted');
    control.close();
    await expect(ftpGet({ ...options, port: 1 })).rejects.toThrow('Connection refused by remote host');
  });
});
