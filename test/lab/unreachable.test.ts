/**
 * What leads to an interface that Linux does not have, to Null0 or to nothing leaves by no other way, with the kernel's
 * own default route in place; a recursive route is one.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dotted } from '../support/packets.js';
import { configVariant, fw3640, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { Wire } from './support/wire.js';

const LINES = `interface Ethernet2/2
 ip address 10.99.0.1 255.255.255.0
interface Tunnel0
 ip address 10.255.0.1 255.255.255.252
ip route 10.50.0.0 255.255.0.0 Tunnel0
ip route 10.60.0.0 255.255.0.0 10.255.0.2
ip route 192.168.0.0 255.255.0.0 Null0
ip route 10.20.0.0 255.255.0.0 172.22.1.10
ip route 10.30.0.0 255.255.0.0 10.20.0.1`;
const NOWHERE = ['10.99.0.7', '10.99.0.1', '10.50.0.1', '10.60.0.1', '10.255.0.2', '192.168.7.7'];

let lab: Lab;
let router: Fw3640;
let config: string;
beforeEach(async () => {
  lab = Lab.up();
  lab.run('outside', 'ip', ['address', 'add', '172.22.1.1/24', 'dev', 'eth0']); // the default route's next hop
  config = configVariant(lab, ['ip http server', `ip http server\n${LINES}`]);
  router = await Fw3640.start(lab, { config });
});
afterEach(() => lab.down());

test('nothing of it is seen outside, the sender is told, the kernel has no way; a recursive route works', async () => {
  const wire = await Wire.tap(lab, 'outside', 'eth0', 'icmp');
  for (const address of NOWHERE) {
    // Errors are sent at most twice a second, so that one of three is answered.
    const { stdout } = lab.exec('inside', 'ping', ['-c3', '-i0.6', '-W1', address]);
    expect(stdout).toMatch(/From 10\.10\.10\.1 .*Destination Host Unreachable/);
    expect(lab.exec('router', 'ip', ['route', 'get', address]).code).not.toBe(0);
  }
  lab.run('outside', 'ip', ['address', 'add', '10.30.0.9/32', 'dev', 'lo']);
  expect(lab.exec('inside', 'ping', ['-c1', '-W2', '10.30.0.9']).stdout).toContain('1 received');
  const to = (p: Uint8Array): string => dotted(new DataView(p.buffer, p.byteOffset).getInt32(16));
  await wire.packet('the echo request', (p) => to(p) === '10.30.0.9'); // which was sent last
  const seen = wire.packets.map(to);
  expect(seen.filter((address) => NOWHERE.includes(address))).toEqual([]);
  await router.shows('show ip route', /^C {7}10\.99\.0\.0\/24 is directly connected, Null0$/m);
  await router.shows('show ip route', /^S {7}10\.30\.0\.0\/16 \[1\/0\] via 10\.20\.0\.1$/m);
  expect(
    fw3640(lab, 'check', '--config', config, '--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside')
      .stdout,
  ).toContain('Ethernet2/2 is mapped to no Linux interface: packets to 10.99.0.0/24 are dropped');
});
