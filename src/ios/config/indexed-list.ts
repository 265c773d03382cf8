/**
 * A list of the configuration in which equal items are found without walking it, so that a line costs the same in a
 * file of ten thousand. An item is filed under keys that everything equal to it has too; what lies there is compared.
 */
type Key = string | number;

class IndexedList<T> {
  readonly #filed = new Map<Key, T[]>();
  #count = 0;

  constructor(
    private readonly items: T[],
    private readonly keysOf: (item: T) => readonly Key[],
  ) {
    for (const item of items) this.#file(item);
  }

  /** False after somebody else has changed the list. */
  get holds(): boolean {
    return this.#count === this.items.length;
  }

  /**
   * @param keys where to look: the keys of `like`, or those of what is sought
   * @returns an item that has one of the keys and passes `test`, if there is one
   */
  find(like: T, test: (item: T, like: T) => boolean, keys = this.keysOf(like)): T | undefined {
    for (const key of keys) {
      const found = this.#filed.get(key)?.find((item) => test(item, like));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** @param at where; at the end if absent */
  insert(item: T, at = this.items.length): void {
    this.items.splice(at, 0, item);
    this.#file(item);
  }

  remove(item: T): void {
    this.items.splice(this.items.indexOf(item), 1);
    this.#unfile(item);
  }

  /** Puts an item into the place of another one. */
  replace(old: T, item: T): void {
    this.items[this.items.indexOf(old)] = item;
    this.#unfile(old);
    this.#file(item);
  }

  #file(item: T): void {
    this.#count++;
    for (const key of this.keysOf(item)) {
      const others = this.#filed.get(key);
      if (others === undefined) this.#filed.set(key, [item]);
      else others.push(item);
    }
  }

  #unfile(item: T): void {
    this.#count--;
    for (const key of this.keysOf(item)) {
      const others = this.#filed.get(key)!;
      others.splice(others.indexOf(item), 1);
    }
  }
}

/**
 * @param keysOf the keys of an item; few items should have one in common
 * @returns the indexed form of a list, made when it is first asked for
 */
export function indexed<T>(keysOf: (item: T) => readonly Key[]): (items: T[]) => IndexedList<T> {
  const known = new WeakMap<readonly T[], IndexedList<T>>();
  return (items) => {
    let list = known.get(items);
    if (list?.holds !== true) {
      list = new IndexedList(items, keysOf);
      known.set(items, list);
    }
    return list;
  };
}
