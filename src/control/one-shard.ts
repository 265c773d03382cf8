/**
 * What several shards cannot do rightly. An address that one inside host has for itself (a pool without `overload`) is
 * his towards all outside addresses, and so in all shards: they would have to agree on it. With `overload` they need
 * not: two shards may give the same port to two inside hosts, since no outside address belongs to both.
 */
import { steeringOf } from '../core/shard/steering.js';
import { MOST_AREAS } from '../host/steering.js';
import { compilePolicy } from '../ios/compile/policy.js';
import type { RouterConfig } from '../ios/config/model.js';

/**
 * Why a configuration can have but one shard, a sentence; undefined: it may have several.
 * @param mapped names of the interfaces that a Linux interface is bound to
 */
export function whyOneShard(config: RouterConfig, mapped: ReadonlySet<string>): string | undefined {
  const whole = config.nat.dynamic.find((d) => !d.overload);
  if (whole !== undefined)
    return `ip nat inside source list ${whole.list} without overload: addresses of a pool are given out by one shard alone`;
  const { areas = [] } = steeringOf(compilePolicy(config, mapped), 2);
  if (areas.length <= MOST_AREAS) return undefined;
  return `routes and static translations make ${areas.length} areas inside and outside: more than ${MOST_AREAS} are not steered`;
}
