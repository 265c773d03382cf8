/**
 * `ip inspect name` compiled: which entry of a rule inspects the first packet of a flow, and with what settings.
 * An application protocol goes before generic tcp and udp of the same rule, whatever the order of the lines.
 */
import type { ProtocolPolicy, RulePolicy, SmtpOptions } from '../policy.js';
import { isIcmpRequest } from '../wire/icmp.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import type { InspectorOptions } from './inspector.js';
import { INSPECTED_AS, type PermitsAddress, PortApplications, type PortMap } from './port-map.js';
import { REGISTRY } from './registry.js';

/** What a session can be, as IOS prints it. A session record holds the index. */
export const SERVICES = [
  ...(['tcp', 'udp', 'icmp', 'ftp', 'http', 'smtp', 'esmtp', 'ftp-data'] as const),
  ...REGISTRY.map((p) => p.service),
] as const;
export type Service = (typeof SERVICES)[number];

/** Index of services whose bytes an inspector reads. */
const STREAMED: readonly boolean[] = SERVICES.map((s) => INSPECTED_AS.some((as) => as.some((name) => name === s)));

/** True where an inspector reads the bytes of such a session, and may alter them: its segments are normalised. */
export const isNormalised = (serviceIndex: number, rule: RuleEntry): boolean =>
  STREAMED[serviceIndex]! && rule.smtp?.monitorOnly !== true;

/** One line of a rule. The object outlives a reconfiguration: sessions refer to it by number and get the new settings. */
export interface RuleEntry {
  readonly index: number;
  readonly ruleName: string;
  readonly service: Service;
  /** Index into SERVICES. */
  readonly serviceIndex: number;
  /** The configuration has it; else only sessions do. */
  inForce: boolean;
  alert: boolean;
  auditTrail: boolean;
  idleMs: number;
  smtp: SmtpOptions | undefined;
  /** Access list of the servers that Java applets may come from. */
  javaList: string | undefined;
  /** Of a protocol of the registry. */
  options: InspectorOptions | undefined;
}

export class CompiledRule {
  readonly #tcp: RuleEntry | undefined;
  readonly #udp: RuleEntry | undefined;
  readonly #icmp: RuleEntry | undefined;
  /** By APPLICATION. */
  readonly #applications: readonly (RuleEntry | undefined)[];

  constructor(
    readonly name: string,
    entries: readonly RuleEntry[],
    private readonly ports: PortApplications,
  ) {
    const of = (service: Service): RuleEntry | undefined => entries.find((e) => e.service === service);
    this.#tcp = of('tcp');
    this.#udp = of('udp');
    this.#icmp = of('icmp');
    this.#applications = INSPECTED_AS.map((as) => as.map(of).find((entry) => entry !== undefined));
  }

  /**
   * The entry that inspects the flow which `p` would open; undefined: the packet is none of this rule's business.
   * @param p with the responder as it stands on the inside of NAT
   * @param seenDst,seenPort the responder where the packet comes in; IOS asks by this one only (`ip inspect … in`). A
   *          port translation would lead around SMTP inspection, so we ask by both, and by the server's own first.
   */
  select(p: Packet, seenDst: number, seenPort: number): RuleEntry | undefined {
    if (p.fragmentOffset > 0) return undefined;
    switch (p.protocol) {
      case IPPROTO_TCP:
        return (
          this.#applications[this.ports.at(p.dstPort, p.dst)] ??
          this.#applications[this.ports.at(seenPort, seenDst)] ??
          this.#tcp
        );
      case IPPROTO_UDP:
        return this.#udp;
      case IPPROTO_ICMP:
        return this.#icmp;
      default:
        return undefined;
    }
  }
}

/** True when `p` may open a session of its protocol: for ICMP only a request, TCP decides by its own rules. */
export const opensSession = (p: Packet): boolean => p.protocol !== IPPROTO_ICMP || isIcmpRequest(p.icmpType);

/**
 * Stands for the rule of a connection that none inspects. As long-lived as its translation (`ip nat translation
 * tcp-timeout`): IOS would not know when such a connection is idle.
 */
const NO_RULE: RuleEntry = {
  index: 0,
  ruleName: '',
  service: 'tcp',
  serviceIndex: SERVICES.indexOf('tcp'),
  inForce: true,
  alert: false,
  auditTrail: false,
  idleMs: 86_400_000,
  smtp: undefined,
  javaList: undefined,
  options: undefined,
};

/** All entries of all rules ever configured, by number; numbers stay valid while the process lives. Number 0 is none. */
export class RuleSet {
  readonly entries: RuleEntry[] = [NO_RULE];
  readonly #rules = new Map<string, CompiledRule>();

  /**
   * Takes over the rules and port mappings of a (new) configuration.
   * @param alertOff `ip inspect alert-off`, for sessions whose rule is gone
   * @param permits  asks its access lists, at any time
   */
  configure(
    rules: readonly RulePolicy[],
    alertOff: boolean,
    portMaps: readonly PortMap[],
    permits: PermitsAddress,
  ): void {
    const ports = new PortApplications(portMaps, permits);
    const gone = new Set(this.entries);
    this.#rules.clear();
    for (const rule of rules) {
      const entries = rule.protocols.map((p) => this.#entry(rule.name, p));
      this.#rules.set(rule.name, new CompiledRule(rule.name, entries, ports));
      entries.forEach((e) => gone.delete(e));
    }
    gone.delete(NO_RULE);
    for (const e of gone) {
      e.inForce = false;
      if (alertOff) e.alert = false;
    }
  }

  /** Gives entries the numbers that saved sessions know them by. Before the first `configure`. */
  restore(names: readonly { readonly rule: string; readonly service: string }[]): void {
    for (const { rule, service } of names) {
      const serviceIndex = SERVICES.findIndex((s) => s === service);
      this.entries.push({
        ...NO_RULE,
        index: this.entries.length,
        ruleName: rule,
        service: service as Service,
        serviceIndex,
      });
    }
  }

  /** The rule of this name; an undefined one inspects nothing, as on IOS. */
  rule(name: string | undefined): CompiledRule | undefined {
    return name === undefined ? undefined : this.#rules.get(name);
  }

  #entry(ruleName: string, p: ProtocolPolicy): RuleEntry {
    const { alert, auditTrail, idleMs, smtp, javaList, options } = p;
    const settings = { inForce: true, alert, auditTrail, idleMs, smtp, javaList, options };
    const known = this.entries.find((e) => e.ruleName === ruleName && e.service === p.protocol);
    if (known !== undefined) return Object.assign(known, settings);
    const entry: RuleEntry = {
      index: this.entries.length,
      ruleName,
      service: p.protocol,
      serviceIndex: SERVICES.indexOf(p.protocol),
      ...settings,
    };
    this.entries.push(entry);
    return entry;
  }
}
