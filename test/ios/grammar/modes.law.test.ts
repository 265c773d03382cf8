/**
 * A line is never taken for another one: what is typed in any mode has the effect that it has where it belongs, or none.
 * IOS looks in the mode itself and then in global mode; nothing without effect may stand in the way of what acts.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESS_LIST_COMMANDS,
  EXTENDED_MODE_COMMANDS,
  STANDARD_MODE_COMMANDS,
} from '../../../src/ios/commands/access-list.js';
import { GLOBAL_COMMANDS } from '../../../src/ios/commands/global.js';
import { configGrammar } from '../../../src/ios/commands/index.js';
import { INSPECT_COMMANDS } from '../../../src/ios/commands/inspect.js';
import { INTERFACE_COMMANDS } from '../../../src/ios/commands/interface.js';
import { LINE_COMMANDS } from '../../../src/ios/commands/line.js';
import { LOGIN_COMMANDS } from '../../../src/ios/commands/login.js';
import { NAT_COMMANDS } from '../../../src/ios/commands/nat.js';
import { ConfigEditor } from '../../../src/ios/config/editor.js';
import { forkConfig } from '../../../src/ios/config/fork.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import { applyLine, parseConfig } from '../../../src/ios/config/parse.js';
import { buildGrammar } from '../../../src/ios/grammar/command.js';
import type { Expression } from '../../../src/ios/grammar/expression.js';
import { matchLine, spelledOutTo, tokenize } from '../../../src/ios/grammar/match.js';
import { choices, sentence } from '../support/sentence.js';

const RUNS = Number(process.env['RUNS'] ?? 100);

const before = parseConfig(
  readFileSync('config/3640.cfg', 'utf8').replace(/^end\s*$/m, '') +
    'ip access-list standard S\n permit 10.0.0.1\nip access-list extended E\n 7 permit ip any any\nline vty 0 4\n login\n' +
    'ip inspect name NAME smtp\nusername NAME password x\nip route 10.0.0.1 255.255.255.255 Ethernet2/0\nend\n',
  'before',
).config;

/** Everything of global mode that acts. */
const acting = buildGrammar([
  ...GLOBAL_COMMANDS,
  ...LOGIN_COMMANDS,
  ...INSPECT_COMMANDS,
  ...NAT_COMMANDS,
  ...ACCESS_LIST_COMMANDS,
]);

interface Submode {
  entrance: string;
  /** What acts in it; undefined: nothing. */
  acting: Expression | undefined;
  /** Words of a block without effect, which come before short forms: `host 10.0.0.1` of a pool is no hostname. */
  words?: readonly string[];
}

const SUBMODES: readonly Submode[] = [
  { entrance: 'interface Ethernet2/0', acting: buildGrammar(INTERFACE_COMMANDS) },
  { entrance: 'interface Serial3/0.1', acting: buildGrammar(INTERFACE_COMMANDS) },
  { entrance: 'ip access-list standard S', acting: buildGrammar(STANDARD_MODE_COMMANDS) },
  { entrance: 'ip access-list extended E', acting: buildGrammar(EXTENDED_MODE_COMMANDS) },
  { entrance: 'line vty 0 4', acting: buildGrammar(LINE_COMMANDS) },
  { entrance: 'router ospf 1', acting: undefined, words: ['network'] },
  { entrance: 'voice-port 1/0/0', acting: undefined },
  { entrance: 'ip dhcp pool P', acting: undefined, words: ['host', 'import', 'network', 'domain'] },
  { entrance: 'interface ATM0\npvc 8/35', acting: buildGrammar(INTERFACE_COMMANDS) },
];

/** The configuration after some lines on the console, the first ones of which are known to be right. */
function after(...lines: string[]): { config: RouterConfig; failed: boolean; mode: string; text: boolean } {
  const editor = new ConfigEditor(forkConfig(before));
  let failed = false;
  for (const line of lines.flatMap((l) => l.split('\n'))) {
    const fork = forkConfig(editor.config);
    failed = applyLine(editor, line).some((c) => c.severity === 'error');
    if (failed) Object.assign(editor.config, fork); // the console drops the copy
  }
  return { config: editor.config, failed, mode: editor.mode.header, text: editor.textReader !== undefined };
}

