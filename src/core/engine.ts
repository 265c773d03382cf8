/**
 * The router's pipeline, read from top to bottom: one IPv4 packet in, a verdict and perhaps changed bytes out.
 *
 *   decode → fragments → inbound ACL → NAT outside-to-inside → session → inspection → NAT inside-to-outside → verdict
 *
 * Order of operation: Cisco's NAT order table (input ACL before NAT, NAT before routing); a packet of a known session
 * skips the access lists (Firewall ACL Bypass, 12.3(4)T). Pure: it is told the time, and says what happened through
 * the outbox. Everything between the two NAT steps knows an inside host by its inside local address.
 */
import { CompiledAccessList } from './acl/access-list.js';
import { PacketFilter } from './acl/packet-filter.js';
import { ADMINISTRATIVELY_PROHIBITED, HOST_UNREACHABLE } from './acl/unreachable.js';
import { type DebugFlags, noDebug } from './observe/debug.js';
import { headerOf, type PacketPath } from './observe/debug-event.js';
import type { Observer } from './observe/observer.js';
import { type Row, rowsOf } from './observe/row.js';
import { DropLog } from './observe/drop-log.js';
import { RuleChoice } from './rule-choice.js';
import { RuleSet } from './inspect/rules.js';
import type { Event } from './events.js';
import { addressRules } from './nat/address-rules.js';
import { quotesHeader } from './nat/quote.js';
import { rewriteDestination, rewriteSource } from './nat/rewrite.js';
import { Translator } from './nat/translator.js';
import { heapMemory, type MemorySource } from './memory/flat-memory.js';
import { mix } from './memory/hash.js';
import { SavedBytes } from './memory/saved-bytes.js';
import { MOST_STATE, type StateIo, StateReader, StateWriter } from './memory/state-io.js';
import { type Names, SavedNames } from './state/saved-names.js';
import { FragmentTable } from './fragment/fragment-table.js';
import { Identifications, mayBeCut } from './fragment/identifications.js';
import type { Outbox } from './outbox.js';
import type { InspectGlobals, Policy } from './policy.js';
import { ETHERNET_MTU, type Port, Ports } from './ports.js';
import { ELSEWHERE, RoutingTable, TO_ROUTER, UNREACHABLE } from './route/routing-table.js';
import { Flow, readFlow } from './session/flow.js';
import { COUNT, type Siblings } from './shard/siblings.js';
import type { Session } from './session/session.js';
import { type Adopted, Sessions } from './tracker/sessions.js';
import type { ReassemblySnapshot } from './state/snapshot.js';
import { MemoryAlert } from './tracker/memory-alert.js';
import { type ReassemblyLimits, ReassemblyMemory } from './stream/reassembly-memory.js';
import { DROP, dropRows, isDrop, PASS, type Verdict, VERDICTS } from './verdict.js';
import { UndeliveredReplies } from './undelivered.js';
import { u16 } from './wire/bytes.js';
import { decodeIpv4, decodeTransport, isFragment } from './wire/decode.js';
import { dontFragment, IPPROTO_TCP } from './wire/ipv4.js';
import { clampMss } from './wire/mss-clamp.js';
import type { Packet } from './wire/packet.js';
import { ACK, FIN, RST, SYN, TCP_DATA_OFFSET } from './wire/tcp.js';

export interface EngineOptions {
  /** Most sessions at a time. */
  capacity: number;
  /** Seed of the session hash. */
  seed: number;
  /** Key of the SYN cookies, four words. Without it they come from the seed, for who replays and tests. */
  cookieKey?: Int32Array;
  /** The clock at the start, ms. */
  now: number;
  /** Seed of the identifications we give, which strangers see. Without it `seed`, for runs that shall be alike. */
  identificationSeed?: number;
  /** The other shards of the router; without it there are none. */
  siblings?: Siblings;
  /** Where the tables lie; without it in memory that ends with the process. */
  memory?: MemorySource;
  /** That memory is a copy: the one who writes the original goes on, and nothing was broken off. */
  dry?: boolean;
}

