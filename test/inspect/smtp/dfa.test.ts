/** The automata: the router's state numbers and match ids, and what cannot follow any more. */
import { expect, test } from 'vitest';
import {
  CLASSES,
  CLASS_OF,
  idsAhead,
  leadsTo,
  nextParamState,
  OTHER,
  PARAM_START,
  printedParamState,
  ROUTER_WORDS,
  START,
  wordDfa,
  type WordDfa,
} from '../../../src/core/inspect/smtp/dfa.js';
import { COMMANDS, END_OF_DATA, EMPTY_LINE } from '../../../src/core/inspect/smtp/grammar.js';
import { compileSmtp } from '../../../src/core/inspect/smtp/rule.js';
import { smtpDefaults } from '../../../src/ios/config/defaults.js';

function walk(dfa: WordDfa, text: string): number {
  let state = START;
  for (let i = 0; i < text.length; i++) state = dfa.next[state * CLASSES + CLASS_OF[text.charCodeAt(i)]!]!;
  return state;
}

/** Reference §2.2: level by level, as the trace shows them and as they follow from it. */
const NUMBERS: Readonly<Record<string, number>> = {
  V: 3, S: 4, R: 5, Q: 6, N: 7, M: 8, H: 9, E: 10, D: 11, A: 12, '.': 13, '\r': 14,
  VR: 15, SO: 16, SE: 17, SA: 18, RS: 19, RC: 20, QU: 21, NO: 22, MA: 23, HE: 24, ET: 25, EH: 26, DA: 27, AU: 28,
  '.\r': 29, '\r\n': 30,
  VRF: 31, SOM: 32, SEN: 33, SAM: 34, RSE: 35, RCP: 36, QUI: 37, NOO: 38, MAI: 39, HEL: 40, ETR: 41, EHL: 42, DAT: 43,
  AUT: 44, '.\r\n': 45,
  VRFY: 46, SOML: 47, SEND: 48, SAML: 49, RSET: 50, RCPT: 51, QUIT: 52, NOOP: 53, MAIL: 54, HELP: 55, HELO: 56,
  ETRN: 57, EHLO: 58, DATA: 59, AUTH: 60,
}; // prettier-ignore

test.each(Object.entries(NUMBERS))(
  '%j is the router’s state %i, in any case, whatever else is followed',
  (text, state) => {
    const rule = compileSmtp('esmtp', { ...smtpDefaults(), allow: ['STARTTLS', 'BDAT', 'XCLIENT', 'DATAX'] });
    for (const dfa of [wordDfa(ROUTER_WORDS), rule.verbs]) {
      expect(walk(dfa, text)).toBe(state);
      expect(walk(dfa, text.toLowerCase())).toBe(state);
    }
  },
);

test('the router’s table ends at state 60, and what no word has leads to 2 for good', () => {
  const dfa = wordDfa(ROUTER_WORDS);
  expect(dfa.states).toBe(61);
  for (const text of ['X', 'EX', 'EXPN', 'HELOX', 'HE LO', '\n', '..', '\u00c8']) expect(walk(dfa, text)).toBe(OTHER);
});

test('match ids are the alphabetical rank of the fifteen verbs, and 16 and 17 for the line ends', () => {
  const dfa = wordDfa(ROUTER_WORDS);
  const verbs = Object.entries(COMMANDS).filter(([, c]) => c.rule !== 'allow');
  const ranked = verbs.map(([verb]) => verb).sort();
  expect(ranked).toHaveLength(15);
  for (const [rank, verb] of ranked.entries()) expect([verb, dfa.accept[walk(dfa, verb)]]).toEqual([verb, rank + 1]);
  expect(dfa.accept[walk(dfa, '.\r\n')]).toBe(END_OF_DATA);
  expect(dfa.accept[walk(dfa, '\r\n')]).toBe(EMPTY_LINE);
});

