/**
 * Views of the engine, in pieces: between two of them packets go by. Lists that may be long come in several; what is put
 * together from them is the RouterSnapshot that `show` reads. A session that ends meanwhile may be missing, none is there
 * twice.
 */
import type { Engine } from '../engine.js';
import type { BufferedPacket, CapturesSnapshot } from '../capture/capture.js';
import { SERVICES } from '../inspect/rules.js';
import { printedPorts, sessionId } from '../session/endpoints.js';
import { FLAG, type Session, SIS_NAMES } from '../session/session.js';
import { connectionState } from '../session/tcp-state.js';
import { type Reading, readRows, type Row } from '../observe/row.js';
import { MostRecent } from './most-recent.js';
import { MOST_RECENT_SESSIONS } from './snapshot.js';
import type {
  ExpectedSnapshot,
  InspectionSnapshot,
  InterceptedConnection,
  InterceptSnapshot,
  ReassemblySnapshot,
  RouterSnapshot,
  SessionSnapshot,
  TranslationSnapshot,
  ViewName,
} from './snapshot.js';
import { arrangeTranslations, networksOf, translationsIn, translationsOfSessions } from './translation-snapshots.js';

/** Records that one piece looks at: a fraction of a millisecond. */
const RECORDS_A_PIECE = 256;

export type ViewPiece =
  | { name: 'sessions' | 'recent'; items: SessionSnapshot[] }
  | { name: 'translations'; from: 'table' | 'sessions' | 'networks'; items: TranslationSnapshot[] }
  | { name: 'expected'; items: ExpectedSnapshot[] }
  | { name: 'aclMatches'; list: string; matches: Float64Array }
  | { name: 'counters'; items: Reading[] }
  | { name: 'inspection'; value: InspectionSnapshot }
  | { name: 'intercepted'; items: InterceptedConnection[] }
  | { name: 'intercept'; value: Omit<InterceptSnapshot, 'connections'> }
  | { name: 'reassembly'; interface: string; value: ReassemblySnapshot }
  | { name: 'captures'; value: CapturesSnapshot }
  | { name: 'captured'; items: ReadonlyMap<string, readonly BufferedPacket[]> };

/**
 * @param clock the engine's clock, ms
 * @param more  counters beside the engine's
 */
export function* viewPieces(
  engine: Engine,
  names: readonly ViewName[],
  clock: () => number,
  more: readonly Row[] = [],
): Generator<ViewPiece, void> {
  for (const name of names) yield* piecesOf(engine, name, clock, more);
}

function* piecesOf(
  engine: Engine,
  name: ViewName,
  clock: () => number,
  more: readonly Row[],
): Generator<ViewPiece, void> {
  const { sessions, nat } = engine;
  switch (name) {
    case 'sessions':
      for (const [from, to] of ranges(() => sessions.table.records))
        yield { name, items: sessionsIn(engine, from, to, clock()) };
      return;
    case 'recent': {
      const recent = new MostRecent(MOST_RECENT_SESSIONS);
      for (const [from, to] of ranges(() => sessions.table.records)) {
        const now = clock();
        sessions.forEach((s) => recent.offer(s.slot, (now - s.heard) | 0), from, to);
        yield { name, items: [] };
      }
      yield { name, items: recent.slots().flatMap((slot) => sessionsIn(engine, slot, slot + 1, clock())) };
      return;
    }
    case 'translations':
      for (const [from, to] of ranges(() => nat.translations.table.records))
        yield { name, from: 'table', items: translationsIn(engine, from, to, clock()) };
      for (const [from, to] of ranges(() => sessions.table.records))
        yield { name, from: 'sessions', items: translationsOfSessions(engine, from, to, clock()) };
      yield { name, from: 'networks', items: networksOf(engine, clock()) };
      return;
    case 'expected':
      yield { name, items: sessions.expectedFlows(clock()).map(({ src, dst, dstPort }) => ({ src, dst, dstPort })) };
      return;
    case 'aclMatches':
      for (const [list, { matches }] of engine.accessLists) yield { name, list, matches };
      return;
    case 'counters':
      yield { name, items: readRows([...engine.rows(), ...more]) };
      return;
    case 'inspection':
      yield { name, value: inspectionOf(engine, clock()) };
      return;
    case 'intercept':
      for (const [from, to] of ranges(() => sessions.table.records)) {
        const items: InterceptedConnection[] = [];
        const now = clock();
        const see = (s: Session): void => {
          if (s.has(FLAG.intercepted | FLAG.watched)) items.push(connectionOf(s, now));
        };
        sessions.table.forEach(see, from, to);
        yield { name: 'intercepted', items };
      }
      yield {
        name,
        value: {
          requestsInMinute: sessions.intercept.requests.count(clock()),
          answered: sessions.intercept.answered,
          proven: sessions.intercept.proven,
        },
      };
      return;
    case 'captures':
    case 'captured':
      return; // the control plane has them
    case 'reassembly':
      for (const itf of engine.policy.interfaces)
        yield { name, interface: itf.name, value: engine.reassembly(itf.name) };
  }
}

