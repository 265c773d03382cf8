/** What the configuration language knows and the router cannot do: `run` refuses it rather than half obey. */
import { MAX_STATIC_NAT } from './defaults.js';
import type { RouterConfig } from './model.js';

/** One sentence for each configured feature that would not take effect. */
export function unsupported(config: RouterConfig): string[] {
  return [...tooManyEntries(config), ...routerTraffic(config)];
}

function tooManyEntries(config: RouterConfig): string[] {
  const { staticEntries } = config.nat;
  return staticEntries.length > MAX_STATIC_NAT
    ? [`ip nat inside source static: ${staticEntries.length} entries, at most ${MAX_STATIC_NAT} are supported`]
    : [];
}

/** Packets that the box itself sends pass no queue of ours: we would see half of its sessions. */
function routerTraffic(config: RouterConfig): string[] {
  const applied = new Set(config.interfaces.flatMap((i) => [i.inspectIn, i.inspectOut]));
  return [...config.inspectionRules.values()]
    .filter((rule) => applied.has(rule.name))
    .flatMap((rule) =>
      rule.protocols
        .filter((p) => p.routerTraffic === true)
        .map(
          (p) =>
            `ip inspect name ${rule.name} ${p.protocol} router-traffic: sessions of the router itself are not ` +
            'inspected; leave the keyword out and permit their answers in an access list',
        ),
    );
}
