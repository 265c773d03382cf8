/**
 * Sends the router's own probes and waits for their answers. Probes go out by the raw socket of the queue. Answers
 * come in as any packet does, by NFQUEUE: what an inbound access list drops is no answer, as on a 3640.
 */
import { randomInt } from 'node:crypto';
import { type ProbeAnswer, readAnswer } from '../core/probe/answer.js';
import { buildProbe, fragmentsOf } from '../core/probe/datagram.js';
import type { Probe, Prober, ProbeOutcome } from '../core/probe/probe.js';
import { PASS, type Verdict } from '../core/verdict.js';
import { ECHO_REPLY, PORT_UNREACHABLE, UNREACHABLE } from '../core/wire/icmp.js';
import type { Packet } from '../core/wire/packet.js';

/** UDP probes come from ports that nobody has for long (RFC 6335 §6). */
const FIRST_PORT = 49_152;
const PORTS = 0x4000;

interface Waiting {
  key: string;
  probe: Probe;
  sentAt: number; // ms
  done: (outcome: ProbeOutcome) => void;
  timer: NodeJS.Timeout | undefined;
}

export class PacketProber implements Prober {
  /** Probes that wait for an answer. While there are none, the router shows no packet. */
  waiting = 0;
  readonly #waiting = new Map<string, Waiting>();
  #next = randomInt(2 ** 32);

  /** @param transmit sends IPv4 packets at once; each is copied or gone when it returns */
  constructor(private readonly transmit: (packets: readonly Uint8Array[]) => void) {}

  send(probe: Probe, done: (outcome: ProbeOutcome) => void): () => void {
    const { mark, key } = this.#mark(probe);
    const w: Waiting = { key, probe, sentAt: performance.now(), done, timer: undefined };
    this.#waiting.set(key, w);
    this.waiting++;
    w.timer = setTimeout(() => this.#settle(w, { kind: 'timeout' }), probe.timeoutMs);
    if (probe.via === 'loopback') this.#answerOwn(w);
    if (probe.via === 'wire') {
      this.transmit(fragmentsOf(buildProbe(probe, mark, this.#next & 0xffff), probe.mtu));
    }
    return () => this.#forget(w);
  }

  /**
   * Looks whether a packet that came in answers a probe. Only while `waiting`.
   * @param p as the engine left it
   * @param v what the engine decided: only what passes is an answer
   */
  see(p: Packet, v: Verdict, now: number): void {
    if (v !== PASS) return;
    const answer = readAnswer(p);
    const w = answer === undefined ? undefined : this.#waiting.get(keyOf(answer.kind, answer.first, answer.second));
    if (answer === undefined || w === undefined) return;
    // The numbers alone may be another host's: what it sends through the router answers nothing here.
    if (p.dst !== w.probe.source || answer.source !== w.probe.source || answer.destination !== w.probe.destination)
      return;
    this.#answered(w, answer, p.src, now);
  }

  /** Gives up all probes. */
  stop(): void {
    for (const w of this.#waiting.values()) this.#forget(w);
  }

  #answered(w: Waiting, { type, code, mtu }: ProbeAnswer, from: number, now: number): void {
    const ms = now - w.sentAt;
    if (type === ECHO_REPLY) this.#settleLater(w, { kind: 'reply', ms });
    else this.#settleLater(w, { kind: 'error', type, code, from, mtu, ms });
  }

  /** What the router says to itself. */
  #answerOwn(w: Waiting): void {
    if (w.probe.kind === 'echo') this.#settleLater(w, { kind: 'reply', ms: 0 });
    else {
      const from = w.probe.destination;
      this.#settleLater(w, { kind: 'error', type: UNREACHABLE, code: PORT_UNREACHABLE, from, mtu: 0, ms: 0 });
    }
  }

  /** Behind the batch of packets in hand: what follows is text on a console, which can wait. */
  #settleLater(w: Waiting, outcome: ProbeOutcome): void {
    clearTimeout(w.timer);
    setImmediate(() => this.#settle(w, outcome));
  }

  #settle(w: Waiting, outcome: ProbeOutcome): void {
    if (this.#forget(w)) w.done(outcome);
  }

  /** @returns false where the probe was settled or given up before */
  #forget(w: Waiting): boolean {
    if (this.#waiting.get(w.key) !== w) return false;
    this.#waiting.delete(w.key);
    clearTimeout(w.timer);
    this.waiting--;
    return true;
  }

  /** Numbers that no other probe waits with. */
  #mark(probe: Probe): { mark: { identifier: number; sequence: number }; key: string } {
    for (;;) {
      this.#next = (this.#next + 1) >>> 0;
      const echo = probe.kind === 'echo';
      const identifier = echo ? this.#next >>> 16 : FIRST_PORT + (this.#next % PORTS);
      const sequence = this.#next & 0xffff;
      const key = keyOf(probe.kind, identifier, echo ? sequence : probe.port);
      if (!this.#waiting.has(key)) return { mark: { identifier, sequence }, key };
    }
  }
}

const keyOf = (kind: Probe['kind'], first: number, second: number): string => `${kind} ${first} ${second}`;
