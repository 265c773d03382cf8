/** Memory of tables that outlives the engine, as state files do: for those who take over, and for dry runs. */
import { FlatMemory, type MemorySource } from '../../src/core/memory/flat-memory.js';

export class LeftMemory {
  /** By name of the table. */
  readonly buffers = new Map<string, ArrayBuffer>();

  /** The memory itself. */
  readonly source: MemorySource = (name, words) => {
    const left = this.buffers.get(name);
    const buffer = left ?? new ArrayBuffer(words * 4);
    this.buffers.set(name, buffer);
    return memoryOf(buffer, words, left === undefined);
  };

  /** A copy of it, as it is now. */
  copy(): MemorySource {
    const copies = new Map([...this.buffers].map(([name, buffer]) => [name, buffer.slice(0)]));
    return (name, words) => memoryOf(copies.get(name) ?? new ArrayBuffer(words * 4), words, !copies.has(name));
  }
}

function memoryOf(buffer: ArrayBuffer, words: number, fresh: boolean): FlatMemory {
  const memory = new FlatMemory({ buffer, offset: 0, words });
  memory.fresh = fresh;
  return memory;
}
