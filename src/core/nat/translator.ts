/**
 * `ip nat inside source`: finds for one packet what the two NAT steps of the pipeline will write, and makes the
 * translation where there is none. Inside local ↔ inside global; words as in RFC 3022 and IOS.
 *
 *   find…    looks up, changes nothing
 *   create   after the inbound access list: a new flow, port or address, or why there is none
 *   settle   after the verdict: the translations are in use; what was made for a packet that is dropped is taken back
 *
 * A flow that is known costs one lookup. An inside host with one static entry needs no flows at all. A packet from
 * inside to an inside global address is turned back (hairpin): both its ends are translated, so that the answer comes
 * through the router too.
 */
import type { Event } from '../events.js';
import type { NatTimeouts } from '../policy.js';
import { DROP, isDrop, PASS, type Verdict } from '../verdict.js';
import { isIcmpError, REDIRECT, SOURCE_QUENCH } from '../wire/icmp.js';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { PacketEnds, readEnds } from '../wire/packet-ends.js';
import type { AddressRules } from './address-rules.js';
import { allocateAddress, allocatePort, mappingFor } from './allocation.js';
import { type End, END, Ends, recordedPort } from './ends.js';
import { ExhaustionLog, type Shortage } from './exhaustion.js';
import { Quote, quotesHeader } from './quote.js';
import { type Row, rowsOf } from '../observe/row.js';
import { KIND_OF, NO_MAPPING, NO_BINDING } from './translation.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { StateIo } from '../memory/state-io.js';
import { Translations } from './translations.js';

/** Whether a packet for this destination leaves by an outside interface. */
export type LeavesOutside = (destination: number) => boolean;

/** Rows of `show ip nat statistics`. */
const ROWS = {
  hits: { kind: 'counter', help: 'Packets that found their translation' },
  misses: { kind: 'counter', help: 'Packets whose translation was missing or had to be made' },
  expired: { kind: 'counter', help: 'Translations whose time was up' },
  poolMisses: { kind: 'counter', help: 'Translations refused because a pool was empty' },
  translations: { kind: 'gauge', help: 'Dynamic translations there are' },
} as const;

/** What gave an end of the packet in hand its translation. */
export interface Origin {
  /** Index of an `ip nat inside source list`; NO_MAPPING: a static entry or a hairpin. */
  readonly mapping: number;
  /** A translation that had been made before. */
  readonly found: boolean;
}

export class Translator {
  readonly translations: Translations;
  /** Packets that found their translation, and those for which one was missing or had to be made. */
  hits = 0;
  misses = 0;
  /** Translations refused because a pool was empty. */
  poolMisses = 0;

  /** What is counted here. */
  rows(): Row[] {
    const { translations } = this;
    return rowsOf('nat', ROWS, (name) =>
      name === 'expired' ? translations.expired : name === 'translations' ? translations.dynamic : this[name],
    );
  }

  /** Saves or loads the counters. */
  sync(io: StateIo): void {
    this.hits = io.double(this.hits);
    this.misses = io.double(this.misses);
    this.poolMisses = io.double(this.poolMisses);
    this.translations.expired = io.double(this.translations.expired);
  }

  /** `clear ip nat statistics`. */
  clearStatistics(): void {
    this.hits = 0;
    this.misses = 0;
    this.poolMisses = 0;
    this.translations.expired = 0;
  }

  /** The packet's ends as it came. */
  readonly came = new PacketEnds();
  // The packet's ends as they will be, from `find…` and `create`; ports as in `PacketEnds`.
  /** Destination, inside local. */
  dst = 0;
  dstPort = 0;
  /** Source, inside global. */
  src = 0;
  srcPort = 0;
  /** The packet that an ICMP error quotes; its source inside local, its destination inside global. */
  readonly quote = new Quote();
  quotedSrc = 0;
  quotedSrcPort = 0;
  quotedDst = 0;
  quotedDstPort = 0;
  /** There is no translation where there has to be one, or the packet would show an inside local address outside. */
  missing = false;
  /** From inside to an inside global address. */
  hairpin = false;

