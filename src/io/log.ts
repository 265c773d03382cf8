/**
 * The log: pino, one JSON object a line, or the text a 3640 writes to its console. Messages carry IOS severities.
 */
import { randomInt } from 'node:crypto';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { EventLimiter } from '../event-limiter.js';
import type { Event } from '../events.js';
import type { LoggingConfig, Timestamps } from '../ios/config/model.js';
import { type Message, messageOf } from '../ios/messages.js';
import type { LogCounts, LogView } from '../ios/exec/router.js';
import { formatTimestamp } from '../ios/timestamp.js';
import { LogBuffer } from './log-buffer.js';
import { Syslog } from './syslog.js';

export type LogFormat = 'json' | 'ios';

/** pino level of each IOS severity, 0 emergencies to 7 debugging. */
const LEVELS = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

export interface LogOptions {
  format: LogFormat;
  /** Least pino level that is written. */
  level: string;
  /** `service timestamps` of the configuration, for the ios format. */
  timestamps: () => { debug: Timestamps; log: Timestamps };
  /** `logging …` of the configuration: severities up to the named one go to each destination. */
  logging: () => LoggingConfig;
}

const MONITOR_NONE = (): void => undefined;

export class Log implements LogView {
  /** Writes a line to the terminals that monitor. */
  monitor: (line: string) => void = MONITOR_NONE;
  readonly #pino: Logger;
  readonly #out: DestinationStream & { flushSync(): void };
  readonly #started = Date.now();
  readonly #buffer = new LogBuffer();
  readonly #counts = { console: 0, monitor: 0, buffer: 0 };
  readonly #syslog = new Syslog();
  readonly #limiter = new EventLimiter(randomInt(2 ** 31));

  constructor(private readonly options: LogOptions) {
    this.#out = pino.destination({ fd: 1, sync: false });
    this.#pino = pino({ level: options.level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, this.#out);
  }

  /** Writes what the core says happened, unless that is too much. `now`: ms, monotonic. */
  event(e: Event, now: number): void {
    // Asked before there is a text: what the log has no room for costs no more than the question.
    if (this.#limiter.admits(e, now)) this.write(messageOf(e));
  }

  /** Says what was left out. To be called now and then. `now`: as for `event`. */
  report(now: number): void {
    this.#limiter.report(now, this.#writeEvent);
  }

  readonly #writeEvent = (e: Event): void => this.write(messageOf(e));

  /** Writes one IOS message or debug line to standard output, the buffer, monitoring terminals and syslog servers. */
  write(m: Message): void {
    const logging = this.options.logging();
    const { on, console, monitor, buffered, bufferSize } = logging;
    if (m.severity <= (console ?? -1)) this.#toConsole(m);
    if (!on) return; // `no logging on` leaves the console alone
    if (m.severity <= (buffered ?? -1)) {
      this.#buffer.add(this.line(m), bufferSize);
      this.#counts.buffer++;
    }
    if (m.severity <= (monitor ?? -1) && this.monitor !== MONITOR_NONE) {
      this.monitor(this.line(m));
      this.#counts.monitor++;
    }
    if (logging.hosts.length > 0) this.#syslog.send(m.severity, this.line(m), logging);
  }

  lines(): readonly string[] {
    return this.#buffer.lines;
  }

  counts(): LogCounts {
    return { ...this.#counts, trap: this.#syslog.sent, dropped: 0, rateLimited: this.#limiter.leftOut };
  }

  /** `clear logging`. */
  clear(): void {
    this.#buffer.clear();
  }

  #toConsole(m: Message): void {
    const level = LEVELS[m.severity] ?? 'info';
    if (!this.#pino.isLevelEnabled(level)) return;
    this.#counts.console++;
    if (this.options.format === 'ios') this.#out.write(`${this.line(m)}\n`);
    else this.#pino[level]({ severity: m.severity, mnemonic: m.mnemonic, ...m.fields }, unstamped(m));
  }

  /** The message as IOS prints it, with its time stamp. */
  line(m: Message): string {
    const { debug, log } = this.options.timestamps();
    const now = new Date();
    return formatTimestamp(m.mnemonic === '' ? debug : log, now, now.getTime() - this.#started) + unstamped(m);
  }

  /** Writes out what is buffered; before the process ends. */
  flush(): void {
    this.#out.flushSync();
  }
}

const formatters = { level: (label: string) => ({ level: label }) };

const unstamped = (m: Message): string => (m.mnemonic === '' ? m.text : `${m.mnemonic}: ${m.text}`);
