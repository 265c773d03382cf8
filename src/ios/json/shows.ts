/**
 * `fw3640 console --json`: what a `show` prints as text, as values. Made from the state itself, not from the text. Names
 * of fields stay: docs/json.md has them. Addresses are text, times are seconds, what is not there is null.
 */
import type { ConsoleRouter } from '../exec/router.js';
import type { Match } from '../grammar/match.js';
import { accessListsJson } from './access-lists.js';
import { inspectConfigJson, inspectStatisticsJson, sessionsJson } from './inspect.js';
import { interfacesJson, loggingJson, processorJson, routesJson, versionJson } from './system.js';
import type { Json } from './json.js';
import { natStatisticsJson, translationsJson } from './nat.js';

/** By the syntax of the command. */
export const JSON_SHOWS: Readonly<Record<string, (router: ConsoleRouter, m: Match) => Json>> = {
  'show ip inspect sessions [detail]': (r) => sessionsJson(r.snapshot.sessions()),
  'show ip inspect sessions recent': (r) => sessionsJson(r.snapshot.recent()),
  'show ip inspect statistics': (r) => inspectStatisticsJson(r.config(), r.snapshot),
  'show ip inspect config': (r) => inspectConfigJson(r.config()),
  'show ip nat translations [PROTOCOL:{icmp | tcp | udp}] [verbose]': (r, m) =>
    translationsJson(r.snapshot, m.optionalWord('PROTOCOL')),
  'show ip nat statistics': (r) => natStatisticsJson(r.config(), r.snapshot),
  'show access-lists [LIST:WORD]': (r, m) => accessListsJson(r.config(), r.snapshot, m.optionalWord('LIST')),
  'show ip access-lists [LIST:WORD]': (r, m) => accessListsJson(r.config(), r.snapshot, m.optionalWord('LIST')),
  'show interfaces [INTERFACE:INTERFACE]': (r, m) =>
    interfacesJson(r.config(), r.system.interfaces(), m.optionalWord('INTERFACE')),
  'show version': (r) => versionJson(r.config(), r.system),
  'show ip route': (r) => routesJson(r.config(), r.system.interfaces(), r.snapshot.mapped),
  'show logging': (r) => loggingJson(r.config().logging, r.log),
  'show processes cpu [sorted]': (r) => processorJson(r.system),
};
