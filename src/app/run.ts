/** `fw3640 run`: the daemon, from reading the configuration to the last undone change. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatConfigError, parseConfig, type ParsedConfig } from '../ios/config/parse.js';
import { unsupported } from '../ios/config/unsupported.js';
import { canonicalInterface } from '../ios/interface-name.js';
import { ConsoleSession } from '../ios/exec/session.js';
import { RouterConsole } from '../control/console.js';
import { certificateOf } from '../control/certificate.js';
import { LiveWatch } from '../control/live-watch.js';
import { Management } from '../control/management.js';
import { openMessages, StartupFile } from '../control/startup-file.js';
import { tuneCompiler } from '../io/compiler.js';
import { ConsoleServer } from '../io/console-server.js';
import { checkBindings } from '../host/host-plan.js';
import { parseEndpoint, VtyServer } from '../io/vty-server.js';
import type { InertLine } from '../ios/config/model.js';
import type { Listener } from '../ios/management-plane.js';
import type { Message } from '../ios/messages.js';
import { System } from '../host/system.js';
import { HostError } from '../host/host-system.js';
import { EXIT } from './exit.js';
import { Log, type LogFormat } from '../io/log.js';
import { LogFile, openOutput } from '../io/log-output.js';
import { Syslog } from '../io/syslog.js';
import { ServiceManager } from '../io/service-manager.js';
import { whyOneShard } from '../control/one-shard.js';
import { Router } from '../control/router.js';
import { RefusedError } from '../control/data-plane-process.js';

const STANDARD_OUTPUT = 1;
const MOST_QUEUE = 65_535;

export interface RunOptions {
  config: string;
  /** `Ethernet2/0=eth1`, as given. */
  interface: string[];
  queue: number;
  /** How many data planes. */
  shards: number;
  failOpen: boolean;
  /** Keep unknown lines that are housekeeping, instead of refusing the file. */
  lenient: boolean;
  logLevel: string;
  logFormat: LogFormat;
  /** The log goes there instead of to standard output. */
  logFile?: string;
  socket: string;
  /** Directory of flash:; `flash` beside the configuration file if absent. */
  flash?: string;
  /** ADDRESS:PORT of the terminal lines. */
  vty?: string;
  /** Certificates of authorities for syslog servers, PEM. */
  syslogCa?: string;
  /** ADDRESS:PORT of the metrics. */
  metrics?: string;
  maxSessions: number;
  /** Version of fw3640. */
  release: string;
}

/** Starts the router; signals end it or reload its configuration. A refusal is printed and sets the exit code. */
export async function run(options: RunOptions): Promise<void> {
  const parsed = readConfig(options.config, options.lenient);
  if (parsed === undefined) return;
  const { config, inert, text } = parsed;
  const bindings = readBindings(options.interface);
  const faults =
    typeof bindings === 'string'
      ? [bindings]
      : [...unsupported(config).map((u) => u.reason), ...checkBindings(config, bindings)];
  if (typeof bindings === 'string' || faults.length > 0) {
    for (const fault of faults) console.error(`fw3640: ${fault}`);
    process.exitCode = EXIT.usage;
    return;
  }
  const { shards } = options;
  const oneShard = shards === 1 ? undefined : whyOneShard(config, new Set(bindings.keys()));
  const wrong =
    oneShard !== undefined
      ? `--shards ${shards}: ${oneShard}`
      : options.queue + shards - 1 > MOST_QUEUE
        ? `--queue ${options.queue}: ${shards} shards need as many queues, and the last one is ${MOST_QUEUE}`
        : undefined;
  if (wrong !== undefined) {
    console.error(`fw3640: ${wrong}`);
    process.exitCode = EXIT.usage;
    return;
  }
  let file: LogFile | undefined;
  let syslogCa: string | undefined;
  try {
    syslogCa = options.syslogCa === undefined ? undefined : readFileSync(options.syslogCa, 'utf8');
  } catch (error) {
    console.error(`fw3640: --syslog-ca: ${(error as Error).message}`);
    process.exitCode = EXIT.usage;
    return;
  }
  let always: Listener[];
  try {
    always =
      options.metrics === undefined ? [] : [{ service: 'metrics', ...parseEndpoint(options.metrics, '--metrics') }];
  } catch (error) {
    console.error(`fw3640: ${(error as Error).message}`);
    process.exitCode = EXIT.usage;
    return;
  }
  try {
    file = options.logFile === undefined ? undefined : new LogFile(options.logFile);
  } catch (error) {
    console.error(`fw3640: --log-file: ${(error as Error).message}`);
    process.exitCode = EXIT.usage;
    return;
  }
  tuneCompiler();
  let router: Router | undefined;
  const log = new Log(
    {
      format: options.logFormat,
      level: options.logLevel,
      output: file ?? openOutput(STANDARD_OUTPUT),
      timestamps: () => (router?.config ?? config).timestamps,
      logging: () => (router?.config ?? config).logging,
      hostname: () => (router?.config ?? config).hostname,
    },
    new Syslog(undefined, syslogCa),
  );
  try {
    const { queue, failOpen, maxSessions } = options;
    router = await Router.start({ config, bindings, queue, shards, failOpen, maxSessions, log });
  } catch (error) {
    if (!(error instanceof HostError || error instanceof RefusedError)) throw error;
    console.error(`fw3640: ${error.message}`);
    process.exitCode = EXIT.runtime;
    return;
  }
  const live = router;
  log.leftOut = () => live.leftOut;
  const system = new System(options.release, bindings, () => live.load);
  const view = new RouterConsole(
    router,
    system,
    new StartupFile(options.config, options.lenient, text),
    options.flash ?? join(dirname(options.config), 'flash'),
  );
  let closeTerminals: () => void;
  try {
    closeTerminals = await openTerminals(options, view, log);
  } catch (error) {
    await router.stop();
    console.error(`fw3640: ${(error as Error).message}`);
    process.exitCode = EXIT.runtime;
    system.stop();
    return;
  }
  const watch: LiveWatch = new LiveWatch(router, system, () => management);
  const management: Management = new Management({
    view,
    live: () => watch.frame(),
    say: (severity, facility, text, mnemonic) => live.say(severity, facility, text, mnemonic),
    always,
    certificate: (config) => certificateOf(`${options.config}.https.pem`, config),
  });
  view.web = { connections: () => management.open };
  live.configured = () => management.configure();
  for (const line of inert) log.write(inertMessage(options.config, line));
  for (const message of openMessages(options.config, config)) log.write(message);
  if (shards > 1)
    router.say(
      6,
      '%FW3640',
      `${shards} shards, queues ${options.queue} to ${options.queue + shards - 1}`,
      'DATA_PLANE',
    );
  router.say(5, '%SYS', 'System restarted --', 'RESTART');
  management.configure();
  const manager = new ServiceManager();
  let reloaded = Promise.resolve();
  process.on('SIGHUP', () => {
    manager.reloading();
    reloaded = reloaded.then(() => reread(options.config, view)).finally(() => manager.reloaded());
  });
  // Without a log file nothing is to be done, and the signal must not end us.
  process.on('SIGUSR2', () => reopen(file, live));
  stopOnSignal(router, log, () => {
    manager.stopping();
    closeTerminals();
    watch.stop();
    management.stop();
    system.stop();
  });
  manager.started(() => live.isWell);
}

