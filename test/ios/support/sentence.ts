/** Sentences of a grammar: lines that it admits, put together at random. */
import fc from 'fast-check';
import type { ArgumentType, Expression } from '../../../src/ios/grammar/expression.js';

const SAMPLES = [
  '10.0.0.1',
  '255.255.255.0',
  '0.0.0.255',
  'Ethernet2/0',
  '/24',
  '12.3',
  '-5',
  '101',
  '7',
  'NAME',
  '12:30',
];

/** Texts that the type reads: its bounds where it has some. */
function samples(type: ArgumentType): string[] {
  const range = /^<(\d+)-(\d+)>$/.exec(type.display);
  if (range !== null) return [range[1]!, range[2]!];
  if (type.display === 'LINE') return ['text to the end']; // `7` alone would be the type of a password
  return SAMPLES.filter((s) => type.read([{ text: s, at: 0 }], 0, s) !== undefined);
}

/** A line that the expression admits; `choose(n)` picks one of n. */
export function sentence(e: Expression, choose: (n: number) => number): string {
  switch (e.kind) {
    case 'word':
      return e.word;
    case 'argument': {
      const texts = samples(e.type);
      if (texts.length === 0) throw new Error(`no sample for ${e.type.display}`);
      return texts[choose(texts.length)]!;
    }
    case 'sequence':
      return e.parts
        .map((p) => sentence(p, choose))
        .filter((t) => t !== '')
        .join(' ');
    case 'choice':
      return sentence(e.of[choose(e.of.length)]!, choose);
    case 'options':
      return e.of
        .filter(() => choose(2) === 0)
        .map((o) => sentence(o, choose))
        .join(' ');
    case 'end':
      return '';
  }
}

/** A source of choices, small numbers first when it shrinks. */
export const choices = fc.array(fc.nat(10_000), { minLength: 40, maxLength: 40 }).map((numbers) => {
  let next = 0;
  return (n: number): number => numbers[next++ % numbers.length]! % n;
});
