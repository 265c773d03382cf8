/** nodemailer in a host of the lab. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { Agent } from './process.js';
import { until } from './until.js';

/** Options of nodemailer's SMTP transport. */
export type TransportOptions = Readonly<Record<string, unknown>>;

export interface Envelope {
  from: string;
  to: readonly string[];
  /** RFC 3461, as nodemailer takes it. */
  dsn?: { return: string; envid: string; notify: readonly string[]; orcpt: string };
}

interface Answer {
  id: number;
  response?: string;
  error?: string;
}

let files = 0;

export class MailClient {
  readonly #answers = new Map<number, Answer>();
  #agent!: Agent<Answer>;
  #count = 0;

  private constructor(private readonly lab: Lab) {}

  /** @param to address and port of the server, and more options */
  static async start(lab: Lab, host: Host, to: TransportOptions): Promise<MailClient> {
    const client = new MailClient(lab);
    const options = JSON.stringify({ port: 25, ...to });
    client.#agent = await Agent.start<Answer>(lab, host, ['mail-client.mjs', options], (a) =>
      client.#answers.set(a.id, a),
    );
    return client;
  }

  /**
   * Sends a message and waits for what becomes of it.
   * @param message header and body with CR LF
   * @returns the server's reply to it. @throws Error with nodemailer's reason
   */
  async send(message: Uint8Array, envelope: Envelope, patienceMs?: number): Promise<string> {
    const id = ++this.#count;
    const file = join(this.lab.folder, `message-${++files}`);
    writeFileSync(file, message);
    this.#agent.send(JSON.stringify({ id, file, envelope }));
    const answer = await until('nodemailer to be done', () => this.#answers.get(id), patienceMs);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.response ?? '';
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}
