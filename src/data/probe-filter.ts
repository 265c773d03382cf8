/** Picks the answers to the router's own probes out of the packets that pass. */
import { readAnswer } from '../core/probe/answer.js';
import type { FromDataPlane, ProbeKey } from '../core/plane.js';
import { PASS, type Verdict } from '../core/verdict.js';
import type { Packet } from '../core/wire/packet.js';

/** Probes that may wait at a time: those of a few terminals. More are never answered. */
export const MOST_PROBES = 1024;

const text = ({ kind, first, second }: Pick<ProbeKey, 'kind' | 'first' | 'second'>): string =>
  `${kind} ${first} ${second}`;

export class ProbeFilter {
  readonly #waiting = new Map<string, { key: ProbeKey; sentAt: number }>();

  constructor(private readonly answered: (answer: Extract<FromDataPlane, { type: 'answer' }>) => void) {}

  /** While no probe waits, no packet is shown. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** A probe was sent. `now`: ms. */
  expect(key: ProbeKey, now: number): void {
    if (this.#waiting.size < MOST_PROBES) this.#waiting.set(text(key), { key, sentAt: now });
  }

  forget(key: ProbeKey): void {
    this.#waiting.delete(text(key));
  }

  /**
   * Looks whether a packet that came in answers a probe.
   * @param p as the engine left it
   * @param v what the engine decided: only what passes is an answer
   */
  see(p: Packet, v: Verdict, now: number): void {
    if (v !== PASS) return;
    const answer = readAnswer(p);
    const w = answer && this.#waiting.get(text(answer));
    if (w === undefined || answer === undefined) return;
    const { key, sentAt } = w;
    // The numbers alone may be another host's: what it sends through the router answers nothing here.
    if (p.dst !== key.source || answer.source !== key.source || answer.destination !== key.destination) return;
    this.forget(key);
    const { type: icmpType, code, mtu } = answer;
    this.answered({ type: 'answer', key, from: p.src, icmpType, code, mtu, ms: now - sentAt });
  }
}
