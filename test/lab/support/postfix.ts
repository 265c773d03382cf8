/** The Postfix of scripts/lab-postfix in a host of the lab: started, its log, and what it delivered. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { until } from './until.js';

/** The domain that it takes mail for, whoever the user. */
export const DOMAIN = 'example.test';

export class Postfix {
  readonly #folder: string;

  private constructor(lab: Lab, host: Host, parameters: readonly string[]) {
    this.#folder = join(lab.folder, `postfix-${host}`);
    lab.script('lab-postfix', 'start', host, this.#folder, ...parameters);
    lab.onDown(() => lab.script('lab-postfix', 'stop', host, this.#folder));
  }

  /** Starts Postfix; it listens when this returns. @param parameters of main.cf(5), `name=value`, that overrule */
  static start(lab: Lab, host: Host = 'inside', ...parameters: string[]): Postfix {
    return new Postfix(lab, host, parameters);
  }

  /** What Postfix logged. */
  get log(): string {
    return readFileSync(join(this.#folder, 'maillog'), 'utf8');
  }

  /** Messages delivered so far, whole, in the order of their arrival. */
  get mails(): Buffer[] {
    const box = join(this.#folder, 'mail', 'new');
    if (!existsSync(box)) return [];
    // Names of a maildir: SECONDS.V…I…M(microseconds).host
    const arrival = (name: string) => Number(/^\d+/.exec(name)?.[0]) * 1e6 + Number(/M(\d+)/.exec(name)?.[1]);
    return readdirSync(box)
      .sort((a, b) => arrival(a) - arrival(b))
      .map((name) => readFileSync(join(box, name)));
  }

  /** Waits for the n-th message, from 1. */
  mail(n: number, patienceMs?: number): Promise<Buffer> {
    return until(
      () => `mail ${n} at Postfix: ${this.log}`,
      () => this.mails[n - 1],
      patienceMs,
    );
  }
}

/** Identifies a message body however long. @param mail a whole message; its header ends at the first empty line */
export function bodyHash(mail: Buffer): string {
  const at = mail.indexOf('\n\n');
  return createHash('sha256')
    .update(at < 0 ? mail : mail.subarray(at + 2))
    .digest('hex');
}
