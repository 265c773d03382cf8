import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeType7, encodeType7, hashSecret, md5Crypt, verifyPassword } from '../../../src/ios/config/password.js';

test.each([
  ['02050D4808095E731F', 'cisco123'],
  ['121A0C0411045D5679', 'cisco123'],
  ['094F471A1A0A', 'cisco'],
])('type 7 %s is %s', (encoded, clear) => {
  expect(decodeType7(encoded)).toBe(clear);
  expect(encodeType7(clear, Number(encoded.slice(0, 2)))).toBe(encoded);
});

test.each(['', '02', '0', 'zz050D', '02050', '99050D'])('%j is no type 7 password', (text) => {
  expect(decodeType7(text)).toBeUndefined();
});

test('type 7 hides and shows any printable text, at any offset', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 25 }).filter((s) => /^[\x20-\x7e]+$/.test(s)),
      fc.nat(15),
      (s, offset) => {
        expect(decodeType7(encodeType7(s, offset))).toBe(s);
      },
    ),
  );
});

test('type 5 is MD5 crypt', () => {
  expect(md5Crypt('cisco', 'mERr')).toBe('$1$mERr$hx5rVt7rPNoS4wqbXKX7m0');
  const secret = hashSecret('long enough to need two blocks of sixteen');
  expect(verifyPassword(secret, 'long enough to need two blocks of sixteen')).toBe(true);
  expect(verifyPassword(secret, 'long enough')).toBe(false);
});

test.each([
  { stored: { type: 0 as const, text: 'clear' }, right: 'clear' },
  { stored: { type: 7 as const, text: '094F471A1A0A' }, right: 'cisco' },
  { stored: { type: 5 as const, text: '$1$mERr$hx5rVt7rPNoS4wqbXKX7m0' }, right: 'cisco' },
])('a password of type $stored.type is checked', ({ stored, right }) => {
  expect(verifyPassword(stored, right)).toBe(true);
  for (const wrong of ['', right.toUpperCase(), `${right} `, stored.text])
    if (wrong !== right) expect(verifyPassword(stored, wrong)).toBe(false);
});
