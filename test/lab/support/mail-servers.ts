/** The mail servers that are attacked: each in the inside host under an address of its own, and what it has executed. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Lab } from './lab.js';
import { Postfix } from './postfix.js';
import { LabProcess } from './process.js';
import { until } from './until.js';

/** Inside local address; outside, it is known by 172.22.1 and the last number, plus 100. */
export const ADDRESSES = {
  exim: '10.10.10.21',
  postfix: '10.10.10.22',
  opensmtpd: '10.10.10.23',
  oracle: '10.10.10.24',
} as const;
export type ServerName = keyof typeof ADDRESSES;
export const SERVER_NAMES = Object.keys(ADDRESSES) as ServerName[];

export const globalOf = (name: ServerName): string => ADDRESSES[name].replace('10.10.10.', '172.22.1.1');

/** What each logs when it executes a line: not when it takes it for a mail's, or for a response. */
const EXECUTED: Readonly<Record<ServerName, RegExp>> = {
  exim: /(?:EXECUTED |SMTP syntax error in "|SMTP protocol error in "|rejected )(.*)/,
  postfix: /: < \S+\[[\d.]+\]: (.*)/,
  // It has a session with itself for each mail that it returns.
  opensmtpd: /<<< (?!\[MSG\]|EHLO mail\.example\.test)(.*)/,
  oracle: /EXECUTED (.*)/,
};

/** Exim and OpenSMTPD were unpacked by scripts/setup. */
export const haveMailers = existsSync(join(ROOT, 'node_modules/.cache/fw3640/mailers/usr/sbin/exim4'));

export class MailServers {
  readonly #lab: Lab;
  #postfix!: Postfix;
  #oracle!: LabProcess;

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Starts all four; they listen when this resolves. */
  static async start(lab: Lab): Promise<MailServers> {
    const servers = new MailServers(lab);
    for (const address of Object.values(ADDRESSES)) {
      lab.run('inside', 'ip', ['address', 'add', `${address}/24`, 'dev', 'eth0']);
    }
    for (const name of ['exim', 'opensmtpd'] as const) {
      lab.script('lab-mailer', 'start', name, 'inside', servers.#folder(name), ADDRESSES[name]);
      lab.onDown(() => lab.script('lab-mailer', 'stop', 'inside', servers.#folder(name)));
    }
    servers.#postfix = Postfix.start(
      lab,
      'inside',
      `inet_interfaces=${ADDRESSES.postfix}`,
      'debug_peer_list=0.0.0.0/0',
      'debug_peer_level=1',
      'smtpd_error_sleep_time=0s',
      'smtpd_soft_error_limit=100000',
      'smtpd_hard_error_limit=100001',
      'smtpd_junk_command_limit=100000',
      'smtpd_client_connection_count_limit=0',
      'smtpd_forbid_bare_newline=no',
      'smtpd_forbid_unauth_pipelining=no',
      'smtpd_timeout=20s',
      'default_process_limit=200',
    );
    const agent = join(import.meta.dirname, 'agents/oracle.py');
    servers.#oracle = new LabProcess(lab, 'inside', 'python3', [agent, ADDRESSES.oracle]);
    const oracle = servers.#oracle;
    await until(
      () => `the oracle to listen: ${oracle.stderr}`,
      () => oracle.stdout.includes('ready'),
    );
    return servers;
  }

  /** Lines that a server has executed and that match. */
  executed(name: ServerName, pattern: RegExp): string[] {
    return this.#log(name)
      .split('\n')
      .map((line) => EXECUTED[name].exec(line)?.[1])
      .filter((line): line is string => line !== undefined && pattern.test(line));
  }

  #log(name: ServerName): string {
    switch (name) {
      case 'postfix':
        return this.#postfix.log;
      case 'oracle':
        return this.#oracle.stdout;
      default:
        return readdirSync(this.#folder(name))
          .filter((file) => file.endsWith('log'))
          .map((file) => readFileSync(join(this.#folder(name), file), 'latin1'))
          .join('');
    }
  }

  #folder(name: ServerName): string {
    return join(this.#lab.folder, name);
  }
}

/** config/3640.cfg with these four servers in place of its mail server. @param rule of OUT-IN. @returns its path */
export function attackedConfig(lab: Lab, rule: string, ...more: readonly string[]): string {
  const text = readFileSync(join(ROOT, 'config/3640.cfg'), 'utf8')
    .replace('ip inspect name OUT-IN smtp', [`ip inspect name OUT-IN ${rule}`, ...more].join('\n'))
    .replace(
      /^ip nat inside source static .*\n/m,
      SERVER_NAMES.map((n) => `ip nat inside source static ${ADDRESSES[n]} ${globalOf(n)}\n`).join(''),
    )
    .replace(
      /^access-list 101 .*\n/m,
      SERVER_NAMES.map((n) => `access-list 101 permit tcp any host ${globalOf(n)} eq smtp\n`).join(''),
    );
  const path = join(lab.folder, 'attacked.cfg');
  writeFileSync(path, text);
  return path;
}
