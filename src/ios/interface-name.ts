/** Names of interfaces as IOS writes them: Ethernet2/0, Serial0/0.1, Loopback0. */

/** In the order in which an abbreviation is tried. */
export const INTERFACE_TYPES: readonly { name: string; help: string }[] = [
  { name: 'Ethernet', help: 'IEEE 802.3' },
  { name: 'FastEthernet', help: 'FastEthernet IEEE 802.3' },
  { name: 'GigabitEthernet', help: 'GigabitEthernet IEEE 802.3z' },
  { name: 'Serial', help: 'Serial' },
  { name: 'Loopback', help: 'Loopback interface' },
  { name: 'Tunnel', help: 'Tunnel interface' },
  { name: 'Dialer', help: 'Dialer interface' },
  { name: 'BRI', help: 'ISDN Basic Rate Interface' },
  { name: 'ATM', help: 'ATM interface' },
  { name: 'Async', help: 'Async interface' },
  { name: 'BVI', help: 'Bridge-Group Virtual Interface' },
  { name: 'Group-Async', help: 'Async Group interface' },
  { name: 'Hssi', help: 'High Speed Serial Interface' },
  { name: 'Multilink', help: 'Multilink-group interface' },
  { name: 'Null', help: 'Null interface' },
  { name: 'POS', help: 'Packet over Sonet' },
  { name: 'Port-channel', help: 'Ethernet Channel of interfaces' },
  { name: 'TokenRing', help: 'IEEE 802.5' },
  { name: 'Virtual-Template', help: 'Virtual Template interface' },
  { name: 'Vlan', help: 'Catalyst Vlans' },
  { name: 'TenGigabitEthernet', help: 'Ten Gigabit Ethernet' },
  { name: 'Dot11Radio', help: 'Dot11 interface' },
  { name: 'Virtual-PPP', help: 'Virtual PPP interface' },
  { name: 'Virtual-TokenRing', help: 'Virtual TokenRing' },
  { name: 'Virtual-Access', help: 'Virtual Access interface' },
  { name: 'Fddi', help: 'Fiber Distributed Data Interface' },
  { name: 'MFR', help: 'Multilink Frame Relay bundle interface' },
  { name: 'CTunnel', help: 'CTunnel interface' },
  { name: 'Lex', help: 'Lex interface' },
  { name: 'Channel', help: 'Channel interface' },
  { name: 'Service-Engine', help: 'Network service engine module' },
  { name: 'Integrated-Service-Engine', help: 'Integrated service engine module' },
  { name: 'Embedded-Service-Engine', help: 'Embedded service engine module' },
  { name: 'Content-Engine', help: 'Content engine module' },
  { name: 'Analysis-Module', help: 'Network analysis module' },
  { name: 'IDS-Sensor', help: 'Intrusion detection sensor module' },
  { name: 'NVI', help: 'NAT virtual interface' },
  { name: 'Cellular', help: 'Cellular modem interface' },
  { name: 'Cable-Modem', help: 'Cable modem interface' },
  { name: 'Wlan-GigabitEthernet', help: 'Link to the embedded access point' },
  { name: 'wlan-ap', help: 'Embedded access point' },
  { name: 'Bundle', help: 'Bundle of cable interfaces' },
  { name: 'Pos-channel', help: 'POS channel of interfaces' },
  { name: 'SDCC', help: 'Section data communications channel' },
  { name: 'vmi', help: 'Virtual multipoint interface' },
  { name: 'VoIP-Null', help: 'VoIP null interface' },
  { name: 'Modular-Cable', help: 'Wideband cable interface' },
  { name: 'FCPA', help: 'Fiber channel' },
  { name: 'Filter', help: 'Filter interface' },
  { name: 'Filtergroup', help: 'Filter group interface' },
];

/**
 * Spells out an interface name: `e2/0`, `Eth 2/0` (without the blank) and `ethernet2/0` are Ethernet2/0.
 * @returns the canonical name, or undefined where the text is no interface name
 */
export function canonicalInterface(text: string): string | undefined {
  const parts = /^(dot11radio|[a-z][a-z-]*)(\d+(?:\/\d+)*(?:\.\d+)?(?::\d+)?)$/i.exec(text);
  if (parts === null) return undefined;
  const typed = parts[1]!.toLowerCase();
  const type = INTERFACE_TYPES.find((t) => t.name.toLowerCase().startsWith(typed));
  return type === undefined ? undefined : type.name + parts[2]!;
}
