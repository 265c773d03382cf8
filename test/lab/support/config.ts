/** 3640.cfg with changes, as a file of the lab. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Lab } from './lab.js';

const CONFIG = readFileSync(join(ROOT, 'config/3640.cfg'), 'utf8');
const RULE = 'ip inspect name OUT-IN smtp';

/**
 * @param rule  line in place of `ip inspect name OUT-IN smtp`
 * @param lines more of them, at the end
 * @returns the path of the file
 */
export function configWith(lab: Lab, rule: string, ...lines: string[]): string {
  if (!CONFIG.includes(`\n${RULE}\n`)) throw new Error(`config/3640.cfg has no line "${RULE}"`);
  const file = join(lab.folder, 'router.cfg');
  writeFileSync(
    file,
    `${CONFIG.replace(`\n${RULE}\n`, `\n${rule}\n`).replace(/\nend\s*$/, '')}\n${lines.join('\n')}\nend\n`,
  );
  return file;
}
