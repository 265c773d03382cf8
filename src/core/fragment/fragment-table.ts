/**
 * `ip virtual-reassembly` (12.3(8)T): holds the fragments of a datagram until all are here, and has the whole datagram
 * judged and translated by the rest of the pipeline. It goes on as one packet, in the place of the fragment that came
 * last: nothing of a datagram goes on before all of it was inspected, and no fragment ever does. (IOS sends the
 * fragments on as they came; a receiver could join them to those of another datagram.)
 */
import type { FragmentFault } from '../events.js';
import type { Outbox } from '../outbox.js';
import { ABSORBED, DROP, HOLD, isDrop, type Verdict } from '../verdict.js';
import { u8 } from '../wire/bytes.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { TCP_DATA_OFFSET, TCP_MIN_HEADER } from '../wire/tcp.js';
import { FragmentSet, type HeldFragment, MAX_DATAGRAM } from './fragment-set.js';
import type { FragmentOptions } from '../policy.js';
import { InterfaceFragments, shareOf } from './interface-fragments.js';
import { type Row, rowsOf } from '../observe/row.js';

/** What comes before a place in the table, and after all fragments are here. */
export interface FragmentStages {
  /**
   * What is certain about a datagram from one fragment of it, of which the IPv4 header is decoded and the transport
   * header, in a first fragment, is there: PASS, or the drop of the access list.
   */
  screen(fragment: Packet, now: number): Verdict;
  /** Judges a whole datagram of which the edge's fields are set: decodes it and takes it down the pipeline. */
  judge(datagram: Packet, now: number): Verdict;
}

const UDP_OR_ICMP_HEADER = 8; // bytes

const ROWS = {
  currentReassemblies: { kind: 'gauge', help: 'Datagrams of which fragments are held now' },
  fragments: { kind: 'gauge', help: 'Fragments held now' },
  reassemblies: { kind: 'counter', help: 'Datagrams put together' },
  failures: { kind: 'counter', help: 'Datagrams given up: a fault, a timeout, or no place' },
  timeouts: { kind: 'counter', help: 'Datagrams that were not complete in time' },
} as const;

export class FragmentTable {
  /** Alerts are wanted. Inferred: `ip inspect alert-off` is for those of virtual reassembly, too. */
  alerts = true;
  /** By interface index. */
  interfaces: readonly InterfaceFragments[] = [];
  readonly #outbox: Outbox;
  readonly #stages: FragmentStages;
  readonly #bytes = new Uint8Array(MAX_DATAGRAM);

  constructor(outbox: Outbox, stages: FragmentStages) {
    this.#outbox = outbox;
    this.#stages = stages;
  }

  /**
   * Takes over the interfaces of a configuration, in the order of their index. Options are those without reassembly:
   * undefined. Interfaces keep what they hold and their counters, unless reassembly is switched off there.
   */
  configure(interfaces: readonly { name: string; reassembly?: FragmentOptions | undefined }[]): void {
    const before = new Map(this.interfaces.map((i) => [i.name, i]));
    this.interfaces = interfaces.map(({ name, reassembly }) => {
      const kept = before.get(name);
      before.delete(name);
      if (kept === undefined) return new InterfaceFragments(name, reassembly);
      kept.options = reassembly;
      if (reassembly === undefined) this.#dropSets(kept);
      return kept;
    });
    for (const gone of before.values()) this.#dropSets(gone);
  }

  /** What is counted on all interfaces. */
  rows(): Row[] {
    return rowsOf('fragment', ROWS, (name) => this.interfaces.reduce((sum, i) => sum + i[name], 0));
  }

  /** True where `ip virtual-reassembly` is on: all fragments that come in by this interface are for `admit`. */
  covers(ingress: number): boolean {
    return this.interfaces[ingress]?.options !== undefined;
  }

  /**
   * Takes a fragment, of which the IPv4 header is decoded, on an interface that `covers`. The verdict is final: the
   * pipeline has nothing more to do with `p`. The fragment that completes a datagram becomes the datagram: `p` has its
   * bytes, in memory of ours until the next call, and its verdict. The others are released within the call.
   * @param now ms, monotonic
   */
  admit(p: Packet, now: number): Verdict {
    const port = this.interfaces[p.ingress]!;
    const options = port.options!;
    if (options.dropFragments) return DROP.fragment;
    const length = p.end - p.l4;
    if (length === 0 || (p.moreFragments && (length & 7) !== 0)) return DROP.malformed;
    const known = port.find(p);
    if (known?.condemned === true) return DROP.fragment;
    if (p.headerLength + p.fragmentOffset + length > MAX_DATAGRAM) return this.#refuse(port, known, p, 'oversize');
    if (isTiny(p)) return this.#refuse(port, known, p, 'tiny');
    if (known === undefined || p.fragmentOffset === 0) {
      const v = this.#stages.screen(p, now);
      if (isDrop(v)) {
        if (known !== undefined) this.#giveUp(port, known, v);
        return v;
      }
    }
    if (known !== undefined && known.count >= options.maxFragments) return this.#refuse(port, known, p, 'too-many');
    if (known === undefined) this.#makeRoom(port, p, now);
    const set = known ?? new FragmentSet(p, now);
    if (known === undefined) port.enter(set);
    const fragment = set.add(p);
    if (fragment === undefined) return this.#refuse(port, set, p, 'overlap');
    port.fragments++;
    if (!set.complete) return HOLD;
    // Its header may be longer than that of the last one.
    if (set.datagramLength(p.headerLength) > MAX_DATAGRAM) return this.#refuse(port, set, p, 'oversize', fragment);
    return this.#complete(port, set, fragment, p, now);
  }

