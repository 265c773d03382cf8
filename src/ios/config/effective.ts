/** What holds for one protocol of an inspection rule: its own words, else the global ones. */
import { ICMP_TIMEOUT } from './defaults.js';
import type { InspectGlobals } from '../../core/policy.js';
import type { InspectedProtocol } from './model.js';

export interface EffectiveInspection {
  alert: boolean;
  auditTrail: boolean;
  /** Idle timeout, seconds. */
  timeout: number;
}

export function effectiveInspection(p: InspectedProtocol, globals: InspectGlobals): EffectiveInspection {
  const idle = p.protocol === 'udp' ? globals.udpIdle : p.protocol === 'icmp' ? ICMP_TIMEOUT : globals.tcpIdle;
  return {
    alert: p.alert ?? !globals.alertOff,
    auditTrail: p.auditTrail ?? globals.auditTrail,
    timeout: p.timeout ?? idle,
  };
}
