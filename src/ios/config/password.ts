/**
 * Passwords as IOS stores them: type 0 clear, type 5 MD5 crypt, type 7 a fixed Vigenère key (which hides from a glance
 * over the shoulder and nothing more). Reference: ios-firewall.md §12.
 */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Password } from './model.js';

const TYPE_7_KEY = 'dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87';
const CRYPT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** @param offset where in the key to start, 0..15 */
export function encodeType7(clear: string, offset = randomInt(16)): string {
  let out = String(offset).padStart(2, '0');
  for (let i = 0; i < clear.length; i++) {
    const byte = (clear.charCodeAt(i) ^ TYPE_7_KEY.charCodeAt((offset + i) % TYPE_7_KEY.length)) & 0xff;
    out += byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/** @returns the clear text, or undefined where the text is no type 7 password */
export function decodeType7(encoded: string): string | undefined {
  if (!/^\d\d(?:[0-9a-f]{2})+$/i.test(encoded)) return undefined;
  const offset = Number(encoded.slice(0, 2));
  if (offset >= TYPE_7_KEY.length) return undefined;
  let clear = '';
  for (let i = 2; i < encoded.length; i += 2) {
    const key = TYPE_7_KEY.charCodeAt((offset + i / 2 - 1) % TYPE_7_KEY.length);
    clear += String.fromCharCode(parseInt(encoded.slice(i, i + 2), 16) ^ key);
  }
  return clear;
}

/** Poul-Henning Kamp's MD5 crypt, `$1$salt$hash`, as `enable secret 5` holds it. */
export function md5Crypt(clear: string, salt: string): string {
  const md5 = (...parts: (Buffer | string)[]): Buffer => {
    const hash = createHash('md5');
    for (const p of parts) hash.update(p);
    return hash.digest();
  };
  const password = Buffer.from(clear, 'latin1');
  const inner = md5(password, salt, password);
  const first: (Buffer | string)[] = [password, '$1$', salt];
  for (let n = password.length; n > 0; n -= 16) first.push(inner.subarray(0, Math.min(16, n)));
  for (let n = password.length; n > 0; n >>= 1) first.push(n & 1 ? Buffer.from([0]) : password.subarray(0, 1));
  let digest = md5(...first);
  for (let round = 0; round < 1000; round++) {
    const odd = (round & 1) === 1;
    const parts: (Buffer | string)[] = [odd ? password : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push(odd ? digest : password);
    digest = md5(...parts);
  }
  let text = '';
  const encode = (value: number, length: number): void => {
    for (let n = length; n > 0; n--, value >>= 6) text += CRYPT_ALPHABET[value & 63]!;
  };
  for (let i = 0; i < 5; i++) encode((digest[i]! << 16) | (digest[i + 6]! << 8) | digest[i === 4 ? 5 : i + 12]!, 4);
  encode(digest[11]!, 2);
  return `$1$${salt}$${text}`;
}

/** A new type 5 password with a salt of its own. */
export function hashSecret(clear: string): Password {
  let salt = '';
  for (const byte of randomBytes(4)) salt += CRYPT_ALPHABET[byte & 63]!;
  return { type: 5, text: md5Crypt(clear, salt) };
}

/** True where `typed` is the password. Takes the same time whatever differs. */
export function verifyPassword(stored: Password, typed: string): boolean {
  switch (stored.type) {
    case 0:
      return sameText(stored.text, typed);
    case 7:
      return sameText(decodeType7(stored.text) ?? '', typed) && typed !== '';
    case 5: {
      const salt = /^\$1\$([^$]{0,8})\$/.exec(stored.text)?.[1];
      return salt !== undefined && sameText(md5Crypt(typed, salt), stored.text);
    }
  }
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
