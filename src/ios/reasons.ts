/** Words of the reasons that the core gives as codes. Packets that are dropped: drop-reasons.ts. */
import type { EndReason, FullTable, LogKind, ResetCause } from '../core/events.js';
import type { EndpointCommand } from '../core/inspect/ftp/inspector.js';
import type { NotAllowable } from '../core/inspect/smtp/grammar.js';
import type { LineReason, SmtpFinding } from '../core/inspect/smtp/finding.js';

/** Why a session ended: a structured field of the audit trail. */
export const END_REASONS: Readonly<Record<EndReason, string>> = {
  timeout: 'timeout',
  'table-full': 'table full',
  reset: 'reset',
  adoption: 'data plane restarted',
  replaced: 'replaced',
  cleared: 'cleared',
  inspection: 'inspection',
  gap: 'out-of-order segment missing',
  'responder-began-anew': 'responder began anew',
  intercept: 'tcp intercept',
  'max-incomplete': 'max-incomplete',
  'one-minute': 'one-minute',
  'max-incomplete-host': 'max-incomplete host',
  'host-blocked': 'host blocked',
};

/** The threshold for which half-open sessions were reset. */
export const RESET_FOR: Readonly<Record<ResetCause, string>> = {
  'max-incomplete': 'too many at a time (ip inspect max-incomplete)',
  'one-minute': 'too many new ones in a minute (ip inspect one-minute)',
  'max-incomplete-host': 'too many to one host (ip inspect tcp max-incomplete host)',
  'host-blocked': 'their host is blocked (ip inspect tcp max-incomplete host)',
};

/** What had no room for a session more. */
export const FULL_TABLES: Readonly<Record<FullTable, string>> = {
  sessions: 'session table',
  uninspected: 'share of the session table for connections without inspection',
  translations: 'NAT translation table',
};

/** Of which messages the log has left some out. */
export const LOG_KINDS: Readonly<Record<LogKind, string>> = {
  'audit-trail': 'audit trail',
  inspection: 'inspection',
  'half-open-session': 'half-open session',
  fragment: 'fragment',
  'access-list': 'access list',
  'dropped-packet': 'dropped packet',
  translation: 'translation',
  transcript: 'transcript',
  debug: 'debug',
  any: 'any',
};

/** `PORT command`, `PASV reply`. */
export const endpointLine = (command: EndpointCommand): string =>
  `${command} ${command === 'PORT' || command === 'EPRT' ? 'command' : 'reply'}`;

const LINE_REASONS: Readonly<Record<LineReason, string>> = {
  unknown: 'unknown command',
  'not-allowed': 'command not allowed',
  'blank-missing': 'no blank behind the verb',
  'bare-cr-behind-verb': 'bare CR behind the verb',
  'bare-lf-behind-verb': 'bare LF behind the verb',
  'bare-cr': 'bare CR',
  'bare-lf': 'bare LF',
  nul: 'NUL',
  'too-long': 'over the limit',
  'parameter-unfit': 'parameter malformed or not offered',
  'parameter-incomplete': 'parameter incomplete',
  'chunk-size': 'chunk size',
  early: 'before a reply',
  'early-and-agreed': 'answered all the same',
  'auth-response': 'in an AUTH response',
  'auth-response-gone-out': 'in an AUTH response, gone out',
};

/** What is wrong with a line of an SMTP client. */
export function lineReason(f: Extract<SmtpFinding, { why: LineReason }>): string {
  if (f.kind === 'line-too-long') return `over ${f.limit} bytes`;
  if (f.kind === 'command-behind' && f.why === 'early') return `behind ${f.command}, before its reply`;
  return LINE_REASONS[f.why];
}

/** Why `allow` refuses a word. */
export const NOT_ALLOWED: Readonly<Record<NotAllowable, string>> = {
  TURN: 'client and server change places (RFC 821 §3.8)',
  ATRN: 'client and server change places (RFC 2645)',
  XTRN: 'client and server change places',
  'X-TURNME': 'client and server change places',
  LHLO: 'LMTP answers a mail once for each recipient (RFC 2033)',
  PRDR: 'a mail is answered once for each recipient, behind a 353',
  CHECKPOINT: 'mail data goes on behind a 355 (RFC 1845)',
  PROXY: 'a line that has no reply, before the greeting',
  XPROXYTO: 'the session goes on with another server',
  'X-LINK2STATE': 'its chunks are counted in a form that is not published (MS05-021)',
  XMESSAGECONTEXT: 'counted octets follow in a form that is not published',
  'X-MESSAGECONTEXT': 'counted octets follow in a form that is not published',
  XSHADOW: 'its answers are not published',
  XSHADOWREQUEST: 'its answers are not published',
};