  /** Ends a conversation that has a translation for itself, if one may end. Set by who knows them. */
  makeRoom: (now: number) => void = () => undefined;

  readonly #source: Ends;
  readonly #destination: Ends;
  /** For questions beside the packet in hand. */
  readonly #other: Ends;
  // What is left to `create`.
  #sourceWanted = false;
  #destinationWanted = false;
  // What `settle` sees to.
  #sourceUsed = false;
  #destinationUsed = false;
  #sourceCreated = false;
  #destinationCreated = false;
  /** Inside hosts whose static entries give them more than one address or port outside: their flows are kept. */
  readonly #several = new Set<number>();
  readonly #exhaustion: ExhaustionLog;

  /**
   * @param capacity most dynamic translations at a time
   * @param seed     of the table's hash
   */
  constructor(
    capacity: number,
    seed: number,
    timeouts: NatTimeouts,
    now: number,
    emit: (e: Event) => void,
    private readonly leavesOutside: LeavesOutside,
    source: MemorySource = heapMemory,
  ) {
    this.translations = new Translations(capacity, seed, timeouts, now, source);
    this.#source = new Ends(this.translations);
    this.#destination = new Ends(this.translations);
    this.#other = new Ends(this.translations);
    this.#exhaustion = new ExhaustionLog(emit);
  }

