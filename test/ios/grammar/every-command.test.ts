/** Sentences made from the command tables themselves: whatever the grammar admits is carried out or refused, never thrown. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configGrammar } from '../../../src/ios/commands/index.js';
import { ACCESS_LIST_COMMANDS } from '../../../src/ios/commands/access-list.js';
import { INSPECT_COMMANDS } from '../../../src/ios/commands/inspect.js';
import { INTERFACE_COMMANDS } from '../../../src/ios/commands/interface.js';
import { NAT_COMMANDS } from '../../../src/ios/commands/nat.js';
import { emptyConfig } from '../../../src/ios/config/defaults.js';
import { buildGrammar } from '../../../src/ios/grammar/command.js';
import { applyLine } from '../../../src/ios/config/parse.js';
import { ConfigEditor } from '../../../src/ios/config/editor.js';
import { forkConfig } from '../../../src/ios/config/fork.js';
import type { ModeName } from '../../../src/ios/config/editor.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { execVocabulary } from '../../../src/ios/exec/vocabulary.js';
import { matchLine } from '../../../src/ios/grammar/match.js';
import { fakeRouter } from '../support/fake-router.js';
import { choices, sentence } from '../support/sentence.js';

/** Some of everything that the sentences below may meet. */
const EDITED = `
access-list 7 permit any
ip access-list standard S
 permit 10.0.0.1
 remark x
ip access-list extended E
 7 permit ip any any
 remark NAME
ip nat pool NAME 10.0.0.1 10.0.0.1 netmask 255.255.255.0
ip nat inside source list 7 pool NAME
ip inspect name NAME smtp
username NAME password x
logging 10.0.0.1
ip route 10.0.0.1 255.255.255.255 Ethernet2/0
`;

const ENTRANCES: Record<Exclude<ModeName, 'inert'>, string> = {
  global: 'hostname r',
  interface: 'interface Ethernet2/0',
  'std-nacl': 'ip access-list standard S',
  'ext-nacl': 'ip access-list extended E',
  line: 'line vty 0 4',
};

const before = parseConfig(readFileSync('config/3640.cfg', 'utf8') + EDITED, '3640.cfg').config;
const copy = structuredClone(before);

test.each(Object.entries(ENTRANCES))(
  'any line of %s mode is carried out or refused on a copy, and what it makes prints and parses',
  (mode, entrance) => {
    const { grammar } = configGrammar(mode as ModeName);
    fc.assert(
      fc.property(choices, (choose) => {
        const line = sentence(grammar, choose);
        expect([line, matchLine(grammar, line).kind]).toEqual([line, 'match']);
        const editor = new ConfigEditor(forkConfig(before));
        applyLine(editor, entrance);
        applyLine(editor, line);
        expect(before).toEqual(copy); // others still read it
        if (editor.textReader !== undefined) return; // a banner that goes on
        const { errors } = parseConfig(runningConfig(editor.config), 'printed');
        expect([line, errors.filter((e) => e.severity === 'error')]).toEqual([line, []]);
      }),
      { numRuns: 150 },
    );
  },
  60_000,
);

test.each([
  ['global', 'hostname r', [...ACCESS_LIST_COMMANDS, ...NAT_COMMANDS, ...INSPECT_COMMANDS]],
  ['interface', 'interface Ethernet2/0', INTERFACE_COMMANDS],
] as const)(
  'a line of %s mode that filters or translates is never taken for one without effect, whatever word of it is wrong',
  (_mode, entrance, commands) => {
    const grammar = buildGrammar(commands);
    fc.assert(
      fc.property(choices, fc.nat(), fc.constantFrom('%', '0', '255.0.255.0', 'x'), (choose, which, wrong) => {
        const words = sentence(grammar, choose).split(' ');
        // Not the first two words, which name another command where they are wrong.
        if (words.length > 2) words[2 + (which % (words.length - 2))] = wrong;
        const line = words.join(' ');
        const editor = new ConfigEditor(emptyConfig());
        applyLine(editor, entrance);
        applyLine(editor, line);
        expect([line, editor.config.inert]).toEqual([line, []]);
      }),
      { numRuns: 400 },
    );
  },
  60_000,
);

test('any EXEC line is answered', () => {
  const { grammar } = execVocabulary(15);
  const seed = readFileSync('config/3640.cfg', 'utf8');
  fc.assert(
    fc.property(choices, (choose) => {
      const line = sentence(grammar, choose);
      const session = new ConsoleSession(fakeRouter(seed), 'console', 15);
      const { output } = session.execute(line);
      expect([line, output]).not.toEqual([line, expect.stringContaining('Invalid input')]);
    }),
    { numRuns: 100 },
  );
}, 60_000);

test('no keys make a session throw', () => {
  const session = new ConsoleSession(fakeRouter('hostname r'), 'console', 15);
  const words = [
    'conf',
    't',
    'int',
    'e2/0',
    'no',
    'show',
    '|',
    'inc',
    '?',
    'do',
    'end',
    'banner',
    'motd',
    '#',
    'ip',
    '"',
    '\\',
    '(',
    '255',
    ' ',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 8 }), (parts) => {
      const line = parts.join(' ');
      session.help(line);
      session.complete(line);
      session.execute(line);
    }),
    { numRuns: 300 },
  );
}, 60_000);
