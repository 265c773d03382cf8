/**
 * Who looks on while the engine judges a packet: `packet-tracer`. It is told each step as it is taken. A running data
 * plane has none: that costs a look at an empty place.
 */
import type { CompiledAccessList } from '../acl/access-list.js';
import type { RuleEntry } from '../inspect/rules.js';
import type { Session } from '../session/session.js';

export interface Observer {
  /**
   * The sessions have been searched.
   * @param session the one the packet belongs to, a cursor; undefined: none
   * @param bypass  it stands in for the access lists
   */
  searched(session: Session | undefined, bypass: boolean): void;
  /** A control session has announced the flow of the packet. */
  announced(): void;
  /** An access list was asked. `index`: the entry that decided, or IMPLICIT_DENY. */
  matched(list: CompiledAccessList, index: number): void;
  /** NAT has found or made both ends, or refuses the packet: `Translator` has them. */
  translated(): void;
  /** Where the packet goes, as RoutingTable has it; ELSEWHERE: nobody had to look. */
  routed(egress: number): void;
  /** What inspects the first packet of a flow; undefined: nothing. */
  selected(rule: RuleEntry | undefined): void;
}
