/** Packets of UDP and ICMP sessions behind the first one: what answers what. */
import * as dns from '../session/dns.js';
import { noteRequest, takeReply } from '../session/icmp.js';
import { type Session, SIS } from '../session/session.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import { IPPROTO_ICMP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import type { TrackerContext } from './context.js';
import type { Lifetimes } from './lifetimes.js';

export const isDns = (s: Session): boolean => s.protocol === IPPROTO_UDP && s.responderPort === dns.DNS_PORT;

export class DatagramTracker {
  constructor(
    private readonly context: TrackerContext,
    private readonly lifetimes: Lifetimes,
  ) {}

  /** Follows a packet of session `s`. */
  track(s: Session, p: Packet, fromInitiator: boolean, now: number): Verdict {
    const v = this.#fits(s, p, fromInitiator, now) ? PASS : DROP.inspection;
    if (this.context.debug.detailed) this.context.trace.checked(s, p, v);
    if (v !== PASS) return v;
    s.heard = now;
    s.since = now;
    s.addBytes(fromInitiator, p.end - p.payload);
    if (!fromInitiator && s.state === SIS.opening) {
      s.state = SIS.open;
      this.lifetimes.moved(s, SIS.opening);
    }
    return PASS;
  }

  #fits(s: Session, p: Packet, fromInitiator: boolean, now: number): boolean {
    if (p.protocol === IPPROTO_ICMP) return fromInitiator ? noteRequest(s, p) : takeReply(s, p);
    return !isDns(s) || this.#trackDns(s, p, fromInitiator, now);
  }

  /** `ip inspect dns-timeout`: the session ends shortly after its last answer. False: an answer to no query. */
  #trackDns(s: Session, p: Packet, fromInitiator: boolean, now: number): boolean {
    if (p.gso) return false; // several messages in one buffer
    if (fromInitiator) {
      dns.noteQuery(s, p);
      if (s.timeoutMs === dns.DNS_LINGER_MS)
        this.lifetimes.restartTimer(s, this.context.globals.dnsTimeout * 1000, now);
      return true;
    }
    if (!dns.takeAnswer(s, p)) return false;
    if (dns.outstanding(s) === 0) this.lifetimes.restartTimer(s, dns.DNS_LINGER_MS, now);
    return true;
  }
}
