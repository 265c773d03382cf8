/**
 * What the router sends by itself to learn about the way to a host: one ICMP echo (`ping`) or one UDP datagram
 * (`traceroute`), and what came of it. src/io/prober.ts sends them.
 */
export interface Probe {
  kind: 'echo' | 'udp';
  /**
   * `wire`: sent, and its answer comes in as any packet does. `loopback`: to an address of the router's own, which it
   * answers itself. `nowhere`: there is no route, so it is never sent and never answered.
   */
  via: 'wire' | 'loopback' | 'nowhere';
  /** int32. */
  destination: number;
  source: number;
  /** Bytes of the IPv4 datagram, 28 at least. */
  size: number;
  /** Bytes that the interface takes: what is longer goes in fragments, or with `dontFragment` not at all. */
  mtu: number;
  ttl: number;
  tos: number;
  dontFragment: boolean;
  /** 16 bits that fill an echo. */
  pattern: number;
  /** Destination port, of `udp`. */
  port: number;
  timeoutMs: number;
}

export type ProbeOutcome =
  | { kind: 'reply'; ms: number }
  /** An ICMP error about the probe. `mtu`: of fragmentation needed, 0 where it does not say. */
  | { kind: 'error'; type: number; code: number; from: number; mtu: number; ms: number }
  | { kind: 'timeout' };

export interface Prober {
  /**
   * Sends a probe.
   * @param done called once and not before `send` has returned
   * @returns gives up waiting: `done` is not called then
   */
  send(probe: Probe, done: (outcome: ProbeOutcome) => void): () => void;
}
