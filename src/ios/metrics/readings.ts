/** Which metric a counter row is: each row is one sample. Of a family that has no line here a row is a metric by itself. */
import type { Reading, RowFamily } from '../../core/observe/row.js';
import type { Exposition, Labels } from './exposition.js';

const PREFIX = 'fw3640';

/** Families whose rows are one metric, and tell each other apart by a label. */
interface Labelled {
  metric: string;
  help: string;
  labels: readonly string[];
}

const LABELLED: Partial<Record<RowFamily, Labelled>> = {
  drop: { metric: 'dropped_packets', help: 'Packets dropped, by reason', labels: ['reason'] },
  reset: {
    metric: 'sessions_reset',
    help: 'Half-open sessions reset to make room, by what asked for it',
    labels: ['cause'],
  },
  smtp: { metric: 'smtp_findings', help: 'Findings of SMTP inspection, by kind', labels: ['kind'] },
  lost: { metric: 'lost_packets', help: 'Packets lost before or behind the engine, by cause', labels: ['cause'] },
  log: { metric: 'log_suppressed_messages', help: 'Messages that were too many for the log, by what they were about', labels: ['about'] }, // prettier-ignore
  'taken-over': { metric: 'taken_over_sessions', help: 'Sessions of earlier data planes, by what became of them', labels: ['outcome'] }, // prettier-ignore
  session: { metric: 'sessions', help: 'Sessions there are, by service and state; none: no rule inspects them', labels: ['service', 'state'] }, // prettier-ignore
  mail: { metric: 'mails', help: 'Mails whose end the server has answered, by its answer', labels: ['outcome'] },
  masked: { metric: 'masked_commands', help: 'Commands of mail clients that were masked, by verb', labels: ['verb'] },
};

/** What stands before the names of the other rows, where they do not speak for themselves. */
const OWN_PREFIX: Partial<Record<RowFamily, string>> = {
  reassembly: 'reassembly_',
  queue: 'queue_',
  nat: 'nat_',
  fragment: 'virtual_reassembly_',
};

const BATCH = `${PREFIX}_batch_seconds`;

/** Adds all rows of a shard. @param labels of the shard */
export function addReadings(out: Exposition, readings: readonly Reading[], labels: Labels): void {
  for (const r of readings) if (r.kind === 'counter' || r.kind === 'gauge') addReading(out, r, r.kind, labels);
  const batch = readings.filter((r) => r.family === 'batch');
  const [first] = batch;
  if (first === undefined) return;
  const buckets = batch.filter((r) => r.kind === 'bucket').map(({ name, value }) => ({ le: name, count: value }));
  out.addHistogram(BATCH, first.help, buckets, batch.find((r) => r.kind === 'sum')?.value ?? 0, labels);
}

function addReading(out: Exposition, r: Reading, kind: 'counter' | 'gauge', labels: Labels): void {
  const total = kind === 'counter' ? '_total' : '';
  const known = LABELLED[r.family];
  if (known === undefined) {
    const name = `${PREFIX}_${OWN_PREFIX[r.family] ?? ''}${snakeCase(r.name)}${total}`;
    out.add(name, kind, r.help, r.value, labels);
    return;
  }
  const words = known.labels.length === 1 ? [r.name] : r.name.split('/');
  const own = Object.fromEntries(known.labels.map((label, i) => [label, snakeCase(words[i] ?? '')]));
  out.add(`${PREFIX}_${known.metric}${total}`, kind, known.help, r.value, { ...labels, ...own });
}

/** `badChecksum` → `bad_checksum`; `ftp-data`, `EHLO` stay. */
const snakeCase = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a}_${b.toLowerCase()}`);
