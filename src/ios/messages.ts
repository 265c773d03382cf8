/**
 * Each event of the core in the words of a 3640: `%FACILITY-SEVERITY-MNEMONIC: text`. Texts follow the reference's
 * §3; a text that IOS does not have is marked as ours. Structured fields go beside the text.
 */
import type { Endpoints, Event } from '../core/events.js';
import type { FtpFinding } from '../core/inspect/ftp/inspector.js';
import type { SignatureId, SmtpFinding } from '../core/inspect/smtp/finding.js';
import { DROP } from '../core/verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../core/wire/ipv4.js';
import { debugLines } from './debug/lines.js';
import { DROP_REASONS } from './drop-reasons.js';
import { featureOf } from './features/index.js';
import { formatAddress } from './ipv4-text.js';
import { escape } from './printable.js';
import { END_REASONS, endpointLine, FULL_TABLES, lineReason, LOG_KINDS, RESET_FOR } from './reasons.js';
import { entryText } from './transcript/words.js';

/** 0 emergencies … 7 debugging. */
export interface Message {
  severity: number;
  /** `%FW-6-SESS_AUDIT_TRAIL`; empty for debug lines. */
  mnemonic: string;
  /** The text behind the mnemonic and its colon. */
  text: string;
  fields: Readonly<Record<string, string | number | boolean>>;
}

/** The messages of an event, each of one line: a debug event may print several. */
export function messagesOf(e: Event): Message[] {
  const m = messageOf(e);
  return e.type === 'debug' ? m.text.split('\n').map((text) => ({ ...m, text })) : [m];
}

