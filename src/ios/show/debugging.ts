/** `show debugging`: what is traced, under IOS's headings. */
import type { DebugFlags } from '../../core/observe/debug.js';
import { DEBUG_SWITCHES, debuggingText } from '../exec/debug-switches.js';

export function showDebugging(debug: DebugFlags): string {
  let text = '';
  let heading = '';
  for (const s of DEBUG_SWITCHES) {
    if (!debug[s.flag]) continue;
    if (s.heading !== heading) text += `${text === '' ? '' : '\n'}${s.heading}:\n`;
    heading = s.heading;
    text += `  ${debuggingText(s, true, debug.packetScope)}\n`;
  }
  return text === '' ? '' : `${text}\n`;
}
