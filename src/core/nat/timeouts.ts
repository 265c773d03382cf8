/** How long a translation lives without a packet (`ip nat translation …-timeout`). */
import type { NatTimeouts } from '../policy.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import { FIN, RST, SYN } from '../wire/tcp.js';
import { KIND_OF, type Translation } from './translation.js';

const DNS = 53;
const MS = 1000;

/** The idle timeout of flow `t` as it stands, ms; 0: never. */
export function flowTimeoutMs(t: Translation, c: NatTimeouts): number {
  // Inferred: port-timeout is for the flows of ports that the configuration names, as its help text says.
  if (t.has(KIND_OF.staticPort) && c.port > 0 && !t.has(KIND_OF.finished)) return c.port * MS;
  switch (t.protocol) {
    case IPPROTO_TCP:
      if (t.has(KIND_OF.finished)) return c.finrst * MS;
      if (!t.has(KIND_OF.established)) return c.syn * MS;
      return (t.outsidePort === DNS ? c.dns : c.tcp) * MS;
    case IPPROTO_UDP:
      return (t.outsidePort === DNS ? c.dns : c.udp) * MS;
    case IPPROTO_ICMP:
      return c.icmp * MS;
    default:
      return c.timeout * MS;
  }
}

/** Notes what a TCP segment with these flags says about flow `t`. @returns whether its timeout is another now */
export function noteSegment(t: Translation, flags: number): boolean {
  const before = t.flags;
  if ((flags & (FIN | RST)) !== 0) t.set(KIND_OF.finished);
  else if ((flags & SYN) === 0) t.set(KIND_OF.established);
  else if (t.has(KIND_OF.finished)) {
    // The same ports again: another connection.
    t.unset(KIND_OF.finished);
    t.unset(KIND_OF.established);
  }
  return t.flags !== before;
}
