/**
 * The one packet in hand: offsets into the batch memory and the decoded header fields. One object is filled again
 * for each packet (a new object each time cost 4–6×), so nothing may keep a reference to it or to its numbers' source.
 */
const EMPTY = new Uint8Array(0);

export class Packet {
  // Set by the edge before the pipeline.
  /** Memory that holds the packet; shared with the other packets of the batch. */
  bytes: Uint8Array = EMPTY;
  /** Offset of the IPv4 header, bytes. */
  at = 0;
  /** Offset one past the last captured byte; after decode: one past the IPv4 total length. */
  end = 0;
  /** Index of the ingress interface in the router's interface list. */
  ingress = 0;
  /** The edge's handle for the packet, to release it later when the verdict is HOLD. */
  token = 0;
  /** More than one segment in one buffer (GSO/GRO): may be longer than the MTU; the kernel cuts it up later. */
  gso = false;
  /**
   * The transport checksum field holds the pseudo-header sum only, not complemented (the kernel's CHECKSUM_PARTIAL).
   * The core keeps it right in that form under NAT; the edge completes it when the packet goes out changed.
   */
  checksumPartial = false;
  /** The kernel or NIC has vouched for the transport checksum: it need not be verified. */
  checksumVerified = false;
  /** The queue did not deliver all bytes. Such a packet is never sent back changed. */
  truncated = false;

  // Set by decode (host order; addresses, seq and ack as int32).
  headerLength = 0;
  identification = 0;
  /** Fragment offset, bytes. */
  fragmentOffset = 0;
  moreFragments = false;
  ttl = 0;
  protocol = 0;
  src = 0;
  dst = 0;
  /** Offset of the transport header, bytes. */
  l4 = 0;
  /** Offset of the transport payload, bytes. */
  payload = 0;
  /** TCP or UDP ports; 0 for other protocols. */
  srcPort = 0;
  dstPort = 0;
  /** ICMP; 0 for other protocols. The identifier is that of a query: in an error these bytes mean something else. */
  icmpType = 0;
  icmpCode = 0;
  icmpIdentifier = 0;
  /** TCP flags byte (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32). */
  flags = 0;
  seq = 0;
  ack = 0;
  /** TCP window as on the wire, not scaled. */
  window = 0;

  // Set by the stages.
  /** The source that NAT inside-to-outside writes, address and port as in `PacketEnds`. */
  globalSrc = 0;
  globalSrcPort = 0;
  /** Some byte differs from what arrived: the edge must send the payload back. */
  modified = false;
}
