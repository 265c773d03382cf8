/**
 * What the kernel's IP stack has counted, in this network namespace: /proc/net/snmp and /proc/net/netstat (RFC 2011,
 * 4113, 4022). Names are those of the files with the line's name in front: IpInReceives, IcmpMsgInType8.
 */
import { procText } from '../io/proc.js';

export type IpCounters = Readonly<Record<string, number>>;

export const readIpCounters = (): IpCounters =>
  parseIpCounters(procText('/proc/net/snmp') + procText('/proc/net/netstat'));

/** @param text pairs of lines: names, then their values */
export function parseIpCounters(text: string): IpCounters {
  const counters: Record<string, number> = {};
  let names: string[] = [];
  for (const line of text.split('\n')) {
    const [head = '', ...fields] = line.trim().split(/\s+/);
    if (fields.length === 0) continue;
    const group = head.replace(/:$/, '');
    if (fields.every((f) => /^-?\d+$/.test(f))) names.forEach((n, i) => (counters[group + n] = Number(fields[i])));
    else names = fields;
  }
  // Until Linux 6.7, which counts transmissions apart, datagrams that are forwarded count as sent too.
  if (counters['IpOutTransmits'] === undefined)
    counters['IpOutRequests'] = Math.max(0, (counters['IpOutRequests'] ?? 0) - (counters['IpForwDatagrams'] ?? 0));
  return counters;
}

/** What was counted since `base`. A counter that was not there then counts from 0. */
export const countedSince = (base: IpCounters, now: IpCounters): IpCounters =>
  Object.fromEntries(Object.entries(now).map(([name, n]) => [name, Math.max(0, n - (base[name] ?? 0))]));
