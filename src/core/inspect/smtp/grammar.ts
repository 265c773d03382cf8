/**
 * SMTP and ESMTP as data: commands, the replies they wait for, service extensions, parameters, limits. Who knows the
 * RFCs reviews this file and need not read the code; `dfa.ts` turns the words into transitions.
 */

/** Where a mail transaction stands (RFC 5321 §4.1.4), as the client believes: commands count, refusals take back. */
export type Phase = 'connected' | 'ready' | 'mail' | 'rcpt';
const ANY: readonly Phase[] = ['connected', 'ready', 'mail', 'rcpt'];

export interface Command {
  /** Match id in `debug ip inspect smtp`: the alphabetical rank among the fifteen. 16 and 17 are the line ends below. */
  readonly id: number;
  /** The rule that passes it: `smtp` both, `esmtp` only that, `allow` only where the administrator says so. */
  readonly rule: 'smtp' | 'esmtp' | 'allow';
  /** Phases in which the client may send it. */
  readonly from: readonly Phase[];
  /** Phase that follows; absent: as before. */
  readonly to?: Phase;
  /** It must be the last of a pipelined group, and this positive reply to it changes what the client's bytes mean. */
  readonly waitsFor?: number;
  /** What the client's bytes are behind that reply. */
  readonly then?: 'mailData' | 'response' | 'tls' | 'blob';
  /** Its arguments, and lines of no known verb behind it, are credentials: no log has them. */
  readonly secret?: true;
  /** Limit of its line with CR LF, bytes, where parameters raise it above COMMAND_LINE_LIMIT. */
  readonly limit?: number;
  readonly source: string;
}

/** RFC 5321 §4.5.3.1.4, with CR LF. */
export const COMMAND_LINE_LIMIT = 512;
/** RFC 5321 §4.5.3.1.5, with CR LF. Longer ones are reported, not altered. */
export const REPLY_LINE_LIMIT = 512;
/**
 * No command is longer, whatever its parameters or the administrator want. Postfix since 3.10.13 reads so much of a line,
 * and takes what follows for the next one. What is beyond is masked, and replies no longer count.
 */
export const LONGEST_COMMAND = 4096;
/**
 * No line is longer, with CR LF: the session is reset. RFC 4954 §4.3 has responses to AUTH as long as that. Servers cut longer ones and answer each part (Exim 4 at 16,384
 * bytes), so that nobody knows any more which reply belongs to what.
 */
export const LONGEST_LINE = 12288;
/** What parameters add: SIZE 26 (RFC 1870 §3), BODY 17 (RFC 6152 §2), DSN 500 (RFC 3461 §4), AUTH 500 (RFC 4954 §3). */
const MAIL_LINE_LIMIT = COMMAND_LINE_LIMIT + 26 + 17 + 500 + 500;
const RCPT_LINE_LIMIT = COMMAND_LINE_LIMIT + 500;
/**
 * Lines whose replies are awaited at once. What would bring more is left to TCP, which repeats it: by then replies have
 * made room. More than one segment of 4,096 bytes can bring at all, so that each can be taken once all is answered.
 */
export const PIPELINE_LIMIT = 2048;

