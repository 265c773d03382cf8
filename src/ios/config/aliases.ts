/** Short names for commands: what a router has from the start, what is configured, and how a line is spelled out. */
import type { ModeName } from './editor.js';
import type { Alias, AliasMode, RouterConfig } from './model.js';

/** Modes that `alias` takes, with their help. Those of modes that we do not run are kept without effect. */
export const ALIAS_MODES: Readonly<Record<AliasMode, string>> = {
  configure: 'Global configuration mode',
  exec: 'Exec mode',
  interface: 'Interface configuration mode',
  ipenacl: 'IP named extended access-list configuration mode',
  ipsnacl: 'IP named simple access-list configuration mode',
  line: 'Line configuration mode',
};

/** Exec aliases of a router without configuration, as `show aliases` lists them. */
export const DEFAULT_ALIASES: ReadonlyMap<string, string> = new Map([
  ['h', 'help'],
  ['lo', 'logout'],
  ['p', 'ping'],
  ['r', 'resume'],
  ['s', 'show'],
  ['u', 'undebug'],
  ['un', 'undebug'],
  ['w', 'where'],
]);

const MODES: Readonly<Partial<Record<ModeName, AliasMode>>> = {
  global: 'configure',
  interface: 'interface',
  line: 'line',
  'ext-nacl': 'ipenacl',
  'std-nacl': 'ipsnacl',
};

/** @returns the aliases that hold in a mode: the router's own first, then those configured, in their order */
export function aliasesOf(config: RouterConfig, mode: AliasMode): Alias[] {
  const configured = config.aliases.filter((a) => a.mode === mode);
  const own = mode === 'exec' ? [...DEFAULT_ALIASES] : [];
  const kept = own.filter(([name]) => configured.every((a) => a.name !== name));
  return [...kept.map(([name, text]) => ({ mode, name, text })), ...configured.filter((a) => a.text !== '')];
}

/** @returns the aliases of a mode of configuration */
export const configAliases = (config: RouterConfig, mode: ModeName): Alias[] => {
  const name = MODES[mode];
  return name === undefined ? [] : aliasesOf(config, name);
};

/** A line with its alias spelled out. */
export interface Expanded {
  line: string;
  /** Columns that the line has grown by: those of the terminal are so much less. */
  grown: number;
}

/**
 * Spells out the first word where it is an alias. A line that begins with a blank has none, as on a router.
 * Inferred: an alias goes before a command of the same name, and what it stands for is not looked up again.
 */
export function expandAlias(aliases: readonly Alias[], line: string): Expanded {
  const [word = ''] = /^\S+/.exec(line) ?? [];
  const found = aliases.find((a) => a.name === word.toLowerCase());
  if (found === undefined) return { line, grown: 0 };
  return { line: found.text + line.slice(word.length), grown: found.text.length - word.length };
}

/** How `?` shows it: `*s=show`, `*sib="show ip interface brief"`. */
export const shownAlias = ({ name, text }: Alias): string => `*${name}=${text.includes(' ') ? `"${text}"` : text}`;
