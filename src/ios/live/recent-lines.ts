/**
 * The last messages of the log, and of them the lines that inspection has overwritten, for the live page. They are kept
 * whether somebody looks or not, so that who comes sees what has just happened. What is kept is bounded.
 */
import type { Message } from '../messages.js';
import { type LiveLogLine, type MaskedLine, MOST } from './frame.js';

/** Debug lines are for who has asked for them. */
const LEAST_SEVERE = 6;
/** Counted each for itself, so long. */
const MINUTE_S = 60;

/** The last `most` of what has come, each with its number. */
class LastOf<T> {
  #items: T[] = [];
  /** How many there have been. */
  count = 0;

  constructor(private readonly most: number) {}

  add(item: (number: number) => T): void {
    this.#items.push(item(++this.count));
    // Not one by one, which would move all of them each time.
    if (this.#items.length >= 2 * this.most) this.#items = this.items;
  }

  clear(): void {
    this.#items = [];
  }

  /** Oldest first. */
  get items(): T[] {
    return this.#items.slice(-this.most);
  }
}

export class RecentLines {
  readonly #log = new LastOf<LiveLogLine>(MOST.log);
  readonly #masked = new LastOf<MaskedLine>(MOST.masked);
  /** Lines masked in each second of the last minute, and the second that each place is about. */
  readonly #perSecond = new Int32Array(MINUTE_S);
  readonly #second = new Float64Array(MINUTE_S);

  /** @param at ms, the day's clock */
  note(m: Message, at: number): void {
    if (m.severity > LEAST_SEVERE) return;
    const { severity, mnemonic } = m;
    this.#log.add((number) => ({ number, at, severity, mnemonic, text: cut(m.text) }));
    const { before, after } = m.fields;
    if (typeof before !== 'string' || typeof after !== 'string' || m.fields['action'] === 'noted') return;
    this.#masked.add((number) => ({
      number,
      at,
      session: text(m, 'sessionId'),
      client: `${text(m, 'initiator')}:${text(m, 'initiatorPort')}`,
      server: `${text(m, 'responder')}:${text(m, 'responderPort')}`,
      from: m.fields['kind'] === 'extension-masked' ? 'server' : 'client',
      before: cut(before),
      after: cut(after),
      why: text(m, 'why'),
    }));
    const second = Math.floor(at / 1000);
    const place = second % MINUTE_S;
    if (this.#second[place] !== second) this.#perSecond[place] = 0;
    this.#second[place] = second;
    this.#perSecond[place]!++;
  }

  /** Nothing is kept of what has been. */
  clear(): void {
    this.#log.clear();
    this.#masked.clear();
    this.#perSecond.fill(0);
  }

  get log(): LiveLogLine[] {
    return this.#log.items;
  }

  get masked(): MaskedLine[] {
    return this.#masked.items;
  }

  get maskedTotal(): number {
    return this.#masked.count;
  }

  /** Lines masked in the minute before `at`. */
  maskedInMinute(at: number): number {
    const oldest = Math.floor(at / 1000) - MINUTE_S;
    return this.#perSecond.reduce((sum, n, i) => sum + (this.#second[i]! > oldest ? n : 0), 0);
  }
}

const text = (m: Message, field: string): string => String(m.fields[field] ?? '');

const cut = (line: string): string => (line.length <= MOST.text ? line : `${line.slice(0, MOST.text - 1)}…`);