/** The message of an event. Debug events have severity 7, no mnemonic, and as many lines as they print. */
export function messageOf(e: Event): Message {
  switch (e.type) {
    case 'session-start':
      return fw(6, 'SESS_AUDIT_TRAIL_START', `Start ${e.endpoints.service} session: ${parties(e.endpoints)}`, {
        ...fieldsOf(e.endpoints),
      });
    case 'session-stop':
      return fw(6, 'SESS_AUDIT_TRAIL', stopText(e.endpoints, e.sent, e.received), {
        ...fieldsOf(e.endpoints),
        initiatorBytes: e.sent,
        responderBytes: e.received,
        reason: END_REASONS[e.reason],
        ...(e.requests !== undefined && { requests: e.requests, request: escape(e.request ?? '') }),
      });
    case 'acl-denied':
    case 'acl-permitted':
      return aclMessage(e);
    case 'acl-log-missed':
      return missedMessage(e.packets);
    case 'packet-dropped':
      return dropMessage(e);
    case 'taken-over':
      return takenOverMessage(e);
    case 'left-out':
      return leftOutMessage(e);
    case 'smtp':
      return smtpMessage(e.finding, e.endpoints, e.fromInitiator, e.seq);
    case 'finding':
      return findingMessage(e);
    case 'java-blocked':
      return fw(
        4,
        'HTTP_JAVA_BLOCK',
        `JAVA applet is blocked from (${responder(e.endpoints)}) to (${initiator(e.endpoints)}).`,
        fieldsOf(e.endpoints),
      );
    case 'ftp':
      return ftpMessage(e.finding, e.endpoints);
    case 'nat-exhausted':
      return exhaustedMessage(e);
    case 'tcp-gap':
      return fw(
        4,
        'TCP_OoO_SEG',
        `Deleting session as expected TCP segment with seq# ${e.seq >>> 0} has not arrived even after ` +
          `${Math.round(e.waitedMs / 1000)} seconds - session ${initiator(e.endpoints)} to ${responder(e.endpoints)}`,
        { ...fieldsOf(e.endpoints), seq: e.seq >>> 0 },
      );
    case 'tcp-memory':
      // No message of a 3640 is known for it.
      return fw(
        4,
        'TCP_OoO_MEMORY',
        `TCP reassembly memory: sessions of host ${formatAddress(e.address)} have used up their share, ` +
          `${e.segments} segment${e.segments === 1 ? '' : 's'} dropped`,
        { host: formatAddress(e.address), segments: e.segments },
      );
    case 'aggressive-on':
      return fw(4, 'ALERT_ON', `getting aggressive, ${marks(e)}`, { halfOpen: e.count, rate: e.rate });
    case 'aggressive-off':
      return fw(4, 'ALERT_OFF', `calming down, ${marks(e)}`, { halfOpen: e.count, rate: e.rate });
    case 'intercept-on':
      return interceptMessage('getting aggressive', e);
    case 'intercept-off':
      return interceptMessage('calming down', e);
    case 'sessions-reset':
      // Ours: IOS says when it begins and ends to reset, not how much it has reset.
      return fw(
        4,
        'SESSIONS_RESET',
        `${count(e.sessions, 'half-open session')} reset in ${count(e.seconds, 'second')}: ${RESET_FOR[e.cause]}`,
        { sessions: e.sessions, seconds: e.seconds, cause: END_REASONS[e.cause] },
      );
    case 'table-full':
      return tableFullMessage(e);
    case 'host-alert':
      return fw(
        4,
        'HOST_TCP_ALERT_ON',
        `Max tcp half-open connections (${e.limit}) exceeded for host ${formatAddress(e.host)}.`,
        { host: formatAddress(e.host) },
      );
    case 'host-blocked':
      return fw(
        4,
        'BLOCK_HOST',
        `Blocking new TCP connections to host ${formatAddress(e.host)} for ${e.minutes} ` +
          `minute${e.minutes === 1 ? '' : 's'} (half-open count ${e.limit} exceeded)`,
        { host: formatAddress(e.host), minutes: e.minutes },
      );
    case 'host-unblocked':
      return fw(4, 'UNBLOCK_HOST', `New TCP connections to host ${formatAddress(e.host)} no longer blocked`, {
        host: formatAddress(e.host),
      });
    case 'fragments':
      return fragmentMessage(e);
    case 'transcript':
      // Only where there is no control plane that keeps them: `fw3640 replay`.
      return {
        severity: 7,
        mnemonic: '',
        text: entryText(e.entry),
        fields: { sessionId: formatId(e.endpoints) },
      };
    case 'debug':
      return {
        severity: 7,
        mnemonic: '',
        text: debugLines(e).join('\n'),
        fields: { debug: e.facility },
      };
    default:
      return assertNever(e);
  }
}

/** Lines that a destination did not take. IOS has this message for the console; its text is recalled. */
export const lostMessage = (messages: number, where: 'console' | 'syslog' | 'monitor'): Message => ({
  severity: 3,
  mnemonic: '%SYS-3-LOGGER_DROPPED',
  text: `System dropped ${count(messages, `${where} message`)}`,
  fields: { messages, destination: where },
});

/** A message as it stands behind its time stamp. */
export const unstamped = (m: Message): string => (m.mnemonic === '' ? m.text : `${m.mnemonic}: ${m.text}`);

const SIGNATURES: Readonly<Record<SignatureId, readonly [mnemonic: string, words: string]>> = {
  3101: ['TCP_SENDMAIL_BAD_TO_SIG', 'Sendmail Invalid Recipient'],
  3102: ['TCP_SENDMAIL_BAD_FROM_SIG', 'Sendmail Invalid Sender'],
  3104: ['TCP_SENDMAIL_OLD_SIG', 'Archaic Sendmail Attacks'],
  3105: ['TCP_SENDMAIL_DECODE', 'Sendmail Decode Alias'],
  3107: ['TCP_MAJORDOMO_EXEC_BUG', 'Majordomo Execute Attack'],
};

