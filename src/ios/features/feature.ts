/** What a protocol of core/inspect/registry.ts is to a person: its keywords, how they are printed, what it says. */
import type { InspectorOptions } from '../../core/inspect/inspector.js';
import type { RegisteredFinding, RegisteredService } from '../../core/inspect/registry.js';
import type { Match } from '../grammar/match.js';

/** A message as it stands behind `%FW-`. */
export interface Words {
  severity: number;
  mnemonic: string;
  text: string;
  /** Beside the text, for structured logs. */
  fields: Readonly<Record<string, string | number | boolean>>;
}

export interface Feature {
  readonly protocol: RegisteredService;
  /** For `?`. */
  readonly title: string;
  /** Keywords between `audit-trail` and `timeout` of `ip inspect name NAME PROTOCOL`. */
  readonly syntax: string;
  readonly help: Readonly<Record<string, string>>;
  readonly defaults: InspectorOptions;
  /** The keywords that were typed. */
  read(m: Match): InspectorOptions;
  /** The same as text, with a blank before each; empty where there is nothing to say. */
  print(options: InspectorOptions): string;
  /** @param party names an end of the session: `initiator (10.10.10.5:1025)` */
  words(finding: RegisteredFinding, party: (fromInitiator: boolean) => string): Words;
}
