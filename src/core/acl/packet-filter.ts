/** The access lists of the interfaces: what they deny is answered as IOS answers it. */
import type { Observer } from '../observe/observer.js';
import type { Outbox } from '../outbox.js';
import type { Port, Ports } from '../ports.js';
import { DROP, PASS, type Verdict } from '../verdict.js';
import type { Packet } from '../wire/packet.js';
import { type CompiledAccessList, IMPLICIT_DENY } from './access-list.js';
import { MatchLog } from './match-log.js';
import { ADMINISTRATIVELY_PROHIBITED, UnreachableReplies } from './unreachable.js';

export class PacketFilter {
  observer: Observer | undefined;
  readonly unreachable = new UnreachableReplies();
  readonly #matchLog: MatchLog;

  constructor(
    private readonly ports: Ports,
    private readonly outbox: Outbox,
  ) {
    this.#matchLog = new MatchLog((e) => outbox.event(e));
  }

  /** What the inbound list of its interface says of `p`, which is as it came. */
  admit(p: Packet, port: Port, now: number): Verdict {
    if (port.aclIn === undefined || this.#permits(port.aclIn, p)) return PASS;
    this.answer(p, port, ADMINISTRATIVELY_PROHIBITED, now);
    return DROP.acl;
  }

  /** The output list stands behind NAT: it sees an inside host by its inside global end. */
  permitsOut(p: Packet, list: CompiledAccessList | undefined): boolean {
    if (list === undefined) return true;
    const { src, srcPort } = p;
    p.src = p.globalSrc;
    p.srcPort = p.globalSrcPort;
    const permitted = this.#permits(list, p);
    p.src = src;
    p.srcPort = srcPort;
    return permitted;
  }

  /** ICMP unreachable of a code, from the address of `port`, which `p` came in by. */
  answer(p: Packet, port: Port, code: number, now: number): void {
    const { address: from, unreachables } = port.policy;
    if (!unreachables || from === undefined) return;
    const answer = this.unreachable.answer(p, code, from, now);
    if (answer !== undefined) this.outbox.inject(answer);
  }

  /** Tells what the log of lists has gathered. To be called a few times a second. */
  tick(now: number): void {
    this.#matchLog.tick(now);
  }

  #permits(list: CompiledAccessList, p: Packet): boolean {
    const index = list.match(p);
    this.observer?.matched(list, index);
    const permitted = list.permits(index);
    const log = index === IMPLICIT_DENY ? 'none' : list.entries[index]!.log;
    if (log !== 'none') {
      const ingress = log === 'log-input' ? this.ports.at(p.ingress)!.policy.name : undefined;
      this.#matchLog.note(list.name, permitted, p, ingress);
    }
    return permitted;
  }
}