export const COMMANDS = {
  AUTH: {
    id: 1,
    rule: 'esmtp',
    from: ['ready'],
    waitsFor: 334,
    then: 'response',
    secret: true,
    limit: LONGEST_COMMAND,
    source: 'RFC 4954 §4',
  },
  DATA: { id: 2, rule: 'smtp', from: ['rcpt'], waitsFor: 354, then: 'mailData', source: 'RFC 5321 §4.1.1.4' },
  EHLO: { id: 3, rule: 'esmtp', from: ANY, to: 'ready', source: 'RFC 5321 §4.1.1.1' },
  ETRN: { id: 4, rule: 'esmtp', from: ['ready'], source: 'RFC 1985 §5' },
  HELO: { id: 5, rule: 'smtp', from: ANY, to: 'ready', source: 'RFC 5321 §4.1.1.1' },
  HELP: { id: 6, rule: 'smtp', from: ANY, source: 'RFC 5321 §4.1.1.8' },
  MAIL: { id: 7, rule: 'smtp', from: ['ready'], to: 'mail', limit: MAIL_LINE_LIMIT, source: 'RFC 5321 §4.1.1.2' },
  NOOP: { id: 8, rule: 'smtp', from: ANY, source: 'RFC 5321 §4.1.1.9' },
  QUIT: { id: 9, rule: 'smtp', from: ANY, source: 'RFC 5321 §4.1.1.10' },
  RCPT: {
    id: 10,
    rule: 'smtp',
    from: ['mail', 'rcpt'],
    to: 'rcpt',
    limit: RCPT_LINE_LIMIT,
    source: 'RFC 5321 §4.1.1.3',
  },
  RSET: { id: 11, rule: 'smtp', from: ANY, to: 'ready', source: 'RFC 5321 §4.1.1.5' },
  SAML: { id: 12, rule: 'smtp', from: ['ready'], to: 'mail', limit: MAIL_LINE_LIMIT, source: 'RFC 821 §3.4' },
  SEND: { id: 13, rule: 'smtp', from: ['ready'], to: 'mail', limit: MAIL_LINE_LIMIT, source: 'RFC 821 §3.4' },
  SOML: { id: 14, rule: 'smtp', from: ['ready'], to: 'mail', limit: MAIL_LINE_LIMIT, source: 'RFC 821 §3.4' },
  VRFY: { id: 15, rule: 'smtp', from: ANY, source: 'RFC 5321 §4.1.1.6' },
  STARTTLS: { id: 18, rule: 'allow', from: ['ready'], waitsFor: 220, then: 'tls', source: 'RFC 3207 §4' },
  BDAT: { id: 19, rule: 'allow', from: ['rcpt'], source: 'RFC 3030 §2' },
  // Of Exchange: AUTH by another name, octets behind 354, STARTTLS by another name.
  'X-EXPS': {
    id: 20,
    rule: 'allow',
    from: ['ready'],
    waitsFor: 334,
    then: 'response',
    secret: true,
    limit: LONGEST_COMMAND,
    source: 'Exchange 2000 and later, SMTP Protocol Extensions',
  },
  XEXCH50: {
    id: 21,
    rule: 'allow',
    from: ['mail', 'rcpt'],
    waitsFor: 354,
    then: 'blob',
    source: 'Exchange 2000 and later, Microsoft KB 818222',
  },
  'X-ANONYMOUSTLS': {
    id: 22,
    rule: 'allow',
    from: ['ready'],
    waitsFor: 220,
    then: 'tls',
    source: 'Exchange 2007 and later, SMTP Protocol Extensions',
  },
} as const satisfies Readonly<Record<string, Command>>;

/** Match ids of the two line ends in the verb table. Inferred: five states of the trace's numbering are theirs. */
export const END_OF_DATA = 16;
export const EMPTY_LINE = 17;
/** First id of other commands that the administrator allows. */
export const FIRST_ALLOWED_ID = 23;

/**
 * Words that `allow` refuses: behind them the dialogue is another than the one that is followed. Any other word is taken
 * for a verb with one line and one final reply; a 3yz reply to it resets the session.
 */
export const NOT_ALLOWABLE = [
  'TURN', // RFC 821 §3.8
  'ATRN', // RFC 2645
  'XTRN',
  'X-TURNME',
  'LHLO', // RFC 2033
  'PRDR',
  'CHECKPOINT', // RFC 1845
  'PROXY',
  'XPROXYTO',
  'X-LINK2STATE', // MS05-021
  'XMESSAGECONTEXT',
  'X-MESSAGECONTEXT',
  'XSHADOW',
  'XSHADOWREQUEST',
] as const;
export type NotAllowable = (typeof NOT_ALLOWABLE)[number];

const WORD = /^[A-Z0-9][A-Z0-9-]*$/;

/** `allow` may name the word, in capitals: a verb or extension can have its form, and what it begins can be followed. */
export const isAllowable = (word: string): boolean => WORD.test(word) && !isNotAllowable(word);
export const isNotAllowable = (word: string): word is NotAllowable => NOT_ALLOWABLE.some((w) => w === word);

/** Client lines that await a reply and are no command: never a match id. */
export const MASKED_LINE = 0;
/** Under `monitor-only`: a command of no known verb, which the server sees and judges. */
export const UNKNOWN_LINE = 251;
/** The same, where credentials stand in it. */
export const CREDENTIALS_LINE = 249;
export const BLOB_END = 250;
export const GREETING = 252;
export const DATA_END = 253;
export const LAST_CHUNK = 254;

