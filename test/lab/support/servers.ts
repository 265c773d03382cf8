/** Servers of other people in hosts of the lab, each started with what it needs in a folder of the lab. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from './lab.js';
import { LabProcess } from './process.js';
import { until } from './until.js';

/** Waits until something listens on a port of the host. */
export async function listening(lab: Lab, host: Host, server: LabProcess, what: string, filter: string): Promise<void> {
  await until(
    () => `${what} to listen: ${server.stdout}${server.stderr}`,
    () => {
      if (server.exitCode !== undefined) throw new Error(`${what} ended: ${server.stdout}${server.stderr}`);
      return lab.run(host, 'ss', ['-Hln', '-tu', filter]).trim() !== '';
    },
  );
}

/** vsftpd for anonymous users, who may also write. */
export class FtpServer {
  /** What it serves, and where uploads end. */
  readonly files: string;
  readonly uploads: string;

  private constructor(folder: string) {
    this.files = join(folder, 'files');
    this.uploads = join(this.files, 'incoming');
  }

  static async start(lab: Lab, host: Host, port = 21): Promise<FtpServer> {
    const folder = join(lab.folder, `ftp-${host}-${port}`);
    const server = new FtpServer(folder);
    mkdirSync(server.uploads, { recursive: true });
    mkdirSync(join(folder, 'empty'));
    for (const open of [lab.folder, folder, server.files]) chmodSync(open, 0o755);
    chmodSync(server.uploads, 0o777);
    const config = join(folder, 'vsftpd.conf');
    const settings = {
      listen: 'YES',
      listen_port: String(port),
      background: 'NO',
      anonymous_enable: 'YES',
      no_anon_password: 'YES',
      anon_root: server.files,
      write_enable: 'YES',
      anon_upload_enable: 'YES',
      anon_umask: '022',
      connect_from_port_20: 'YES',
      secure_chroot_dir: join(folder, 'empty'),
      seccomp_sandbox: 'NO',
      xferlog_enable: 'NO',
    };
    writeFileSync(config, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join('')); // prettier-ignore
    await listening(lab, host, new LabProcess(lab, host, 'vsftpd', [config]), 'vsftpd', `sport = :${port}`);
    return server;
  }
}

/** dnsmasq that knows one name. */
export async function startDns(lab: Lab, host: Host, name: string, address: string): Promise<void> {
  const args = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', '--pid-file='];
  const server = new LabProcess(lab, host, 'dnsmasq', [...args, `--address=/${name}/${address}`]);
  await listening(lab, host, server, 'dnsmasq', 'sport = :53');
}

/** busybox httpd over a folder. @returns the folder */
export async function startHttp(lab: Lab, host: Host, port = 80): Promise<string> {
  const folder = join(lab.folder, `http-${host}-${port}`);
  mkdirSync(folder);
  const server = new LabProcess(lab, host, 'busybox', ['httpd', '-f', '-p', String(port), '-h', folder]);
  await listening(lab, host, server, 'httpd', `sport = :${port}`);
  return folder;
}
