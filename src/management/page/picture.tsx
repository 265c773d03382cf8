/**
 * The network as configured: what is outside, the router with what it does on each interface, what is inside. Each line
 * is two strokes, one for each way, as thick as what goes over them (logarithmic: 1 kbit/s and 1 Gbit/s are both seen).
 */
import type { VNode } from 'preact';
import type { LineTraffic, LiveFrame, LivePicture, PictureInterface } from '../../ios/live/frame.js';
import { bitRate, fit, networkOf, plural, short } from './words.js';

const THINNEST = 1.5;
const THICKEST = 14;
/** Inside hosts that are drawn with their outside addresses. */
const MOST_HOSTS = 4;

const thickness = (bytesPerSecond: number): number =>
  Math.min(THICKEST, THINNEST + 2.1 * Math.log10(1 + (bytesPerSecond * 8) / 1000));

/** 0: nothing moves; 1 to 4: how fast it is drawn to move. */
const pace = (bytesPerSecond: number): number =>
  bytesPerSecond <= 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log10(1 + bytesPerSecond / 1000)));

const SILENT = { up: true, packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0 };

/** Outside to the left; where nothing is outside, the first one. */
function sidesOf({ interfaces }: LivePicture): { left: PictureInterface[]; right: PictureInterface[] } {
  const outside = interfaces.filter((i) => i.side === 'outside');
  const left = outside.length > 0 ? outside : interfaces.slice(0, 1);
  return { left, right: interfaces.filter((i) => !left.includes(i)) };
}

export function Picture({ frame, picture }: { frame: LiveFrame; picture: LivePicture }): VNode {
  const sides = sidesOf(picture);
  const label = picture.interfaces
    .map((i) => {
      const t = trafficOf(frame, i);
      return `${i.name} ${i.addresses[0] ?? 'without an address'}, ${i.side}: ${bitRate(t.bytesIn)} in, ${bitRate(t.bytesOut)} out`;
    })
    .join('; ');
  return (
    <div class="picture">
      <Wide frame={frame} picture={picture} sides={sides} label={label} />
      <Tall frame={frame} picture={picture} sides={sides} label={label} />
    </div>
  );
}

