/** `show ip port-map [APPLICATION | port N]` (reference later §6): which services are looked for behind which ports. */
import { type PortMap, SYSTEM_PORT_MAPS } from '../../core/inspect/port-map.js';
import type { RouterConfig } from '../config/model.js';

/** @param only an application, or a port; undefined: all */
export function showPortMap({ portMaps }: RouterConfig, only?: string | number): string {
  const wanted = (m: PortMap): boolean =>
    only === undefined ||
    (typeof only === 'string' ? m.application === only.toLowerCase() : m.port <= only && only <= (m.last ?? m.port));
  return [
    ...SYSTEM_PORT_MAPS.filter(wanted).map((m) => row(m, 'system defined')),
    ...portMaps.filter(wanted).map((m) => row(m, 'user defined')),
  ].join('');
}

/** Inferred: a line of 12.3 that names no protocol is of TCP, the only one that is inspected by port. */
function row(m: PortMap, origin: string): string {
  const kind = m.list === undefined ? 'Default mapping:' : 'Host specific:';
  const ports = m.last === undefined ? `port ${m.port}` : `from ${m.port} to ${m.last}`;
  const list = m.list === undefined ? '' : `in list ${m.list}`;
  return `${kind.padEnd(17)} ${m.application.padEnd(20)} ${m.protocol ?? 'tcp'} ${ports.padEnd(11)} ${list.padEnd(19)} ${origin}\n`;
}
