import { expect, test } from 'vitest';
import {
  ACCESS_LIST_COMMANDS,
  EXTENDED_MODE_COMMANDS,
  STANDARD_MODE_COMMANDS,
} from '../../../src/ios/commands/access-list.js';
import { GLOBAL_COMMANDS } from '../../../src/ios/commands/global.js';
import { HTTP_COMMANDS } from '../../../src/ios/commands/http.js';
import { INSPECT_COMMANDS } from '../../../src/ios/commands/inspect.js';
import { INTERFACE_COMMANDS } from '../../../src/ios/commands/interface.js';
import { LINE_COMMANDS } from '../../../src/ios/commands/line.js';
import { NAT_COMMANDS } from '../../../src/ios/commands/nat.js';
import { EXEC_COMMANDS } from '../../../src/ios/exec/vocabulary.js';
import { HelpTexts } from '../../../src/ios/grammar/command.js';
import type { Help } from '../../../src/ios/grammar/command.js';
import type { Expression } from '../../../src/ios/grammar/expression.js';
import { parseSyntax } from '../../../src/ios/grammar/syntax.js';

/** Every keyword of an expression, with what stands before it on one way through. */
function keywords(e: Expression, before: string, found: { path: string; help: string | undefined }[]): string {
  switch (e.kind) {
    case 'word':
      found.push({ path: `${before} ${e.word}`.trim(), help: e.help });
      return `${before} ${e.word}`.trim();
    case 'argument':
      return `${before} ${e.capture}`.trim();
    case 'sequence':
      return e.parts.reduce((path, part) => keywords(part, path, found), before);
    case 'choice':
      return e.of.map((one) => keywords(one, before, found))[0] ?? before;
    case 'options':
      for (const one of e.of) keywords(one, before, found);
      return before;
    case 'end':
      return before;
  }
}

const MODES: [string, readonly { syntax: string; help?: Help }[]][] = [
  ['global', [...GLOBAL_COMMANDS, ...INSPECT_COMMANDS, ...NAT_COMMANDS, ...HTTP_COMMANDS, ...ACCESS_LIST_COMMANDS]],
  ['interface', INTERFACE_COMMANDS],
  ['standard list', STANDARD_MODE_COMMANDS],
  ['extended list', EXTENDED_MODE_COMMANDS],
  ['line', LINE_COMMANDS],
  ['EXEC', EXEC_COMMANDS],
];

test.each(MODES)('in %s mode every keyword that we act on has a help text', (_mode, commands) => {
  const texts = new HelpTexts(commands.map((c) => c.help));
  const found: { path: string; help: string | undefined }[] = [];
  for (const c of commands) keywords(parseSyntax(c.syntax, c.help), '', found);
  const silent = found.filter((k) => k.help === undefined && texts.find(k.path) === undefined);
  expect([...new Set(silent.map((k) => k.path))]).toEqual([]);
});
