/** Which rule inspects a first packet, by the two interfaces it crosses. */
import type { Translator } from './nat/translator.js';
import type { Port } from './ports.js';
import type { Flow } from './session/flow.js';
import { ICMP_HEADER } from './wire/icmp.js';
import { IPPROTO_TCP } from './wire/ipv4.js';
import { Packet } from './wire/packet.js';
import type { RuleEntry, RuleSet } from './inspect/rules.js';

export class RuleChoice {
  /** What is known of the packet that an ICMP error quotes, for access lists and rules. */
  readonly #quoted = new Packet();

  constructor(
    private readonly rules: RuleSet,
    private readonly nat: Translator,
  ) {}

  /**
   * The rule of the way in goes before that of the way out.
   * @param out where it leaves; undefined: nowhere that we know
   * @param seenDst,seenDstPort its destination as it came
   */
  ruleFor(p: Packet, port: Port, out: Port | undefined, seenDst: number, seenDstPort: number): RuleEntry | undefined {
    return (
      this.rules.rule(port.policy.inspectIn)?.select(p, seenDst, seenDstPort) ??
      this.rules.rule(out?.policy.inspectOut)?.select(p, seenDst, seenDstPort)
    );
  }

  /** A rule stands in the way back from `out` to `port`. */
  inspectsAnswers(port: Port, out: Port | undefined): boolean {
    return (this.rules.rule(out?.policy.inspectIn) ?? this.rules.rule(port.policy.inspectOut)) !== undefined;
  }

  /**
   * The packet that the error in hand quotes went from `out` to `port`, the lists permit it, and no rule inspects it.
   * A TCP connection that passes here uninspected has a session all the same.
   * @param f       the flow of the error
   * @param seenDst whom the error was for where it came in: the source of the quoted packet as it went out
   */
  quotesUninspected(p: Packet, f: Flow, port: Port, out: Port | undefined, seenDst: number): boolean {
    const { nat } = this;
    const { protocol, whole, icmpType, icmpCode } = nat.quote;
    if (out === undefined || !whole || protocol === IPPROTO_TCP) return false;
    const q = this.#quoted;
    q.bytes = p.bytes;
    q.at = p.l4 + ICMP_HEADER;
    q.protocol = protocol;
    q.src = nat.quotedSrc;
    q.srcPort = nat.quotedSrcPort;
    q.dst = nat.quotedDst;
    q.dstPort = nat.quotedDstPort;
    q.icmpType = icmpType;
    q.icmpCode = icmpCode;
    if (this.ruleFor(q, out, port, q.dst, q.dstPort) !== undefined || out.aclIn?.permitsPacket(q) === false)
      return false;
    q.src = seenDst;
    q.dst = f.dst;
    q.dstPort = f.dstPort;
    return port.aclOut?.permitsPacket(q) !== false;
  }
}
