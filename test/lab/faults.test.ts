/**
 * The processes of the router are killed under load: typed SMTP dialogues, other sessions, a long mail, an FTP transfer,
 * iperf3 and pings each 10 ms. What lives on is counted, and how long nothing came through.
 *
 * By hand, at scale: scripts/faults.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { asStored, bodyOf, hashOf, messageOf } from './support/message.js';
import { bodyHash, DOMAIN, Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { FtpServer } from './support/servers.js';
import { type Connection, openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
/** Kills of the data plane; of the others a quarter. */
const KILLS = number('FW3640_FAULT_KILLS', 2);
/** Typed dialogues, and as many other sessions. */
const SESSIONS = number('FW3640_FAULT_SESSIONS', 3);
const MAIL = number('FW3640_FAULT_MAIL', 2_000_000);
const FILE = number('FW3640_FAULT_FILE', 4_000_000);
const OTHERS = Math.ceil(KILLS / 4);
const ROUNDS = KILLS + 4 * OTHERS;
const PATIENCE_MS = 60_000 + ROUNDS * 30_000;

const SERVER = '172.22.1.110';
const PEER = '172.22.1.10';

let lab: Lab;
let router: Fw3640;
let config: string;
let postfix: Postfix;

beforeAll(async () => {
  lab = Lab.up();
  postfix = Postfix.start(lab, 'inside', 'smtpd_junk_command_limit=10000', 'smtpd_client_connection_count_limit=0');
  config = configVariant(lab, ['ip inspect name OUT-IN smtp', 'ip inspect name OUT-IN smtp max-data 30000000']);
  router = await Fw3640.start(lab, { config });
});
afterAll(() => lab.down());

/** Pings with the time that each answer came. */
class Pings {
  readonly #process = new LabProcess(lab, 'inside', 'ping', ['-D', '-n', '-i', '0.01', PEER]);

  get #times(): number[] {
    return [...this.#process.stdout.matchAll(/^\[(\d+\.\d+)\] .*icmp_seq/gm)].map((m) => Number(m[1]) * 1000);
  }

