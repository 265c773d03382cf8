/** `traceroute`: UDP datagrams with rising TTL; each router on the way answers for its own. */
import type { Probe, ProbeOutcome } from '../../core/probe/probe.js';
import { PORT_UNREACHABLE, SOURCE_QUENCH, TIME_EXCEEDED, UNREACHABLE } from '../../core/wire/icmp.js';
import type { Job } from '../exec/job.js';
import type { ConsoleRouter } from '../exec/router.js';
import { formatAddress } from '../ipv4-text.js';
import { labelHost } from './host.js';
import { findWay, type Found, type Source } from './way.js';

export interface TracerouteOptions {
  /** Address or name, as typed. */
  target: string;
  source: Source | undefined;
  /** Addresses without names. */
  numeric: boolean;
  /** Seconds. */
  timeout: number;
  /** Of each TTL. */
  probes: number;
  minTtl: number;
  maxTtl: number;
  /** Destination port of the first datagram; one more for each. */
  port: number;
  /** Asked for in a dialogue, whose last question stands right above. */
  afterDialogue: boolean;
}

export const TRACEROUTE_DEFAULTS = {
  source: undefined,
  numeric: false,
  timeout: 3,
  probes: 3,
  minTtl: 1,
  maxTtl: 30,
  port: 33_434,
  afterDialogue: false,
} satisfies Omit<TracerouteOptions, 'target'>;

/** IPv4 and UDP headers: the datagrams of IOS have no payload. */
const SIZE = 28;
/** IOS's letters for unreachable, by code. */
const LETTERS: Readonly<Record<number, string>> = { 0: 'N', 1: 'H', 2: 'P', 9: 'A', 10: 'A', 13: 'A' };

export class TracerouteJob implements Job {
  #print!: (text: string) => void;
  #done!: (failed: boolean) => void;
  #giveUp: () => void = () => undefined;
  readonly #waits = (giveUp: () => void): void => void (this.#giveUp = giveUp);
  #probe!: Probe;
  #ttl: number;
  /** Probes of this TTL that are answered or timed out. */
  #count = 0;
  /** Who answered last on this line; undefined: nobody yet. */
  #from: number | undefined;
  #arrived = false;
  readonly #labels = new Map<number, string>();

  constructor(
    private readonly router: ConsoleRouter,
    private readonly options: TracerouteOptions,
  ) {
    this.#ttl = options.minTtl;
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
    this.#print('\n');
    this.#done(false);
  }

  #begin({ destination, way }: Found): void {
    const { timeout, port, afterDialogue } = this.options;
    this.#probe = {
      ...way,
      kind: 'udp',
      destination,
      size: SIZE,
      ttl: 0,
      tos: 0,
      dontFragment: false,
      pattern: 0,
      port: port - 1,
      timeoutMs: timeout * 1000,
    };
    this.#print(`${afterDialogue ? '' : '\n'}Type escape sequence to abort.\n`);
    this.#label(destination, (label) => {
      this.#print(`Tracing the route to ${label}\n\n`);
      this.#hop();
    });
  }

  #hop(): void {
    this.#print(`${String(this.#ttl).padStart(3)} `);
    this.#count = 0;
    this.#from = undefined;
    this.#next();
  }

  #next(): void {
    if (this.#count === this.options.probes) {
      this.#print('\n');
      if (this.#arrived || this.#ttl === this.options.maxTtl) {
        this.#done(false);
        return;
      }
      this.#ttl++;
      this.#hop();
      return;
    }
    this.#probe.ttl = this.#ttl;
    this.#probe.port = (this.#probe.port + 1) & 0xffff;
    this.#giveUp = this.router.prober.send(this.#probe, (outcome) => {
      this.#show(outcome, () => {
        this.#count++;
        this.#next();
      });
    });
  }

  #show(outcome: ProbeOutcome, shown: () => void): void {
    if (outcome.kind !== 'error') {
      this.#print(' * ');
      shown();
      return;
    }
    const { type, code, from, ms } = outcome;
    if (type === UNREACHABLE) this.#arrived = true;
    const tell = (): void => {
      this.#print(verdict(type, code, ms));
      shown();
    };
    if (from === this.#from) {
      tell();
      return;
    }
    this.#from = from;
    this.#label(from, (label) => {
      // Another router than before, or the first that answers: on a line of its own.
      this.#print(`${this.#count > 0 ? '\n    ' : ''}${label}`);
      tell();
    });
  }

  #label(address: number, labelled: (label: string) => void): void {
    const known = this.options.numeric ? formatAddress(address) : this.#labels.get(address);
    if (known !== undefined) {
      labelled(known);
      return;
    }
    labelHost(this.router, address, this.#waits, (label) => {
      this.#labels.set(address, label);
      labelled(label);
    });
  }
}

/** What stands behind the address: the time, or IOS's letter. */
function verdict(type: number, code: number, ms: number): string {
  if (type === TIME_EXCEEDED || (type === UNREACHABLE && code === PORT_UNREACHABLE)) return ` ${Math.round(ms)} msec`;
  if (type === SOURCE_QUENCH) return ' !Q ';
  const letter = type === UNREACHABLE ? LETTERS[code] : undefined;
  return letter === undefined ? ' ? ' : ` !${letter} `;
}