/** Opens the console socket and, if asked for, the terminal lines. @returns what closes them. */
async function openTerminals(options: RunOptions, view: RouterConsole, log: Log): Promise<() => void> {
  const console = await ConsoleServer.listen(
    options.socket,
    (privilege) => new ConsoleSession(view, 'console', privilege),
  );
  let vty: VtyServer | undefined;
  try {
    vty = options.vty === undefined ? undefined : await VtyServer.listen(options.vty, view);
  } catch (error) {
    console.close();
    throw error;
  }
  log.consoles = (line) => console.monitor(line);
  log.monitor = (line) => vty?.monitor(line);
  return () => {
    console.close();
    vty?.close();
  };
}

/** SIGUSR2: somebody has moved the log file away. */
function reopen(file: LogFile | undefined, router: Router): void {
  const refused = file?.reopen();
  if (refused !== undefined) router.say(3, '%SYS', `the log goes on in the old file: ${refused}`, 'LOGGER_FILE');
}

/** SIGHUP: the file again. One with an error changes nothing, and says so. */
async function reread(file: string, view: RouterConsole): Promise<void> {
  if ((await view.loadStartup()) === undefined)
    view.actions.log(5, 'SYS-5-CONFIG_I', `Configured from ${file} by SIGHUP`);
}

/** A configuration line that has no effect here; a warning where the router would have protected more with it. */
function inertMessage(file: string, line: InertLine): Message {
  const severity = line.weakens === undefined ? 6 : 4;
  return {
    severity,
    mnemonic: `%PARSER-${severity}-NOEFFECT`,
    text: `accepted without effect: ${line.text.trim()}`,
    fields: {
      file,
      line: line.line,
      command: line.text.trim(),
      ...(line.weakens !== undefined && { why: line.weakens }),
    },
  };
}

/** Reads and parses a configuration; errors are printed, and set the exit code. */
export function readConfig(file: string, lenient = false): (ParsedConfig & { text: string }) | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    console.error(`fw3640: ${file}: ${(error as Error).message}`);
    process.exitCode = EXIT.usage;
    return undefined;
  }
  const parsed = parseConfig(text, file, { whole: true, lenient });
  for (const e of parsed.errors) console.error(formatConfigError(e));
  if (!parsed.errors.some((e) => e.severity === 'error')) return { ...parsed, text };
  process.exitCode = EXIT.usage;
  return undefined;
}

/**
 * `IOS=WHAT` pairs to a map from canonical interface name, or what is wrong with them.
 * @param option,example for the message
 */
export function readBindings(
  pairs: readonly string[],
  option = '--interface',
  example = 'eth1',
): Map<string, string> | string {
  const bindings = new Map<string, string>();
  for (const pair of pairs) {
    const [, name, device] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    const canonical = name === undefined ? undefined : canonicalInterface(name);
    if (canonical === undefined || device === undefined) {
      return `${option} ${pair}: give it as IOS=NAME, for example Ethernet2/0=${example}`;
    }
    if (bindings.has(canonical)) return `${option} ${pair}: ${canonical} is given twice`;
    bindings.set(canonical, device);
  }
  return bindings;
}

function stopOnSignal(router: Router, log: Log, closeEdges: () => void): void {
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    router.say(5, '%SYS', `${signal}: the router stops`, 'RELOAD');
    closeEdges();
    try {
      await router.stop();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      console.error(`fw3640: ${error.message}`);
      process.exitCode = EXIT.runtime;
    }
    await log.end();
    process.exit();
  };
  // For a restart or an upgrade: another control plane follows, and packets go on meanwhile.
  const leave = async (): Promise<void> => {
    router.say(5, '%SYS', 'SIGUSR1: the control plane ends, the data plane goes on', 'RELOAD');
    closeEdges();
    router.leave();
    await log.end();
    process.exit();
  };
  let ends = false;
  const once = (end: () => Promise<void>): void => {
    if (!ends) void end();
    ends = true;
  };
  process.on('SIGUSR1', () => once(leave));
  process.on('SIGTERM', (signal) => once(() => stop(signal)));
  process.on('SIGINT', (signal) => once(() => stop(signal)));
}
