import { describe, expect, test } from 'vitest';
import { countedSince, parseIpCounters, readIpCounters } from '../../src/host/ip-counters.js';

const OLD = `Ip: Forwarding DefaultTTL InReceives ForwDatagrams OutRequests
Ip: 1 64 900 300 450
IcmpMsg: InType8 OutType0
IcmpMsg: 4 4
IpExt: InNoRoutes InMcastPkts
IpExt: 2 7
`;

describe('counters of the kernel', () => {
  test('have their values by name, and what is forwarded was not sent by this box', () => {
    expect(parseIpCounters(OLD)).toMatchObject({
      IpInReceives: 900,
      IpForwDatagrams: 300,
      IpOutRequests: 150,
      IcmpMsgInType8: 4,
      IpExtInNoRoutes: 2,
      IpExtInMcastPkts: 7,
    });
  });

  test('of a kernel that counts transmissions apart need no correction', () => {
    const text = 'Ip: ForwDatagrams OutRequests OutTransmits\nIp: 300 150 450\n';
    expect(parseIpCounters(text)['IpOutRequests']).toBe(150);
  });

  test('since a moment are differences; a counter that came later counts from 0', () => {
    expect(countedSince({ a: 5, b: 9 }, { a: 7, b: 3, c: 2 })).toEqual({ a: 2, b: 0, c: 2 });
  });

  test('of this kernel can be read', () => {
    const counters = readIpCounters();
    for (const name of ['IpInReceives', 'IpOutRequests', 'IcmpInMsgs', 'UdpNoPorts', 'TcpInSegs', 'IpExtInBcastPkts'])
      expect([name, counters[name]]).toEqual([name, expect.any(Number)]);
  });
});
