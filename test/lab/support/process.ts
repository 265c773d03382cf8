/** A process that runs along in a host of the lab, and what it has written so far. Ended with the lab at the latest. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host, Lab } from './lab.js';
import { until } from './until.js';

const STOP_PATIENCE_MS = 10_000;
const LAST_WORDS_MS = 500;

export class LabProcess {
  stdout = '';
  stderr = '';
  /** Exit code, or 128 plus the number of the signal; undefined while it runs. */
  exitCode: number | undefined;
  readonly child: ChildProcessWithoutNullStreams;

  constructor(lab: Lab, host: Host, command: string, args: readonly string[]) {
    this.child = lab.spawn(host, command, args);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child.stdin.on('error', () => undefined); // it has ended: the test will see that by its exit code
    this.child.on('exit', (code, signal) => (this.exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143)));
    this.child.on('error', (error) => {
      this.stderr += error.message;
      this.exitCode = 127;
    });
    lab.onDown(async () => {
      await this.stop();
    });
  }

  /** Sends a signal and waits for the end; after too long, ends it. @returns the exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.exitCode === undefined) this.child.kill(signal);
    try {
      const code = await until('the process to end', () => this.exitCode ?? undefined, STOP_PATIENCE_MS);
      // What it wrote last comes behind that, unless a child of its own keeps the pipe.
      if (!this.child.stdout.closed) await Promise.race([once(this.child, 'close'), delay(LAST_WORDS_MS)]);
      return code;
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    }
  }
}

/** A process of `agents/` that speaks lines of JSON. */
export class Agent<Message extends object> {
  readonly process: LabProcess;
  readonly #onMessage: (message: Message) => void;
  #ready = false;
  #rest = '';

  private constructor(lab: Lab, host: Host, command: readonly string[], onMessage: (message: Message) => void) {
    const [script = '', ...args] = command;
    this.#onMessage = onMessage;
    this.process = new LabProcess(lab, host, process.execPath, [join(import.meta.dirname, 'agents', script), ...args]);
    this.process.child.stdout.on('data', (text: string) => this.#take(text));
  }

  /** Starts an agent and waits until it says that it is ready. */
  static async start<M extends object>(
    lab: Lab,
    host: Host,
    command: readonly string[],
    onMessage: (message: M) => void,
  ): Promise<Agent<M>> {
    const agent = new Agent<M>(lab, host, command, onMessage);
    await until(
      () => `${command.join(' ')} on ${host} to be ready: ${agent.process.stderr}`,
      () => agent.#ready,
    );
    return agent;
  }

  send(line: string): void {
    this.process.child.stdin.write(`${line}\n`);
  }

  /** Ends it in order: it leaves when its standard input does. */
  async close(): Promise<void> {
    this.process.child.stdin.end();
    await until('the agent to end', () => this.process.exitCode !== undefined);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line) as Message;
      if ('ready' in message) this.#ready = true;
      else this.#onMessage(message);
    }
  }
}
