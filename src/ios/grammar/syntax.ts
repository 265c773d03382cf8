/**
 * Reads the notation of Cisco's command reference into expressions:
 *
 *     ip inspect name NAME:WORD P:{tcp | udp} [alert ALERT:{on | off}] [timeout SECONDS:<5-43200>]
 *
 * Lower case: keyword. `CAPTURE:TYPE`: argument of a type in ARGUMENT_TYPES (`NAME` alone: a WORD). `<a-b>`: a number.
 * `CAPTURE:{a | b}`: the chosen keyword is the value. `[a] [b]`: each at most once, in any order. `CAPTURE:$x`: the
 * fragment x, whose `@` stands for CAPTURE.
 */
import { ARGUMENT_TYPES, FRAGMENTS, numberType } from './arguments.js';
import type { Expression } from './expression.js';

/** @throws Error where the notation itself is wrong: a mistake in our tables, found when they are built. */
export function parseSyntax(text: string, help: Readonly<Record<string, string>> = {}): Expression {
  const pieces = text.match(/[{}|[\]]|[^\s{}|[\]]+/g) ?? [];
  let next = 0;

  function sequence(capture: string | undefined): Expression {
    const parts: Expression[] = [];
    let options: Expression[] = [];
    const flush = (): void => {
      if (options.length > 0) parts.push({ kind: 'options', of: options });
      options = [];
    };
    for (let piece = pieces[next]; piece !== undefined && !'}]|'.includes(piece); piece = pieces[next]) {
      next++;
      if (piece === '[') {
        options.push(alternatives(']', undefined));
        continue;
      }
      flush();
      parts.push(piece === '{' ? alternatives('}', capture) : element(piece, capture));
    }
    flush();
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  function alternatives(close: string, capture: string | undefined): Expression {
    const of = [sequence(capture)];
    while (pieces[next] === '|') {
      next++;
      of.push(sequence(capture));
    }
    if (pieces[next] !== close) throw new Error(`command table: ${close} expected in: ${text}`);
    next++;
    return of.length === 1 ? of[0]! : { kind: 'choice', of };
  }

  function element(piece: string, capture: string | undefined): Expression {
    const colon = piece.indexOf(':');
    const name = colon < 0 ? piece : piece.slice(0, colon);
    if (!/^[A-Z@]/.test(name))
      return capture === undefined
        ? { kind: 'word', word: piece }
        : { kind: 'word', word: piece, capture, value: piece };
    const type = colon < 0 ? 'WORD' : piece.slice(colon + 1);
    if (type === '' && pieces[next] === '{') {
      next++;
      return alternatives('}', name);
    }
    if (type.startsWith('$')) {
      const fragment = FRAGMENTS[type];
      if (fragment === undefined) throw new Error(`command table: no fragment ${type} in: ${text}`);
      return parseSyntax(fragment.replaceAll('@', name), help);
    }
    const range = /^<(\d+)-(\d+)>$/.exec(type);
    const known = range === null ? ARGUMENT_TYPES[type] : numberType(Number(range[1]), Number(range[2]));
    if (known === undefined) throw new Error(`command table: no type ${type} in: ${text}`);
    if (typeof known === 'function') return known(name);
    const words = help[name];
    return words === undefined
      ? { kind: 'argument', capture: name, type: known }
      : { kind: 'argument', capture: name, type: known, help: words };
  }

  const whole = sequence(undefined);
  if (next !== pieces.length) throw new Error(`command table: ${pieces[next] ?? ''} unexpected in: ${text}`);
  return whole;
}
