/** `show ip nat translations`, `show ip nat statistics`. */
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { address, type Json, seconds } from './json.js';

/** @param protocol undefined: all */
export function translationsJson(snapshot: RouterSnapshot, protocol?: string): Json {
  return {
    translations: snapshot
      .translations()
      .filter((t) => protocol === undefined || t.protocol === protocol)
      .map((t) => ({
        protocol: t.protocol === '---' ? null : t.protocol,
        insideGlobal: address(t.insideGlobal),
        insideGlobalPort: t.insideGlobalPort ?? null,
        insideLocal: address(t.insideLocal),
        insideLocalPort: t.insideLocalPort ?? null,
        outside: address(t.outside),
        outsidePort: t.outsidePort ?? null,
        static: t.static,
        ageSeconds: seconds(t.createdAgo),
        idleSeconds: seconds(t.usedAgo),
        timeoutSeconds: t.timeoutMs === 0 ? null : seconds(t.timeoutMs),
        useCount: t.useCount ?? 0,
      })),
  };
}

export function natStatisticsJson(config: RouterConfig, snapshot: RouterSnapshot): Json {
  const translations = snapshot.translations();
  const counters = snapshot.counters().filter((r) => r.family === 'nat');
  const counted = (name: string): number => counters.find((r) => r.name === name)?.value ?? 0;
  const statics = translations.filter((t) => t.static).length;
  const interfaces = (side: 'inside' | 'outside'): string[] =>
    config.interfaces.filter((i) => i.nat === side).map((i) => i.name);
  return {
    active: translations.length,
    static: statics,
    dynamic: translations.length - statics,
    extended: translations.filter((t) => t.outside !== undefined || t.insideGlobalPort !== undefined).length,
    outsideInterfaces: interfaces('outside'),
    insideInterfaces: interfaces('inside'),
    hits: counted('hits'),
    misses: counted('misses'),
    expired: counted('expired'),
    poolMisses: counted('poolMisses'),
    mappings: config.nat.dynamic.map((d, i) => ({
      id: i + 1,
      accessList: d.list,
      pool: d.pool ?? null,
      interface: d.interfaceName ?? null,
      inUse: translations.filter((t) => t.mapping === i).length,
    })),
  };
}
