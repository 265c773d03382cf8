/** The router's interfaces as the pipeline has them: by index, with numbers that sessions can remember. */
import { describe, expect, test } from 'vitest';
import { CompiledAccessList } from '../../src/core/acl/access-list.js';
import type { InterfacePolicy } from '../../src/core/policy.js';
import { Ports } from '../../src/core/ports.js';

const itf = (name: string, more: Partial<InterfacePolicy> = {}): InterfacePolicy => ({
  name,
  adjustMss: 0,
  unreachables: true,
  ...more,
});
const NO_LISTS = new Map<string, CompiledAccessList>();
const portsOf = (...interfaces: InterfacePolicy[]): Ports => {
  const ports = new Ports();
  ports.configure(interfaces, NO_LISTS);
  return ports;
};
const numbers = (ports: Ports, count: number): (number | undefined)[] =>
  Array.from({ length: count }, (_, i) => ports.at(i)?.number);

test('an interface has its policy, the side of NAT and the lists that are applied and defined', () => {
  const inbound = new CompiledAccessList('101', []);
  const outbound = new CompiledAccessList('102', []);
  const outside = itf('Ethernet2/0', { nat: 'outside', accessGroupIn: '101', accessGroupOut: '102', adjustMss: 900 });
  const inside = itf('Ethernet2/1', { nat: 'inside', accessGroupIn: '103' });
  const lists = new Map([
    ['101', inbound],
    ['102', outbound],
  ]);
  const ports = new Ports();
  ports.configure([outside, inside, itf('Serial2/0')], lists);
  const none = { outside: false, inside: false, aclIn: undefined, aclOut: undefined, adjustMss: 0, mtu: 1500 };
  expect(ports.at(0)).toEqual({ ...none, policy: outside, number: 1, outside: true, aclIn: inbound, aclOut: outbound, adjustMss: 900 }); // prettier-ignore
  expect(ports.at(1)).toEqual({ ...none, policy: inside, number: 2, inside: true });
  expect(ports.at(2)).toEqual({ ...none, policy: itf('Serial2/0'), number: 3 });
  expect([ports.at(3), ports.at(-1), ports.at(-2)]).toEqual([undefined, undefined, undefined]);
});

describe('the number of an interface', () => {
  test('stays when others come and go, and is given to no other one', () => {
    const ports = portsOf(itf('A'), itf('B'));
    ports.configure([itf('C'), itf('B')], NO_LISTS);
    expect(numbers(ports, 2)).toEqual([3, 2]);
    ports.configure([itf('A'), itf('D')], NO_LISTS);
    expect(numbers(ports, 2)).toEqual([1, 4]);
    expect(ports.names).toEqual(['A', 'B', 'C', 'D']);
  });

  test('is that which saved sessions know it by', () => {
    const ports = new Ports();
    ports.restore(['B', 'X', 'A']);
    ports.configure([itf('A'), itf('B'), itf('C')], NO_LISTS);
    expect(numbers(ports, 3)).toEqual([3, 1, 4]);
    expect(ports.names).toEqual(['B', 'X', 'A', 'C']);
  });

  test('fits into 16 bits, however many names were typed', () => {
    const ports = new Ports();
    ports.restore(Array.from({ length: 0xffff - 1 }, (_, i) => `Loopback${i}`));
    ports.configure([itf('A'), itf('B'), itf('C')], NO_LISTS);
    expect(numbers(ports, 3)).toEqual([0xffff, 0xffff, 0xffff]);
  });
});

describe('MTUs', () => {
  const mtus = (ports: Ports): (number | undefined)[] => [ports.at(0)?.mtu, ports.at(1)?.mtu, ports.leastMtu];

  test('are 1500 bytes where it is not told, and the least is that of any link', () => {
    const ports = portsOf(itf('A'), itf('B'));
    expect(mtus(ports)).toEqual([1500, 1500, 1500]);
    ports.setMtus(new Map([['B', 1400]]));
    expect(mtus(ports)).toEqual([1500, 1400, 1400]);
    ports.setMtus(new Map([['A', 9000], ['B', 4000]])); // prettier-ignore
    expect(mtus(ports)).toEqual([9000, 4000, 4000]);
    ports.setMtus(new Map());
    expect(mtus(ports)).toEqual([1500, 1500, 1500]);
  });

  test('stay with the interface in another configuration', () => {
    const ports = portsOf(itf('A'), itf('B'));
    ports.setMtus(new Map([['B', 1400]]));
    ports.configure([itf('B'), itf('C')], NO_LISTS);
    expect(mtus(ports)).toEqual([1400, 1500, 1400]);
    ports.configure([itf('A'), itf('C')], NO_LISTS);
    expect(mtus(ports)).toEqual([1500, 1500, 1500]);
  });
});

test('segments are clamped as long as some interface says so', () => {
  const ports = portsOf(itf('A'), itf('B'));
  expect(ports.clampMss).toBe(false);
  ports.configure([itf('A'), itf('B', { adjustMss: 1452 })], NO_LISTS);
  expect(ports.clampMss).toBe(true);
  ports.configure([itf('A')], NO_LISTS);
  expect(ports.clampMss).toBe(false);
});
