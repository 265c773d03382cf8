/**
 * What the numbers in saved records stand for. Whoever adopts them has a configuration of his own, in which rules,
 * interfaces and lists may have other numbers, or be gone.
 */
import type { MemorySource } from '../memory/flat-memory.js';
import { SavedBytes } from '../memory/saved-bytes.js';

export interface Names {
  /** Interfaces, by number from 1. */
  readonly interfaces: readonly string[];
  /** Entries of inspection rules, by number from 1. */
  readonly rules: readonly { readonly rule: string; readonly service: string }[];
  /** `ip nat inside source list`, by number. */
  readonly mappings: readonly string[];
  /** Pools of streams: the number of a rule's entry, and the options as they were when its sessions began. */
  readonly pools: readonly { readonly number: number; readonly rule: number; readonly options: string }[];
}

const MOST_BYTES = 1 << 20;

export class SavedNames {
  readonly #saved: SavedBytes;

  constructor(source: MemorySource) {
    this.#saved = new SavedBytes('names', MOST_BYTES, source);
  }

  /** Writes the names. Before a record has a new number. @returns false: there are too many; nobody can adopt then */
  write(names: Names): boolean {
    const bytes = Buffer.from(JSON.stringify(names));
    return this.#saved.write(bytes, bytes.length);
  }

  /** The names that were written last; undefined: none that can be read. */
  read(): Names | undefined {
    const bytes = this.#saved.read();
    if (bytes === undefined) return undefined;
    try {
      const names = JSON.parse(Buffer.from(bytes).toString()) as Names;
      return isNames(names) ? names : undefined;
    } catch {
      return undefined; // garbled
    }
  }
}

function isNames(v: unknown): v is Names {
  const names = fieldsOf(v);
  const areTexts = (list: unknown): boolean => isListOf(list, (x) => typeof x === 'string');
  const isRule = (x: unknown): boolean => {
    const { rule, service } = fieldsOf(x);
    return typeof rule === 'string' && typeof service === 'string';
  };
  const isPool = (x: unknown): boolean => {
    const { number, rule, options } = fieldsOf(x);
    return Number.isInteger(number) && Number.isInteger(rule) && typeof options === 'string';
  };
  return (
    areTexts(names['interfaces']) &&
    areTexts(names['mappings']) &&
    isListOf(names['rules'], isRule) &&
    isListOf(names['pools'], isPool)
  );
}

const fieldsOf = (v: unknown): Readonly<Record<string, unknown>> =>
  typeof v === 'object' && v !== null ? (v as Readonly<Record<string, unknown>>) : {};

const isListOf = (v: unknown, isOne: (x: unknown) => boolean): boolean => Array.isArray(v) && v.every(isOne);
