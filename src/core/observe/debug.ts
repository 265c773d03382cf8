/** `debug`: which output is wanted. One object, read in the hot path before anything is built. */

export type DebugFlag =
  | 'smtp'
  | 'ftp'
  | 'http'
  | 'tcp'
  | 'udp'
  | 'icmp'
  | 'events'
  | 'objectCreation'
  | 'objectDeletion'
  | 'timers'
  | 'detailed'
  | 'nat'
  | 'packet';

export interface DebugFlags extends Record<DebugFlag, boolean> {
  packetScope: PacketScope;
}

/** What `debug ip packet` is restricted to, and whether it tells more. */
export interface PacketScope {
  /** Only what this access list permits; undefined: all. */
  readonly list: string | undefined;
  readonly detail: boolean;
}

export const ALL_PACKETS: PacketScope = { list: undefined, detail: false };

export const noDebug = (): DebugFlags => ({
  smtp: false,
  ftp: false,
  http: false,
  tcp: false,
  udp: false,
  icmp: false,
  events: false,
  objectCreation: false,
  objectDeletion: false,
  timers: false,
  detailed: false,
  nat: false,
  packet: false,
  packetScope: ALL_PACKETS,
});
