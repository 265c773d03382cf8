/** One `permit`/`deny` line of an access list, as data. Addresses and wildcards are int32, host order; a 1 bit in a wildcard is not compared. */
export interface AclEntry {
  /** 10, 20, … as `show access-lists` prints it. */
  sequence: number;
  action: 'permit' | 'deny';
  /** IP protocol number, or undefined for `ip` and for standard lists. */
  protocol?: number;
  src: AclAddress;
  dst: AclAddress;
  srcPort?: AclPort;
  dstPort?: AclPort;
  icmp?: { type: number; code?: number };
  /** TCP with ACK or RST. */
  established: boolean;
  /** Only non-initial fragments. */
  fragments: boolean;
  precedence?: number;
  tos?: number;
  dscp?: number;
  log: 'none' | 'log' | 'log-input';
  /** Line of the configuration file, from 1; 0 when typed on the console. */
  line?: number;
}

export interface AclAddress {
  address: number;
  wildcard: number;
}

export interface AclPort {
  op: 'eq' | 'neq' | 'lt' | 'gt' | 'range';
  /** `range`: both ends; otherwise only the first counts. */
  from: number;
  to: number;
}
