/** `fw3640 run`: the daemon, from reading the configuration to the last undone change. */
import { readFileSync } from 'node:fs';
import { formatConfigError, parseConfig, type ParsedConfig } from './ios/config/parse.js';
import { unsupported } from './ios/config/unsupported.js';
import { canonicalInterface } from './ios/interface-name.js';
import { ConsoleSession } from './ios/exec/session.js';
import { RouterConsole } from './console.js';
import { ConsoleServer } from './io/console-server.js';
import { System } from './io/system.js';
import { HostError } from './io/host-system.js';
import { EXIT } from './exit.js';
import { Log, type LogFormat } from './io/log.js';
import { QueueError } from './io/queue/queue-error.js';
import { Router } from './router.js';

export interface RunOptions {
  config: string;
  /** `Ethernet2/0=eth1`, as given. */
  interface: string[];
  queue: number;
  failOpen: boolean;
  logLevel: string;
  logFormat: LogFormat;
  socket: string;
  maxSessions: number;
  /** Version of fw3640. */
  release: string;
}

/** Starts the router; signals end it. A refusal is printed and sets the exit code. */
export async function run(options: RunOptions): Promise<void> {
  const parsed = readConfig(options.config);
  if (parsed === undefined) return;
  const { config, inert, text } = parsed;
  const bindings = readBindings(options.interface);
  const faults = typeof bindings === 'string' ? [bindings] : [...unsupported(config)];
  if (typeof bindings === 'string' || faults.length > 0) {
    for (const fault of faults) console.error(`fw3640: ${fault}`);
    process.exitCode = EXIT.usage;
    return;
  }
  const log = new Log({
    format: options.logFormat,
    level: options.logLevel,
    timestamps: () => (router?.engine.config ?? config).timestamps,
    limits: () => (router?.engine.config ?? config).logging,
  });
  let router: Router | undefined;
  try {
    const { queue, failOpen, maxSessions } = options;
    router = new Router({ config, bindings, queue, failOpen, maxSessions, log });
  } catch (error) {
    if (!(error instanceof HostError || error instanceof QueueError)) throw error;
    console.error(`fw3640: ${error.message}`);
    process.exitCode = EXIT.runtime;
    return;
  }
  const system = new System(options.release, bindings);
  const view = new RouterConsole(router, system, options.config, text);
  let server: ConsoleServer;
  try {
    server = await ConsoleServer.listen(options.socket, (privilege) => new ConsoleSession(view, 'console', privilege));
  } catch (error) {
    router.stop();
    console.error(`fw3640: console: ${(error as Error).message}`);
    process.exitCode = EXIT.runtime;
    return;
  }
  log.monitor = (line) => server.monitor(line);
  router.say(6, '%SYS', `${options.config}: ${inert.length} lines accepted without effect`, 'CONFIG');
  stopOnSignal(router, log, () => {
    server.close();
    system.stop();
  });
}

/** Reads and parses a configuration; errors are printed, and set the exit code. */
export function readConfig(file: string): (ParsedConfig & { text: string }) | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    console.error(`fw3640: ${file}: ${(error as Error).message}`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  const parsed = parseConfig(text, file);
  for (const e of parsed.errors) console.error(formatConfigError(e));
  if (!parsed.errors.some((e) => e.severity === 'error')) return { ...parsed, text };
  process.exitCode = EXIT.usage;
  return undefined;
}

/** `IOS=LINUX` pairs to a map, or what is wrong with them. */
function readBindings(pairs: readonly string[]): Map<string, string> | string {
  const bindings = new Map<string, string>();
  for (const pair of pairs) {
    const [, name, device] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    const canonical = name === undefined ? undefined : canonicalInterface(name);
    if (canonical === undefined || device === undefined) {
      return `--interface ${pair}: give it as IOS=LINUX, for example Ethernet2/0=eth1`;
    }
    if (bindings.has(canonical)) return `--interface ${pair}: ${canonical} is given twice`;
    bindings.set(canonical, device);
  }
  return bindings;
}

function stopOnSignal(router: Router, log: Log, closeEdges: () => void): void {
  const stop = (signal: NodeJS.Signals): void => {
    router.say(5, '%SYS', `${signal}: the router stops`, 'RELOAD');
    closeEdges();
    try {
      router.stop();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      console.error(`fw3640: ${error.message}`);
      process.exitCode = EXIT.runtime;
    }
    log.flush();
    process.exit();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
