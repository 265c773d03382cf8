/**
 * `ip virtual-reassembly` (12.3(8)T): holds the fragments of a datagram until all are here, has the whole datagram
 * judged and translated by the rest of the pipeline, and sends the fragments on with the bytes it has by then.
 * Nothing of a datagram goes on before all of it was inspected; a set that is not clean goes nowhere.
 */
import type { FragmentFault } from '../events.js';
import type { Outbox } from '../outbox.js';
import { DROP, HOLD, isDrop, PASS, type Verdict } from '../verdict.js';
import { u8 } from '../wire/bytes.js';
import { checksumOffset, completePartial } from '../wire/checksum.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import { Packet } from '../wire/packet.js';
import { TCP_DATA_OFFSET, TCP_MIN_HEADER } from '../wire/tcp.js';
import { FragmentSet, type HeldFragment, MAX_DATAGRAM, writeBack } from './fragment-set.js';

/** `ip virtual-reassembly [max-reassemblies N] [max-fragments N] [timeout S] [drop-fragments]`. */
export interface FragmentOptions {
  maxReassemblies: number;
  maxFragments: number;
  /** Seconds. */
  timeout: number;
  dropFragments: boolean;
}

/** Judges a whole datagram of which the edge's fields are set: decodes it and takes it down the pipeline. */
export type JudgeDatagram = (datagram: Packet, now: number) => Verdict;

/**
 * Tokens of whole datagrams start here: beyond those of the edge, which are int32. A stage that holds a datagram gives
 * its token back to `FragmentTable.release`.
 */
const DATAGRAM_TOKENS = 2 ** 32;

const UDP_OR_ICMP_HEADER = 8; // bytes

/** One interface: its options, what it holds, and the counters of `show ip virtual-reassembly`. */
export class InterfaceFragments {
  readonly name: string;
  options: FragmentOptions | undefined;
  /** In the order in which they began. */
  readonly sets: FragmentSet[] = [];
  /** Complete datagrams that a later stage holds. They count as reassemblies. */
  judging = 0;
  /** Fragments held now, of both. */
  fragments = 0;
  /** Since the start: datagrams put together; sets dropped for a fault or a timeout; those of timeouts alone. */
  reassemblies = 0;
  failures = 0;
  timeouts = 0;
  /** The overflow alert was given, and the table is still full. */
  overflowing = false;

  constructor(name: string, options: FragmentOptions | undefined) {
    this.name = name;
    this.options = options;
  }

  /** The set that fragment `p` belongs to. A scan: there are few sets. */
  find(p: Packet): FragmentSet | undefined {
    for (const set of this.sets) if (set.matches(p)) return set;
    return undefined;
  }

  get currentReassemblies(): number {
    return this.sets.length + this.judging;
  }
}

/** A datagram that a later stage holds. */
interface Judging {
  set: FragmentSet;
  port: InterfaceFragments;
}

export class FragmentTable {
  /** By interface index. */
  interfaces: readonly InterfaceFragments[] = [];
  readonly #outbox: Outbox;
  readonly #judge: JudgeDatagram;
  readonly #datagram = new Packet();
  readonly #bytes = new Uint8Array(MAX_DATAGRAM);
  readonly #judging = new Map<number, Judging>();
  #tokens = 0;

  constructor(outbox: Outbox, judge: JudgeDatagram) {
    this.#outbox = outbox;
    this.#judge = judge;
  }

  /**
   * Takes over the interfaces of a configuration, in the order of their index. Options are those without reassembly:
   * undefined. Interfaces keep what they hold and their counters, unless reassembly is switched off there.
   */
  configure(interfaces: readonly { name: string; virtualReassembly?: FragmentOptions | undefined }[]): void {
    const before = new Map(this.interfaces.map((i) => [i.name, i]));
    this.interfaces = interfaces.map(({ name, virtualReassembly }) => {
      const kept = before.get(name);
      before.delete(name);
      if (kept === undefined) return new InterfaceFragments(name, virtualReassembly);
      kept.options = virtualReassembly;
      if (virtualReassembly === undefined) this.#dropSets(kept);
      return kept;
    });
    for (const gone of before.values()) this.#dropSets(gone);
  }

  /** True where `ip virtual-reassembly` is on: all fragments that come in by this interface are for `admit`. */
  covers(ingress: number): boolean {
    return this.interfaces[ingress]?.options !== undefined;
  }

