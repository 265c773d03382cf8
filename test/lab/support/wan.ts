/**
 * A lab whose outside host is far away, and what takes how long over that line. Each service is there twice: inspected by
 * its protocol, and by `tcp` alone at another port. Losses depend on a seed, so that both can meet the same ones.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configVariant, Fw3640 } from './fw3640.js';
import { type Host, Lab } from './lab.js';
import { LabProcess } from './process.js';
import { FtpServer, startHttp } from './servers.js';
import { until } from './until.js';

export interface Line {
  /** Round trip, ms. */
  rtt: number;
  /** Fractions of the segments with data that come from far. */
  loss: number;
  overtaking: number;
}

export const SERVICES = ['http', 'ftp', 'smtp', 'esmtp'] as const;
export type Service = (typeof SERVICES)[number];

const FAR = '172.22.1.10';
const MAIL = '172.22.1.110';
const GATEWAY = '172.22.1.16';
/** By `tcp` alone. */
const PLAIN_PORT = { http: 8080, ftp: 2121, smtp: 2525, esmtp: 2525 } as const;
const PORT = { http: 80, ftp: 21, smtp: 25, esmtp: 25 } as const;
const PATIENCE_MS = 120_000;

export class Wan {
  private constructor(
    readonly lab: Lab,
    readonly router: Fw3640,
    readonly cable: LabProcess,
  ) {}

  /** @param mail the rule for port 25 @param bytes that are fetched or sent */
  static async up(mail: 'smtp' | 'esmtp', bytes: number): Promise<Wan> {
    const lab = Lab.up();
    const router = await Fw3640.start(lab, {
      config: configVariant(
        lab,
        [
          'ip inspect name OUT-IN smtp',
          `ip inspect name OUT-IN ${mail} max-data 100000000\nip inspect name OUT-IN tcp`,
        ],
        [
          'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
          `access-list 101 permit tcp any host ${MAIL} eq smtp\naccess-list 101 permit tcp any host ${MAIL} eq 2525`,
        ],
      ),
    });
    const content = randomBytes(bytes);
    for (const port of [80, 8080]) writeFileSync(join(await startHttp(lab, 'outside', port), 'data.bin'), content);
    for (const port of [21, 2121]) {
      const { files } = await FtpServer.start(lab, 'outside', port);
      writeFileSync(join(files, 'data.bin'), content);
    }
    const text = Buffer.from(content.toString('base64').replaceAll(/.{72}/g, '$&\r\n')).subarray(0, bytes);
    writeFileSync(
      join(lab.folder, 'mail'),
      Buffer.concat([Buffer.from('Subject: big\r\n\r\n'), text, Buffer.from('\r\n')]),
    );
    for (const port of [25, 2525]) await sink(lab, port);
    lab.run('router', 'python3', [agent('wan.py'), '--plain', 'outside', 'inside']);
    lab.run('inside', 'python3', [agent('wan.py'), '--plain', 'eth0']);
    const cable = new LabProcess(lab, 'outside', 'python3', [agent('wan.py'), 'eth0', GATEWAY]);
    await until(
      () => `the cable: ${cable.stderr}`,
      () => cable.stdout.includes('ready'),
    );
    // Addresses are known on both sides before anything is measured.
    lab.exec('outside', 'ping', ['-c', '1', '-W', '5', GATEWAY]); // answered or denied
    return new Wan(lab, router, cable);
  }

  /** Seconds that one transfer takes. @param inspected by its protocol, not by `tcp` alone */
  async seconds(service: Service, inspected: boolean, line: Line, seed: number): Promise<number> {
    const sets = this.cable.stdout.split('set').length;
    this.cable.child.stdin.write(`${line.rtt / 2} ${line.loss} ${line.overtaking} ${seed}\n`);
    await until('the cable to change', () => this.cable.stdout.split('set').length > sets);
    const port = (inspected ? PORT : PLAIN_PORT)[service];
    const [host, ...args] = this.#command(service, port);
    const curl = new LabProcess(this.lab, host, 'curl', ['-sS', '--max-time', '110', '-w', '%{time_total}', ...args]);
    await until(`a transfer by ${service} ${port}`, () => curl.exitCode !== undefined, PATIENCE_MS);
    if (curl.exitCode !== 0) throw new Error(`curl: ${curl.exitCode} ${curl.stderr}`);
    return Number(curl.stdout);
  }

  down(): Promise<void> {
    return this.lab.down();
  }

  #command(service: Service, port: number): [Host, ...string[]] {
    if (service === 'http' || service === 'ftp')
      return ['inside2', '-o', '/dev/null', `${service}://${FAR}:${port}/data.bin`];
    const envelope = ['--mail-from', 'a@far.test', '--mail-rcpt', 'b@near.test'];
    return ['outside', `smtp://${MAIL}:${port}`, ...envelope, '-T', join(this.lab.folder, 'mail')];
  }
}

const agent = (name: string): string => join(import.meta.dirname, 'agents', name);

/** A mail server that throws away what it takes. */
async function sink(lab: Lab, port: number): Promise<void> {
  const server = new LabProcess(lab, 'inside', process.execPath, [agent('mail-sink.mjs'), String(port)]);
  await until(
    () => `the mail sink to listen: ${server.stderr}`,
    () => server.stdout.includes('ready'),
  );
}
