/** `show ip inspect transcript` and `show ip inspect sessions ID transcript`, extensions of fw3640. */
import type { Dialogue, DialogueChange, DialogueHead, Transcripts } from '../transcript/dialogue.js';
import { lineText } from '../transcript/words.js';

/** `21:51:35.886`, UTC. */
const clock = (at: number): string => new Date(at).toISOString().slice(11, 23);

const heading = (d: Omit<DialogueHead, 'lines'>): string =>
  ` Session ${d.session} (${d.client})=>(${d.server}) ${d.service}\n`;

const beginning = (d: Omit<DialogueHead, 'lines'>): string =>
  `  ${clock(d.began)}   ${d.whole ? 'Session begins' : 'Its beginning was not seen'}\n`;

const ending = (d: Omit<DialogueHead, 'lines'>): string =>
  d.ended === undefined ? '' : `  ${clock(d.ended)}   Session ends: ${d.reason ?? ''}\n`;

/** One dialogue. */
export const showDialogue = (d: Dialogue): string =>
  heading(d) + beginning(d) + d.lines.map((l) => `  ${clock(l.at)} ${lineText(l)}\n`).join('') + ending(d);

/** All that are kept. */
export function showTranscripts(transcripts: Transcripts): string {
  const all = transcripts.list().flatMap(({ number }) => transcripts.byNumber(number) ?? []);
  return all.map(showDialogue).join('');
}

/** The same for programs: a dialogue a line. */
export function transcriptsAsJson(transcripts: Transcripts): string {
  const all = transcripts.list().flatMap(({ number }) => transcripts.byNumber(number) ?? []);
  return all.map((d) => `${JSON.stringify(d)}\n`).join('');
}

/** What has just happened, as it happens: the dialogue's number tells one from the other. */
export function showChange({ head, line }: DialogueChange): string {
  const n = `${head.number}`.padStart(4);
  if (line !== undefined) return `${n} ${clock(line.at)} ${lineText(line)}\n`;
  return head.ended === undefined
    ? `${n}${heading(head)}${n}${beginning(head).slice(1)}`
    : `${n}${ending(head).slice(1)}`;
}
