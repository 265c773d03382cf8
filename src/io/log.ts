/**
 * The log: pino, one JSON object a line, or the text a 3640 writes to its console. Messages carry IOS severities. It
 * holds no more memory than its limits, however slow a reader is: lines are lost then, counted, and the count is said.
 */
import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { LoggingConfig, Timestamps } from '../ios/config/model.js';
import { lostMessage, type Message, unstamped } from '../ios/messages.js';
import type { LogCounts, LogView } from '../ios/exec/router.js';
import { formatTimestamp } from '../ios/timestamp.js';
import { Tally } from '../core/limit/tally.js';
import { LogBuffer } from './log-buffer.js';
import type { LogOutput } from './log-output.js';
import { Syslog } from './syslog.js';

export type LogFormat = 'json' | 'ios';

/** pino level of each IOS severity, 0 emergencies to 7 debugging. */
const LEVELS = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

/** How long the end of the process waits for a reader, ms. */
const END_MS = 300;

export interface LogOptions {
  format: LogFormat;
  /** Least pino level that is written. */
  level: string;
  /** Standard output. */
  output: LogOutput;
  /** `service timestamps` of the configuration, for the ios format. */
  timestamps: () => { debug: Timestamps; log: Timestamps };
  /** `logging …` of the configuration: severities up to the named one go to each destination. */
  logging: () => LoggingConfig;
  /** Of the router, for syslog servers. */
  hostname?: () => string;
}

const MONITOR_NONE = (): void => undefined;

export class Log implements LogView {
  /** Writes a line to the consoles, as `logging console` says. */
  consoles: (line: string) => void = MONITOR_NONE;
  /** Writes a line to the terminal lines that monitor. */
  monitor: (line: string) => void = MONITOR_NONE;
  /** Messages that were too many before they came here. */
  leftOut: () => number = () => 0;
  readonly #pino: Logger;
  readonly #started = Date.now();
  readonly #buffer = new LogBuffer();
  readonly #counts = { console: 0, monitor: 0, buffer: 0 };
  readonly #syslog: Syslog;
  /** Lines that standard output did not take. */
  readonly #lost = new Tally();

  constructor(
    private readonly options: LogOptions,
    syslog = new Syslog(),
  ) {
    this.#syslog = syslog;
    syslog.say = (m) => this.write(m);
    const destination = { write: (line: string): void => options.output.write(line) };
    this.#pino = pino(
      { level: options.level, base: null, timestamp: stdTimeFunctions.isoTime, formatters },
      destination,
    );
  }

  /** Says what was lost. To be called now and then. `now`: ms, monotonic. */
  report(now: number): void {
    const lost = this.options.output.hasRoom ? this.#lost.takeAll() : 0;
    if (lost > 0) this.#toConsole(lostMessage(lost, 'console'));
    const unsent = this.#syslog.works ? this.#syslog.lost.take(now) : 0;
    if (unsent > 0) this.#toSyslog(lostMessage(unsent, 'syslog'));
  }

  /** Writes one IOS message or debug line to standard output, consoles, the buffer, monitoring lines and syslog servers. */
  write(m: Message): void {
    const logging = this.options.logging();
    const { on, console, monitor, buffered, bufferSize, trap } = logging;
    if (m.severity <= (console ?? -1)) {
      this.#toConsole(m);
      if (this.consoles !== MONITOR_NONE) this.consoles(this.line(m));
    }
    if (!on) return; // `no logging on` leaves the console alone
    const buffers = m.severity <= (buffered ?? -1);
    const monitors = m.severity <= (monitor ?? -1) && this.monitor !== MONITOR_NONE;
    const traps = m.severity <= (trap ?? -1) && logging.hosts.length + logging.servers.length > 0;
    if (!buffers && !monitors && !traps) return;
    const line = this.line(m);
    if (buffers) {
      this.#buffer.add(line, bufferSize);
      this.#counts.buffer++;
    }
    if (monitors) {
      this.monitor(line);
      this.#counts.monitor++;
    }
    if (traps) this.#toSyslog(m, line);
  }

  lines(): readonly string[] {
    return this.#buffer.lines;
  }

  counts(): LogCounts {
    const dropped = this.#lost.total + this.#syslog.lost.total;
    return { ...this.#counts, trap: this.#syslog.sent, dropped, rateLimited: this.leftOut() };
  }

  /** `clear logging`. */
  clear(): void {
    this.#buffer.clear();
  }

  #toConsole(m: Message): void {
    const level = LEVELS[m.severity] ?? 'info';
    if (!this.#pino.isLevelEnabled(level)) return;
    const { output, format } = this.options;
    if (!output.hasRoom) {
      this.#lost.note(performance.now());
      return;
    }
    this.#counts.console++;
    if (format === 'ios') output.write(`${this.line(m)}\n`);
    else this.#pino[level]({ severity: m.severity, mnemonic: m.mnemonic, ...m.fields }, unstamped(m));
  }

  #toSyslog(m: Message, line = this.line(m)): void {
    this.#syslog.send(m.severity, line, this.options.logging(), m, this.options.hostname?.());
  }

  /** The message as IOS prints it, with its time stamp. */
  line(m: Message): string {
    const { debug, log } = this.options.timestamps();
    const now = new Date();
    return formatTimestamp(m.mnemonic === '' ? debug : log, now, now.getTime() - this.#started) + unstamped(m);
  }

  /** Writes out what waits, as far as a reader takes it in a moment; before the process ends. */
  async end(): Promise<void> {
    await Promise.all([this.#syslog.end(END_MS), this.options.output.end(END_MS)]);
  }
}

const formatters = { level: (label: string) => ({ level: label }) };
