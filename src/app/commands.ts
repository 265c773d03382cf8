/** The commands of `fw3640` that end by themselves. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { EXIT } from './exit.js';
import { checkConfig } from '../ios/check.js';
import { parseConfig } from '../ios/config/parse.js';
import { traceCommand, traceConfig } from '../ios/trace/index.js';
import { ConsoleError, runCommands, runTerminal } from '../io/console-client.js';
import { asUser } from '../host/data-plane-user.js';
import { journalUser } from '../host/host-journal.js';
import { checkBindings, tooFewInterfaces } from '../host/host-plan.js';
import { HostSetup } from '../host/host-setup.js';
import { HostError } from '../host/host-system.js';
import { readBindings } from './run.js';

export interface CheckCommand {
  config: string;
  strict: boolean;
  lenient: boolean;
  /** `Ethernet2/0=eth1`, as `run` would get them; none: every interface is taken for mapped. */
  interface: string[];
}

/** `fw3640 check`: what `run` would make of the file, with the mapping that it would get. */
export function check({ config: file, strict, lenient, interface: pairs }: CheckCommand): void {
  const text = read(file);
  if (text === undefined) return;
  const bindings = pairs.length === 0 ? undefined : readBindings(pairs);
  const { config } = parseConfig(text, file, { lenient });
  const mappingFaults =
    bindings === undefined
      ? tooFewInterfaces(config)
      : typeof bindings === 'string'
        ? [bindings]
        : checkBindings(config, bindings);
  const { report, exitCode } = checkConfig(text, file, {
    strict,
    lenient,
    mappingFaults,
    ...(bindings instanceof Map ? { mapped: new Set(bindings.keys()) } : {}),
  });
  process.stdout.write(report);
  process.exitCode = exitCode;
}

/** `fw3640 console`: with commands, sends them and prints their output, text or a line of JSON; else brings this terminal. */
export async function openConsole(socket: string, commands: readonly string[], json = false): Promise<void> {
  if (json && commands.length === 0) {
    fail('--json is for the commands of -e', EXIT.usage);
    return;
  }
  // What reads values from standard output must not find a refusal there.
  const write = (text: string, failed: boolean): void =>
    void (failed && json ? process.stderr : process.stdout).write(text);
  try {
    if (commands.length === 0) await runTerminal(socket);
    else process.exitCode = await runCommands(socket, commands, write, json);
  } catch (error) {
    if (!(error instanceof ConsoleError)) throw error;
    fail(error.message, EXIT.runtime);
  }
}

export interface TranscriptOptions {
  session?: string;
  follow: boolean;
  json: boolean;
  socket: string;
}

/** `fw3640 transcript`: dialogues as the running router has seen them, by its console. */
export async function transcript({ session, follow, json, socket }: TranscriptOptions): Promise<void> {
  if (session !== undefined && !/^(?:0x)?[0-9a-f]{1,8}$/i.test(session)) {
    fail(`--session ${session}: eight hexadecimal digits, as show ip inspect sessions prints them`, EXIT.usage);
    return;
  }
  const which = session === undefined ? '' : ` session ${session}`;
  const shown = session === undefined ? 'transcript' : `sessions ${session} transcript`;
  const command = follow ? `transcript follow${which}` : shown;
  await openConsole(socket, [`show ip inspect ${command}${json ? ' json' : ''}`]);
}

export interface TraceOptions {
  in: string;
  config?: string;
  /** With `config`: as `run` gets them; none: all that can be are mapped. */
  interface: string[];
  socket: string;
}

/** `fw3640 trace`: asks a configuration file, or the running router by its console. */
export async function trace(words: readonly string[], options: TraceOptions): Promise<void> {
  if (options.config === undefined) {
    await openConsole(options.socket, [traceCommand(options.in, words)]);
    return;
  }
  const text = read(options.config);
  if (text === undefined) return;
  const bindings = readBindings(options.interface);
  if (typeof bindings === 'string') {
    fail(bindings, EXIT.usage);
    return;
  }
  const mapped = options.interface.length === 0 ? undefined : new Set(bindings.keys());
  const { report, exitCode } = traceConfig(text, options.config, options.in, words, mapped);
  (exitCode === 0 ? process.stdout : process.stderr).write(report);
  process.exitCode = exitCode;
}

/** `fw3640 cleanup`: removes what a crashed run left. What a user of its own has left, that user removes. */
export async function cleanup(): Promise<void> {
  const user = journalUser();
  if (user !== undefined) {
    const [program, ...args] = [...asUser(user), process.execPath, ...process.argv.slice(1)];
    process.exitCode = spawnSync(program!, args, { stdio: 'inherit' }).status ?? EXIT.runtime;
    return;
  }
  try {
    const removed = await HostSetup.cleanup();
    for (const what of removed) console.log(`removed ${what}`);
    if (removed.length === 0) console.log('nothing to remove');
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    fail(error.message, EXIT.runtime);
  }
}

/** The file's text; where it cannot be read, says so and sets the exit code. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    fail(`${file}: ${(error as Error).message}`, EXIT.usage);
    return undefined;
  }
}

function fail(message: string, exitCode: number): void {
  console.error(`fw3640: ${message}`);
  process.exitCode = exitCode;
}