/** Mnemonics of ours for what IOS never reported. */
const OWN_MNEMONICS = {
  'early-command': 'SMTP_EARLY_COMMAND',
  'bad-sequence': 'SMTP_BAD_SEQUENCE',
  'unexpected-reply': 'SMTP_UNEXPECTED_REPLY',
  'malformed-reply': 'SMTP_MALFORMED_REPLY',
  'long-reply': 'SMTP_LONG_REPLY',
  'extension-masked': 'SMTP_EXTENSION_MASKED',
  'ambiguous-end-of-data': 'SMTP_AMBIGUOUS_END_OF_DATA',
  'max-data-exceeded': 'SMTP_MAX_DATA',
  'pipeline-overflow': 'SMTP_PIPELINE_OVERFLOW',
} as const;

/** Severities of our own messages: 4 where something was altered or cut, 6 where the dialogue is only odd. */
const OWN_WARNINGS: ReadonlySet<string> = new Set(['ambiguous-end-of-data', 'max-data-exceeded', 'pipeline-overflow']);

function smtpMessage(f: SmtpFinding, e: Endpoints, fromInitiator: boolean, seq: number): Message {
  const fields = {
    ...fieldsOf(e),
    ...printable(f),
    ...('why' in f && { why: lineReason(f) }),
    fromInitiator,
    seq: seq >>> 0,
  };
  switch (f.kind) {
    case 'invalid-command':
    case 'invalid-parameter':
    case 'bare-line-break':
    case 'line-too-long':
    case 'command-behind':
      // The short text is that of Cisco's configuration guide; what stands behind the dash is ours.
      return fw(
        4,
        'SMTP_INVALID_COMMAND',
        `Invalid SMTP command from initiator (${initiator(e)}) - ${lineReason(f)}: "${escape(f.before)}" ` +
          (f.altered ? `became "${escape(f.after)}"` : 'left as it was'),
        fields,
      );
    case 'signature': {
      const [mnemonic, words] = SIGNATURES[f.id];
      return fw(
        4,
        mnemonic,
        `Sig:${f.id}:${words} - from ${formatAddress(e.initiator)} to ${formatAddress(e.responder)}`,
        fields,
      );
    }
    default: {
      const party = fromInitiator ? `initiator (${initiator(e)})` : `responder (${responder(e)})`;
      const severity = OWN_WARNINGS.has(f.kind) || f.action === 'reset' ? 4 : 6;
      return fw(severity, OWN_MNEMONICS[f.kind], `${ownText(f)} from ${party}${whatHappened(f)}`, fields);
    }
  }
}

/** Behind a text that does not say it itself. */
function whatHappened(f: SmtpFinding): string {
  return f.action !== 'reset' || f.kind === 'max-data-exceeded' ? '' : f.altered ? ', session reset' : ', not reset';
}

type OwnFinding = Extract<SmtpFinding, { kind: keyof typeof OWN_MNEMONICS }>;

function ownText(f: OwnFinding): string {
  switch (f.kind) {
    case 'early-command':
      return 'SMTP data before the greeting';
    case 'bad-sequence':
      return `SMTP command ${f.command} out of sequence`;
    case 'unexpected-reply':
      return `Unexpected SMTP reply "${escape(f.reply)}"`;
    case 'malformed-reply':
      return `Malformed SMTP reply "${escape(f.reply)}"`;
    case 'long-reply':
      return `SMTP reply line of more than ${f.limit} bytes`;
    case 'extension-masked':
      return `Masked SMTP extension "${escape(f.before)}"`;
    case 'ambiguous-end-of-data':
      return `Ambiguous end of SMTP data (${f.form}) neutralised`;
    case 'max-data-exceeded':
      return `SMTP data of more than ${f.limit} bytes, session ${f.altered ? 'reset' : 'not reset'},`;
    case 'pipeline-overflow':
      return `More than ${f.limit} SMTP commands without a reply`;
  }
}

