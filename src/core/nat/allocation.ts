/**
 * Dynamic translation: which `ip nat inside source list` a packet falls under, and an address of its pool or a port of
 * one of its addresses.
 */
import { IMPLICIT_DENY } from '../acl/access-list.js';
import type { Packet } from '../wire/packet.js';
import type { AddressRules } from './address-rules.js';
import { hasPorts } from './port-allocator.js';
import { KIND_OF, NO_MAPPING, type Translation } from './translation.js';
import type { Translations } from './translations.js';

/** The first mapping whose list permits `p`, as it is inside; NO_MAPPING: none. */
export function mappingFor(p: Packet, { mappings, lists }: AddressRules): number {
  for (let i = 0; i < mappings.length; i++) {
    const list = lists.get(mappings[i]!.list);
    if (list === undefined) return i;
    const entry = list.match(p);
    if (entry !== IMPLICIT_DENY && list.permits(entry)) return i;
  }
  return NO_MAPPING;
}

/**
 * Gives host `local` an address of its own, of which nobody has a port: else what comes back to that port would be
 * somebody else's. Moves `t` to the binding; false: the pool is empty.
 */
export function allocateAddress(
  translations: Translations,
  t: Translation,
  mapping: number,
  local: number,
  now: number,
): boolean {
  const { pool } = translations.rules.mappings[mapping]!;
  for (;;) {
    const index = pool.taken.lowestFree();
    if (index < 0) return false;
    pool.taken.take(index); // also where somebody else has the address, or a port of it: until he gives it back
    const global = (pool.first + index) | 0;
    if (translations.ports.inUse(global)) continue;
    if (translations.table.findOutside(t, KIND_OF.binding, 0, global, 0, 0, 0)) continue;
    translations.bindHost(t, local, global, mapping, now);
    return true;
  }
}

/**
 * Gives `local`:`port` a port of the first address that has one left. Moves `t` to the binding; false: none has.
 * @param first, count addresses to try
 */
export function allocatePort(
  translations: Translations,
  t: Translation,
  mapping: number,
  first: number,
  count: number,
  protocol: number,
  local: number,
  port: number,
  now: number,
): boolean {
  const { table, ports, hostBindings } = translations;
  for (let i = 0; i < count; i++) {
    const global = (first + i) | 0;
    if (hostBindings > 0 && table.findOutside(t, KIND_OF.binding, 0, global, 0, 0, 0)) continue;
    let taken = 0;
    if (hasPorts(protocol)) {
      taken = ports.take(protocol, global, port);
      if (taken < 0) continue;
      // Inferred: a protocol without ports can be overloaded for one inside host at a time.
    } else if (table.findOutside(t, KIND_OF.binding, protocol, global, 0, 0, 0)) continue;
    translations.bindPort(t, protocol, local, port, global, taken, mapping, now);
    return true;
  }
  return false;
}