  /**
   * Takes a fragment, of which the IPv4 header is decoded, on an interface that `covers`. The verdict is final: the
   * pipeline has nothing more to do with `p`. The fragment that completes a datagram gets the datagram's verdict, and
   * its bytes in place; its siblings are released within the call.
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
    if (known === undefined && !this.#hasRoom(port, options, now)) {
      if (!port.overflowing) this.#alert(port, p, 'table-overflow');
      port.overflowing = true;
      return DROP.fragment;
    }
    if (known !== undefined && known.count >= options.maxFragments) return this.#refuse(port, known, p, 'too-many');
    const set = known ?? new FragmentSet(p, now);
    const fragment = set.add(p);
    if (fragment === undefined) return this.#refuse(port, set, p, 'overlap');
    if (known === undefined) port.sets.push(set);
    port.fragments++;
    if (!set.complete) return HOLD;
    // The first fragment's header may be longer than that of the last one.
    if (set.datagramLength > MAX_DATAGRAM) return this.#refuse(port, set, p, 'oversize', fragment);
    return this.#complete(port, set, fragment, p, now);
  }

  /** True when `token` is that of a datagram which was put together here. */
  owns(token: number): boolean {
    return token >= DATAGRAM_TOKENS;
  }

  /**
   * The late verdict of a datagram that a later stage held: its fragments are released with it.
   * @param d the datagram, translated; its token says which
   */
  release(d: Packet, v: Verdict): void {
    const j = this.#judging.get(d.token);
    if (j === undefined) return;
    this.#judging.delete(d.token);
    j.port.judging--;
    this.#settle(j.port, j.set, d, v, undefined, undefined);
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
      if (!set.condemned) {
        port.failures++;
        port.timeouts++;
        this.#dropFragments(port, set, DROP.fragment, undefined);
      }
      this.#end(port, set);
    }
  }

  #hasRoom(port: InterfaceFragments, options: FragmentOptions, now: number): boolean {
    if (port.currentReassemblies >= options.maxReassemblies) this.#expirePort(port, now);
    return port.currentReassemblies < options.maxReassemblies;
  }

  /** The datagram is whole: judges it, and brings the verdict to its fragments. `p`: the last to come, `own` its copy. */
  #complete(port: InterfaceFragments, set: FragmentSet, own: HeldFragment, p: Packet, now: number): Verdict {
    this.#end(port, set);
    port.reassemblies++;
    const d = this.#datagram;
    set.assemble(this.#bytes);
    d.bytes = this.#bytes;
    d.at = 0;
    d.end = set.datagramLength;
    d.ingress = p.ingress;
    d.token = DATAGRAM_TOKENS + ++this.#tokens;
    d.gso = false;
    d.checksumPartial = false;
    d.checksumVerified = false;
    d.truncated = false;
    d.modified = false;
    const token = d.token;
    // Entered first, as the stage that holds it may release it soon.
    port.judging++;
    this.#judging.set(token, { set, port });
    const v = this.#judge(d, now);
    if (v === HOLD) return HOLD;
    this.#judging.delete(token);
    port.judging--;
    return this.#settle(port, set, d, v, own, p);
  }

  /**
   * Gives all fragments of `set` the verdict of their datagram `d`, with its bytes if they changed.
   * @param own the fragment that is in the edge's hand, as `p`: it gets its bytes in place, its verdict is returned
   */
  #settle(
    port: InterfaceFragments,
    set: FragmentSet,
    d: Packet,
    v: Verdict,
    own: HeldFragment | undefined,
    p: Packet | undefined,
  ): Verdict {
    // Only an application gateway changes lengths; nobody sends its short commands in fragments in good faith.
    const verdict = v === PASS && d.end - d.at !== set.datagramLength ? DROP.fragment : v;
    if (isDrop(verdict)) {
      this.#dropFragments(port, set, verdict, own);
      return verdict;
    }
    if (d.checksumPartial) completePartial(d.bytes, d.l4, d.end, checksumOffset(d.protocol));
    port.fragments -= set.count;
    for (let f = set.first; f !== undefined; f = f.next) {
      if (f !== own) {
        if (d.modified) writeBack(f, d, f.bytes, 0);
        this.#outbox.release(f.token, PASS, d.modified ? f.bytes : undefined, false);
      } else if (d.modified) {
        writeBack(f, d, p!.bytes, p!.at);
        p!.modified = true;
      }
    }
    return PASS;
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

  /** Drops what is held of `set`; `own` is not held, but in the edge's hand. */
  #dropFragments(port: InterfaceFragments, set: FragmentSet, v: Verdict, own: HeldFragment | undefined): void {
    port.fragments -= set.count;
    for (let f = set.first; f !== undefined; f = f.next) {
      if (f !== own) this.#outbox.release(f.token, v, undefined, false);
    }
    set.first = undefined;
    set.count = 0;
  }

  #dropSets(port: InterfaceFragments): void {
    for (const set of port.sets) this.#dropFragments(port, set, DROP.fragment, undefined);
    port.sets.length = 0;
  }

  #end(port: InterfaceFragments, set: FragmentSet): void {
    port.sets.splice(port.sets.indexOf(set), 1);
    port.overflowing = false;
  }

  #alert(port: InterfaceFragments, p: Packet, fault: FragmentFault): void {
    const { maxReassemblies, maxFragments } = port.options!;
    const limit = fault === 'table-overflow' ? maxReassemblies : maxFragments;
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
