/** All configuration commands, by mode. Within a mode, the first command that fits a line is taken. */
import type { ConfigEditor, ModeName } from '../config/editor.js';
import { buildGrammar, HelpTexts } from '../grammar/command.js';
import type { Command } from '../grammar/command.js';
import type { Expression } from '../grammar/expression.js';
import { ACCESS_LIST_COMMANDS, EXTENDED_MODE_COMMANDS, STANDARD_MODE_COMMANDS } from './access-list.js';
import { ALIAS_COMMANDS } from './alias.js';
import { GLOBAL_COMMANDS } from './global.js';
import { HTTP_COMMANDS } from './http.js';
import { INERT_GLOBAL_COMMANDS, INERT_INTERFACE_COMMANDS, INERT_LINE_COMMANDS } from './inert/index.js';
import { INSPECT_COMMANDS } from './inspect.js';
import { INTERCEPT_COMMANDS } from './intercept.js';
import { INTERFACE_COMMANDS } from './interface.js';
import { LINE_COMMANDS } from './line.js';
import { LOGIN_COMMANDS } from './login.js';
import { NAT_COMMANDS } from './nat.js';
import { PORT_MAP_COMMANDS } from './port-map.js';
import { UNSUPPORTED_GLOBAL_COMMANDS, UNSUPPORTED_INTERFACE_COMMANDS } from './refused.js';

/** `?` about a word of the tables of inert commands. */
const NO_EFFECT = 'Accepted without effect';

const EXIT: Command<ConfigEditor> = {
  syntax: 'exit',
  help: { exit: 'Exit from the current mode' },
  set: (editor) => editor.leaveMode(),
};

export const CONFIG_COMMANDS: Readonly<Record<ModeName, readonly Command<ConfigEditor>[]>> = {
  global: [
    ...GLOBAL_COMMANDS,
    ...ALIAS_COMMANDS,
    ...LOGIN_COMMANDS,
    ...HTTP_COMMANDS,
    ...INSPECT_COMMANDS,
    ...PORT_MAP_COMMANDS,
    ...INTERCEPT_COMMANDS,
    ...NAT_COMMANDS,
    ...ACCESS_LIST_COMMANDS,
    ...UNSUPPORTED_GLOBAL_COMMANDS,
    ...INERT_GLOBAL_COMMANDS,
  ],
  interface: [...INTERFACE_COMMANDS, ...UNSUPPORTED_INTERFACE_COMMANDS, ...INERT_INTERFACE_COMMANDS, EXIT],
  'std-nacl': [...STANDARD_MODE_COMMANDS, EXIT],
  'ext-nacl': [...EXTENDED_MODE_COMMANDS, EXIT],
  line: [...LINE_COMMANDS, ...INERT_LINE_COMMANDS, EXIT],
  inert: [EXIT],
};

const built = new Map<ModeName, { grammar: Expression; help: HelpTexts }>();

/** The grammar of a mode, made when it is first needed. */
export function configGrammar(mode: ModeName): { grammar: Expression; help: HelpTexts } {
  let one = built.get(mode);
  if (one === undefined) {
    const commands = CONFIG_COMMANDS[mode];
    one = {
      grammar: buildGrammar(commands),
      help: new HelpTexts(
        commands.map((c) => c.help),
        NO_EFFECT,
      ),
    };
    built.set(mode, one);
  }
  return one;
}
