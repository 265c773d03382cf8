/** An entry of a transcript in words (`ip inspect transcript`, an extension of fw3640: none of them are IOS's). */
import type { Event, TranscriptEntry } from '../../core/events.js';
import type { SmtpFinding } from '../../core/inspect/smtp/finding.js';
import type { Hidden } from '../../core/inspect/transcript.js';
import { visible } from '../printable.js';
import { END_REASONS, lineReason } from '../reasons.js';
import type { DialogueLine } from './dialogue.js';

type EntryOf<W extends TranscriptEntry['what']> = Extract<TranscriptEntry, { what: W }>;
export type TranscriptEvent = Extract<Event, { type: 'transcript' }>;

/** Why a dialogue ended. */
export const endWords = ({ reason, closed }: EntryOf<'end'>): string =>
  closed && reason === 'timeout' ? 'closed by both ends' : END_REASONS[reason];

/** Lines that were too many. */
export const leftOutLine = (at: number, lines: number): DialogueLine => ({
  at,
  kind: 'left-out',
  text: `... ${lines} ${lines === 1 ? 'line' : 'lines'} left out`,
});

/**
 * What stands in the transcript for an entry; undefined: nothing, it begins or ends the dialogue.
 * @param at ms since 1970
 */
export function dialogueLine(entry: TranscriptEntry, at: number): DialogueLine | undefined {
  switch (entry.what) {
    case 'line':
      return sentLine(entry, at);
    case 'data':
      return { at, kind: 'message', from: side(entry.fromInitiator), text: '', left: dataWords(entry) };
    case 'missing':
      return { at, kind: 'message', from: 'client', text: '', left: `<${bytes(entry.bytes)} of it did not come>` };
    case 'finding':
      return findingLine(entry, at);
    case 'opaque':
      return { at, kind: 'opaque', text: '<opaque from here>' };
    default:
      return undefined;
  }
}

function sentLine(e: EntryOf<'line'>, at: number): DialogueLine {
  const left = [leftWords(e), ...(e.cut === true ? ['<its end did not come>'] : [])].filter((w) => w !== '').join(' ');
  return {
    at,
    kind: e.fromInitiator ? 'command' : 'reply',
    from: side(e.fromInitiator),
    text: visible(e.text),
    ...(left !== '' && { left }),
    ...(e.became !== undefined && { became: visible(e.became) }),
  };
}

const LEFT: Readonly<Record<Hidden, (more: number) => string>> = {
  credentials: () => '<credentials>',
  data: (more) => `<${bytes(more)}, perhaps of a message>`,
  reply: () => '<text left out>',
};

const leftWords = ({ hidden, more }: EntryOf<'line'>): string =>
  hidden !== undefined ? LEFT[hidden](more) : more > 0 ? `... ${bytes(more)} more` : '';

function dataWords({ of, bytes: n, whole }: EntryOf<'data'>): string {
  const what = of === 'blob' ? 'octets' : of === 'chunk' ? 'message chunk' : 'message';
  return `<${what}, ${bytes(n)}${whole ? '' : ', its end did not come'}>`;
}

function findingLine({ fromInitiator, finding }: EntryOf<'finding'>, at: number): DialogueLine {
  return { at, kind: 'finding', from: side(fromInitiator), text: smtpWords(finding), action: finding.action };
}

/** Without a word of the dialogue: its line stands there by itself. */
function smtpWords(f: SmtpFinding): string {
  if ('why' in f) return lineReason(f);
  switch (f.kind) {
    case 'early-command':
      return 'before the greeting';
    case 'bad-sequence':
      return `${f.command} out of sequence`;
    case 'unexpected-reply':
      return 'unexpected reply';
    case 'malformed-reply':
      return 'malformed reply';
    case 'long-reply':
      return `reply line of more than ${f.limit} bytes`;
    case 'extension-masked':
      return 'extension that inspection does not pass';
    case 'ambiguous-end-of-data':
      return `ambiguous end of data (${f.form})`;
    case 'max-data-exceeded':
      return `message of more than ${f.limit} bytes`;
    case 'pipeline-overflow':
      return `more than ${f.limit} commands without a reply`;
    case 'signature':
      return `signature ${f.id}`;
  }
}

const side = (fromInitiator: boolean): 'client' | 'server' => (fromInitiator ? 'client' : 'server');
const bytes = (n: number): string => `${n} ${n === 1 ? 'byte' : 'bytes'}`;

const WILL_HAVE: Readonly<Record<NonNullable<DialogueLine['action']>, string>> = {
  noted: '',
  masked: ', masked',
  reset: ', session reset',
};

/** A line as it is printed: who, what, and what became of it. */
export function lineText({ kind, from, text, left, became, action }: DialogueLine): string {
  if (kind === 'finding') return `! ${text}${action === undefined ? '' : WILL_HAVE[action]}`;
  const arrow = from === 'client' ? '> ' : from === 'server' ? '< ' : '  ';
  const sent = left === undefined ? text : text === '' ? left : `${text} ${left}`;
  return arrow + (became === undefined ? sent : `${sent}  became  ${became}${left === undefined ? '' : '...'}`);
}

/** An entry by itself, where no store gathers them. */
export function entryText(entry: TranscriptEntry): string {
  const line = dialogueLine(entry, 0);
  if (line !== undefined) return lineText(line);
  return entry.what === 'end' ? `  Session ends: ${endWords(entry)}` : entry.what === 'begin' ? '  Session begins' : '';
}
