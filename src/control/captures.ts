/**
 * Capture points and capture buffers of the router. The data plane hands over what the active points see; here it is
 * sorted into the buffers. Exec commands make them, so all of it is gone at a reload.
 */
import { CaptureBuffer } from '../core/capture/capture-buffer.js';
import {
  BUFFER_DEFAULTS,
  type BufferedPacket,
  type CaptureChange,
  type CapturesSnapshot,
  ETHERNET_HEADER,
  MOST_BUFFERS,
  MOST_POINTS,
  type PointSettings,
} from '../core/capture/capture.js';
import { NO_TAP, STAGE, TAP, type TapBatch, type TapSettings } from '../core/capture/tap.js';
import { VerdictWatch } from './verdict-watch.js';

/** What happens to a capture point, for the log. */
export type PointEvent = 'CREATE' | 'ENABLE' | 'DISABLE';

interface Point {
  readonly bit: number;
  settings: PointSettings;
  buffer: string | undefined;
  active: boolean;
  /** When `limit duration` ends it, clock of `tick`; undefined: never. */
  endsAt: number | undefined;
}

export interface CapturesEdge {
  /** Tells the data plane what to look for. */
  tap(settings: TapSettings): void;
  say(event: PointEvent, point: string): void;
  /** ms since 1970 at ms of the data plane's clock. */
  timeOf(clockMs: number): number;
  /** ms, monotonic. */
  now(): number;
}

export class Captures {
  readonly verdicts: VerdictWatch;
  readonly #buffers = new Map<string, CaptureBuffer>();
  readonly #points = new Map<string, Point>();
  #told: TapSettings = NO_TAP;
  /** Losses that each data plane has told of last. */
  readonly #lost = new Map<number, number>();

  constructor(private readonly edge: CapturesEdge) {
    this.verdicts = new VerdictWatch(
      () => edge.now(),
      () => this.#tell(),
    );
  }

  /** What the data plane is to look for, for one that begins. */
  get tap(): TapSettings {
    return this.#told;
  }

  change(c: CaptureChange): void {
    this.#change(c);
    this.#tell();
  }

  /** All is gone: `reload`. */
  reset(): void {
    this.#points.clear();
    this.#buffers.clear();
    this.#tell();
  }

