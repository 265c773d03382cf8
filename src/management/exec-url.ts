/**
 * Commands as URLs, as the HTTP server of IOS has them: `/level/1/exec/show/ip/inspect/all/CR`, with or without a `-`
 * behind `exec`; `/exec/…` is level 15. Words are parted by `/`; one that has a slash of its own writes it as %2F.
 */

export interface CommandUrl {
  level: number;
  /** Words of the command so far. */
  line: string;
  /** `CR` stands behind it: it is to be carried out. */
  isWhole: boolean;
  /** Path of the command so far, without a slash at its end. */
  base: string;
}

const MOST_LEVEL = 15;

/**
 * Reads the path of a URL, as it came.
 * @param what `exec` or `configure`
 * @returns undefined where it is none of these
 */
export function readCommandUrl(path: string, what: 'exec' | 'configure'): CommandUrl | undefined {
  const shape = new RegExp(`^(?:/level/(\\d{1,2}))?/${what}(?:/-)?((?:/[^/]*)*)$`);
  const found = shape.exec(path);
  if (found === null) return undefined;
  const level = found[1] === undefined ? MOST_LEVEL : Number(found[1]);
  if (level > MOST_LEVEL) return undefined;
  const words: string[] = [];
  for (const part of (found[2] ?? '').split('/')) {
    const word = decode(part);
    if (word === undefined) return undefined;
    if (word !== '') words.push(word);
  }
  const isWhole = words.at(-1) === 'CR';
  if (isWhole) words.pop();
  return { level, line: words.join(' '), isWhole, base: commandPath(level, what, words) };
}

/** The path under which words are typed. */
export const commandPath = (level: number, what: 'exec' | 'configure', words: readonly string[]): string =>
  `/level/${level}/${what}/-${words.map((w) => `/${encodeURIComponent(w)}`).join('')}`;

/** @returns undefined where it is no text that could be typed */
function decode(part: string): string | undefined {
  let word: string;
  try {
    word = decodeURIComponent(part);
  } catch {
    return undefined;
  }
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return undefined;
  }
  return word.trim();
}
