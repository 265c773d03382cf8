/** FTP commands whose argument opens an account (RFC 959 §4.1.1, RFC 2228 §3): a 3640 printed it, we do not. */
const SECRET = /^(\W*(?:pass|acct|adat)\b)[^]*?(\r?\n?)$/i;

/** A command line as a log may have it: `*****` in the place of a password. */
export const withoutPassword = (line: string): string => line.replace(SECRET, '$1 *****$2');
