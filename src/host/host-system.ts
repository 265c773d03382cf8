/** The host's own programs and /proc, for host setup: run a program, read and write a sysctl. Throws HostError. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync, existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** The system refused. The message has the command, what it said and what to do. */
export class HostError extends Error {
  override readonly name = 'HostError';
}

export interface HostSystem {
  /** Runs a program to its end. @returns its standard output. */
  run(program: string, args: readonly string[], input?: string): string;
  /** The same, while packets go on. @throws HostError, as rejection */
  start(program: string, args: readonly string[]): Promise<string>;
  /** @param key path below /proc/sys. @returns the value, or undefined if there is no such sysctl. */
  readSysctl(key: string): string | undefined;
  writeSysctl(key: string, value: string): void;
  /** Names of the network devices that have IPv4 settings. */
  devices(): string[];
  hasIpv6(): boolean;
}

const RUN_TIMEOUT_MS = 20_000;
const MOST_OUTPUT = 64 << 20; // bytes: addresses and routes may be thousands
// A plain user's PATH on Debian lacks the programs.
const ENVIRONMENT = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };

/** What helps, by what the program said. First match counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/not permitted|permission denied|must be root/i, 'run fw3640 as root (or with CAP_NET_ADMIN)'],
  [/cannot find device|does not exist/i, 'is the interface there? `ip link` lists them; see --interface'],
  [
    /table .* (does not exist|not exist)|can't initialize|no such file or directory/i,
    'does the kernel have this table? `modprobe iptable_raw xt_NFQUEUE xt_CT nft_compat`',
  ],
  [/target|match|extension/i, 'does the kernel have NFQUEUE and CT? `modprobe xt_NFQUEUE xt_CT nfnetlink_queue`'],
  [/lock/i, 'another program holds the iptables lock'],
];

const PACKAGE: Readonly<Record<string, string>> = { ip: 'iproute2' };

/** The Linux that this process runs on, in its network namespace. */
export const linux: HostSystem = {
  run(program, args, input) {
    const command = [program, ...args].join(' ');
    try {
      return execFileSync(program, args, {
        input: input ?? '',
        encoding: 'utf8',
        timeout: RUN_TIMEOUT_MS,
        env: ENVIRONMENT,
        maxBuffer: MOST_OUTPUT,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      throw new HostError(explain(command, program, error as ExecError, input));
    }
  },

  async start(program, args) {
    try {
      const options = { encoding: 'utf8', timeout: RUN_TIMEOUT_MS, env: ENVIRONMENT, maxBuffer: MOST_OUTPUT } as const;
      return (await promisify(execFile)(program, args, options)).stdout;
    } catch (error) {
      throw new HostError(explain([program, ...args].join(' '), program, error as ExecError, undefined));
    }
  },

  readSysctl(key) {
    try {
      return readFileSync(`/proc/sys/${key}`, 'utf8').trim();
    } catch {
      return undefined;
    }
  },

  writeSysctl(key, value) {
    try {
      writeFileSync(`/proc/sys/${key}`, value);
    } catch (error) {
      throw new HostError(
        `sysctl ${key.replaceAll('/', '.')} = ${value}: ${(error as Error).message} (run fw3640 as root)`,
      );
    }
  },

  devices: () => readdirSync('/proc/sys/net/ipv4/conf').filter((name) => name !== 'all' && name !== 'default'),
  hasIpv6: () => existsSync('/proc/sys/net/ipv6'),
};

interface ExecError extends Error {
  code?: string;
  status?: number | null;
  stderr?: string;
}

function explain(command: string, program: string, error: ExecError, input: string | undefined): string {
  if (error.code === 'ENOENT')
    return `${command}: the program is missing (apt-get install ${PACKAGE[program] ?? 'iptables'})`;
  const said = (error.stderr ?? '').trim() || error.message;
  const advice = ADVICE.find(([pattern]) => pattern.test(said))?.[1];
  const at = /^Command failed -:(\d+)$/m.exec(said)?.[1]; // `ip -batch`
  const lines = at === undefined ? input?.trimEnd() : input?.split('\n')[Number(at) - 1];
  const fed = lines === undefined ? '' : `\nwith the input:\n${lines}`;
  return `${command}: ${said}${advice === undefined ? '' : ` (${advice})`}${fed}`;
}
