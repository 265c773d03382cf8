/** Thresholds, drops, access lists, interfaces and the log: tables that read the same with and without JavaScript. */
import type { VNode } from 'preact';
import type { LiveFrame, LivePicture } from '../../ios/live/frame.js';
import { Bar } from './masked-feed.js';
import { bitRate, clock, grouped, plural, short } from './words.js';

interface Seen {
  frame: LiveFrame;
  picture: LivePicture;
}

/** Half-open sessions and new ones a minute, against the marks where the router begins and ends to delete. */
export function Thresholds({ frame, picture }: Seen): VNode {
  const { halfOpen, oneMinute, host } = picture.thresholds;
  return (
    <section class="panel" aria-labelledby="thresholds-title">
      <h2 id="thresholds-title">Thresholds</h2>
      <table class="thresholds">
        <caption class="visually-hidden">Half-open sessions against their thresholds</caption>
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col" class="number">
              now
            </th>
            <th scope="col">low, high</th>
          </tr>
        </thead>
        <tbody>
          <Threshold what="half-open sessions" now={frame.counts.halfOpen} {...halfOpen} />
          <Threshold what="new in a minute" now={frame.counts.oneMinute} {...oneMinute} />
        </tbody>
      </table>
      <p class="hint">{`To one host ${grouped(host)} half-open TCP connections at most.`}</p>
    </section>
  );
}

function Threshold({ what, now, low, high }: { what: string; now: number; low: number; high: number }): VNode {
  const state = now >= high ? 'over' : now >= low ? 'near' : 'calm';
  // The bar ends a little behind the high mark.
  const end = high * 1.15;
  return (
    <tr class={state}>
      <th scope="row">{what}</th>
      <td class="number big">{grouped(now)}</td>
      <td>
        <Bar part={now / end} mark={high / end} />
        <span class="marks">{`${short(low)}, ${short(high)}`}</span>
        {state === 'over' && <span class="alarm"> over the mark</span>}
      </td>
    </tr>
  );
}

export function Drops({ frame }: Pick<Seen, 'frame'>): VNode {
  return (
    <section class="panel" aria-labelledby="drops-title">
      <h2 id="drops-title">Dropped</h2>
      {frame.drops.length === 0 ? (
        <p class="empty">No packet has been dropped.</p>
      ) : (
        <table class="drops">
          <caption class="visually-hidden">Dropped packets by reason</caption>
          <thead>
            <tr>
              <th scope="col">reason</th>
              <th scope="col" class="number">
                a second
              </th>
              <th scope="col" class="number">
                in all
              </th>
            </tr>
          </thead>
          <tbody>
            {frame.drops.map((d) => (
              <tr key={d.what} class={d.perSecond > 0 ? 'active' : ''}>
                <th scope="row">{d.what}</th>
                <td class="number">{d.perSecond > 0 ? short(d.perSecond) : '–'}</td>
                <td class="number">{grouped(d.total)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function AccessLists({ frame, picture }: Seen): VNode {
  return (
    <section class="panel" aria-labelledby="lists-title">
      <h2 id="lists-title">Access lists</h2>
      {picture.lists.length === 0 && <p class="empty">No access list is configured: everything is permitted.</p>}
      {picture.lists.map((list, l) => (
        <div
          class="scroll tall-scroll"
          key={list.name}
          tabIndex={0}
          role="group"
          aria-label={`Access list ${list.name}`}
        >
          <table class="list">
            <caption>
              {`${list.kind === 'standard' ? 'Standard' : 'Extended'} IP access list ${list.name}`}
              <span class="count">
                {list.applied.length === 0 ? ' not applied to an interface' : ` ${list.applied.join(', ')}`}
              </span>
            </caption>
            <thead>
              <tr>
                <th scope="col">entry</th>
                <th scope="col" class="number">
                  matches
                </th>
              </tr>
            </thead>
            <tbody>
              {list.entries.map((entry, i) => {
                const hits = frame.hits[l]?.[i] ?? 0;
                return (
                  <tr key={entry} class={hits > 0 ? 'active' : ''}>
                    <td class={/^\d+ deny/.test(entry) ? 'code deny' : 'code'}>{entry}</td>
                    <td class="number">{hits > 0 ? grouped(hits) : '–'}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          {list.entriesMore > 0 && (
            <p class="hint">{`${plural(list.entriesMore, 'entry', 'entries')} more: show access-lists ${list.name}`}</p>
          )}
        </div>
      ))}
      {picture.listsMore > 0 && <p class="hint">{`${plural(picture.listsMore, 'list')} more: show access-lists`}</p>}
    </section>
  );
}

/** What the picture shows, to be read line by line. */
export function Interfaces({ frame, picture }: Seen): VNode {
  return (
    <section class="panel" aria-labelledby="interfaces-title">
      <h2 id="interfaces-title">Interfaces</h2>
      <div class="scroll" tabIndex={0} role="group" aria-label="Interfaces">
        <table class="interfaces">
          <caption class="visually-hidden">Interfaces and what goes over them</caption>
          <thead>
            <tr>
              <th scope="col">interface</th>
              <th scope="col">address</th>
              <th scope="col" class="number">
                in
              </th>
              <th scope="col" class="number">
                out
              </th>
            </tr>
          </thead>
          <tbody>
            {picture.interfaces.map((i) => {
              const t = frame.traffic.find((line) => line.name === i.name);
              return (
                <tr key={i.name}>
                  <th scope="row">
                    {i.name} <span class="count">{i.shutdown ? 'shutdown' : t?.up === false ? 'down' : i.side}</span>
                  </th>
                  <td class="code">{i.addresses.join(' ')}</td>
                  <td class="number">{t === undefined ? '–' : `${bitRate(t.bytesIn)}, ${short(t.packetsIn)} pkt/s`}</td>
                  <td class="number">
                    {t === undefined ? '–' : `${bitRate(t.bytesOut)}, ${short(t.packetsOut)} pkt/s`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {picture.dynamic.map((line) => (
        <p class="hint code" key={line}>{`ip nat inside source ${line}`}</p>
      ))}
    </section>
  );
}

export function LogTable({ frame }: Pick<Seen, 'frame'>): VNode {
  const lines = [...frame.log].reverse();
  return (
    <section class="panel log" aria-labelledby="log-title">
      <h2 id="log-title">Log</h2>
      {lines.length === 0 ? (
        <p class="empty">Nothing has been logged since the start.</p>
      ) : (
        <div class="scroll tall-scroll" tabIndex={0} role="group" aria-label="Log, scrolls">
          <table>
            <caption class="visually-hidden">Last messages of the log, newest first</caption>
            <thead>
              <tr>
                <th scope="col">UTC</th>
                <th scope="col">message</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={line.number} class={`severity${line.severity}`}>
                  <td class="code">
                    <time>{clock(line.at)}</time>
                  </td>
                  <td class="code">
                    <span class="mnemonic">{line.mnemonic}</span> {line.text}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