/** Of the records from `from` up to `to`. One may have ended since it was looked at: then it is not there. */
function sessionsIn({ sessions }: Engine, from: number, to: number, now: number): SessionSnapshot[] {
  const items: SessionSnapshot[] = [];
  sessions.forEach((s) => items.push(sessionSnapshot(s, now)), from, to);
  return items;
}

/** Numbers of records, piece by piece, as many as there are when the end is reached. */
function* ranges(records: () => number): Generator<readonly [from: number, to: number]> {
  for (let from = 0; from < records(); from += RECORDS_A_PIECE) yield [from, from + RECORDS_A_PIECE];
}

/**
 * Puts pieces together again, of one shard or of several: what is counted is added up, what is listed stands in one list.
 * What was not asked for is empty.
 */
export class CollectedViews implements RouterSnapshot {
  readonly #sessions: SessionSnapshot[] = [];
  readonly #recent: SessionSnapshot[] = [];
  readonly #translations = {
    table: [] as TranslationSnapshot[],
    sessions: [] as TranslationSnapshot[],
    networks: [] as TranslationSnapshot[],
  };
  readonly #expected: ExpectedSnapshot[] = [];
  readonly #matches = new Map<string, Float64Array>();
  readonly #intercepted: InterceptedConnection[] = [];
  readonly #reassembly = new Map<string, ReassemblySnapshot>();
  readonly #counters = new Map<string, Reading>();
  #captures: CapturesSnapshot = { buffers: [], points: [] };
  #captured: ReadonlyMap<string, readonly BufferedPacket[]> = new Map();
  #inspection: InspectionSnapshot = NO_INSPECTION;
  #intercept: Omit<InterceptSnapshot, 'connections'> = { requestsInMinute: 0, answered: 0, proven: 0 };

  /**
   * @param mapped names of the interfaces that a Linux interface is bound to; undefined: all that can be
   * @param shards whose pieces will be added. Of several, lists are in the order of age
   */
  constructor(
    readonly mapped?: ReadonlySet<string>,
    private readonly shards = 1,
  ) {}

  add(piece: ViewPiece): void {
    switch (piece.name) {
      case 'sessions':
        this.#sessions.push(...piece.items);
        return;
      case 'recent':
        this.#recent.push(...piece.items);
        return;
      case 'translations':
        this.#translations[piece.from].push(...piece.items);
        return;
      case 'expected':
        this.#expected.push(...piece.items);
        return;
      case 'aclMatches':
        this.#addMatches(piece.list, piece.matches);
        return;
      case 'intercepted':
        this.#intercepted.push(...piece.items);
        return;
      case 'reassembly':
        this.#reassembly.set(piece.interface, added(this.reassembly(piece.interface), piece.value));
        return;
      case 'captures':
        this.#captures = piece.value;
        return;
      case 'captured':
        this.#captured = piece.items;
        return;
      case 'counters':
        for (const row of piece.items) this.#addReading(row);
        return;
      case 'inspection':
        this.#inspection =
          this.#inspection === NO_INSPECTION ? piece.value : bothInspected(this.#inspection, piece.value);
        return;
      case 'intercept':
        this.#intercept = added(this.#intercept, piece.value);
    }
  }

  /** Another shard counts the entries of the same list, unless it has not heard of the last change of it yet. */
  #addMatches(list: string, matches: Float64Array): void {
    const before = this.#matches.get(list);
    if (before === undefined) {
      this.#matches.set(list, matches);
      return;
    }
    const [longer, shorter] = before.length >= matches.length ? [before, matches] : [matches, before];
    const sum = longer.slice();
    for (let i = 0; i < shorter.length; i++) sum[i]! += shorter[i]!;
    this.#matches.set(list, sum);
  }

  #addReading(row: Reading): void {
    const key = `${row.family} ${row.name}`;
    const value = (this.#counters.get(key)?.value ?? 0) + row.value;
    this.#counters.set(key, { ...row, value });
  }

  sessions(): SessionSnapshot[] {
    if (this.shards > 1) this.#sessions.sort((a, b) => b.createdAgo - a.createdAgo);
    return this.#sessions;
  }

  recent(): SessionSnapshot[] {
    if (this.shards === 1) return this.#recent;
    return this.#recent.sort((a, b) => a.heardAgo - b.heardAgo).slice(0, MOST_RECENT_SESSIONS);
  }

  expected(): ExpectedSnapshot[] {
    return this.#expected;
  }

  translations(): TranslationSnapshot[] {
    const { table, sessions, networks } = this.#translations;
    if (this.shards === 1) return arrangeTranslations(table, sessions, networks);
    return arrangeTranslations(withoutTwins(table), sessions, withoutTwins(networks));
  }

  aclMatches(list: string): readonly number[] {
    return Array.from(this.#matches.get(list) ?? []);
  }

  inspection(): InspectionSnapshot {
    return this.#inspection;
  }

  intercept(): InterceptSnapshot {
    if (this.shards > 1) this.#intercepted.sort((a, b) => b.createdAgo - a.createdAgo);
    return { connections: this.#intercepted, ...this.#intercept };
  }

  reassembly(name: string): ReassemblySnapshot {
    return this.#reassembly.get(name) ?? { reassemblies: 0, fragments: 0, totalReassemblies: 0, totalFailures: 0 };
  }

  captures(): CapturesSnapshot {
    return this.#captures;
  }

  captured(buffer: string): readonly BufferedPacket[] {
    return this.#captured.get(buffer) ?? [];
  }

  counters(): readonly Reading[] {
    return [...this.#counters.values()];
  }
}

/** The sum of two records of numbers. */
function added<T extends { readonly [K in keyof T]: number }>(a: T, b: T): T {
  const sum: Record<string, number> = {};
  for (const name of Object.keys(a) as (keyof T & string)[]) sum[name] = a[name] + b[name];
  return sum as T;
}

/** What two shards have inspected. Each knows the most that all had at a time. */
function bothInspected(a: InspectionSnapshot, b: InspectionSnapshot): InspectionSnapshot {
  const triple = (x: InspectionSnapshot['current'], y: InspectionSnapshot['current'], of: typeof Math.max) =>
    [of(x[0], y[0]), of(x[1], y[1]), of(x[2], y[2])] as const;
  const sum = (x: number, y: number): number => x + y;
  const later = (x: number | undefined, y: number | undefined): number | undefined =>
    x === undefined || y === undefined ? (x ?? y) : Math.min(x, y);
  return {
    packets: new Map(
      SERVICES.flatMap((name) => {
        const packets = (a.packets.get(name) ?? 0) + (b.packets.get(name) ?? 0);
        return packets > 0 ? [[name, packets]] : [];
      }),
    ),
    created: a.created + b.created,
    current: triple(a.current, b.current, sum),
    maximum: triple(a.maximum, b.maximum, Math.max),
    lastCreatedAgo: later(a.lastCreatedAgo, b.lastCreatedAgo),
    lastResetAgo: later(a.lastResetAgo, b.lastResetAgo),
    creationRate: a.creationRate + b.creationRate,
  };
}

/** Each shard has the same static entries: those that are alike are one. */
function withoutTwins(all: readonly TranslationSnapshot[]): TranslationSnapshot[] {
  const known = new Map<string, TranslationSnapshot>();
  for (const t of all) {
    const { createdAgo, usedAgo, useCount, ...ends } = t;
    const key = JSON.stringify(ends);
    const twin = known.get(key);
    known.set(
      key,
      twin === undefined
        ? t
        : {
            ...twin,
            createdAgo: Math.max(twin.createdAgo, createdAgo),
            usedAgo: Math.min(twin.usedAgo, usedAgo),
            ...(useCount !== undefined && { useCount: useCount + (twin.useCount ?? 0) }),
          },
    );
  }
  return [...known.values()];
}

const NO_INSPECTION: InspectionSnapshot = {
  packets: new Map(),
  created: 0,
  current: [0, 0, 0],
  maximum: [0, 0, 0],
  lastCreatedAgo: undefined,
  lastResetAgo: undefined,
  creationRate: 0,
};

function inspectionOf(engine: Engine, now: number): InspectionSnapshot {
  const s = engine.sessions.statistics;
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

/** A session as people see it. */
export function sessionSnapshot(s: Session, now: number): SessionSnapshot {
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
