import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildGrammar, HelpTexts } from '../../../src/ios/grammar/command.js';
import type { Command } from '../../../src/ios/grammar/command.js';
import { candidatesAt, matchLine } from '../../../src/ios/grammar/match.js';
import type { Expression } from '../../../src/ios/grammar/expression.js';
import { parseSyntax } from '../../../src/ios/grammar/syntax.js';
import { choices, sentence } from '../support/sentence.js';

const nothing = (): void => undefined;
const commands: Command<unknown>[] = [
  { syntax: 'show clock', set: nothing },
  { syntax: 'show class NAME:WORD', set: nothing },
  { syntax: 'ping HOST:ADDRESS [repeat COUNT:<1-100>] [size BYTES:<36-1500>]', set: nothing, unset: nothing },
  { syntax: 'mode MODE:{on | off | auto}', set: nothing, unset: nothing, unsetSyntax: 'mode' },
  { syntax: 'port PORT:TCP-PORT', set: nothing },
  { syntax: 'on INTERFACE:INTERFACE [fast]', set: nothing },
  { syntax: 'note TEXT:LINE', set: nothing },
];
const grammar = buildGrammar(commands);

/** The line in full, or what is wrong with it. */
function read(line: string): string {
  const r = matchLine(grammar, line);
  if (r.kind === 'match') return r.match.text;
  return 'column' in r ? `${r.kind} ${r.column}` : r.kind;
}

test.each([
  ['show clock', 'show clock'],
  ['SH CLO', 'show clock'],
  ['  show   clock  ', 'show clock'],
  ['s cl', 'ambiguous 3'],
  ['show class x', 'show class x'],
  ['show', 'incomplete'],
  ['show clocks', 'invalid 11'],
  ['show boot', 'invalid 6'],
  ['show cx', 'invalid 7'],
  ['show clock now', 'invalid 12'],
  ['', 'incomplete'],
  ['ping 10.0.0.1', 'ping 10.0.0.1'],
  ['ping 10.0.0.256', 'invalid 6'],
  ['ping 10.0.0.1 size 100 repeat 5', 'ping 10.0.0.1 size 100 repeat 5'],
  ['ping 10.0.0.1 repeat 5 repeat 5', 'invalid 24'],
  ['ping 10.0.0.1 repeat 0', 'invalid 22'],
  ['ping 10.0.0.1 repeat', 'incomplete'],
  ['no pi 10.0.0.1', 'no ping 10.0.0.1'],
  ['default pi 10.0.0.1', 'default ping 10.0.0.1'],
  ['no show clock', 'invalid 4'],
  ['mode au', 'mode auto'],
  ['mode o', 'ambiguous 6'],
  ['no mode', 'no mode'],
  ['port smtp', 'port smtp'],
  ['port 25', 'port 25'],
  ['port ftp', 'port ftp'],
  ['port ft', 'ambiguous 6'],
  ['port 65536', 'invalid 6'],
  ['on e2/0', 'on e2/0'],
  ['on Ethernet 2/0 fast', 'on Ethernet 2/0 fast'],
  ['on x2/0', 'invalid 4'],
  ['note  two  blanks ', 'note two  blanks'],
])('%j reads as %j', (line, want) => expect(read(line)).toBe(want));

test('arguments come with their values and columns', () => {
  const r = matchLine(grammar, 'ping 10.0.0.1  repeat 7');
  if (r.kind !== 'match') throw new Error(r.kind);
  expect(r.match.number('HOST')).toBe(0x0a000001);
  expect(r.match.number('COUNT')).toBe(7);
  expect(r.match.column('COUNT')).toBe(23);
  expect(r.match.optionalNumber('BYTES')).toBeUndefined();
  expect(r.match.has('repeat')).toBe(true);
});

test('an interface is known by any spelling', () => {
  for (const typed of ['e2/0', 'eth2/0', 'ETHERNET2/0', 'ethernet 2/0']) {
    const r = matchLine(grammar, `on ${typed}`);
    expect(r.kind === 'match' && r.match.word('INTERFACE')).toBe('Ethernet2/0');
  }
});

describe('at the cursor', () => {
  const at = (line: string): string[] | string => {
    const found = candidatesAt(grammar, line);
    return 'candidates' in found ? found.candidates.map((c) => c.text) : `${found.kind} ${found.column}`;
  };
  test.each([
    ['sh', ['show']],
    ['show c', ['clock', 'class']],
    ['show ', ['clock', 'class']],
    ['ping ', ['A.B.C.D']],
    ['ping 10.0.0.1 ', ['repeat', 'size', '<cr>']],
    ['ping 10.0.0.1 size 100 ', ['repeat', '<cr>']],
    ['mode a', ['auto']],
    ['port ft', ['ftp', 'ftp-data']],
    ['bogus ', 'invalid 1'],
    ['show clock ', ['<cr>']],
  ])('%j offers %j', (line, want) => expect(at(line)).toEqual(want));
});

test('help is found by the longest path that is known', () => {
  const help = new HelpTexts([{ in: 'inbound', 'ip nat in': 'NAT' }, { in: 'ignored' }], 'no text');
  expect(help.find('access-group LIST in')).toBe('inbound');
  expect(help.find('no ip nat in')).toBe('NAT');
  expect(help.find('out')).toBe('no text');
});

/** Tables of commands that have words in common. */
const tables = fc
  .array(
    fc
      .array(fc.constantFrom('a', 'ab', 'b', 'X:WORD', 'N:<1-9>', '{a | b}', 'C:{ab | b}', '[a]', '{[a] | b}'), {
        minLength: 1,
        maxLength: 3,
      })
      .map((steps) => steps.join(' ')),
    { minLength: 1, maxLength: 6 },
  )
  .map((syntaxes) => syntaxes.map((syntax): Command<unknown> => ({ syntax, set: () => undefined })));

test('commands that share keywords read as if each stood alone in the table, the first that fits first', () => {
  const typed = fc.array(fc.constantFrom('a', 'ab', 'b', 'c', '5'), { maxLength: 4 }).map((t) => t.join(' '));
  fc.assert(
    fc.property(tables, typed, (table, line) => {
      const apart: Expression = {
        kind: 'choice',
        of: table.map((c) => ({ kind: 'sequence', parts: [parseSyntax(c.syntax), { kind: 'end', action: c.set }] })),
      };
      const reading = (e: Expression): unknown => {
        const r = matchLine(e, line);
        if (r.kind !== 'match') return r;
        return [table.findIndex((c) => c.set === r.action), r.match.text, r.match.firstAbbreviated];
      };
      expect(reading(buildGrammar(table))).toEqual(reading(apart));
    }),
    { numRuns: 5000 },
  );
});

test('whatever the notation admits is read', () => {
  fc.assert(
    fc.property(tables, choices, (table, choose) => {
      const expression = buildGrammar(table);
      const line = sentence(expression, choose).replaceAll(/ +/g, ' ').trim();
      expect([line, matchLine(expression, line).kind]).toEqual([line, 'match']);
    }),
    { numRuns: 1000 },
  );
});

test.each(['a [b', 'a {b | c', 'a } b', 'X:NOTYPE', 'X:$nothing'])(
  'a mistake in the table is found when it is built: %s',
  (syntax) => {
    expect(() => parseSyntax(syntax)).toThrow('command table');
  },
);
