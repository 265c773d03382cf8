/** The rows without effect, as commands of their modes. */
import type { ConfigEditor } from '../../config/editor.js';
import { withoutEffect } from '../../grammar/command.js';
import type { Command } from '../../grammar/command.js';
import { BLOCKS, INTERFACE_BLOCKS } from './blocks.js';
import { GLOBAL_IP } from './global-ip.js';
import { GLOBAL_PLATFORM } from './global-platform.js';
import { GLOBAL_SERVICES } from './global-services.js';
import { INTERFACE_IP_LINES, INTERFACE_LINES, WEAKENING_ON_INTERFACES } from './interface.js';
import { LINE_LINES, WEAKENING_ON_LINES } from './line.js';
import { block, inert } from './row.js';
import { UNINSPECTED } from './uninspected.js';
import { WEAKENING } from './weakening.js';

export { nestedBlock, weakensInBlock } from './blocks.js';

/** The box routes, whatever this line says: its `no` form is the one that something is missing for. */
const IP_ROUTING: Command<ConfigEditor> = {
  ...inert('ip routing'),
  unset: withoutEffect((editor) =>
    editor.keepInert('no ip routing', 'packets are routed all the same: shut the interfaces down to stop that'),
  ),
  reset: withoutEffect((editor) => editor.keepInert('ip routing')),
};

export const INERT_GLOBAL_COMMANDS: readonly Command<ConfigEditor>[] = [
  ...BLOCKS.map(block),
  ...[...GLOBAL_PLATFORM, ...GLOBAL_IP, ...GLOBAL_SERVICES].map((row) => inert(row)),
  IP_ROUTING,
  ...UNINSPECTED.map((protocol) => inert(`ip inspect name NAME:WORD ${protocol} ...`)),
  ...WEAKENING.map(([row, weakens]) => inert(row, weakens)),
];

export const INERT_INTERFACE_COMMANDS: readonly Command<ConfigEditor>[] = [
  ...INTERFACE_BLOCKS.map(block),
  // Before the others: `bridge-group 1 input-address-list 700` fits a row of both.
  ...WEAKENING_ON_INTERFACES.map(([row, weakens]) => inert(row, weakens)),
  ...[...INTERFACE_LINES, ...INTERFACE_IP_LINES].map((row) => inert(row)),
];

export const INERT_LINE_COMMANDS: readonly Command<ConfigEditor>[] = [
  ...LINE_LINES.map((row) => inert(row)),
  ...WEAKENING_ON_LINES.map(([row, weakens]) => inert(row, weakens)),
];
