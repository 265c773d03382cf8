/** What a console session needs of the running router: views to print, and actions to carry out. main.ts provides it. */
import type { DebugFlags } from '../../core/observe/debug.js';
import type { Dial } from './dial.js';
import type { FileService } from './files.js';
import type { CaptureChange } from '../../core/capture/capture.js';
import type { VerdictBatch } from '../../core/capture/verdict.js';
import type { Clearing } from '../../core/plane.js';
import type { Prober } from '../../core/probe/probe.js';
import type { RouterSnapshot, SystemSnapshot, ViewName } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import type { OpenConnection } from '../management-plane.js';
import type { RouterMemory } from '../trace/dry-run.js';
import type { TracedPacket } from '../trace/probe.js';
import type { Transcripts } from '../transcript/dialogue.js';

export interface ConsoleRouter {
  /** The configuration in force. Not to be changed: change a clone and `actions.apply` it. */
  config(): RouterConfig;
  /** The state of the data plane: what was fetched last, as far as the other process has it. */
  readonly snapshot: RouterSnapshot;
  /**
   * Has `snapshot` show these views as they are now: when the promise is kept, until something else is awaited.
   * Absent where `snapshot` always does.
   */
  readonly fetch?: (names: readonly ViewName[]) => Promise<void>;
  /** Copies of the data plane's tables as they are now, for an engine that is run dry with this packet. */
  memory(packet: TracedPacket): RouterMemory | 'unreadable';
  readonly system: SystemSnapshot;
  readonly actions: RouterActions;
  /** What `write memory` wrote last, or the file that the router was started with; undefined: it was erased. */
  startupConfig(): string | undefined;
  /** True where the configuration in force is not the one of the startup file. */
  isModified(): boolean;
  /** What `debug` traces; `actions.setDebug` changes it. */
  readonly debug: DebugFlags;
  /** The log buffer, for `show logging`. */
  readonly log: LogView;
  /** Of inspected dialogues. Only for privilege 15. */
  readonly transcripts: Transcripts;
  /** Sends what `ping` and `traceroute` send. */
  readonly prober: Prober;
  readonly names: NameService;
  /** Opens outgoing terminal connections. */
  readonly dial: Dial;
  /** Of flash:, and of servers. */
  readonly files: FileService;
  /** The router as Prometheus reads it; absent: nobody can ask. */
  metrics?(): Promise<string>;
  /** Of the web page; absent: there is none. */
  readonly web?: { connections(): readonly OpenConnection[] };
}

/** Asks one name server. `done` is called once, later, unless the function that is returned has given it up. */
export interface NameService {
  /** @param done an int32 address; undefined: the server knows none, or did not answer */
  address(name: string, server: number, done: (address: number | undefined) => void): () => void;
  name(address: number, server: number, done: (name: string | undefined) => void): () => void;
}

export interface LogView {
  /** Lines in the buffer, oldest first, with their time stamps. */
  lines(): readonly string[];
  counts(): LogCounts;
}

/** Messages since the start: to each destination; lost because one did not take them; left out as too many. */
export interface LogCounts {
  console: number;
  monitor: number;
  buffer: number;
  trap: number;
  dropped: number;
  rateLimited: number;
}

export interface RouterActions {
  /**
   * Makes a configuration the one in force, without losing sessions.
   * @param thorough set right too what somebody has changed on the host meanwhile
   * @returns undefined, or why the router cannot: then nothing has changed
   */
  apply(config: RouterConfig, thorough?: boolean): string | undefined;
  /**
   * `write memory`.
   * @returns undefined, or why it could not be written
   */
  writeStartup(text: string): string | undefined;
  /**
   * `write erase`: the startup file is put aside.
   * @param done told where it is kept, undefined where there was none; or why it stays
   */
  eraseStartup(done: (outcome: { kept: string | undefined } | { fault: string }) => void): void;
  /**
   * Starts anew with the startup configuration: sessions, translations, counters, the log buffer and debugging are gone.
   * @param done told why not, which is in the log too: then nothing has changed; or undefined
   */
  reload(done: (fault: string | undefined) => void): void;
  /** Calls `run` after so many ms (up to 24 days), unless the function that is returned has called it off. */
  after(ms: number, run: () => void): () => void;
  setDebug(flags: DebugFlags): void;
  /** Ends sessions (both ends of a TCP session are reset) or translations, or sets counters to nothing. */
  clear(clearing: Clearing): void;
  /** Makes, changes, starts or stops capture points and buffers. */
  capture(change: CaptureChange): void;
  /** What became of packets, from record `from` on; 0: from now on. */
  verdicts(from: number): Promise<VerdictBatch>;
  /** Forgets the hardware addresses of neighbours. */
  clearArp(): void;
  clearLogging(): void;
  clearInterfaceCounters(name?: string): void;
  /** A message to the log, e.g. SYS-5-CONFIG_I. */
  log(severity: number, mnemonic: string, text: string): void;
}
