/**
 * The startup-config: the file that the router is started with, that `write memory` writes and `write erase` puts
 * aside. Reading it takes turns with the packets.
 */
import { link, readFile, unlink } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { RouterConfig } from '../ios/config/model.js';
import { type ParsedConfig, parseInSteps } from '../ios/config/parse.js';
import { undefinedNames } from '../ios/lint.js';
import type { Message } from '../ios/messages.js';
import { writeWhole } from '../io/whole-file.js';

/** Erased files that are kept beside it; with more than these the next erasure is refused. */
const MOST_ERASED = 100;

/** What is applied and not defined is open, as on IOS: said at each start and reload, as an error is. */
export const openMessages = (file: string, config: RouterConfig): Message[] =>
  undefinedNames(config).map(({ line, reason }) => ({
    severity: 3,
    mnemonic: '%PARSER-3-UNDEFINED',
    text: reason,
    fields: { file, line },
  }));

export class StartupFile {
  /**
   * @param path where it lies
   * @param lenient as `run --lenient`
   * @param text    what it holds; undefined: it was erased
   */
  constructor(
    readonly path: string,
    private readonly lenient: boolean,
    public text: string | undefined,
  ) {}

  /** Reads and parses the file as it is now; `text` stays. @throws Error of the system, as rejection */
  async read(): Promise<ParsedConfig & { text: string }> {
    const text = await readFile(this.path, 'utf8');
    const steps = parseInSteps(text, this.path, { whole: true, lenient: this.lenient });
    for (;;) {
      const step = steps.next();
      if (step.done === true) return { ...step.value, text };
      await setImmediate();
    }
  }

  /** @throws Error of the system; then the file is as it was */
  write(text: string): void {
    writeWhole(this.path, text);
    this.text = text;
  }

  /**
   * Puts the file aside, under a name that is free: what an administrator has written by hand is never destroyed.
   * @returns where it is now; undefined: there was none
   * @throws Error of the system, as rejection; then it is where it was
   */
  async erase(): Promise<string | undefined> {
    for (let n = 0; n < MOST_ERASED; n++) {
      const kept = `${this.path}.erased${n === 0 ? '' : `.${n}`}`;
      try {
        await link(this.path, kept); // fails where there is such a file, so that none is lost
        await unlink(this.path);
        this.text = undefined;
        return kept;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT') {
          this.text = undefined;
          return undefined;
        }
        if (code !== 'EEXIST') throw error;
      }
    }
    throw new Error(`${this.path}.erased and ${MOST_ERASED - 1} more are there already: remove what is not needed`);
  }
}
