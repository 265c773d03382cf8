/** Syslog over TCP and TLS, to real servers of this machine: frames, certificates, what happens when they go away. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { emptyConfig } from '../../src/ios/config/defaults.js';
import type { LoggingConfig, SyslogServer } from '../../src/ios/config/model.js';
import { parseAddress } from '../../src/ios/ipv4-text.js';
import type { Message } from '../../src/ios/messages.js';
import { Syslog } from '../../src/io/syslog.js';
import { until } from '../lab/support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-syslog-'));
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server that takes what comes, and reads frames of RFC 6587 §3.4.1. */
class Receiver {
  readonly sockets = new Set<Socket>();
  readonly texts: string[] = [];
  port = 0;

  constructor(readonly server: Server) {
    server.on(server.listenerCount('secureConnection') > 0 || 'setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => this.#take(socket)); // prettier-ignore
    closing.push(() => this.stop());
  }
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }
  #take(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const head = /^(\d+) /.exec(bytes.toString('latin1', 0, 12));
        if (head === null) return;
        const end = head[0].length + Number(head[1]);
        if (bytes.length < end) return;
        this.texts.push(bytes.toString('utf8', head[0].length, end));
        bytes = bytes.subarray(end);
      }
    });
  }
  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

const loggingTo = (...servers: SyslogServer[]): LoggingConfig => ({ ...emptyConfig().logging, servers });
const to = (transport: 'udp' | 'tcp' | 'tls', port: number): SyslogServer => ({ address: parseAddress('127.0.0.1')!, transport, port }); // prettier-ignore
const EVENT = { mnemonic: '%FW-4-SMTP_INVALID_COMMAND', text: 'Invalid SMTP command – x' };
const send = (syslog: Syslog, logging: LoggingConfig, text = EVENT.text): void =>
  syslog.send(4, `*stamp: ${text}`, logging, { ...EVENT, text }, 'r3640');

function syslog(ca?: string): { log: Syslog; said: Message[] } {
  const said: Message[] = [];
  const log = new Syslog(undefined, ca);
  log.say = (m) => void said.push(m);
  closing.push(() => log.close());
  return { log, said };
}

describe('TCP', () => {
  test('a message is one frame of RFC 5424, counted in octets', async () => {
    const receiver = await new Receiver(createServer()).listen();
    const { log } = syslog();
    send(log, loggingTo(to('tcp', receiver.port)));
    await until('the message', () => receiver.texts.length === 1);
    expect(receiver.texts[0]).toMatch(
      /^<188>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z r3640 fw3640 - FW-4-SMTP_INVALID_COMMAND \[meta sequenceId="1"\] %FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command – x$/,
    );
  });

  test('a server that goes away and comes again gets all that was sent meanwhile, in order, and both are said once', async () => {
    const first = await new Receiver(createServer()).listen();
    const { log, said } = syslog();
    const logging = loggingTo(to('tcp', first.port));
    send(log, logging, 'a');
    await until('the first', () => first.texts.length === 1);
    first.stop();
    await until('the end to be seen', () => said.length === 1);
    for (const text of ['b', 'c', 'd']) send(log, logging, text);
    const second = await new Receiver(createServer()).listen(first.port);
    await until('the others', () => second.texts.length >= 3, 15_000);
    expect(second.texts.map((t) => t.slice(-1))).toEqual(['b', 'c', 'd']);
    await until('the word', () => said.length >= 2);
    expect(said.map((m) => m.mnemonic)).toEqual(expect.arrayContaining(['%SYS-3-LOGGINGHOST_FAIL', '%SYS-6-LOGGINGHOST_STARTSTOP'])); // prettier-ignore
    expect(log.lost.total).toBe(0);
  });

  test('what waits for a server that is not there is bounded, and what is too much is counted', () => {
    const { log } = syslog();
    const logging = loggingTo(to('tcp', 1));
    for (let n = 0; n < 20_000; n++) send(log, logging);
    expect(log.lost.total).toBeGreaterThan(20_000 - (1 << 20) / 100);
    expect(log.lost.total).toBeLessThan(20_000);
    expect(log.works).toBe(false);
  });

  test('a server that does not read holds up nobody, and nothing beyond the bound waits', async () => {
    const receiver = await new Receiver(createServer({ pauseOnConnect: true })).listen();
    receiver.server.on('connection', (socket: Socket) => socket.pause());
    const { log } = syslog();
    const logging = loggingTo(to('tcp', receiver.port));
    for (let n = 0; n < 60_000; n++) {
      send(log, logging);
      if (n % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(log.lost.total).toBeGreaterThan(0);
  });

  test('another configuration: a server that is no longer there is left, one that stays keeps its connection', async () => {
    const [a, b] = [await new Receiver(createServer()).listen(), await new Receiver(createServer()).listen()];
    const { log } = syslog();
    send(log, loggingTo(to('tcp', a.port), to('tcp', b.port)));
    await until('both', () => a.texts.length === 1 && b.texts.length === 1);
    let left = false;
    for (const socket of a.sockets) socket.on('close', () => (left = true));
    send(log, loggingTo(to('tcp', b.port)));
    await until('one to be left', () => left && b.texts.length === 2);
    expect([a.texts.length, b.sockets.size]).toEqual([1, 1]);
  });
});

describe('TLS', () => {
  const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
  beforeAll(() => {
    const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    for (const name of ['ca', 'stranger'])
      openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`);
    for (const [name, address] of [['server', '127.0.0.1'], ['elsewhere', '10.9.9.9']] as const) // prettier-ignore
      openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', `subjectAltName=IP:${address}`, '-addext', 'basicConstraints=critical,CA:FALSE'); // prettier-ignore
  });
  const receiver = (name: string): Promise<Receiver> =>
    new Receiver(createTlsServer({ key: pem(`${name}.key`), cert: pem(`${name}.pem`) })).listen();

  test('a server whose certificate the given authority has signed, for its address, gets the messages', async () => {
    const server = await receiver('server');
    const { log } = syslog(pem('ca.pem'));
    send(log, loggingTo(to('tls', server.port)));
    await until('the message', () => server.texts.length === 1);
    expect(server.texts[0]).toContain('%FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command – x');
  });

  test.each([
    ['of another authority', 'server', 'stranger.pem', /LEAF_SIGNATURE|ISSUER|SELF_SIGNED/],
    ['for another address', 'elsewhere', 'ca.pem', /ALTNAME_INVALID/],
  ])('a certificate %s: not a byte is sent, and why is said', async (_, name, ca, why) => {
    const server = await receiver(name);
    const { log, said } = syslog(pem(ca));
    send(log, loggingTo(to('tls', server.port)));
    await until('the word', () => said.length > 0);
    expect(said[0]!.text).toMatch(why);
    expect(server.texts).toEqual([]);
  });
});
