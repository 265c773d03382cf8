/**
 * Makes of what the router tells now, and of what it told before, what the live page shows: totals become rates, codes
 * become words. It is given the time, and asks nobody.
 */
import type { Reading, RowFamily } from '../../core/observe/row.js';
import type { RouterSnapshot, SessionSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { formatAddress } from '../ipv4-text.js';
import { counterName } from '../show/counter-name.js';
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import { type LineTraffic, type LiveCount, type LiveFrame, type LivePicture, type LiveSession, MOST } from './frame.js';
import { pictureOf } from './picture.js';
import type { RecentLines } from './recent-lines.js';

/** What an interface has carried since some time. */
export interface LineTotals {
  name: string;
  up: boolean;
  packetsIn: number;
  bytesIn: number;
  packetsOut: number;
  bytesOut: number;
}

/** What is sampled. */
export interface LiveSample {
  /** ms, the day's clock. */
  at: number;
  uptimeMs: number;
  well: boolean;
  config: RouterConfig;
  mapped: ReadonlySet<string> | undefined;
  /** Has the views LIVE_VIEWS, and `recent` where `sessions` says so. */
  snapshot: RouterSnapshot;
  /** `recent` was asked for; else the sessions are those of the sample before. */
  sessions: boolean;
  lines: readonly LineTotals[];
  load: { cpuMs: number; memory: number };
}

/** Totals of another moment, to make rates of. */
interface Before {
  at: number;
  lines: ReadonlyMap<string, LineTotals>;
  drops: ReadonlyMap<string, number>;
  lost: number;
}

/** After a pause as long as this, there is no rate: nobody has looked. */
const PAUSE_MS = 10_000;
/** Processor time is told once a second: over a shorter time its rate would jump. */
const LOAD_MS = 4000;
const MINUTE_MS = 60_000;

export class LiveSampler {
  #before: Before | undefined;
  #loads: { at: number; cpuMs: number }[] = [];
  #mails: { at: number; total: number }[] = [];
  #sessions: LiveSession[] = [];
  #picture: LivePicture | undefined;
  #pictured: RouterConfig | undefined;

  constructor(
    private readonly release: string,
    private readonly recent: RecentLines,
  ) {}

  /** @returns a whole frame: with picture, sessions and all lines that are kept */
  sample(s: LiveSample): LiveFrame {
    const before = this.#before !== undefined && s.at - this.#before.at < PAUSE_MS ? this.#before : undefined;
    const seconds = before === undefined ? 0 : (s.at - before.at) / 1000;
    const rate = (now: number, then: number | undefined): number =>
      seconds <= 0 || then === undefined ? 0 : Math.max(0, (now - then) / seconds);
    const counters = s.snapshot.counters();
    const inspection = s.snapshot.inspection();
    const drops = valuesOf(counters, 'drop');
    const lost = sum(valuesOf(counters, 'lost').map((r) => r.value));
    const mails = valuesOf(counters, 'mail').find((r) => r.name === 'accepted')?.value ?? 0;
    const waiting = valuesOf(counters, 'queue').find((r) => r.name === 'packets')?.value ?? 0;
    const verbs = verbsOf(valuesOf(counters, 'masked'));
    const picture = this.#pictureOf(s);
    if (s.sessions) this.#sessions = s.snapshot.recent().slice(0, MOST.sessions).map(sessionOf);
    const [established, halfOpen, terminating] = inspection.current;
    const frame: LiveFrame = {
      at: s.at,
      uptimeMs: s.uptimeMs,
      well: s.well,
      picture,
      revision: picture.revision,
      traffic: s.lines.map((now): LineTraffic => {
        const then = before?.lines.get(now.name);
        return {
          name: now.name,
          up: now.up,
          packetsIn: rate(now.packetsIn, then?.packetsIn),
          bytesIn: rate(now.bytesIn, then?.bytesIn),
          packetsOut: rate(now.packetsOut, then?.packetsOut),
          bytesOut: rate(now.bytesOut, then?.bytesOut),
        };
      }),
      mails: { minute: this.#mailsInMinute(s.at, mails), total: mails },
      masked: {
        minute: this.recent.maskedInMinute(s.at),
        total: Math.max(sum(verbs.map((v) => v.count)), this.recent.maskedTotal),
        verbs: verbs.slice(0, MOST.verbs),
      },
      drops: drops
        .map((r): LiveCount => {
          const what = counterName(r).replace(/^drop /, '');
          return { what, total: r.value, perSecond: rate(r.value, before && (before.drops.get(r.name) ?? 0)) };
        })
        .sort((a, b) => b.total - a.total),
      counts: { established, halfOpen, terminating, oneMinute: inspection.creationRate },
      queue: { waiting, lost, lostPerSecond: rate(lost, before?.lost) },
      load: { cpu: this.#cpu(s.at, s.load.cpuMs), memory: s.load.memory },
      sessions: this.#sessions,
      sessionsMore: Math.max(0, established + halfOpen + terminating - this.#sessions.length),
      hits: picture.lists.map((list) => [...s.snapshot.aclMatches(list.name)].slice(0, list.entries.length)),
      maskedLines: this.recent.masked,
      log: this.recent.log,
    };
    this.#before = {
      at: s.at,
      lines: new Map(s.lines.map((l) => [l.name, l])),
      drops: new Map(drops.map((r) => [r.name, r.value])),
      lost,
    };
    return frame;
  }

  /** A configuration is never changed: another one takes its place. */
  #pictureOf({ config, mapped }: LiveSample): LivePicture {
    if (this.#picture === undefined || this.#pictured !== config) {
      this.#pictured = config;
      const revision = (this.#picture?.revision ?? 0) + 1;
      this.#picture = pictureOf(config, revision, this.release, mapped);
    }
    return this.#picture;
  }

  #mailsInMinute(at: number, total: number): number {
    if ((this.#mails.at(-1)?.total ?? 0) > total) this.#mails = []; // counters were cleared
    this.#mails.push({ at, total });
    this.#mails = this.#mails.filter((m) => m.at > at - MINUTE_MS);
    return total - this.#mails[0]!.total;
  }

  /** Per cent of one processor. */
  #cpu(at: number, cpuMs: number): number {
    this.#loads.push({ at, cpuMs });
    // The last one that is old enough, and what came behind it.
    const since = this.#loads.findLastIndex((l) => l.at <= at - LOAD_MS);
    if (since > 0) this.#loads = this.#loads.slice(since);
    const first = this.#loads[0]!;
    if (at - first.at > LOAD_MS + PAUSE_MS || cpuMs < first.cpuMs) this.#loads = [{ at, cpuMs }];
    return at - first.at < 1000 ? 0 : Math.max(0, ((cpuMs - first.cpuMs) / (at - first.at)) * 100);
  }
}

const valuesOf = (counters: readonly Reading[], family: RowFamily): Reading[] =>
  counters.filter((r) => r.family === family && r.value > 0);

const verbsOf = (rows: readonly Reading[]): { verb: string; count: number }[] =>
  rows.map((r) => ({ verb: r.name, count: r.value })).sort((a, b) => b.count - a.count);

const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);

function sessionOf(s: SessionSnapshot): LiveSession {
  return {
    id: formatSessionId(s.id),
    service: s.service,
    state: s.state,
    initiator: `${formatAddress(s.initiator)}:${s.initiatorPort}`,
    responder: `${formatAddress(s.responder)}:${s.responderPort}`,
    local: s.responderLocal === s.responder ? '' : formatAddress(s.responderLocal),
    sent: s.initiatorBytes,
    received: s.responderBytes,
    ageMs: s.createdAgo,
    idleMs: s.heardAgo,
  };
}
