/** `show interfaces`, `show version`, `show ip route`, `show logging`, `show processes cpu`. */
import type { InterfaceSnapshot, SystemSnapshot } from '../../core/state/snapshot.js';
import type { LoggingConfig, RouterConfig, Severity } from '../config/model.js';
import type { LogView } from '../exec/router.js';
import { prefixLength } from '../ipv4-text.js';
import { nameOf, SEVERITIES } from '../number-names.js';
import { NO_TRAFFIC } from '../show/interfaces.js';
import { routingTable } from '../show/ip-route.js';
import { linkState } from '../show/link-state.js';
import { address, type Json, seconds } from './json.js';

/** @param only the name of one interface; undefined: all */
export function interfacesJson(config: RouterConfig, live: readonly InterfaceSnapshot[], only?: string): Json {
  const wanted = config.interfaces.filter((i) => only === undefined || i.name === only);
  return {
    interfaces: wanted.map((i) => {
      const c: Omit<InterfaceSnapshot, 'name'> = live.find((l) => l.name === i.name) ?? NO_TRAFFIC;
      const { link, protocol } = linkState(i, live);
      const primary = i.addresses[0];
      return {
        name: i.name,
        link,
        lineProtocol: protocol,
        description: i.description ?? null,
        address: address(primary?.address),
        prefixLength: primary === undefined ? null : prefixLength(primary.mask),
        hardwareAddress: c.hardwareAddress ?? null,
        mtuBytes: c.mtu,
        kilobitsPerSecond: c.kbits,
        lastInputSeconds: seconds(c.lastInputAgo),
        lastOutputSeconds: seconds(c.lastOutputAgo),
        inputBitsPerSecond: c.bitsPerSecondIn,
        inputPacketsPerSecond: c.packetsPerSecondIn,
        outputBitsPerSecond: c.bitsPerSecondOut,
        outputPacketsPerSecond: c.packetsPerSecondOut,
        inputPackets: c.packetsIn,
        inputBytes: c.bytesIn,
        inputErrors: c.errorsIn,
        inputDrops: c.dropsIn,
        outputPackets: c.packetsOut,
        outputBytes: c.bytesOut,
        outputErrors: c.errorsOut,
        outputDrops: c.dropsOut,
      };
    }),
  };
}

export function versionJson(config: RouterConfig, system: SystemSnapshot): Json {
  const memory = system.memory();
  return {
    hostname: config.hostname,
    release: system.release,
    iosVersion: config.version,
    uptimeSeconds: seconds(system.uptimeMs()),
    returnedBy: system.wasReloaded?.() === true ? 'reload' : 'power-on',
    memoryTotalBytes: memory.total,
    memoryUsedBytes: memory.used,
  };
}

export function processorJson(system: SystemSnapshot): Json {
  const { fiveSeconds, oneMinute, fiveMinutes, runtimeMs } = system.cpu();
  return {
    fiveSecondsPercent: fiveSeconds,
    oneMinutePercent: oneMinute,
    fiveMinutesPercent: fiveMinutes,
    runtimeSeconds: seconds(runtimeMs),
  };
}

export function routesJson(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped?: ReadonlySet<string>,
): Json {
  const routes = routingTable(config, live, mapped);
  return {
    gatewayOfLastResort: routes.find((r) => r.mask === 0)?.gateway ?? null,
    routes: routes.map((r) => ({
      source: r.code === 'C' ? 'connected' : 'static',
      prefix: `${address(r.prefix)}/${prefixLength(r.mask)}`,
      distance: r.distance,
      nextHops: r.hops.map((h) => ({ address: address(h.nextHop), interface: h.interfaceName ?? null })),
    })),
  };
}

export function loggingJson(logging: LoggingConfig, log: LogView): Json {
  const counts = log.counts();
  const to = (level: Severity | undefined, messages: number): Json => ({
    level: level === undefined ? null : nameOf(SEVERITIES, level),
    messages,
  });
  return {
    on: logging.on,
    console: to(logging.console, counts.console),
    monitor: to(logging.monitor, counts.monitor),
    buffer: to(logging.buffered, counts.buffer),
    trap: to(logging.trap, counts.trap),
    hosts: logging.hosts.map((h) => address(h)),
    servers: logging.servers.map((s) => ({ address: address(s.address), transport: s.transport, port: s.port })),
    droppedMessages: counts.dropped,
    suppressedMessages: counts.rateLimited,
    bufferBytes: logging.bufferSize,
    lines: logging.buffered === undefined ? [] : [...log.lines()],
  };
}
