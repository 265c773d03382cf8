/** `ip inspect name NAME {pop3|imap} … [reset] [secure-login]` (E-mail Inspection Engine, 12.3(14)T). */
import type { MailboxReason } from '../../core/inspect/mailbox/mailbox.js';
import type { RegisteredFinding } from '../../core/inspect/registry.js';
import type { Feature, Words } from './feature.js';

/**
 * NON_SECURE_LOGIN has the shape of the system message manual: `LOGON POP3 command from initiator (A:P): TEXT`. What
 * stands behind the last colon is our choice: never an argument, which may be a credential. INVALID_COMMAND is recalled,
 * of its reasons only `Invalid verb`. Ours: INVALID_REPLY.
 */
function words(name: string, f: RegisteredFinding, party: (fromInitiator: boolean) => string): Words {
  const why = mailboxReason(name, f);
  const from = `from ${party(f.fromInitiator)}: ${why}`;
  const fields = { kind: f.kind, fromInitiator: f.fromInitiator, why };
  switch (f.kind) {
    case 'insecure-login':
      return { severity: 5, mnemonic: `${name}_NON_SECURE_LOGIN`, text: `LOGON ${name} command ${from}`, fields };
    case 'invalid-command':
      return { severity: 5, mnemonic: `${name}_INVALID_COMMAND`, text: `Invalid ${name} command ${from}`, fields };
    case 'invalid-reply':
      return { severity: 5, mnemonic: `${name}_INVALID_REPLY`, text: `Invalid ${name} reply ${from}`, fields };
  }
}

/** What is wrong, without a word of the client's. @param name of the protocol, in capitals */
export function mailboxReason(name: string, f: RegisteredFinding): string {
  if (f.kind === 'insecure-login') return f.mechanism === '' ? f.command : `${f.command} ${f.mechanism}`;
  const pop3 = name === 'POP3';
  if (f.why === 'behind-last') return `Command behind ${pop3 ? 'QUIT' : 'LOGOUT'}`;
  if (f.why === 'behind-tls') return `Data behind the reply to ${pop3 ? 'STLS' : 'STARTTLS'}`;
  return REASONS[f.why];
}

const REASONS: Readonly<Record<Exclude<MailboxReason, 'behind-last' | 'behind-tls'>, string>> = {
  'invalid-verb': 'Invalid verb',
  'invalid-tag': 'Invalid tag',
  'invalid-argument': 'Invalid argument',
  'invalid-mechanism': 'Invalid mechanism',
  'invalid-quoted-string': 'Invalid quoted string',
  'invalid-literal': 'Invalid literal',
  'not-authenticated': 'Not authenticated',
  'already-authenticated': 'Already authenticated',
  'too-long': 'Line too long',
  'too-many': 'Too many commands without a reply',
  'bare-line-break': 'Bare CR, LF or NUL',
  'early-data': 'Data ahead of the reply',
  'invalid-reply': 'Invalid reply',
  'invalid-greeting': 'Invalid greeting',
  'reply-to-nothing': 'Reply to nothing',
  'early-reply': 'Reply ahead of the command',
};

const feature = (protocol: Feature['protocol'], title: string): Feature => ({
  protocol,
  title,
  syntax: '[reset] [secure-login]',
  help: {
    reset: 'Reset the connection if the protocol is violated',
    'secure-login': 'Only secure authentication methods are allowed',
  },
  defaults: { reset: false, secureLogin: false },
  read: (m) => ({ reset: m.has('reset'), secureLogin: m.has('secure-login') }),
  print: (o) => (o['reset'] === true ? ' reset' : '') + (o['secureLogin'] === true ? ' secure-login' : ''),
  words: (finding, party) => words(protocol.toUpperCase(), finding, party),
});

export const POP3_FEATURE = feature('pop3', 'POP3 Protocol');
export const IMAP_FEATURE = feature('imap', 'IMAP Protocol');
