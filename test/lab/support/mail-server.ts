/** The SMTP server of the npm package smtp-server in a host of the lab, and the mails it took. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { Agent } from './process.js';
import { until } from './until.js';

interface Party {
  address: string;
  /** Parameters of MAIL or RCPT, by keyword. */
  args: Readonly<Record<string, string | true>> | false;
  /** Of RCPT. */
  dsn?: { notify?: readonly string[]; orcpt?: string };
}

interface Taken {
  file: string;
  user?: string;
  secure: boolean;
  from: Party;
  to: Party[];
  /** Of MAIL. */
  dsn: { ret?: string | null; envid?: string | null };
}

/** A mail as the server took it, its content with CR LF. */
export type TakenMail = Omit<Taken, 'file'> & { content: Buffer };

export class MailServer {
  readonly #taken: Taken[] = [];
  #agent!: Agent<Taken>;

  /** @param options of the package: `size`, `hideSTARTTLS` … */
  static async listen(lab: Lab, host: Host, options: Readonly<Record<string, unknown>> = {}): Promise<MailServer> {
    const server = new MailServer();
    const folder = join(lab.folder, `smtp-server-${host}`);
    mkdirSync(folder, { recursive: true });
    const command = ['mail-server.mjs', '25', folder, JSON.stringify(options)];
    server.#agent = await Agent.start<Taken>(lab, host, command, (mail) => server.#taken.push(mail));
    return server;
  }

  get count(): number {
    return this.#taken.length;
  }

  /** Waits for the n-th mail, from 1. */
  async mail(n: number): Promise<TakenMail> {
    const { file, ...mail } = await until(`mail ${n} at smtp-server`, () => this.#taken[n - 1]);
    return { ...mail, content: readFileSync(file) };
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}
