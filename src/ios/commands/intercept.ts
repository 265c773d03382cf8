/** `ip tcp intercept …` in global configuration (Security Command Reference, TCP Intercept; 11.2F). */
import { interceptDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { InterceptConfig } from '../config/model.js';
import type { Command } from '../grammar/command.js';

const PREFIX = 'ip tcp intercept';

function timeout(
  word: string,
  key: 'connectionTimeout' | 'finrstTimeout' | 'watchTimeout',
  help: string,
): Command<ConfigEditor> {
  return {
    syntax: `${PREFIX} ${word} SECONDS:<1-2147483>`,
    unsetSyntax: `${PREFIX} ${word} [SECONDS:<1-2147483>]`,
    help: { [word]: help, SECONDS: 'Timeout in seconds' },
    set: ({ config }, m) => void (config.intercept[key] = m.number('SECONDS')),
    unset: ({ config }) => void (config.intercept[key] = interceptDefaults()[key]),
  };
}

/** Inferred: low is kept at or under high as with `ip inspect`. */
function threshold(what: 'max-incomplete' | 'one-minute', end: 'low' | 'high'): Command<ConfigEditor> {
  const prefix = what === 'max-incomplete' ? 'maxIncomplete' : 'oneMinute';
  const [low, high] = [`${prefix}Low`, `${prefix}High`] as const;
  const [mine, other] = end === 'high' ? [high, low] : [low, high];
  const apply = ({ config: { intercept } }: ConfigEditor, value: number): void => {
    intercept[mine] = value;
    if (intercept[low] > intercept[high]) intercept[other] = value;
  };
  return {
    syntax: `${PREFIX} ${what} ${end} VALUE:<1-2147483647>`,
    unsetSyntax: `${PREFIX} ${what} ${end} [VALUE:<1-2147483647>]`,
    help: {
      'intercept max-incomplete': 'Specify maximum number of incomplete connections before clamping',
      'intercept one-minute': 'Specify one-minute-sample watermarks for clamping',
      low: 'Specify low-watermark for clamping',
      high: 'Specify high-watermark for clamping',
      VALUE: 'Number of connections',
    },
    set: (editor, m) => apply(editor, m.number('VALUE')),
    unset: (editor) => apply(editor, interceptDefaults()[mine]),
  };
}

export const INTERCEPT_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: `${PREFIX} list LIST:<100-199>`,
    unsetSyntax: `${PREFIX} list [LIST:<100-199>]`,
    help: {
      'ip tcp': 'Global TCP parameters',
      intercept: 'Enable TCP intercepting',
      list: 'Specify access-list to use',
      LIST: 'Extended access list number for intercept',
    },
    set: ({ config, line }, m) => Object.assign(config.intercept, { list: String(m.number('LIST')), line }),
    unset: ({ config }) => {
      delete config.intercept.list;
      delete config.intercept.line;
    },
  },
  {
    syntax: `${PREFIX} mode MODE:{intercept | watch}`,
    unsetSyntax: `${PREFIX} mode [MODE:{intercept | watch}]`,
    help: {
      'intercept mode': 'Specify intercepting mode',
      'mode intercept': 'Intercept connections',
      watch: 'Watch connections',
    },
    set: ({ config }, m) => void (config.intercept.mode = m.word('MODE') as InterceptConfig['mode']),
    unset: ({ config }) => void (config.intercept.mode = interceptDefaults().mode),
  },
  {
    syntax: `${PREFIX} drop-mode MODE:{oldest | random}`,
    unsetSyntax: `${PREFIX} drop-mode [MODE:{oldest | random}]`,
    help: {
      'drop-mode': 'Specify incomplete connection drop mode',
      oldest: 'Drop oldest incomplete connection',
      random: 'Drop random incomplete connection',
    },
    set: ({ config }, m) => void (config.intercept.dropMode = m.word('MODE') as InterceptConfig['dropMode']),
    unset: ({ config }) => void (config.intercept.dropMode = interceptDefaults().dropMode),
  },
  timeout('connection-timeout', 'connectionTimeout', 'Specify timeout for connection info'),
  timeout('finrst-timeout', 'finrstTimeout', 'Specify timeout for connection info after a FIN or RST'),
  timeout('watch-timeout', 'watchTimeout', 'Specify timeout for incomplete connections in watch mode'),
  threshold('max-incomplete', 'low'),
  threshold('max-incomplete', 'high'),
  threshold('one-minute', 'low'),
  threshold('one-minute', 'high'),
];
