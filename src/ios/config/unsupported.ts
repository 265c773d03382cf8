/** What the configuration language knows and the router cannot do: `run` refuses it rather than half obey. */
import { MAX_STATIC_NAT } from './defaults.js';
import type { RouterConfig } from './model.js';

/** One sentence for each configured feature that would not take effect. */
export function unsupported(config: RouterConfig): string[] {
  const { staticEntries } = config.nat;
  return staticEntries.length > MAX_STATIC_NAT
    ? [`ip nat inside source static: ${staticEntries.length} entries, at most ${MAX_STATIC_NAT} are supported`]
    : [];
}