const WRITER = new StateWriter();

const TAKEN_OVER = {
  adopted: { kind: 'counter', help: 'Sessions of an earlier data plane that went on' },
  reset: { kind: 'counter', help: 'Sessions of an earlier data plane that were reset' },
  lost: { kind: 'counter', help: 'Sessions and translations of an earlier data plane that could not be read' },
} as const;

/** Drops that are no inspection's, or no loss: `ip inspect log drop-pkt` does not tell of them. */
const UNTOLD: readonly Verdict[] = [DROP.acl, DROP.intercepted, DROP.ttlExpired, DROP.tooLong];

/** `ip inspect tcp reassembly`. */
const limitsOf = (g: InspectGlobals): ReassemblyLimits => ({
  queueLength: g.reassemblyQueueLength,
  timeoutMs: g.reassemblyTimeout * 1000,
  memoryBytes: g.reassemblyMemoryKb * 1024,
});

export class Engine {
  readonly debug: DebugFlags = noDebug();
  #observer: Observer | undefined;
  readonly sessions: Sessions;
  readonly rules = new RuleSet();
  readonly accessLists = new Map<string, CompiledAccessList>();
  readonly nat: Translator;
  /** What is in force. */
  policy: Policy;
  /** Packets dropped by reason (index: verdict). */
  readonly drops = new Float64Array(VERDICTS);

  /** Revision of the NAT policy that the translator has. */
  #translated = 0;
  readonly #ports = new Ports();
  #routes: RoutingTable;
  readonly #flow = new Flow();
  readonly #choice: RuleChoice;
  readonly #fragments: FragmentTable;
  readonly #identifications: Identifications;
  readonly #filter: PacketFilter;
  readonly #undelivered = new UndeliveredReplies();
  readonly #dropLog = new DropLog();
  readonly #memoryAlert: MemoryAlert;
  /** `ip tcp intercept list`. Inferred: a list that is not defined means all connections, as it permits all elsewhere. */
  #interceptOn = false;
  #interceptList: CompiledAccessList | undefined;
  /** What has become of what other processes had left, in all. */
  readonly takenOver: Adopted = { adopted: 0, reset: 0, lost: 0 };
  readonly #saved: { readonly names: SavedNames; readonly counts: SavedBytes } | undefined;
  readonly #siblings: Siblings | undefined;
  /** Clock of the packet or tick in hand, ms. */
  #now = 0;
  readonly #say = (e: Event): void => this.outbox.event(e);

