/** `fw3640 run` in the router of a lab: started, asked, stopped as an operator would. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Finished, type Lab } from './lab.js';
import { LabProcess } from './process.js';
import { until } from './until.js';

const MAIN = join(ROOT, 'dist/main.js');
/** On a busy machine a start runs two dozen programs one after the other. */
const START_PATIENCE_MS = 40_000;

/** One line of `--log-format json`. */
export interface LogLine {
  level: string;
  time: string;
  mnemonic: string;
  msg: string;
  [field: string]: unknown;
}

export interface RouterOptions {
  /** Configuration file; default config/3640.cfg. */
  config?: string;
  /** More arguments of `fw3640 run`. */
  args?: readonly string[];
  /** Where its console listens. */
  socket?: string;
  /** Where its log goes, if not to standard output: `log` and `logged` do not know it then. */
  logFile?: string;
  /** A command that goes in front of it. */
  through?: readonly string[];
}

export class Fw3640 {
  readonly process: LabProcess;
  readonly #lab: Lab;
  readonly #socket: string;

  private constructor(lab: Lab, options: RouterOptions) {
    this.#lab = lab;
    this.#socket = options.socket ?? join(lab.folder, 'console.sock');
    const [program, ...args] = [...(options.through ?? []), process.execPath, ...runCommand(this.#socket, options)];
    this.process = new LabProcess(lab, 'router', program!, args);
  }

  /** Starts the router and waits until it forwards. @throws Error with what it said if it ends instead */
  static async start(lab: Lab, options: RouterOptions = {}): Promise<Fw3640> {
    const router = new Fw3640(lab, options);
    const output = () => `${router.process.stdout}${router.process.stderr}`;
    await until(
      () => `fw3640 to start: ${output()}`,
      () => {
        if (router.process.exitCode !== undefined) throw new Error(`fw3640 ended: ${output()}`);
        const { logFile } = options;
        const log =
          logFile === undefined ? router.process.stdout : existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
        return log.includes('%SYS-5-RESTART') && existsSync(router.#socket);
      },
      START_PATIENCE_MS,
    );
    return router;
  }

  /** Process id of the data plane. */
  get dataPlane(): number {
    return this.dataPlaneOf(0);
  }

  dataPlaneOf(shard: number): number {
    return Number(readFileSync(join(this.#runFolder, `shard${shard}.pid`), 'utf8').split(' ')[0]);
  }

  /** Beside the data plane a spare one is born, or coming into the world. */
  get hasSpare(): boolean {
    return readdirSync(this.#runFolder).filter((name) => /^shard0-\d+\.sock$/.test(name)).length > 1;
  }

  get #runFolder(): string {
    return `/run/fw3640/net-${statSync(`/run/netns/${this.#lab.netns('router')}`).ino}`;
  }

  /** Process ids of all that the control plane has started and that runs. */
  get children(): number[] {
    const { pid } = this.process.child;
    const pids = readFileSync(`/proc/${pid!}/task/${pid!}/children`, 'utf8').trim();
    return pids.split(' ').map(Number);
  }

  /** The log so far. */
  get log(): LogLine[] {
    return this.process.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits for a message whose mnemonic is that, with a text that matches. */
  logged(mnemonic: string, text = /(?:)/, patienceMs?: number): Promise<LogLine> {
    return until(
      () => `${mnemonic} ${String(text)} in the log:\n${this.process.stdout}`,
      () => this.log.find((line) => line.mnemonic === mnemonic && text.test(line.msg)),
      patienceMs,
    );
  }

  /** Runs EXEC commands on the console, like `fw3640 console -e …`. @returns what it printed */
  console(...commands: string[]): string {
    const args = [MAIN, 'console', '--socket', this.#socket, ...commands.flatMap((c) => ['-e', c])];
    return this.#lab.run('router', process.execPath, args);
  }

  /** Waits until the output of an EXEC command matches. */
  shows(command: string, pattern: RegExp): Promise<RegExpExecArray> {
    let last = '';
    return until(
      () => `${String(pattern)} in ${command}:\n${last}`,
      () => pattern.exec((last = this.console(command))) ?? undefined,
    );
  }

  /** Ends the control plane; SIGKILL ends nothing else. @returns its exit code */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    return this.process.stop(signal);
  }

  /** Kills both processes. @returns when nobody is at the queue */
  async kill(): Promise<void> {
    const { dataPlane } = this;
    await this.stop('SIGKILL');
    process.kill(dataPlane, 'SIGKILL');
    await until('the queue to be closed', () => !existsSync(`/proc/${dataPlane}/fd/0`));
  }
}

function runCommand(
  socket: string,
  { config = join(ROOT, 'config/3640.cfg'), args = [], logFile }: RouterOptions,
): string[] {
  const interfaces = ['Ethernet2/0=outside', 'Ethernet2/1=inside'].flatMap((pair) => ['--interface', pair]);
  return [
    MAIN,
    'run',
    '--config',
    config,
    ...interfaces,
    '--socket',
    socket,
    ...(logFile === undefined ? [] : ['--log-file', logFile]),
    ...args,
  ];
}

/** Runs any fw3640 command in the router to its end. */
export const fw3640 = (lab: Lab, ...args: string[]): Finished => lab.exec('router', process.execPath, [MAIN, ...args]);

/**
 * Writes a variant of config/3640.cfg.
 * @param edits pairs of a line of it, which must be there, and what takes its place
 * @returns the path of the file
 */
export function configVariant(lab: Lab, ...edits: readonly (readonly [line: string, replacement: string])[]): string {
  let text = readFileSync(join(ROOT, 'config/3640.cfg'), 'utf8');
  for (const [line, replacement] of edits) {
    if (!text.includes(`\n${line}\n`)) throw new Error(`3640.cfg has no line '${line}'`);
    text = text.replace(`\n${line}\n`, `\n${replacement}\n`);
  }
  const path = join(lab.folder, 'variant.cfg');
  writeFileSync(path, text);
  return path;
}