test.each([
  { protocol: 'smtp', legal: 'DATA HELO HELP MAIL NOOP QUIT RCPT RSET SAML SEND SOML VRFY' },
  { protocol: 'esmtp', legal: 'AUTH DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET SAML SEND SOML VRFY' },
] as const)('$protocol passes $legal', ({ protocol, legal }) => {
  const rule = compileSmtp(protocol, smtpDefaults());
  const passed = Object.entries(COMMANDS).filter(([verb]) => rule.leads[walk(rule.verbs, verb)] === 1);
  expect(passed.map(([verb]) => verb).join(' ')).toBe(legal);
  expect(Object.entries(COMMANDS).filter(([, c]) => rule.legal[c.id] === 1)).toEqual(passed);
});

test('a letter leads to a command of the rule, or it does not', () => {
  const smtp = compileSmtp('smtp', smtpDefaults());
  const esmtp = compileSmtp('esmtp', smtpDefaults());
  const leads = (text: string): number[] => [smtp, esmtp].map((r) => r.leads[walk(r.verbs, text)]!);
  expect(leads('E')).toEqual([0, 1]);
  expect(leads('A')).toEqual([0, 1]);
  expect(leads('EX')).toEqual([0, 0]);
  expect(leads('S')).toEqual([1, 1]);
  expect(leads('ST')).toEqual([0, 0]);
  expect(leads('.')).toEqual([0, 0]);
  expect(leads('\r\n')).toEqual([1, 1]);
});

test('allowed verbs: only under esmtp, BDAT only once CHUNKING is offered, either word of the pair will do', () => {
  for (const word of ['BDAT', 'chunking']) {
    const rule = compileSmtp('esmtp', { ...smtpDefaults(), allow: [word] });
    expect(rule.leads[walk(rule.verbs, 'BDAT')]).toBe(0);
    expect(rule.leadsChunking[walk(rule.verbs, 'BDAT')]).toBe(1);
    expect(rule.extensionLeads[walk(rule.extensions, 'CHUNKING')]).toBe(1);
  }
  const smtp = compileSmtp('smtp', { ...smtpDefaults(), allow: ['EXPN'] });
  expect(smtp.leads[walk(smtp.verbs, 'EX')]).toBe(0);
  const esmtp = compileSmtp('esmtp', { ...smtpDefaults(), allow: ['EXPN', 'not a word', ''] });
  expect(esmtp.leads[walk(esmtp.verbs, 'EXPN')]).toBe(1);
});

test('words ahead of a state, of words that begin alike', () => {
  const dfa = wordDfa([
    ['AB', 1],
    ['ABC', 2],
    ['AD', 3],
  ]);
  const ahead = idsAhead(dfa);
  expect(['', 'A', 'AB', 'ABC', 'AD', 'X'].map((text) => ahead[walk(dfa, text)])).toEqual([14, 14, 6, 4, 8, 0]);
  const leads = leadsTo(dfa, new Set([1]));
  expect(['A', 'AB', 'ABC', 'AD'].map((text) => leads[walk(dfa, text)])).toEqual([1, 1, 0, 0]);
  expect(['AB', 'ABC', 'AD'].map((text) => dfa.leaf[walk(dfa, text)])).toEqual([0, 1, 1]);
});

test.each([
  { text: ' ', states: [7] },
  { text: '  a', states: [7, 7, 2] },
  { text: ' ci|o\r\n', states: [7, 2, 2, 4, 2, 2, 3] },
  { text: '\r\n', states: [2, 3] },
  { text: ' a b', states: [7, 2, 2, 2] },
  { text: '\x08a\x7f', states: [4, 2, 4] },
  { text: 'a\n', states: [2, 2] },
  { text: '\r\r\n', states: [2, 2, 3] },
])('parameter states of $text: $states', ({ text, states }) => {
  let state = PARAM_START;
  const seen = Array.from(text, (c) => printedParamState((state = nextParamState(state, c.charCodeAt(0)))));
  expect(seen).toEqual(states);
});