  constructor(
    policy: Policy,
    options: EngineOptions,
    private readonly outbox: Outbox,
  ) {
    this.policy = policy;
    const { capacity, seed, now, memory: source = heapMemory } = options;
    this.#saved = options.memory && {
      names: new SavedNames(source),
      counts: new SavedBytes('counts', MOST_STATE, source),
    };
    this.nat = new Translator(
      capacity,
      seed,
      policy.nat.timeouts,
      now,
      (e) => this.outbox.event(e),
      (destination) => this.#egressIsOutside(destination),
      source,
    );
    this.#choice = new RuleChoice(this.rules, this.nat);
    this.#routes = new RoutingTable(policy.routing);
    this.#filter = new PacketFilter(this.#ports, outbox);
    this.#fragments = new FragmentTable(outbox, {
      screen: (p, now) => this.#screenFragment(p, now),
      judge: (p, now) => this.#judgeReassembled(p, now),
    });
    const { siblings } = options;
    this.#siblings = siblings;
    this.#identifications = new Identifications(
      options.identificationSeed ?? seed,
      siblings?.shard ?? 0,
      siblings?.shards ?? 1,
    );
    this.#memoryAlert = new MemoryAlert(outbox);
    const alert = (address: number): void => this.#memoryAlert.note(address, this.#now);
    const memory = new ReassemblyMemory(limitsOf(policy.inspect), seed, alert, source);
    this.sessions = new Sessions(
      capacity,
      seed,
      now,
      this.rules,
      policy.inspect,
      policy.intercept,
      this.nat,
      memory,
      outbox,
      (p, v) => this.#releaseHeld(p, v),
      this.debug,
      options.cookieKey ?? Int32Array.of(seed, ~seed, mix(seed, 1), mix(seed, 2)),
      source,
    );
    this.sessions.trace.pathOf = (p) => this.#pathOf(p, true);
    this.sessions.leadsTo = (address, ingress) => this.#routes.leadsTo(address, ingress);
    this.sessions.permits = (list, address) => this.accessLists.get(list)?.permitsSource(address);
    if (siblings !== undefined) this.#join(siblings);
    const names = this.#saved?.names.read();
    if (names !== undefined) this.#adopt(names, policy, now, options.dry === true);
    else {
      if (this.#saved !== undefined) {
        this.sessions.discard();
        this.nat.translations.table.adopt(() => false);
      }
      this.configure(policy, now);
    }
    this.sessions.renamed = () => this.#saveNames();
    if (siblings !== undefined) this.#publish(siblings);
  }

  /** There are other shards. */
  #join(siblings: Siblings): void {
    this.sessions.join(siblings);
    this.nat.translations.elsewhere = () => siblings.elsewhere(COUNT.translations);
    this.#filter.unreachable.maySay = (intervalMs, now) => siblings.maySay(intervalMs, now);
  }

  #publish(siblings: Siblings): void {
    siblings.publish(COUNT.translations, this.nat.translations.dynamic);
    this.sessions.publish(siblings);
  }

  /** Does what other shards have asked for. To be called behind each batch of packets, and where none come by `tick`. */
  hear(now: number): void {
    const siblings = this.#siblings;
    if (siblings?.hasNews !== true) return;
    this.#now = now;
    siblings.hear((notice) => this.sessions.take(notice, now));
    this.sessions.letGo();
    this.#publish(siblings);
  }

  /** Takes over what another process has left in this memory, as far as the policy has a place for it. */
  #adopt(names: Names, policy: Policy, now: number, dry: boolean): void {
    this.#ports.restore(names.interfaces);
    this.rules.restore(names.rules);
    const lost = this.nat.translations.adopt(names.mappings, now);
    this.#loadCounts();
    this.configure(policy, now);
    if (dry) this.sessions.letGo();
    const adopted = this.sessions.adopt(names.pools, now);
    this.#saveNames();
    adopted.lost += lost;
    for (const kind of Object.keys(adopted) as (keyof Adopted)[]) this.takenOver[kind] += adopted[kind];
    this.#saveCounts();
    this.outbox.event({ type: 'taken-over', foreign: false, ...adopted });
  }

  #saveNames(): void {
    this.#saved?.names.write({
      interfaces: this.#ports.names,
      rules: this.rules.entries.slice(1).map(({ ruleName, service }) => ({ rule: ruleName, service })),
      mappings: this.nat.translations.rules.mappings.map(({ key }) => key),
      pools: this.sessions.pools,
    });
  }

  #loadCounts(): void {
    const bytes = this.#saved?.counts.read();
    if (bytes === undefined) return;
    const reader = new StateReader();
    reader.begin(bytes, 0, bytes.length);
    this.#sync(reader);
  }

  /** Saves or loads what is counted. */
  #sync(io: StateIo): void {
    for (const kind of Object.keys(this.takenOver) as (keyof Adopted)[])
      this.takenOver[kind] = io.double(this.takenOver[kind]);
    for (let v = 0; v < VERDICTS; v++) this.drops[v] = io.double(this.drops[v]!);
    this.nat.sync(io);
    this.sessions.sync(io);
  }

  #saveCounts(): void {
    if (this.#saved === undefined) return;
    WRITER.begin();
    this.#sync(WRITER);
    this.#saved.counts.write(WRITER.bytesOut, WRITER.length);
  }

  /** Who is told each step of a packet. */
  set observer(observer: Observer | undefined) {
    this.#observer = observer;
    this.#filter.observer = observer;
  }

  /** Takes over a policy, new or changed. Sessions stay; they get the settings of their rule as it is now. */
  configure(policy: Policy, now: number): void {
    const sameRoutes = policy.routing === this.policy.routing;
    this.policy = policy;
    const g = policy.inspect;
    this.rules.configure(policy.inspectionRules, g.alertOff, policy.portMaps, this.sessions.permits);
    if (!sameRoutes) this.#routes = new RoutingTable(policy.routing);
    this.sessions.globals = g;
    this.sessions.thresholds.globals = g;
    Object.assign(this.sessions.memory.limits, limitsOf(g));
    this.#memoryAlert.enabled = g.reassemblyAlarm && !g.alertOff;
    this.#fragments.alerts = !g.alertOff;
    this.#configureAccessLists(policy);
    this.#configureNat(policy, now);
    this.#configureIntercept(policy);
    this.#fragments.configure(policy.interfaces);
    this.#ports.configure(policy.interfaces, this.accessLists);
    this.#saveNames();
  }

  /** What the links take that the router sends by, bytes, by canonical interface name; 1500 where it is not told. */
  setMtus(mtus: ReadonlyMap<string, number>): void {
    this.#ports.setMtus(mtus);
  }

  /**
   * Takes one packet through the router. The edge has filled in bytes, at, end, ingress, token and checksum state.
   * @param now ms, monotonic
   * @returns PASS (with `p.modified` if bytes changed), HOLD, or a drop
   */
  handle(p: Packet, now: number): Verdict {
    this.#now = now;
    let v = decodeIpv4(p);
    if (v === PASS) {
      // The fragment that completes a datagram becomes the datagram.
      v = isFragment(p) && this.#fragments.covers(p.ingress) ? this.#fragments.admit(p, now) : this.#judge(p, now);
      if (v === PASS) this.#identify(p);
      if (v === PASS && this.#ports.clampMss) this.#clampMss(p);
      if (this.debug.packet) this.#tracePacket(p, v);
    }
    if (isDrop(v)) this.#dropped(p, v);
    this.sessions.letGo();
    if (this.#siblings !== undefined) this.#publish(this.#siblings);
    return v;
  }

  /**
   * Takes an ICMP error of the router's own kernel, before it is sent. It quotes a packet as NAT has left it: outside
   * that shows an inside local address, and inside it is a packet that its sender does not know, and is addressed to
   * the inside global address, which is the router itself.
   * @returns PASS (with `p.modified` if bytes changed) or a drop
   */
  handleOwn(p: Packet): Verdict {
    let v = decodeIpv4(p);
    if (v === PASS) v = decodeTransport(p);
    if (v === PASS) v = this.#translateOwn(p);
    if (isDrop(v)) this.#dropped(p, v);
    return v;
  }

  #translateOwn(p: Packet): Verdict {
    const { nat } = this;
    nat.findFromRouter(p);
    if (nat.missing) return DROP.noTranslation;
    if (!quotesHeader(p)) return PASS;
    nat.quote.rewriteSource(p, nat.quotedSrc, nat.quotedSrcPort);
    nat.quote.rewriteDestination(p, nat.quotedDst, nat.quotedDstPort);
    if (nat.dst === p.dst) return PASS;
    rewriteDestination(p, nat.dst, nat.dstPort);
    const from = this.#ports.at(this.#routes.lookup(p.dst))?.policy.address;
    if (from !== undefined) rewriteSource(p, from, nat.srcPort);
    return PASS;
  }

  /** Where the routing table has a packet go: index of an interface, or what RoutingTable says below 0. */
  egressOf(destination: number): number {
    return this.#routes.lookup(destination);
  }

  /** The session that a packet belongs to, a cursor; undefined: none. It is not judged. */
  peek(p: Packet): Session | undefined {
    const { sessions, nat } = this;
    if (decodeIpv4(p) !== PASS || decodeTransport(p) !== PASS) return undefined;
    this.#findEnds(p, this.#ports.at(p.ingress)!);
    readFlow(p, nat, this.#flow);
    const { src, srcPort, dst, dstPort, protocol } = this.#flow;
    return sessions.table.find(src, srcPort, dst, dstPort, protocol) ? sessions.table.session : undefined;
  }

  /**
   * `debug ip packet`: of packets whose IPv4 header could be read. The access list sees the packet as the line shows
   * it, behind NAT. Inferred: a list that is not defined permits all, as everywhere on IOS.
   */
  #tracePacket(p: Packet, v: Verdict): void {
    const { list, detail } = this.debug.packetScope;
    if (list !== undefined && this.accessLists.get(list)?.permitsPacket(p) === false) return;
    const path = this.#pathOf(p, v !== DROP.acl);
    this.outbox.event({ type: 'debug', facility: 'packet', packet: headerOf(p), path, verdict: v, detail });
  }

  /** @param routed where the packet goes is known: an inbound access list stands in front of routing, as on IOS */
  #pathOf(p: Packet, routed: boolean): PacketPath {
    const egress = routed ? this.#ports.at(this.#routes.lookup(p.dst))?.policy.name : undefined;
    return { ingress: this.#ports.at(p.ingress)!.policy.name, egress };
  }

  /** `debug ip nat`: the addresses of a packet before it was translated. */
  #traceNat(p: Packet, src: number, dst: number): void {
    this.outbox.event({ type: 'debug', facility: 'nat', packet: headerOf(p), src, dst });
  }

  /** All that is counted here and below, for `show` and metrics. */
  rows(): Row[] {
    return [
      ...rowsOf('taken-over', TAKEN_OVER, (name) => this.takenOver[name]),
      ...dropRows(this.drops),
      ...this.sessions.rows(),
      ...this.nat.rows(),
      ...this.#fragments.rows(),
      ...this.#dropLog.rows(),
    ];
  }

  /** Ends what has timed out. To be called a few times a second. */
  tick(now: number): void {
    this.#now = now;
    this.hear(now);
    this.sessions.expire(now);
    this.nat.translations.expire(now);
    this.#fragments.expire(now);
    this.#filter.tick(now);
    this.#dropLog.report(now, this.#say);
    this.#saveCounts();
    if (this.#siblings !== undefined) this.#publish(this.#siblings);
  }

  /** Counters of `show ip virtual-reassembly` for an interface, by its canonical name. */
  reassembly(name: string): ReassemblySnapshot {
    const f = this.#fragments.interfaces.find((i) => i.name === name);
    return {
      reassemblies: f?.currentReassemblies ?? 0,
      fragments: f?.fragments ?? 0,
      totalReassemblies: f?.reassemblies ?? 0,
      totalFailures: f?.failures ?? 0,
    };
  }

  /**
   * A packet that somebody behind us may cut up goes under an identification of ours; our kernel does so at the MTU of
   * the interface it leaves by. Don't Fragment is set in most of what hosts send: that costs one look.
   */
  #identify(p: Packet): void {
    if (!mayBeCut(p) || !this.#fragments.covers(p.ingress)) return;
    this.#identifications.give(p);
  }

  /**
   * What the inbound access list says of a fragment before it is held. A first one has the ports. Another one is
   * matched as IOS matches it: entries with ports permit it by its addresses, so what is denied now is denied as a whole
   * datagram too, unless a session bypasses the list. Only the first fragment tells the session: behind it its siblings
   * pass, and one that overtakes it is lost. Otherwise a denied host could fill the table.
   */
  #screenFragment(p: Packet, now: number): Verdict {
    const port = this.#ports.at(p.ingress)!;
    const fault = decodeTransport(p);
    if (fault !== PASS) return fault;
    // Asked without counting: what is permitted is counted when it is whole.
    if (port.aclIn === undefined || port.aclIn.permitsPacket(p)) return PASS;
    if (p.fragmentOffset === 0) {
      this.#findEnds(p, port);
      readFlow(p, this.nat, this.#flow);
      if (this.sessions.bypasses(this.#flow, p, now)) return PASS;
    }
    return this.#filter.admit(p, port, now);
  }

  /** `ip tcp adjust-mss` of the interface it came in by and of the one it leaves by, as on IOS: the lower one counts. */
  #clampMss(p: Packet): void {
    if (p.protocol !== IPPROTO_TCP || p.fragmentOffset > 0 || (p.flags & SYN) === 0) return;
    const ingress = this.#ports.at(p.ingress)!.adjustMss;
    const egress = this.#ports.at(this.#routes.lookup(p.dst))?.adjustMss ?? 0;
    const most = ingress === 0 || (egress !== 0 && egress < ingress) ? egress : ingress;
    if (most !== 0) clampMss(p, most);
  }

  /** Virtual reassembly has put a datagram together: it takes the way of any other. */
  #judgeReassembled(p: Packet, now: number): Verdict {
    const v = decodeIpv4(p);
    return v === PASS ? this.#judge(p, now) : v;
  }

  /** From the access list to the second NAT step. `p`: a whole datagram, or a fragment where nothing reassembles. */
  #judge(p: Packet, now: number): Verdict {
    const fault = decodeTransport(p);
    if (fault !== PASS) return fault;
    const port = this.#ports.at(p.ingress)!;
    this.#findEnds(p, port);
    const v = this.#admit(p, port, now);
    if (this.#interceptOn && this.sessions.intercept.inHand) this.sessions.intercept.refuse();
    this.nat.settle(p, v, now);
    return v;
  }

  #findEnds(p: Packet, port: Port): void {
    const { nat } = this;
    if (port.outside) nat.findFromOutside(p);
    else if (port.inside) nat.findFromInside(p);
    else nat.findNothing(p);
  }

  /** `nat` has found the ends of `p`. */
  #admit(p: Packet, port: Port, now: number): Verdict {
    let v: Verdict = PASS;
    const { nat } = this;
    const flow = this.#flow;
    readFlow(p, nat, flow);
    flow.from = port.number;
    if (p.ttl <= 1 || (p.end - p.at > this.#ports.leastMtu && !p.gso)) {
      v = this.#checkDelivery(p, port, now);
      if (v !== PASS) return v;
    }
    const known = this.sessions.find(flow, p);
    this.#observer?.searched(
      known ? this.sessions.table.session : undefined,
      known && this.sessions.bypassesAccessLists,
    );
    if (known ? this.sessions.fromWrongInterface : port.outside && this.#isInside(p.src))
      return known ? DROP.wrongInterface : DROP.spoofed;
    const expected = !known && this.sessions.expects(flow, p, now);
    if (expected) this.#observer?.announced();
    if (this.#interceptOn && !known && !expected && p.protocol === IPPROTO_TCP)
      this.sessions.intercept.takeAcknowledgement(p, now);
    const bypass = known ? this.sessions.bypassesAccessLists : expected;
    if (!bypass) v = this.#filter.admit(p, port, now);
    if (v !== PASS) return v;
    v = nat.create(p, port.policy.address, now);
    this.#observer?.translated();
    if (v !== PASS) return v;
    p.globalSrc = nat.src;
    p.globalSrcPort = nat.srcPort;
    const { dst: seenDst, dstPort: seenDstPort } = nat.came;
    this.#toInsideLocal(p);
    // The output list stands behind NAT, but what it denies must leave no session.
    const egress = known && bypass ? ELSEWHERE : this.#routes.lookup(p.dst);
    this.#observer?.routed(egress);
    const out = this.#ports.at(egress);
    flow.to = out === undefined ? 0 : out.number;
    if (egress <= UNREACHABLE) {
      rewriteDestination(p, seenDst, seenDstPort); // the answer quotes what came
      if (egress === UNREACHABLE) this.#filter.answer(p, port, HOST_UNREACHABLE, now);
      return DROP.unroutable;
    }
    if (!bypass && !this.#filter.permitsOut(p, out?.aclOut)) {
      rewriteDestination(p, seenDst, seenDstPort);
      this.#filter.answer(p, port, ADMINISTRATIVELY_PROHIBITED, now);
      return DROP.acl;
    }
    if (known && flow.quoted) nat.quote.rewriteSeq(p, this.sessions.quotedSeq(nat.quote.seq));
    else {
      if (known) v = this.sessions.track(p, now);
      else if (expected) v = this.sessions.openExpected(p, flow, seenDst, now);
      else v = this.#firstPacket(p, port, out, egress, seenDst, seenDstPort, now);
    }
    if (v === PASS) this.#toInsideGlobal(p);
    if (v === PASS && flow.quoted) nat.quote.rewriteDestination(p, nat.quotedDst, nat.quotedDstPort);
    return v;
  }

  /**
   * What our kernel would drop on the way out is dropped here, before it can move any state: a TTL that is spent, and
   * what is longer than the link takes and must not be cut up. A denied packet is denied first. Super-packets are cut to
   * the size of the segments they came in, which nobody tells us; the kernel judges them.
   * @returns PASS where it does not look so
   */
  #checkDelivery(p: Packet, port: Port, now: number): Verdict {
    const { nat } = this;
    const egress = this.#routes.lookup(nat.dst);
    if (nat.missing || egress === TO_ROUTER) return PASS;
    const mtu = this.#ports.at(egress)?.mtu ?? ETHERNET_MTU;
    const expired = p.ttl <= 1;
    if (!expired && (p.end - p.at <= mtu || !dontFragment(p.bytes, p.at))) return PASS;
    if (port.outside && this.#isInside(p.src)) return DROP.spoofed;
    if (!this.sessions.bypasses(this.#flow, p, now) && this.#filter.admit(p, port, now) !== PASS) return DROP.acl;
    const from = port.policy.address;
    // IOS: `no ip unreachables` silences each kind of unreachable, this one too, but not time exceeded.
    if (from !== undefined && (expired || port.policy.unreachables)) {
      const answer = expired
        ? this.#undelivered.timeExceeded(p, from, now)
        : this.#undelivered.fragmentationNeeded(p, from, mtu, now);
      if (answer !== undefined) this.outbox.inject(answer);
    }
    return expired ? DROP.ttlExpired : DROP.tooLong;
  }

  /** A packet of no session: where it goes decides which rules see it. */
  #firstPacket(
    p: Packet,
    port: Port,
    out: Port | undefined,
    egress: number,
    seenDst: number,
    seenDstPort: number,
    now: number,
  ): Verdict {
    // IOS inspects what crosses the router, not what ends there.
    if (egress === TO_ROUTER) return PASS;
    const followed = this.#interceptOn && this.#isIntercepted(p);
    if (followed) {
      this.sessions.makeWay();
      const v = this.sessions.intercept.admit(p, seenDst, seenDstPort, now);
      if (v !== PASS) return v;
    }
    const v = this.#openSession(p, port, out, seenDst, seenDstPort, followed, now);
    if (followed && v === PASS) this.sessions.beginIntercept(this.#flow, now);
    return v;
  }

  /**
   * A SYN that `ip tcp intercept` is for, and the access lists permit. The list sees it behind NAT outside-to-inside, as
   * in Cisco's order of operation: an inside server by its inside local address.
   */
  #isIntercepted(p: Packet): boolean {
    if (this.sessions.intercept.inHand) return true;
    if (p.protocol !== IPPROTO_TCP || (p.flags & (SYN | ACK | RST | FIN)) !== SYN) return false;
    const list = this.#interceptList;
    return list === undefined || list.permits(list.match(p));
  }

  /** @param followed the connection gets a session even where no rule inspects it */
  #openSession(
    p: Packet,
    port: Port,
    out: Port | undefined,
    seenDst: number,
    seenDstPort: number,
    followed: boolean,
    now: number,
  ): Verdict {
    const rule = this.#choice.ruleFor(p, port, out, seenDst, seenDstPort);
    this.#observer?.selected(rule);
    if (rule === undefined) {
      if (p.protocol !== IPPROTO_TCP || !(followed || this.#choice.inspectsAnswers(port, out))) {
        this.sessions.makeWay();
        return PASS;
      }
      return this.sessions.openUninspected(p, this.#flow, seenDst, now);
    }
    // An error about no session of ours has business here only where what it quotes needs none.
    if (this.#flow.quoted)
      return this.#choice.quotesUninspected(p, this.#flow, port, out, seenDst) ? PASS : DROP.strayError;
    return this.sessions.open(p, this.#flow, rule, seenDst, now);
  }

  /** NAT outside-to-inside. */
  #toInsideLocal(p: Packet): void {
    const { nat } = this;
    const before = p.dst;
    rewriteDestination(p, nat.dst, nat.dstPort);
    if (this.#flow.quoted) nat.quote.rewriteSource(p, nat.quotedSrc, nat.quotedSrcPort);
    if (this.debug.nat && p.dst !== before) this.#traceNat(p, p.src, before);
  }

  /** NAT inside-to-outside. */
  #toInsideGlobal(p: Packet): void {
    const before = p.src;
    rewriteSource(p, p.globalSrc, p.globalSrcPort);
    if (this.debug.nat && p.src !== before) this.#traceNat(p, before, p.dst);
  }

  #egressIsOutside(destination: number): boolean {
    const egress = this.#routes.lookup(destination);
    return egress >= 0 && this.#ports.at(egress)!.outside;
  }

  /** The address of an inside host or of the router: nobody outside has it. Without NAT no side is known for outside. */
  #isInside(source: number): boolean {
    const at = this.#routes.lookupSource(source);
    return at === TO_ROUTER || (at >= 0 && this.#ports.at(at)!.inside);
  }

  /** A segment that a stream held gets its verdict. NAT outside-to-inside was before; inside-to-outside is now. */
  #releaseHeld(p: Packet, v: Verdict): void {
    if (v === PASS) {
      this.#toInsideGlobal(p);
      this.#identify(p);
    }
    if (isDrop(v)) this.#dropped(p, v);
    this.outbox.released?.(p, v);
    const bytes = v === PASS && p.modified ? p.bytes.subarray(p.at, p.end) : undefined;
    this.outbox.release(p.token, v, bytes, p.checksumPartial);
  }

  #dropped(p: Packet, v: Verdict): void {
    this.drops[v]!++;
    if (!this.policy.inspect.logDropPkt || UNTOLD.includes(v) || !this.#dropLog.admits(p, v, this.#now)) return;
    this.outbox.event({
      type: 'packet-dropped',
      reason: v,
      protocol: p.protocol,
      src: p.src,
      srcPort: p.srcPort,
      dst: p.dst,
      dstPort: p.dstPort,
      icmpType: p.icmpType,
      icmpCode: p.icmpCode,
      icmpIdentifier: p.icmpIdentifier,
      identification: p.identification,
      flags: p.protocol === IPPROTO_TCP && p.payload > p.l4 ? u16(p.bytes, p.l4 + TCP_DATA_OFFSET) : 0,
      seq: p.seq,
      ack: p.ack,
    });
  }

  /** Match counts live as long as the entries. A list in which nothing has changed stays. */
  #configureAccessLists(policy: Policy): void {
    const before = new Map(this.accessLists);
    this.accessLists.clear();
    for (const [name, { revision, items }] of policy.accessLists) {
      const old = before.get(name);
      const compiled = old?.revision === revision ? old : new CompiledAccessList(name, items, revision);
      if (old !== undefined && compiled !== old) compiled.takeMatches(old);
      this.accessLists.set(name, compiled);
    }
  }

  #configureIntercept({ intercept }: Policy): void {
    this.sessions.intercept.config = intercept;
    this.#interceptOn = intercept.list !== undefined;
    this.#interceptList = this.accessLists.get(intercept.list ?? '');
  }

  /** Translations are looked through only if their rules have changed: there may be very many. */
  #configureNat({ nat }: Policy, now: number): void {
    this.nat.translations.timeouts = nat.timeouts;
    if (nat.revision !== this.#translated) this.nat.configure(addressRules(nat, this.accessLists), now);
    this.#translated = nat.revision;
  }
}
