/** Sentences made from the command tables themselves: whatever the grammar admits is carried out or refused, never thrown. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configGrammar } from '../../../src/ios/commands/index.js';
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
