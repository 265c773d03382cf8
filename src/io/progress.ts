/** A progress bar on a terminal, for what takes long. Nothing is written where no terminal is. */
import type { WriteStream } from 'node:tty';

const REDRAW_MS = 100;
const WIDTH = 30; // characters

export class Progress {
  #drawnAt = 0;
  #drawn = false;

  /** @param total what `show` counts up to; 0: unknown, then only the count is shown */
  constructor(
    private readonly terminal: Pick<WriteStream, 'isTTY' | 'write'>,
    private readonly total: number,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** @param done bytes so far. @param clear other text follows: the bar makes room for it */
  show(done: number, clear = false): void {
    if (!this.terminal.isTTY) return;
    if (clear) this.end();
    const now = this.clock();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#drawn = true;
    const megabytes = `${(done / 1e6).toFixed(1)} MB`;
    if (this.total === 0) {
      this.terminal.write(`\r${megabytes}\x1b[K`);
      return;
    }
    const part = Math.min(done / this.total, 1);
    const bar = '#'.repeat(Math.round(part * WIDTH)).padEnd(WIDTH, '.');
    this.terminal.write(`\r[${bar}] ${Math.floor(part * 100)} % of ${(this.total / 1e6).toFixed(1)} MB\x1b[K`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) this.terminal.write('\r\x1b[K');
    this.#drawn = false;
  }
}
