/**
 * What no log may have: the arguments of AUTH and its kin. Mechanisms may be told where they are known ones (RFC 4422,
 * IANA SASL mechanisms): a word that only stands in their place could be a password.
 */

/** Stands for what is left out. */
export const HIDDEN = '***';

const MECHANISM =
  '(?:PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|GSS-SPNEGO|EXTERNAL|ANONYMOUS|XOAUTH2?|OAUTHBEARER|OTP|SKEY|' +
  'KERBEROS_V4|SCRAM-[A-Z0-9-]{1,15})';
/**
 * AUTH or a verb like it (X-EXPS of Exchange, XCLIENT of Postfix, PASS of POP3 and FTP, LOGIN of IMAP, Authorization of
 * HTTP) anywhere in a line, and a blank behind it.
 */
const SECRET = new RegExp(
  `((?:^|[^A-Z0-9-])(?:AUTH|XAUTH|X-EXPS|XCLIENT|PASS|LOGIN|AUTHORIZATION:)[ \\t]+(?:${MECHANISM}(?=[ \\t]))?).*$`,
  'is',
);
const ONLY_MECHANISM = new RegExp(`^[ \\t]*${MECHANISM}(?=[ \\t]|$)`, 'i');

/** The line has credentials in it. */
export const namesSecret = (line: string): boolean => SECRET.test(line);

/** What stands in the line before the credentials in it; undefined: there are none. */
export function beforeSecrets(line: string): string | undefined {
  const found = SECRET.exec(line);
  return found === null ? undefined : line.slice(0, found.index) + found[1]!.trimEnd();
}

/** The line without the credentials in it. */
export function withoutSecrets(line: string): string {
  const before = beforeSecrets(line);
  return before === undefined ? line : `${before} ${HIDDEN}`;
}

/** Of a line that begins with AUTH or the like, `verbLength` long: that, and a mechanism. */
function verbAndMechanism(line: string, verbLength: number): string {
  return line.slice(0, verbLength) + (ONLY_MECHANISM.exec(line.slice(verbLength))?.[0] ?? '');
}

/** The same, where anything stands behind it; else undefined: there is nothing to be left out. */
export function beforeArguments(line: string, verbLength: number): string | undefined {
  const before = verbAndMechanism(line, verbLength);
  return before.length < line.trimEnd().length ? before : undefined;
}

/** The line without all that is not the verb or a mechanism. */
export const withoutArguments = (line: string, verbLength: number): string =>
  `${verbAndMechanism(line, verbLength)} ${HIDDEN}`;
