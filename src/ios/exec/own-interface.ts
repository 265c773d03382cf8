/**
 * An interface named in an EXEC command has to be one of the router's: its parser knows no other, and puts the caret
 * under the first character that fits none.
 */
import type { RouterConfig } from '../config/model.js';
import type { Match } from '../grammar/match.js';

/** Capture of every EXEC argument that names an interface. */
const CAPTURE = 'INTERFACE';

/**
 * @param command the line that `match` was made of
 * @returns the column, from 1, at which the name of an interface that is not there goes wrong; undefined: it is there
 */
export function missingInterfaceAt(command: string, match: Match, { interfaces }: RouterConfig): number | undefined {
  const name = match.optionalWord(CAPTURE);
  // Null0 is there without a line of configuration.
  if (name === undefined || name === 'Null0' || interfaces.some((i) => i.name === name)) return undefined;
  const column = match.column(CAPTURE);
  const [, type, number] = split(name);
  const numbers = interfaces.flatMap((i) => (split(i.name)[1] === type ? [split(i.name)[2]] : []));
  // The router has no interface of this kind: its name is already wrong.
  if (numbers.length === 0) return column;
  const typed = command.slice(column - 1);
  const digits = typed.search(/\d/);
  return column + digits + Math.max(...numbers.map((n) => agreement(n, number)));
}

const split = (name: string): [string, string, string] => {
  const [, type = name, number = ''] = /^(.*?)(\d.*)$/.exec(name) ?? [];
  return [name, type, number];
};

/** How many characters of `number`, to the start of a part of it (`2/`, `0`), an interface that is there has too. */
function agreement(there: string, number: string): number {
  const parts = (text: string): string[] => text.match(/\d+[/.:]?/g) ?? [];
  const known = parts(there);
  let length = 0;
  for (const [i, part] of parts(number).entries()) {
    if (known[i] !== part) break;
    length += part.length;
  }
  return length;
}