/** Texts recalled, severities of the system message manual (reference §3). */
function ftpMessage(f: FtpFinding, e: Endpoints): Message {
  const parties = `FTP client ${formatAddress(e.initiator)} FTP server ${formatAddress(e.responder)}`;
  const fields = fieldsOf(e);
  switch (f.kind) {
    case 'not-authenticated':
      return fw(
        3,
        'FTP_SESSION_NOT_AUTHENTICATED',
        `Command issued before the session is authenticated -- ${parties}`,
        fields,
      );
    case 'privileged-port':
      return fw(3, 'FTP_PRIV_PORT', `Privileged port ${f.port} used in ${endpointLine(f.command)} -- ${parties}`, {
        ...fields,
        port: f.port,
      });
    case 'non-matching-address': {
      const address = formatAddress(f.address);
      return fw(
        3,
        'FTP_NON_MATCHING_IP_ADDR',
        `Non-matching address ${address} used in ${endpointLine(f.command)} -- ${parties}`,
        {
          ...fields,
          address,
        },
      );
    }
    case 'unreadable-reply': // ours
      return fw(
        4,
        'FTP_UNREADABLE_REPLY',
        `Passive reply "${escape(f.reply)}" tells no data connection -- ${parties}`,
        {
          ...fields,
          reply: escape(f.reply),
        },
      );
  }
}

/** Words, mnemonic and severity are those of the protocol's feature. */
function findingMessage(e: Extract<Event, { type: 'finding' }>): Message {
  const { severity, mnemonic, text, fields } = featureOf(e.protocol)!.words(e.finding, (fromInitiator) =>
    fromInitiator ? `initiator (${initiator(e.endpoints)})` : `responder (${responder(e.endpoints)})`,
  );
  return fw(severity, mnemonic, text, { ...fieldsOf(e.endpoints), ...fields, reset: e.reset });
}

function aclMessage(e: Extract<Event, { type: 'acl-denied' | 'acl-permitted' }>): Message {
  const did = e.type === 'acl-denied' ? 'denied' : 'permitted';
  const packets = `${e.packets} packet${e.packets === 1 ? '' : 's'}`;
  const src = formatAddress(e.src);
  const dst = formatAddress(e.dst);
  const via = e.ingress === undefined ? '' : ` (${e.ingress})`;
  const fields = { list: e.list, protocol: e.protocol, src, dst, packets: e.packets };
  const head = `list ${e.list} ${did}`;
  if (e.protocol === IPPROTO_TCP || e.protocol === IPPROTO_UDP) {
    const name = e.protocol === IPPROTO_TCP ? 'tcp' : 'udp';
    return {
      severity: 6,
      mnemonic: '%SEC-6-IPACCESSLOGP',
      text: `${head} ${name} ${src}(${e.srcPort})${via} -> ${dst}(${e.dstPort}), ${packets}`,
      fields: { ...fields, srcPort: e.srcPort, dstPort: e.dstPort },
    };
  }
  if (e.protocol === IPPROTO_ICMP) {
    const { icmpType: type, icmpCode: code } = e;
    return {
      severity: 6,
      mnemonic: '%SEC-6-IPACCESSLOGDP',
      text: `${head} icmp ${src}${via} -> ${dst} (${type}/${code}), ${packets}`,
      fields: { ...fields, icmpType: type, icmpCode: code },
    };
  }
  return {
    severity: 6,
    mnemonic: '%SEC-6-IPACCESSLOGNP',
    text: `${head} ${e.protocol} ${src}${via} -> ${dst}, ${packets}`,
    fields,
  };
}

const marks = (e: { count: number; limit: number; rate: number }): string =>
  `count (${e.count}/${e.limit}) current 1-min rate: ${e.rate}`;

