/** 3640.cfg with another rule for mail. */
import { configVariant } from './fw3640.js';
import type { Lab } from './lab.js';

const RULE = 'ip inspect name OUT-IN smtp';

/**
 * @param rule  line in place of `ip inspect name OUT-IN smtp`
 * @param lines more of them, at the end
 * @returns the path of the file
 */
export const configWith = (lab: Lab, rule: string, ...lines: string[]): string =>
  configVariant(lab, [RULE, rule], ['end', [...lines, 'end'].join('\n')]);
