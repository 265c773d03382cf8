/** The dialogue of a mail session: who said what, and of what was masked both what was sent and what went on. */
import type { VNode } from 'preact';
import type { SessionDialogue } from '../../ios/live/frame.js';
import type { Dialogue, DialogueLine } from '../../ios/transcript/dialogue.js';
import { Overwritten } from './masked-feed.js';
import { clock } from './words.js';

export function DialogueView({ told: { kept, dialogue } }: { told: SessionDialogue }): VNode {
  if (dialogue === undefined) return <NoDialogue kept={kept} />;
  return (
    <div class="dialogue" tabIndex={0} role="region" aria-label="Dialogue">
      <p class="ends">{`${dialogue.service} · ${dialogue.client} → ${dialogue.server}`}</p>
      {!dialogue.whole && <p class="hint">Its beginning was not seen.</p>}
      <table>
        <caption class="visually-hidden">{`Dialogue of session ${dialogue.session}`}</caption>
        <thead class="visually-hidden">
          <tr>
            <th scope="col">UTC</th>
            <th scope="col">who</th>
            <th scope="col">line</th>
          </tr>
        </thead>
        <tbody>
          {dialogue.lines.map((line, i) => (
            <Line key={i} line={line} />
          ))}
        </tbody>
      </table>
      <p class="hint">
        {endOf(dialogue)}
        Credentials and message data are never kept.
      </p>
    </div>
  );
}

const endOf = ({ ended, reason }: Dialogue): string =>
  ended === undefined ? '' : `The session ended at ${clock(ended)}: ${reason ?? ''}. `;

const DONE = { noted: 'noted', masked: 'masked', reset: 'session reset' } as const;

function Line({ line }: { line: DialogueLine }): VNode {
  return (
    <tr class={`${line.kind} ${line.from ?? ''}`}>
      <td class="code dim">
        <time>{clock(line.at)}</time>
      </td>
      <th scope="row">{line.kind === 'finding' ? 'router' : (line.from ?? '')}</th>
      <td class="code">
        {line.became === undefined ? (
          line.text
        ) : (
          <>
            <span class="before">
              <span class="visually-hidden">sent: </span>
              {line.text}
            </span>
            <span class="after">
              <span class="visually-hidden">went on as: </span>
              <Overwritten before={line.text} after={line.became} />
            </span>
          </>
        )}
        {line.left !== undefined && <span class="left">{` ${line.left}`}</span>}
        {line.action !== undefined && <span class="left">{`: ${DONE[line.action]}`}</span>}
      </td>
    </tr>
  );
}

function NoDialogue({ kept }: { kept: number }): VNode {
  if (kept > 0)
    return (
      <p class="empty">
        No dialogue of this session is kept. Those of inspected protocols are, from their beginning on; the oldest goes
        for a new one.
      </p>
    );
  return (
    <div class="empty">
      <p>Dialogues are not kept. To keep the last twenty, configure:</p>
      <pre>
        <code>{'configure terminal\n ip inspect transcript 20'}</code>
      </pre>
      <p>
        Each inspected dialogue that begins then can be read here, as it runs. Credentials and message data are left
        out.
      </p>
    </div>
  );
}
