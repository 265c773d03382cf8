/** The questions of `ping` and `traceroute` without a host, in privileged EXEC. */
import type { Exec } from '../exec/context.js';
import { type Answered, askNumber, askWhether, converse, type Question } from '../exec/dialogue.js';
import { canonicalInterface } from '../interface-name.js';
import { parseAddress } from '../ipv4-text.js';
import { PING_DEFAULTS, PingJob, type PingOptions } from './ping.js';
import { TRACEROUTE_DEFAULTS, TracerouteJob, type TracerouteOptions } from './traceroute.js';
import type { Source } from './way.js';

const LOOSE_STRICT = 'Loose, Strict, Record, Timestamp, Verbose';
/** Largest datagram that IOS sends. */
const MOST_BYTES = 18_024;
const LEAST_BYTES = 36;
const MOST_ECHOS = 2_147_483_647;
const MOST_SECONDS = 3600;

const protocol = (command: string): Question => ({
  prompt: 'Protocol [ip]: ',
  take: (answer) =>
    'ip'.startsWith(answer.toLowerCase())
      ? undefined
      : { end: `% Unknown protocol - "${answer}", type "${command} ?" for help\n` },
});

const target = (set: (host: string) => void): Question => ({
  prompt: 'Target IP address: ',
  take: (answer) => {
    if (answer === '') return { end: '% Bad IP address\n' };
    set(answer);
    return undefined;
  },
});

function takeSource(answer: string, set: (source: Source) => void): Answered {
  if (answer === '') return undefined;
  const address = parseAddress(answer);
  const interfaceName = canonicalInterface(answer);
  if (address !== undefined) set({ address });
  else if (interfaceName !== undefined) set({ interfaceName });
  else {
    const must = 'Must use IP address or full interface name without spaces (e.g. Serial0/1)';
    return { end: `% Invalid source. ${must}\n` };
  }
  return undefined;
}

/** IP options are not sent. Verbose, which is none, turns the same question up again with its letter. */
function ipOptions(isVerbose: () => boolean, setVerbose: () => void, when?: () => boolean): Question {
  return {
    prompt: () => `${LOOSE_STRICT}[${isVerbose() ? 'V' : 'none'}]: `,
    take: (answer) => {
      const word = answer.toLowerCase();
      if (word === '' || word === 'none') return undefined;
      if (!'verbose'.startsWith(word)) return { again: `% No such option - "${answer}"\n` };
      setVerbose();
      return { again: '' };
    },
    ...(when !== undefined && { when }),
  };
}

function pattern(set: (pattern: number) => void, when: () => boolean): Question {
  return {
    prompt: 'Data pattern [0xABCD]: ',
    take: (answer) => {
      if (answer === '') return undefined;
      if (!/^(?:0x)?[0-9a-f]{1,4}$/i.test(answer)) return { again: '% Invalid hexadecimal number\n' };
      set(parseInt(answer, 16));
      return undefined;
    },
    when,
  };
}

/** @param asksProtocol false: `ping ip` has said it */
export function pingDialogue({ router, terminal }: Exec, asksProtocol: boolean): void {
  const o: PingOptions = { ...PING_DEFAULTS, target: '', afterDialogue: true };
  let extended = false;
  let swept = false;
  const sweep = { from: LEAST_BYTES, to: MOST_BYTES, step: 1 };
  const isExtended = (): boolean => extended;
  const isSwept = (): boolean => swept;
  const questions: Question[] = [
    ...(asksProtocol ? [protocol('ping')] : []),
    target((host) => (o.target = host)),
    askNumber('Repeat count [5]', [1, MOST_ECHOS], (n) => (o.repeat = n)),
    askNumber('Datagram size [100]', [LEAST_BYTES, MOST_BYTES], (n) => (o.size = n)),
    askNumber('Timeout in seconds [2]', [0, MOST_SECONDS], (n) => (o.timeout = n)),
    askWhether('Extended commands [n]', (yes) => (extended = yes)),
    {
      prompt: 'Source address or interface: ',
      take: (answer) => takeSource(answer, (source) => (o.source = source)),
      when: isExtended,
    },
    askNumber('Type of service [0]', [0, 255], (n) => (o.tos = n), isExtended),
    askWhether('Set DF bit in IP header? [no]', (yes) => (o.dontFragment = yes), isExtended),
    {
      prompt: 'Validate reply data? [no]: ',
      take: (answer) =>
        'no'.startsWith(answer.toLowerCase()) ? undefined : { again: '% Reply data is not validated here\n' },
      when: isExtended,
    },
    pattern((n) => (o.pattern = n), isExtended),
    ipOptions(
      () => o.verbose,
      () => (o.verbose = true),
      isExtended,
    ),
    askWhether('Sweep range of sizes [n]', (yes) => (swept = yes)),
    askNumber(`Sweep min size [${LEAST_BYTES}]`, [LEAST_BYTES, MOST_BYTES], (n) => (sweep.from = n), isSwept),
    askNumber(`Sweep max size [${MOST_BYTES}]`, [LEAST_BYTES, MOST_BYTES], (n) => (sweep.to = n), isSwept),
    askNumber('Sweep interval [1]', [1, MOST_BYTES - LEAST_BYTES], (n) => (sweep.step = n), isSwept),
  ];
  converse(terminal, questions, () => {
    if (swept) o.size = { ...sweep, to: Math.max(sweep.from, sweep.to) };
    terminal.run(new PingJob(router, o));
  });
}

/** @param asksProtocol false: `traceroute ip` has said it */
export function tracerouteDialogue({ router, terminal }: Exec, asksProtocol: boolean): void {
  const o: TracerouteOptions = { ...TRACEROUTE_DEFAULTS, target: '', afterDialogue: true };
  const questions: Question[] = [
    ...(asksProtocol ? [protocol('traceroute')] : []),
    target((host) => (o.target = host)),
    { prompt: 'Source address: ', take: (answer) => takeSource(answer, (source) => (o.source = source)) },
    askWhether('Numeric display [n]', (yes) => (o.numeric = yes)),
    askNumber('Timeout in seconds [3]', [0, MOST_SECONDS], (n) => (o.timeout = n)),
    askNumber('Probe count [3]', [1, 65_535], (n) => (o.probes = n)),
    askNumber('Minimum Time to Live [1]', [1, 255], (n) => (o.minTtl = n)),
    askNumber('Maximum Time to Live [30]', [1, 255], (n) => (o.maxTtl = n)),
    askNumber('Port Number [33434]', [0, 65_535], (n) => (o.port = n)),
    ipOptions(
      () => false,
      () => undefined,
    ),
  ];
  converse(terminal, questions, () => {
    o.maxTtl = Math.max(o.minTtl, o.maxTtl);
    terminal.run(new TracerouteJob(router, o));
  });
}
