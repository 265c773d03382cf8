/**
 * Packets that were lost between the kernel and the engine: nobody else would say so. Counted for `show ip inspect
 * statistics`, logged once a minute while they grow. Inferred: a 3640 counts them as input queue drops, without a word.
 */
import type { Message } from '../ios/messages.js';
import { Tally } from '../core/limit/tally.js';
import { type Row, rowsOf } from '../core/observe/row.js';
import { LOSS_CAUSES } from '../ios/loss-causes.js';

const NAMES = Object.keys(LOSS_CAUSES) as (keyof typeof LOSS_CAUSES)[];
const LOOK_EVERY_MS = 1000;

const QUEUE = {
  packets: { kind: 'gauge', help: "Packets in the kernel's queue, held ones included" },
  held: { kind: 'gauge', help: 'Packets that are held for what has to come first' },
} as const;

export class QueueWatch {
  #next = 0;
  readonly #seen: Record<keyof typeof LOSS_CAUSES, number> = {
    kernelQueueDropped: 0,
    kernelUserDropped: 0,
    badVerdicts: 0,
    verdictErrors: 0,
    injectErrors: 0,
    unknownInterface: 0,
  };
  readonly #tallies = NAMES.map(() => new Tally());

  /**
   * @param read the counts since the queue was opened, by name; those that are missing are 0
   * @param say  writes to the log
   */
  constructor(
    private readonly read: () => Readonly<Record<string, number>>,
    private readonly say: (m: Message) => void,
  ) {}

  /** The queue was opened anew: it counts from nothing. */
  restart(): void {
    for (const name of NAMES) this.#seen[name] = 0;
  }

  /** The queue was open before: what it had counted by then was said by somebody else. */
  resume(counts: Readonly<Record<string, number>>): void {
    for (const name of NAMES) this.#seen[name] = counts[name] ?? 0;
  }

  /** Looks, once a second, whether there is more to say. `now`: ms, monotonic. */
  tick(now: number): void {
    if (now < this.#next) return;
    this.#next = now + LOOK_EVERY_MS;
    const counts = this.read();
    NAMES.forEach((name, i) => {
      const tally = this.#tallies[i]!;
      const count = counts[name] ?? 0;
      const more = count - this.#seen[name];
      if (more > 0) tally.note(now, more);
      this.#seen[name] = Math.max(this.#seen[name], count); // less only where /proc could not be read
      const packets = tally.take(now);
      if (packets > 0) this.say(lossMessage(packets, tally.seconds, LOSS_CAUSES[name]));
    });
  }

  /** The losses as rows, and what is in the queue. */
  rows(): Row[] {
    return [
      ...NAMES.map((name): Row => ({
        family: 'lost',
        name,
        help: `Packets lost before or behind the engine: ${LOSS_CAUSES[name]}`,
        kind: 'counter',
        read: () => this.read()[name] ?? 0,
      })),
      ...rowsOf('queue', QUEUE, (name) => this.read()[name === 'packets' ? 'kernelQueued' : 'held'] ?? 0),
    ];
  }
}

const lossMessage = (packets: number, seconds: number, why: string): Message => ({
  severity: 4,
  mnemonic: '%SYS-4-QUEUE_DROP',
  text: `${packets} packet${packets === 1 ? '' : 's'} lost in ${seconds} second${seconds === 1 ? '' : 's'}: ${why}`,
  fields: { packets, seconds, why },
});