  async more(count: number): Promise<void> {
    const before = this.#times.length;
    await until('answers to pings', () => this.#times.length >= before + count);
  }

  /** The longest time without an answer since `from`, ms. */
  silence(from: number): number {
    const times = [from, ...this.#times.filter((t) => t >= from)];
    return Math.max(...times.slice(1).map((t, i) => t - times[i]!));
  }

  stop(): Promise<number> {
    return this.#process.stop('SIGINT');
  }
}

/** A client of Postfix that types: half a line now, the rest later. */
class Dialogue {
  #halves = 0;
  constructor(readonly connection: Connection) {}

  static async open(): Promise<Dialogue> {
    const dialogue = new Dialogue(await openTcp(lab, 'outside', SERVER, 25));
    await dialogue.connection.receive(/^220 .*\r\n/);
    return dialogue;
  }

  half(): void {
    this.connection.write(this.#halves++ % 2 === 0 ? 'NO' : 'OP\r\n');
  }

  /** What it has typed is answered. */
  async rest(): Promise<void> {
    if (this.#halves % 2 === 1) this.half();
    const lines = this.#halves / 2;
    await until(
      () => `${lines} answers (${this.connection.closed ?? 'open'})`,
      () => this.connection.closed !== undefined || this.connection.text.split('\r\n').length - 2 >= lines,
    );
  }

  get lives(): boolean {
    return this.connection.closed === undefined && !this.connection.ended;
  }
}

const running = (): number => {
  try {
    return router.dataPlane;
  } catch {
    return 0;
  }
};

async function killDataPlane(): Promise<void> {
  const { dataPlane } = router;
  process.kill(dataPlane, 'SIGKILL');
  await until('another data plane', () => ![0, dataPlane].includes(running()));
}

async function killControlPlane(): Promise<void> {
  await router.stop('SIGKILL');
  router = await Fw3640.start(lab, { config });
}

async function killBoth(): Promise<void> {
  await router.kill();
  router = await Fw3640.start(lab, { config });
}

/** Nobody judges packets for as long as that. */
async function standStill(): Promise<void> {
  const { dataPlane } = router;
  process.kill(dataPlane, 'SIGSTOP');
  await new Promise((done) => setTimeout(done, 10_000));
  try {
    process.kill(dataPlane, 'SIGCONT');
  } catch {
    // the control plane has put another one in its place
  }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

test(
  `${KILLS} kills under ${SESSIONS} dialogues, as many other sessions, a mail, a file and pings`,
  async () => {
    const listener = await TcpServer.listen(lab, 'outside', 8025);
    const ftp = await FtpServer.start(lab, 'outside');
    writeFileSync(join(ftp.files, 'file.bin'), bodyOf(FILE, 7));
    const dialogues = await Promise.all(Array.from({ length: SESSIONS }, () => Dialogue.open()));
    const others = await Promise.all(Array.from({ length: SESSIONS }, () => openTcp(lab, 'inside', PEER, 8025)));
    await listener.connection(SESSIONS);
    new LabProcess(lab, 'outside', 'iperf3', ['-s', '-1', '-p', '5300']);
    const iperf = new LabProcess(lab, 'inside', 'iperf3', ['-c', PEER, '-p', '5300', '-b', '20M', '-t', '0']);
    const mail = await openTcp(lab, 'outside', SERVER, 25);
    await mail.receive(/^220 /);
    for (const [line, reply] of [
      ['HELO client.test', /\r\n250 /],
      ['MAIL FROM:<a@client.test>', /(\r\n250 .*){2}/],
      [`RCPT TO:<b@${DOMAIN}>`, /(\r\n250 .*){3}/],
      ['DATA', /\r\n354 /],
    ] as const) {
      mail.write(`${line}\r\n`);
      await mail.receive(reply);
    }
    const body = bodyOf(MAIL, 25);
    const message = Buffer.from(
      Buffer.from(messageOf(body)).toString('latin1').replaceAll('\r\n.', '\r\n..'),
      'latin1',
    );
    const before = postfix.mails.length;
    const seconds = ROUNDS * 3;
    const target = join(lab.folder, 'file.got');
    const rate = String(Math.ceil(FILE / seconds));
    const url = `ftp://${PEER}/file.bin`;
    const file = new LabProcess(lab, 'inside2', 'curl', ['-sS', '--limit-rate', rate, '-o', target, url]);
    const pings = new Pings();
    await pings.more(100);

    let sent = 0;
    let round = 0;
    const silences = new Map<string, number[]>();
    const faults: [string, number, () => Promise<void>][] = [
      ['data plane', KILLS, killDataPlane],
      ['data plane, soon again', OTHERS, killDataPlane],
      ['control plane', OTHERS, killControlPlane],
      ['both', OTHERS, killBoth],
      ['data plane stopped for 10 s', OTHERS > 1 ? 1 : 0, standStill],
    ];
    const total = faults.reduce((sum, [, times]) => sum + times, 0);
    for (const [what, times, fault] of faults) {
      for (let i = 0; i < times; i++) {
        round++;
        // One fault at a time, but for those that come soon: behind the last one a spare data plane is born again.
        if (what === 'data plane') {
          await until('a spare data plane', () => router.hasSpare);
          await pings.more(100); // it loads its program
        }
        for (const d of dialogues) d.half();
        for (const [n, c] of others.entries()) c.write(`round ${round} of ${n}\n`);
        const upTo = Math.round((message.length * round) / total);
        mail.write(message.subarray(sent, upTo));
        sent = upTo;
        const from = Date.now();
        await fault();
        await pings.more(30);
        silences.set(what, [...(silences.get(what) ?? []), pings.silence(from)]);
        await Promise.all(dialogues.map((d) => d.rest()));
      }
    }
    await pings.stop();
    mail.write(`${message.subarray(-2).toString() === '\r\n' ? '' : '\r\n'}.\r\n`);
    const stored = await postfix.mail(before + 1, 60_000);
    const fileCode = await until('the file', () => file.exitCode, PATIENCE_MS);
    const text = (n: number): string =>
      listener.connections.map((c) => c.text).find((t) => t.includes(` of ${n}\n`)) ?? '';
    const whole = others.filter((_, n) => text(n).split('\n').length - 1 === round).length;
    for (const [what, ms] of silences)
      console.log(
        `killed: ${what}, ${ms.length} times: silence ${median(ms).toFixed(0)} ms (median), ${Math.max(...ms).toFixed(0)} ms (most)`,
      );
    const lost = SESSIONS - dialogues.filter((d) => d.lives).length;
    console.log(`dialogues lost: ${lost} of ${SESSIONS}; other sessions lost: ${SESSIONS - whole} of ${SESSIONS}`);
    expect([lost, SESSIONS - whole]).toEqual([0, 0]);
    expect(bodyHash(stored)).toBe(hashOf(asStored(body)));
    expect([fileCode, file.stderr]).toEqual([0, '']);
    expect(iperf.exitCode, iperf.stdout + iperf.stderr).toBeUndefined();
    for (const d of dialogues.filter((d) => d.lives).slice(0, 3)) {
      d.connection.write('EXPN root\r\n');
      await d.connection.receive(/\r\n502 .*\r\n$|\r\n500 .*\r\n$/);
    }
    await router.logged('%FW-4-SMTP_INVALID_COMMAND', /EXPN/);
    await router.stop();
  },
  PATIENCE_MS,
);
