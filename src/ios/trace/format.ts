/** A trace as text: numbered steps, the deciding line under each. */
import type { Trace } from './explain.js';

/** @param file name of the configuration, for line numbers; undefined: the running router */
export function formatTrace(trace: Trace, file?: string): string {
  const width = Math.max(...trace.steps.map((s) => s.stage.length), 0);
  const lines = trace.steps.flatMap((s, i) => {
    const head = `${String(i + 1).padStart(2)}  ${s.stage.padEnd(width)}  ${s.text}`;
    if (s.because === undefined) return [head];
    const where = s.line === undefined ? '' : `   (${file === undefined ? 'line ' : `${file}:`}${s.line})`;
    return [head, `${' '.repeat(width + 6)}${s.because}${where}`];
  });
  return `${[...lines, `Result: ${trace.result}`].join('\n')}\n`;
}
