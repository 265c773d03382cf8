/** `show ip inspect sessions [detail]` (reference §6). */
import type { RouterSnapshot, SessionSnapshot, SisState } from '../../core/state/snapshot.js';
import { formatAddress } from '../ipv4-text.js';
import { hoursMinutesSeconds } from './duration.js';

const GROUPS: readonly (readonly [string, readonly SisState[]])[] = [
  ['Established Sessions', ['SIS_OPEN']],
  ['Half-open Sessions', ['SIS_OPENING']],
  ['Terminating Sessions', ['SIS_CLOSING', 'SIS_CLOSED']],
];

/** Nothing where there is no session, as on the router. */
export function showSessions(snapshot: Pick<RouterSnapshot, 'sessions'>, detail: boolean): string {
  const sessions = snapshot.sessions();
  let text = '';
  for (const [heading, states] of GROUPS) {
    const group = sessions.filter((s) => states.includes(s.state));
    if (group.length > 0) text += `${heading}\n${group.map((s) => session(s, detail)).join('')}`;
  }
  return text;
}

/** The number of a session as `show` prints it and `clear ip inspect session` takes it. */
export const formatSessionId = (id: number): string => (id >>> 0).toString(16).toUpperCase().padStart(8, '0');

function session(s: SessionSnapshot, detail: boolean): string {
  const [from, to] = [formatAddress(s.initiator), formatAddress(s.responder)];
  const head = ` Session ${formatSessionId(s.id)} (${from}:${s.initiatorPort})=>(${to}:${s.responderPort}) ${s.service} ${s.state}\n`;
  if (!detail) return head;
  let text =
    `${head}  Created ${hoursMinutesSeconds(s.createdAgo)}, Last heard ${hoursMinutesSeconds(s.heardAgo)}\n` +
    `  Bytes sent (initiator:responder) [${s.initiatorBytes}:${s.responderBytes}]\n`;
  // Firewall ACL Bypass, 12.3(4)T: the session stands in for an entry that lets its return traffic in.
  const flow = `${to}[${s.responderPort}:${s.responderPort}]=>${from}[${s.initiatorPort}:${s.initiatorPort}]`;
  if (s.bypassIn !== undefined) text += `  In  SID ${flow} on ACL ${s.bypassIn}\n`;
  if (s.bypassOut !== undefined) text += `  Out SID ${flow} on ACL ${s.bypassOut}\n`;
  return text;
}
