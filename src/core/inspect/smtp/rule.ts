/**
 * One `ip inspect name NAME {smtp|esmtp}` line compiled: the automata and the legal sets that all its sessions share.
 * Built once, when the configuration is read.
 */
import type { SmtpOptions } from '../../policy.js';
import { leadsTo, ROUTER_WORDS, wordDfa, type WordDfa } from './dfa.js';
import {
  COMMAND_LINE_LIMIT,
  COMMANDS,
  CREDENTIALS_LINE,
  EMPTY_LINE,
  EXTENSIONS,
  FIRST_ALLOWED_ID,
  isAllowable,
  LONGEST_COMMAND,
  offerBit,
  type Command,
  type ExtensionName,
} from './grammar.js';
import { LineStartScan } from './line-start-scan.js';
import { compileParameters, type ParameterTable } from './parameter-table.js';

export interface SmtpRule {
  readonly esmtp: boolean;
  readonly monitorOnly: boolean;
  readonly maskEhlo: boolean;
  /** Bytes of one mail. */
  readonly maxData: number;
  /** Verbs and line ends: the router's table, then what fw3640 follows besides. */
  readonly verbs: WordDfa;
  /** By state of `verbs`: 1 while a command that this rule passes can still come of it. */
  readonly leads: Uint8Array;
  /** The same once the server has offered CHUNKING: BDAT passes only then, or its octets would be read as commands. */
  readonly leadsChunking: Uint8Array;
  /** By match id: 1 for a command that this rule passes. */
  readonly legal: Uint8Array;
  /** By match id, bytes with CR LF. */
  readonly lineLimit: Uint16Array;
  readonly parameters: ParameterTable;
  readonly scan: LineStartScan;
  readonly extensions: WordDfa;
  /** By state of `extensions`: 1 while a keyword that this rule passes can still come of it. */
  readonly extensionLeads: Uint8Array;
  /** By id of `extensions`: 1 for a keyword that this rule passes. */
  readonly extensionPassed: Uint8Array;
  /** Bit in the set of offered extensions, by id of `extensions`; 0: passed, and of no consequence here. */
  readonly extensionBit: Int32Array;
}

/**
 * The rule of a line. Compiled at its first session and kept as long as its options, which are never changed in place:
 * a changed line brings a new object.
 */
export function smtpRule(protocol: 'smtp' | 'esmtp', options: SmtpOptions): SmtpRule {
  const known = compiled[protocol].get(options);
  if (known !== undefined) return known;
  const rule = compileSmtp(protocol, options);
  compiled[protocol].set(options, rule);
  return rule;
}

const compiled = { smtp: new WeakMap<SmtpOptions, SmtpRule>(), esmtp: new WeakMap<SmtpOptions, SmtpRule>() };

const LAST_ID = CREDENTIALS_LINE - 1;
/** What is spoken by two words: allowing one allows the other. */
const PAIRS: readonly (readonly [verb: string, extension: string])[] = [['BDAT', 'CHUNKING']];

/**
 * @param protocol the keyword of the line: twelve commands or fifteen
 * @param options  its other keywords; words of `allow` that no verb or extension can have are passed over (the parser
 *   of the configuration refuses them), and under `smtp` all of them: they are keywords of `esmtp`
 */
export function compileSmtp(protocol: 'smtp' | 'esmtp', options: SmtpOptions): SmtpRule {
  const esmtp = protocol === 'esmtp';
  const allowed = new Set(esmtp ? options.allow.map((word) => word.toUpperCase()).filter(isAllowable) : []);
  for (const [verb, extension] of PAIRS) {
    if (allowed.has(verb) || allowed.has(extension)) allowed.add(verb).add(extension);
  }

  const followed: [string, number][] = [];
  const legal = new Set([EMPTY_LINE]);
  // What parameters add to a line, they add to the configured limit as well.
  const longer = options.lineLength - COMMAND_LINE_LIMIT;
  const lineLimit = new Uint16Array(256).fill(Math.min(options.lineLength, LONGEST_COMMAND));
  for (const [word, command] of Object.entries<Command>(COMMANDS)) {
    if (command.rule === 'allow') followed.push([word, command.id]);
    if (command.rule === 'smtp' || (esmtp && command.rule === 'esmtp') || allowed.has(word)) legal.add(command.id);
    lineLimit[command.id] = Math.min((command.limit ?? COMMAND_LINE_LIMIT) + longer, LONGEST_COMMAND);
  }
  let id = FIRST_ALLOWED_ID;
  for (const word of allowed) {
    if (word in COMMANDS || word in EXTENSIONS || id > LAST_ID) continue;
    followed.push([word, id]);
    legal.add(id++);
  }
  const verbs = wordDfa(ROUTER_WORDS, followed);
  const withoutChunks = new Set(legal);
  withoutChunks.delete(COMMANDS.BDAT.id);

  return {
    esmtp,
    monitorOnly: options.monitorOnly,
    maskEhlo: esmtp && options.maskEhlo,
    maxData: options.maxData,
    verbs,
    leads: leadsTo(verbs, withoutChunks),
    leadsChunking: leadsTo(verbs, legal),
    legal: flags(legal),
    lineLimit,
    parameters: compileParameters(allowed),
    scan: new LineStartScan(),
    ...compileExtensions(allowed),
  };
}

function compileExtensions(
  allowed: ReadonlySet<string>,
): Pick<SmtpRule, 'extensions' | 'extensionLeads' | 'extensionPassed' | 'extensionBit'> {
  const names = Object.keys(EXTENSIONS) as ExtensionName[];
  const others = [...allowed].filter((word) => !(word in EXTENSIONS)).slice(0, LAST_ID - names.length);
  const words = [...names, ...others].map((word, i) => [word, i + 1] as const);
  const passed = new Set(words.filter(([w]) => allowed.has(w) || isExamined(w)).map(([, id]) => id));
  // BDAT must not come before the replies to RCPT: who refuses all recipients may read the octets as commands. Clients
  // wait for these where pipelining is not offered; where it is, they send all at once (Google, Exim 4).
  if (allowed.has('CHUNKING')) passed.delete(names.indexOf('PIPELINING') + 1);
  const extensionBit = new Int32Array(256);
  names.forEach((name, i) => (extensionBit[i + 1] = offerBit(name)));
  const extensions = wordDfa(words);
  return { extensions, extensionLeads: leadsTo(extensions, passed), extensionPassed: flags(passed), extensionBit };
}

const isExamined = (word: string): boolean => word in EXTENSIONS && EXTENSIONS[word as ExtensionName].examined;

const flags = (ids: ReadonlySet<number>): Uint8Array => Uint8Array.from({ length: 256 }, (_, id) => +ids.has(id));
