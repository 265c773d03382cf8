/** `show running-config` and `show startup-config`: IOS's head lines, then the text. */
import type { RouterConfig } from '../config/model.js';
import { arrangeInert } from '../config/inert-order.js';
import { interfaceLines, runningConfig } from '../config/running-config.js';

export function showRunningConfig(config: RouterConfig): string {
  const text = runningConfig(config);
  return `Building configuration...\n\nCurrent configuration : ${Buffer.byteLength(text)} bytes\n${text}`;
}

/** `show running-config interface NAME`. */
export function showRunningInterface(config: RouterConfig, name: string): string {
  const found = config.interfaces.find((i) => i.name === name);
  const inert = arrangeInert(config.inert).block(`interface ${name}`);
  const text = found === undefined ? '' : `!\n${interfaceLines(found, inert).join('\n')}\nend\n`;
  return `Building configuration...\n\nCurrent configuration : ${Buffer.byteLength(text)} bytes\n${text}\n`;
}

/** @param text what `write memory` wrote; undefined where there is nothing */
export function showStartupConfig(text: string | undefined): string {
  if (text === undefined) return 'startup-config is not present\n';
  // The 3640 of the reference has 125 KB of non-volatile configuration memory.
  return `Using ${Buffer.byteLength(text)} out of 129016 bytes\n${text}`;
}
