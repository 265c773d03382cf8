/**
 * The router's own probes and their answers. Probes go out by the raw socket of the data plane. Answers come in as any
 * packet does, by NFQUEUE: what an inbound access list drops is no answer, as on a 3640.
 */
import { randomInt } from 'node:crypto';
import type { FromDataPlane, ProbeKey } from '../core/plane.js';
import { buildProbe, fragmentsOf } from '../core/probe/datagram.js';
import type { Probe, Prober, ProbeOutcome } from '../core/probe/probe.js';
import { ECHO_REPLY, PORT_UNREACHABLE, UNREACHABLE } from '../core/wire/icmp.js';

/** UDP probes come from ports that nobody has for long (RFC 6335 §6). */
const FIRST_PORT = 49_152;
const PORTS = 0x4000;

interface Waiting {
  key: ProbeKey;
  probe: Probe;
  done: (outcome: ProbeOutcome) => void;
  timer: NodeJS.Timeout | undefined;
}

type ProbeAnswered = Extract<FromDataPlane, { type: 'answer' }>;

/** The data plane, as far as probes go. */
export interface ProbeWay {
  /** Sends the packets of a probe, and has its answer looked for. */
  send(key: ProbeKey, packets: readonly Uint8Array[]): void;
  /** Nobody waits for the answer any more. */
  forget(key: ProbeKey): void;
}

export class PacketProber implements Prober {
  readonly #waiting = new Map<string, Waiting>();
  #next = randomInt(2 ** 32);

  constructor(private readonly way: ProbeWay) {}

  /** Probes that wait for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  send(probe: Probe, done: (outcome: ProbeOutcome) => void): () => void {
    const { mark, key } = this.#mark(probe);
    const w: Waiting = { key, probe, done, timer: undefined };
    this.#waiting.set(textOf(key), w);
    w.timer = setTimeout(() => this.#settle(w, { kind: 'timeout' }), probe.timeoutMs);
    if (probe.via === 'loopback') this.#answerOwn(w);
    if (probe.via === 'wire') {
      this.way.send(key, fragmentsOf(buildProbe(probe, mark, this.#next & 0xffff), probe.mtu));
    }
    return () => this.#forget(w);
  }

  /** An answer to a probe has come. */
  answer({ key, icmpType: type, code, from, mtu, ms }: ProbeAnswered): void {
    const w = this.#waiting.get(textOf(key));
    if (w === undefined) return;
    if (type === ECHO_REPLY) this.#settleLater(w, { kind: 'reply', ms });
    else this.#settleLater(w, { kind: 'error', type, code, from, mtu, ms });
  }

  /** Gives up all probes. */
  stop(): void {
    for (const w of this.#waiting.values()) this.#forget(w);
  }

  /** What the router says to itself. */
  #answerOwn(w: Waiting): void {
    if (w.probe.kind === 'echo') this.#settleLater(w, { kind: 'reply', ms: 0 });
    else {
      const from = w.probe.destination;
      this.#settleLater(w, { kind: 'error', type: UNREACHABLE, code: PORT_UNREACHABLE, from, mtu: 0, ms: 0 });
    }
  }

  /** Never before `send` has returned. */
  #settleLater(w: Waiting, outcome: ProbeOutcome): void {
    clearTimeout(w.timer);
    setImmediate(() => this.#settle(w, outcome));
  }

  #settle(w: Waiting, outcome: ProbeOutcome): void {
    if (this.#forget(w)) w.done(outcome);
  }

  /** @returns false where the probe was settled or given up before */
  #forget(w: Waiting): boolean {
    const key = textOf(w.key);
    if (this.#waiting.get(key) !== w) return false;
    this.#waiting.delete(key);
    clearTimeout(w.timer);
    if (w.probe.via === 'wire') this.way.forget(w.key);
    return true;
  }

  /** Numbers that no other probe waits with. */
  #mark(probe: Probe): { mark: { identifier: number; sequence: number }; key: ProbeKey } {
    for (;;) {
      this.#next = (this.#next + 1) >>> 0;
      const echo = probe.kind === 'echo';
      const identifier = echo ? this.#next >>> 16 : FIRST_PORT + (this.#next % PORTS);
      const sequence = this.#next & 0xffff;
      const { kind, source, destination } = probe;
      const key = { kind, first: identifier, second: echo ? sequence : probe.port, source, destination };
      if (!this.#waiting.has(textOf(key))) return { mark: { identifier, sequence }, key };
    }
  }
}

const textOf = ({ kind, first, second }: ProbeKey): string => `${kind} ${first} ${second}`;
