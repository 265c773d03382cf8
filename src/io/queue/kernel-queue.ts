/** What the kernel says of an NFQUEUE, to whoever does not read it (/proc/net/netfilter/nfnetlink_queue). */
import { procText } from '../proc.js';

/** Number of the queue, reader, waiting, copy mode, copy range, dropped twice, number of the last packet. */
const QUEUE = 0;
const LAST_PACKET = 7;

/** @returns how many packets the kernel has put into a queue since its reader opened it; undefined: it has no reader */
export function packetsQueued(queue: number): number | undefined {
  const rows = procText('/proc/net/netfilter/nfnetlink_queue').split('\n');
  const columns = rows.map((row) => row.trim().split(/\s+/).map(Number)).find((row) => row[QUEUE] === queue);
  return columns?.[LAST_PACKET];
}
