/** `logging buffered`: the last lines of the log, up to a number of bytes. A line costs the same however many there are. */

/** Places of forgotten lines in front before the rest moves down; and no fewer than lines are kept. */
const LEAST_GAP = 1024;

export class LogBuffer {
  #lines: string[] = [];
  /** Place of the oldest line that is kept. */
  #first = 0;
  #bytes = 0;

  /** Keeps `line`, and of the oldest as many as fit into `size` bytes with it. */
  add(line: string, size: number): void {
    const lines = this.#lines;
    lines.push(line);
    this.#bytes += line.length + 1;
    while (this.#bytes > size && this.#first < lines.length - 1) {
      this.#bytes -= lines[this.#first]!.length + 1;
      lines[this.#first++] = '';
    }
    if (this.#first >= LEAST_GAP && this.#first * 2 >= lines.length) {
      this.#lines = lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(this.#first);
  }

  clear(): void {
    this.#lines = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
