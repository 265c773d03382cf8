/** The grammars of a console session, built once when first needed. */
import type { Mode } from '../config/editor.js';
import type { ViewName } from '../../core/state/snapshot.js';
import { buildGrammar, HelpTexts } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import type { Json } from '../json/json.js';
import { JSON_SHOWS } from '../json/shows.js';
import { PROBE_COMMANDS } from '../probe/commands.js';
import type { ExecCommand } from './context.js';
import { FILTER_GRAMMAR, FILTER_HELP } from './filter.js';
import type { Vocabulary } from './help.js';
import { CAPTURE_COMMANDS } from './capture-commands.js';
import { CLEAR_COMMANDS } from './clear-commands.js';
import { COPY_COMMANDS } from './copy-commands.js';
import { DEBUG_COMMANDS } from './debug-commands.js';
import { RELOAD_COMMANDS } from './reload-commands.js';
import { SESSION_COMMANDS } from './session-commands.js';
import { TELNET_COMMANDS } from './telnet-commands.js';
import type { ConsoleRouter } from './router.js';
import { SHOW_COMMANDS } from './show-commands.js';
import { TRANSCRIPT_COMMANDS } from './transcript-commands.js';

export const EXEC_COMMANDS: readonly ExecCommand[] = [
  ...SESSION_COMMANDS,
  ...SHOW_COMMANDS,
  ...TRANSCRIPT_COMMANDS,
  ...CLEAR_COMMANDS,
  ...CAPTURE_COMMANDS,
  ...DEBUG_COMMANDS,
  ...PROBE_COMMANDS,
  ...RELOAD_COMMANDS,
  ...COPY_COMMANDS,
  ...TELNET_COMMANDS,
];

/** The value that a command has instead of its text, for who asks for JSON. */
export const jsonOf = (action: unknown): ((router: ConsoleRouter, m: Match) => Json) | undefined => values.get(action);

const values = new Map(EXEC_COMMANDS.flatMap((c) => (c.syntax in JSON_SHOWS ? [[c.set as unknown, JSON_SHOWS[c.syntax]!] as const] : []))); // prettier-ignore

const reads = new Map<unknown, readonly ViewName[]>(EXEC_COMMANDS.map((c) => [c.set, c.reads ?? []]));

/** What the command whose handler a match has found reads of the data plane's state. */
export const readsOf = (action: unknown): readonly ViewName[] => reads.get(action) ?? [];

const printing = new Set<unknown>(EXEC_COMMANDS.filter((c) => c.syntax.startsWith('show ')).map((c) => c.set));

/** Whether the command whose handler a match has found does nothing but print: `show …`. */
export const onlyPrints = (action: unknown): boolean => printing.has(action);

const built = new Map<string, Vocabulary>();

function once(key: string, build: () => Vocabulary): Vocabulary {
  const known = built.get(key) ?? build();
  built.set(key, known);
  return known;
}

/** Commands that a privilege level sees. */
export const execVocabulary = (privilege: number): Vocabulary =>
  once(privilege === 15 ? 'privileged' : 'user', () => {
    const commands = EXEC_COMMANDS.filter((c) => c.privilege <= privilege || c.privilege === 1);
    return { grammar: buildGrammar(commands), help: new HelpTexts(commands.map((c) => c.help)) };
  });

/** Words of every configuration mode, which the session itself carries out. */
export const configWords = (): Vocabulary =>
  once('config', () => {
    const help = {
      do: 'To run exec commands in config mode',
      end: 'Exit from configure mode',
      exit: 'Exit from the current mode',
    };
    const words = [
      { syntax: 'do COMMAND:LINE', help, set: (): void => undefined },
      { syntax: 'end', help, set: (): void => undefined },
      { syntax: 'exit', help, set: (): void => undefined },
    ];
    return { grammar: buildGrammar(words), help: new HelpTexts([help]) };
  });

/** First words of the lines in a block without effect. */
export const blockWords = (words: readonly string[]): Vocabulary => ({
  grammar: buildGrammar(
    words.filter((word) => word !== '').map((word) => ({ syntax: `${word} [REST:LINE]`, set: (): void => undefined })),
  ),
  help: new HelpTexts([], 'Accepted without effect'),
});

/** What stands over the commands of a mode of configuration, by mode or by what its prompt says. */
const HEADINGS: Readonly<Record<string, string>> = {
  global: 'Configure',
  interface: 'Interface configuration',
  'std-nacl': 'Standard Access List configuration',
  'ext-nacl': 'Ext Access List configuration',
  line: 'Line configuration',
  '-pmap': 'QoS policy-map configuration',
  '-pmap-c': 'QoS policy-map class configuration',
  '-cmap': 'QoS class-map configuration',
  '-router': 'Router configuration',
  '-controller': 'Controller configuration',
};

/** @returns undefined for a block whose words nobody here knows well enough */
export function configHeading({ name, prompt, target }: Mode): string | undefined {
  if (name === 'line' && target === 'vty') return 'Virtual Line configuration commands:';
  const heading = HEADINGS[name === 'inert' ? prompt : name];
  return heading === undefined ? undefined : `${heading} commands:`;
}

export const filterVocabulary = (): Vocabulary =>
  once('filter', () => ({ grammar: FILTER_GRAMMAR, help: new HelpTexts([FILTER_HELP]) }));
