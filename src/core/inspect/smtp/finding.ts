/**
 * What SMTP inspection can report: one member for each kind of intervention. `ios/messages.ts` words them; where IOS
 * has no message the text is fw3640's own, and so it says. Texts are Latin-1 as sent: escape them before printing.
 */
import type { Row } from '../../observe/row.js';

/** What the rule asks for. `noted`: nothing to alter. `masked`: overwritten in place. `reset`: both ends are reset. */
export type SmtpAction = 'noted' | 'masked' | 'reset';

interface Intervention {
  action: SmtpAction;
  /** The action was carried out: false for `noted`, and always under `monitor-only`. */
  altered: boolean;
}

interface ClientLine {
  /**
   * The line as the client sent it and as it goes on, without CR LF, cut to 512 bytes. Credentials are left out: `***`.
   * A bare CR that went out before it was known to be bare stands in `after` as masked.
   */
  before: string;
  after: string;
  why: LineReason;
}

/** What is wrong with a line of the client, closer than by the kind of finding. */
export const LINE_REASONS = [
  'unknown',
  'not-allowed',
  'blank-missing',
  'bare-cr-behind-verb',
  'bare-lf-behind-verb',
  'bare-cr',
  'bare-lf',
  'nul',
  'too-long',
  'parameter-unfit',
  'parameter-incomplete',
  'chunk-size',
  /** It stands behind a command that must be answered first; the server then agreed to that. */
  'early',
  'early-and-agreed',
  /** Within an AUTH response; some of it has gone out before it was known. */
  'auth-response',
  'auth-response-gone-out',
] as const;
export type LineReason = (typeof LINE_REASONS)[number];

/**
 * | kind | IOS message, reference §3 |
 * | --- | --- |
 * | invalid-command | `%FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command from initiator (A:P)`; the same for the next seven, with fw3640's reason and line behind it |
 * | invalid-parameter, bare-line-break, line-too-long, command-behind | as above |
 * | early-command, bad-sequence | fw3640's own, severity 6 (4 where the session is reset) |
 * | unexpected-reply, malformed-reply, long-reply | fw3640's own, severity 6 (4 where the session is reset), about the responder |
 * | extension-masked | fw3640's own, severity 6, about the responder |
 * | ambiguous-end-of-data | fw3640's own, severity 4 |
 * | max-data-exceeded | fw3640's own, severity 4 (IOS logs an alert, its text is not known) |
 * | pipeline-overflow | fw3640's own, severity 4 |
 * | signature 3101 | `%FW-4-TCP_SENDMAIL_BAD_TO_SIG: Sig:3101:Sendmail Invalid Recipient - from A to B` |
 * | signature 3102 | `%FW-4-TCP_SENDMAIL_BAD_FROM_SIG: Sig:3102:Sendmail Invalid Sender - from A to B` |
 * | signature 3104 | `%FW-4-TCP_SENDMAIL_OLD_SIG: Sig:3104:Archaic Sendmail Attacks - from A to B` |
 * | signature 3105 | `%FW-4-TCP_SENDMAIL_DECODE: Sig:3105:Sendmail Decode Alias - from A to B` |
 * | signature 3107 | `%FW-4-TCP_MAJORDOMO_EXEC_BUG: Sig:3107:Majordomo Execute Attack - from A to B` |
 */
export type SmtpFinding = Intervention &
  (
    | ({ kind: 'invalid-command' } & ClientLine)
    /** esmtp: a parameter of MAIL or RCPT that is malformed or whose extension the server did not offer. */
    | ({ kind: 'invalid-parameter' } & ClientLine)
    /** A CR or LF alone, or a NUL, within a command or an AUTH response: some servers see a second line there. */
    | ({ kind: 'bare-line-break' } & ClientLine)
    /** Longer than RFC 5321 §4.5.3.1 and the extensions in use allow. `reset`: longer than servers read whole. */
    | ({ kind: 'line-too-long'; limit: number } & ClientLine)
    /** Bytes behind DATA, AUTH or STARTTLS before the server's reply to it (RFC 2920 §3.1). `reset`: it then agreed. */
    | ({ kind: 'command-behind'; command: string } & ClientLine)
    /** The client did not wait for the greeting (RFC 5321 §3.1). Once a session. */
    | { kind: 'early-command' }
    /**
     * A legal command that this moment of the dialogue does not allow (RFC 5321 §4.1.4); the server will refuse it.
     * `reset`: BDAT, of which the server may then take the octets for commands.
     */
    | { kind: 'bad-sequence'; command: string }
    /**
     * A reply to nothing that the server has acknowledged, or one that its line cannot have: `reset`, for then nobody
     * knows what answers what. But for a refusal of nothing: it is `noted`, and from then on no reply changes what the
     * client's bytes mean; amid message data the rest is `masked`.
     */
    | { kind: 'unexpected-reply'; reply: string }
    /** A reply line without a reply code. Once a reply. */
    | { kind: 'malformed-reply'; reply: string }
    | { kind: 'long-reply'; limit: number }
    /** esmtp: a line of the EHLO reply that offered what inspection does not pass. */
    | { kind: 'extension-masked'; before: string; after: string }
    /** SMTP smuggling, CVE-2023-51764, -51765, -51766. `form`: what stood there, e.g. `LF . CR`. */
    | { kind: 'ambiguous-end-of-data'; form: string }
    | { kind: 'max-data-exceeded'; limit: number }
    /** More commands than `limit` await their replies, behind a mail or a chunk in one segment: others wait. */
    | { kind: 'pipeline-overflow'; limit: number }
    /** `line`: the command so far; empty for a signature in a header. */
    | { kind: 'signature'; id: SignatureId; line: string }
  );

/** Numbers of the Cisco IDS signatures that CBAC always had for mail. */
export type SignatureId = 3101 | 3102 | 3104 | 3105 | 3107;

/** Findings by kind since start, for `show ip inspect statistics`. One object for all sessions of the router. */
export type SmtpCounters = Record<SmtpFinding['kind'], number>;

export function newSmtpCounters(): SmtpCounters {
  return {
    'invalid-command': 0,
    'invalid-parameter': 0,
    'bare-line-break': 0,
    'line-too-long': 0,
    'command-behind': 0,
    'early-command': 0,
    'bad-sequence': 0,
    'unexpected-reply': 0,
    'malformed-reply': 0,
    'long-reply': 0,
    'extension-masked': 0,
    'ambiguous-end-of-data': 0,
    'max-data-exceeded': 0,
    'pipeline-overflow': 0,
    signature: 0,
  };
}

/** A row for each kind of finding. */
export const smtpRows = (counters: SmtpCounters): Row[] =>
  (Object.keys(counters) as (keyof SmtpCounters)[]).map((name) => ({
    family: 'smtp',
    name,
    help: `Findings of SMTP inspection: ${name}`,
    kind: 'counter',
    read: () => counters[name],
  }));
