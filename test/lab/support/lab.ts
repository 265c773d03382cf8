/**
 * One lab of scripts/lab for one test file, under a name of its own: commands in its hosts, processes that run
 * along, and its end whatever happens. Needs root.
 */
import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Host = 'outside' | 'router' | 'inside' | 'inside2';

/** What a finished command left. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export const ROOT = join(import.meta.dirname, '../../..');
const COMMAND_TIMEOUT_MS = 30_000;
let count = 0;

export class Lab {
  readonly name = `t${process.pid}-${++count}`;
  /** A folder for what the test's servers write; removed with the lab. */
  readonly folder = mkdtempSync(join(tmpdir(), 'fw3640-lab-'));
  readonly #cleanups: (() => Promise<void> | void)[] = [];

  private constructor() {
    this.script('lab', 'up');
  }

  static up(): Lab {
    sweep();
    return new Lab();
  }

  netns(host: Host): string {
    return `${this.name}-${host}`;
  }

  /** Runs a command in a host to its end, which may be a failure. */
  exec(host: Host, command: string, args: readonly string[] = [], input = ''): Finished {
    const done = spawnSync('nsenter', [this.#netnsOption(host), command, ...args], {
      encoding: 'utf8',
      input,
      cwd: ROOT,
      timeout: COMMAND_TIMEOUT_MS,
    });
    if (done.error !== undefined) throw done.error;
    return { code: done.status ?? 128, stdout: done.stdout, stderr: done.stderr };
  }

  /** Runs a command in a host that must succeed. @returns its standard output */
  run(host: Host, command: string, args: readonly string[] = [], input = ''): string {
    const done = this.exec(host, command, args, input);
    if (done.code !== 0)
      throw new Error(`${host}: ${command} ${args.join(' ')}: exit ${done.code}\n${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  /** Starts a process in a host; it is ended with the lab at the latest. */
  spawn(host: Host, command: string, args: readonly string[] = []): ChildProcessWithoutNullStreams {
    return spawn('nsenter', [this.#netnsOption(host), command, ...args], { cwd: ROOT });
  }

  /** Has `action` run before the lab goes down; the last one registered runs first. */
  onDown(action: () => Promise<void> | void): void {
    this.#cleanups.push(action);
  }

  /** Ends all that runs in the lab and removes it. A failure is thrown after everything is gone. */
  async down(): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#cleanups.reverse()) {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    }
    this.script('lab', 'down');
    rmSync(this.folder, { recursive: true, force: true });
    if (failures.length > 0) throw new AggregateError(failures, `taking down lab ${this.name}`);
  }

  /** Runs a script of scripts/ for this lab. */
  script(name: string, ...args: string[]): void {
    runScript(this.name, name, args);
  }

  /** nsenter, not `ip netns exec`: it mounts nothing, and a test runs hundreds of commands. */
  #netnsOption(host: Host): string {
    return `--net=/run/netns/${this.netns(host)}`;
  }
}

/** Removes the labs of test processes that were killed before they could. */
function sweep(): void {
  const netns = '/run/netns';
  const names = existsSync(netns) ? readdirSync(netns) : [];
  const dead = new Set<string>();
  for (const name of names) {
    const [, lab, pid] = /^(t(\d+)-\d+)-(?:outside|router|inside2?)$/.exec(name) ?? [];
    if (lab !== undefined && pid !== undefined && !existsSync(`/proc/${pid}`)) dead.add(lab);
  }
  for (const lab of dead) runScript(lab, 'lab', ['down']);
}

function runScript(lab: string, name: string, args: readonly string[]): void {
  execFileSync(join(ROOT, 'scripts', name), args, {
    env: { ...process.env, FW3640_LAB: lab },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
