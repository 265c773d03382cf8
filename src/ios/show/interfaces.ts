/** `show interfaces [NAME]` as a 3640 with Ethernet and serial modules prints it (reference §10). */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { InterfaceConfig, RouterConfig } from '../config/model.js';
import { formatAddress, prefixLength } from '../ipv4-text.js';
import { age } from './duration.js';
import { linkState } from './link-state.js';

/** What the hardware of each kind of interface is called, and its figures where Linux has none. */
interface Kind {
  hardware: string;
  encapsulation: string;
  delayUsec: number;
  kbits: number;
  ethernet: boolean;
  /** Bytes, where no Linux interface is bound. */
  mtu: number;
  keepalive: string | undefined;
  /** What follows duplex and speed on a line of their own; undefined: this kind has no such line. */
  media?: string;
}

const KEEPALIVE = 'Keepalive set (10 sec)';
const ETHERNET: Kind = {
  hardware: 'AmdP2',
  encapsulation: 'ARPA',
  delayUsec: 1000,
  kbits: 10_000,
  ethernet: true,
  mtu: 1500,
  keepalive: KEEPALIVE,
};
const VIRTUAL = { ethernet: false, mtu: 1514 };
const KINDS: readonly (readonly [string, Kind])[] = [
  ['Ethernet', ETHERNET],
  ['FastEthernet', { ...ETHERNET, hardware: 'AmdFE', delayUsec: 100, kbits: 100_000, media: ', 100BaseTX/FX' }],
  [
    'GigabitEthernet',
    { ...ETHERNET, hardware: 'BCM1125 Internal MAC', delayUsec: 10, kbits: 1_000_000, media: ', media type is RJ45' },
  ],
  [
    'Loopback',
    {
      ...VIRTUAL,
      hardware: 'Loopback',
      encapsulation: 'LOOPBACK',
      delayUsec: 5000,
      kbits: 8_000_000,
      keepalive: undefined,
    },
  ],
  [
    'Tunnel',
    {
      ...VIRTUAL,
      hardware: 'Tunnel',
      encapsulation: 'TUNNEL',
      delayUsec: 500_000,
      kbits: 9,
      keepalive: 'Keepalive not set',
    },
  ],
  [
    '',
    {
      hardware: 'PowerQUICC Serial',
      encapsulation: 'HDLC',
      delayUsec: 20_000,
      kbits: 1544,
      ethernet: false,
      mtu: 1500,
      keepalive: KEEPALIVE,
    },
  ],
];

/** An interface without a device: nothing is up and nothing counted. */
export const NO_TRAFFIC: Omit<InterfaceSnapshot, 'name'> = {
  lineUp: false,
  mtu: 1500,
  kbits: 0,
  halfDuplex: false,
  packetsIn: 0,
  bytesIn: 0,
  broadcastsIn: 0,
  errorsIn: 0,
  dropsIn: 0,
  packetsOut: 0,
  bytesOut: 0,
  errorsOut: 0,
  dropsOut: 0,
  collisions: 0,
  bitsPerSecondIn: 0,
  packetsPerSecondIn: 0,
  bitsPerSecondOut: 0,
  packetsPerSecondOut: 0,
};

export function showInterfaces(config: RouterConfig, live: readonly InterfaceSnapshot[], only?: string): string {
  return config.interfaces
    .filter((i) => only === undefined || i.name === only)
    .map((i) => `${describe(i, live).join('\n')}\n`)
    .join('');
}

function describe(i: InterfaceConfig, live: readonly InterfaceSnapshot[]): string[] {
  const found = live.find((l) => l.name === i.name);
  const kind = KINDS.find(([type]) => i.name.startsWith(type))![1];
  const c = found ?? { ...NO_TRAFFIC, mtu: kind.mtu, name: i.name };
  const { link, protocol } = linkState(i, live);
  const mac = c.hardwareAddress === undefined ? '' : `, address is ${c.hardwareAddress} (bia ${c.hardwareAddress})`;
  const primary = i.addresses[0];
  const kbits = found === undefined ? kind.kbits : c.kbits;
  const ago = (ms: number | undefined): string => (ms === undefined ? 'never' : age(ms));
  return [
    `${i.name} is ${link}, line protocol is ${protocol}`,
    `  Hardware is ${kind.hardware}${mac}`,
    ...(i.description === undefined ? [] : [`  Description: ${i.description}`]),
    ...(primary === undefined
      ? []
      : [`  Internet address is ${formatAddress(primary.address)}/${prefixLength(primary.mask)}`]),
    `  MTU ${c.mtu} bytes, BW ${kbits} Kbit, DLY ${kind.delayUsec} usec,`,
    `     reliability 255/255, txload ${load(c.bitsPerSecondOut, kbits)}/255, rxload ${load(c.bitsPerSecondIn, kbits)}/255`,
    `  Encapsulation ${kind.encapsulation}, loopback not set`,
    ...(kind.keepalive === undefined ? [] : [`  ${kind.keepalive}`]),
    // The AmdP2 of an Ethernet module does not tell its duplex mode.
    ...(kind.media === undefined
      ? []
      : [`  ${c.halfDuplex ? 'Half' : 'Full'}-duplex, ${kbits / 1000}Mb/s${kind.media}`]),
    ...(kind.ethernet ? ['  ARP type: ARPA, ARP Timeout 04:00:00'] : []),
    `  Last input ${ago(c.lastInputAgo)}, output ${ago(c.lastOutputAgo)}, output hang never`,
    '  Last clearing of "show interface" counters never',
    `  Input queue: 0/75/${c.dropsIn}/0 (size/max/drops/flushes); Total output drops: ${c.dropsOut}`,
    '  Queueing strategy: fifo',
    '  Output queue: 0/40 (size/max)',
    `  5 minute input rate ${c.bitsPerSecondIn} bits/sec, ${c.packetsPerSecondIn} packets/sec`,
    `  5 minute output rate ${c.bitsPerSecondOut} bits/sec, ${c.packetsPerSecondOut} packets/sec`,
    `     ${c.packetsIn} packets input, ${c.bytesIn} bytes, 0 no buffer`,
    `     Received ${c.broadcastsIn} broadcasts, 0 runts, 0 giants, 0 throttles`,
    `     ${c.errorsIn} input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored${kind.ethernet ? '' : ', 0 abort'}`,
    ...(kind.ethernet ? ['     0 input packets with dribble condition detected'] : []),
    `     ${c.packetsOut} packets output, ${c.bytesOut} bytes, 0 underruns`,
    `     ${c.errorsOut} output errors, ${c.collisions} collisions, 1 interface resets`,
    ...(kind.ethernet ? ['     0 babbles, 0 late collision, 0 deferred', '     0 lost carrier, 0 no carrier'] : []),
    '     0 output buffer failures, 0 output buffers swapped out',
  ];
}

/** Load in 255ths of the bandwidth; IOS shows 1 for an idle line. */
const load = (bits: number, kbits: number): number =>
  Math.min(255, Math.max(1, Math.round((bits * 255) / Math.max(1, kbits * 1000))));
