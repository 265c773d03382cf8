/** What became of packets, a JSON object a line: for `fw3640 capture`, which reads it back. */
import type { VerdictBatch, VerdictRecord } from '../../core/capture/verdict.js';

/** First the batch without its records, then the records, their bytes in hexadecimal. */
export function verdictLines({ records, ...batch }: VerdictBatch): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const lines = records.map((r) => JSON.stringify({ ...r, came: hex(r.came), leaves: hex(r.leaves) }));
  return `${[JSON.stringify(batch), ...lines].join('\n')}\n`;
}

/** @throws SyntaxError for what no router of this release has said */
export function readVerdictLines(text: string): VerdictBatch {
  const [batch = '{}', ...lines] = text.trim().split('\n');
  const bytes = (hex: unknown): Uint8Array => Buffer.from(String(hex), 'hex');
  const records = lines.map((line) => {
    const r = JSON.parse(line) as VerdictRecord & { came: unknown; leaves: unknown };
    return { ...r, ingress: r.ingress, egress: r.egress, held: r.held, came: bytes(r.came), leaves: bytes(r.leaves) };
  });
  return { ...(JSON.parse(batch) as Omit<VerdictBatch, 'records'>), records };
}
