/** What inspection has overwritten, the last one first: the line as it was sent above the line as it went on. */
import type { VNode } from 'preact';
import type { LiveFrame, LivePicture, MaskedLine } from '../../ios/live/frame.js';
import { clock, fit, grouped } from './words.js';

const SHOWN = 12;

export function MaskedFeed({
  frame,
  picture,
  open,
}: {
  frame: LiveFrame;
  picture: LivePicture;
  open?: ((session: string) => void) | undefined;
}): VNode {
  const lines = frame.maskedLines.slice(-SHOWN).reverse();
  const { minute, total, verbs } = frame.masked;
  const most = Math.max(1, ...verbs.map((v) => v.count));
  return (
    <section class="panel masked" aria-labelledby="masked-title">
      <h2 id="masked-title">
        Masked <span class="count">{`${grouped(total)} since the start · ${grouped(minute)} in the last minute`}</span>
      </h2>
      {lines.length === 0 ? (
        <p class="empty">
          Nothing has been masked yet. A command that inspection does not allow, such as <code>EXPN root</code>, will
          stand here as the client sent it and as the server got it.
        </p>
      ) : (
        <ol class="feed">
          {lines.map((line) => (
            <Masked key={line.number} line={line} open={open} />
          ))}
        </ol>
      )}
      {verbs.length > 0 && (
        <table class="verbs">
          <caption>Masked commands by verb</caption>
          <thead class="visually-hidden">
            <tr>
              <th scope="col">verb</th>
              <th scope="col">part</th>
              <th scope="col" class="number">
                masked
              </th>
            </tr>
          </thead>
          <tbody>
            {verbs.slice(0, 6).map((v) => (
              <tr key={v.verb}>
                <th scope="row">{v.verb}</th>
                <td>
                  <Bar part={v.count / most} />
                </td>
                <td class="number">{grouped(v.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {picture.transcripts === 0 && (
        <p class="hint">
          Whole dialogues are kept with <code>ip inspect transcript 20</code> in the configuration.
        </p>
      )}
    </section>
  );
}

function Masked({ line, open }: { line: MaskedLine; open?: ((session: string) => void) | undefined }): VNode {
  const whose = line.from === 'client' ? `${line.client} → ${line.server}` : `${line.server} → ${line.client}`;
  return (
    <li>
      <p class="about">
        <time>{clock(line.at)}</time> <span class="ends">{whose}</span>{' '}
        <a
          href={`/live/session/${line.session}`}
          onClick={(e: Event) => {
            if (open === undefined) return;
            e.preventDefault();
            open(line.session);
          }}
        >
          {line.session}
        </a>
      </p>
      <p class="before">
        <span class="visually-hidden">sent: </span>
        <code>{fit(line.before, 120)}</code>
      </p>
      <p class="after">
        <span class="visually-hidden">went on as: </span>
        <code>
          <Overwritten before={line.before} after={line.after} />
        </code>
      </p>
      {line.why !== '' && <p class="why">{line.why}</p>}
    </li>
  );
}

/** The part that differs stands out: nothing was moved, so the two lie one above the other. */
export function Overwritten({ before, after }: { before: string; after: string }): VNode {
  let head = 0;
  while (head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const end = after.length - tail;
  return (
    <>
      {fit(after.slice(0, head), 100)}
      <mark>{fit(after.slice(head, end), 120)}</mark>
      {fit(after.slice(end), 40)}
    </>
  );
}

/** A bar of that part of its place, 0 to 1. SVG, since no style may stand in the page. */
export function Bar({ part, mark }: { part: number; mark?: number | undefined }): VNode {
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width="100" height="6" />
      <rect class="fill" width={(100 * Math.min(1, Math.max(0, part))).toFixed(1)} height="6" />
      {mark !== undefined && <rect class="mark" x={(100 * Math.min(0.99, mark)).toFixed(1)} width="1" height="6" />}
    </svg>
  );
}
