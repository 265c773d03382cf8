/** `ip inspect name NAME {pop3|imap} … [reset] [secure-login]` (E-mail Inspection Engine, 12.3(14)T). */
import type { RegisteredFinding } from '../../core/inspect/registry.js';
import type { Feature, Words } from './feature.js';

/**
 * NON_SECURE_LOGIN has the shape of the system message manual: `LOGON POP3 command from initiator (A:P): TEXT`. What
 * stands behind the last colon is our choice: never an argument, which may be a credential. INVALID_COMMAND is recalled,
 * of its reasons only `Invalid verb`. Ours: INVALID_REPLY.
 */
function words(name: string, f: RegisteredFinding, party: (fromInitiator: boolean) => string): Words {
  const from = `from ${party(f.fromInitiator)}: ${f.why}`;
  switch (f.kind) {
    case 'insecure-login':
      return { severity: 5, mnemonic: `${name}_NON_SECURE_LOGIN`, text: `LOGON ${name} command ${from}` };
    case 'invalid-command':
      return { severity: 5, mnemonic: `${name}_INVALID_COMMAND`, text: `Invalid ${name} command ${from}` };
    case 'invalid-reply':
      return { severity: 5, mnemonic: `${name}_INVALID_REPLY`, text: `Invalid ${name} reply ${from}` };
  }
}

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
