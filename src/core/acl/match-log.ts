/**
 * `log` of access list entries: the first packet of a flow is logged at once, later ones are counted and summed up
 * every five minutes (IOS, "Access Control List Logging"). Bounded, since strangers choose the flows.
 */
import type { Event } from '../events.js';
import type { Packet } from '../wire/packet.js';
import { PacketEnds, readEnds } from '../wire/packet-ends.js';

type AclEvent = Extract<Event, { type: 'acl-denied' | 'acl-permitted' }>;

/** ms between summaries of a flow. */
const SUMMARY_MS = 300_000;
/** Flows that are counted at a time; the packets of more are counted as missed. */
const MAX_FLOWS = 1024;

interface Counted {
  event: AclEvent;
  packets: number;
}

export class MatchLog {
  readonly #flows = new Map<string, Counted>();
  readonly #ends = new PacketEnds();
  #next = SUMMARY_MS;
  /** Packets that found no room, for SEC-6-IPACCESSLOGRL. */
  #missed = 0;

  constructor(private readonly emit: (e: Event) => void) {}

  /** Notes that `p` matched an entry with `log` of `list`. `ingress`: the interface's name, for `log-input`. */
  note(list: string, permitted: boolean, p: Packet, ingress: string | undefined): void {
    const e = this.#ends;
    readEnds(p, e);
    const key = `${list} ${permitted} ${e.protocol} ${e.src} ${e.srcPort} ${e.dst} ${e.dstPort} ${p.icmpType} ${p.icmpCode}`;
    const known = this.#flows.get(key);
    if (known !== undefined) {
      known.packets++;
      return;
    }
    if (this.#flows.size >= MAX_FLOWS) {
      this.#missed++;
      return;
    }
    const event: AclEvent = {
      type: permitted ? 'acl-permitted' : 'acl-denied',
      list,
      protocol: p.protocol,
      src: p.src,
      srcPort: p.srcPort,
      dst: p.dst,
      dstPort: p.dstPort,
      icmpType: p.icmpType,
      icmpCode: p.icmpCode,
      packets: 1,
      ...(ingress !== undefined && { ingress }),
    };
    this.#flows.set(key, { event, packets: 0 });
    this.emit(event);
  }

  /** Writes the summaries that are due. A flow that was silent for an interval is forgotten. */
  tick(now: number): void {
    if (now < this.#next) return;
    this.#next = now + SUMMARY_MS;
    for (const [key, flow] of this.#flows) {
      if (flow.packets === 0) this.#flows.delete(key);
      else this.emit({ ...flow.event, packets: flow.packets });
      flow.packets = 0;
    }
    if (this.#missed > 0) this.emit({ type: 'acl-log-missed', packets: this.#missed });
    this.#missed = 0;
  }
}
