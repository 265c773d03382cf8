/** `ip inspect …` in global configuration: inspection rules, timeouts, thresholds (Security Command Reference, CBAC). */
import { isAllowable, isNotAllowable } from '../../core/inspect/smtp/grammar.js';
import { inspectDefaults, smtpDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { InspectGlobals, ProtocolName, SmtpOptions } from '../../core/policy.js';
import type { InspectedProtocol } from '../config/model.js';
import { FEATURES } from '../features/index.js';
import type { Command } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { NOT_ALLOWED } from '../reasons.js';

/**
 * What the router answers to the second of `smtp` and `esmtp`. No source has the text: recalled from consoles, see
 * ios-firewall.md §2.1. Key: the one that is being configured.
 */
const CANNOT_COEXIST = {
  smtp: '%SMTP cannot coexist with ESMTP, please unconfigure ESMTP and try again..',
  esmtp: '%ESMTP cannot coexist with SMTP, please unconfigure SMTP and try again..',
} as const;

const SWITCHES = '[alert ALERT:{on | off}] [audit-trail AUDIT:{on | off}]';
const TIMEOUT = '[timeout SECONDS:<5-43200>]';
const COMMON = `${SWITCHES} ${TIMEOUT}`;

function addProtocol(editor: ConfigEditor, m: Match, more: Partial<InspectedProtocol> = {}): void {
  const { inspectionRules } = editor.config;
  const name = m.word('NAME');
  const protocol = m.word('PROTOCOL') as ProtocolName;
  const rule = inspectionRules.get(name) ?? { name, protocols: [] };
  const rival = protocol === 'smtp' ? 'esmtp' : 'smtp';
  if ((protocol === 'smtp' || protocol === 'esmtp') && rule.protocols.some((p) => p.protocol === rival)) {
    editor.refuse(CANNOT_COEXIST[protocol], m.column('PROTOCOL'));
    return;
  }
  const inspected: InspectedProtocol = { protocol, ...more, line: editor.line };
  if (m.has('ALERT')) inspected.alert = m.word('ALERT') === 'on';
  if (m.has('AUDIT')) inspected.auditTrail = m.word('AUDIT') === 'on';
  if (m.has('SECONDS')) inspected.timeout = m.number('SECONDS');
  const at = rule.protocols.findIndex((p) => p.protocol === protocol);
  if (at < 0) rule.protocols.push(inspected);
  else rule.protocols[at] = inspected;
  inspectionRules.set(name, rule);
}

function removeProtocol(editor: ConfigEditor, m: Match): void {
  const { inspectionRules } = editor.config;
  const rule = inspectionRules.get(m.word('NAME'));
  if (rule === undefined) return;
  if (m.has('PROTOCOL')) rule.protocols = rule.protocols.filter((p) => p.protocol !== m.word('PROTOCOL'));
  // The last protocol takes the name with it, as IOS has no line for an empty rule.
  if (!m.has('PROTOCOL') || rule.protocols.length === 0) inspectionRules.delete(rule.name);
}

/** Refuses `allow` with a word behind which the dialogue cannot be followed, or that is none. */
function mayAllow(editor: ConfigEditor, m: Match): boolean {
  const word = m
    .word('ALLOW')
    .split(',')
    .find((w) => !isAllowable(w.toUpperCase()));
  if (word === undefined) return true;
  const verb = word.toUpperCase();
  const reason = isNotAllowable(verb) ? NOT_ALLOWED[verb] : 'it is no verb or extension';
  editor.refuse(`${word} cannot be allowed: ${reason}`, m.column('ALLOW'));
  return false;
}

function smtpOptions(m: Match): SmtpOptions {
  const options = smtpDefaults();
  if (m.has('BYTES')) options.maxData = m.number('BYTES');
  if (m.has('LENGTH')) options.lineLength = m.number('LENGTH');
  options.monitorOnly = m.has('monitor-only');
  options.maskEhlo = m.optionalWord('MASK') !== 'off';
  if (m.has('ALLOW')) options.allow = m.word('ALLOW').toUpperCase().split(',');
  return options;
}

/** A command that sets one number of `ip inspect`. */
function setting(
  syntax: string,
  key: keyof InspectGlobals,
  words: string,
  help: Record<string, string>,
): Command<ConfigEditor> {
  const [path, range] = [syntax.slice(0, syntax.lastIndexOf(' ')), syntax.slice(syntax.lastIndexOf(' ') + 1)];
  return {
    syntax: `${path} VALUE:${range}`,
    unsetSyntax: `${path} [VALUE:${range}]`,
    help: { VALUE: words, ...help },
    set: ({ config }, m) => Object.assign(config.inspect, { [key]: m.number('VALUE') }),
    unset: ({ config }) => Object.assign(config.inspect, { [key]: inspectDefaults()[key] }),
  };
}

/** A command that sets a threshold, and keeps low at or under high as IOS does. */
function threshold(
  what: 'max-incomplete' | 'one-minute',
  end: 'high' | 'low',
  help: Record<string, string>,
): Command<ConfigEditor> {
  const prefix = what === 'max-incomplete' ? 'maxIncomplete' : 'oneMinute';
  const [high, low] = [`${prefix}High`, `${prefix}Low`] as const;
  const [mine, other] = end === 'high' ? [high, low] : [low, high];
  const apply = (editor: ConfigEditor, value: number): void => {
    const { inspect } = editor.config;
    inspect[mine] = value;
    if (inspect[low] <= inspect[high]) return;
    const name = end === 'high' ? 'low' : 'high';
    editor.say(`%Also resetting ${name} threshold from [${inspect[other]}] to [${value}]`);
    inspect[other] = value;
  };
  return {
    syntax: `ip inspect ${what} ${end} VALUE:<1-2147483647>`,
    unsetSyntax: `ip inspect ${what} ${end} [VALUE:<1-2147483647>]`,
    help: { VALUE: `Number of ${what === 'one-minute' ? 'connections' : 'half-open connections'}`, ...help },
    set: (editor, m) => apply(editor, m.number('VALUE')),
    unset: (editor) => apply(editor, inspectDefaults()[mine]),
  };
}

export const INSPECT_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: `ip inspect name NAME:WORD PROTOCOL:{tcp | udp | icmp} ${COMMON} [router-traffic]`,
    help: {
      ip: 'Global IP configuration subcommands',
      inspect: 'Context-based Access Control Engine',
      'inspect name': 'Specify an inspection rule',
      NAME: 'Name of inspection defined (16 characters maximum)',
      'NAME tcp': 'Transmission Control Protocol',
      'NAME udp': 'User Datagram Protocol',
      'NAME icmp': 'ICMP Protocol',
      alert: 'Turn on/off alert',
      'audit-trail': 'Turn on/off audit trail',
      on: 'Turn on',
      off: 'Turn off',
      timeout: 'Specify the inactivity timeout time',
      SECONDS: 'Timeout in seconds',
      'router-traffic': 'Enable inspection of sessions to/from the router',
    },
    set: (editor, m) => addProtocol(editor, m, m.has('router-traffic') ? { routerTraffic: true } : {}),
  },
  {
    syntax: `ip inspect name NAME:WORD PROTOCOL:{ftp} ${COMMON}`,
    help: { 'NAME ftp': 'File Transfer Protocol' },
    set: addProtocol,
  },
  {
    syntax: `ip inspect name NAME:WORD PROTOCOL:{http} [java-list LIST:<1-99>] ${COMMON}`,
    help: {
      'NAME http': 'HTTP Protocol',
      'java-list': 'Specify a standard access-list to apply the Java blocking',
      LIST: 'Standard access list number',
    },
    set: (editor, m) => addProtocol(editor, m, m.has('LIST') ? { javaList: String(m.number('LIST')) } : {}),
  },
  {
    syntax:
      `ip inspect name NAME:WORD PROTOCOL:{smtp} ${COMMON} ` +
      '[max-data BYTES:<1-4294967295>] [line-length LENGTH:<512-4096>] [monitor-only]',
    help: {
      'NAME smtp': 'Simple Mail Transfer Protocol',
      'max-data': 'Specify the maximum data in a single SMTP session',
      BYTES: 'Maximum number of bytes',
      'line-length': 'Longest command line (fw3640 extension)',
      LENGTH: 'Bytes with CR LF',
      'monitor-only': 'Inspect and log, alter nothing (fw3640 extension)',
    },
    set: (editor, m) => addProtocol(editor, m, { smtp: smtpOptions(m) }),
  },
  {
    syntax:
      `ip inspect name NAME:WORD PROTOCOL:{esmtp} ${COMMON} ` +
      '[max-data BYTES:<1-4294967295>] [line-length LENGTH:<512-4096>] [monitor-only] [mask-ehlo MASK:{on | off}] [allow ALLOW:WORD]',
    help: {
      'NAME esmtp': 'Extended SMTP',
      'mask-ehlo': 'Mask offers in the EHLO reply that inspection does not pass (fw3640 extension)',
      allow: 'Pass further verbs and extensions (fw3640 extension)',
      ALLOW: 'Verbs and extensions, separated by commas: STARTTLS,BDAT',
    },
    set: (editor, m) => {
      if (m.has('ALLOW') && !mayAllow(editor, m)) return;
      addProtocol(editor, m, { smtp: smtpOptions(m) });
    },
  },
  ...FEATURES.map((f): Command<ConfigEditor> => ({
    syntax: `ip inspect name NAME:WORD PROTOCOL:{${f.protocol}} ${SWITCHES} ${f.syntax} ${TIMEOUT}`,
    help: { [`NAME ${f.protocol}`]: f.title, ...f.help },
    set: (editor, m) => addProtocol(editor, m, { options: f.read(m) }),
  })),
  {
    syntax: `ip inspect name NAME:WORD [PROTOCOL:{tcp | udp | icmp | ftp | http | smtp | esmtp | ${FEATURES.map((f) => f.protocol).join(' | ')}} [OPTIONS:LINE]]`,
    // The options behind `no … PROTOCOL` are not looked at, as IOS does not.
    unset: removeProtocol,
  },
  {
    syntax: 'ip inspect audit-trail',
    help: { 'inspect audit-trail': 'Enable the logging of session information (addresses and bytes)' },
    set: ({ config }) => void (config.inspect.auditTrail = true),
    unset: ({ config }) => void (config.inspect.auditTrail = false),
  },
  {
    syntax: 'ip inspect alert-off',
    help: { 'alert-off': 'Disable alert' },
    set: ({ config }) => void (config.inspect.alertOff = true),
    unset: ({ config }) => void (config.inspect.alertOff = false),
  },
  {
    syntax: 'ip inspect log drop-pkt',
    help: { log: 'Inspect packet logging', 'drop-pkt': 'Enable logging of dropped packets' },
    set: ({ config }) => void (config.inspect.logDropPkt = true),
    unset: ({ config }) => void (config.inspect.logDropPkt = false),
  },
  threshold('max-incomplete', 'high', {
    'max-incomplete': 'Specify maximum number of incomplete connections before clamping',
    high: 'Specify high-watermark for clamping',
    low: 'Specify low-watermark for clamping',
  }),
  threshold('max-incomplete', 'low', {}),
  threshold('one-minute', 'high', { 'one-minute': 'Specify one-minute-sample watermarks for clamping' }),
  threshold('one-minute', 'low', {}),
  setting('ip inspect tcp synwait-time <1-2147483>', 'tcpSynwait', 'Seconds', {
    'inspect tcp': 'Config timeout values for tcp connections',
    'synwait-time': 'Specify timeout for TCP connections after SYN and no further data',
  }),
  setting('ip inspect tcp finwait-time <1-2147483>', 'tcpFinwait', 'Seconds', {
    'finwait-time': 'Specify timeout for TCP connections after a FIN',
  }),
  setting('ip inspect tcp idle-time <1-2147483>', 'tcpIdle', 'Seconds', {
    'idle-time': 'Specify idle timeout for tcp connections',
  }),
  setting('ip inspect udp idle-time <1-2147483>', 'udpIdle', 'Seconds', {
    'inspect udp': 'Config timeout values for udp flows',
    'udp idle-time': 'Specify idle timeout for udp flows',
  }),
  setting('ip inspect dns-timeout <1-2147483>', 'dnsTimeout', 'Seconds', {
    'dns-timeout': 'Specify timeout for DNS',
  }),
  {
    syntax: 'ip inspect tcp max-incomplete host HOST:<1-2147483647> [block-time MINUTES:<0-35791>]',
    unsetSyntax: 'ip inspect tcp max-incomplete host [HOST:<1-2147483647> [block-time MINUTES:<0-35791>]]',
    help: {
      'tcp max-incomplete': 'Specify max half-open connection per host',
      'max-incomplete host': 'Specify max half-open connections for a destination host',
      HOST: 'Number of connections',
      'block-time': 'Specify blocking-time',
      MINUTES: 'Blocking time in minutes',
    },
    set: ({ config }, m) => {
      config.inspect.hostMaxIncomplete = m.number('HOST');
      config.inspect.hostBlockMinutes = m.optionalNumber('MINUTES') ?? 0;
    },
    unset: ({ config }) => {
      const { hostMaxIncomplete, hostBlockMinutes } = inspectDefaults();
      Object.assign(config.inspect, { hostMaxIncomplete, hostBlockMinutes });
    },
  },
  setting('ip inspect tcp reassembly queue length <0-1024>', 'reassemblyQueueLength', 'Packets', {
    reassembly: 'Specify TCP reassembly parameters',
    queue: 'Queue of out-of-order packets',
    'queue length': 'Length of the queue of one direction of a session',
  }),
  setting('ip inspect tcp reassembly timeout <1-3600>', 'reassemblyTimeout', 'Seconds', {
    'reassembly timeout': 'Timeout of the queue',
  }),
  setting('ip inspect tcp reassembly memory limit <1-4194303>', 'reassemblyMemoryKb', 'KBytes', {
    memory: 'Memory of all queues',
    limit: 'Upper limit',
  }),
  {
    syntax: 'ip inspect tcp reassembly alarm STATE:{on | off}',
    unsetSyntax: 'ip inspect tcp reassembly alarm [STATE:{on | off}]',
    help: { alarm: 'Alert where the queue gives up' },
    set: ({ config }, m) => void (config.inspect.reassemblyAlarm = m.word('STATE') === 'on'),
    unset: ({ config }) => void (config.inspect.reassemblyAlarm = inspectDefaults().reassemblyAlarm),
  },
  setting('ip inspect transcript <1-1000>', 'transcripts', 'Dialogues that are kept', {
    'inspect transcript': 'Keep transcripts of inspected dialogues (fw3640 extension)',
  }),
];
