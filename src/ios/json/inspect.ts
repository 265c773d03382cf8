/** `show ip inspect sessions`, `statistics`, `config`. */
import type { Reading } from '../../core/observe/row.js';
import type { InspectionSnapshot, RouterSnapshot, SessionSnapshot } from '../../core/state/snapshot.js';
import { protocolName } from '../config/acl-text.js';
import { effectiveInspection } from '../config/effective.js';
import type { RouterConfig } from '../config/model.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import { address, type Json, seconds } from './json.js';

export function sessionsJson(sessions: readonly SessionSnapshot[]): Json {
  return {
    sessions: sessions.map((s) => ({
      id: formatSessionId(s.id),
      service: s.service,
      protocol: protocolName(s.protocol),
      state: s.state,
      initiator: address(s.initiator),
      initiatorPort: s.initiatorPort,
      responder: address(s.responder),
      responderPort: s.responderPort,
      responderLocal: address(s.responderLocal),
      ageSeconds: seconds(s.createdAgo),
      idleSeconds: seconds(s.heardAgo),
      initiatorBytes: s.initiatorBytes,
      responderBytes: s.responderBytes,
    })),
  };
}

export function inspectStatisticsJson(config: RouterConfig, snapshot: RouterSnapshot): Json {
  const s = snapshot.inspection();
  const sessions = ([established, halfOpen, terminating]: InspectionSnapshot['current']): Json => ({
    established,
    halfOpen,
    terminating,
  });
  return {
    inspectedInterfaces: config.interfaces.filter((i) => i.inspectOrder > 0).length,
    packets: Object.fromEntries(s.packets),
    sessionsCreated: s.created,
    current: sessions(s.current),
    maximum: sessions(s.maximum),
    lastCreatedSeconds: seconds(s.lastCreatedAgo),
    lastResetSeconds: seconds(s.lastResetAgo),
    createdLastMinute: s.creationRate,
    counters: countersJson(snapshot.counters()),
  };
}

/** All rows, by family and name. */
function countersJson(readings: readonly Reading[]): Json {
  const families: Record<string, Record<string, number>> = {};
  for (const { family, name, value } of readings) (families[family] ??= {})[name] = value;
  return families;
}

export function inspectConfigJson(config: RouterConfig): Json {
  const g = config.inspect;
  return {
    auditTrail: g.auditTrail,
    alert: !g.alertOff,
    oneMinute: { low: g.oneMinuteLow, high: g.oneMinuteHigh },
    maxIncomplete: { low: g.maxIncompleteLow, high: g.maxIncompleteHigh },
    hostMaxIncomplete: g.hostMaxIncomplete,
    hostBlockSeconds: g.hostBlockMinutes * 60,
    tcpSynwaitSeconds: g.tcpSynwait,
    tcpFinwaitSeconds: g.tcpFinwait,
    tcpIdleSeconds: g.tcpIdle,
    udpIdleSeconds: g.udpIdle,
    dnsTimeoutSeconds: g.dnsTimeout,
    rules: [...config.inspectionRules.values()].map(({ name, protocols }) => ({
      name,
      protocols: protocols.map((p) => {
        const { alert, auditTrail, timeout } = effectiveInspection(p, g);
        return {
          protocol: p.protocol,
          alert,
          auditTrail,
          timeoutSeconds: timeout,
          maxDataBytes: p.smtp?.maxData ?? null,
          monitorOnly: p.smtp?.monitorOnly ?? false,
        };
      }),
    })),
  };
}
