/** A router without packets, for console tests: its state is what the test puts in, its actions are remembered. */
import type { BufferedPacket, CapturesSnapshot } from '../../../src/core/capture/capture.js';
import { heapMemory } from '../../../src/core/memory/flat-memory.js';
import { noDebug } from '../../../src/core/observe/debug.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import type { Dial } from '../../../src/ios/exec/dial.js';
import type { RemoteFile } from '../../../src/ios/exec/files.js';
import { formatAddress } from '../../../src/ios/ipv4-text.js';
import type { ConsoleRouter, RouterActions } from '../../../src/ios/exec/router.js';
import type { Probe, ProbeOutcome } from '../../../src/core/probe/probe.js';
import type {
  RouterSnapshot,
  SessionSnapshot,
  SystemSnapshot,
  TranslationSnapshot,
} from '../../../src/core/state/snapshot.js';
import { TranscriptStore } from '../../../src/ios/transcript/store.js';
import type { Reading, RowFamily } from '../../../src/core/observe/row.js';

export interface FakeRouter extends ConsoleRouter {
  /** Calls of actions, in order, as text. */
  calls: string[];
  sessions: SessionSnapshot[];
  translations: TranslationSnapshot[];
  matches: Map<string, number[]>;
  captures: CapturesSnapshot;
  /** Of each capture buffer. */
  captured: Map<string, BufferedPacket[]>;
  startup: string | undefined;
  modified: boolean;
  dial: Dial;
  readonly transcripts: TranscriptStore;
  /** Files of flash:, by name, and of servers, by URL with user and password. */
  flash: Map<string, string>;
  remote: Map<string, string>;
  /** Why `reload` is refused. */
  reloadFault: string | undefined;
  /** What waits for its time: the test has it come. */
  timers: { ms: number; run: () => void }[];
  /** What was sent and waits: the test says what comes of it. */
  probes: { probe: Probe; done: (outcome: ProbeOutcome) => void }[];
  /** Names that every name server knows. Others are asked in vain. */
  known: Map<string, number>;
}

/** A question to a name server, answered after this turn. */
const later =
  <Q, A>(answer: (question: Q) => A | undefined) =>
  (question: Q, _server: number, done: (answer: A | undefined) => void): (() => void) => {
    const timer = setTimeout(() => done(answer(question)));
    return () => clearTimeout(timer);
  };

const urlOf = ({ scheme, user, password, address, path }: RemoteFile): string =>
  `${scheme}://${scheme === 'ftp' ? `${user}:${password}@` : ''}${formatAddress(address)}/${path}`;