/** IP_VFR alerts. The texts of the first two are confirmed; IOS's text for tiny fragments is not known. */
function fragmentMessage(e: Extract<Event, { type: 'fragments' }>): Message {
  const src = formatAddress(e.src);
  const dst = formatAddress(e.dst);
  const from = `from the host ${src} destined to ${dst}`;
  const vfr = (severity: number, mnemonic: string, text: string): Message => ({
    severity,
    mnemonic: `%IP_VFR-${severity}-${mnemonic}`,
    text: `${e.interface}: ${text}`,
    fields: { interface: e.interface, src, dst },
  });
  switch (e.fault) {
    case 'table-overflow':
      return vfr(4, 'FRAG_TABLE_OVERFLOW', `the fragment table has reached its maximum threshold ${e.limit}`);
    case 'source-overflow': // ours
      return vfr(4, 'FRAG_SOURCE_OVERFLOW', `the host ${src} has reached its share of the fragment table, ${e.limit}`);
    case 'too-many':
      return vfr(
        4,
        'TOO_MANY_FRAGMENTS',
        `Too many fragments per datagram (more than ${e.limit}) - sent by ${src}, destined to ${dst}`,
      );
    case 'tiny':
      return vfr(4, 'TINY_FRAGMENTS', from);
    case 'overlap':
      return vfr(3, 'OVERLAP_FRAGMENTS', from);
    case 'oversize':
      return vfr(4, 'OVERSIZE_DATAGRAM', from); // ours
  }
}

/** What has become of the sessions of a data plane that has ended. Ours: on a 3640 they end with it. */
/** Inferred: no message of a 3640 is known for it. */
function tableFullMessage(e: Extract<Event, { type: 'table-full' }>): Message {
  const { table, halfOpen, ended, refused, seconds } = e;
  return fw(
    4,
    'TABLE_FULL',
    `${FULL_TABLES[table]} full: ${count(halfOpen, 'half-open session')} and ${count(ended, 'ended session')} deleted ` +
      `for new ones, ${count(refused, 'new one')} refused in ${count(seconds, 'second')}`,
    { table, halfOpen, ended, refused, seconds },
  );
}

function takenOverMessage({ foreign, adopted, reset, lost }: Extract<Event, { type: 'taken-over' }>): Message {
  const rest = `${count(reset, 'session')} reset, ${lost} unreadable`;
  return {
    severity: foreign || reset + lost > 0 ? 4 : 5,
    mnemonic: `%FW3640-${foreign || reset + lost > 0 ? 4 : 5}-DATA_PLANE`,
    text: foreign
      ? 'what an earlier data plane has left is of another layout: no session goes on'
      : `${count(adopted, 'session')} of the earlier data plane ${adopted === 1 ? 'goes' : 'go'} on, ${rest}`,
    fields: { adopted, reset, lost },
  };
}

/** What the rate limits of the log left out. Inferred: for access lists IOS has a message, the other one is ours. */
function leftOutMessage(e: Extract<Event, { type: 'left-out' }>): Message {
  if (e.kind === 'access-list') return missedMessage(e.messages);
  const kind = LOG_KINDS[e.kind];
  const what = e.kind === 'any' ? 'message' : `${kind} message`;
  return {
    severity: 4,
    mnemonic: '%SYS-4-LOGRL',
    text: `logging rate-limited: ${count(e.messages, what)} left out in ${count(e.seconds, 'second')}`,
    fields: { kind, messages: e.messages, seconds: e.seconds },
  };
}

const missedMessage = (packets: number): Message => ({
  severity: 6,
  mnemonic: '%SEC-6-IPACCESSLOGRL',
  text: `access-list logging rate-limited or missed ${count(packets, 'packet')}`,
  fields: { packets },
});

/** NAT is out of addresses, ports or entries. The first mnemonic and text are those of 12.4T, recalled; the rest is ours. */
function exhaustedMessage(e: Extract<Event, { type: 'nat-exhausted' }>): Message {
  const host = formatAddress(e.insideLocal);
  const fields = { insideLocal: host, pool: e.pool, refused: e.refused };
  return e.shortage === 'addresses'
    ? {
        severity: 4,
        mnemonic: '%IPNAT-4-ADDR_ALLOC_FAILURE',
        text: `Address allocation failed for ${host}, pool ${e.pool} might be exhausted`,
        fields,
      }
    : {
        severity: 4,
        mnemonic: '%IPNAT-4-MAX_ENTRIES',
        text: `Maximum of translation entries reached, no translation for ${host}`,
        fields,
      };
}

