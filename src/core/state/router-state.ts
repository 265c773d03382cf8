/** The state of an engine in the same process, read when it is asked for: for replay, `trace` and tests. */
import type { BufferedPacket, CapturesSnapshot } from '../capture/capture.js';
import type { Engine } from '../engine.js';
import type {
  ExpectedSnapshot,
  InspectionSnapshot,
  InterceptSnapshot,
  ReassemblySnapshot,
  RouterSnapshot,
  SessionSnapshot,
  TranslationSnapshot,
  ViewName,
} from './snapshot.js';
import { CollectedViews, viewPieces } from './view.js';
import type { Reading } from '../observe/row.js';

export class RouterState implements RouterSnapshot {
  /** @param clock the engine's clock, ms */
  constructor(
    private readonly engine: Engine,
    private readonly clock: () => number,
    readonly mapped?: ReadonlySet<string>,
  ) {}

  #view(name: ViewName): CollectedViews {
    const views = new CollectedViews(this.mapped);
    for (const piece of viewPieces(this.engine, [name], this.clock)) views.add(piece);
    return views;
  }

  sessions(): SessionSnapshot[] {
    return this.#view('sessions').sessions();
  }

  recent(): SessionSnapshot[] {
    return this.#view('recent').recent();
  }

  expected(): ExpectedSnapshot[] {
    return this.#view('expected').expected();
  }

  translations(): TranslationSnapshot[] {
    return this.#view('translations').translations();
  }

  aclMatches(list: string): readonly number[] {
    return this.#view('aclMatches').aclMatches(list);
  }

  inspection(): InspectionSnapshot {
    return this.#view('inspection').inspection();
  }

  intercept(): InterceptSnapshot {
    return this.#view('intercept').intercept();
  }

  reassembly(name: string): ReassemblySnapshot {
    return this.#view('reassembly').reassembly(name);
  }

  /** Nothing captures here. */
  captures(): CapturesSnapshot {
    return { buffers: [], points: [] };
  }

  captured(): readonly BufferedPacket[] {
    return [];
  }

  counters(): readonly Reading[] {
    return this.#view('counters').counters();
  }
}
