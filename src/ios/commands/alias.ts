/** `alias`: short names for commands, by mode. The exec ones that a router has from the start may be taken away. */
import type { ConfigEditor } from '../config/editor.js';
import { ALIAS_MODES, DEFAULT_ALIASES } from '../config/aliases.js';
import type { AliasMode } from '../config/model.js';
import type { Command } from '../grammar/command.js';

const MODE = `MODE:{${Object.keys(ALIAS_MODES).join(' | ')}}`;

export const ALIAS_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: `alias ${MODE} NAME:WORD TEXT:LINE`,
    unsetSyntax: `alias ${MODE} [NAME:WORD] [TEXT:LINE]`,
    help: { alias: 'Create command alias', ...ALIAS_MODES, NAME: 'Alias name', TEXT: 'Aliased line' },
    set: ({ config }, m) => {
      const mode = m.word('MODE') as AliasMode;
      const [name, text] = [m.word('NAME').toLowerCase(), m.word('TEXT').replace(/\s+/g, ' ')];
      config.aliases = config.aliases.filter((a) => a.mode !== mode || a.name !== name);
      const isDefault = mode === 'exec' && DEFAULT_ALIASES.get(name) === text;
      if (!isDefault) config.aliases.push({ mode, name, text });
    },
    unset: ({ config }, m) => {
      const mode = m.word('MODE') as AliasMode;
      const name = m.optionalWord('NAME')?.toLowerCase();
      const goes = (alias: string): boolean => name === undefined || name === alias;
      config.aliases = config.aliases.filter((a) => a.mode !== mode || !goes(a.name));
      // What was there from the start is remembered as taken away.
      if (mode === 'exec')
        for (const known of DEFAULT_ALIASES.keys())
          if (goes(known)) config.aliases.push({ mode, name: known, text: '' });
    },
    reset: ({ config }, m) => {
      const mode = m.word('MODE') as AliasMode;
      const name = m.optionalWord('NAME')?.toLowerCase();
      config.aliases = config.aliases.filter((a) => a.mode !== mode || (name !== undefined && a.name !== name));
    },
  },
];
