/** Host setup on a real kernel: what it changes, that it undoes exactly that, and what a crash leaves. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HostSetup } from '../../src/host/host-setup.js';
import type { HostSystem } from '../../src/host/host-system.js';
import { address, BINDINGS, routerConfig } from '../support/router-config.js';
import { Lab } from './support/lab.js';
import { systemOf } from './support/netns-system.js';

const OPTIONS = { queue: 0, failOpen: false };

/** All that host setup may touch, as text: equal before and after means that nothing is left. */
const fingerprint = (system: HostSystem): string =>
  system.run('sh', [
    '-c',
    `cd /proc/sys/net/ipv4/conf
     for name in rp_filter accept_local accept_source_route send_redirects accept_redirects arp_announce proxy_arp forwarding
     do grep . */$name; done
     iptables -t raw -S; iptables -t mangle -S; iptables -S; ip6tables -S
     ip -4 -brief address; ip -4 route; ip -4 rule; ip -brief link`,
  ]);

let lab: Lab;
let system: HostSystem;
let journal: string;
let empty: string;

const apply = (config = routerConfig(), options = OPTIONS) =>
  new HostSetup(system, journal).apply(config, BINDINGS, options);

/** A lab for the tests of one describe, in whose router `iptables` is that variant. */
function labWith(variant: 'nft' | 'legacy'): void {
  beforeAll(() => {
    lab = Lab.up();
    const bin = join(lab.folder, 'bin');
    mkdirSync(bin);
    for (const program of ['iptables', 'ip6tables'])
      for (const suffix of ['', '-restore', '-save'])
        symlinkSync(`/usr/sbin/${program}-${variant}${suffix}`, join(bin, `${program}${suffix}`));
    system = systemOf(lab, 'router', bin);
    journal = join(lab.folder, 'state/net-1/state.json');
    system.writeSysctl('net/ipv4/conf/all/rp_filter', '1'); // as many distributions have it
    empty = fingerprint(system);
  });
  afterAll(() => lab.down());
  beforeEach(() => HostSetup.cleanup(system, journal));
}

describe.each(['nft', 'legacy'] as const)('with iptables-%s', (variant) => {
  labWith(variant);

  test('the router has its addresses, answers ARP for the inside global ones, and drops all while nobody inspects', () => {
    expect(apply()).toEqual([]);
    expect(system.run('ip', ['-4', '-brief', 'address', 'show', 'dev', 'outside'])).toContain(
      '172.22.1.16/24 172.22.1.110/32 172.22.1.111/32',
    );
    expect(system.run('ip', ['route', 'get', '198.51.100.1'])).toContain('via 172.22.1.1 dev outside src 172.22.1.16');
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '172.22.1.110']).code).not.toBe(0);
    expect(lab.run('outside', 'ip', ['neigh', 'show', '172.22.1.110'])).toMatch(/lladdr/);
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '10.10.10.2']).code).not.toBe(0);
    expect(system.readSysctl('net/ipv4/conf/outside/forwarding')).toBe('1');
    // What the queue rule dropped was seen by it: that is why the pings failed.
    expect(system.run('iptables', ['-t', 'raw', '-L', 'FW3640', '-v', '-n', '-x'])).toMatch(/^\s+[1-9]\d* .*NFQUEUE/m);
  });

  test('undo leaves exactly what was there, a route of two hops and one to nowhere included', () => {
    const setup = new HostSetup(system, journal);
    const config = routerConfig((c) => {
      const to = { prefix: address('192.168.6.0'), mask: -256, distance: 9 };
      c.routes.push({ ...to, nextHop: address('10.10.10.2') }, { ...to, nextHop: address('10.10.10.5') });
      c.routes.push({ prefix: address('192.168.0.0'), mask: -65536, distance: 1, interfaceName: 'Null0' });
    });
    setup.apply(config, BINDINGS, OPTIONS);
    setup.apply(config, BINDINGS, OPTIONS); // and nothing is added twice
    expect(
      system
        .run('ip', ['route', 'show', '192.168.6.0/24'])
        .replace(/( weight 1)?\s+/g, ' ')
        .trim(),
    ).toBe('192.168.6.0/24 proto static metric 9 nexthop via 10.10.10.2 dev inside nexthop via 10.10.10.5 dev inside');
    setup.undo();
    expect(fingerprint(system)).toBe(empty);
    expect(existsSync(journal)).toBe(false);
  });

  test('the start after a crash takes over, drops what is no longer configured, and its undo is complete', () => {
    apply(); // and never undone: a crash
    const second = new HostSetup(system, journal);
    const notes = second.apply(
      routerConfig((c) => {
        c.nat.staticEntries.pop();
        c.routes = [];
      }),
      BINDINGS,
      { queue: 5, failOpen: false },
    );
    expect(notes.map((n) => n.text)).toEqual(['taking over from a run that did not end in order']);
    expect(system.run('ip', ['-4', '-brief', 'address', 'show', 'dev', 'outside'])).not.toContain('172.22.1.111');
    expect(system.run('iptables', ['-t', 'raw', '-S']).match(/NFQUEUE|-j FW3640/g)).toHaveLength(3);
    expect(system.run('iptables', ['-t', 'raw', '-S'])).toContain('--queue-num 5');
    expect(system.readSysctl('net/ipv4/conf/all/rp_filter')).toBe('0');
    second.undo();
    expect(fingerprint(system)).toBe(empty);
  });
});

