/** What the configuration language knows and the router does not do yet: `run` refuses it rather than half obey. */
import type { RouterConfig } from './model.js';

/** One sentence for each configured feature that would not take effect. */
export function unsupported(config: RouterConfig): string[] {
  const { staticEntries, dynamic } = config.nat;
  const faults: string[] = [];
  for (const d of dynamic) faults.push(`ip nat inside source list ${d.list}: dynamic NAT is not supported yet`);
  for (const e of staticEntries) {
    if (e.ports !== undefined || e.mask !== undefined || e.interfaceName !== undefined) {
      faults.push('ip nat inside source static: only host entries (LOCAL GLOBAL) are supported yet');
    }
  }
  return faults;
}
