/** What all parts of the tracker share. */
import type { RuleSet } from '../inspect/rules.js';
import type { Translator } from '../nat/translator.js';
import type { DebugFlags } from '../observe/debug.js';
import type { SessionTrace } from '../observe/session-trace.js';
import type { Outbox } from '../outbox.js';
import type { InspectGlobals } from '../policy.js';
import type { SessionTable } from '../session/session-table.js';
import type { SessionStatistics } from '../session/statistics.js';
import type { Undo } from './undo.js';

export interface TrackerContext {
  readonly table: SessionTable;
  readonly rules: RuleSet;
  readonly nat: Translator;
  readonly outbox: Outbox;
  readonly debug: DebugFlags;
  /** `debug ip inspect`. */
  readonly trace: SessionTrace;
  readonly statistics: SessionStatistics;
  readonly undo: Undo;
  /** Another object when the configuration changes. */
  globals: InspectGlobals;
  /** Whether the interface with this index in the configuration leads to an address. */
  readonly leadsTo: (address: number, ingress: number) => boolean;
}
