/** `show monitor capture …` (reference later §4). */
import {
  BUFFER_DEFAULTS,
  type BufferedPacket,
  type BufferSettings,
  type BufferSnapshot,
  type CapturesSnapshot,
  type PointSettings,
  type PointSnapshot,
  type SwitchPath,
} from '../../core/capture/capture.js';
import { frameOf, type HardwareAddresses } from '../capture/frame.js';
import type { RouterConfig } from '../config/model.js';
import { dumpTime } from './clock.js';
import { shortName } from './interfaces-description.js';

// Confirmed for CEF and, in `show monitor capture point`, for process switching.
const PATHS: Readonly<Record<SwitchPath, string>> = { cef: 'IPv4 CEF', process: 'IPv4 Process' };
/** As a dump names them. Inferred: that of process switching; nobody has shown one. */
const DUMP_PATHS: Readonly<Record<SwitchPath, string>> = { cef: 'IPv4 LES CEF', process: 'IPv4 Process' };
const PATH_WIDTH = 20;
const DUMP_PATH_WIDTH = 16;

/** Where in memory each packet lies before it is printed: all captures of a router show one place. Ours is none. */
const DUMP_ADDRESS = 0x0d98b868;
const ROW = 16; // bytes
const GROUP = 4;

export const noBuffer = (name: string): string => `Capture Buffer ${name} does not exist\n`;
export const noPoint = (name: string): string => `Capture point ${name} does not exist\n`;

const activity = ({ active }: PointSnapshot): string => (active ? 'Active' : 'Inactive');

/** @param name of one buffer; undefined: all */
export function showCaptureParameters({ buffers, points }: CapturesSnapshot, name: string | undefined): string {
  const meant = buffers.filter((b) => name === undefined || b.name === name);
  if (name !== undefined && meant.length === 0) return noBuffer(name);
  return meant.map((b) => parameters(b, points)).join('\n');
}

function parameters({ name, settings: s, packets, lost }: BufferSnapshot, points: readonly PointSnapshot[]): string {
  const own = points.filter((p) => p.buffer === name);
  const lines = [
    `Capture buffer ${name} (${s.circular ? 'circular' : 'linear'} buffer)`,
    `Buffer Size : ${s.sizeKb * 1024} bytes, Max Element Size : ${s.maxSize} bytes, Packets : ${packets}`,
    `Allow-nth-pak : ${s.nth}, Duration : ${s.duration} (seconds), Max packets : ${s.packets}, pps : ${s.packetsPerSecond}`,
    // Ours: IOS says nothing of what it loses.
    ...(lost > 0 ? [`Packets lost : ${lost}`] : []),
    'Associated Capture Points:',
    ...own.map((p) => `Name : ${p.name}, Status : ${activity(p)}`),
    'Configuration:',
    bufferLine(name, s),
    ...own.map((p) => `monitor capture point associate ${p.name} ${name}`),
    ...(s.list === undefined ? [] : [`monitor capture buffer ${name} filter access-list ${s.list}`]),
    ...limitLines(name, s),
  ];
  return `${lines.join('\n')}\n`;
}

function bufferLine(name: string, { sizeKb, maxSize, circular }: BufferSettings): string {
  return [
    `monitor capture buffer ${name}`,
    ...(sizeKb === BUFFER_DEFAULTS.sizeKb ? [] : [`size ${sizeKb}`]),
    ...(maxSize === BUFFER_DEFAULTS.maxSize ? [] : [`max-size ${maxSize}`]),
    ...(circular ? ['circular'] : []),
  ].join(' ');
}

/** Inferred: that they stand here, one a line. */
function limitLines(name: string, { nth, duration, packets, packetsPerSecond }: BufferSettings): string[] {
  const limits = { 'allow-nth-pak': nth, duration, 'packet-count': packets, 'packets-per-sec': packetsPerSecond };
  return Object.entries(limits)
    .filter(([, n]) => n > 0)
    .map(([limit, n]) => `monitor capture buffer ${name} limit ${limit} ${n}`);
}

/** @param name of one point; undefined: all */
export function showCapturePoints({ points }: CapturesSnapshot, name: string | undefined): string {
  const meant = points.filter((p) => name === undefined || p.name === name);
  if (name !== undefined && meant.length === 0) return noPoint(name);
  return meant.map(pointStatus).join('\n');
}

function pointStatus(point: PointSnapshot): string {
  const path = PATHS[point.settings.path];
  return (
    `Status Information for Capture Point ${point.name}\n${path}\n` +
    `Switch Path: ${path.padEnd(PATH_WIDTH)}, Capture Buffer: ${point.buffer ?? 'None'}\n` +
    `Status : ${activity(point)}\n\nConfiguration:\n${pointLine(point.name, point.settings)}\n`
  );
}

const pointLine = (name: string, { path, interface: itf, direction }: PointSettings): string =>
  path === 'cef'
    ? `monitor capture point ip cef ${name} ${itf ?? 'all'} ${direction}`
    : `monitor capture point ip process-switched ${name} ${direction}`;

export const showCaptureDump = (
  config: RouterConfig,
  packets: readonly BufferedPacket[],
  addresses: HardwareAddresses,
): string => packets.map((p) => dump(config, p, frameOf(p, addresses))).join('\n');

/** Time, path and interfaces of a packet; then its bytes, in rows of sixteen that begin at multiples of that. */
function dump(config: RouterConfig, p: BufferedPacket, frame: Uint8Array): string {
  const name = (itf: string | undefined): string => (itf === undefined ? 'None' : shortName(itf));
  const path = DUMP_PATHS[p.path].padEnd(DUMP_PATH_WIDTH);
  const head = `${dumpTime(config, new Date(p.timeMs))} : ${path}: ${name(p.ingress)} ${name(p.egress)}\n\n`;
  // All dumps that were published end with a zero byte that is not the packet's.
  const bytes = [...frame, 0];
  const end = DUMP_ADDRESS + bytes.length;
  let rows = '';
  for (let row = DUMP_ADDRESS & -ROW; row < end; row += ROW) {
    let hex = '';
    let text = '';
    for (let i = 0; i < ROW; i++) {
      const byte = bytes[row + i - DUMP_ADDRESS];
      if (i % GROUP === 0) hex += ' ';
      hex += byte === undefined ? '  ' : byte.toString(16).toUpperCase().padStart(2, '0');
      text += byte === undefined ? ' ' : printable(byte);
    }
    rows += `${row.toString(16).toUpperCase().padStart(8, '0')}:${hex}  ${text}\n`;
  }
  return head + rows;
}

/** IOS leaves the highest bit out. */
function printable(byte: number): string {
  const low = byte & 0x7f;
  return low >= 0x20 && low < 0x7f ? String.fromCharCode(low) : '.';
}
