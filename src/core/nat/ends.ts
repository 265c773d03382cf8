/**
 * Looks up one end of a packet: the inside global end of an inside local one, and the other way round. A flow first,
 * then a port of the host, the host, its network, as IOS prefers the more specific entry. Kinds of which there is no
 * entry cost nothing.
 */
import { IPPROTO_ICMP } from '../wire/ipv4.js';
import type { AddressPool, AddressRules } from './address-rules.js';
import { KIND_OF, type Translation } from './translation.js';
import type { Translations } from './translations.js';

const { binding: BINDING, flow: FLOW, static: STATIC, reserved: RESERVED } = KIND_OF;

/** What is known of an end. */
export const END = {
  /** It has no translation. */
  none: 0,
  /** It is translated. */
  known: 1,
  /** Its port has a binding, but not yet this flow. */
  bound: 2,
} as const;
export type End = (typeof END)[keyof typeof END];

/**
 * The port of the outside end in the record of a flow. An ICMP query has one identifier, which is the inside end's: it
 * is another one inside than outside, so the record has none for the outside end.
 */
export const recordedPort = (protocol: number, outsidePort: number): number =>
  protocol === IPPROTO_ICMP ? 0 : outsidePort;

export class Ends {
  /** The end that was found. */
  address = 0;
  port = 0;
  /** The record that gave it, if `recorded`: a network has none. */
  readonly record: Translation;
  recorded = false;

  readonly #translations: Translations;
  /** Addresses of static entries and of the router's interfaces. */
  readonly #globals = new Set<number>();
  #pools: AddressPool[] = [];

  constructor(translations: Translations) {
    this.#translations = translations;
    this.record = translations.table.cursor();
  }

  configure(rules: AddressRules): void {
    this.#globals.clear();
    this.#pools = [...new Set(rules.mappings.map((m) => m.pool))];
    for (const b of rules.bindings) this.#globals.add(b.global);
    // A list may use the address of an interface, and so may a hairpin.
    if (rules.bindings.length + rules.networks.length + rules.mappings.length > 0)
      for (const address of rules.own) this.#globals.add(address);
  }

  /** True for an address that may be inside global: no other needs a lookup. */
  isGlobal(address: number): boolean {
    if (this.#globals.has(address)) return true;
    for (const pool of this.#pools) if (pool.has(address)) return true;
    for (const n of this.#translations.rules.networks) if ((address & n.mask) === n.global) return true;
    return false;
  }

  /** Finds the inside global end of `local`:`port` in its conversation with `outside`:`outsidePort`. */
  findGlobal(protocol: number, local: number, port: number, outside: number, outsidePort: number): End {
    const { table, flows } = this.#translations;
    const t = this.record;
    if (flows > 0 && table.findInside(t, FLOW, protocol, local, port, outside, recordedPort(protocol, outsidePort))) {
      this.#found(t.insideGlobal, t.insideGlobalPort);
      return END.known;
    }
    return this.findBinding(protocol, local, port);
  }

  /** Finds the inside global end of `local`:`port`, whoever the other end is. */
  findBinding(protocol: number, local: number, port: number): End {
    const { table, portBindings, hostBindings, rules } = this.#translations;
    const t = this.record;
    if (portBindings > 0 && table.findInside(t, BINDING, protocol, local, port, 0, 0)) {
      // Host bindings have protocol 0; no packet has.
      this.#found(t.insideGlobal, t.insideGlobalPort);
      return t.has(STATIC) ? END.known : END.bound;
    }
    if (hostBindings > 0 && table.findInside(t, BINDING, 0, local, 0, 0, 0)) {
      this.#found(t.insideGlobal, port);
      return END.known;
    }
    for (const n of rules.networks) {
      if ((local & n.mask) !== n.local) continue;
      this.#found(n.global | (local & ~n.mask), port);
      this.recorded = false;
      return END.known;
    }
    this.#found(local, port);
    this.recorded = false;
    return END.none;
  }

  /** Finds the inside local end of `global`:`port` in its conversation with `outside`:`outsidePort`. */
  findLocal(protocol: number, global: number, port: number, outside: number, outsidePort: number): End {
    const { table, flows, portBindings, hostBindings, rules } = this.#translations;
    const t = this.record;
    if (flows > 0 && table.findOutside(t, FLOW, protocol, global, port, outside, recordedPort(protocol, outsidePort))) {
      this.#found(t.insideLocal, t.insideLocalPort);
      return END.known;
    }
    if (portBindings > 0 && table.findOutside(t, BINDING, protocol, global, port, 0, 0) && t.has(STATIC | RESERVED)) {
      this.#found(t.insideLocal, t.insideLocalPort);
      return t.has(STATIC) ? END.known : END.bound;
    }
    if (hostBindings > 0 && table.findOutside(t, BINDING, 0, global, 0, 0, 0)) {
      this.#found(t.insideLocal, port);
      return END.known;
    }
    for (const n of rules.networks) {
      if ((global & n.mask) !== n.global) continue;
      this.#found(n.local | (global & ~n.mask), port);
      this.recorded = false;
      return END.known;
    }
    this.#found(global, port);
    this.recorded = false;
    return END.none;
  }

  #found(address: number, port: number): void {
    this.address = address;
    this.port = port;
    this.recorded = true;
  }
}
