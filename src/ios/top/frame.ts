/** `fw3640 top`: one screen, made of what the shows know as JSON (docs/json.md), and of what they knew before. */

/** The commands that a screen is made of. */
export const TOP_COMMANDS = [
  'show version',
  'show processes cpu',
  'show ip inspect config',
  'show ip inspect statistics',
  'show ip inspect sessions recent',
] as const;

interface Marks {
  low: number;
  high: number;
}

export interface TopSession {
  id: string;
  service: string;
  state: string;
  initiator: string;
  initiatorPort: number;
  responder: string;
  responderPort: number;
  idleSeconds: number;
  initiatorBytes: number;
  responderBytes: number;
}

/** What the router said, and when, ms. */
export interface TopSample {
  at: number;
  hostname: string;
  uptimeSeconds: number;
  memoryUsedBytes: number;
  fiveSecondsPercent: number;
  oneMinute: Marks;
  maxIncomplete: Marks;
  createdLastMinute: number;
  current: { established: number; halfOpen: number; terminating: number };
  counters: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
  sessions: readonly TopSession[];
}

/** @param answers of TOP_COMMANDS, a line of JSON each */
export function readSample(answers: readonly string[], at: number): TopSample {
  return Object.assign({ at }, ...answers.map((line) => JSON.parse(line) as object)) as TopSample;
}

export const SORTS = ['rate', 'bytes', 'idle'] as const;
export interface TopView {
  rows: number;
  columns: number;
  sort: (typeof SORTS)[number];
  /** Sessions that are scrolled past. */
  offset: number;
  paused: boolean;
}

/**
 * @param before the sample before, for rates; undefined: there is none, and no rate
 * @returns lines, as many as fit and none wider than the screen; the last one has the keys
 */
export function topFrame(now: TopSample, before: TopSample | undefined, view: TopView): string[] {
  const fits = (line: string): string => line.slice(0, view.columns);
  const head = headOf(now, before);
  const room = Math.max(0, view.rows - head.length - 2);
  const sessions = sorted(now, before, view.sort);
  const offset = Math.min(view.offset, Math.max(0, sessions.length - room));
  const title = `${'RATE'.padStart(9)} ${'BYTES'.padStart(9)} ${'IDLE'.padStart(7)}  ${'SERVICE'.padEnd(8)} ${'STATE'.padEnd(11)} INITIATOR => RESPONDER`;
  const shown = sessions.slice(offset, offset + room).map(({ s, rate }) => row(s, rate));
  const keys = `q quit  p ${view.paused ? 'go on' : 'pause'}  s sort by ${view.sort}  arrows scroll  ${sessions.length} sessions heard of last`;
  return [...head, title, ...shown, keys].slice(0, view.rows).map(fits);
}

function headOf(now: TopSample, before: TopSample | undefined): string[] {
  const { current: c } = now;
  const rate = (family: string, name: string): string => perSecond(counterOf(now, family, name), before && counterOf(before, family, name), now, before); // prettier-ignore
  const most = (family: string, unit: string): string => busiest(now, before, family, unit);
  const aggressive = counterOf(now, 'threshold', 'aggressive') > 0 ? '  AGGRESSIVE' : '';
  return [
    `${now.hostname}  up ${duration(now.uptimeSeconds)}  cpu ${now.fiveSecondsPercent}%  memory ${bytes(now.memoryUsedBytes)}`,
    `packets ${rate('plane', 'packets')}/s  queue ${counterOf(now, 'queue', 'packets')} (held ${counterOf(now, 'queue', 'held')})  lost ${sumOf(now, 'lost')}`,
    `sessions ${c.established} established, ${c.halfOpen} half-open, ${c.terminating} terminating  translations ${counterOf(now, 'nat', 'translations')}`,
    `half-open ${counterOf(now, 'threshold', 'halfOpenSessions')} of [${now.maxIncomplete.low}:${now.maxIncomplete.high}]  made in a minute ${now.createdLastMinute} of [${now.oneMinute.low}:${now.oneMinute.high}]  blocked hosts ${counterOf(now, 'threshold', 'blockedHosts')}${aggressive}`,
    `mails ${counterOf(now, 'mail', 'accepted')} accepted, ${counterOf(now, 'mail', 'refused')} refused  masked ${most('masked', '')}`,
    `dropped ${most('drop', '/s')}`,
    '',
  ];
}

