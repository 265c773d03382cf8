/** Memory that runs short. */
import { FlatMemory, type MemorySource } from '../../src/core/memory/flat-memory.js';

/** The system gives the table of this name no more than so many words. */
export const scarceMemory =
  (table: string, most: number): MemorySource =>
  (name, words) =>
    new FlatMemory(words, (wanted, ready) => (name !== table ? words : wanted > most ? ready : wanted));
