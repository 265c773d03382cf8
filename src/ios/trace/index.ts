/** `fw3640 trace`: from the words behind it to the answer. */
import { parseConfig, formatConfigError } from '../config/parse.js';
import type { RouterConfig } from '../config/model.js';
import { matchLine } from '../grammar/match.js';
import { parseSyntax } from '../grammar/syntax.js';
import { canonicalInterface } from '../interface-name.js';
import { explain } from './explain.js';
import { formatTrace } from './format.js';
import { PROBE_SYNTAX, readProbe } from './probe.js';

const GRAMMAR = {
  kind: 'sequence' as const,
  parts: [parseSyntax(PROBE_SYNTAX), { kind: 'end' as const, action: undefined }],
};

/** The console command that asks a running router the same. */
export const traceCommand = (ingress: string, words: readonly string[]): string =>
  `packet-tracer input ${ingress} ${words.join(' ')}`;

/**
 * Asks a configuration file what the router would do with a packet.
 * @param ingress interface as typed; `words` e.g. `tcp 198.51.100.7 40000 172.22.1.110 25`
 * @param mapped names of the interfaces that Linux has; undefined: all that can be
 * @returns text to print; exit code 0, or 2 where configuration or words are wrong
 */
export function traceConfig(
  text: string,
  file: string,
  ingress: string,
  words: readonly string[],
  mapped?: ReadonlySet<string>,
): { report: string; exitCode: 0 | 2 } {
  const { config, errors } = parseConfig(text, file, { whole: true });
  const wrong = errors.filter((e) => e.severity === 'error');
  if (wrong.length > 0) return { report: wrong.map((e) => `${formatConfigError(e)}\n`).join(''), exitCode: 2 };
  const name = canonicalInterface(ingress);
  if (name === undefined) return { report: `${ingress} is no name of an interface\n`, exitCode: 2 };
  const line = words.join(' ');
  const found = matchLine(GRAMMAR, line);
  if (found.kind !== 'match') {
    const column = 'column' in found ? found.column : line.length + 1;
    return { report: `${line}\n${' '.repeat(column - 1)}^\nExpected: ${PROBE_USAGE}\n`, exitCode: 2 };
  }
  const unknown = unknownInterface(config, name);
  if (unknown !== undefined) return { report: `${unknown}\n`, exitCode: 2 };
  return { report: formatTrace(explain({ config, mapped }, readProbe(name, found.match)), file), exitCode: 0 };
}

/** What is to be said of an interface that the configuration does not have; undefined: it has it. */
export function unknownInterface(config: RouterConfig, name: string): string | undefined {
  const names = config.interfaces.map((i) => i.name);
  return names.includes(name) ? undefined : `there is no interface ${name}: the configuration has ${names.join(', ')}`;
}

export const PROBE_USAGE =
  'tcp|udp SOURCE PORT DESTINATION PORT, icmp SOURCE DESTINATION TYPE, or ip PROTOCOL SOURCE DESTINATION';