  /** Drops the sets that are not complete within the timeout. To be called a few times a second. */
  expire(now: number): void {
    for (const port of this.interfaces) {
      if (port.sets.length > 0) this.#expirePort(port, now);
    }
  }

  #expirePort(port: InterfaceFragments, now: number): void {
    const timeoutMs = port.options!.timeout * 1000;
    for (let set = port.sets[0]; set !== undefined && now - set.since >= timeoutMs; set = port.sets[0]) {
      if (!set.condemned) port.timeouts++;
      this.#giveUp(port, set, DROP.fragment);
    }
  }

  /** Sees to a place for one more set of p's source. */
  #makeRoom(port: InterfaceFragments, p: Packet, now: number): void {
    if (port.full || port.hasShare(p.src)) this.#expirePort(port, now);
    if (port.hasShare(p.src)) {
      if (port.noteOverflow(p.src)) this.#alert(port, p, 'source-overflow');
      this.#giveUp(port, port.oldestOf(p.src), DROP.fragment);
    }
    const { full } = port;
    if (full && !port.overflowing) this.#alert(port, p, 'table-overflow');
    port.overflowing = full;
    // More than one only where the limit was lowered.
    while (port.full) this.#giveUp(port, port.oldestOfGreediest(p.src), DROP.fragment);
  }

  /** The datagram is whole: it takes the place of `p`, the last to come, whose copy is `own`, and is judged. */
  #complete(port: InterfaceFragments, set: FragmentSet, own: HeldFragment, p: Packet, now: number): Verdict {
    port.reassemblies++;
    const b = this.#bytes;
    set.assemble(b, p.headerLength);
    p.bytes = b;
    p.at = 0;
    p.end = set.datagramLength(p.headerLength);
    p.gso = false;
    p.checksumPartial = false;
    p.checksumVerified = false;
    p.modified = true;
    port.leave(set);
    this.#dropFragments(port, set, ABSORBED, own);
    return this.#stages.judge(p, now);
  }

  /**
   * Refuses `p`, alerts, and condemns the set it belongs to: the rest of it is dropped as it comes.
   * @param own the copy of `p`, if it is in the set already
   */
  #refuse(
    port: InterfaceFragments,
    set: FragmentSet | undefined,
    p: Packet,
    fault: FragmentFault,
    own?: HeldFragment,
  ): Verdict {
    this.#alert(port, p, fault);
    if (set !== undefined) {
      port.failures++;
      this.#dropFragments(port, set, DROP.fragment, own);
      set.condemned = true;
    }
    return DROP.fragment;
  }

  /** Ends a set that was not complete, and drops what it holds. */
  #giveUp(port: InterfaceFragments, set: FragmentSet, v: Verdict): void {
    if (!set.condemned) port.failures++;
    this.#dropFragments(port, set, v, undefined);
    port.leave(set);
  }

  /** Gives the fragments of `set` their late verdict; `own` is not held, but in the edge's hand. */
  #dropFragments(port: InterfaceFragments, set: FragmentSet, v: Verdict, own: HeldFragment | undefined): void {
    port.fragments -= set.count;
    for (let f = set.first; f !== undefined; f = f.next) {
      if (f !== own) this.#outbox.release(f.token, v, undefined, false);
    }
    set.first = undefined;
    set.count = 0;
  }

  #dropSets(port: InterfaceFragments): void {
    for (let set = port.sets[0]; set !== undefined; set = port.sets[0]) {
      this.#dropFragments(port, set, DROP.fragment, undefined);
      port.leave(set);
    }
  }

  #alert(port: InterfaceFragments, p: Packet, fault: FragmentFault): void {
    if (!this.alerts) return;
    const { maxReassemblies, maxFragments } = port.options!;
    const limit =
      fault === 'table-overflow'
        ? maxReassemblies
        : fault === 'source-overflow'
          ? shareOf(maxReassemblies)
          : maxFragments;
    this.#outbox.event({ type: 'fragments', fault, interface: port.name, limit, src: p.src, dst: p.dst });
  }
}

/**
 * True for a first fragment without the whole transport header, and for one that begins inside a TCP header: they hide
 * ports and flags from a filter (RFC 1858 §3.2, RFC 3128).
 */
function isTiny(p: Packet): boolean {
  switch (p.protocol) {
    case IPPROTO_TCP: {
      if (p.fragmentOffset > 0) return p.fragmentOffset < TCP_MIN_HEADER;
      const length = p.end - p.l4;
      return length < TCP_MIN_HEADER || length < (u8(p.bytes, p.l4 + TCP_DATA_OFFSET) >>> 4) * 4;
    }
    case IPPROTO_UDP:
    case IPPROTO_ICMP:
      return p.fragmentOffset === 0 && p.end - p.l4 < UDP_OR_ICMP_HEADER;
    default:
      return false;
  }
}