export interface Extension {
  /** Passed in the EHLO reply without being allowed by name. */
  readonly examined: boolean;
  readonly source: string;
}

/**
 * Keywords of the EHLO reply. The first eight are those that "deeper command inspection" of ESMTP examines. The verbs
 * follow whose command passes anyway: nothing is gained by hiding them. Other words are passed where they are allowed.
 */
export const EXTENSIONS = {
  SIZE: { examined: true, source: 'RFC 1870' },
  ETRN: { examined: true, source: 'RFC 1985' },
  BINARYMIME: { examined: true, source: 'RFC 3030' },
  PIPELINING: { examined: true, source: 'RFC 2920' },
  AUTH: { examined: true, source: 'RFC 4954' },
  DSN: { examined: true, source: 'RFC 3461' },
  ENHANCEDSTATUSCODES: { examined: true, source: 'RFC 2034' },
  '8BITMIME': { examined: true, source: 'RFC 6152' },
  HELP: { examined: true, source: 'RFC 5321 §4.1.1.8' },
  VRFY: { examined: true, source: 'RFC 5321 §4.1.1.6' },
  SEND: { examined: true, source: 'RFC 821 §3.4' },
  SOML: { examined: true, source: 'RFC 821 §3.4' },
  SAML: { examined: true, source: 'RFC 821 §3.4' },
  CHUNKING: { examined: false, source: 'RFC 3030' },
  STARTTLS: { examined: false, source: 'RFC 3207' },
  SMTPUTF8: { examined: false, source: 'RFC 6531' },
} as const satisfies Readonly<Record<string, Extension>>;
export type ExtensionName = keyof typeof EXTENSIONS;

/** Bit of an extension in the set of those offered. */
export const offerBit = (name: ExtensionName): number => 1 << Object.keys(EXTENSIONS).indexOf(name);

/** Form of a parameter's value; `parameter-value.ts` knows each one. */
export type ValueForm =
  | { form: 'none' }
  /** 1*20 DIGIT. */
  | { form: 'digits' }
  /** One of the words; `needs`: the extension without which a word is not passed. */
  | { form: 'word'; words: readonly string[]; needs?: Readonly<Record<string, ExtensionName>> }
  /** One or more of the words, comma-separated, or the first alone. */
  | { form: 'list'; words: readonly string[] }
  /** RFC 3461 §4. */
  | { form: 'xtext' }
  /** addr-type ";" xtext (RFC 3461 §4.2). */
  | { form: 'typed-xtext' }
  /** esmtp-value, or none (RFC 5321 §4.1.2): of a keyword that the administrator allows. */
  | { form: 'any' };

export interface Parameter {
  readonly command: 'MAIL' | 'RCPT';
  readonly extension: ExtensionName;
  readonly value: ValueForm;
  readonly source: string;
}

/** Parameters of MAIL and RCPT, each with the extension that must have been offered for it. */
export const PARAMETERS = {
  SIZE: { command: 'MAIL', extension: 'SIZE', value: { form: 'digits' }, source: 'RFC 1870 §3' },
  BODY: {
    command: 'MAIL',
    extension: '8BITMIME',
    value: { form: 'word', words: ['7BIT', '8BITMIME', 'BINARYMIME'], needs: { BINARYMIME: 'BINARYMIME' } },
    source: 'RFC 6152 §2, RFC 3030 §3',
  },
  RET: { command: 'MAIL', extension: 'DSN', value: { form: 'word', words: ['FULL', 'HDRS'] }, source: 'RFC 3461 §4.3' },
  ENVID: { command: 'MAIL', extension: 'DSN', value: { form: 'xtext' }, source: 'RFC 3461 §4.4' },
  // "<>", a client that does not tell, has the form of xtext too.
  AUTH: { command: 'MAIL', extension: 'AUTH', value: { form: 'xtext' }, source: 'RFC 4954 §5' },
  SMTPUTF8: { command: 'MAIL', extension: 'SMTPUTF8', value: { form: 'none' }, source: 'RFC 6531 §3.4' },
  NOTIFY: {
    command: 'RCPT',
    extension: 'DSN',
    value: { form: 'list', words: ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] },
    source: 'RFC 3461 §4.1',
  },
  ORCPT: { command: 'RCPT', extension: 'DSN', value: { form: 'typed-xtext' }, source: 'RFC 3461 §4.2' },
} as const satisfies Readonly<Record<string, Parameter>>;