  snapshot(): CapturesSnapshot {
    return {
      buffers: [...this.#buffers].map(([name, b]) => ({
        name,
        settings: { ...b.settings },
        packets: b.count,
        lost: b.lost,
      })),
      points: [...this.#points].map(([name, { settings, buffer, active }]) => ({ name, settings, buffer, active })),
    };
  }

  /** What each buffer holds, the oldest packet first. */
  packets(): Map<string, readonly BufferedPacket[]> {
    return new Map([...this.#buffers].map(([name, b]) => [name, b.packets]));
  }

  /** Takes what a data plane has seen. */
  take(batch: TapBatch, shard: number): void {
    const timeMs = this.edge.timeOf(batch.now);
    this.#noteLost(batch.lost, shard);
    const { records } = batch;
    for (let at = 0; at < records.length; at += TAP.ints) {
      const stage = records[at + TAP.stage]!;
      if (stage === STAGE.judged || stage === STAGE.released) this.verdicts.take(batch, at, timeMs, shard);
      else this.#sort(batch, at, timeMs);
    }
  }

  /** Ends what has had its time. To be called now and then. */
  tick(): void {
    const now = this.edge.now();
    this.verdicts.tick();
    let ended = false;
    for (const [name, p] of this.#points) {
      if (!p.active || p.endsAt === undefined || now < p.endsAt) continue;
      this.#end(name, p);
      ended = true;
    }
    if (ended) this.#tell();
  }

  #noteLost(inAll: number, shard: number): void {
    const before = this.#lost.get(shard) ?? 0;
    this.#lost.set(shard, inAll);
    // A data plane that began anew counts from nothing.
    const lost = inAll < before ? inAll : inAll - before;
    if (lost === 0) return;
    // Nobody knows for which of them.
    for (const name of this.#activeBuffers()) this.#buffers.get(name)!.lost += lost;
    if (this.verdicts.isWatched) this.verdicts.lose(lost);
  }

  #sort(batch: TapBatch, at: number, timeMs: number): void {
    const { records, interfaces, bytes } = batch;
    const bits = records[at + TAP.points]!;
    const offset = records[at + TAP.offset]!;
    for (const [name, point] of this.#points) {
      const buffer = this.#buffers.get(point.buffer ?? '');
      if ((bits & (1 << point.bit)) === 0 || !point.active || buffer === undefined) continue;
      const outcome = buffer.add({
        timeMs,
        path: point.settings.path,
        ingress: interfaces[records[at + TAP.ingress]!],
        egress: interfaces[records[at + TAP.egress]!],
        length: records[at + TAP.length]!,
        bytes: bytes.slice(offset, offset + records[at + TAP.captured]!),
      });
      if (outcome === 'end' || buffer.isComplete) {
        this.#end(name, point);
        this.#tell();
      }
    }
  }

  #change(c: CaptureChange): void {
    const { name } = c;
    const point = this.#points.get(name ?? '');
    switch (c.change) {
      case 'buffer': {
        const known = this.#buffers.get(c.name);
        if (known === undefined && this.#buffers.size >= MOST_BUFFERS) return;
        const buffer = known ?? new CaptureBuffer();
        this.#buffers.set(c.name, buffer);
        buffer.configure(c.settings);
        return;
      }
      case 'no-buffer':
        this.#buffers.delete(c.name);
        for (const [pointName, p] of this.#points) {
          if (p.buffer !== c.name) continue;
          this.#end(pointName, p);
          p.buffer = undefined;
        }
        return;
      case 'clear':
        this.#buffers.get(c.name)?.clear();
        return;
      case 'point': {
        if (point !== undefined || this.#points.size >= MOST_POINTS) return;
        const bits = new Set([...this.#points.values()].map((p) => p.bit));
        let bit = 0;
        while (bits.has(bit)) bit++;
        this.#points.set(c.name, { bit, settings: c.settings, buffer: undefined, active: false, endsAt: undefined });
        this.edge.say('CREATE', c.name);
        return;
      }
      case 'no-point':
        if (point !== undefined) this.#end(c.name, point);
        this.#points.delete(c.name);
        return;
      case 'associate':
        if (point !== undefined && !point.active && this.#buffers.has(c.buffer)) point.buffer = c.buffer;
        return;
      case 'disassociate':
        if (point === undefined) return;
        this.#end(c.name, point);
        point.buffer = undefined;
        return;
      case 'start':
        for (const [pointName, p] of this.#meant(name)) this.#start(pointName, p);
        return;
      case 'stop':
        for (const [pointName, p] of this.#meant(name)) this.#end(pointName, p);
    }
  }

  #meant(name: string | undefined): [string, Point][] {
    return [...this.#points].filter(([n]) => name === undefined || n === name);
  }

  #start(name: string, point: Point): void {
    const buffer = this.#buffers.get(point.buffer ?? '');
    if (point.active || buffer === undefined) return;
    // Another point that is active has begun the capture.
    if (!this.#activeBuffers().has(point.buffer!)) buffer.begin();
    const { duration } = buffer.settings;
    point.active = true;
    point.endsAt = duration > 0 ? this.edge.now() + duration * 1000 : undefined;
    this.edge.say('ENABLE', name);
  }

  #end(name: string, point: Point): void {
    if (!point.active) return;
    point.active = false;
    this.edge.say('DISABLE', name);
  }

  #activeBuffers(): Set<string> {
    return new Set([...this.#points.values()].flatMap((p) => (p.active && p.buffer !== undefined ? [p.buffer] : [])));
  }

  #tell(): void {
    const points = [...this.#points.values()].flatMap(({ bit, settings, buffer, active }) => {
      const { maxSize, list } = this.#buffers.get(buffer ?? '')?.settings ?? BUFFER_DEFAULTS;
      return active ? [{ ...settings, bit, list, most: maxSize - ETHERNET_HEADER }] : [];
    });
    const next = { points, verdicts: this.verdicts.isWatched };
    if (JSON.stringify(next) === JSON.stringify(this.#told)) return;
    this.#told = next;
    this.edge.tap(next);
  }
}