describe('with a host that has a life of its own', () => {
  labWith('nft');

  test('fail-open lets packets through while nobody inspects, and says so', () => {
    const notes = apply(routerConfig(), { queue: 0, failOpen: true });
    expect(notes.map((n) => n.text).join()).toContain('fail-open');
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '10.10.10.2']).code).toBe(0);
  });

  test('what was there before stays, and what somebody else changed meanwhile is left to them', () => {
    system.run('ip', ['address', 'add', '172.22.1.16/24', 'dev', 'outside']);
    system.run('iptables', ['-t', 'raw', '-A', 'PREROUTING', '-i', 'nosuch', '-j', 'DROP']);
    const before = fingerprint(system);
    const setup = new HostSetup(system, journal);
    setup.apply(routerConfig(), BINDINGS, OPTIONS);
    system.writeSysctl('net/ipv4/conf/inside/accept_redirects', '1');
    setup.undo();
    expect(fingerprint(system)).toBe(before);
    system.run('iptables', ['-t', 'raw', '-D', 'PREROUTING', '-i', 'nosuch', '-j', 'DROP']);
    system.run('ip', ['address', 'del', '172.22.1.16/24', 'dev', 'outside']);
  });

  test('cleanup removes what a crash left, once', async () => {
    apply();
    expect(await HostSetup.cleanup(system, journal)).toContain('rules ipv4');
    expect(fingerprint(system)).toBe(empty);
    expect(await HostSetup.cleanup(system, journal)).toEqual([]);
  });

  test('a refusal half way is undone, and the message has the command and the reason', () => {
    const broken: HostSystem = {
      ...system,
      run: (program, args, input) =>
        system.run(program, args, args[0] === '-batch' ? input?.replace(/^(route add .*)$/m, '$1 dev nosuch') : input),
    };
    expect(() => new HostSetup(broken, journal).apply(routerConfig(), BINDINGS, OPTIONS)).toThrow(
      /ip -batch .*"nosuch".*Command failed -:5\n.*route add .*nosuch/s,
    );
    expect(fingerprint(system)).toBe(empty);
  });

  test('a refusal after a crash keeps the rules: nothing passes', () => {
    apply();
    const broken: HostSystem = {
      ...system,
      run: (program, args, input) => {
        if (program === 'iptables-restore') throw new Error('no');
        return system.run(program, args, input);
      },
    };
    expect(() => new HostSetup(broken, journal).apply(routerConfig(), BINDINGS, OPTIONS)).toThrow('no');
    expect(system.run('iptables', ['-t', 'raw', '-S'])).toContain('NFQUEUE');
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '10.10.10.2']).code).not.toBe(0);
  });

  test('what stands in the way is told: conntrack, a closed FORWARD, a better route, forwarding that was on', async () => {
    system.run('iptables', ['-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'ACCEPT']);
    system.run('iptables', ['-P', 'FORWARD', 'DROP']);
    system.run('ip', ['route', 'add', '198.51.100.0/24', 'dev', 'lo']);
    system.writeSysctl('net/ipv4/conf/inside/forwarding', '1');
    const notes = apply(
      routerConfig((c) => {
        c.routes = [{ ...c.routes[0]!, prefix: address('198.51.100.0'), mask: -256 }];
      }),
    );
    expect(notes.map((n) => n.text)).toEqual([
      expect.stringMatching(/^the kernel forwarded from inside before this start/),
      'the policy of iptables FORWARD is DROP: the router forwards only what a rule there accepts',
      expect.stringMatching(/^the kernel tracks connections here \(the rule '-A INPUT .*INVALID.*'\)/),
      "the route to 198.51.100.0/24 is shadowed by this host's own: 198.51.100.0/24 dev lo metric 0",
    ]);
    await HostSetup.cleanup(system, journal);
    expect(system.readSysctl('net/ipv4/conf/inside/forwarding')).toBe('1'); // as it was
    system.writeSysctl('net/ipv4/conf/inside/forwarding', '0');
    system.run('ip', ['route', 'del', '198.51.100.0/24']);
    system.run('iptables', ['-P', 'FORWARD', 'ACCEPT']);
    system.run('iptables', ['-F', 'INPUT']);
    expect(fingerprint(system)).toBe(empty);
  });

  test('a new configuration that the host refuses leaves the rules of the old one', () => {
    let refuse = false;
    const moody: HostSystem = {
      ...system,
      run: (program, args, input) => {
        if (refuse && program === 'ip' && args[0] === '-batch') throw new Error('no');
        return system.run(program, args, input);
      },
    };
    const setup = new HostSetup(moody, journal);
    setup.apply(routerConfig(), BINDINGS, OPTIONS);
    refuse = true;
    const other = routerConfig((c) => void (c.nat.staticEntries[1]!.insideGlobal += 1));
    expect(() => setup.apply(other, BINDINGS, OPTIONS)).toThrow('no');
    expect(system.run('iptables', ['-t', 'raw', '-S'])).toContain('NFQUEUE');
    refuse = false;
    setup.apply(other, BINDINGS, OPTIONS);
    expect(system.run('ip', ['-4', '-brief', 'address', 'show', 'dev', 'outside'])).toContain('172.22.1.112/32');
    setup.undo();
    expect(fingerprint(system)).toBe(empty);
  });

  test('a thousand addresses take no more programs than two, there and back', () => {
    let programs = 0;
    const counted: HostSystem = {
      ...system,
      run: (program, args, input) => {
        programs++;
        return system.run(program, args, input);
      },
    };
    const many = routerConfig((c) => {
      c.interfaces[0]!.addresses = [{ address: address('172.22.1.16'), mask: -65536 }];
      c.nat.staticEntries = Array.from({ length: 1200 }, (_, i) => ({
        insideLocal: address('10.10.20.0') + i,
        insideGlobal: address('172.22.20.0') + i,
      }));
    });
    const counts = [routerConfig(), many].map((config) => {
      programs = 0;
      const setup = new HostSetup(counted, journal);
      setup.apply(config, BINDINGS, OPTIONS);
      setup.undo();
      return programs;
    });
    expect(counts[1]).toBe(counts[0]);
    const setup = new HostSetup(system, journal);
    setup.apply(many, BINDINGS, OPTIONS);
    expect(system.run('ip', ['-4', 'address', 'show', 'dev', 'outside']).match(/172\.22\.2\d\.\d+\/32/g)).toHaveLength(
      1200,
    );
    setup.undo();
    expect(fingerprint(system)).toBe(empty);
  });

  describe('a change of the configuration', () => {
    let programs: string[];
    let setup: HostSetup;
    const outside = () => system.run('ip', ['-4', '-brief', 'address', 'show', 'dev', 'outside']);
    const change = (config = routerConfig()) => {
      programs = [];
      setup.change(config, BINDINGS, OPTIONS);
    };
    const moved = () => routerConfig((c) => void (c.nat.staticEntries[1]!.insideGlobal += 1));

    beforeEach(() => {
      programs = [];
      const seen: HostSystem = {
        ...system,
        run: (program, args, input) => {
          programs.push(program);
          return system.run(program, args, input);
        },
      };
      setup = new HostSetup(seen, journal);
      setup.apply(routerConfig(), BINDINGS, OPTIONS);
    });
    afterEach(() => {
      setup.undo();
      expect(fingerprint(system)).toBe(empty);
    });

    test('that does not concern the host runs no program', () => {
      change(routerConfig((c) => void (c.hostname = 'other')));
      expect(programs).toEqual([]);
    });

    test('that moves an inside global address, or a route, or a sysctl, runs what makes it and no other program', () => {
      change(moved());
      expect(programs).toEqual(['ip', 'ip']);
      expect(outside()).toMatch(/172\.22\.1\.110\/32 172\.22\.1\.112\/32\s*$/);
      change(routerConfig((c) => void (c.routes = [])));
      expect(system.run('ip', ['-4', 'route', 'show', 'default'])).toBe('');
      change(routerConfig((c) => void (c.interfaces[0]!.proxyArp = false)));
      expect(system.readSysctl('net/ipv4/conf/outside/proxy_arp')).toBe('0');
      expect(programs).toEqual(['ip']); // the route again
    });

    test.each([
      ['an address that was taken away', ['ip', 'address', 'del', '172.22.1.110/32', 'dev', 'outside']],
      ['a route that was taken away', ['ip', 'route', 'del', 'default']],
      ['rules that were flushed', ['iptables', '-t', 'raw', '-F', 'FW3640']],
      [
        'a rule that was put before ours',
        ['iptables', '-t', 'raw', '-I', 'PREROUTING', '-i', 'inside', '-j', 'ACCEPT'],
      ],
      ['forwarding that was turned off', ['sysctl', '-w', 'net.ipv4.conf.inside.forwarding=0']],
    ])('sees %s, and apply sets it right', async (_, [program, ...args]) => {
      setup.change(moved(), BINDINGS, OPTIONS);
      expect(await setup.holds()).toBe(true);
      system.run(program!, args);
      expect(await setup.holds()).toBe(false);
      setup.apply(moved(), BINDINGS, OPTIONS);
      expect(await setup.holds()).toBe(true);
      expect(system.run('ip', ['-4', 'route', 'show', 'default'])).not.toBe('');
      if (args.includes('ACCEPT')) system.run('iptables', ['-t', 'raw', '-D', ...args.slice(3)]);
    });

    test('that moves an address of an interface makes its routes again', () => {
      change(routerConfig((c) => void (c.interfaces[0]!.addresses[0]!.address += 1)));
      expect(outside()).toContain('172.22.1.17/24');
      expect(system.run('ip', ['-4', 'route', 'show', 'default'])).toContain('via 172.22.1.1 dev outside');
    });

    test('finds an address that somebody else has set already', () => {
      system.run('ip', ['address', 'add', '172.22.1.112/32', 'dev', 'outside']);
      change(moved());
      expect(outside()).toMatch(/172\.22\.1\.110\/32 172\.22\.1\.112\/32\s*$/);
    });
  });

  test('IPv6 does not cross the router', async () => {
    system.writeSysctl('net/ipv6/conf/all/forwarding', '1');
    for (const [device, own] of [
      ['outside', 'fd00:1::1'],
      ['inside', 'fd00:2::1'],
    ] as const)
      // prettier-ignore
      system.run('ip', ['-6', 'address', 'add', `${own}/64`, 'dev', device, 'nodad']);
    for (const [host, own, via] of [
      ['outside', 'fd00:1::2', 'fd00:1::1'],
      ['inside', 'fd00:2::2', 'fd00:2::1'],
    ] as const) {
      // prettier-ignore
      lab.run(host, 'ip', ['-6', 'address', 'replace', `${own}/64`, 'dev', 'eth0', 'nodad']);
      lab.run(host, 'ip', ['-6', 'route', 'replace', 'default', 'via', via]);
    }
    const ping = () => lab.exec('outside', 'ping', ['-6', '-c1', '-W1', 'fd00:2::2']).code;
    expect(ping()).toBe(0);
    apply();
    expect(ping()).not.toBe(0);
    await HostSetup.cleanup(system, journal);
    expect(ping()).toBe(0);
  });
});

describe('with a device that is replaced', () => {
  labWith('nft');

  test('a change of the configuration makes everything anew', () => {
    const setup = new HostSetup(system, journal);
    setup.apply(routerConfig(), BINDINGS, OPTIONS);
    system.run('ip', ['link', 'set', 'inside', 'name', 'gone']);
    system.run('ip', ['link', 'add', 'inside', 'type', 'veth', 'peer', 'name', 'peer']);
    const before = setup.link('inside')?.index;
    setup.change(routerConfig(), BINDINGS, OPTIONS);
    expect(system.run('ip', ['-4', '-brief', 'address', 'show', 'dev', 'inside'])).toContain('10.10.10.1/24');
    expect(system.readSysctl('net/ipv4/conf/inside/forwarding')).toBe('1');
    expect(setup.link('inside')?.index).not.toBe(before);
  });
});