const counterOf = (s: TopSample, family: string, name: string): number => s.counters[family]?.[name] ?? 0;
const sumOf = (s: TopSample, family: string): number =>
  Object.values(s.counters[family] ?? {}).reduce((sum, n) => sum + n, 0);

/** The five of a family that count most: by rate where there is one, else in all. */
function busiest(now: TopSample, before: TopSample | undefined, family: string, unit: string): string {
  const each = Object.entries(now.counters[family] ?? {}).flatMap(([name, n]) => {
    const since = unit === '' || before === undefined ? n : Math.max(0, n - counterOf(before, family, name));
    return n > 0 ? [{ name, n, since }] : [];
  });
  if (each.length === 0) return 'none';
  each.sort((a, b) => b.since - a.since || b.n - a.n);
  const rate = ({ n, since }: { n: number; since: number }): string =>
    unit === '' || before === undefined ? '' : ` (${perSecond(n, n - since, now, before)}${unit})`;
  return each.slice(0, 5).map((e) => `${e.name} ${e.n}${rate(e)}`).join('  '); // prettier-ignore
}

function perSecond(n: number, earlier: number | undefined, now: TopSample, before: TopSample | undefined): string {
  if (earlier === undefined || before === undefined || now.at <= before.at) return '-';
  // Counters that were cleared begin again.
  return short((Math.max(0, n - earlier) * 1000) / (now.at - before.at));
}

function sorted(
  now: TopSample,
  before: TopSample | undefined,
  sort: TopView['sort'],
): { s: TopSession; rate: number }[] {
  const earlier = new Map(before?.sessions.map((s) => [s.id, total(s)]));
  const seconds = before === undefined ? 1 : Math.max(0.001, (now.at - before.at) / 1000);
  const rated = now.sessions.map((s) => {
    const known = earlier.get(s.id);
    return { s, rate: known === undefined ? 0 : Math.max(0, total(s) - known) / seconds };
  });
  const by = {
    rate: (a: { s: TopSession; rate: number }, b: { s: TopSession; rate: number }) => b.rate - a.rate || a.s.idleSeconds - b.s.idleSeconds, // prettier-ignore
    bytes: (a: { s: TopSession }, b: { s: TopSession }) => total(b.s) - total(a.s),
    idle: (a: { s: TopSession }, b: { s: TopSession }) => b.s.idleSeconds - a.s.idleSeconds,
  };
  return rated.sort(by[sort]);
}

const total = (s: TopSession): number => s.initiatorBytes + s.responderBytes;

const row = (s: TopSession, rate: number): string =>
  `${`${bytes(rate)}/s`.padStart(9)} ${bytes(total(s)).padStart(9)} ${duration(s.idleSeconds).padStart(7)}  ` +
  `${s.service.padEnd(8)} ${s.state.padEnd(11)} ${s.initiator}:${s.initiatorPort} => ${s.responder}:${s.responderPort}`;

/** `980`, `12.3k`, `4.5M`. */
function short(n: number): string {
  if (n < 1000) return n < 10 && n > 0 ? n.toFixed(1) : String(Math.round(n));
  return n < 1_000_000 ? `${(n / 1000).toFixed(1)}k` : `${(n / 1_000_000).toFixed(1)}M`;
}
const bytes = (n: number): string => (n >= 1_000_000_000 ? `${(n / 1_000_000_000).toFixed(1)}G` : short(n));

function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60}s`;
  return s < 86_400
    ? `${Math.floor(s / 3600)}h${Math.floor(s / 60) % 60}m`
    : `${Math.floor(s / 86_400)}d${Math.floor(s / 3600) % 24}h`;
}
