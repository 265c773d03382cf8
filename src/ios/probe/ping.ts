/** `ping`: one echo after the other, a character for each, and the summary. */
import type { Probe, ProbeOutcome } from '../../core/probe/probe.js';
import { FRAGMENTATION_NEEDED, SOURCE_QUENCH, TIME_EXCEEDED, UNREACHABLE } from '../../core/wire/icmp.js';
import type { Job } from '../exec/job.js';
import type { ConsoleRouter } from '../exec/router.js';
import { formatAddress } from '../ipv4-text.js';
import { findWay, type Found, type Source } from './way.js';

export interface PingOptions {
  /** Address or name, as typed. */
  target: string;
  repeat: number;
  /** Bytes of the datagram. A sweep: each size from `from` to `to`, `repeat` times over. */
  size: number | { from: number; to: number; step: number };
  /** Seconds. */
  timeout: number;
  source: Source | undefined;
  dontFragment: boolean;
  tos: number;
  /** 16 bits. */
  pattern: number;
  /** A line for each echo instead of a character. */
  verbose: boolean;
  /** Asked for in a dialogue, whose last question stands right above. */
  afterDialogue: boolean;
}

export const PING_DEFAULTS = {
  repeat: 5,
  size: 100,
  timeout: 2,
  source: undefined,
  dontFragment: false,
  tos: 0,
  pattern: 0xabcd,
  verbose: false,
  afterDialogue: false,
} satisfies Omit<PingOptions, 'target'>;

const TTL = 255;
/** Characters on a line of the screen. */
const WIDTH = 70;

export class PingJob implements Job {
  #print!: (text: string) => void;
  #done!: (failed: boolean) => void;
  #giveUp: () => void = () => undefined;
  readonly #waits = (giveUp: () => void): void => void (this.#giveUp = giveUp);
  #probe!: Probe;
  readonly #sizes: readonly number[];
  #sent = 0;
  #replies = 0;
  #column = 0;
  #least = Infinity;
  #most = 0;
  #sum = 0;
  #begun = false;

  constructor(
    private readonly router: ConsoleRouter,
    private readonly options: PingOptions,
  ) {
    this.#sizes = sizesOf(options.size);
  }

  start(print: (text: string) => void, done: (failed: boolean) => void): void {
    this.#print = print;
    this.#done = done;
    findWay(this.router, this.options, print, this.#waits, (found) => {
      if (found === undefined) done(true);
      else this.#begin(found);
    });
  }

  stop(): void {
    this.#giveUp();
    if (this.#begun) this.#finish();
    else {
      this.#print('\n');
      this.#done(false);
    }
  }

  get #total(): number {
    return this.options.repeat * this.#sizes.length;
  }

  #begin({ destination, source, way }: Found): void {
    const { timeout, dontFragment, tos, pattern } = this.options;
    this.#print(this.#head(destination, source));
    this.#begun = true;
    this.#probe = {
      ...way,
      kind: 'echo',
      destination,
      size: 0,
      ttl: TTL,
      tos,
      dontFragment,
      pattern,
      port: 0,
      timeoutMs: timeout * 1000,
    };
    this.#next();
  }

  #head(destination: number, source: number | undefined): string {
    const { size, timeout, dontFragment, pattern, afterDialogue } = this.options;
    const bytes = typeof size === 'number' ? String(size) : `[${size.from}..${size.to}]`;
    return [
      ...(afterDialogue ? [] : ['']),
      'Type escape sequence to abort.',
      `Sending ${this.#total}, ${bytes}-byte ICMP Echos to ${formatAddress(destination)}, timeout is ${timeout} seconds:`,
      ...(source === undefined ? [] : [`Packet sent with a source address of ${formatAddress(source)} `]),
      ...(dontFragment ? ['Packet sent with the DF bit set'] : []),
      // Inferred for 12.3: later releases print it with eight digits.
      ...(pattern === PING_DEFAULTS.pattern ? [] : [`Packet has data pattern 0x${hex(pattern)}`]),
      '',
    ].join('\n');
  }

  #next(): void {
    if (this.#sent === this.#total) {
      this.#finish();
      return;
    }
    this.#probe.size = this.#sizes[this.#sent % this.#sizes.length]!;
    this.#giveUp = this.router.prober.send(this.#probe, (outcome) => {
      this.#show(outcome);
      this.#sent++;
      this.#next();
    });
  }

  #show(outcome: ProbeOutcome): void {
    const ms = outcome.kind === 'reply' ? Math.max(1, Math.round(outcome.ms)) : 0;
    if (outcome.kind === 'reply') {
      this.#replies++;
      this.#sum += ms;
      this.#least = Math.min(this.#least, ms);
      this.#most = Math.max(this.#most, ms);
    }
    if (this.options.verbose) {
      const size = this.#sizes.length > 1 ? ` (size ${this.#probe.size})` : '';
      this.#print(`${this.#sentence(outcome, ms)}${size}\n`);
      return;
    }
    this.#print(`${this.#column === WIDTH ? '\n' : ''}${character(outcome)}`);
    this.#column = this.#column === WIDTH ? 1 : this.#column + 1;
  }

  #sentence(outcome: ProbeOutcome, ms: number): string {
    if (outcome.kind === 'reply') return `Reply to request ${this.#sent} (${ms} ms)`;
    if (outcome.kind === 'timeout') return `Request ${this.#sent} timed out`;
    // Recalled, not confirmed.
    const mtu = outcome.mtu === 0 ? '' : `, maximum MTU ${outcome.mtu}`;
    return outcome.type === UNREACHABLE
      ? `Unreachable from ${formatAddress(outcome.from)}${mtu}`
      : `Request ${this.#sent} failed: ICMP type ${outcome.type} from ${formatAddress(outcome.from)}`;
  }

  #finish(): void {
    const percent = this.#sent === 0 ? 0 : Math.floor((100 * this.#replies) / this.#sent);
    const average = Math.floor(this.#sum / this.#replies);
    const times = this.#replies === 0 ? '' : `, round-trip min/avg/max = ${this.#least}/${average}/${this.#most} ms`;
    this.#print(
      `${this.#column > 0 ? '\n' : ''}Success rate is ${percent} percent (${this.#replies}/${this.#sent})${times}\n`,
    );
    this.#done(false);
  }
}

function sizesOf(size: PingOptions['size']): number[] {
  if (typeof size === 'number') return [size];
  const sizes: number[] = [];
  for (let s = size.from; s <= size.to; s += size.step) sizes.push(s);
  return sizes;
}

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(4, '0');

/** Ping test characters of the IOS command reference. */
function character(outcome: ProbeOutcome): string {
  if (outcome.kind === 'reply') return '!';
  if (outcome.kind === 'timeout') return '.';
  switch (outcome.type) {
    case UNREACHABLE:
      return outcome.code === FRAGMENTATION_NEEDED ? 'M' : 'U';
    case SOURCE_QUENCH:
      return 'Q';
    case TIME_EXCEEDED:
      return '&';
    default:
      return '?';
  }
}
