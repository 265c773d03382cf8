/** `show logging` (reference §10). */
import type { LogView } from '../exec/router.js';
import type { LoggingConfig, Severity } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { SEVERITIES, nameOf } from '../number-names.js';

export function showLogging(logging: LoggingConfig, log: LogView): string {
  const counts = log.counts();
  const to = (what: string, level: Severity | undefined, logged: number): string[] => {
    const indent = ' '.repeat(what.length + 5);
    if (level === undefined) return [`    ${what}: disabled, xml disabled,`, `${indent} filtering disabled`];
    return [
      `    ${what}: level ${nameOf(SEVERITIES, level)}, ${logged} messages logged, xml disabled,`,
      `${indent} filtering disabled`,
    ];
  };
  const lines = [
    `Syslog logging: ${logging.on ? 'enabled' : 'disabled'} (${counts.dropped} messages dropped, ${counts.rateLimited} messages rate-limited,`,
    '                0 flushes, 0 overruns, xml disabled, filtering disabled)',
    ...to('Console logging', logging.console, counts.console),
    ...to('Monitor logging', logging.monitor, counts.monitor),
    ...to('Buffer logging', logging.buffered, counts.buffer),
    '    Logging Exception size (4096 bytes)',
    '    Count and timestamp logging messages: disabled',
    ...trap(logging, counts.trap),
  ];
  // Without a buffer the router says no more.
  if (logging.buffered !== undefined) lines.push('', `Log Buffer (${logging.bufferSize} bytes):`, '', ...log.lines());
  return `${lines.join('\n')}\n`;
}

function trap({ trap: level, hosts, servers }: LoggingConfig, logged: number): string[] {
  if (level === undefined) return ['    Trap logging: disabled'];
  return [
    `    Trap logging: level ${nameOf(SEVERITIES, level)}, ${logged} message lines logged`,
    ...[
      ...hosts.map((h) => formatAddress(h)),
      ...servers.map((s) => `${formatAddress(s.address)} (${s.transport} port ${s.port})`),
    ].map(
      (to) =>
        `        Logging to ${to}, ${logged} message lines logged, xml disabled,\n               filtering disabled`,
    ),
  ];
}