  /** Takes over a configuration; translations that are still valid stay. */
  configure(rules: AddressRules, now: number): void {
    this.translations.configure(rules, now);
    for (const ends of [this.#source, this.#destination, this.#other]) ends.configure(this.translations.rules);
    this.#several.clear();
    const known = new Set<number>();
    for (const b of rules.bindings) {
      const inNetwork = rules.networks.some((n) => (b.local & n.mask) === n.local);
      if (b.protocol !== 0 || inNetwork || known.has(b.local)) this.#several.add(b.local);
      known.add(b.local);
    }
  }

  /** A packet of an interface without NAT: its ends stay as they are. */
  findNothing(p: Packet): void {
    this.#begin(p);
    if (!quotesHeader(p)) return;
    this.quote.read(p);
    this.#keepQuote();
  }

  /** A packet that came in by an outside interface. */
  findFromOutside(p: Packet): void {
    this.#begin(p);
    const toGlobal = this.#destination.isGlobal(p.dst);
    if (quotesHeader(p)) {
      this.quote.read(p);
      this.#keepQuote();
      if (toGlobal) this.#findQuotedSource(p, this.quote.dst, this.quote.dstPort);
      return;
    }
    if (!toGlobal) return;
    if (!this.#findDestination(p, p.src, this.came.srcPort)) this.#missDestination(p);
  }

  /** A packet that came in by an inside interface. */
  findFromInside(p: Packet): void {
    this.#begin(p);
    this.hairpin = this.#destination.isGlobal(p.dst);
    if (quotesHeader(p)) {
      this.#findErrorFromInside(p);
      return;
    }
    const { came } = this;
    const s = this.#source;
    const end = s.findGlobal(came.protocol, came.src, came.srcPort, came.dst, came.dstPort);
    const isFlow = end === END.known && s.recorded && s.record.has(KIND_OF.flow);
    if (this.hairpin) {
      // The other end knows this one by its inside global end, where it has one already.
      const found = this.#findDestination(p, s.address, s.port);
      if (!found) {
        this.hairpin = false;
        this.#missDestination(p);
        return;
      }
    } else if (!isFlow && !this.leavesOutside(p.dst)) return;
    // What quotes inside addresses in a way that we do not translate stays inside.
    if (p.protocol === IPPROTO_ICMP && isUntranslatable(p)) this.missing = true;
    this.#takeSource(p, end);
  }

  /**
   * An ICMP error of the router's own kernel, which quotes the packet as both NAT steps have left it. It goes to whom
   * the quoted packet came from.
   */
  findFromRouter(p: Packet): void {
    this.#begin(p);
    if (!quotesHeader(p)) return;
    const q = this.quote;
    q.read(p);
    this.#keepQuote();
    const toGlobal = this.#destination.isGlobal(p.dst);
    if (toGlobal || this.leavesOutside(p.dst)) this.#findQuotedDestination();
    // The quoted packet came from inside: its sender is told, by the address it has there.
    if (toGlobal) this.#findQuotedSource(p, this.quotedDst, this.quotedDstPort);
  }

  /**
   * Makes what the packet that was found still needs. After the inbound access list, before the packet is rewritten.
   * @param ingressAddress of the interface it came in by: the source of a hairpin that has no other
   * @returns PASS, or DROP.noTranslation
   */
  create(p: Packet, ingressAddress: number | undefined, now: number): Verdict {
    if (this.missing) {
      this.misses++;
      return DROP.noTranslation;
    }
    if (this.#sourceWanted) {
      this.misses++;
      const v = this.#createSource(p, ingressAddress, now);
      if (v !== PASS) return v;
    }
    return this.#destinationWanted ? this.#createDestination(p, now) : PASS;
  }

  /** Ends the work on a packet. `v`: its verdict. */
  settle(p: Packet, v: Verdict, now: number): void {
    const { translations } = this;
    if (isDrop(v)) {
      if (this.#destinationCreated) translations.end(this.#destination.record);
      if (this.#sourceCreated) translations.end(this.#source.record);
      return;
    }
    const isTcp = p.protocol === IPPROTO_TCP;
    if (this.#sourceUsed) translations.touch(this.#source.record, isTcp, p.flags, now);
    if (this.#destinationUsed) translations.touch(this.#destination.record, isTcp, p.flags, now);
  }

  /**
   * What an inside local end is for the other one, as things stand: sets `global` and `globalPort`, to the end itself
   * where it is not translated. May be asked at any time.
   * @param outside the other end as the inside one knows it: for a hairpin an inside global address
   */
  findGlobalOf(protocol: number, local: number, port: number, outside: number, outsidePort: number): boolean {
    this.global = local;
    this.globalPort = port;
    const hairpin = this.#other.isGlobal(outside);
    if (!hairpin && !this.leavesOutside(outside)) return false;
    const end = this.#other.findGlobal(protocol, local, port, outside, outsidePort);
    if (!hairpin && isForHairpins(this.#other)) return false;
    this.global = this.#other.address;
    this.globalPort = this.#other.port;
    return end !== END.none;
  }
  global = 0;
  globalPort = 0;

  /** The packet in hand goes by a translation that no other conversation uses. */
  get usesFlow(): boolean {
    const { flow } = KIND_OF;
    return (
      (this.#sourceUsed && this.#source.record.has(flow)) ||
      (this.#destinationUsed && this.#destination.record.has(flow))
    );
  }

  /**
   * Ends the translations that a conversation has for itself, whichever of its ends is inside.
   * @param initiator, responder addresses and numbers as inside; `seen`: the responder as the initiator knows it
   */
  forget(
    protocol: number,
    initiator: number,
    initiatorPort: number,
    responder: number,
    responderPort: number,
    seen: number,
    seenPort: number,
  ): void {
    this.findGlobalOf(protocol, initiator, initiatorPort, seen, seenPort);
    const { global, globalPort } = this;
    this.#forgetFlow(protocol, initiator, initiatorPort, seen, seenPort);
    this.#forgetFlow(protocol, responder, responderPort, global, globalPort);
  }

  #forgetFlow(protocol: number, local: number, port: number, outside: number, outsidePort: number): void {
    const other = this.#other;
    other.findGlobal(protocol, local, port, outside, outsidePort);
    if (this.#isFlow(other)) this.translations.end(other.record);
  }

  /** The inside global address of an inside host that has one for itself; any other address as it is. */
  toGlobal(address: number): number {
    this.#other.findBinding(0, address, 0);
    return this.#other.address;
  }

  /**
   * For an application's second connection, announced in the first (FTP): gives `local`:`port` an inside global end
   * that takes one flow from any outside end for a minute. Sets `global` and `globalPort`.
   * @param controlPort port of the same host in the first connection: the second gets the same inside global address
   * @returns false: there is no port left
   */
  reserve(protocol: number, local: number, port: number, controlPort: number, now: number): boolean {
    const { translations } = this;
    const other = this.#other;
    const { record } = other;
    let end = other.findBinding(protocol, local, port);
    if (end === END.none && other.findBinding(protocol, local, controlPort) !== END.none) {
      const { mapping, insideGlobal } = record;
      if (translations.full) return false;
      if (!allocatePort(translations, record, mapping, insideGlobal, 1, protocol, local, port, now)) return false;
      end = END.bound;
    }
    if (end === END.bound) {
      translations.reserve(record, now);
      this.global = record.insideGlobal;
      this.globalPort = record.insideGlobalPort;
    } else {
      this.global = other.address;
      this.globalPort = port;
    }
    return true;
  }

  /** Of the source of the packet in hand; undefined: it has no translation. Behind `create`. */
  get sourceOrigin(): Origin | undefined {
    // An ICMP query has the identifier of its other end, where that one is translated.
    const { protocol, src, srcPort } = this.came;
    const differs = this.src !== src || (protocol !== IPPROTO_ICMP && this.srcPort !== srcPort);
    return differs || this.#sourceUsed ? originOf(this.#source, this.#sourceCreated) : undefined;
  }

  /** Of its destination. */
  get destinationOrigin(): Origin | undefined {
    const found = this.dst !== this.came.dst || this.dstPort !== this.came.dstPort || this.#destinationUsed;
    return found ? originOf(this.#destination, this.#destinationCreated) : undefined;
  }

  #begin(p: Packet): void {
    const { came } = this;
    readEnds(p, came);
    this.dst = came.dst;
    this.dstPort = came.dstPort;
    this.src = came.src;
    this.srcPort = came.srcPort;
    this.missing = false;
    this.hairpin = false;
    this.#sourceWanted = false;
    this.#destinationWanted = false;
    this.#sourceUsed = false;
    this.#destinationUsed = false;
    this.#sourceCreated = false;
    this.#destinationCreated = false;
  }

  #keepQuote(): void {
    const q = this.quote;
    this.quotedSrc = q.src;
    this.quotedSrcPort = q.srcPort;
    this.quotedDst = q.dst;
    this.quotedDstPort = q.dstPort;
  }

  /** The inside local end of the destination. False: it has none. */
  #findDestination(p: Packet, outside: number, outsidePort: number): boolean {
    const d = this.#destination;
    const end = d.findLocal(p.protocol, p.dst, this.came.dstPort, outside, outsidePort);
    if (end === END.none) return false;
    this.hits++;
    this.dst = d.address;
    this.dstPort = d.port;
    if (p.protocol === IPPROTO_ICMP) this.srcPort = d.port;
    this.#destinationUsed = d.recorded;
    this.#destinationWanted = end === END.bound || (!this.#isFlow(d) && !this.#answersFrom(p));
    return true;
  }

  #isFlow(e: Ends): boolean {
    return e.recorded && e.record.has(KIND_OF.flow);
  }

  /** Without a flow, the answer to `p` would leave from the very end that `p` is for. */
  #answersFrom(p: Packet): boolean {
    if (!this.#several.has(this.dst)) return true;
    this.#other.findBinding(p.protocol, this.dst, this.dstPort);
    return this.#other.address === p.dst && this.#other.port === this.came.dstPort;
  }

  /** Nothing is translated for this destination: it is the router's own address, or nobody's. */
  #missDestination(p: Packet): void {
    // A 3640 would answer for its alias itself. The services of a Linux box are not to be reached that way.
    this.missing = !this.translations.rules.own.has(p.dst);
  }

  #takeSource(p: Packet, end: End): void {
    const s = this.#source;
    if (end !== END.known) {
      this.#sourceWanted = true;
      return;
    }
    this.hits++;
    this.#sourceUsed = s.recorded;
    this.#setSource(p, s.address, s.port);
  }

  /** An ICMP query has one identifier for both ends: where the destination changed it, that holds. */
  #setSource(p: Packet, address: number, port: number): void {
    this.src = address;
    this.srcPort = p.protocol === IPPROTO_ICMP && port === this.came.srcPort ? this.dstPort : port;
  }

  #createSource(p: Packet, ingressAddress: number | undefined, now: number): Verdict {
    const { translations } = this;
    const { srcPort: port, dstPort } = this.came;
    // No interface that translates lets fragments come this far in pieces (`ip virtual-reassembly`).
    if (p.fragmentOffset > 0) return DROP.noTranslation;
    const s = this.#source;
    let end: End = s.findBinding(p.protocol, p.src, port);
    if (!this.hairpin && isForHairpins(s)) {
      // Its list, if one names it now, cannot give the port a second end while the first one lives.
      return mappingFor(p, translations.rules) === NO_MAPPING ? PASS : DROP.noTranslation;
    }
    if (end === END.none) {
      const { rules } = translations;
      const mapping = mappingFor(p, rules);
      // No list names this host: it goes out by its own address, as on IOS.
      if (mapping === NO_MAPPING && !this.hairpin) return PASS;
      const name = rules.mappings[mapping]?.name ?? 'hairpin';
      if (translations.full)
        return this.#hasMadeRoom(now)
          ? this.#createSource(p, ingressAddress, now)
          : this.#refuse('entries', name, p.src, now);
      const rule = rules.mappings[mapping];
      if (rule?.overload === false) {
        if (!allocateAddress(translations, s.record, mapping, p.src, now))
          return this.#refuse('addresses', name, p.src, now);
        this.#sourceCreated = true;
        this.#sourceUsed = true;
        this.#setSource(p, s.record.insideGlobal, port);
        return PASS;
      }
      const first = rule === undefined ? ingressAddress : rule.pool.first;
      const count = rule?.pool.size ?? 1;
      if (
        first === undefined ||
        !allocatePort(translations, s.record, mapping, first, count, p.protocol, p.src, port, now)
      )
        return this.#refuse('addresses', name, p.src, now);
      end = END.bound;
    }
    const b = s.record;
    const global = b.insideGlobal;
    const globalPort = b.insideGlobalPort;
    if (translations.full) {
      if (b.flows === 0) translations.end(b);
      return this.#hasMadeRoom(now)
        ? this.#createSource(p, ingressAddress, now)
        : this.#refuse('entries', '', p.src, now);
    }
    const outsidePort = recordedPort(p.protocol, dstPort);
    const binding = b.slot;
    translations.openFlow(
      b, binding, false, p.protocol, p.src, port, global, globalPort, p.dst, outsidePort, p.flags, now,
    ); // prettier-ignore
    this.#sourceCreated = true;
    this.#sourceUsed = true;
    this.#setSource(p, global, globalPort);
    return PASS;
  }

  /** A flow for what came to a reserved port, or to an end that the answer would not leave from by itself. */
  #createDestination(p: Packet, now: number): Verdict {
    const { translations } = this;
    const d = this.#destination;
    const reserved = d.recorded && d.record.has(KIND_OF.reserved);
    // The binding stays, whoever goes: it is static, or reserved.
    if (translations.full && !this.#hasMadeRoom(now)) return this.#refuse('entries', '', this.dst, now);
    const { came } = this;
    const outside = this.hairpin ? this.src : came.src;
    const outsidePort = recordedPort(p.protocol, this.hairpin ? this.srcPort : came.srcPort);
    const staticPort = d.recorded && d.record.protocol !== 0 && d.record.has(KIND_OF.static);
    const binding = reserved ? d.record.slot : NO_BINDING;
    translations.openFlow(
      d.record, binding, staticPort, p.protocol, this.dst, this.dstPort, came.dst, came.dstPort, outside, outsidePort,
      p.flags, now,
    ); // prettier-ignore
    this.#destinationCreated = true;
    this.#destinationUsed = true;
    return PASS;
  }

  /** The table has room for another translation now. What `max-entries` forbids it does not make. */
  #hasMadeRoom(now: number): boolean {
    const { translations } = this;
    if (!translations.tableFull) return false;
    this.makeRoom(now);
    return !translations.full;
  }

  #refuse(shortage: Shortage, pool: string, insideLocal: number, now: number): Verdict {
    if (shortage === 'addresses') this.poolMisses++;
    this.#exhaustion.note(shortage, pool, insideLocal, now);
    return DROP.noTranslation;
  }

  /** An ICMP error of an inside host or router about a packet that came from outside, or from a hairpin. */
  #findErrorFromInside(p: Packet): void {
    const q = this.quote;
    q.read(p);
    this.#keepQuote();
    if (!this.hairpin && !this.leavesOutside(p.dst)) return;
    const translated = this.#findQuotedDestination();
    if (this.hairpin && !this.#findQuotedSource(p, this.quotedDst, this.quotedDstPort)) {
      this.hairpin = false;
      this.#keepQuote(); // about a packet of the router's own, which was not translated
      return;
    }
    // A router between may report it too: by its own static entry, else it hides behind the host.
    const s = this.#source;
    if (p.src !== q.dst && s.findBinding(0, p.src, 0) === END.known) this.src = s.address;
    else if (translated) this.src = this.quotedDst;
    else if (mappingFor(p, this.translations.rules) !== NO_MAPPING) this.missing = true;
  }

  /** The quoted destination, inside local, as it is outside. False: it has no translation. */
  #findQuotedDestination(): boolean {
    const q = this.quote;
    const s = this.#source;
    if (s.findGlobal(q.protocol, q.dst, q.dstPort, q.src, q.srcPort) === END.none) return false;
    this.quotedDst = s.address;
    this.quotedDstPort = s.port;
    if (q.protocol === IPPROTO_ICMP) this.quotedSrcPort = s.port;
    return true;
  }

