/** A curve by uPlot, in the colours of the page, as wide as its place. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
// By its file: the package names none that a browser can load.
import uPlot from 'uplot/dist/uPlot.esm.js';
import type { LiveHistory } from '../../ios/live/frame.js';
import type { CurveProps } from './vitals.js';

/** What is shown of the history, s. */
const SPAN_S = 300;

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function dataOf(history: LiveHistory, { lines, limit }: CurveProps): uPlot.AlignedData {
  const at = history.at.map((ms) => ms / 1000);
  const columns = lines.map(({ series }) => history.values[series]);
  // Only where it is near: a mark of 500 would press a curve of 3 flat.
  const shown = limit !== undefined && columns.some((c) => c.some((v) => v > limit / 3));
  return [at, ...columns, shown ? at.map(() => limit) : at.map(() => null)];
}

/** The next 1, 2 or 5 with zeros behind it. */
function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (value <= power ? 1 : value <= 2 * power ? 2 : value <= 5 * power ? 5 : 10) * power;
}

function optionsOf(props: CurveProps, size: { width: number; height: number }): uPlot.Options {
  const { lines, least, format, per = 1 } = props;
  const grid = { stroke: colour('--rule'), width: 1 };
  return {
    ...size,
    cursor: { show: false },
    legend: { show: false },
    padding: [8, 0, 1, 0],
    scales: {
      x: { time: true, range: (_u, _min, max) => [max - SPAN_S, max] },
      y: { range: (_u, _min, max) => [0, roundedUp(Math.max(least, max) * per) / per] },
    },
    axes: [
      { show: false },
      {
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- right: the package has no value of it
        side: 1,
        size: 40,
        gap: 4,
        font: `11px ${colour('--sans')}`,
        stroke: colour('--dim'),
        grid,
        ticks: { show: false },
        splits: (_u, _axis, _min, max) => [0, max / 2, max],
        values: (_u, splits) => splits.map((v, i) => (i < 2 ? '' : format(v))),
      },
    ],
    series: [
      {},
      ...lines.map(({ colour: name }): uPlot.Series => ({
        stroke: colour(name),
        width: 1.75,
        fill: `${colour(name)}22`,
        points: { show: false },
      })),
      { stroke: colour('--masked'), width: 1, dash: [4, 4], points: { show: false } },
    ],
  };
}

const sizeOf = (element: HTMLElement): { width: number; height: number } => ({
  width: Math.max(1, element.clientWidth),
  height: Math.max(1, element.clientHeight),
});

export function Curve(props: CurveProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current!;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(props, sizeOf(element)), dataOf(props.history, props), element);
    };
    make();
    const resized = new ResizeObserver(() => {
      const size = sizeOf(element);
      if (size.width !== plot.current?.width || size.height !== plot.current.height) plot.current?.setSize(size);
    });
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  // History is added to in place: each frame is a reason to draw.
  useEffect(() => plot.current?.setData(dataOf(props.history, props)));
  return <div ref={place} role="img" aria-label={props.label} />;
}
