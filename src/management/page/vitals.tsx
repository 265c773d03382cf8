/** Numbers that tell at a glance how it goes, each with the curve of the last minutes below it. */
import type { ComponentType, VNode } from 'preact';
import type { LiveFrame, LiveHistory, LivePicture, Series } from '../../ios/live/frame.js';
import { bitRate, bytes, grouped, short } from './words.js';

/** A curve. It is handed in: a server has no canvas. */
export interface CurveProps {
  label: string;
  history: LiveHistory;
  lines: readonly { series: Series; colour: string }[];
  /** A line across: a threshold. */
  limit?: number | undefined;
  /** The axis has round numbers of this many: 8 for bytes that are shown as bits. */
  per?: number | undefined;
  /** The axis goes up to this at least. */
  least: number;
  format: (value: number) => string;
}
export type Curve = ComponentType<CurveProps>;

interface Tile {
  title: string;
  value: string;
  more: string;
  alarm: boolean;
  curve: Omit<CurveProps, 'history' | 'label'>;
}

function tilesOf(frame: LiveFrame, picture: LivePicture): Tile[] {
  const { counts, drops, load, mails, masked, queue, traffic } = frame;
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const dropped = sum(drops.map((d) => d.perSecond));
  const { halfOpen } = picture.thresholds;
  return [
    {
      title: 'Traffic in',
      value: bitRate(sum(traffic.map((t) => t.bytesIn))),
      more: `${short(sum(traffic.map((t) => t.packetsIn)))} packets a second`,
      alarm: false,
      curve: { lines: [{ series: 'bytesIn', colour: '--to-inside' }], least: 125, per: 8, format: (v) => short(v * 8) },
    },
    {
      title: 'Sessions',
      value: grouped(counts.established + counts.halfOpen + counts.terminating),
      more: `${grouped(counts.oneMinute)} new in a minute`,
      alarm: false,
      curve: { lines: [{ series: 'sessions', colour: '--to-outside' }], least: 5, format: short },
    },
    {
      title: 'Mails a minute',
      value: grouped(mails.minute),
      more: `${grouped(mails.total)} since the start`,
      alarm: false,
      curve: { lines: [{ series: 'mails', colour: '--good' }], least: 5, format: short },
    },
    {
      title: 'Masked a minute',
      value: grouped(masked.minute),
      more: `${grouped(masked.total)} since the start`,
      alarm: false,
      curve: { lines: [{ series: 'masked', colour: '--masked' }], least: 5, format: short },
    },
    {
      title: 'Drops a second',
      value: short(dropped),
      more: `${grouped(sum(drops.map((d) => d.total)))} since the start`,
      alarm: false,
      curve: { lines: [{ series: 'drops', colour: '--drop' }], least: 5, format: short },
    },
    {
      title: 'Half-open',
      value: grouped(counts.halfOpen),
      more: `${grouped(halfOpen.high)} is too many`,
      alarm: counts.halfOpen >= halfOpen.high,
      curve: {
        lines: [{ series: 'halfOpen', colour: '--to-outside' }],
        limit: halfOpen.high,
        least: 5,
        format: short,
      },
    },
    {
      title: 'Queue',
      value: grouped(queue.waiting),
      more: queue.lost === 0 ? 'no packet lost' : `${grouped(queue.lost)} lost, ${short(queue.lostPerSecond)} a second`,
      alarm: queue.lostPerSecond > 0,
      curve: {
        lines: [
          { series: 'waiting', colour: '--to-outside' },
          { series: 'lost', colour: '--masked' },
        ],
        least: 10,
        format: short,
      },
    },
    {
      title: 'Data plane',
      value: `${Math.round(load.cpu)} %`,
      more: `${bytes(load.memory)} of memory`,
      alarm: load.cpu >= 95,
      curve: { lines: [{ series: 'cpu', colour: '--to-inside' }], least: 10, format: (v) => `${Math.round(v)} %` },
    },
  ];
}

export function Vitals({
  frame,
  picture,
  history,
  Curve,
}: {
  frame: LiveFrame;
  picture: LivePicture;
  history: LiveHistory;
  Curve?: Curve | undefined;
}): VNode {
  return (
    <section class="vitals" aria-label="How it goes">
      {tilesOf(frame, picture).map((tile) => (
        <div class={tile.alarm ? 'tile alarm' : 'tile'} key={tile.title}>
          <h2>{tile.title}</h2>
          <p class="value">{tile.value}</p>
          <p class="more">{tile.more}</p>
          <div class="curve">
            {Curve === undefined ? (
              <Sketch values={history.values[tile.curve.lines[0]!.series]} least={tile.curve.least} />
            ) : (
              <Curve history={history} label={`${tile.title}, last five minutes`} {...tile.curve} />
            )}
          </div>
          <p class="axis" aria-hidden="true">
            <span>5 min ago</span>
            <span>now</span>
          </p>
        </div>
      ))}
    </section>
  );
}

/** A curve without an axis, as a server can draw it: the last value stands at the right end. */
function Sketch({ values, least }: { values: readonly number[]; least: number }): VNode {
  const width = 300;
  const height = 76;
  const top = Math.max(least, ...values) * 1.05;
  const points = values.map((v, i) => `${width - values.length + 1 + i},${(height - (v / top) * height).toFixed(1)}`);
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
