/** What `debug` can trace: its keywords, the flag of the engine, and what the router answers. One row each. */
import type { DebugFlags } from '../../debug.js';

export interface DebugSwitch {
  /** Behind `debug`. */
  syntax: string;
  flag: keyof DebugFlags;
  /** Before `debugging is on`. */
  words: string;
  /** In `show debugging`. */
  heading: string;
  help: Readonly<Record<string, string>>;
}

const inspect = (keyword: string, flag: keyof DebugFlags, words: string, help: string): DebugSwitch => ({
  syntax: `ip inspect ${keyword}`,
  flag,
  words: `INSPECT ${words}`,
  heading: 'INSPECT',
  help: {
    debug: "Debugging functions (see also 'undebug')",
    undebug: "Disable debugging functions (see also 'debug')",
    ip: 'IP information',
    inspect: 'Stateful inspection events',
    [`inspect ${keyword}`]: help,
  },
});

// The answer of `smtp` is the reference's (§2.5); the others follow its form.
export const DEBUG_SWITCHES: readonly DebugSwitch[] = [
  inspect('smtp', 'smtp', 'SMTP Inspection', 'INSPECT SMTP'),
  inspect('tcp', 'tcp', 'TCP Inspection', 'INSPECT TCP'),
  inspect('udp', 'udp', 'UDP Inspection', 'INSPECT UDP'),
  inspect('icmp', 'icmp', 'ICMP Inspection', 'INSPECT ICMP'),
  inspect('object-creation', 'objectCreation', 'Object Creations', 'INSPECT Object Creations'),
  inspect('object-deletion', 'objectDeletion', 'Object Deletions', 'INSPECT Object Deletions'),
  {
    syntax: 'ip nat',
    flag: 'nat',
    words: 'IP NAT',
    heading: 'Generic IP',
    help: { 'debug ip nat': 'NAT events', 'undebug ip nat': 'NAT events' },
  },
  {
    syntax: 'ip packet',
    flag: 'packet',
    words: 'IP packet',
    heading: 'Generic IP',
    help: { packet: 'General IP debugging and IPSO security transactions' },
  },
];
