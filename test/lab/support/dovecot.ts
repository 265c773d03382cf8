/** Dovecot in a host of the lab, with one user and mails that the test has written. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { LabProcess } from './process.js';
import { listening } from './servers.js';

export const USER = 'fred';
export const PASSWORD = 'hunter2';

/** Debian's user `mail`. */
const MAIL_ID = 8;

interface Files {
  readonly folder: string;
  readonly key: string;
  readonly certificate: string;
  readonly users: string;
  readonly maildir: string;
}

/** What 2.3 (Debian 12) and 2.4 (Debian 13) write alike. */
function settings(lab: Lab, { folder }: Files): string {
  return `
base_dir = ${join(folder, 'run')}
state_dir = ${join(folder, 'state')}
instance_name = fw3640-${lab.name}
log_path = /dev/stderr
protocols = imap pop3
listen = *
ssl = yes
auth_mechanisms = plain cram-md5 apop
first_valid_uid = 1
`;
}

const settings23 = ({ folder, key, certificate, users, maildir }: Files): string => `
ssl_cert = <${certificate}
ssl_key = <${key}
disable_plaintext_auth = no
mail_location = maildir:${maildir}
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = static
  args = uid=${MAIL_ID} gid=${MAIL_ID} home=${join(folder, 'mail')}
}
`;

const settings24 = ({ folder, key, certificate, users, maildir }: Files): string => `
ssl_server_cert_file = ${certificate}
ssl_server_key_file = ${key}
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ${maildir}
passdb passwd-file {
  passwd_file_path = ${users}
}
userdb static {
  fields {
    uid = ${MAIL_ID}
    gid = ${MAIL_ID}
    home = ${join(folder, 'mail')}
  }
}
`;

export class Dovecot {
  readonly #maildir: string;
  #mails = 0;

  private constructor(folder: string) {
    this.#maildir = join(folder, 'mail', 'Maildir');
  }

  /** Starts Dovecot; it listens for POP3 and IMAP when this returns. */
  static async start(lab: Lab, host: Host): Promise<Dovecot> {
    const folder = join(lab.folder, `dovecot-${host}`);
    const server = new Dovecot(folder);
    for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(server.#maildir, part), { recursive: true });
    for (const open of [lab.folder, folder]) chmodSync(open, 0o755);
    for (const own of ['', '/..', '/cur', '/new', '/tmp']) chownSync(server.#maildir + own, MAIL_ID, MAIL_ID);
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const subject = ['-subj', '/CN=mail.test', '-days', '2', '-keyout', key, '-out', certificate];
    lab.run(host, 'openssl', ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', ...subject]);
    const users = join(folder, 'users');
    writeFileSync(users, `${USER}:{PLAIN}${PASSWORD}\n`);
    const config = join(folder, 'dovecot.conf');
    const files = { folder, key, certificate, users, maildir: server.#maildir };
    const old = lab.run(host, 'dovecot', ['--version']).startsWith('2.3.');
    const version = 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n'; // must come first
    const written = old
      ? [settings(lab, files), settings23(files)]
      : [version, settings(lab, files), settings24(files)];
    writeFileSync(config, written.join(''));
    const dovecot = new LabProcess(lab, host, 'dovecot', ['-F', '-c', config]);
    await listening(lab, host, dovecot, 'Dovecot', 'sport = :110');
    await listening(lab, host, dovecot, 'Dovecot', 'sport = :143');
    return server;
  }

  /** Puts a mail there. Its lines end with LF. */
  put(mail: Buffer): void {
    const file = join(this.#maildir, 'new', `${++this.#mails}.lab`);
    writeFileSync(file, mail);
    chownSync(file, MAIL_ID, MAIL_ID);
  }
}