  /** The quoted source, inside global, as it is inside: whom the error is for. False: it has no translation. */
  #findQuotedSource(p: Packet, outside: number, outsidePort: number): boolean {
    const q = this.quote;
    const d = this.#destination;
    if (q.src !== p.dst || d.findLocal(q.protocol, q.src, q.srcPort, outside, outsidePort) !== END.known) {
      this.#missDestination(p);
      return false;
    }
    this.hits++;
    this.quotedSrc = d.address;
    this.quotedSrcPort = d.port;
    if (q.protocol === IPPROTO_ICMP) this.quotedDstPort = d.port;
    this.dst = d.address;
    return true;
  }
}

/** The end is a port of the inside interface, which a host without a list of its own has for hairpins: it stays inside. */
const isForHairpins = (e: Ends): boolean =>
  e.recorded &&
  e.record.protocol !== 0 &&
  e.record.mapping === NO_MAPPING &&
  !e.record.has(KIND_OF.static | KIND_OF.flow);

function originOf({ recorded, record }: Ends, made: boolean): Origin {
  if (!recorded && !made) return { mapping: NO_MAPPING, found: false };
  return { mapping: record.mapping, found: !made && !record.has(KIND_OF.static) };
}

/** Redirect and source quench quote inside addresses, and so does an error that is cut off before its quote ends. */
function isUntranslatable(p: Packet): boolean {
  const type = p.icmpType;
  return type === REDIRECT || type === SOURCE_QUENCH || isIcmpError(type);
}