/** Secrets are salted: what stands there is left out. Where a line of a file stood is nothing here. */
const plain = (config: RouterConfig): string =>
  JSON.stringify(
    { ...config, pools: [...config.nat.pools] },
    (_, value: unknown) => (value instanceof Map ? [...(value as Map<unknown, unknown>)] : value),
    1,
  ).replace(/"type": [57],\s+"text": ".*"/g, 'secret');

/** Cuts words of a line short, as somebody would who types it. */
function abbreviate(line: string, choose: (n: number) => number): string {
  return tokenize(line)
    .map(({ text }) => (/^[a-z][-a-z]+$/.test(text) ? text.slice(0, 1 + choose(text.length)) : text))
    .join(' ');
}

describe.each(SUBMODES)('in $entrance', ({ entrance, acting: own, words = [] }) => {
  test('what names another object by a command of global mode, in full or abbreviated, never touches this one', () => {
    const entered = after(entrance);
    fc.assert(
      fc.property(choices, fc.boolean(), (choose, full) => {
        const sentenceInFull = sentence(acting, choose);
        const line = full ? sentenceInFull : abbreviate(sentenceInFull, choose);
        const meant = matchLine(configGrammar('global').grammar, line);
        if (meant.kind !== 'match' || (!full && meant.match.text !== sentenceInFull)) return;
        if (words.includes(line.replace(/^no /, '').split(' ')[0]!)) return;
        // The mode itself comes first on IOS, where it acts; a word that is spelled out goes where it is a command.
        const here = own === undefined ? undefined : matchLine(own, line);
        if (here?.kind === 'match' && here.match.firstAbbreviated >= meant.match.firstAbbreviated) return;
        const got = after(entrance, line);
        // An error is right where this mode spells out more of the line than global mode does.
        const mode = entrance.startsWith('interface') ? 'interface' : entrance.startsWith('line') ? 'line' : 'inert';
        const mine = spelledOutTo(configGrammar(mode).grammar, line);
        const ambiguous = got.failed && mine > meant.match.firstAbbreviated;
        const wanted = ambiguous ? entered : after(entrance, 'hostname r', line);
        const hostname = {
          ...got.config,
          hostname: ambiguous || meant.match.has('HOSTNAME') ? got.config.hostname : 'r',
        };
        expect([line, plain(hostname)]).toEqual([line, plain({ ...wanted.config, hostname: hostname.hostname })]);
        if (!ambiguous && !got.failed) expect([line, got.mode]).toEqual([line, wanted.mode]);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  test('a command of global mode with something wrong in it changes nothing, and is kept as nothing else', () => {
    const entered = after(entrance);
    fc.assert(
      fc.property(
        choices,
        fc.nat(),
        fc.constantFrom('%', '0', '255.0.255.0', 'zz', '99999999999'),
        (choose, which, wrong) => {
          const words = sentence(acting, choose).split(' ');
          if (words.length < 2) return;
          const at = 1 + (which % (words.length - 1));
          const line = [...words.slice(0, at), wrong, ...words.slice(at + 1)].join(' ');
          if (matchLine(configGrammar('global').grammar, line).kind === 'match') return;
          if (own !== undefined && matchLine(own, line).kind === 'match') return;
          // Words of the mode's own in full are its own: `ip rsvp x` says nothing of the global `ip route`.
          const modeName = entrance.startsWith('interface')
            ? 'interface'
            : entrance.startsWith('line')
              ? 'line'
              : 'global';
          const mine = matchLine(configGrammar(modeName).grammar, line);
          if (modeName !== 'global' && mine.kind === 'match' && mine.match.firstAbbreviated === Infinity) return;
          if (spelledOutTo(configGrammar('global').grammar, line) === 0) return;
          const got = after(entrance, line);
          // A block without effect has what is said in it: nothing else is changed.
          const inert = got.config.inert.filter((l) => l.block === undefined || own !== undefined);
          const kept = entered.config.inert.filter((l) => l.block === undefined || own !== undefined);
          expect([line, plain({ ...got.config, inert })]).toEqual([line, plain({ ...entered.config, inert: kept })]);
        },
      ),
      { numRuns: RUNS },
    );
  }, 120_000);
});
