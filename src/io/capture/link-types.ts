/** Where the IPv4 header lies in a captured frame, by link type (the LINKTYPE_ list of libpcap). */
const ETHERTYPE_IPV4 = 0x0800;
/** 802.1Q, 802.1ad and the number that some switches used before: a tag of four bytes, then the next type. */
const VLAN_TYPES = new Set([0x8100, 0x88a8, 0x9100]);

/** @returns offset of the IPv4 header in a frame that is long enough to have one; -1: another protocol */
export type NetworkOffset = (frame: Uint8Array) => number;

const typeAt = (f: Uint8Array, at: number): number => (f.length < at + 2 ? -1 : (f[at]! << 8) | f[at + 1]!);

/** @param at offset of the EtherType */
function behindTags(f: Uint8Array, at: number, payload: number): number {
  let type = typeAt(f, at);
  while (VLAN_TYPES.has(type)) {
    at = payload + 2;
    payload += 4;
    type = typeAt(f, at);
  }
  return type === ETHERTYPE_IPV4 && f.length > payload ? payload : -1;
}

const NETWORK_OFFSETS: Readonly<Record<number, NetworkOffset>> = {
  1: (f) => behindTags(f, 12, 14), // Ethernet
  101: (f) => (f.length > 0 && f[0]! >>> 4 === 4 ? 0 : -1), // raw IP
  113: (f) => behindTags(f, 14, 16), // Linux cooked capture, v1
  228: (f) => (f.length > 0 ? 0 : -1), // raw IPv4
  276: (f) => behindTags(f, 0, 20), // Linux cooked capture, v2
};

/** @returns undefined for a link type that we do not read */
export const networkOffset = (linkType: number): NetworkOffset | undefined => NETWORK_OFFSETS[linkType];
