/** What the configuration language knows and the router cannot do: `run` refuses it rather than half obey. */
import { MAX_STATIC_NAT } from '../../core/policy.js';
import type { RouterConfig } from './model.js';

/** A feature that would not take effect: where in the file, from 1 (0: nowhere), and one sentence. */
export interface Unsupported {
  line: number;
  reason: string;
}

/** Each configured feature that would not take effect. `check` and `run` refuse the configuration for the same ones. */
export function unsupported(config: RouterConfig): Unsupported[] {
  return [...tooManyEntries(config), ...routerTraffic(config)];
}

function tooManyEntries(config: RouterConfig): Unsupported[] {
  const { staticEntries } = config.nat;
  if (staticEntries.length <= MAX_STATIC_NAT) return [];
  const reason = `ip nat inside source static: ${staticEntries.length} entries, at most ${MAX_STATIC_NAT} are supported`;
  return [{ line: staticEntries[MAX_STATIC_NAT]?.line ?? 0, reason }];
}

/** Packets that the box itself sends pass no queue of ours: we would see half of its sessions. */
function routerTraffic(config: RouterConfig): Unsupported[] {
  const applied = new Set(config.interfaces.flatMap((i) => [i.inspectIn, i.inspectOut]));
  return [...config.inspectionRules.values()]
    .filter((rule) => applied.has(rule.name))
    .flatMap((rule) =>
      rule.protocols
        .filter((p) => p.routerTraffic === true)
        .map((p) => ({
          line: p.line ?? 0,
          reason:
            `ip inspect name ${rule.name} ${p.protocol} router-traffic: sessions of the router itself are not ` +
            'inspected; leave the keyword out and permit their answers in an access list',
        })),
    );
}
