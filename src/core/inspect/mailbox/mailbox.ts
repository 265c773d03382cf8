/**
 * What POP3 and IMAP inspection have in common (E-mail Inspection Engine, 12.3(14)T): what they report, which logins
 * are secure, and how their state is saved. A word is looked up in a table without making a string of it.
 */
import type { StateIo } from '../../memory/state-io.js';
import type { Finding } from '../inspector.js';

export type InvalidKind = 'invalid-command' | 'invalid-reply';

/** What was wrong with a line of the client or of the server. */
export type MailboxReason =
  | 'invalid-verb'
  | 'invalid-tag'
  | 'invalid-argument'
  | 'invalid-mechanism'
  | 'invalid-quoted-string'
  | 'invalid-literal'
  /** In this state of the dialogue. */
  | 'not-authenticated'
  | 'already-authenticated'
  | 'too-long'
  | 'too-many'
  /** A CR or LF alone, or a NUL. */
  | 'bare-line-break'
  /** Behind a command whose reply the client must await. */
  | 'early-data'
  /** Behind QUIT or LOGOUT. */
  | 'behind-last'
  | 'invalid-reply'
  | 'invalid-greeting'
  | 'reply-to-nothing'
  /** The server had not read the command yet. */
  | 'early-reply'
  /** Behind the OK to STLS or STARTTLS. */
  | 'behind-tls';

/** Nothing of it is what the client sent: its lines carry credentials. */
export type MailboxFinding = Finding &
  (
    | { readonly kind: InvalidKind; readonly why: MailboxReason }
    /** Only under `secure-login`. `mechanism`: empty where there is none, or none that is known. */
    | { readonly kind: 'insecure-login'; readonly command: string; readonly mechanism: string }
  );

/** `secure-login`: passwords that can be read on the wire are refused. */
export interface MailboxOptions {
  readonly secureLogin: boolean;
}

export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;

/** Longest line that answers a challenge, bytes (RFC 5034 §4 names 12,288 for POP3). */
export const RESPONSE_LIMIT = 12_288;

const upper = (c: number): number => (c >= 0x61 && c <= 0x7a ? c - 0x20 : c);

/** Words of ASCII without case, found by their bytes. */
export class WordTable<T> {
  readonly longest: number;
  /** By length. */
  readonly #words: { bytes: Uint8Array; value: T }[][] = [];

  constructor(words: Readonly<Record<string, T>>) {
    let longest = 0;
    for (const [word, value] of Object.entries(words)) {
      (this.#words[word.length] ??= []).push({ bytes: Buffer.from(word, 'latin1'), value });
      longest = Math.max(longest, word.length);
    }
    this.longest = longest;
  }

  /** What belongs to the word b[0..length); undefined: it is none. */
  find(b: Uint8Array, length: number): T | undefined {
    const words = this.#words[length];
    if (words === undefined) return undefined;
    for (const { bytes, value } of words) {
      let i = 0;
      while (i < length && bytes[i] === upper(b[i]!)) i++;
      if (i === length) return value;
    }
    return undefined;
  }
}

/** A SASL mechanism (RFC 4422). */
export interface Mechanism {
  /** No password and no bearer token can be read from it. */
  readonly secure: boolean;
  /** A security layer may follow, of which nothing can be read. */
  readonly layer: boolean;
  readonly name: string;
}

const mechanism = (name: string, secure: boolean, layer = false): [string, Mechanism] => [
  name,
  { name, secure, layer },
];

/** Inferred: IOS says no more than "secure authentication methods". A mechanism that is not listed is not one of them. */
export const MECHANISMS = new WordTable<Mechanism>(
  Object.fromEntries([
    ...['CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512'].map(
      (name) => mechanism(name, true),
    ),
    ...['SCRAM-SHA-512-PLUS', 'NTLM', 'OTP', 'SKEY', 'EXTERNAL', 'ANONYMOUS'].map((name) => mechanism(name, true)),
    ...['DIGEST-MD5', 'GSSAPI', 'GSS-SPNEGO', 'GS2-KRB5', 'GS2-KRB5-PLUS', 'KERBEROS_V4', 'SRP'].map((name) =>
      mechanism(name, true, true),
    ),
    ...['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'].map((name) => mechanism(name, false)),
  ]),
);

/** Letters, digits, `-` and `_`: what a mechanism's name is made of (RFC 4422 §3.1). */
export const isMechanismByte = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x2d || c === 0x5f;

/** What a SASL response is made of behind its encoding (RFC 4648 §4). */
export const isBase64Byte = (c: number): boolean =>
  (c >= 0x2f && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x2b || c === 0x3d;

/** Most bytes of a mechanism's name (RFC 4422 §3.1 has 20; the longest one here has 18). */
export const MECHANISM_MOST = 20;

/** What there is of a session: numbers, each 0 to 2^32 - 1, and texts. Always of the same size. */
export interface SessionState {
  readonly numbers: readonly Record<string, number>[];
  readonly texts: readonly Uint8Array[];
}

/** Saves or loads a session's state. */
export function syncState(io: StateIo, { numbers, texts }: SessionState): void {
  for (const part of numbers) for (const key of Object.keys(part)) part[key] = io.int(part[key]!) >>> 0;
  for (const text of texts) io.bytes(text, text.length);
}
