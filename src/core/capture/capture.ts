/**
 * Embedded packet capture (IOS 12.4(20)T) as data: what a capture point sees, what a capture buffer keeps, and what is
 * asked of both. Points look where packets pass, in the data plane; buffers keep what they saw, in the control plane.
 */

/** `cef`: what crosses the router. `process`: what comes for the router itself, and what it sends itself. */
export type SwitchPath = 'cef' | 'process';
export type CaptureDirection = 'both' | 'in' | 'out' | 'from-us';

/** `monitor capture point ip …` */
export interface PointSettings {
  path: SwitchPath;
  /** Canonical name; undefined: all. */
  interface: string | undefined;
  direction: CaptureDirection;
}

/** `monitor capture buffer …`. Where 0 stands, there is no limit. */
export interface BufferSettings {
  circular: boolean;
  /** Of the buffer. */
  sizeKb: number;
  /** Most of each packet, bytes, its Ethernet header included. */
  maxSize: number;
  /** `filter access-list`; undefined: all packets. */
  list: string | undefined;
  /** Of so many packets one is kept. */
  nth: number;
  /** Seconds. */
  duration: number;
  packets: number;
  packetsPerSecond: number;
}

export const BUFFER_DEFAULTS: BufferSettings = {
  circular: false,
  sizeKb: 256,
  maxSize: 68,
  list: undefined,
  nth: 0,
  duration: 0,
  packets: 0,
  packetsPerSecond: 0,
};

/** What the two commands may be given, and how many of each there may be: ours, for the memory they take. */
export const LEAST_MAX_SIZE = 68;
export const MOST_MAX_SIZE = 9500;
export const MOST_SIZE_KB = 512;
export const MOST_BUFFERS = 16;
export const MOST_POINTS = 24;

/** Ethernet: a 3640 captures at layer 2. What NFQUEUE hands over begins behind it. */
export const ETHERNET_HEADER = 14;

/** A packet that a buffer keeps. */
export interface BufferedPacket {
  /** ms since 1970. */
  timeMs: number;
  path: SwitchPath;
  /** Canonical names; undefined: none, or not known yet. */
  ingress: string | undefined;
  egress: string | undefined;
  /** Of the IPv4 packet as it passed. */
  length: number;
  /** From the IPv4 header on, as far as the buffer keeps it. */
  bytes: Uint8Array;
}

export interface BufferSnapshot {
  name: string;
  settings: Readonly<BufferSettings>;
  packets: number;
  /** Packets that were to be kept, and came too fast for the control plane. */
  lost: number;
}

export interface PointSnapshot {
  name: string;
  settings: Readonly<PointSettings>;
  buffer: string | undefined;
  active: boolean;
}

export interface CapturesSnapshot {
  buffers: BufferSnapshot[];
  points: PointSnapshot[];
}

/** What a command changes. What it names and is not there, or may not be, is passed over: the command has looked. */
export type CaptureChange =
  | { change: 'buffer'; name: string; settings: Partial<BufferSettings> }
  | { change: 'no-buffer'; name: string }
  | { change: 'clear'; name: string }
  | { change: 'point'; name: string; settings: PointSettings }
  | { change: 'no-point'; name: string }
  | { change: 'associate'; name: string; buffer: string }
  | { change: 'disassociate'; name: string }
  /** Undefined: all. */
  | { change: 'start'; name: string | undefined }
  | { change: 'stop'; name: string | undefined };
