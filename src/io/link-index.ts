/** The ifindex of a Linux interface, which is how the queue names the interface a packet came in by. */
import { HostError, type HostSystem, linux } from './host-system.js';

/**
 * Asks `ip` rather than /sys, which may show another network namespace.
 * @throws HostError if there is no such interface
 */
export function linkIndex(device: string, system: HostSystem = linux): number {
  const index = Number(/^(\d+):/.exec(system.run('ip', ['-o', 'link', 'show', 'dev', device]))?.[1]);
  if (!Number.isInteger(index)) throw new HostError(`ip link show dev ${device}: no index in its answer`);
  return index;
}
