/**
 * Counters and gauges as rows, declared beside what they count. `show`, metrics and tests read the rows; none of them
 * knows where a number lies. Read on demand: a row costs the hot path nothing.
 */

/** What a row belongs to: the same names may be counted by several. */
export type RowFamily =
  | 'drop'
  | 'reassembly'
  | 'reset'
  | 'smtp'
  | 'lost'
  | 'nat'
  | 'fragment'
  | 'log'
  | 'taken-over'
  /** Sessions there are: `SERVICE/STATE`. */
  | 'session'
  | 'threshold'
  /** What the kernel's queue holds. */
  | 'queue'
  | 'mail'
  /** Commands of mail clients that were masked, by verb. */
  | 'masked'
  /** Of the data plane around the engine. */
  | 'plane'
  /** How long batches of packets took: see Histogram. */
  | 'batch';

export interface Row {
  readonly family: RowFamily;
  /** A code, unique in its family. */
  readonly name: string;
  /** One line of what is counted, for metrics. */
  readonly help: string;
  /**
   * A counter only grows until it is cleared or the router starts anew; a gauge is what there is now. A bucket counts
   * what was not more than its name, but more than the bucket before; a sum is that of all that its buckets count.
   */
  readonly kind: 'counter' | 'gauge' | 'bucket' | 'sum';
  readonly read: () => number;
}

/** What a table says of a row. */
export type RowNote = Pick<Row, 'kind' | 'help'>;

/** A row for each entry of a table. @param read gives its number now */
export const rowsOf = <Name extends string>(
  family: RowFamily,
  table: Readonly<Record<Name, RowNote>>,
  read: (name: Name) => number,
): Row[] =>
  (Object.entries<RowNote>(table) as [Name, RowNote][]).map(([name, note]) => ({
    family,
    name,
    ...note,
    read: () => read(name),
  }));

/** A row as it was read: plain data, which may go to another process. */
export interface Reading extends Omit<Row, 'read'> {
  readonly value: number;
}

export const readRows = (rows: readonly Row[]): Reading[] =>
  rows.map(({ family, name, help, kind, read }) => ({ family, name, help, kind, value: read() }));
