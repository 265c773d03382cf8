/** The route of a destination, with the line that made it: for explain.ts. */
import type { InterfaceAddress, RouterConfig, StaticRoute } from '../config/model.js';
import { formatAddress, prefixLength } from '../ipv4-text.js';

export interface FoundRoute {
  kind: 'router' | 'interface' | 'host';
  /** Egress interface. */
  name?: string;
  text: string;
  because?: string;
  line?: number;
}

const cidr = (prefix: number, mask: number): string => `${formatAddress(prefix)}/${prefixLength(mask)}`;

/** Both addresses of a /31 are hosts (RFC 3021). */
const hasBroadcast = ({ mask }: InterfaceAddress): boolean => mask >>> 0 < 0xfffffffe;

interface Candidate {
  prefix: number;
  mask: number;
  name: string;
  text: string;
  route: StaticRoute | undefined;
}

/** The longest prefix wins; of one length a connected network, then the static route of the least distance. */
export function findRoute(config: RouterConfig, dst: number): FoundRoute {
  const up = config.interfaces.filter((i) => !i.shutdown);
  const own = up.find((i) =>
    i.addresses.some((a) => a.address === dst || (hasBroadcast(a) && (a.address | ~a.mask) === dst)),
  );
  if (own !== undefined || dst === -1 || dst >>> 28 === 14)
    return { kind: 'router', text: `${formatAddress(dst)} is the router${own === undefined ? '' : ` (${own.name})`}` };
  const connected = up.flatMap((i) =>
    i.addresses.map((a) => ({ prefix: a.address & a.mask, mask: a.mask, name: i.name })),
  );
  const routes: Candidate[] = [
    ...connected.map((c) => ({
      ...c,
      text: `${cidr(c.prefix, c.mask)} is directly connected, ${c.name}`,
      route: undefined,
    })),
    ...config.routes.flatMap((r) => {
      const { nextHop } = r;
      const onLink = (hop: number): string | undefined => connected.find((c) => (hop & c.mask) === c.prefix)?.name;
      const name = r.interfaceName ?? (nextHop === undefined ? undefined : onLink(nextHop));
      if (name === undefined || !up.some((i) => i.name === name)) return [];
      const via = nextHop === undefined ? name : `${formatAddress(nextHop)}, ${name}`;
      return [
        {
          prefix: r.prefix & r.mask,
          mask: r.mask,
          name,
          text: `${cidr(r.prefix, r.mask)} via ${via}`,
          route: r,
        },
      ];
    }),
  ].filter((r) => (dst & r.mask) === r.prefix);
  const distance = (c: Candidate): number => c.route?.distance ?? 0;
  const best = routes.sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0) || distance(a) - distance(b))[0];
  if (best === undefined) return { kind: 'host', text: `no route to ${formatAddress(dst)} here: the host decides` };
  const found: FoundRoute = { kind: 'interface', name: best.name, text: best.text };
  const { route } = best;
  return route === undefined
    ? found
    : { ...found, because: routeText(route), ...(route.line ? { line: route.line } : {}) };
}

function routeText(r: StaticRoute): string {
  const via = [r.interfaceName, r.nextHop === undefined ? undefined : formatAddress(r.nextHop)].filter(
    (v) => v !== undefined,
  );
  return `ip route ${formatAddress(r.prefix)} ${formatAddress(r.mask)} ${via.join(' ')}`;
}
