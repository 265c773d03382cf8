/**
 * What the router would do with a packet, step by step in its order of operation, and which line of the configuration
 * decided each step. The engine decides, run dry; this only says it in words.
 */
import type { AclEntry } from '../../core/acl/entry.js';
import { type CompiledAccessList, IMPLICIT_DENY } from '../../core/acl/access-list.js';
import type { Observer } from '../../core/observe/observer.js';
import { opensSession, type RuleEntry } from '../../core/inspect/rules.js';
import { mappingFor } from '../../core/nat/allocation.js';
import { NO_MAPPING } from '../../core/nat/translation.js';
import { ELSEWHERE, TO_ROUTER } from '../../core/route/routing-table.js';
import type { Session } from '../../core/session/session.js';
import type { SessionSnapshot } from '../../core/state/snapshot.js';
import { DROP, isDrop, type Verdict } from '../../core/verdict.js';
import { i32, u16 } from '../../core/wire/bytes.js';
import { IPPROTO_TCP, IPPROTO_UDP, IPV4_DST, IPV4_SRC } from '../../core/wire/ipv4.js';
import type { Packet } from '../../core/wire/packet.js';
import { entryFormat } from '../config/acl-text.js';
import { isNumbered } from '../config/list-order.js';
import type { AccessList, InterfaceConfig, RouterConfig } from '../config/model.js';
import { DROP_REASONS } from '../drop-reasons.js';
import { formatAddress } from '../ipv4-text.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import { DryRun, type RouterMemory } from './dry-run.js';
import { type Change, type End, listWords, natWords, targetOf } from './nat-words.js';
import type { TracedPacket } from './probe.js';
import { findRoute } from './route.js';

export interface TraceStep {
  /** `Input access list`, … */
  stage: string;
  /** What happens. */
  text: string;
  /** The configuration that decided it, as the running-config has it. */
  because?: string;
  /** Line of the file it stands on, from 1; absent where it was typed on the console. */
  line?: number;
}

export interface Trace {
  steps: TraceStep[];
  forwarded: boolean;
  /** The packet as it goes on, if it does. */
  ends?: { src: number; srcPort: number; dst: number; dstPort: number };
  /** One sentence. */
  result: string;
}

/** What is asked, and whom. */
export interface Question {
  readonly config: RouterConfig;
  /** Names of the interfaces that Linux has; undefined: all that can be. */
  readonly mapped?: ReadonlySet<string> | undefined;
  /** A running router is asked: what it knows, or why nobody can say. Undefined: only the configuration is. */
  readonly memory?: RouterMemory | 'unreadable' | undefined;
}

/** Explains one packet, given in words. */
export function explain(question: Question, probe: TracedPacket): Trace {
  const { config, mapped, memory } = question;
  const index = config.interfaces.findIndex((i) => i.name === probe.ingress);
  const ingress = config.interfaces[index];
  if (ingress === undefined)
    return { steps: [], forwarded: false, result: `dropped: there is no interface ${probe.ingress}` };
  if (ingress.shutdown) {
    const step = { stage: 'Interface', text: `${ingress.name} is administratively down`, because: 'shutdown' };
    return { steps: [step], forwarded: false, result: 'dropped: the interface is shut down' };
  }
  const dry = new DryRun(config, mapped, memory === 'unreadable' ? undefined : memory);
  return new Explanation(question, dry, ingress).of(probe, dry.bytesFor(probe, index), index);
}

/** The words for one packet, written while the engine judges it. */
class Explanation implements Observer {
  readonly #steps: TraceStep[] = [];
  #session: SessionSnapshot | undefined;
  /** The access lists are not asked. */
  #bypass = false;
  #announced = false;
  readonly #matches: { list: CompiledAccessList; index: number }[] = [];
  /** How many of them came before the route was known. */
  #inbound = 0;
  #source: Change | undefined;
  #destination: Change | undefined;
  #hairpin = false;
  #reached = { nat: false, route: false, rule: false };
  #egress = ELSEWHERE;
  #rule: RuleEntry | undefined;
  /** The packet opens a session that is inspected. */
  #opens = false;

  constructor(
    private readonly question: Question,
    private readonly dry: DryRun,
    private readonly ingress: InterfaceConfig,
  ) {}

