// A configuration of about so many lines, as a router has it that has grown for years: half a numbered access list, a
// fifth static translations, a fifth a named list with remarks, the rest routes, dial peers and lines without effect.
const ip = (...parts) => parts.reduce((address, part) => (address << 8) | part, 0);
const dotted = (a) => `${a >>> 24}.${(a >>> 16) & 255}.${(a >>> 8) & 255}.${a & 255}`;
const times = (n, line) => Array.from({ length: Math.floor(n) }, (_, i) => line(i)).flat();

const HEAD = `hostname bench
ip inspect name IN-OUT tcp
ip inspect name IN-OUT udp
ip inspect name IN-OUT icmp
ip inspect name OUT-IN smtp
interface Ethernet2/0
 ip address 172.22.1.16 255.255.0.0
 ip access-group 101 in
 ip nat outside
 ip inspect OUT-IN in
interface Ethernet2/1
 ip address 10.10.10.1 255.255.0.0
 ip nat inside
 ip inspect IN-OUT in`.split('\n');

/** Entry `i` of the list that packets from outside meet. None lets SYN to port 81 in. */
export function entry(i) {
  const host = dotted(ip(172, 22, 64, 0) + (i >> 1));
  const peer = dotted(ip(198, 51, 0, 0) + i * 7);
  return [
    `permit tcp any host ${host} eq ${[25, 80, 443, 110, 22][i % 5]}`,
    `permit udp ${peer} 0.0.0.255 host ${host} eq domain`,
    `deny ip host ${peer} any log`,
    `permit tcp host ${peer} host ${host} range 1024 ${2000 + i}`,
  ][i % 4];
}

export const translation = (i) => {
  const [local, global] = [dotted(ip(10, 10, 20, 1) + i), dotted(ip(172, 22, 64, 2) + i)];
  return `ip nat inside source static ${i % 3 === 0 ? `tcp ${local} 25 ${global} 25` : `${local} ${global}`}`;
};

export const configuration = (lines) =>
  [
    ...HEAD,
    '!',
    ...times(lines * 0.02, (i) =>
      i % 2 === 0 ? `ntp server ${dotted(ip(10, 2, 0, 0) + i)}` : `ip host h${i} 10.1.1.1`,
    ),
    ...times(lines * 0.05, (i) => `ip route ${dotted(ip(192, 168, 0, 0) + (i << 4))} 255.255.255.240 172.22.1.10`),
    ...times(lines * 0.2, translation),
    'ip access-list extended NAMED',
    ...times(lines * 0.2, (i) =>
      i % 10 === 0 ? ` remark part ${i}` : ` permit tcp any host ${dotted(ip(172, 22, 32, 0) + i)} eq 443`,
    ),
    ...times(lines * 0.48, (i) => `access-list 101 ${entry(i)}`),
    ...times(lines * 0.017, (i) => [
      `dial-peer voice ${i + 1} pots`,
      ` destination-pattern ${1000 + i}`,
      ' port 1/0/0',
    ]),
    'end',
    '',
  ].join('\n');
