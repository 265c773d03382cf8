/** A router of several shards in one process: as many engines, the packets steered as the kernel would. */
import { Engine } from '../../src/core/engine.js';
import type { Event } from '../../src/core/events.js';
import { FlatMemory } from '../../src/core/memory/flat-memory.js';
import type { Policy } from '../../src/core/policy.js';
import { Siblings, siblingsWords } from '../../src/core/shard/siblings.js';
import { shardOfPacket, type Steering, steeringOf } from '../../src/core/shard/steering.js';
import type { ViewName } from '../../src/core/state/snapshot.js';
import { CollectedViews, viewPieces } from '../../src/core/state/view.js';
import type { Verdict } from '../../src/core/verdict.js';
import { received, sent } from '../support/packets.js';

export interface Judged {
  verdict: Verdict;
  bytes: Uint8Array;
  shard: number;
}

export class SeveralEngines {
  readonly engines: Engine[];
  readonly events: Event[] = [];
  readonly injected: Uint8Array[] = [];
  now = 100_000;
  readonly #steering: Steering;

  constructor(
    private readonly policy: Policy,
    readonly shards: number,
    capacity = 1024,
  ) {
    this.#steering = steeringOf(policy, shards);
    const memory = new FlatMemory(siblingsWords(shards));
    this.engines = Array.from(
      { length: shards },
      (_, shard) =>
        new Engine(
          policy,
          {
            capacity,
            seed: 7,
            now: this.now,
            ...(shards > 1 && { siblings: new Siblings(shard, shards, memory) }),
          },
          {
            event: (e) => this.events.push(e),
            inject: (packet) => this.injected.push(packet.slice()),
            release: () => undefined,
          },
        ),
    );
  }

  handle(bytes: Uint8Array, ingress: number): Judged {
    const outside = this.policy.interfaces[ingress]!.nat === 'outside';
    const shard = this.shards === 1 ? 0 : shardOfPacket(this.#steering, bytes, 0, bytes.length, outside);
    const packet = received(bytes, ingress);
    const verdict = this.engines[shard]!.handle(packet, this.now);
    this.#hear();
    return { verdict, bytes: sent(packet), shard };
  }

  wait(ms: number): void {
    this.now += ms;
    for (const engine of this.engines) engine.tick(this.now);
    this.#hear();
  }

  views(names: readonly ViewName[]): CollectedViews {
    const views = new CollectedViews(undefined, this.shards);
    for (const engine of this.engines)
      for (const piece of viewPieces(engine, names, () => this.now)) views.add(structuredClone(piece));
    return views;
  }

  /** What one tells the other is done at once: in life it is behind a batch. Twice, as that may lead to more. */
  #hear(): void {
    for (let i = 0; i < 2; i++) for (const engine of this.engines) engine.hear(this.now);
  }
}
