/** Reads Prometheus's text format back, and complains of what its specification does not allow. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

const unescape = (text: string): string => text.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));

/** @throws Error with the line that is wrong */
export function readExposition(text: string): {
  samples: Sample[];
  types: Map<string, string>;
  help: Map<string, string>;
} {
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  const samples: Sample[] = [];
  let family = '';
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      const known = kind === 'HELP' ? help : types;
      if (known.has(name)) throw new Error(`twice: ${line}`);
      known.set(name, rest);
      family = name;
      continue;
    }
    const [, name, , pairs, number] = /^([^\s{]+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || !NAME.test(name) || number === undefined) throw new Error(`no sample: ${line}`);
    const base = types.get(family) === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
    if (base !== family) throw new Error(`not of ${family}: ${line}`);
    const value = Number(number.replace('Inf', 'Infinity'));
    if (Number.isNaN(value) && number !== 'NaN') throw new Error(`no number: ${line}`);
    samples.push({ name, labels: labelsOf(pairs ?? '', line), value });
  }
  return { samples, types, help };
}

function labelsOf(pairs: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < pairs.length) {
    const found = LABEL.exec(pairs);
    if (found === null) throw new Error(`labels: ${line}`);
    if (found[1]! in labels) throw new Error(`label twice: ${line}`);
    labels[found[1]!] = unescape(found[2]!);
  }
  return labels;
}
