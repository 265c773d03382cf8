/**
 * The management process's end of the channel to the control plane: questions that wait for their answers, at most so
 * many and so long, and what is pushed while somebody watches.
 */
import type {
  Answer,
  Ask,
  Channel,
  FromManagement,
  Pushes,
  QuestionName,
  ToManagement,
} from '../ios/management-plane.js';

/** The control plane does not answer: there is none, it is too busy, or it does not know what was asked. */
export class NoAnswer extends Error {}

const MOST_ASKED = 48;
const PATIENCE_MS = 60_000; // a ping of a hundred packets that nobody answers takes its time

export interface Channels {
  /** @throws NoAnswer, as rejection */
  ask<Q extends QuestionName>(question: Q, ask: Ask<Q>): Promise<Answer<Q>>;
  /** Has `take` called with each push, until the function that is returned is. */
  watch<C extends Channel>(channel: C, take: (value: Pushes[C]) => void): () => void;
}

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: NoAnswer) => void;
  timer: NodeJS.Timeout;
}

export class ControlChannel implements Channels {
  readonly #waiting = new Map<number, Waiting>();
  readonly #watchers = new Map<Channel, Set<(value: never) => void>>();
  #next = 1;

  /** @param send false: the channel is closed */
  constructor(
    private readonly send: (message: FromManagement) => boolean,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  ask<Q extends QuestionName>(question: Q, ask: Ask<Q>): Promise<Answer<Q>> {
    if (this.#waiting.size >= MOST_ASKED) return Promise.reject(new NoAnswer('too many questions wait'));
    const id = this.#next++;
    if (!this.send({ type: 'ask', id, question, ask })) return Promise.reject(new NoAnswer('the channel is closed'));
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => this.#take(id)?.reject(new NoAnswer('no answer in time')), this.patienceMs);
      this.#waiting.set(id, { resolve, reject, timer });
    }) as Promise<Answer<Q>>;
  }

  watch<C extends Channel>(channel: C, take: (value: Pushes[C]) => void): () => void {
    const watchers = this.#watchers.get(channel) ?? new Set();
    this.#watchers.set(channel, watchers);
    watchers.add(take);
    if (watchers.size === 1) this.send({ type: 'watch', channel, on: true });
    return () => {
      if (!watchers.delete(take) || watchers.size > 0) return;
      this.send({ type: 'watch', channel, on: false });
    };
  }

  receive(message: Extract<ToManagement, { type: 'answer' | 'fault' | 'push' }>): void {
    if (message.type === 'push') {
      for (const take of this.#watchers.get(message.channel) ?? []) take(message.value as never);
      return;
    }
    const waiting = this.#take(message.id);
    if (message.type === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(new NoAnswer('refused'));
  }

  /** Nobody answers any more. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(new NoAnswer('the channel is closed'));
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}
