/** `logging buffered`: the last lines of the log, up to a number of bytes. */
export class LogBuffer {
  #lines: string[] = [];
  #bytes = 0;

  /** Keeps `line`, and of the oldest as many as fit into `size` bytes with it. */
  add(line: string, size: number): void {
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    let old = 0;
    while (this.#bytes > size && old < this.#lines.length - 1) this.#bytes -= this.#lines[old++]!.length + 1;
    if (old > 0) this.#lines = this.#lines.slice(old);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
  }
}
