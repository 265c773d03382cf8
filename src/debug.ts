/** Which `debug` output is wanted. One object, read in the hot path before anything is built. */
export interface DebugFlags {
  smtp: boolean;
  tcp: boolean;
  udp: boolean;
  icmp: boolean;
  objectCreation: boolean;
  objectDeletion: boolean;
  nat: boolean;
  packet: boolean;
}

export const noDebug = (): DebugFlags => ({
  smtp: false,
  tcp: false,
  udp: false,
  icmp: false,
  objectCreation: false,
  objectDeletion: false,
  nat: false,
  packet: false,
});
