/**
 * How much of what happens is worth a line of the log: per session, per source address, and in all. A stranger's bytes
 * must not become many times as many bytes of log. Asked before the text is made; a refusal allocates nothing. What is
 * left out is counted and said. Each kind of message has limits of its own, so that a flood of one hides no other.
 * Inferred: IOS limits debug output and access list logging only (`logging rate-limit`, `ip access-list log-update`).
 */
import type { Event, LogKind } from '../events.js';
import { mix } from '../memory/hash.js';
import { Tally } from './tally.js';
import { TokenBuckets } from './token-buckets.js';
import type { Row } from '../observe/row.js';

/** Messages a second that go on for ever, and how many may come at once. */
type Rate = readonly [perSecond: number, burst: number];

/** Dropped packets have a log that limits itself, before it makes an event; `any` is what was lost behind us. */
type LimitedKind = Exclude<LogKind, 'dropped-packet' | 'any'>;

interface Rates {
  all: Rate;
  source?: Rate;
  session?: Rate;
}

/** An SMTP finding is the longest message: up to some 8 KB as JSON, where each byte of a line needs an escape. */
const RATES: Readonly<Record<LimitedKind, Rates>> = {
  'audit-trail': { all: [500, 5000], source: [100, 2000] },
  inspection: { all: [100, 2000], source: [20, 500], session: [5, 250] },
  'half-open-session': { all: [20, 200] },
  fragment: { all: [20, 200], source: [5, 50] },
  'access-list': { all: [100, 2000], source: [20, 1000] },
  translation: { all: [20, 200] },
  // A dialogue of thousands of lines is left out in part: the transcript says so.
  transcript: { all: [500, 5000], source: [100, 2000], session: [20, 500] },
  // Somebody asked for it, and wants all of it.
  debug: { all: [2000, 20_000] },
};

const HELP: Readonly<Record<LimitedKind, string>> = {
  'audit-trail': 'sessions that began or ended',
  inspection: 'findings of inspectors',
  'half-open-session': 'half-open sessions',
  fragment: 'fragments',
  'access-list': 'matches of access lists',
  translation: 'translations',
  transcript: 'lines of transcripts',
  debug: 'debug output',
};

/**
 * Buckets of sources and of sessions, by hash: two that fall into one share it, which can cost a line and never brings
 * one too many. A power of two.
 */
const PLACES = 4096;

class KindLimit {
  readonly leftOut = new Tally();
  readonly #all: TokenBuckets;
  readonly #sources: TokenBuckets | undefined;
  readonly #sessions: TokenBuckets | undefined;

  constructor({ all, source, session }: Rates) {
    this.#all = new TokenBuckets(1, ...all);
    this.#sources = source && new TokenBuckets(PLACES, ...source);
    this.#sessions = session && new TokenBuckets(PLACES, ...session);
  }

  /** What one limit refuses costs the others nothing. */
  admits(source: number, session: number, now: number): boolean {
    const sources = this.#sources;
    const sessions = this.#sessions;
    const admitted =
      this.#all.has(0, now) &&
      (sources === undefined || sources.has(source, now)) &&
      (sessions === undefined || sessions.has(session, now));
    if (!admitted) {
      this.leftOut.note(now);
      return false;
    }
    this.#all.take(0, now);
    sources?.take(source, now);
    sessions?.take(session, now);
    return true;
  }
}

export class EventLimiter {
  readonly #limits = Object.fromEntries(
    Object.entries(RATES).map(([kind, rates]) => [kind, new KindLimit(rates)]),
  ) as Record<LimitedKind, KindLimit>;

  /** @param seed of the hash: a stranger must not choose who shares a bucket */
  constructor(private readonly seed: number) {}

  /** True when `e` is to be logged. `now`: ms. */
  admits(e: Event, now: number): boolean {
    const kind = KIND_OF[e.type];
    if (kind === undefined) return true;
    return this.#limits[kind].admits(this.#place(sourceOf(e)), this.#place(sessionOf(e)), now);
  }

  /** Calls `say` with what is to be said of messages that were left out. To be called now and then. */
  report(now: number, say: (e: Event) => void): void {
    for (const kind of Object.keys(this.#limits) as LimitedKind[]) {
      const { leftOut } = this.#limits[kind];
      const messages = leftOut.take(now);
      if (messages > 0) say({ type: 'left-out', kind, messages, seconds: leftOut.seconds });
    }
  }

  /** Messages left out, by what they were about. */
  rows(): Row[] {
    return (Object.keys(HELP) as LimitedKind[]).map((name) => ({
      family: 'log',
      name,
      help: `Messages that were too many for the log: ${HELP[name]}`,
      kind: 'counter',
      read: () => this.#limits[name].leftOut.total,
    }));
  }

  /** Messages left out since the start. */
  get leftOut(): number {
    return Object.values(this.#limits).reduce((sum, l) => sum + l.leftOut.total, 0);
  }

  #place(key: number): number {
    return mix(key, this.seed) & (PLACES - 1);
  }
}

/** Undefined: limited where it comes from. */
const KIND_OF: Readonly<Record<Event['type'], LimitedKind | undefined>> = {
  'session-start': 'audit-trail',
  'session-stop': 'audit-trail',
  'acl-denied': 'access-list',
  'acl-permitted': 'access-list',
  'acl-log-missed': undefined,
  'packet-dropped': undefined,
  smtp: 'inspection',
  ftp: 'inspection',
  finding: 'inspection',
  'java-blocked': 'inspection',
  'tcp-gap': 'inspection',
  'tcp-memory': undefined,
  'nat-exhausted': 'translation',
  'aggressive-on': 'half-open-session',
  'aggressive-off': 'half-open-session',
  'intercept-on': 'half-open-session',
  'intercept-off': 'half-open-session',
  'sessions-reset': undefined,
  'table-full': undefined,
  'host-alert': 'half-open-session',
  'host-blocked': 'half-open-session',
  'host-unblocked': 'half-open-session',
  fragments: 'fragment',
  'taken-over': undefined,
  'left-out': undefined,
  transcript: 'transcript',
  debug: 'debug',
};

/** The address that could make many messages like this one; 0 where there is none. */
function sourceOf(e: Event): number {
  switch (e.type) {
    case 'session-start':
    case 'session-stop':
    case 'smtp':
    case 'ftp':
    case 'finding':
    case 'java-blocked':
    case 'tcp-gap':
    case 'transcript':
      return e.endpoints.initiator;
    case 'acl-denied':
    case 'acl-permitted':
    case 'fragments':
      return e.src;
    default:
      return 0;
  }
}

function sessionOf(e: Event): number {
  switch (e.type) {
    case 'smtp':
    case 'ftp':
    case 'finding':
    case 'java-blocked':
    case 'tcp-gap':
    case 'transcript':
      return e.endpoints.sessionId;
    default:
      return 0;
  }
}
