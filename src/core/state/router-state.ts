/** The running engine as `show` and the console see it. */
import { SERVICES } from '../inspect/rules.js';
import type { Engine } from '../engine.js';
import { printedPorts, sessionId } from '../session/endpoints.js';
import { FLAG, type Session, SIS_NAMES } from '../session/session.js';
import type {
  ExpectedSnapshot,
  InspectionSnapshot,
  InterceptedConnection,
  InterceptSnapshot,
  NatSnapshot,
  ReassemblySnapshot,
  RouterSnapshot,
  SessionSnapshot,
  TranslationSnapshot,
} from './snapshot.js';
import { connectionState } from '../tcp/state.js';
import { translationsOf } from './translation-snapshots.js';
import { DROP_REASONS } from '../verdict.js';

export class RouterState implements RouterSnapshot {
  /**
   * @param clock  the engine's clock, ms
   * @param losses counts of packets that have not reached the engine, by why
   */
  constructor(
    private readonly engine: Engine,
    private readonly clock: () => number,
    readonly mapped?: ReadonlySet<string>,
    private readonly losses: () => Readonly<Record<string, number>> = () => ({}),
  ) {}

  sessions(): SessionSnapshot[] {
    const now = this.clock();
    const all: SessionSnapshot[] = [];
    this.engine.sessions.forEach((s) => all.push(snapshotOf(s, now)));
    return all;
  }

  expected(): ExpectedSnapshot[] {
    return this.engine.sessions.expectedFlows(this.clock());
  }

  translations(): TranslationSnapshot[] {
    return translationsOf(this.engine, this.clock());
  }

  aclMatches(list: string): readonly number[] {
    return Array.from(this.engine.accessLists.get(list)?.matches ?? []);
  }

  inspection(): InspectionSnapshot {
    const now = this.clock();
    const s = this.engine.sessions.statistics;
    return {
      packets: new Map(SERVICES.flatMap((name, i) => (s.packets[i]! > 0 ? [[name, s.packets[i]!]] : []))),
      created: s.created,
      current: [s.established, s.halfOpen, s.terminating],
      maximum: [s.maxEstablished, s.maxHalfOpen, s.maxTerminating],
      lastCreatedAgo: s.lastCreated === undefined ? undefined : now - s.lastCreated,
      lastResetAgo: s.lastCleared === undefined ? undefined : now - s.lastCleared,
      creationRate: s.creationRate(now),
    };
  }

  intercept(): InterceptSnapshot {
    const now = this.clock();
    const { intercept, table } = this.engine.sessions;
    const connections: InterceptedConnection[] = [];
    table.forEach((s) => {
      if (s.has(FLAG.intercepted | FLAG.watched)) connections.push(connectionOf(s, now));
    });
    return {
      connections,
      requestsInMinute: intercept.requests.count(now),
      answered: intercept.answered,
      proven: intercept.proven,
    };
  }

  nat(): NatSnapshot {
    const { hits, misses, poolMisses, translations } = this.engine.nat;
    return { hits, misses, expired: translations.expired, poolMisses };
  }

  reassembly(name: string): ReassemblySnapshot {
    return this.engine.reassembly(name);
  }

  counters(): Readonly<Record<string, number>> {
    const { memory, smtpCounters } = this.engine.sessions;
    const counters: Record<string, number> = {};
    DROP_REASONS.forEach((reason, i) => {
      if (reason !== '') counters[`drop ${reason}`] = this.engine.drops[i]!;
    });
    for (const [name, value] of Object.entries(memory)) {
      if (typeof value === 'number') counters[`reassembly ${name}`] = value;
    }
    for (const [cause, tally] of Object.entries(this.engine.sessions.thresholds.resets))
      counters[`reset for ${cause}`] = tally.total;
    for (const [name, value] of Object.entries(smtpCounters)) counters[`smtp ${name}`] = value;
    return Object.assign(counters, this.losses());
  }
}

function connectionOf(s: Session, now: number): InterceptedConnection {
  return {
    client: s.initiator,
    clientPort: s.initiatorPort,
    server: s.responder,
    serverPort: s.responderPort,
    state: connectionState(s),
    incomplete: s.has(FLAG.incomplete),
    watched: s.has(FLAG.watched),
    createdAgo: (now - s.created) | 0,
    leftMs: s.timeoutMs - ((now - s.since) | 0),
  };
}

function snapshotOf(s: Session, now: number): SessionSnapshot {
  return {
    id: sessionId(s),
    protocol: s.protocol,
    service: SERVICES[s.service]!,
    state: SIS_NAMES[s.state]!,
    initiator: s.initiator,
    responder: s.seenResponder,
    responderLocal: s.responder,
    ...printedPorts(s),
    createdAgo: (now - s.created) | 0,
    heardAgo: (now - s.heard) | 0,
    initiatorBytes: s.initiatorBytes,
    responderBytes: s.responderBytes,
  };
}