/** Words as recalled from consoles. */
function interceptMessage(what: string, e: { count: number; limit: number; rate: number }): Message {
  return {
    severity: 6,
    mnemonic: '%TCP-6-INTERCEPT',
    text: `${what}, count (${e.count}/${e.limit}) 1 min ${e.rate}`,
    fields: { incomplete: e.count, rate: e.rate },
  };
}

/** `ip inspect log drop-pkt`, in the three forms that the Command Reference shows for 12.3 and 12.4. */
function dropMessage(e: Extract<Event, { type: 'packet-dropped' }>): Message {
  const name = PROTOCOL_NAMES.get(e.protocol) ?? `protocol ${e.protocol}`;
  const reason = DROP_REASONS[e.reason] ?? `reason ${e.reason}`;
  // Inferred: what ICMP has where others have ports: its first two bytes, and the identifier.
  const icmp = e.protocol === IPPROTO_ICMP;
  const srcPort = icmp ? (e.icmpType << 8) | e.icmpCode : e.srcPort;
  const dstPort = icmp ? e.icmpIdentifier : e.dstPort;
  const flow = `${formatAddress(e.src)}:${srcPort} => ${formatAddress(e.dst)}:${dstPort}`;
  const fields = { protocol: e.protocol, reason, identification: e.identification };
  if (e.protocol === IPPROTO_TCP && e.reason === DROP.outOfOrder)
    return fw(6, 'DROP_PKT', `Dropping ${name} pkt ${flow} due to ${reason}`, fields);
  if (e.protocol !== IPPROTO_TCP || UNREADABLE.has(e.reason))
    return fw(6, 'DROP_PKT', `Dropping ${name} pkt ${flow} with ip ident ${e.identification} due to ${reason}`, fields);
  return fw(
    6,
    'DROP_TCP_PKT',
    `Dropping ${name} pkt ${flow} due to ${reason} -- ip ident ${e.identification} tcpflags ${e.flags} ` +
      `seq.no ${e.seq >>> 0} ack ${e.ack >>> 0}`,
    fields,
  );
}

/** The transport header says nothing that could be printed. */
const UNREADABLE: ReadonlySet<number> = new Set([DROP.malformed, DROP.truncated, DROP.badChecksum, DROP.fragment]);

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [IPPROTO_ICMP, 'icmp'],
  [IPPROTO_TCP, 'tcp'],
  [IPPROTO_UDP, 'udp'],
]);

const formatId = (e: Endpoints): string => e.sessionId.toString(16).toUpperCase();

const fw = (severity: number, mnemonic: string, text: string, fields: Message['fields']): Message => ({
  severity,
  mnemonic: `%FW-${severity}-${mnemonic}`,
  text,
  fields,
});

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

const initiator = (e: Endpoints): string => `${formatAddress(e.initiator)}:${e.initiatorPort}`;
const responder = (e: Endpoints): string => `${formatAddress(e.responder)}:${e.responderPort}`;
const parties = (e: Endpoints): string => `initiator (${initiator(e)}) -- responder (${responder(e)})`;

const stopText = (e: Endpoints, sent: number, received: number): string =>
  `Stop ${e.service} session: initiator (${initiator(e)}) sent ${sent} bytes -- ` +
  `responder (${responder(e)}) sent ${received} bytes`;

function fieldsOf(e: Endpoints): Record<string, string | number> {
  return {
    sessionId: formatId(e),
    service: e.service,
    initiator: formatAddress(e.initiator),
    initiatorPort: e.initiatorPort,
    responder: formatAddress(e.responder),
    responderPort: e.responderPort,
  };
}

/** The finding's own fields, with texts made printable. */
function printable(f: SmtpFinding): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(f).map(([k, v]: [string, string | number | boolean]) => [k, typeof v === 'string' ? escape(v) : v]),
  );
}

function assertNever(e: never): never {
  throw new Error(`no message for ${JSON.stringify(e)}`);
}