export function fakeRouter(text: string): FakeRouter {
  let config: RouterConfig = parseConfig(text, 'test.cfg').config;
  const calls: string[] = [];
  const state = {
    sessions: [] as SessionSnapshot[],
    translations: [] as TranslationSnapshot[],
    matches: new Map<string, number[]>(),
    captures: { buffers: [], points: [] } as CapturesSnapshot,
    captured: new Map<string, BufferedPacket[]>(),
    probes: [] as FakeRouter['probes'],
    known: new Map<string, number>(),
    timers: [] as FakeRouter['timers'],
    flash: new Map<string, string>(),
    remote: new Map<string, string>(),
  };
  const snapshot: RouterSnapshot = {
    sessions: () => state.sessions,
    recent: () => state.sessions,
    translations: () => state.translations,
    expected: () => [],
    aclMatches: (list) => state.matches.get(list) ?? [],
    counters: () => [
      reading('smtp', 'masked', 3),
      reading('drop', 'fragment', 0),
      reading('nat', 'hits', 7),
      reading('nat', 'misses', 1),
      reading('nat', 'expired', 2),
    ],
    inspection: () => ({
      packets: new Map([
        ['tcp', 616668],
        ['http', 178912],
      ]),
      created: 42940,
      current: [0, 0, 0],
      maximum: [98, 68, 50],
      lastCreatedAgo: 5 * 86_400_000 + 21 * 3_600_000,
      lastResetAgo: undefined,
      creationRate: 0,
    }),
    intercept: () => ({
      connections: [
        {
          client: 0x0a0a0a05,
          clientPort: 33772,
          server: 0xac16011e | 0,
          serverPort: 80,
          state: 'SYNSENT',
          incomplete: true,
          watched: false,
          createdAgo: 9000,
          leftMs: 5000,
        },
        {
          client: 0x0a0a0a06,
          clientPort: 33771,
          server: 0xac16011e | 0,
          serverPort: 23,
          state: 'ESTAB',
          incomplete: false,
          watched: true,
          createdAgo: 8000,
          leftMs: 86_394_000,
        },
      ],
      requestsInMinute: 120,
      answered: 7,
      proven: 2,
    }),
    captures: () => state.captures,
    captured: (buffer) => state.captured.get(buffer) ?? [],
    reassembly: () => ({ reassemblies: 0, fragments: 0, totalReassemblies: 4, totalFailures: 1 }),
  };
  const system: SystemSnapshot = {
    release: '0.1.0',
    now: () => new Date(Date.UTC(2024, 9, 18, 21, 51, 35, 886)),
    uptimeMs: () => ((2 * 7 + 1) * 24 + 4) * 3_600_000 + 600_000,
    interfaces: () => [],
    arp: () => [],
    cpu: () => ({ fiveSeconds: 3, oneMinute: 2, fiveMinutes: 1 }),
    memory: () => ({ total: 130_023_424, used: 30_000_000 }),
    ipCounters: () => ({}),
  };
  const record =
    (name: string) =>
    (...args: unknown[]): undefined =>
      void calls.push([name, ...args.map((a) => JSON.stringify(a))].join(' ').trim());
  const actions: RouterActions = {
    apply: (next) => {
      config = next;
      calls.push('apply');
      return undefined;
    },
    writeStartup: (written) => {
      router.startup = written;
      calls.push('writeStartup');
      return undefined;
    },
    setDebug: (flags) => void Object.assign(router.debug, flags),
    clear: ({ what, ...which }) => {
      const [chosen] = Object.values(which) as unknown[];
      calls.push(`clear ${what}${chosen === undefined ? '' : ` ${JSON.stringify(chosen)}`}`);
    },
    eraseStartup: (done) => {
      calls.push('eraseStartup');
      const kept = router.startup === undefined ? undefined : 'startup.erased';
      router.startup = undefined;
      setTimeout(() => done({ kept }));
    },
    reload: (done) => {
      calls.push('reload');
      setTimeout(() => done(router.reloadFault));
    },
    after: (ms, run) => {
      if (ms === 0) {
        setImmediate(run);
        return () => undefined;
      }
      const timer = { ms, run };
      state.timers.push(timer);
      return () => void state.timers.splice(state.timers.indexOf(timer) >>> 0, 1);
    },
    capture: record('capture'),
    verdicts: (from) => Promise.resolve({ next: from + 1, lost: 0, records: [] }),
    clearArp: record('clearArp'),
    clearLogging: record('clearLogging'),
    clearInterfaceCounters: record('clearInterfaceCounters'),
    log: (severity, mnemonic, message) => void calls.push(`log ${severity} ${mnemonic}: ${message}`),
  };
  const router: FakeRouter = Object.assign(state, {
    calls,
    startup: undefined as string | undefined,
    modified: false,
    reloadFault: undefined as string | undefined,
    isModified: () => router.modified,
    config: () => config,
    snapshot,
    memory: () => ({ source: heapMemory, now: 1, capacity: 64, cookieKey: new Int32Array(4) }),
    system,
    actions,
    startupConfig: () => router.startup,
    debug: noDebug(),
    transcripts: new TranscriptStore(),
    prober: {
      send: (probe: Probe, done: (outcome: ProbeOutcome) => void) => {
        const one = { probe: { ...probe }, done };
        state.probes.push(one);
        return () => void state.probes.splice(state.probes.indexOf(one) >>> 0, 1);
      },
    },
    files: {
      flash: {
        capacity: 1_000_000,
        list: () =>
          Promise.resolve([...state.flash].map(([name, text]) => ({ name, size: text.length, written: new Date(0) }))),
        has: (name: string) => state.flash.has(name),
        read: (name: string) => {
          const text = state.flash.get(name);
          return text === undefined
            ? Promise.reject(new Error('No such file or directory'))
            : Promise.resolve(Buffer.from(text));
        },
        write: (name: string, bytes: Uint8Array) =>
          Promise.resolve(void state.flash.set(name, Buffer.from(bytes).toString())),
        remove: (name: string) =>
          state.flash.delete(name) ? Promise.resolve() : Promise.reject(new Error('No such file or directory')),
      },
      fetch: (from: RemoteFile, progress: (mark: string) => void) => {
        const text = state.remote.get(urlOf(from));
        if (text === undefined) return Promise.reject(new Error('No such file or directory'));
        progress('!');
        return Promise.resolve(Buffer.from(text));
      },
      send: (to: RemoteFile, bytes: Uint8Array, progress: (mark: string) => void) => {
        state.remote.set(urlOf(to), Buffer.from(bytes).toString());
        progress('!');
        return Promise.resolve();
      },
    },
    dial: () => {
      throw new Error('nobody to call');
    },
    names: {
      address: later((name: string) => state.known.get(name)),
      name: later((address: number) => [...state.known].find(([, a]) => a === address)?.[0]),
    },
    log: {
      lines: () => [],
      counts: () => ({ console: 0, monitor: 0, buffer: 0, trap: 0, dropped: 0, rateLimited: 0 }),
    },
  });
  return router;
}

/** A counter as it was read. */
export const reading = (family: RowFamily, name: string, value: number): Reading => ({
  family,
  name,
  help: 'what is counted',
  kind: 'counter',
  value,
});
