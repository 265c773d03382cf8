/** What the tests of the papers share: the program's tables, without running anything of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type CommandTable, tableOf } from '../../src/app/command-table.js';

export const ROOT = join(import.meta.dirname, '../..');

/** main.ts obeys its command line as soon as it is loaded: here it prints its tables, to nobody. */
export async function programTable(): Promise<CommandTable> {
  const argv = process.argv;
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  process.argv = [process.execPath, 'fw3640', 'table'];
  try {
    const { program } = await import('../../src/main.js');
    return tableOf(program);
  } finally {
    process.argv = argv;
    write.mockRestore();
  }
}

/** A folder for one test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'fw3640-papers-'));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