  searched(session: Session | undefined, bypass: boolean): void {
    this.#session = session === undefined ? undefined : this.dry.snapshot(session);
    this.#bypass = bypass;
  }
  announced(): void {
    this.#announced = true;
    this.#bypass = true;
  }
  matched(list: CompiledAccessList, index: number): void {
    this.#matches.push({ list, index });
    if (!this.#reached.route) this.#inbound = this.#matches.length;
  }
  translated(): void {
    const { nat } = this.dry.engine;
    const { came } = nat;
    this.#reached.nat = true;
    this.#hairpin = nat.hairpin;
    const [from, to] = [endOf(came.src, came.srcPort), endOf(nat.src, nat.srcPort)];
    this.#source = { from, to, origin: nat.sourceOrigin };
    const [called, found] = [endOf(came.dst, came.dstPort), endOf(nat.dst, nat.dstPort)];
    this.#destination = { from: called, to: found, origin: nat.destinationOrigin };
  }
  routed(egress: number): void {
    this.#reached.route = true;
    this.#egress = egress;
  }
  selected(rule: RuleEntry | undefined): void {
    this.#reached.rule = true;
    this.#rule = rule;
  }

  of(probe: TracedPacket, bytes: Uint8Array, ingress: number): Trace {
    const { verdict, packet } = this.dry.judge(bytes, ingress, this);
    const forwarded = !isDrop(verdict);
    this.#say(probe, packet, verdict);
    const steps = this.#steps;
    if (!forwarded) return { steps, forwarded, result: `dropped: ${this.#reason(verdict)}` };
    return { steps, forwarded, ends: endsOf(packet), result: this.#result() };
  }

  #step(stage: string, text: string, because?: string, line?: number): void {
    this.#steps.push({ stage, text, ...(because === undefined ? {} : { because }), ...(line ? { line } : {}) });
  }

  /** The steps in the router's order of operation, as far as the packet came. */
  #say(probe: TracedPacket, packet: Packet, verdict: Verdict): void {
    const { ingress } = this;
    this.#step('Interface', ingress.name + (ingress.nat === undefined ? '' : `, NAT ${ingress.nat}`));
    this.#saySession();
    if (verdict === DROP.spoofed)
      this.#step(
        'Source',
        `${formatAddress(probe.src)} is inside, or the router: nobody outside has it`,
        'ip nat outside',
      );
    if (verdict === DROP.wrongInterface)
      this.#step('Source', `${formatAddress(probe.src)} is not behind ${ingress.name}, by which its session came`);
    if (verdict === DROP.spoofed || verdict === DROP.wrongInterface) return;
    if (!this.#bypass) this.#sayList('Input access list', ingress.accessGroupIn, ingress, this.#matches[0]);
    if (!this.#reached.nat) return;
    this.#sayDestination(probe);
    const exhausted = verdict === DROP.noTranslation && !this.#reached.route;
    if (exhausted) {
      if (!this.dry.engine.nat.missing) this.#sayShortage(probe, packet);
      return;
    }
    this.#sayRoute();
    const egress = this.question.config.interfaces[this.#egress];
    if (egress !== undefined && !this.#bypass)
      this.#sayList('Output access list', egress.accessGroupOut, egress, this.#matches[this.#inbound]);
    if (this.#reached.rule) this.#sayRule(packet);
    if (this.#leavesInside(egress)) this.#sayNat('NAT inside to outside', this.#source!, probe.protocol, true);
  }

  #saySession(): void {
    const { memory } = this.question;
    if (memory === undefined) return;
    const text = this.#announced
      ? 'announced by a control session: access lists are bypassed, a session opens'
      : this.#session !== undefined
        ? `${describe(this.#session)}${this.#bypass ? ': access lists are bypassed' : ''}`
        : memory === 'unreadable'
          ? 'not known: the tables of the data plane cannot be read'
          : 'none: this is the first packet of a flow';
    this.#step('Session', text);
  }

  #sayList(
    stage: string,
    name: string | undefined,
    i: InterfaceConfig,
    match: { list: CompiledAccessList; index: number } | undefined,
  ): void {
    const list = name === undefined ? undefined : this.question.config.accessLists.get(name);
    if (name === undefined) this.#step(stage, `none on ${i.name}`);
    else if (list === undefined) this.#step(stage, `${name} is not defined: permitted`);
    else if (list.entries.length === 0) this.#step(stage, `${name} has no entries: permitted`);
    else if (match?.index === IMPLICIT_DENY)
      this.#step(stage, `${name}: no entry matches: denied`, 'the implicit deny at the end of every list');
    else if (match !== undefined) {
      const entry = list.entries[match.index]!;
      const outcome = entry.action === 'permit' ? 'permitted' : 'denied';
      this.#step(stage, `${name}, entry ${entry.sequence}: ${outcome}`, formatEntry(list, entry), entry.line);
    }
  }

  #sayDestination({ dst, protocol }: TracedPacket): void {
    const stage = 'NAT outside to inside';
    if (this.dry.engine.nat.missing)
      this.#step(stage, `${formatAddress(dst)} is an inside global address without a translation`);
    else if (this.ingress.nat === 'outside' || this.#hairpin) this.#sayNat(stage, this.#destination!, protocol, false);
  }

  #sayNat(stage: string, change: Change, protocol: number, isInside: boolean): void {
    const { text, because, line } = natWords(this.question.config, change, protocol, isInside, this.ingress);
    this.#step(stage, text, because, line);
  }

  #sayShortage(probe: TracedPacket, packet: Packet): void {
    const mapping = mappingFor(packet, this.dry.engine.nat.translations.rules);
    const list = mapping === NO_MAPPING ? undefined : this.question.config.nat.dynamic[mapping];
    const stage = 'NAT inside to outside';
    if (list === undefined) {
      this.#step(stage, `${formatAddress(probe.src)} would be translated, but there is no room for it`);
      return;
    }
    const { because, line } = listWords(list);
    const text = `${formatAddress(probe.src)} would be translated, but ${targetOf(list)} has no address left`;
    this.#step(stage, text, because, line);
  }

  #sayRoute(): void {
    const { config, mapped } = this.question;
    const route = findRoute(config, this.#destination!.to.address, mapped);
    this.#step('Route', route.text, route.because, route.line);
    // Nobody has to look for the way of a packet that bypasses the lists.
    if (this.#egress !== ELSEWHERE || !this.#bypass) return;
    if (route.kind === 'interface') this.#egress = config.interfaces.findIndex((i) => i.name === route.name);
    else if (route.kind === 'router') this.#egress = TO_ROUTER;
  }

  #sayRule(packet: Packet): void {
    const { config } = this.question;
    const rule = this.#rule;
    const out = config.interfaces[this.#egress];
    if (rule === undefined) {
      const asked = this.ingress.inspectIn ?? out?.inspectOut;
      this.#step('Inspection', asked === undefined ? 'none on this path' : 'no rule names this protocol');
      return;
    }
    const { ruleName: name, service } = rule;
    const where = name === this.ingress.inspectIn ? `in on ${this.ingress.name}` : `out on ${out?.name ?? ''}`;
    const line = config.inspectionRules.get(name)?.protocols.find((p) => p.protocol === service)?.line;
    this.#opens = opensSession(packet);
    if (this.#opens) {
      const text = `${name} (${where}): ${service}, a session of ${rule.idleMs / 1000} s opens`;
      this.#step('Inspection', text, `ip inspect name ${name} ${service}`, line);
    } else this.#step('Inspection', `${name} (${where}): icmp, but only requests open a session`, undefined, line);
  }

  #leavesInside(egress: InterfaceConfig | undefined): boolean {
    return this.ingress.nat === 'inside' && (this.#hairpin || egress?.nat === 'outside');
  }

  #reason(verdict: Verdict): string {
    switch (verdict) {
      case DROP.acl:
        return 'denied by access list';
      case DROP.spoofed:
        return 'a spoofed source address';
      case DROP.unroutable:
        return 'unreachable';
      case DROP.noTranslation:
        return this.dry.engine.nat.missing ? 'nothing is translated there' : 'no inside global address is left';
      default:
        return inSentence(DROP_REASONS[verdict] ?? '');
    }
  }

  #result(): string {
    const { config } = this.question;
    const egress = config.interfaces[this.#egress];
    if (egress === undefined && this.#egress === TO_ROUTER) return 'delivered to the router itself; not inspected';
    const where = egress === undefined ? 'as the host routes it' : `by ${egress.name}`;
    const replies =
      this.#bypass || this.#opens
        ? 'replies pass because of the session'
        : 'replies must be permitted by access lists of their own';
    return `forwarded ${where}; ${replies}`;
  }
}

/** `Invalid Seq#` in the middle of a sentence; an abbreviation stays. */
const inSentence = (text: string): string => text.replace(/^[A-Z](?![A-Z])/, (c) => c.toLowerCase());

const endOf = (address: number, port: number): End => ({ address, port });

function endsOf({ bytes, at, protocol }: Packet): NonNullable<Trace['ends']> {
  const ports = protocol === IPPROTO_TCP || protocol === IPPROTO_UDP;
  const port = (offset: number): number => (ports ? u16(bytes, at + 20 + offset) : 0);
  return { src: i32(bytes, at + IPV4_SRC), srcPort: port(0), dst: i32(bytes, at + IPV4_DST), dstPort: port(2) };
}

const formatEntry = (list: AccessList, e: AclEntry): string =>
  `${isNumbered(list) ? `access-list ${list.name} ` : ''}${entryFormat(list)(e)}`;

const describe = (s: SessionSnapshot): string =>
  `${formatSessionId(s.id)} (${formatAddress(s.initiator)}:${s.initiatorPort})=>(${formatAddress(s.responder)}:${s.responderPort}) ${s.service} ${s.state}`;
