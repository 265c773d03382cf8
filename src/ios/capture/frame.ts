/**
 * The frames that a 3640 would have captured. It captures at layer 2, and so do its dump and its export. NFQUEUE hands
 * over IPv4 packets without that header: it is put together from what is known, the hardware address of the router's own
 * interface; the neighbour's is 0000.0000.0000.
 */
import { type BufferedPacket, ETHERNET_HEADER } from '../../core/capture/capture.js';
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';

const ADDRESS = 6; // bytes
const ETHERTYPE_IPV4 = 0x0800;

/** Hardware addresses by canonical interface name. */
export type HardwareAddresses = ReadonlyMap<string, Uint8Array>;

export const hardwareAddresses = (live: readonly InterfaceSnapshot[]): HardwareAddresses =>
  new Map(
    live.flatMap(({ name, hardwareAddress }) => {
      const bytes = Buffer.from(hardwareAddress?.replaceAll('.', '') ?? '', 'hex');
      return bytes.length === ADDRESS ? [[name, bytes]] : [];
    }),
  );

/** The packet as a frame, as far as the buffer keeps it. */
export function frameOf({ ingress, egress, bytes }: BufferedPacket, addresses: HardwareAddresses): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER + bytes.length);
  // It was captured as it came, unless it is known where it leaves.
  const [name, at] = egress === undefined ? [ingress, 0] : [egress, ADDRESS];
  const own = addresses.get(name ?? '');
  if (own !== undefined) frame.set(own, at);
  frame[12] = ETHERTYPE_IPV4 >>> 8;
  frame.set(bytes, ETHERNET_HEADER);
  return frame;
}
