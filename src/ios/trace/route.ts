/** The route of a destination, with the line that made it: for explain.ts. */
import { isMapped, type ResolvedRoute, resolveRoutes } from '../compile/routes.js';
import type { InterfaceAddress, RouterConfig, StaticRoute } from '../config/model.js';
import { formatAddress, prefixLength } from '../ipv4-text.js';

export interface FoundRoute {
  kind: 'router' | 'interface' | 'nowhere';
  /** Egress interface. */
  name?: string;
  text: string;
  because?: string;
  line?: number;
}

const cidr = (prefix: number, mask: number): string => `${formatAddress(prefix)}/${prefixLength(mask)}`;

/** Both addresses of a /31 are hosts (RFC 3021). */
const hasBroadcast = ({ mask }: InterfaceAddress): boolean => mask >>> 0 < 0xfffffffe;

/**
 * The longest prefix wins; of one length a connected network, then the static route of the least distance.
 * @param mapped as route.ts has it
 */
export function findRoute(config: RouterConfig, dst: number, mapped?: ReadonlySet<string>): FoundRoute {
  const up = config.interfaces.filter((i) => !i.shutdown && isMapped(i.name, mapped));
  const own = up.find((i) =>
    i.addresses.some((a) => a.address === dst || (hasBroadcast(a) && (a.address | ~a.mask) === dst)),
  );
  if (own !== undefined || dst === -1 || dst >>> 28 === 14)
    return { kind: 'router', text: `${formatAddress(dst)} is the router${own === undefined ? '' : ` (${own.name})`}` };
  const best = resolveRoutes(config, mapped).find((r) => (dst & r.mask) === r.prefix);
  if (best === undefined) return { kind: 'nowhere', text: `no route to ${formatAddress(dst)}` };
  const { route, out } = best;
  const found: FoundRoute =
    out.kind === 'interface'
      ? { kind: 'interface', name: out.name, text: routeWords(best) }
      : { kind: 'nowhere', text: routeWords(best) };
  return route === undefined
    ? found
    : { ...found, because: routeText(route), ...(route.line ? { line: route.line } : {}) };
}

function routeWords({ prefix, mask, out, route }: ResolvedRoute): string {
  const network = cidr(prefix, mask);
  if (out.kind === 'null') return `${network} goes to Null0`;
  if (out.kind === 'unmapped') return `${network} goes by ${out.name}, which no Linux interface is mapped to`;
  if (route === undefined) return `${network} is directly connected, ${out.name}`;
  const via = out.gateway === undefined ? out.name : `${formatAddress(out.gateway)}, ${out.name}`;
  return `${network} via ${via}`;
}

function routeText(r: StaticRoute): string {
  const via = [r.interfaceName, r.nextHop === undefined ? undefined : formatAddress(r.nextHop)].filter(
    (v) => v !== undefined,
  );
  return `ip route ${formatAddress(r.prefix)} ${formatAddress(r.mask)} ${via.join(' ')}`;
}
