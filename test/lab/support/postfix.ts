/**
 * A real Postfix in a host of the lab, with a configuration, queue and mailboxes of its own. It accepts mail for
 * DOMAIN, for whatever user, and rejects other domains as a mail server on the Internet does.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { until } from './until.js';

export const DOMAIN = 'example.test';
const NOBODY = 65_534;
/** Larger than any message of the tests: Postfix's own limit is 10 MB. */
const MESSAGE_LIMIT = 100_000_000;

export class Postfix {
  readonly #folder: string;
  readonly #lab: Lab;
  readonly #host: Host;

  private constructor(lab: Lab, host: Host) {
    this.#lab = lab;
    this.#host = host;
    this.#folder = join(lab.folder, `postfix-${host}`);
  }

  /** Starts Postfix and waits until it greets. */
  static async start(lab: Lab, host: Host = 'inside'): Promise<Postfix> {
    const postfix = new Postfix(lab, host);
    postfix.#configure();
    lab.run(host, 'postfix', ['-c', postfix.#folder, 'start']);
    lab.onDown(() => postfix.stop());
    await until(
      () => `Postfix to listen: ${postfix.log}`,
      () => lab.run(host, 'ss', ['-Htln', 'sport = :25']) !== '',
    );
    return postfix;
  }

  /** What Postfix logged. */
  get log(): string {
    const file = join(this.#folder, 'maillog');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Messages delivered so far, whole, in the order of their arrival. */
  get mails(): Buffer[] {
    const box = join(this.#folder, 'mail', 'new');
    if (!existsSync(box)) return [];
    const arrival = (name: string) => Number(/\d+/.exec(name)?.[0]) * 1e6 + Number(/M(\d+)/.exec(name)?.[1]);
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

  stop(): void {
    this.#lab.exec(this.#host, 'postfix', ['-c', this.#folder, 'abort']); // fails if it has been stopped before
  }

  #configure(): void {
    for (let folder = this.#folder; ; folder = join(folder, '..')) {
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o755); // Postfix's processes are of another user
      if (folder === this.#lab.folder) break;
    }
    for (const name of ['queue', 'data', 'mail']) mkdirSync(join(this.#folder, name));
    this.#lab.run(this.#host, 'chown', ['postfix', join(this.#folder, 'data')]);
    this.#lab.run(this.#host, 'chown', [`${NOBODY}`, join(this.#folder, 'mail')]);
    writeFileSync(join(this.#folder, 'main.cf'), this.#main());
    writeFileSync(join(this.#folder, 'master.cf'), MASTER);
  }

  #main(): string {
    return `
compatibility_level = 3.6
queue_directory = ${this.#folder}/queue
data_directory = ${this.#folder}/data
maillog_file = ${this.#folder}/maillog
maillog_file_prefixes = ${this.#folder}
myhostname = mail.${DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
smtputf8_enable = no
smtpd_peername_lookup = no
disable_dns_lookups = yes
virtual_mailbox_domains = ${DOMAIN}
virtual_mailbox_base = ${this.#folder}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
virtual_mailbox_limit = 0
message_size_limit = ${MESSAGE_LIMIT}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_timeout = 60s
alias_maps =
alias_database =
`;
  }
}

/** The services that receive and deliver; none in a chroot, since the queue folder is not set up as one. */
const MASTER = `
smtp       inet  n - n - -   smtpd
pickup     unix  n - n 60 1  pickup
cleanup    unix  n - n - 0   cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - -   trivial-rewrite
bounce     unix  - - n - 0   bounce
defer      unix  - - n - 0   bounce
trace      unix  - - n - 0   bounce
showq      unix  n - n - -   showq
error      unix  - - n - -   error
retry      unix  - - n - -   error
discard    unix  - - n - -   discard
proxymap   unix  - - n - -   proxymap
anvil      unix  - - n - 1   anvil
virtual    unix  - n n - -   virtual
postlog    unix-dgram n - n - 1 postlogd
`;

/** Identifies a message body however long. @param mail a whole message; its header ends at the first empty line */
export function bodyHash(mail: Buffer): string {
  const at = mail.indexOf('\n\n');
  return createHash('sha256')
    .update(at < 0 ? mail : mail.subarray(at + 2))
    .digest('hex');
}
