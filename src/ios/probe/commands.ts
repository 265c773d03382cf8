/** `ping` and `traceroute`. User EXEC has the short forms. */
import type { ExecCommand } from '../exec/context.js';
import type { Match } from '../grammar/match.js';
import { pingDialogue, tracerouteDialogue } from './dialogues.js';
import { PING_DEFAULTS, PingJob } from './ping.js';
import { TRACEROUTE_DEFAULTS, TracerouteJob } from './traceroute.js';
import type { Source } from './way.js';

const SOURCE = '[source {SOURCE:ADDRESS | INTERFACE:INTERFACE}]';

function sourceOf(m: Match): Source | undefined {
  if (m.has('SOURCE')) return { address: m.number('SOURCE') };
  return m.has('INTERFACE') ? { interfaceName: m.word('INTERFACE') } : undefined;
}

const PING_HELP = {
  ping: 'Send echo messages',
  'ping ip': 'IP echo',
  TARGET: 'Ping destination address or hostname',
  'df-bit': 'enable do not fragment bit in IP header',
  repeat: 'specify repeat count',
  COUNT: 'repeat count',
  size: 'specify datagram size',
  SIZE: 'datagram size',
  source: 'specify source address or name',
  SOURCE: 'source address',
  timeout: 'specify timeout interval',
  SECONDS: 'seconds',
};

const TRACEROUTE_HELP = {
  traceroute: 'Trace route to destination',
  'traceroute ip': 'IP Trace',
  TARGET: 'Trace route to destination address or hostname',
  numeric: 'display numeric address',
  port: 'specify port number',
  PORT: 'port number',
  probe: 'specify number of probes per hop',
  PROBES: 'number of probes',
  ttl: 'specify minimum and maximum ttl',
  MIN: 'minimum ttl',
  MAX: 'maximum ttl',
};

export const PROBE_COMMANDS: readonly ExecCommand[] = [
  {
    privilege: 1,
    syntax: 'ping {ip TARGET:WORD | TARGET:WORD}',
    help: PING_HELP,
    set: ({ router, terminal }, m) => terminal.run(new PingJob(router, { ...PING_DEFAULTS, target: m.word('TARGET') })),
  },
  {
    privilege: 15,
    syntax: `ping {ip TARGET:WORD | TARGET:WORD} [repeat COUNT:<1-2147483647>] [size SIZE:<36-18024>] [timeout SECONDS:<0-3600>] ${SOURCE} [df-bit]`,
    help: PING_HELP,
    set: ({ router, terminal }, m) =>
      terminal.run(
        new PingJob(router, {
          ...PING_DEFAULTS,
          target: m.word('TARGET'),
          repeat: m.optionalNumber('COUNT') ?? PING_DEFAULTS.repeat,
          size: m.optionalNumber('SIZE') ?? PING_DEFAULTS.size,
          timeout: m.optionalNumber('SECONDS') ?? PING_DEFAULTS.timeout,
          source: sourceOf(m),
          dontFragment: m.has('df-bit'),
        }),
      ),
  },
  { privilege: 15, syntax: 'ping [ip]', help: PING_HELP, set: (exec, m) => pingDialogue(exec, !m.has('ip')) },
  {
    privilege: 1,
    syntax: 'traceroute {ip TARGET:WORD | TARGET:WORD}',
    help: TRACEROUTE_HELP,
    set: ({ router, terminal }, m) =>
      terminal.run(new TracerouteJob(router, { ...TRACEROUTE_DEFAULTS, target: m.word('TARGET') })),
  },
  {
    privilege: 15,
    syntax: `traceroute {ip TARGET:WORD | TARGET:WORD} [numeric] [port PORT:<0-65535>] [probe PROBES:<1-65535>] ${SOURCE} [timeout SECONDS:<0-3600>] [ttl MIN:<1-255> MAX:<1-255>]`,
    help: TRACEROUTE_HELP,
    set: ({ router, terminal }, m) => {
      const minTtl = m.optionalNumber('MIN') ?? TRACEROUTE_DEFAULTS.minTtl;
      const options = {
        ...TRACEROUTE_DEFAULTS,
        target: m.word('TARGET'),
        source: sourceOf(m),
        numeric: m.has('numeric'),
        timeout: m.optionalNumber('SECONDS') ?? TRACEROUTE_DEFAULTS.timeout,
        probes: m.optionalNumber('PROBES') ?? TRACEROUTE_DEFAULTS.probes,
        minTtl,
        maxTtl: Math.max(minTtl, m.optionalNumber('MAX') ?? TRACEROUTE_DEFAULTS.maxTtl),
        port: m.optionalNumber('PORT') ?? TRACEROUTE_DEFAULTS.port,
      };
      terminal.run(new TracerouteJob(router, options));
    },
  },
  {
    privilege: 15,
    syntax: 'traceroute [ip]',
    help: TRACEROUTE_HELP,
    set: (exec, m) => tracerouteDialogue(exec, !m.has('ip')),
  },
];
