/** `show tcp intercept connections` and `statistics`. Columns as recalled from consoles. */
import type { InterceptedConnection, RouterSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { hoursMinutesSeconds } from './duration.js';

const HEAD = 'Client                Server               State    Create   Timeout  Mode\n';

export function showInterceptConnections(snapshot: RouterSnapshot): string {
  const { connections } = snapshot.intercept();
  const rows = (incomplete: boolean): string =>
    connections
      .filter((c) => c.incomplete === incomplete)
      .map(row)
      .join('');
  return `Incomplete:\n${HEAD}${rows(true)}\nEstablished:\n${HEAD}${rows(false)}`;
}

function row(c: InterceptedConnection): string {
  const client = `${formatAddress(c.client)}:${c.clientPort}`.padEnd(21);
  const server = `${formatAddress(c.server)}:${c.serverPort}`.padEnd(20);
  const times = `${hoursMinutesSeconds(c.createdAgo)} ${hoursMinutesSeconds(c.leftMs)}`;
  return `${client} ${server} ${c.state.padEnd(8)} ${times} ${c.watched ? 'W' : 'I'}\n`;
}

export function showInterceptStatistics({ intercept }: RouterConfig, snapshot: RouterSnapshot): string {
  const { connections, requestsInMinute, answered, proven } = snapshot.intercept();
  const incomplete = connections.filter((c) => c.incomplete).length;
  const lines = [
    // Inferred: what a 3640 says without a list is not known.
    intercept.list === undefined
      ? 'no access-list is set: new connections are not intercepted'
      : `${intercept.mode === 'watch' ? 'watching' : 'intercepting'} new connections using access-list ${intercept.list}`,
    `${incomplete} incomplete, ${connections.length - incomplete} established connections (total ${connections.length})`,
    `1 minute connection request rate ${Math.round(requestsInMinute / 60)} requests/sec`,
  ];
  // fw3640's own: in mode intercept, a request counts when its cookie has come back.
  if (answered > 0) lines.push(`${answered} SYNs answered with a cookie, ${proven} came back`);
  return `${lines.join('\n')}\n`;
}