/** Hosts behind an inside interface that have outside addresses: `inside ⇄ outside`. */
function hostsOf(picture: LivePicture, itf: PictureInterface): { hosts: LivePicture['statics']; more: number } {
  const [network] = itf.addresses;
  if (itf.side !== 'inside' || network === undefined) return { hosts: [], more: 0 };
  const length = network.replace(/.*\//, '/');
  const all = picture.statics.filter(({ inside }) => networkOf(withoutPort(inside) + length) === networkOf(network));
  return { hosts: all.slice(0, MOST_HOSTS), more: all.length - MOST_HOSTS };
}

const withoutPort = (address: string): string => address.replace(/[:/ ].*/, '');

const trafficOf = (frame: LiveFrame, i: PictureInterface): Omit<LineTraffic, 'name'> =>
  frame.traffic.find((t) => t.name === i.name) ?? SILENT;

interface Drawn {
  frame: LiveFrame;
  picture: LivePicture;
  sides: { left: PictureInterface[]; right: PictureInterface[] };
  label: string;
}

const BOX = { x: 396, width: 408 };
/** Between a network and the router. */
const LINE = 148;
const HEAD = 84;
const ROW = 168;
const WIDTH = 1200;

function Wide({ frame, picture, sides, label }: Drawn): VNode {
  const rows = Math.max(sides.left.length, sides.right.length, 1);
  const height = HEAD + rows * ROW + 16;
  const boxEnd = BOX.x + BOX.width;
  return (
    <svg class="wide" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={label}>
      <rect class="box" x={BOX.x} y={8} width={BOX.width} height={height - 16} rx={10} />
      <text class="hostname" x={600} y={46} text-anchor="middle">
        {fit(picture.hostname, 24)}
      </text>
      <text class="small" x={600} y={70} text-anchor="middle">
        {`${plural(frame.counts.established, 'session')} · ${frame.counts.halfOpen} half-open · ${short(frame.masked.total)} masked`}
      </text>
      {sides.left.map((i, row) => {
        const y = HEAD + row * ROW + ROW / 2;
        return (
          <g key={i.name}>
            <Net x={8} y={y} anchor="start" itf={i} picture={picture} />
            <Line y={y} from={BOX.x - LINE} to={BOX.x} itf={i} traffic={trafficOf(frame, i)} inward />
            <Port x={BOX.x + 18} y={y} anchor="start" dot={BOX.x} itf={i} up={trafficOf(frame, i).up} />
          </g>
        );
      })}
      {sides.right.map((i, row) => {
        const y = HEAD + row * ROW + ROW / 2;
        return (
          <g key={i.name}>
            <Net x={WIDTH - 8} y={y} anchor="end" itf={i} picture={picture} />
            <Line y={y} from={boxEnd} to={boxEnd + LINE} itf={i} traffic={trafficOf(frame, i)} inward={false} />
            <Port x={boxEnd - 18} y={y} anchor="end" dot={boxEnd} itf={i} up={trafficOf(frame, i).up} />
          </g>
        );
      })}
    </svg>
  );
}

type Anchor = 'start' | 'end' | 'middle';

/** The network behind an interface, and of the inside the hosts that have outside addresses. */
function Net({
  x,
  y,
  anchor,
  itf,
  picture,
}: {
  x: number;
  y: number;
  anchor: Anchor;
  itf: PictureInterface;
  picture: LivePicture;
}): VNode {
  const { hosts, more } = hostsOf(picture, itf);
  const top = y + 6 - hosts.length * 11;
  return (
    <g class={hosts.some((h) => h.outside.length > 15) ? 'net long' : 'net'}>
      <text class="side" x={x} y={top - 24} text-anchor={anchor}>
        {itf.side === 'neither' ? 'no NAT' : itf.side}
      </text>
      <text class="network" x={x} y={top} text-anchor={anchor}>
        {itf.addresses[0] === undefined ? 'no address' : networkOf(itf.addresses[0])}
      </text>
      {itf.description !== '' && hosts.length === 0 && (
        <text class="small" x={x} y={top + 20} text-anchor={anchor}>
          {fit(itf.description, 26)}
        </text>
      )}
      {hosts.map((h, i) => (
        <text class="host" key={`${h.inside} ${h.outside}`} x={x} y={top + 26 + i * 22} text-anchor={anchor}>
          <tspan>{withoutPort(h.inside)}</tspan>
          <tspan class="dim">{` ⇄ ${fit(h.outside.replace(/ .*/, ''), 21)}`}</tspan>
        </text>
      ))}
      {more > 0 && (
        <text class="small" x={x} y={top + 26 + hosts.length * 22} text-anchor={anchor}>{`and ${more} more`}</text>
      )}
    </g>
  );
}

/** Two strokes. `inward`: what comes in by the interface goes to the right. */
function Line({
  y,
  from,
  to,
  itf,
  traffic,
  inward,
}: {
  y: number;
  from: number;
  to: number;
  itf: PictureInterface;
  traffic: Omit<LineTraffic, 'name'>;
  inward: boolean;
}): VNode {
  const middle = (from + to) / 2;
  const right = inward
    ? { bytes: traffic.bytesIn, packets: traffic.packetsIn }
    : { bytes: traffic.bytesOut, packets: traffic.packetsOut };
  const left = inward
    ? { bytes: traffic.bytesOut, packets: traffic.packetsOut }
    : { bytes: traffic.bytesIn, packets: traffic.packetsIn };
  const dead = itf.shutdown || !traffic.up;
  return (
    <g class={dead ? 'line dead' : 'line'}>
      <text class="rate" x={middle} y={y - 26} text-anchor="middle">
        {dead ? 'down' : `${bitRate(right.bytes)} ▸`}
      </text>
      <Stroke path={`M${from} ${y - 9}H${to}`} bytes={right.bytes} towardsInside={inward === (itf.side !== 'inside')} />
      <Stroke path={`M${to} ${y + 9}H${from}`} bytes={left.bytes} towardsInside={inward !== (itf.side !== 'inside')} />
      {!dead && (
        <text class="rate" x={middle} y={y + 40} text-anchor="middle">
          {`◂ ${bitRate(left.bytes)}`}
        </text>
      )}
    </g>
  );
}

function Stroke({ path, bytes, towardsInside }: { path: string; bytes: number; towardsInside: boolean }): VNode {
  const width = thickness(bytes);
  return (
    <g class={towardsInside ? 'to-inside' : 'to-outside'}>
      <path class="wire" d={path} stroke-width={width.toFixed(1)} />
      <path class={`flow pace${pace(bytes)}`} d={path} stroke-width={(width * 0.45).toFixed(1)} />
    </g>
  );
}

/** Name and address of an interface, its lists, and what is inspected there. */
function Port({
  x,
  y,
  anchor,
  dot,
  itf,
  up,
}: {
  x: number;
  y: number;
  anchor: Anchor;
  /** Where its light is. */
  dot: number;
  itf: PictureInterface;
  up: boolean;
}): VNode {
  return (
    <g>
      <circle class={up && !itf.shutdown ? 'port up' : 'port'} cx={dot} cy={y} r={8} />
      <text class="address" x={x} y={y - 32} text-anchor={anchor}>
        {itf.addresses[0]?.replace(/\/.*/, '') ?? 'no address'}
      </text>
      <text class="small" x={x} y={y - 10} text-anchor={anchor}>
        {itf.name + (itf.shutdown ? ' shutdown' : '')}
      </text>
      {doneAt(itf).map((text, i) => (
        <text class="rule" key={text} x={x} y={y + 16 + i * 19} text-anchor={anchor}>
          {fit(text, 24)}
        </text>
      ))}
    </g>
  );
}

/** Lists and rules of an interface, a short line each. */
function doneAt(itf: PictureInterface): string[] {
  const rule = (direction: string, text: string): string[] => {
    const [name, protocols] = text.split(': ');
    return text === '' ? [] : [`inspect ${name!} ${direction}`, protocols ?? ''];
  };
  return [
    ...(itf.accessIn === '' ? [] : [`list ${itf.accessIn} in`]),
    ...(itf.accessOut === '' ? [] : [`list ${itf.accessOut} out`]),
    ...rule('in', itf.inspectIn),
    ...rule('out', itf.inspectOut),
  ].slice(0, 4);
}

const NARROW = 360;
const STEP = 104;
const PORT_STEP = 118;

/** The same from top to bottom, for a telephone. */
function Tall({ frame, picture, sides, label }: Drawn): VNode {
  const boxTop = 12 + sides.left.length * STEP;
  const boxHeight = 56 + Math.max(sides.left.length + sides.right.length, 1) * PORT_STEP;
  const boxEnd = boxTop + boxHeight;
  const hosts = Math.max(0, ...sides.right.map((i) => hostsOf(picture, i).hosts.length));
  const height = boxEnd + sides.right.length * STEP + hosts * 21 + 20;
  return (
    <svg class="tall" viewBox={`0 0 ${NARROW} ${height}`} role="img" aria-label={label}>
      {sides.left.map((i, n) => (
        <Upright key={i.name} top={12 + n * STEP} itf={i} traffic={trafficOf(frame, i)} picture={picture} downward />
      ))}
      <rect class="box" x={4} y={boxTop} width={NARROW - 8} height={boxHeight} rx={10} />
      <text class="hostname" x={18} y={boxTop + 32}>
        {fit(picture.hostname, 16)}
      </text>
      <text class="small" x={NARROW - 18} y={boxTop + 31} text-anchor="end">
        {`${plural(frame.counts.established, 'session')} · ${short(frame.masked.total)} masked`}
      </text>
      {[...sides.left, ...sides.right].map((i, n) => (
        <Port
          key={i.name}
          x={34}
          y={boxTop + 92 + n * PORT_STEP}
          anchor="start"
          dot={18}
          itf={i}
          up={trafficOf(frame, i).up}
        />
      ))}
      {sides.right.map((i, n) => (
        <Upright
          key={i.name}
          top={boxEnd + n * STEP}
          itf={i}
          traffic={trafficOf(frame, i)}
          picture={picture}
          downward={false}
        />
      ))}
    </svg>
  );
}

/** A line that stands. `downward`: what comes in by the interface goes down. */
function Upright({
  top,
  itf,
  traffic,
  picture,
  downward,
}: {
  top: number;
  itf: PictureInterface;
  traffic: Omit<LineTraffic, 'name'>;
  picture: LivePicture;
  downward: boolean;
}): VNode {
  const down = downward ? traffic.bytesIn : traffic.bytesOut;
  const up = downward ? traffic.bytesOut : traffic.bytesIn;
  const [from, to] = downward ? [top + 36, top + STEP] : [top, top + 62];
  const textY = downward ? top + 22 : top + 84;
  const { hosts } = hostsOf(picture, itf);
  return (
    <g class={`line net ${itf.side}`}>
      <text x={18} y={textY}>
        <tspan class="side">{itf.side === 'neither' ? 'no NAT' : itf.side}</tspan>
        <tspan class="network" dx="8">
          {itf.addresses[0] === undefined ? 'no address' : networkOf(itf.addresses[0])}
        </tspan>
      </text>
      <Stroke path={`M60 ${from}V${to}`} bytes={down} towardsInside={downward === (itf.side !== 'inside')} />
      <Stroke path={`M80 ${to}V${from}`} bytes={up} towardsInside={downward !== (itf.side !== 'inside')} />
      <text class="rate" x={100} y={(from + to) / 2 - 4}>{`▾ ${bitRate(down)}`}</text>
      <text class="rate" x={100} y={(from + to) / 2 + 16}>{`▴ ${bitRate(up)}`}</text>
      {hosts.map((h, i) => (
        <text class="host" key={`${h.inside} ${h.outside}`} x={18} y={textY + 24 + i * 21}>
          <tspan>{withoutPort(h.inside)}</tspan>
          <tspan class="dim">{` ⇄ ${fit(h.outside.replace(/ .*/, ''), 21)}`}</tspan>
        </text>
      ))}
    </g>
  );
}
