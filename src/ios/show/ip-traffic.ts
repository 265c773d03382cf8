/**
 * `show ip traffic`, from what the kernel's IP stack and the engine count. Figures that neither counts (IP options,
 * ARP, failed encapsulations, TCP segments without a port) are left out with their lines: 0 would be a claim.
 */

/**
 * @param kernel counters by the kernel's names, since the router started. All of the box: its loopback and other
 *   interfaces too
 * @param dropped packets that the engine has dropped
 */
export function showIpTraffic(kernel: Readonly<Record<string, number>>, dropped: number): string {
  const n = (name: string): number => kernel[name] ?? 0;
  const icmpIn = (type: number): number => n(`IcmpMsgInType${type}`);
  const icmpOut = (type: number): number => n(`IcmpMsgOutType${type}`);
  const named = [5, 3, 8, 0, 17, 18, 4, 12, 13, 15, 10, 9].reduce((sum, type) => sum + icmpIn(type), 0);
  // The kernel counts an expired TTL, and a wrong checksum, among the errors of the header.
  const formatErrors = n('IpInHdrErrors') - n('IpExtInCsumErrors');
  const udpReceived = n('UdpInDatagrams') + n('UdpNoPorts') + n('UdpInErrors');
  return `IP statistics:
  Rcvd:  ${n('IpInReceives')} total, ${n('IpInDelivers')} local destination
         ${formatErrors} format errors, ${n('IpExtInCsumErrors')} checksum errors
         ${n('IpInUnknownProtos')} unknown protocol, ${n('IpInAddrErrors')} not a gateway
  Frags: ${n('IpReasmOKs')} reassembled, ${n('IpReasmTimeout')} timeouts, ${n('IpReasmFails')} couldn't reassemble
         ${n('IpFragOKs')} fragmented, ${n('IpFragFails')} couldn't fragment
  Bcast: ${n('IpExtInBcastPkts')} received, ${n('IpExtOutBcastPkts')} sent
  Mcast: ${n('IpExtInMcastPkts')} received, ${n('IpExtOutMcastPkts')} sent
  Sent:  ${n('IpOutRequests')} generated, ${n('IpForwDatagrams')} forwarded
  Drop:  ${n('IpOutNoRoutes') + n('IpExtInNoRoutes')} no route, ${dropped} forced drop

ICMP statistics:
  Rcvd: ${n('IcmpInErrors') - n('IcmpInCsumErrors')} format errors, ${n('IcmpInCsumErrors')} checksum errors, ${icmpIn(5)} redirects, ${icmpIn(3)} unreachable
        ${icmpIn(8)} echo, ${icmpIn(0)} echo reply, ${icmpIn(17)} mask requests, ${icmpIn(18)} mask replies, ${icmpIn(4)} quench
        ${icmpIn(12)} parameter, ${icmpIn(13)} timestamp, ${icmpIn(15)} info request, ${Math.max(0, n('IcmpInMsgs') - named)} other
        ${icmpIn(10)} irdp solicitations, ${icmpIn(9)} irdp advertisements
  Sent: ${icmpOut(5)} redirects, ${icmpOut(3)} unreachable, ${icmpOut(8)} echo, ${icmpOut(0)} echo reply
        ${icmpOut(17)} mask requests, ${icmpOut(18)} mask replies, ${icmpOut(4)} quench, ${icmpOut(13)} timestamp
        ${icmpOut(16)} info reply, ${icmpOut(11)} time exceeded, ${icmpOut(12)} parameter problem
        ${icmpOut(10)} irdp solicitations, ${icmpOut(9)} irdp advertisements

UDP statistics:
  Rcvd: ${udpReceived} total, ${n('UdpInCsumErrors')} checksum errors, ${n('UdpNoPorts')} no port
  Sent: ${n('UdpOutDatagrams')} total, 0 forwarded broadcasts

TCP statistics:
  Rcvd: ${n('TcpInSegs')} total, ${n('TcpInCsumErrors')} checksum errors
  Sent: ${n('TcpOutSegs')} total
`;
}
