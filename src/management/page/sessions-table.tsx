/** The sessions: sorted and filtered by who looks; without JavaScript the one that was heard of last comes first. */
import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { LiveFrame, LiveSession } from '../../ios/live/frame.js';
import { bytes, grouped, span } from './words.js';

type Column = 'service' | 'initiator' | 'responder' | 'state' | 'sent' | 'received' | 'ageMs' | 'idleMs';

const COLUMNS: readonly { column: Column; head: string; numeric: boolean }[] = [
  { column: 'service', head: 'service', numeric: false },
  { column: 'initiator', head: 'initiator', numeric: false },
  { column: 'responder', head: 'responder', numeric: false },
  { column: 'state', head: 'state', numeric: false },
  { column: 'sent', head: 'sent', numeric: true },
  { column: 'received', head: 'received', numeric: true },
  { column: 'ageMs', head: 'age', numeric: true },
  { column: 'idleMs', head: 'idle', numeric: true },
];

/** Sessions that stand in the page at a time: a browser on a telephone lays out no more in half a second. */
const SHOWN = 200;

export interface Order {
  column: Column;
  descending: boolean;
}

/** Those that have every word somewhere, in that order. */
export function arranged(sessions: readonly LiveSession[], words: string, order: Order): LiveSession[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const textOf = (s: LiveSession): string =>
    `${s.id} ${s.service} ${s.state} ${s.initiator} ${s.responder} ${s.local}`.toLowerCase();
  const found =
    wanted.length === 0 ? [...sessions] : sessions.filter((s) => wanted.every((w) => textOf(s).includes(w)));
  const { column, descending } = order;
  return found.sort((a, b) => compare(a[column], b[column]) * (descending ? -1 : 1));
}

/** Texts with numbers in them by their numbers: 10.2 stands before 10.10. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [numbered(String(a)), numbered(String(b))];
  return x < y ? -1 : x > y ? 1 : 0;
}

const numbered = (text: string): string => text.replace(/\d+/g, (digits) => digits.padStart(5, '0'));

export function SessionsTable({
  frame,
  open,
}: {
  frame: LiveFrame;
  /** Shows a dialogue; undefined: there is no JavaScript, and a link leads to it. */
  open?: ((session: string) => void) | undefined;
}): VNode {
  const [words, setWords] = useState('');
  const [order, setOrder] = useState<Order>({ column: 'idleMs', descending: false });
  const sessions = frame.sessions ?? [];
  const all = useMemo(() => arranged(sessions, words, order), [sessions, words, order]);
  const shown = all.slice(0, SHOWN);
  const total = sessions.length + frame.sessionsMore;
  return (
    <section class="panel sessions" aria-labelledby="sessions-title">
      <div class="head">
        <h2 id="sessions-title">
          Sessions{' '}
          <span class="count">
            {shown.length === total ? grouped(total) : `${grouped(shown.length)} of ${grouped(total)}, heard of last`}
          </span>
        </h2>
        {open !== undefined && total > 0 && (
          <label class="filter">
            <span>Filter</span>
            <input
              type="search"
              value={words}
              placeholder="address, service, state"
              onInput={(e) => setWords(e.currentTarget.value)}
            />
          </label>
        )}
      </div>
      {total === 0 ? (
        <p class="empty">No session. Connections that a rule inspects stand here while they last.</p>
      ) : (
        <div class="scroll tall-scroll" tabIndex={0} role="group" aria-label="Sessions, scrolls">
          <table>
            <caption class="visually-hidden">Sessions of ip inspect</caption>
            <thead>
              <tr>
                <th scope="col">session</th>
                {COLUMNS.map(({ column, head, numeric }) => (
                  <th
                    key={column}
                    scope="col"
                    class={numeric ? 'number' : ''}
                    aria-sort={
                      open === undefined || order.column !== column
                        ? undefined
                        : order.descending
                          ? 'descending'
                          : 'ascending'
                    }
                  >
                    {open === undefined ? (
                      head
                    ) : (
                      <button
                        type="button"
                        onClick={() =>
                          setOrder((o) => ({
                            column,
                            // Numbers are asked for from the largest on, but for ages.
                            descending:
                              o.column === column ? !o.descending : column === 'sent' || column === 'received',
                          }))
                        }
                      >
                        {head}
                      </button>
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((s) => (
                <Row key={s.id} session={s} open={open} />
              ))}
            </tbody>
          </table>
          {shown.length === 0 && <p class="empty">None of them has these words.</p>}
        </div>
      )}
    </section>
  );
}

function Row({ session: s, open }: { session: LiveSession; open?: ((session: string) => void) | undefined }): VNode {
  const state = s.state.replace(/^SIS_/, '').toLowerCase();
  return (
    <tr class={state}>
      <th scope="row" class="code">
        <a
          href={`/live/session/${s.id}`}
          onClick={(e: Event) => {
            if (open === undefined) return;
            e.preventDefault();
            open(s.id);
          }}
        >
          {s.id}
        </a>
      </th>
      <td>{s.service}</td>
      <td class="code">{s.initiator}</td>
      <td class="code">
        {s.responder}
        {s.local !== '' && <span class="dim">{` = ${s.local}`}</span>}
      </td>
      <td>
        <span class={`state ${state}`}>{state}</span>
      </td>
      <td class="number">{bytes(s.sent)}</td>
      <td class="number">{bytes(s.received)}</td>
      <td class="number">{span(s.ageMs)}</td>
      <td class="number">{span(s.idleMs)}</td>
    </tr>
  );
}
