/**
 * What no log may have: the arguments of AUTH and its kin. Mechanisms may be told where they are known ones (RFC 4422,
 * IANA SASL mechanisms): a word that only stands in their place could be a password.
 */

/** Stands for what is left out. */
export const HIDDEN = '***';

const MECHANISM =
  '(?:PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|GSS-SPNEGO|EXTERNAL|ANONYMOUS|XOAUTH2?|OAUTHBEARER|OTP|SKEY|' +
  'KERBEROS_V4|SCRAM-[A-Z0-9-]{1,15})';
/** AUTH or a verb like it (X-EXPS of Exchange, PASS of POP3 and FTP) anywhere in a line, and a blank behind it. */
const SECRET = new RegExp(`((?:^|[^A-Z0-9-])(?:AUTH|XAUTH|X-EXPS|PASS)[ \\t]+(?:${MECHANISM}(?=[ \\t]))?).*$`, 'is');
const ONLY_MECHANISM = new RegExp(`^[ \\t]*${MECHANISM}(?=[ \\t]|$)`, 'i');

/** The line has credentials in it. */
export const namesSecret = (line: string): boolean => SECRET.test(line);

/** The line without the credentials in it. */
export const withoutSecrets = (line: string): string =>
  line.replace(SECRET, (_, kept: string) => `${kept.trimEnd()} ${HIDDEN}`);

/** A line that begins with AUTH or the like, without all that is not the verb, `verbLength` long, or a mechanism. */
export function withoutArguments(line: string, verbLength: number): string {
  const mechanism = ONLY_MECHANISM.exec(line.slice(verbLength))?.[0] ?? '';
  return `${line.slice(0, verbLength)}${mechanism} ${HIDDEN}`;
}
