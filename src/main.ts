#!/usr/bin/env node
/** The command `fw3640`: arguments, help, exit codes. 0: done, 1: the system refused, 2: usage or configuration. */
import './app/node-version.js';
import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import {
  check,
  type CheckCommand,
  cleanup,
  openConsole,
  trace,
  type TraceOptions,
  transcript,
  type TranscriptOptions,
} from './app/commands.js';
import { tableOf } from './app/command-table.js';
import { completion, type Shell, SHELLS } from './app/completion.js';
import { capture, type CaptureOptions } from './app/capture.js';
import { EXIT } from './app/exit.js';
import { PROBE_USAGE } from './ios/trace/index.js';
import { MOST_SHARDS } from './core/shard/steering.js';
import { replay, type ReplayOptions } from './app/replay.js';
import { run, type RunOptions } from './app/run.js';
import { top } from './app/top.js';

const LENIENT = 'keep unknown lines that are housekeeping, with a warning, instead of refusing the file';
const DEFAULT_SOCKET = '/run/fw3640/console.sock';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** A parser for whole numbers in a range. */
const integer =
  (least: number, most: number) =>
  (text: string): number => {
    const n = Number(text);
    if (!Number.isInteger(n) || n < least || n > most) throw new InvalidArgumentError(`a number ${least}..${most}.`);
    return n;
  };

const collect = (value: string, before: string[]): string[] => [...before, value];

const socketOption = (): Option =>
  new Option('--socket <path>', 'UNIX socket of the console').default(DEFAULT_SOCKET).env('FW3640_SOCKET');

/** Exported for what is made of its tables: completion, the manual page, the test of the documents. */
export const program = new Command('fw3640')
  .description("A Cisco 3640's IOS Firewall between two Linux interfaces")
  .version(version)
  .exitOverride((e) => process.exit(e.exitCode === 0 ? EXIT.ok : EXIT.usage))
  .showHelpAfterError('(fw3640 --help tells more)');

program
  .command('run')
  .description('be the router of a configuration: set up the host, filter, log to standard output')
  .requiredOption('-c, --config <file>', 'IOS running-config')
  .requiredOption(
    '-i, --interface <IOS=LINUX>',
    'which Linux interface an IOS interface is; give it twice',
    collect,
    [],
  )
  .addOption(new Option('--queue <n>', 'NFQUEUE number, of the first shard').default(0).argParser(integer(0, 65535)))
  .addOption(
    new Option('--shards <n>', 'data planes, a queue and a core each').default(1).argParser(integer(1, MOST_SHARDS)),
  )
  .option('--lenient', LENIENT, false)
  .option('--fail-open', 'let packets pass uninspected while fw3640 does not run', false)
  .addOption(
    new Option('--log-level <level>', 'least level that is logged')
      .choices(['fatal', 'error', 'warn', 'info', 'debug'])
      .default('debug'),
  )
  .addOption(new Option('--log-format <format>', 'JSON lines or IOS text').choices(['json', 'ios']).default('json'))
  .option('--log-file <file>', 'the log goes there, not to standard output; SIGUSR2 opens it again')
  .addOption(
    new Option('--max-sessions <n>', 'most sessions at a time').default(262_144).argParser(integer(1, 4_194_304)),
  )
  .addOption(socketOption())
  .option('--flash <directory>', 'where files of flash: are; `flash` beside the configuration if not given')
  .option(
    '--vty <address:port>',
    "serve the configuration's terminal lines (line vty) by telnet; loopback if no address",
  )
  .option('--syslog-ca <file>', 'who vouches for syslog servers over TLS (PEM); the authorities of Node if not given')
  .option('--metrics <address:port>', 'serve /metrics for Prometheus, without a login; loopback if no address')
  .action((options: Omit<RunOptions, 'release'>) => run({ ...options, release: version }));

program.command('cleanup').description('remove rules and addresses that a crashed run left').action(cleanup);

program
  .command('check')
  .description('judge a configuration: errors, and what would have no effect')
  .requiredOption('-c, --config <file>', 'IOS running-config')
  .option('--strict', 'warnings count as errors', false)
  .option('--lenient', LENIENT, false)
  .option('-i, --interface <IOS=LINUX>', 'as run gets it; without it every interface is taken for mapped', collect, [])
  .action((options: CheckCommand) => check(options));

program
  .command('replay')
  .description('what the router of a configuration would have said and done with captured packets')
  .requiredOption('-c, --config <file>', 'IOS running-config')
  .requiredOption(
    '--capture <IOS=FILE>',
    'pcap or pcapng of an interface, gzip or plain, - for standard input; give one for each',
    collect,
    [],
  )
  .option('--out <folder>', 'write what would leave by each interface, and a verdict for each packet')
  .action((options: ReplayOptions) => replay(options));

program
  .command('capture')
  .description('Ethernet frames of interfaces in a pcapng file, each with what the running router made of it')
  .requiredOption(
    '-i, --interface <IOS>',
    'Ethernet2/0, or Ethernet2/0=eth1 where no router runs; give it for each',
    collect,
    [],
  )
  .requiredOption('-w, --write <file>', 'pcapng file, made anew')
  .addOption(new Option('--count <n>', 'end after so many frames').argParser(integer(1, 2 ** 31 - 1)))
  .addOption(new Option('--seconds <s>', 'end after so many seconds').argParser(integer(1, 2_000_000)))
  .option('--filter <filter>', '"access-list 101" of the running router, or an expression of tcpdump')
  .addOption(socketOption())
  .action((options: CaptureOptions) => capture(options));

program
  .command('trace')
  .description('step by step what the running firewall, or a configuration, would do with a packet')
  .requiredOption('--in <interface>', 'IOS interface that the packet comes in by')
  .option('-c, --config <file>', 'ask this configuration instead of the running firewall')
  .option('-i, --interface <IOS=LINUX>', 'with --config: as run gets it', collect, [])
  .addOption(socketOption())
  .argument('<packet...>', PROBE_USAGE)
  .action((words: string[], options: TraceOptions) => trace(words, options));

program
  .command('console')
  .description("the running router's command line; with -e, one command after the other")
  .option('-e, --execute <command>', 'an EXEC command, for example "show ip inspect sessions"', collect, [])
  .option('--json', 'a line of JSON for each command of -e (docs/json.md)', false)
  .addOption(socketOption())
  .action(({ execute, socket, json }: { execute: string[]; socket: string; json: boolean }) =>
    openConsole(socket, execute, json),
  );

program
  .command('completion')
  .description('print the completion of a shell, for example: source <(fw3640 completion bash)')
  .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
  .action((shell: Shell) => void process.stdout.write(completion(tableOf(program), shell)));

// For scripts/man: the tables themselves.
program
  .command('table', { hidden: true })
  .description('print the commands and options as JSON')
  .action(() => void process.stdout.write(`${JSON.stringify(tableOf(program), undefined, 2)}\n`));

program
  .command('transcript')
  .description('inspected dialogues, line by line (ip inspect transcript)')
  .option('--session <id>', 'one session, as "show ip inspect sessions" prints it')
  .option('--follow', 'lines as they come, until interrupted', false)
  .option('--json', 'an object a line', false)
  .addOption(socketOption())
  .action((options: TranscriptOptions) => transcript(options));

program
  .command('top')
  .description('the running router, live in this terminal: rates, thresholds, the most active sessions')
  .option('--once', 'one frame as plain text, for scripts', false)
  .addOption(socketOption())
  .action(({ once, socket }: { once: boolean; socket: string }) => top(socket, once));

await program.parseAsync();
