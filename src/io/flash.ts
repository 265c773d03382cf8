/**
 * `flash:`: a directory of the daemon, without folders in it. Files come and go whole, and together are no more than a
 * 3640's flash holds.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlashFile } from '../ios/exec/files.js';
import { FileError, inWords, MOST_BYTES } from './file-error.js';

/** No dot comes first: such a name is a file that is being written, or leads out of the directory. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}$/;
const FRESH = '.new';

export class Flash {
  readonly capacity = MOST_BYTES;

  constructor(private readonly folder: string) {}

  /** By name. None where the directory is not there yet. */
  async list(): Promise<FlashFile[]> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((e) => e.isFile() && NAME.test(e.name)).map((e) => e.name);
    return Promise.all(
      names.sort().map(async (name) => {
        const { size, mtime } = await stat(join(this.folder, name));
        return { name, size, written: mtime };
      }),
    );
  }

  has(name: string): boolean {
    return NAME.test(name) && existsSync(join(this.folder, name));
  }

  /** @throws FileError, as rejection; so do all that follow */
  async read(name: string): Promise<Uint8Array> {
    try {
      const path = this.#path(name);
      if ((await stat(path)).size > MOST_BYTES) throw new FileError('File too large');
      return await readFile(path);
    } catch (error) {
      throw inWords(error);
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    const fresh = join(this.folder, `.${name}${FRESH}`);
    try {
      const others = (await this.list()).filter((f) => f.name !== name).reduce((sum, f) => sum + f.size, 0);
      if (others + bytes.length > this.capacity) throw new FileError('No space left on device');
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const file = await open(fresh, 'w', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync(); // a name that is there before its bytes would be an empty file after a power cut
      } finally {
        await file.close();
      }
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true }).catch(() => undefined);
      throw inWords(error);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await rm(this.#path(name));
    } catch (error) {
      throw inWords(error);
    }
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new FileError('Bad file name');
    return join(this.folder, name);
  }
}
