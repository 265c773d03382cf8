/** A HostSystem whose programs and sysctls are those of a namespace of the lab, for tests of host setup itself. */
import { HostError, type HostSystem } from '../../../src/host/host-system.js';
import type { Host, Lab } from './lab.js';

/** @param path put before PATH, to choose another variant of iptables */
export function systemOf(lab: Lab, host: Host, path = ''): HostSystem {
  const env = `PATH=${path}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return {
    run(program, args, input) {
      const done = lab.exec(host, 'env', [env, program, ...args], input);
      if (done.code !== 0) throw new HostError(`${program} ${args.join(' ')}: ${done.stderr}\n${input ?? ''}`);
      return done.stdout;
    },
    start: (program, args) => Promise.resolve(lab.run(host, 'env', [env, program, ...args])),
    readSysctl(key) {
      const done = lab.exec(host, 'cat', [`/proc/sys/${key}`]);
      return done.code === 0 ? done.stdout.trim() : undefined;
    },
    writeSysctl: (key, value) => void lab.run(host, 'tee', [`/proc/sys/${key}`], value),
    devices: () =>
      lab
        .run(host, 'ls', ['/proc/sys/net/ipv4/conf'])
        .split(/\s+/)
        .filter((name) => !['', 'all', 'default'].includes(name)),
    hasIpv6: () => lab.exec(host, 'test', ['-d', '/proc/sys/net/ipv6']).code === 0,
  };
}
