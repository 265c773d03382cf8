/**
 * Prometheus's text format, version 0.0.4: families with HELP and TYPE, samples with labels. Knows no metric. Names as
 * the conventions ask: https://prometheus.io/docs/practices/naming/
 */
export type MetricType = 'counter' | 'gauge' | 'histogram';
export type Labels = Readonly<Record<string, string>>;

/** A bucket of a histogram: what was not more than `le`, but more than the bucket before. */
export interface Bucket {
  le: string;
  count: number;
}

interface Family {
  type: MetricType;
  help: string;
  lines: string[];
}

export class Exposition {
  readonly #families = new Map<string, Family>();

  /** Adds one sample. A counter's name ends with `_total`. */
  add(name: string, type: 'counter' | 'gauge', help: string, value: number, labels: Labels = {}): void {
    this.#family(name, type, help).lines.push(sample(name, labels, value));
  }

  /** Adds a histogram. @param buckets in the order of their bounds, the last one without; `sum` of all that they count */
  addHistogram(name: string, help: string, buckets: readonly Bucket[], sum: number, labels: Labels = {}): void {
    const { lines } = this.#family(name, 'histogram', help);
    let total = 0;
    for (const { le, count } of buckets) lines.push(sample(`${name}_bucket`, { ...labels, le }, (total += count)));
    lines.push(sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, total));
  }

  /** All of it, family by family. */
  text(): string {
    return [...this.#families]
      .flatMap(([name, { type, help, lines }]) => [
        `# HELP ${name} ${escapeHelp(help)}`,
        `# TYPE ${name} ${type}`,
        ...lines,
      ])
      .map((line) => `${line}\n`)
      .join('');
  }

  #family(name: string, type: MetricType, help: string): Family {
    const known = this.#families.get(name);
    if (known !== undefined) {
      if (known.type !== type) throw new Error(`${name} is a ${known.type} and a ${type}`);
      return known;
    }
    const family = { type, help, lines: [] };
    this.#families.set(name, family);
    return family;
  }
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`;
}

const numberText = (v: number): string =>
  Number.isFinite(v) ? String(v) : Number.isNaN(v) ? 'NaN' : v > 0 ? '+Inf' : '-Inf';
const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
