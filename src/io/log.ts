/**
 * The log: pino, one JSON object a line, or the text a 3640 writes to its console. Messages carry IOS severities.
 */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Timestamps } from '../ios/config/model.js';
import type { Message } from '../ios/messages.js';
import { formatTimestamp } from '../ios/timestamp.js';

export type LogFormat = 'json' | 'ios';

/** pino level of each IOS severity, 0 emergencies to 7 debugging. */
const LEVELS = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

export interface LogOptions {
  format: LogFormat;
  /** Least pino level that is written. */
  level: string;
  /** `service timestamps` of the configuration, for the ios format. */
  timestamps: () => { debug: Timestamps; log: Timestamps };
}

export class Log {
  readonly #pino: Logger;
  readonly #out: DestinationStream & { flushSync(): void };
  readonly #started = Date.now();

  constructor(private readonly options: LogOptions) {
    this.#out = pino.destination({ fd: 1, sync: false });
    this.#pino = pino({ level: options.level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, this.#out);
  }

  /** Writes one IOS message or debug line. */
  write(m: Message): void {
    const level = LEVELS[m.severity] ?? 'info';
    if (!this.#pino.isLevelEnabled(level)) return;
    if (this.options.format === 'ios') this.#out.write(`${this.line(m)}\n`);
    else this.#pino[level]({ severity: m.severity, mnemonic: m.mnemonic, text: m.text, ...m.fields }, unstamped(m));
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
